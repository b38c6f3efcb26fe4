"""`lyceum serve` as a person starts it."""

import contextlib
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.data import REPOSITORY

START_SECONDS = 180
STOP_SECONDS = 60
LINK = re.compile(r"http://\S+/login\?token=\S+")


@dataclass(frozen=True)
class Serving:
    """The running command: where it listens, the link that it printed, and its process."""

    base: str
    link: str
    process: psutil.Process
    data_dir: Path

    def child(self, command: str) -> psutil.Process:
        """The process of `lyceum COMMAND` that it keeps running."""
        return next(child for child in self.process.children() if child.cmdline()[3:4] == [command])


@contextmanager
def serve(**environment: str) -> Generator[Serving]:
    """`lyceum serve` with a folder and a port of its own; leaves no process behind."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="lyceum-serve-") as folder:
        Path(folder).chmod(0o755)
        log = Path(folder) / "serve.log"
        argv = [
            sys.executable,
            "-m",
            "assistant.cli",
            "serve",
            "--data-dir",
            f"{folder}/data",
            "--port",
            str(port),
        ]
        with log.open("wb") as out:
            env = os.environ | environment
            process = subprocess.Popen(argv, stdout=out, stderr=subprocess.STDOUT, cwd=REPOSITORY, env=env)
        started = psutil.Process(process.pid)
        family: list[psutil.Process] = []
        try:
            link = printed_link(process, log)
            yield Serving(f"http://127.0.0.1:{port}", link, started, Path(folder, "data"))
            family = started.children(recursive=True)
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
            left = psutil.wait_procs(family, timeout=STOP_SECONDS)[1]
            for child in left:
                child.kill()
            process.kill()
        assert not left, f"still running after the end of serve: {left}"
        assert process.returncode == 0


def printed_link(process: subprocess.Popen[bytes], log: Path) -> str:
    """The one-time link, as soon as serve has printed it."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if found := LINK.search(log.read_text()):
            return found.group()
        time.sleep(0.05)
    raise AssertionError(f"serve printed no link:\n{log.read_text()}")
