"""A real S3 endpoint on this machine: moto's server, as a process out of an environment of its own.

Its dependencies and ours do not go together (botocore needs python-dateutil 2, Chroma's Kubernetes client 3), so it is
installed apart, into `.venv/s3` (`make test` does it).
"""

import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from storage.files import S3Options

PROGRAM = Path(sys.prefix) / "s3" / "bin" / "moto_server"
BUCKET = "lyceum"
START_SECONDS = 120.0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def s3_server() -> Generator[S3Options]:
    """The options of a server that has the one bucket `lyceum`. Skips the test when moto is not installed."""
    if not PROGRAM.exists():
        pytest.skip("moto's server is missing: `make .venv/.s3` installs it")
    port = free_port()
    command = [str(PROGRAM), "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    endpoint = f"http://127.0.0.1:{port}"
    try:
        make_bucket(endpoint)
        yield S3Options(endpoint, "us-east-1", "key", "secret")
    finally:
        process.kill()
        process.wait()


def make_bucket(endpoint: str) -> None:
    """Make the bucket as soon as the server answers."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            httpx.put(f"{endpoint}/{BUCKET}", trust_env=False).raise_for_status()
        except httpx.TransportError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return
