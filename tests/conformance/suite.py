"""Runs the suite's three sets and counts scenarios: one passes when it ran and none of its checks failed."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.conformance.node import FROZEN, MODULES, NEXT, run

REQUIREMENTS = MODULES / "conformance-next" / "requirements"
OUTCOME = re.compile(r"^(✓|✗) ([\w.-]+): \d+ passed, \d+ failed", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Suite:
    """One set: how it is asked for, and how many scenarios it has, so that a run that stops early is seen."""

    name: str
    script: Path
    options: Sequence[str]
    size: int
    revision: str | None = None
    """Of its frozen requirements; what else runs beside them is not scored."""

    def scored(self) -> frozenset[str] | None:
        if self.revision is None:
            return None
        listed = yaml.safe_load((REQUIREMENTS / f"{self.revision}.yaml").read_text(encoding="utf-8"))
        return frozenset(listed["server"])


SUITES = (
    Suite("0.1.16 all", FROZEN, ("--suite", "all"), 32),
    Suite("2025-11-25", NEXT, ("--requirements", "2025-11-25"), 30, "2025-11-25"),
    Suite("2026-07-28", NEXT, ("--requirements", "2026-07-28"), 37, "2026-07-28"),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    suite: Suite
    passed: int
    failures: list[str]
    """Scored scenarios that failed."""
    report: str

    @property
    def is_complete(self) -> bool:
        return self.passed == self.suite.size

    @property
    def line(self) -> str:
        return f"{self.suite.name}: {self.passed}/{self.suite.size}"


async def measure(suite: Suite, node: Path, url: str, folder: Path) -> Outcome:
    done = await run(
        node, suite.script, "server", "--url", url, *suite.options, "-o", "results", folder=folder
    )
    scored = suite.scored()
    found = {
        name: mark == "✓" for mark, name in OUTCOME.findall(done.output) if scored is None or name in scored
    }
    return Outcome(
        suite=suite,
        passed=sum(found.values()),
        failures=[name for name, passed in found.items() if not passed],
        report=done.output + done.errors,
    )
