"""Findings, how bad they are, and running the checks one after the other."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from enum import IntEnum
from typing import Any

from storage.errors import LyceumError
from storage.resources import Storage

EXAMPLES = 5


class Level(IntEnum):
    """Also the exit code of the command: the worst level of all."""

    OK = 0
    WARNING = 1
    ERROR = 2


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong. `count` things are affected; `examples` names a few of them."""

    level: Level
    detail: str
    mend: str
    count: int = 1
    examples: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Patient:
    """What is looked at."""

    storage: Storage
    is_laptop: bool
    head: str
    """The schema that this version of Lyceum needs."""


Answer = tuple[str, list[Finding]]
"""What was looked at, in a sentence, and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Check:
    """`needs`: names of checks without which this one makes no sense; it is left out when one of them finds an error."""

    name: str
    run: Callable[[Patient], Awaitable[Answer]]
    needs: tuple[str, ...] = ()


@dataclass
class Result:
    name: str
    detail: str
    findings: list[Finding] = field(default_factory=list)
    is_skipped: bool = False

    @property
    def level(self) -> Level:
        return max((finding.level for finding in self.findings), default=Level.OK)

    def as_json(self) -> dict[str, Any]:
        state = "skipped" if self.is_skipped else self.level.name.lower()
        findings = [{**asdict(finding), "level": finding.level.name.lower()} for finding in self.findings]
        return {"name": self.name, "state": state, "detail": self.detail, "findings": findings}


async def examine(patient: Patient, checks: Iterable[Check], known: Sequence[Result] = ()) -> list[Result]:
    """Every check in order. `known` are results from before the stores could be asked; their checks are not run again."""
    results = {result.name: result for result in known}
    for check in checks:
        if check.name not in results:
            results[check.name] = await _one(patient, check, results)
    return list(results.values())


async def _one(patient: Patient, check: Check, results: dict[str, Result]) -> Result:
    broken = [name for name in check.needs if results[name].is_skipped or results[name].level is Level.ERROR]
    if broken:
        return Result(check.name, f"Not checked, because of: {', '.join(broken)}.", is_skipped=True)
    try:
        detail, findings = await check.run(patient)
    except LyceumError as error:
        return Result(check.name, "", [Finding(Level.ERROR, str(error), WHERE_TO_LOOK)])
    return Result(check.name, detail, findings)


WHERE_TO_LOOK = "Start it again, and look into its log: on a laptop the logs folder in the data folder."


def listed(level: Level, what: str, mend: str, things: Iterable[str]) -> list[Finding]:
    """One finding about all of the things, none when there is none. `what` goes on after their number."""
    found = list(things)
    if not found:
        return []
    return [Finding(level, f"{len(found)} {what}", mend, len(found), found[:EXAMPLES])]


def worst(results: Iterable[Result]) -> Level:
    return max((result.level for result in results), default=Level.OK)
