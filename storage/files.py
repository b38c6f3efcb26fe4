"""The file store: objects in a local folder or in S3, behind one client. Always streamed, never whole in memory."""

import hashlib
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlparse
from uuid import UUID

import obstore
from obstore.store import LocalStore, ObjectStore, from_url

from storage.errors import NotFound, TooLarge

PART = 1 << 20


def file_key(user_id: UUID, file_id: UUID) -> str:
    """Where a user's file lies in the store."""
    return f"users/{user_id}/files/{file_id}"


@dataclass(frozen=True, slots=True)
class Stored:
    size: int
    sha256: bytes


class FileStore:
    """`url` is `file:///FOLDER` or whatever obstore takes (`s3://BUCKET/PREFIX`, …)."""

    def __init__(self, url: str) -> None:
        parsed = urlparse(url)
        self._folder: Path | None = None
        if parsed.scheme == "file":
            self._folder = Path(unquote(parsed.path))
            self._store: ObjectStore = LocalStore(prefix=self._folder, mkdir=True)
        else:
            self._store = from_url(url)

    async def put(self, key: str, parts: AsyncIterator[bytes], *, limit: int) -> Stored:
        """Stream an object in. Raises TooLarge over `limit` bytes; an upload that fails leaves nothing behind."""
        digest, size = hashlib.sha256(), 0
        writer = obstore.open_writer_async(self._store, key, buffer_size=8 * PART)
        try:
            async with writer:
                async for part in parts:
                    size += len(part)
                    if size > limit:
                        raise TooLarge(
                            f"This file is larger than the {limit // PART} MB that this server takes.",
                            code="file_too_large",
                        )
                    digest.update(part)
                    await writer.write(part)
        except BaseException:
            await self.delete(key)
            raise
        return Stored(size, digest.digest())

    async def size(self, key: str) -> int:
        """Bytes of an object. Raises NotFound."""
        try:
            meta = await obstore.head_async(self._store, key)
        except (FileNotFoundError, obstore.exceptions.NotFoundError) as error:
            raise NotFound("The file is missing from the store.", code="file_missing") from error
        return int(meta["size"])

    async def read(self, key: str, start: int = 0, end: int | None = None) -> AsyncGenerator[bytes]:
        """Bytes start..end (end not included) in parts of at most 1 MB."""
        end = await self.size(key) if end is None else end
        while start < end:
            stop = min(start + PART, end)
            yield bytes(await obstore.get_range_async(self._store, key, start=start, end=stop))
            start = stop

    @asynccontextmanager
    async def as_path(self, key: str) -> AsyncGenerator[Path]:
        """The object as a file on this machine: itself in a local store, else a temporary copy."""
        if self._folder is not None:
            path = self._folder / key
            if not path.is_file():
                raise NotFound("The file is missing from the store.", code="file_missing")
            yield path
            return
        with tempfile.NamedTemporaryFile(prefix="lyceum-") as copy:
            async for part in self.read(key):
                copy.write(part)
            copy.flush()
            yield Path(copy.name)

    async def delete(self, key: str) -> None:
        """Deleting what is not there is no error."""
        try:
            await obstore.delete_async(self._store, key)
        except (FileNotFoundError, obstore.exceptions.NotFoundError):
            return
