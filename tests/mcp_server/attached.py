"""A data folder on which an API takes `lyceum mcp`: its socket is served in this process, on the stores of the tests."""

import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from mcp import StdioServerParameters

from mcp_server.attach import McpSocket
from storage.local.instance import SERVE, InstanceInfo
from storage.local.paths import socket_root
from storage.local.services import LocalServices
from storage.resources import Storage
from tests.conftest import settings_for
from tests.data import REPOSITORY
from tests.mcp_server.catalog import TRIALS
from tools.accounts import Accounts
from tools.executor import Executor

STORES = ("database_url", "owner_database_url", "redis_url", "vector_url", "files_url")


@asynccontextmanager
async def instance_on(
    folder: Path, stores: InstanceInfo
) -> AsyncIterator[tuple[LocalServices, InstanceInfo]]:
    """Held by “lyceum serve”, which has not said yet where its API is."""
    services = LocalServices(folder, SERVE, external={name: getattr(stores, name) for name in STORES})
    async with services as info:
        yield services, info


def socket_of(folder: Path) -> Path:
    return socket_root(folder) / "mcp.sock"


def api_of(path: Path, storage: Storage, stores: InstanceInfo) -> McpSocket:
    return McpSocket(Executor(TRIALS, storage), Accounts(storage), settings_for(stores), path)


def lyceum_mcp(folder: Path, *flags: str, cwd: Path = REPOSITORY, **settings: str) -> StdioServerParameters:
    """`lyceum mcp` on a data folder, without the settings of the developer."""
    kept: Mapping[str, str] = {
        name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ
    }
    return StdioServerParameters(
        command=sys.executable,
        args=["-m", "assistant.cli", "mcp", "--data-dir", str(folder), *flags],
        cwd=cwd,
        env={**kept, "PYTHONPATH": str(REPOSITORY), **settings},
    )
