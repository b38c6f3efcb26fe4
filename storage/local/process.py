"""Child processes that are started in order, watched, restarted with back-off, and never outlive us.

On Linux the kernel ends a child when the thread that started it ends (PR_SET_PDEATHSIG), also after kill -9;
elsewhere, and as a second line, the next start ends what the pid files of the last instance name.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import structlog

from storage.errors import Unavailable
from storage.local.leftovers import write_pid_file

_log = structlog.get_logger(__name__)

_LAUNCHER = Path(__file__).with_name("launch.py")
_FIRST_DELAY = 0.2
_LONGEST_DELAY = 30.0
_HEALTHY_AFTER = 60.0
_READY_POLL = 0.01
_LARGE_LOG = 5_000_000  # bytes


class Owner(NamedTuple):
    """The system account that a child runs as."""

    uid: int
    gid: int


@dataclass(frozen=True)
class ChildSpec:
    """What to run and how to treat it. Times are seconds.

    `argv[0]` is an absolute path. `env` is added to our own environment. `prepare` runs before every start.
    `ready` gets the process id and is asked until it says True; without it, running is ready.
    `memory` limits the private memory of each of its processes, in bytes (Linux); 0 does not.
    `stage` orders the end: the highest stage stops first, the children of one stage stop together.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    user: Owner | None = None
    prepare: Callable[[], None] | None = None
    ready: Callable[[int], Awaitable[bool]] | None = None
    ready_timeout: float = 30.0
    attempts: int = 3
    stop_signal: signal.Signals = signal.SIGTERM
    parent_death_signal: signal.Signals = signal.SIGKILL
    grace: float = 10.0
    memory: int = 0
    stage: int = 1


def launcher_argv(
    argv: Sequence[str], user: Owner | None, parent_death_signal: signal.Signals, memory: int = 0
) -> list[str]:
    """The command line that runs `argv` as `user`, and ends it when the calling thread ends (Linux)."""
    uid, gid = user or (-1, -1)
    numbers = (os.getpid(), int(parent_death_signal), uid, gid, memory)
    return [sys.executable, "-I", "-S", str(_LAUNCHER), *map(str, numbers), *argv]


class Supervisor:
    """Starts children, restarts those that die, and stops them. `on_restart` is told the child's name."""

    def __init__(self, data_dir: Path, *, on_restart: Callable[[str], None] | None = None) -> None:
        self._log_dir = data_dir / "logs"
        self._run_dir = data_dir / "run"
        self._on_restart = on_restart
        self._children: dict[str, _Child] = {}
        for folder in (self._log_dir, self._run_dir):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    async def start(self, spec: ChildSpec) -> None:
        """Start a child and return when it is ready; raises Unavailable when it never is."""
        if spec.name in self._children:
            raise ValueError(f"A child named {spec.name} is already running.")
        child = _Child(
            spec, self._log_dir / f"{spec.name}.log", self._run_dir / f"{spec.name}.pid", self._on_restart
        )
        self._children[spec.name] = child
        try:
            await child.start()
        except BaseException:
            await self.stop_child(spec.name)
            raise

    async def stop_child(self, name: str) -> None:
        """Stop one child for good; an unknown name is no error."""
        if child := self._children.get(name):
            await child.stop()
            self._children.pop(name, None)

    async def stop(self) -> None:
        """Stop all children, the highest stage first. Safe to call twice."""
        for stage in sorted({child.spec.stage for child in self._children.values()}, reverse=True):
            names = [name for name, child in self._children.items() if child.spec.stage == stage]
            await asyncio.gather(*(self.stop_child(name) for name in names))

    def pids(self) -> dict[str, int]:
        """Name and process id of every child that runs now."""
        return {name: child.pid for name, child in self._children.items() if child.pid is not None}


