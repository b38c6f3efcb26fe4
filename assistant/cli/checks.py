"""What `lyceum doctor` looks at, in order; opening the stores as far as they can be opened; and the page it prints."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import typer

from assistant.cli.doctor import contents, stores, work
from assistant.cli.doctor.report import WHERE_TO_LOOK, Check, Finding, Level, Patient, Result, examine, worst
from assistant.cli.options import is_laptop, read_settings
from assistant.cli.session import with_instance
from migrations.runner import head
from storage.errors import Unavailable
from storage.local.instance import InstanceInfo, read_instance
from storage.local.services import LocalServices
from storage.resources import open_storage
from storage.settings import Settings

CHECKS = (
    Check("database", stores.database),
    Check("redis", stores.redis),
    Check("vectors", stores.vectors),
    Check("files", stores.files),
    Check("schema", stores.schema, ("database",)),
    Check("partitions", stores.partitions, ("schema",)),
    Check("clocks", stores.clocks, ("database", "redis")),
    Check("disk", stores.disk),
    Check("settings", stores.settings),
    Check("AI clients", stores.ai_clients),
    Check("upkeep", work.upkeep, ("schema",)),
    Check("jobs", work.jobs, ("schema",)),
    Check("runs", work.runs, ("schema",)),
    Check("stored files", contents.files, ("schema", "files")),
    Check("stored vectors", contents.vectors, ("schema", "vectors")),
)

NOWHERE = {
    "database_url": "postgresql+asyncpg://lyceum_app@127.0.0.1:9/lyceum",
    "redis_url": "redis://127.0.0.1:9",
    "vector_url": "chroma+http://127.0.0.1:9",
}
"""Addresses where nothing answers, in place of a server that does not start."""
SERVERS = {
    "postgres": ("database", "database_url"),
    "valkey": ("redis", "redis_url"),
    "chroma": ("vectors", "vector_url"),
}
"""What the supervisor calls each server → the check that it belongs to, and its setting."""


async def diagnose(data_dir: Path | None) -> list[Result]:
    """All results. Changes nothing: no migration, no account, no folder. Raises Conflict while another command starts or
    ends on the data folder."""
    settings = read_settings(data_dir=data_dir)
    async with opened(settings) as (found, known):
        storage = open_storage(found)
        try:
            patient = Patient(storage, is_laptop(settings), head())
            return await examine(patient, CHECKS, known)
        finally:
            await storage.close()


@asynccontextmanager
async def opened(settings: Settings) -> AsyncGenerator[tuple[Settings, list[Result]]]:
    """Settings that name every store: those of a server, of the instance that runs, or started for this. A server that
    does not start becomes a result, and the others are started without it."""
    if not is_laptop(settings):
        yield settings, []
        return
    running = read_instance(settings.data_dir)
    if running is not None:
        yield with_instance(settings, running), []
        return
    if not (settings.data_dir / "postgres").exists():
        raise Unavailable(
            f"There is no Lyceum in {settings.data_dir} yet: `lyceum serve` makes one.", code="nothing_here"
        )
    async with AsyncExitStack() as stack:
        info, known = await started(settings, stack)
        yield with_instance(settings, info), known


async def started(settings: Settings, stack: AsyncExitStack) -> tuple[InstanceInfo, list[Result]]:
    """The servers of a laptop, without those that do not start."""
    external: dict[str, str] = {}
    known: list[Result] = []
    while True:
        try:
            services = LocalServices(settings.data_dir, "lyceum doctor", external=external)
            return await stack.enter_async_context(services), known
        except Unavailable as error:
            name, setting = culprit(str(error))
            if setting in external:
                raise
            external[setting] = NOWHERE[setting]
            known.append(Result(name, "", [Finding(Level.ERROR, str(error), WHERE_TO_LOOK)]))


def culprit(sentence: str) -> tuple[str, str]:
    """The check and the setting of the server that an error is about: it begins with its name, or is about the folder
    of the database."""
    name = sentence.split()[0].lower()
    return SERVERS.get(name, SERVERS["postgres"])


def as_json(results: list[Result]) -> dict[str, Any]:
    """`{status, checks: [{name, state, detail, findings}]}`; `state` is ok, warning, error or skipped."""
    return {"status": worst(results).name.lower(), "checks": [result.as_json() for result in results]}


MARKS = {
    Level.OK: ("ok  ", "green"),
    Level.WARNING: ("warn", "yellow"),
    Level.ERROR: ("FAIL", "red"),
}


def page(results: list[Result]) -> str:
    """For a person: a line a check, and below it what is wrong with it and how to mend that."""
    lines = []
    for result in results:
        mark, color = ("----", "white") if result.is_skipped else MARKS[result.level]
        lines.append(
            f"{typer.style(mark, fg=color)}  {result.name}: {'' if result.findings else result.detail}".rstrip()
        )
        for finding in result.findings:
            lines.append(f"        {finding.detail}")
            lines += [
                f"          · {example}" for example in finding.examples if example not in finding.detail
            ]
            lines.append(f"        → {finding.mend}")
    return "\n".join(lines)
