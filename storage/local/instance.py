"""The file in which a running Lyceum tells other commands where its services are. Light: `lyceum mcp` starts with it."""

import contextlib
import fcntl
import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

FILE, LOCK = Path("run", "instance.json"), Path("lock")
"""Both in the data folder. The lock holds the process that serves, as JSON."""
SERVE = "lyceum serve"
"""The command that runs an API; others start the services alone."""


@dataclass(frozen=True)
class InstanceInfo:
    """Where the services of a running instance are. The URLs carry passwords, so they are not in its repr."""

    pid: int
    data_dir: Path
    database_url: str = field(repr=False)
    owner_database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    vector_url: str = field(repr=False)
    files_url: str
    secret_key: str = field(repr=False)
    api_url: str | None = None
    mcp_socket: str | None = None
    """Where the API takes the connections of `lyceum mcp`; None before it answers, and without an API."""


def as_json(info: InstanceInfo) -> str:
    return json.dumps(asdict(info), indent=2, default=str)


def read_instance(data_dir: Path) -> InstanceInfo | None:
    """The instance that runs on this folder now; None when none does, or when it is not ready yet.

    Older and newer versions of Lyceum may have written the file: what is missing has a default, what is unknown is left.
    """
    if running_command(data_dir) is None:
        return None
    try:
        written = json.loads((data_dir / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    known = {one.name: written[one.name] for one in fields(InstanceInfo) if one.name in written}
    return InstanceInfo(**{**known, "data_dir": Path(known["data_dir"])})


def running_command(data_dir: Path) -> str | None:
    """The command that holds this folder, such as “lyceum serve”; None when the folder is free."""
    try:
        with (data_dir / LOCK).open("rb") as lock:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
                return None
            holder = lock.read(1000)
    except FileNotFoundError:
        return None
    # It is written right after the lock is taken; whoever looks in between reads nothing.
    with contextlib.suppress(ValueError, KeyError, TypeError):
        return str(json.loads(holder)["command"])
    return ""