class _Child:
    def __init__(
        self, spec: ChildSpec, log_path: Path, pid_path: Path, on_restart: Callable[[str], None] | None
    ) -> None:
        self.spec = spec
        self._log_path = log_path
        self._pid_path = pid_path
        self._on_restart = on_restart
        self._process: subprocess.Popen[bytes] | None = None
        self._watcher: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process and self._process.returncode is None else None

    async def start(self) -> None:
        started = time.monotonic()
        for attempt in range(1, self.spec.attempts + 1):
            try:
                await self._launch()
                break
            except Unavailable:
                if attempt == self.spec.attempts:
                    raise
                _log.warning("child_start_failed", child=self.spec.name, attempt=attempt)
                await asyncio.sleep(_FIRST_DELAY * attempt)
        _log.info(
            "child_started", child=self.spec.name, pid=self.pid, seconds=round(time.monotonic() - started, 3)
        )
        self._watcher = asyncio.create_task(self._watch(), name=f"watch {self.spec.name}")

    async def stop(self) -> None:
        if self._watcher:
            self._watcher.cancel()
            await asyncio.wait({self._watcher})
            self._watcher = None
        await self._end()
        self._pid_path.unlink(missing_ok=True)

    async def _launch(self) -> None:
        """Spawn the process and wait until it is ready; raises Unavailable and leaves nothing running otherwise."""
        if self.spec.prepare:
            self.spec.prepare()
        process = self._process = self._spawn()
        deadline = time.monotonic() + self.spec.ready_timeout
        while self.spec.ready and not await self.spec.ready(process.pid):
            if _has_exited(process):
                await self._end()
                raise Unavailable(
                    f"{self.spec.name} stopped while starting (exit status {process.returncode}). "
                    f"Its log file {self._log_path} says why.",
                    code="service_not_started",
                )
            if time.monotonic() > deadline:
                await self._end()
                raise Unavailable(
                    f"{self.spec.name} was not ready after {self.spec.ready_timeout:.0f} seconds. "
                    f"Its log file {self._log_path} may say why.",
                    code="service_not_started",
                )
            await asyncio.sleep(_READY_POLL)

    def _spawn(self) -> subprocess.Popen[bytes]:
        spec = self.spec
        with contextlib.suppress(FileNotFoundError):
            if self._log_path.stat().st_size > _LARGE_LOG:
                self._log_path.replace(self._log_path.with_suffix(".log.1"))
        with os.fdopen(
            os.open(self._log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab"
        ) as log_file:
            process = subprocess.Popen(
                launcher_argv(spec.argv, spec.user, spec.parent_death_signal, spec.memory),
                stdin=subprocess.DEVNULL,
                stdout=log_file,
                stderr=subprocess.STDOUT,
                env={**os.environ, **spec.env},
                cwd=spec.cwd,
                start_new_session=True,  # A Ctrl-C in the terminal is for the supervisor, which stops in order.
            )
        write_pid_file(self._pid_path, process.pid, spec.argv[0], spec.stop_signal)
        return process

    async def _watch(self) -> None:
        failures = 0
        ready_since = time.monotonic()
        while self._process:
            await _exited(self._process)
            await self._end()
            if time.monotonic() - ready_since >= _HEALTHY_AFTER:
                failures = 0
            delay = min(_FIRST_DELAY * 2**failures, _LONGEST_DELAY)
            failures += 1
            _log.warning(
                "child_died", child=self.spec.name, status=self._process.returncode, restart_in=delay
            )
            await asyncio.sleep(delay)
            try:
                await self._launch()
            except (Unavailable, OSError) as error:
                _log.error("child_restart_failed", child=self.spec.name, error=str(error))
                continue
            ready_since = time.monotonic()
            _log.info("child_restarted", child=self.spec.name, pid=self.pid)
            if self._on_restart:
                self._on_restart(self.spec.name)

    async def _end(self) -> None:
        """Stop the process if it still runs, end what it left in its process group, and reap it."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        if not _has_exited(process):
            os.kill(process.pid, self.spec.stop_signal)
            try:
                await asyncio.wait_for(_exited(process), self.spec.grace)
            except TimeoutError:
                _log.warning("child_killed", child=self.spec.name, after=self.spec.grace)
        # Before reaping: until then the kernel gives the group's number to nobody else. macOS refuses zombies.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        await _exited(process)
        process.wait()


def _has_exited(process: subprocess.Popen[bytes]) -> bool:
    """True when the process is a zombie or reaped; it is not reaped here."""
    if process.returncode is not None:
        return True
    try:
        return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:  # Reaped by somebody else in this process.
        return True


async def _exited(process: subprocess.Popen[bytes]) -> None:
    """Wait for the end of a child without a thread and without reaping it."""
    if sys.platform == "linux":
        await _exited_by_descriptor(process)
    while not _has_exited(process):  # noqa: ASYNC110 -- no event tells of it on other systems
        await asyncio.sleep(0.1)


async def _exited_by_descriptor(process: subprocess.Popen[bytes]) -> None:
    if _has_exited(process):
        return
    try:
        descriptor = os.pidfd_open(process.pid)
    except OSError:  # A kernel before 5.3, or a sandbox that forbids it: the caller polls.
        return
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(descriptor, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
