"""Copies of remote objects on this machine's disk, bounded in size: who reads a book page by page fetches it once."""

import asyncio
import fcntl
import os
import shutil
import tempfile
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

Fetch = Callable[[Path], Awaitable[None]]
"""Writes the object to a path."""

LOCK = "lock"


@dataclass
class _Copy:
    size: int
    readers: int = 0
    one_fetch: asyncio.Lock = field(default_factory=asyncio.Lock)
    there: bool = False


class LocalCopies:
    """A folder of this process inside `parent`, made when the first copy is; what killed processes left goes then too.

    Copies that nobody reads are dropped, the longest unused first, while all of them hold more than `limit` bytes.
    """

    def __init__(self, parent: Path, limit: int) -> None:
        self._parent = parent
        self._limit = limit
        self._folder: Path | None = None
        self._lock: int | None = None
        self._copies: OrderedDict[str, _Copy] = OrderedDict()

    @asynccontextmanager
    async def hold(self, name: str, size: int, fetch: Fetch) -> AsyncGenerator[Path]:
        """The copy called `name`, fetched when it is not there; it stays at least until the block ends."""
        if self._folder is None:
            self._folder = self._open()
        path = self._folder / name
        copy = self._copies.setdefault(name, _Copy(size))
        self._copies.move_to_end(name)
        copy.readers += 1
        try:
            async with copy.one_fetch:
                if not copy.there:
                    self._make_room()
                    await fetch(path)
                    copy.there = True
            yield path
        finally:
            copy.readers -= 1
            if not copy.there and not copy.readers:
                self._drop(name)
            self._make_room()

    def _make_room(self) -> None:
        held = sum(copy.size for copy in self._copies.values())
        for name in [name for name, copy in self._copies.items() if not copy.readers]:
            if held <= self._limit:
                return
            held -= self._copies[name].size
            self._drop(name)

    def _drop(self, name: str) -> None:
        del self._copies[name]
        if self._folder is not None:
            (self._folder / name).unlink(missing_ok=True)

    def _open(self) -> Path:
        self._parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in self._parent.iterdir():
            _remove_if_left(left)
        folder = Path(tempfile.mkdtemp(prefix="copies-", dir=self._parent))
        self._lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        return folder

    def close(self) -> None:
        """Remove the folder."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
        self._folder = self._lock = None
        self._copies.clear()


def _remove_if_left(folder: Path) -> None:
    """Remove a folder whose process is gone: the kernel let go of its lock."""
    with suppress(OSError):
        lock = os.open(folder / LOCK, os.O_RDWR)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(lock)
