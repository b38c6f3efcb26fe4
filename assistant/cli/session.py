"""What commands share that work: finding or starting the services, running as the owner, logging to standard error."""

import asyncio
import json
import logging
import sys
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
import typer
from pydantic import BaseModel, SecretStr

from assistant.cli.options import fail, is_laptop, read_settings
from storage.errors import LyceumError
from storage.local.instance import InstanceInfo, read_instance
from storage.local.services import LocalServices
from storage.settings import Settings


def log_to_stderr(level: str = "WARNING") -> None:
    """Standard output belongs to the command's answer.

    Tracebacks are plain: structlog's default renders every local variable with rich, on the event loop.
    """
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.StackInfoRenderer(),
            structlog.processors.TimeStamper(fmt="%Y-%m-%d %H:%M:%S", utc=False),
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            ),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def run(
    work: Coroutine[Any, Any, None], loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None
) -> None:
    """Run a command's work; an expected error ends it with its sentence, Ctrl-C quietly."""
    try:
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(work)
    except LyceumError as error:
        fail(str(error))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def with_instance(settings: Settings, info: InstanceInfo) -> Settings:
    """Settings that point at the services of a running instance."""
    return settings.model_copy(
        update={
            "data_dir": info.data_dir,
            "database_url": info.database_url,
            "owner_database_url": info.owner_database_url,
            "redis_url": info.redis_url,
            "vector_url": info.vector_url,
            "files_url": info.files_url,
            "secret_key": SecretStr(info.secret_key),
        }
    )


@asynccontextmanager
async def services(settings: Settings, command: str) -> AsyncGenerator[tuple[Settings, LocalServices | None]]:
    """The stores a command works on: those of the settings, of the instance that runs, or started for this command.

    Gives the LocalServices when they were started here, so that a command can add a worker.
    """
    if not is_laptop(settings):
        yield settings, None
        return
    info = await asyncio.to_thread(read_instance, settings.data_dir)
    if info is not None:
        yield with_instance(settings, info), None
        return
    local = LocalServices(settings.data_dir, command)
    async with local as started:
        await migrate_if_needed(started)
        yield with_instance(settings, started), local


async def migrate_if_needed(info: InstanceInfo) -> None:
    """Bring the schema up to date, unless a marker says that it is: asking Alembic costs half a second."""
    from migrations.marker import is_current, remember  # noqa: PLC0415 - keeps `--help` fast

    if not is_current(info.data_dir):
        from migrations.runner import upgrade  # noqa: PLC0415 - Alembic and SQLAlchemy, only when there is work

        await asyncio.to_thread(upgrade, info.owner_database_url)
        remember(info.data_dir)


@dataclass
class OwnerSession:
    """The tools, called as the owner of this machine."""

    executor: Any
    storage: Any
    accounts: Any
    principal: Any
    settings: Settings

    async def call(self, tool: str, /, **arguments: Any) -> dict[str, Any]:
        output: BaseModel = await self.executor.call(tool, arguments, self.principal)
        return output.model_dump(mode="json")


@asynccontextmanager
async def as_owner(
    data_dir: Path | None, command: str, *, worker: bool = False
) -> AsyncGenerator[OwnerSession]:
    """A session as the local owner; with `worker`, one is started when the services were started for this command."""
    from storage.resources import open_storage  # noqa: PLC0415 - the stores are heavy, `--help` must not wait
    from tools.accounts import Accounts  # noqa: PLC0415
    from tools.catalog import CATALOG  # noqa: PLC0415
    from tools.context import Principal  # noqa: PLC0415
    from tools.executor import Executor  # noqa: PLC0415

    async with services(read_settings(data_dir=data_dir), command) as (settings, local):
        if worker and local is not None:
            from assistant.cli.serving import worker_child  # noqa: PLC0415 - the two modules need each other

            await local.supervisor.start(worker_child(local, settings))
        storage = open_storage(settings)
        try:
            accounts = Accounts(storage)
            owner = await accounts.local_owner()
            yield OwnerSession(
                Executor(CATALOG, storage), storage, accounts, Principal(owner, surface="cli"), settings
            )
        finally:
            await storage.close()


def show(data: Any) -> None:
    """Print JSON for programs."""
    print(json.dumps(data, ensure_ascii=False, indent=2))
