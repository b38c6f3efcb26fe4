"""Folders of the laptop mode: who may enter them, and where a socket's path is short enough."""

import hashlib
import os
import shutil
import stat
import tempfile
from importlib.util import find_spec
from pathlib import Path

import structlog

from storage.errors import Unavailable
from storage.local.process import Owner

_log = structlog.get_logger(__name__)

# sockaddr_un.sun_path holds 108 bytes on Linux and 104 on macOS, with the closing zero.
_LONGEST_SOCKET_PATH = 100
_LONGEST_SOCKET_NAME = "pg/.s.PGSQL.5432.lock"


def package_dir(package: str) -> Path:
    """Folder of an installed package, found without importing it."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise Unavailable(
            f"The Python package {package} is not installed completely.", code="service_not_installed"
        )
    return Path(spec.submodule_search_locations[0])


def socket_root(data_dir: Path) -> Path:
    """Make a private folder for sockets: DATA_DIR/run, or one in the temporary folder if that path is too long."""
    folder = _socket_root(data_dir)
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o022:
        raise Unavailable(f"The folder {folder} is open to other users, so no socket is put there.")
    return folder


def remove_socket_root(data_dir: Path) -> None:
    """Remove the folder in the temporary folder, if there is one. The servers have stopped."""
    folder = _socket_root(data_dir)
    if folder != data_dir / "run":
        shutil.rmtree(folder, ignore_errors=True)


def _socket_root(data_dir: Path) -> Path:
    name = f"lyceum-{os.getuid()}-{hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]}"
    folders = (data_dir / "run", Path(tempfile.gettempdir()) / name)
    short = (
        path for path in folders if len(os.fsencode(path / _LONGEST_SOCKET_NAME)) <= _LONGEST_SOCKET_PATH
    )
    return next(short, Path("/tmp") / name)


def admit(folder: Path, owner: Owner) -> None:
    """Let the account of a server, and nobody else, pass through (not list) a private folder of root."""
    if not _passes(folder, owner):
        os.chown(folder, -1, owner.gid)
        folder.chmod(0o710)


def open_prefix(path: Path, owner: Owner) -> None:
    """Let the account pass through (not list) the folders above `path`; only root needs and can do this."""
    for folder in path.parents:
        if not _passes(folder, owner):
            _log.warning("folder_opened_for_passage", folder=str(folder))
            folder.chmod(folder.stat().st_mode | stat.S_IXOTH)


def _passes(folder: Path, owner: Owner) -> bool:
    status = folder.stat()
    if status.st_uid == owner.uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == owner.gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)


def open_programs(folder: Path) -> None:
    """Make installed programs readable for every account, which an installation under umask 077 does not do."""
    if folder.stat().st_mode & stat.S_IROTH:
        return
    for path in (folder, *folder.rglob("*")):
        mode = path.stat().st_mode
        wanted = stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0)
        if mode & wanted != wanted:
            path.chmod(mode | wanted)
