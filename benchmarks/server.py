"""`lyceum serve` as a user runs it: a process of its own on a folder and a free port."""

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

START_SECONDS = 120.0
STOP_SECONDS = 30.0
LYCEUM = (sys.executable, "-m", "assistant.cli")


def environment() -> dict[str, str]:
    """Our environment without settings of the developer, with the built-in model and no limits on requests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LYCEUM_")}
    limits = ("USER", "KEY", "ENDPOINT")
    return {**kept, "LYCEUM_MODEL": "builtin", **{f"LYCEUM_RATE_LIMIT_PER_{name}": "0" for name in limits}}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Server:
    """One `lyceum serve`. `data_dir` may be empty or hold the data of an earlier one."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.port = free_port()
        self._process: asyncio.subprocess.Process | None = None
        self._rest: asyncio.Task[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def process(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise RuntimeError("The server is not started.")
        return self._process

    async def start(self) -> float:
        """Seconds from the start of the process until it said that it is ready and /readyz answered 200."""
        began = time.monotonic()
        options = ("serve", "--data-dir", str(self.data_dir), "--port", str(self.port))
        self._process = await asyncio.create_subprocess_exec(
            *LYCEUM,
            *options,
            cwd=self.data_dir.parent,  # a .env of the developer lies in the working directory
            env=environment(),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        output = self._process.stdout or asyncio.StreamReader()
        try:
            async with asyncio.timeout(START_SECONDS):
                while line := await output.readline():
                    if b"is ready" in line:
                        break
                else:
                    raise RuntimeError(f"lyceum serve ended; see {self.data_dir / 'logs'}.")
            async with httpx.AsyncClient() as client:
                (await client.get(f"{self.url}/readyz", timeout=10)).raise_for_status()
        except BaseException:
            await self.stop()
            raise
        self._rest = asyncio.create_task(output.read())
        return time.monotonic() - began

    async def stop(self) -> float:
        """Seconds from Ctrl-C until the process has ended, and all its children with it."""
        began = time.monotonic()
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGINT)
            try:
                await asyncio.wait_for(self.process.wait(), STOP_SECONDS)
            except TimeoutError:
                self.process.kill()
                await self.process.wait()
        if self._rest is not None:
            await self._rest
        return time.monotonic() - began

    async def key(self) -> str:
        """An API key of the owner, from `lyceum key create`."""
        process = await asyncio.create_subprocess_exec(
            *LYCEUM,
            *("key", "create", "benchmarks", "--data-dir", str(self.data_dir)),
            cwd=self.data_dir.parent,
            env=environment(),
            stdout=asyncio.subprocess.PIPE,
        )
        printed, _ = await asyncio.wait_for(process.communicate(), START_SECONDS)
        return printed.decode().strip()

    @asynccontextmanager
    async def client(self) -> AsyncGenerator[httpx.AsyncClient]:
        """An HTTP client that is signed in as the owner."""
        headers = {"Authorization": f"Bearer {await self.key()}"}
        async with httpx.AsyncClient(base_url=self.url, headers=headers, timeout=120) as client:
            yield client
