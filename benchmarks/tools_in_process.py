"""The stores and tools of a data folder inside this process, without HTTP: to see what the edge costs."""

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from assistant.cli.session import migrate_if_needed, with_instance
from storage.local.instance import InstanceInfo, read_instance
from storage.local.services import LocalServices
from storage.resources import Storage, open_storage
from storage.settings import Settings
from tools.accounts import Accounts
from tools.catalog import CATALOG
from tools.context import Principal
from tools.executor import Executor


@dataclass(frozen=True, slots=True)
class Inside:
    """The tools, called as the owner."""

    storage: Storage
    executor: Executor
    owner: Principal

    async def call(self, name: str, /, **arguments: Any) -> dict[str, Any]:
        output = await self.executor.call(name, arguments, self.owner)
        return output.model_dump(mode="json")


@asynccontextmanager
async def beside(data_dir: Path) -> AsyncGenerator[Inside]:
    """Beside the instance that runs on this folder."""
    info = read_instance(data_dir)
    if info is None:
        raise RuntimeError("No instance runs on this folder.")
    async with opened(info) as inside:
        yield inside


@asynccontextmanager
async def alone(data_dir: Path) -> AsyncGenerator[Inside]:
    """With servers started for this, and neither an API nor a worker beside."""
    be_quiet()
    async with LocalServices(data_dir, "benchmarks") as info:
        await migrate_if_needed(info)
        async with opened(info) as inside:
            yield inside


@asynccontextmanager
async def opened(info: InstanceInfo) -> AsyncGenerator[Inside]:
    be_quiet()
    storage = open_storage(with_instance(Settings(_env_file=None, rate_limit_per_endpoint=0), info))
    try:
        owner = await Accounts(storage).local_owner()
        yield Inside(storage, Executor(CATALOG, storage), Principal(owner, surface="benchmarks"))
    finally:
        await storage.close()


def be_quiet() -> None:
    """Standard output belongs to the tables."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
