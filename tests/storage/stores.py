"""Fixtures: both kinds of file store, and a Valkey that a test may empty, stop and freeze."""

import asyncio
import signal
import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
import pytest
import uvicorn

from storage.files import FileStore, S3Options
from storage.local import paths, valkey
from storage.local.instance import InstanceInfo
from storage.local.process import Supervisor
from storage.local_copies import LocalCopies
from storage.resources import Storage, open_storage
from storage.settings import Settings
from tests.assistant.serving import running
from tests.conftest import settings_for
from tests.s3 import BUCKET, s3_server


@pytest.fixture(scope="session")
def s3() -> Generator[S3Options]:
    with s3_server() as options:
        yield options


@pytest.fixture(params=["folder", "s3"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[FileStore]:
    """An empty store of each kind."""
    copies = LocalCopies(tmp_path / "cache", 64 << 20)
    if request.param == "folder":
        store = FileStore((tmp_path / "files").as_uri(), copies)
    else:
        options: S3Options = request.getfixturevalue("s3")
        store = FileStore(f"s3://{BUCKET}/{tmp_path.name}", copies, options)
    yield store
    store.close()


@pytest.fixture
def filed(storage: Storage, files: FileStore) -> Storage:
    """The stores, with an empty file store."""
    return replace(storage, files=files)


@dataclass
class Redis:
    """A server of its own."""

    url: str
    supervisor: Supervisor

    @property
    def process(self) -> psutil.Process:
        return psutil.Process(self.supervisor.pids()["valkey"])

    def freeze(self) -> None:
        """It keeps its connections and answers nothing."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    async def stop(self) -> None:
        await self.supervisor.stop_child("valkey")


@pytest.fixture
async def redis(tmp_path: Path) -> AsyncGenerator[Redis]:
    for name in ("logs", "run"):
        (tmp_path / name).mkdir(exist_ok=True)
    supervisor = Supervisor(tmp_path)
    spec, listening = valkey.prepare(tmp_path, paths.socket_root(tmp_path), "password")
    await supervisor.start(spec)
    server = Redis(valkey.url(listening, "password"), supervisor)
    try:
        yield server
    finally:
        if supervisor.pids():
            server.thaw()
        await supervisor.stop()
        await asyncio.to_thread(paths.remove_socket_root, tmp_path)


@pytest.fixture
async def own(instance: InstanceInfo, redis: Redis) -> AsyncGenerator[Storage]:
    """The stores, with a Redis that nobody else uses."""
    opened = open_storage(settings_for(instance).model_copy(update={"redis_url": redis.url}))
    yield opened
    await opened.close()


@asynccontextmanager
async def http_server(settings: Settings) -> AsyncGenerator[str]:
    """The app on a port of its own, for clients that need one."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        async with running(settings.model_copy(update={"port": port})) as app:
            server = uvicorn.Server(uvicorn.Config(app, http="h11", log_level="warning", lifespan="off"))
            serving = asyncio.create_task(server.serve(sockets=[listening]))
            yield f"http://127.0.0.1:{port}"
            server.should_exit = True
            await serving
