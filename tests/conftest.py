"""Real servers, once per test process. Every test makes its own users, so nothing needs to be cleaned between tests."""

import asyncio
import tempfile
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr
from xdist.scheduler.loadscope import LoadScopeScheduling

from assistant.cli.session import log_to_stderr
from migrations.runner import upgrade
from storage.local.instance import InstanceInfo
from storage.local.services import LocalServices
from storage.redis import client as redis_client
from storage.resources import Storage, open_storage
from storage.settings import Settings
from tests.databases import wait_for_no_disk
from tests.work import reader_of
from tools.catalog import CATALOG
from tools.context import Principal
from tools.executor import Executor

LONGEST_FIRST = (
    "browser",
    "tests/tools/test_life_purge.py",
    "tests/tools/test_life_export.py",
    "tests/tools/test_life_erasure.py",
    "tests/assistant/test_doctor.py",
    "tests/tools/test_worker.py",
    "tests/test_plans.py",
    "tests/storage/test_redis_away.py",
    "tests/study/test_anki.py",
    "tests/study/test_documents.py",
    "tests/study/test_documents_files.py",
    "tests/storage/test_local_services.py",
    "tests/migrations/test_migrations.py",
    "tests/migrations/test_batches.py",
    "tests/mcp_server/test_stdio.py",
    "server",
)
"""Scopes in the order in which they begin, before all others, so that no worker is left alone with a long one at the end.
Those of a deleted account's life come early for another reason: a daily task goes through everybody, and each test adds some."""
WITH_SERVER = ("tests/assistant/test_api_files.py", "tests/assistant/test_tus_interrupted.py")


def scope_of(nodeid: str) -> str:
    """What runs on one worker: a file, all browser tests, or the files that share a server process."""
    file = nodeid.partition("::")[0]
    if "/browser/" in file:
        return "browser"
    return "server" if file in WITH_SERVER else file


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ranks = {scope: rank for rank, scope in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: ranks.get(scope_of(item.nodeid), len(ranks)))


class ByFile(LoadScopeScheduling):  # type: ignore[misc]
    """A file stays on one worker, and so do files with something costly in common: what they share is then made once."""

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    return ByFile(config, log)


@pytest.fixture(scope="session", autouse=True)
def plain_logs() -> None:
    """Logs as the real processes write them."""
    log_to_stderr("INFO")


@pytest.fixture(scope="session", autouse=True)
def patient_redis() -> Generator[None]:
    """A machine that is busy for three seconds is no Redis that is away. Processes of their own keep the usual limits."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(redis_client, "QUICK_SECONDS", 30.0)
        patched.setattr(redis_client, "ANSWER_SECONDS", 60.0)
        yield


@pytest.fixture(scope="session")
async def instance() -> AsyncGenerator[InstanceInfo]:
    with tempfile.TemporaryDirectory(prefix="lyceum-test-") as folder:
        async with LocalServices(Path(folder) / "data", command="tests") as info:
            await wait_for_no_disk(info)
            await asyncio.to_thread(upgrade, info.owner_database_url)
            yield info


def settings_for(info: InstanceInfo) -> Settings:
    """Settings that point at the running test servers, blind to the developer's own environment."""
    return Settings(
        _env_file=None,
        data_dir=info.data_dir,
        database_url=info.database_url,
        owner_database_url=info.owner_database_url,
        redis_url=info.redis_url,
        vector_url=info.vector_url,
        files_url=info.files_url,
        secret_key=SecretStr(info.secret_key),
        model="builtin",
    )


@pytest.fixture(scope="session")
async def storage(instance: InstanceInfo) -> AsyncGenerator[Storage]:
    opened = open_storage(settings_for(instance))
    yield opened
    await reader_of(opened).close()
    await opened.close()


@pytest.fixture(scope="session")
async def executor(storage: Storage) -> Executor:
    return Executor(CATALOG, storage)


async def new_principal(storage: Storage) -> Principal:
    user_id: UUID = storage.clock.new_id()
    async with storage.as_user(user_id) as db:
        await db.accounts.add_user(f"{user_id}@example.org", "A student", None)
    return Principal(user_id, surface="test")


@pytest.fixture
async def student(storage: Storage) -> Principal:
    """A new account, signed in."""
    return await new_principal(storage)


@pytest.fixture
async def stranger(storage: Storage) -> Principal:
    """Another new account."""
    return await new_principal(storage)


@pytest.fixture(scope="module")
async def new_user(storage: Storage) -> Principal:
    """One account for all tests of a module, where making its data costs seconds."""
    return await new_principal(storage)
