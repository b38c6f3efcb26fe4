"""Moves 120 MB into or out of a file store and prints how many bytes it moved and by how many its memory grew."""

import asyncio
import hashlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory

from storage.files import MB, FileStore, S3Options, Stored
from storage.local_copies import LocalCopies

KEY = "users/a/files/b"


def peak() -> int:
    """The most memory that this process ever had, in bytes."""
    line = next(
        line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")
    )
    return int(line.split()[1]) << 10


async def zeros(megabytes: int) -> AsyncIterator[bytes]:
    for _ in range(megabytes):
        yield bytes(MB)


async def main(way: str, url: str, endpoint: str) -> None:
    options = S3Options(endpoint, "us-east-1", "key", "secret") if endpoint else None
    with TemporaryDirectory() as folder:
        files = FileStore(url, LocalCopies(Path(folder), MB), options)
        await files.put("users/a/files/warm", zeros(1), limit=MB)
        before, moved = peak(), 0
        if way == "up":
            moved = (await files.put(KEY, zeros(120), limit=120 * MB)).size
        else:
            digest = hashlib.sha256()
            for _ in range(120):
                digest.update(bytes(MB))
            async for part in files.read_whole(KEY, Stored(120 * MB, digest.digest())):
                moved += len(part)
    sys.stdout.write(f"{moved} {peak() - before}\n")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
