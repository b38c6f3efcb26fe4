"""Pid files, and the end of server processes that an earlier, killed instance left behind."""

import contextlib
import json
import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path

import psutil
import structlog

_log = structlog.get_logger(__name__)

# psutil computes the create time from the boot time, which moves when the clock is set.
_CREATE_TIME_TOLERANCE = 2.0


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step; only its owner can read it."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def write_pid_file(path: Path, pid: int, program: str, stop_signal: signal.Signals) -> None:
    """Record a running child. Not synced to the disk: it means nothing after a reboot."""
    with contextlib.suppress(psutil.NoSuchProcess):
        created = psutil.Process(pid).create_time()
        record = {"pid": pid, "created": created, "program": program, "stop_signal": int(stop_signal)}
        path.write_text(json.dumps(record), encoding="utf-8")


def is_alive(process: psutil.Process) -> bool:
    """True while the process runs; a zombie that nobody reaps counts as gone."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def find_process(pid: int, command_part: str) -> psutil.Process | None:
    """The live process with this id whose command line contains `command_part`, if there is one."""
    try:
        process = psutil.Process(pid)
        matches = any(command_part in part for part in process.cmdline())
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return None
    return process if matches and is_alive(process) else None


def end_processes(processes: Iterable[tuple[psutil.Process, int]], grace: float = 10.0) -> None:
    """Send each process its stop signal, wait up to `grace` seconds, then kill what is left."""
    alive = [(process, number) for process, number in processes if is_alive(process)]
    for process, number in alive:
        _log.warning("leftover_ended", pid=process.pid, signal=number)
        _signal(process, number)
    if not _wait(alive, grace):
        for process, _number in alive:
            _signal(process, signal.SIGKILL)
        _wait(alive, 5.0)


def end_leftovers(run_dir: Path) -> None:
    """End every process named by a pid file of an earlier instance. The caller holds the instance lock."""
    paths = list(run_dir.glob("*.pid"))
    end_processes(found for path in paths if (found := _read(path)) is not None)
    for path in paths:
        path.unlink(missing_ok=True)


def _read(path: Path) -> tuple[psutil.Process, int] | None:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        pid, created = int(record["pid"]), float(record["created"])
        program, stop_signal = str(record["program"]), int(record["stop_signal"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    process = find_process(pid, program)
    if process is None or abs(process.create_time() - created) > _CREATE_TIME_TOLERANCE:
        return None
    return process, stop_signal


def _signal(process: psutil.Process, number: int) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(number)


def _wait(processes: list[tuple[psutil.Process, int]], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while any(is_alive(process) for process, _number in processes):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
