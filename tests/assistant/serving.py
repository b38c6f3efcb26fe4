"""The real app for tests: in this process, or in one of its own behind uvicorn."""

import asyncio
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import httpx
from fastapi import FastAPI

from assistant.app import create_app
from storage.clock import Clock, SystemClock
from storage.settings import Settings
from tests.waiting import until

BASE = "http://127.0.0.1:8000"


class MovableClock(SystemClock):
    """The real time, and a way to let some pass."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead


@asynccontextmanager
async def running(settings: Settings, clock: Clock | None = None, **changes: Any) -> AsyncGenerator[FastAPI]:
    """The app with its lifespan, which needs one task from beginning to end."""
    app = create_app(settings.model_copy(update=changes), clock)
    started, stop = asyncio.Event(), asyncio.Event()

    async def live() -> None:
        async with app.router.lifespan_context(app):
            started.set()
            await stop.wait()

    task = asyncio.create_task(live())
    await asyncio.wait([task, asyncio.create_task(started.wait())], return_when=asyncio.FIRST_COMPLETED)
    try:
        yield app
    finally:
        stop.set()
        await task


def client_of(app: FastAPI, **options: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE, **options)


@asynccontextmanager
async def server_process(settings: Settings) -> AsyncGenerator[tuple[str, int]]:
    """The app behind uvicorn in a process of its own: (base URL, process id). Fails with what the process wrote when it does not
    answer."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    given = settings.model_dump(mode="json", exclude_none=True) | {"port": port}
    secret = settings.secret_key.get_secret_value() if settings.secret_key else ""
    env = {f"LYCEUM_{name.upper()}": str(value) for name, value in given.items()}
    base = f"http://127.0.0.1:{port}"
    with NamedTemporaryFile("w+", prefix="lyceum-server-", suffix=".log") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.assistant.serve_entry", env={**env, "LYCEUM_SECRET_KEY": secret},
            stdout=output, stderr=output,
        )  # fmt: skip
        try:
            await until_healthy(process, base, Path(output.name))
            yield base, process.pid
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def until_healthy(process: Process, base: str, output: Path) -> None:
    """Raises AssertionError with what the server wrote."""
    async with httpx.AsyncClient(trust_env=False) as client:

        async def is_healthy() -> bool:
            assert process.returncode is None, "the server ended"
            with suppress(httpx.TransportError):
                return (await client.get(f"{base}/healthz")).status_code == 200
            return False

        try:
            await until(is_healthy, f"{base}/healthz")
        except AssertionError as error:
            written = await asyncio.to_thread(output.read_text)
            raise AssertionError(f"{error}\nThe server wrote:\n{written}") from error
