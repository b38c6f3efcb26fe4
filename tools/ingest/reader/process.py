"""A reader child as its worker holds it: started without secrets, watched, and killed when it takes too much."""

import asyncio
import os
import shutil
import signal
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any, cast

import psutil
import structlog

from storage.errors import Unavailable
from tools.ingest.reader import wire

log = structlog.get_logger()

CHILD = "tools.ingest.reader.child"
WATCH_SECONDS = 0.1
START_SECONDS = 60.0
CLOSE_SECONDS = 2.0
REAP_SECONDS = 5.0
LOG = "errors.log"
LAST_BYTES = 2000
"""Of what it wrote to standard error: goes into our log when it crashes."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a child may take. Memory in bytes, times in seconds of the wall clock."""

    memory: int = 480 << 20
    """Resident; more kills it. Whisper base needs 430 MB, text recognition 320."""
    allocated: int = 1 << 30
    """Private memory, also reserved: an allocation beyond it fails."""
    kept: int = 200 << 20
    """A child that holds more after a file makes room for a new one."""
    opening: float = 120
    page: float = 120
    """A page, slide or section. Text recognition of a page takes some seconds on a busy machine."""
    minute: float = 300
    """A minute of a recording; the first one loads the speech model."""
    idle: float = 30
    nicer: int = 5
    """Than the worker, which is nicer than the API."""


class ReaderDied(Exception):
    """A child ended before it had answered. `reason` is crashed, stalled, memory, error or malformed."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.ordinal: int | None = None
        """What it was reading; None while it opened the file."""


class ChildProcess:
    """One child. `worked` once it has read something: then what it read before may have a part in its death."""

    def __init__(self, process: asyncio.subprocess.Process, folder: Path, limits: Limits) -> None:
        self._process = process
        self._commands = cast(asyncio.StreamWriter, process.stdin)
        self._answers = cast(asyncio.StreamReader, process.stdout)
        self._folder = folder
        self._limits = limits
        self._deadline = inf
        self._killed: str | None = None
        self._watcher = asyncio.create_task(self._watch())
        self.worked = False

    @classmethod
    async def start(cls, module: str, limits: Limits) -> "ChildProcess":
        """In a process group of its own, with an environment that holds no setting of ours, and a folder of its own.

        Raises Unavailable when it does not come up.
        """
        folder = Path(tempfile.mkdtemp(prefix="lyceum-reader-"))
        numbers = (os.getpid(), limits.nicer, limits.allocated)
        with (folder / LOG).open("wb") as errors:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", module, *map(str, numbers)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                limit=wire.LONGEST_LINE,
                env=environment(folder),
                cwd=folder,
                start_new_session=True,
            )
        child = cls(process, folder, limits)
        try:
            await child.hear(START_SECONDS)
        except ReaderDied as died:
            log.error("reader_not_started", why=str(died))
            raise Unavailable(
                "The program that reads files could not be started.", code="reader_unavailable"
            ) from died
        except BaseException:
            child.kill()
            raise
        return child

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process.returncode is None and self._killed is None

    def resident(self) -> int:
        """Bytes it holds in memory; 0 when it has ended."""
        try:
            return int(psutil.Process(self.pid).memory_info().rss)
        except psutil.Error:
            return 0

    def say(self, kind: str, content: Any = None) -> None:
        """Send a command. Commands are small, so the pipe takes them."""
        with suppress(ConnectionError):  # its death is noticed by whoever waits for the answer
            self._commands.write(wire.line(kind, content))

    async def hear(self, seconds: float) -> tuple[str, Any]:
        """The next answer, which has to come within so many seconds. Raises ReaderDied."""
        self._deadline = time.monotonic() + seconds
        try:
            message = await self._answers.readline()
            if message.endswith(b"\n"):
                kind, content = wire.parsed(message)
                if kind != "broken":
                    return kind, content
                raise self._died("error", str(content)[: wire.TRACE_CHARS])
        except (ValueError, wire.Malformed) as error:  # ValueError: longer than any line may be
            raise self._died("malformed", str(error)) from error
        finally:
            self._deadline = inf
        raise await self._ended()

    async def picture(self, size: int, seconds: float) -> bytes:
        """The bytes behind the line of a figure. Raises ReaderDied."""
        self._deadline = time.monotonic() + seconds
        try:
            return await self._answers.readexactly(size)
        except asyncio.IncompleteReadError as error:
            raise await self._ended() from error
        finally:
            self._deadline = inf

    def malformed(self, error: wire.Malformed) -> ReaderDied:
        """What to raise for an answer that was not believed; the child is killed."""
        return self._died("malformed", str(error))

    def _died(self, reason: str, detail: str) -> ReaderDied:
        self.kill(reason)
        return ReaderDied(self._killed or reason, detail)

    async def _ended(self) -> ReaderDied:
        """Its output has ended, so it has too, or will within a moment."""
        await self._gone()
        said = self._last_words()
        self.kill("crashed")
        return ReaderDied(self._killed or "crashed", f"exit status {self._process.returncode} {said}".strip())

    def _last_words(self) -> str:
        with suppress(OSError), (self._folder / LOG).open("rb") as errors:
            errors.seek(-min(LAST_BYTES, errors.seek(0, os.SEEK_END)), os.SEEK_END)
            return errors.read().decode(errors="replace").strip()
        return ""

    async def close_document(self) -> bool:
        """Make it ready for another file. False when it does not answer, or holds too much memory by now."""
        self.say("close")
        try:
            while (await self.hear(CLOSE_SECONDS))[0] != "closed":
                pass
        except ReaderDied:
            return False
        return self.resident() <= self._limits.kept

    def kill(self, reason: str = "not wanted") -> None:
        """End it and all that it started, at once. Safe to repeat."""
        if self._killed is not None:
            return
        self._killed = reason
        self._watcher.cancel()
        if self._process.returncode is None:
            with suppress(ProcessLookupError, PermissionError):  # macOS refuses zombies
                os.killpg(self.pid, signal.SIGKILL)
        self._commands.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    async def end(self) -> None:
        """Kill it, and wait until it is gone."""
        self.kill()
        await self._gone()

    async def _gone(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), REAP_SECONDS)

    async def _watch(self) -> None:
        """Kill it when it holds too much, or owes an answer for too long."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            if self.resident() > self._limits.memory:
                self.kill("memory")
            elif time.monotonic() > self._deadline:
                self.kill("stalled")


def environment(folder: Path) -> dict[str, str]:
    """All that the child gets to see: where its modules are, and a folder to write in."""
    return {
        "PATH": os.defpath,
        "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry),
        "HOME": str(Path.home()),
        "TMPDIR": str(folder),
        "LANG": "C.UTF-8",
        "OPENBLAS_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "1",  # glibc keeps 64 MB of address space a thread otherwise, and gives little back
        "KMP_BLOCKTIME": "0",  # else threads of the speech model spin for 200 ms after each step, beside the API
    }
