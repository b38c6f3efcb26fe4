"""The file store: objects in a local folder or in S3, behind one client. Always streamed, never whole in memory."""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse
from uuid import UUID

import obstore
from obstore.exceptions import BaseError as StoreError
from obstore.store import LocalStore, ObjectStore, S3Store, from_url

from storage.errors import Conflict, LyceumError, NotFound, TooLarge, Unavailable
from storage.local_copies import LocalCopies

MB = 1 << 20
UPLOAD_PART = 8 * MB
"""Of a multipart upload. S3 takes 5 MB to 5 GB, and 10,000 of them."""
UPLOADS_AT_ONCE = 2
READ_PART = 4 * MB
OFF_LOOP = MB // 4
"""Bytes whose hash is left to a thread: a megabyte takes the event loop some milliseconds."""
VERIFIED_KEPT = 10_000
ABORT_SECONDS = 10.0
SILENCE = timedelta(seconds=10)
"""How long a remote store may say nothing before a request is tried again, twice at most."""

USERS = "users/"


def person_prefix(user_id: UUID) -> str:
    """Begins the keys of all files of a user, and of nobody else's."""
    return f"{USERS}{user_id}/"


def file_key(user_id: UUID, file_id: UUID) -> str:
    """Where a user's file lies in the store."""
    return f"{person_prefix(user_id)}files/{file_id}"


def upload_prefix(user_id: UUID, upload_id: UUID) -> str:
    """Begins the keys of the parts of an upload that comes in several requests."""
    return f"{person_prefix(user_id)}uploads/{upload_id}/"


@dataclass(frozen=True, slots=True)
class Stored:
    """What was put in: bytes, and their SHA-256."""

    size: int
    sha256: bytes


@dataclass(frozen=True, slots=True)
class S3Options:
    """What the address of a bucket does not say. None: what the machine's role gives (S3's own defaults)."""

    endpoint: str | None = None
    region: str | None = None
    access_key_id: str | None = None
    secret_access_key: str | None = None
    session_token: str | None = None

    def config(self) -> Any:
        """As obstore takes it. Parts carry their SHA-256, which the server compares."""
        given = {
            "endpoint": self.endpoint,
            "region": self.region,
            "access_key_id": self.access_key_id,
            "secret_access_key": self.secret_access_key,
            "session_token": self.session_token,
        }
        return {"checksum_algorithm": "SHA256"} | {name: value for name, value in given.items() if value}


@dataclass(frozen=True, slots=True)
class Listed:
    """An object as the store lists it."""

    key: str
    size: int
    modified: datetime


class FileStore:
    """`url` is `file:///FOLDER`, `s3://BUCKET/PREFIX` or whatever else obstore takes.

    Every method raises Unavailable `files_unavailable` within seconds when the store does not answer.
    """

    def __init__(
        self,
        url: str,
        copies: LocalCopies,
        s3: S3Options | None = None,
        *,
        silence: timedelta = SILENCE,
    ) -> None:
        parsed = urlparse(url)
        self.url = url
        self.s3 = s3 or S3Options()
        self.folder: Path | None = None
        self._copies = copies
        self._verified: OrderedDict[str, tuple[int, int, bytes]] = OrderedDict()
        if parsed.scheme == "file":
            self.folder = Path(unquote(parsed.path))
            self._store: ObjectStore = LocalStore(prefix=self.folder, mkdir=True)
        elif parsed.scheme in ("s3", "s3a"):
            self._store = S3Store.from_url(
                url, config=self.s3.config(), **patience(silence, self.s3.endpoint)
            )
        else:
            self._store = from_url(url, **patience(silence))

    async def put(self, key: str, parts: AsyncIterator[bytes], *, limit: int) -> Stored:
        """Stream an object in. Raises TooLarge over `limit` bytes; an upload that fails leaves nothing behind."""
        incoming = _Incoming(parts, limit)
        upload = asyncio.ensure_future(
            obstore.put_async(
                self._store,
                key,
                incoming.checked(),
                chunk_size=UPLOAD_PART,
                max_concurrency=UPLOADS_AT_ONCE,
            )
        )
        try:
            with translated():
                await asyncio.shield(upload)
        except asyncio.CancelledError:
            # The upload is told by an error, and not cancelled: only so does it take back the parts that S3 has.
            incoming.break_off()
            await asyncio.wait([upload], timeout=ABORT_SECONDS)
            raise
        if await self.size(key) != incoming.size:
            await self.delete(key)
            raise Unavailable("The file was not stored completely. Send it again.", code="file_not_stored")
        return Stored(incoming.size, incoming.digest.digest())

    async def size(self, key: str) -> int:
        """Bytes of an object. Raises NotFound."""
        with translated():
            meta = await obstore.head_async(self._store, key)
        return int(meta["size"])

    async def check_size(self, key: str, expected: Stored) -> None:
        """Raises Conflict `file_damaged` for an object that was cut short, NotFound for one that is gone."""
        if await self.size(key) != expected.size:
            raise damaged()

    async def read(self, key: str, start: int = 0, end: int | None = None) -> AsyncGenerator[bytes]:
        """Bytes start..end (end not included) in parts of at most 4 MB. Raises NotFound."""
        end = await self.size(key) if end is None else end
        while start < end:
            stop = min(start + READ_PART, end)
            with translated():
                part = await obstore.get_range_async(self._store, key, start=start, end=stop)
            if len(part) != stop - start:
                raise damaged()
            yield bytes(part)
            start = stop

    async def read_whole(self, key: str, expected: Stored) -> AsyncGenerator[bytes]:
        """The whole object, compared with what was put in. The last part comes only when all of it is right, so a client
        of a damaged file is left with less than was announced, never with something else.

        Raises NotFound, or Conflict `file_damaged`.
        """
        await self.check_size(key, expected)
        digest, held = hashlib.sha256(), b""
        async for part in self.read(key, 0, expected.size):
            if held:
                yield held
            await _update(digest, part)
            held = part
        if digest.digest() != expected.sha256:
            raise damaged()
        if held:
            yield held

    @asynccontextmanager
    async def as_path(self, key: str, expected: Stored) -> AsyncGenerator[Path]:
        """The object as a file on this machine, compared with what was put in: itself in a local store, else a copy that
        is kept for the next time. Raises NotFound, or Conflict `file_damaged`."""
        if self.folder is not None:
            path = self.folder / key
            await self._verify(path, key, expected)
            yield path
            return

        async def fetch(path: Path) -> None:
            with path.open("wb") as copy:
                async for part in self.read_whole(key, expected):
                    await asyncio.to_thread(copy.write, part)

        async with self._copies.hold(expected.sha256.hex(), expected.size, fetch) as path:
            yield path

    async def _verify(self, path: Path, key: str, expected: Stored) -> None:
        """Hash a local object, once as long as its size and time stay the same."""
        try:
            found = await asyncio.to_thread(path.stat)
            seen = (found.st_mtime_ns, found.st_size, expected.sha256)
            if self._verified.get(key) == seen:
                return
            if found.st_size != expected.size or await asyncio.to_thread(_sha256, path) != expected.sha256:
                raise damaged()
        except FileNotFoundError as error:
            raise missing() from error
        self._verified[key] = seen
        if len(self._verified) > VERIFIED_KEPT:
            self._verified.popitem(last=False)

    async def delete(self, key: str) -> None:
        """Deleting what is not there is no error."""
        try:
            with translated():
                await obstore.delete_async(self._store, key)
        except NotFound:
            return

    async def list(self, prefix: str = USERS) -> AsyncGenerator[list[Listed]]:
        """All objects whose key begins so, in lists of a thousand; `prefix` ends in `/`."""
        stream = obstore.list(self._store, prefix=prefix.rstrip("/"), chunk_size=1000)
        with translated():
            async for chunk in stream:
                yield [Listed(o["path"], o["size"], o["last_modified"]) for o in chunk]

    async def keys(self, prefix: str) -> AsyncGenerator[str]:
        """Keys of all objects that begin so; `prefix` ends in `/`."""
        async for chunk in self.list(prefix):
            for found in chunk:
                yield found.key

    async def remove_folder(self, prefix: str) -> None:
        """Remove what a local store leaves of a prefix without objects: folders. S3 has none."""
        if self.folder is not None:
            await asyncio.to_thread(_remove_empty, self.folder / prefix)

    def close(self) -> None:
        """Remove the local copies."""
        self._copies.close()


class _Incoming:
    """The bytes of an upload on their way, counted and hashed."""

    def __init__(self, parts: AsyncIterator[bytes], limit: int) -> None:
        self._parts = parts
        self._limit = limit
        self._broken = asyncio.Event()
        self.size = 0
        self.digest = hashlib.sha256()

    def break_off(self) -> None:
        self._broken.set()

    async def checked(self) -> AsyncGenerator[bytes]:
        """Raises TooLarge over the limit, ConnectionError once the upload is broken off."""
        broken = asyncio.ensure_future(self._broken.wait())
        try:
            while True:
                step = asyncio.ensure_future(anext(self._parts, None))
                await asyncio.wait([step, broken], return_when=asyncio.FIRST_COMPLETED)
                if not step.done():
                    step.cancel()
                    raise ConnectionError("The upload was broken off.")
                part = step.result()
                if part is None:
                    return
                self.size += len(part)
                if self.size > self._limit:
                    raise too_large(self._limit)
                await _update(self.digest, part)
                yield part
        finally:
            broken.cancel()


def too_large(limit: int) -> TooLarge:
    """What to raise for a file of more than `limit` bytes."""
    return TooLarge(
        f"This file is larger than the {limit // MB} MB that this server takes.", code="file_too_large"
    )


def patience(silence: timedelta, endpoint: str | None = None) -> dict[str, Any]:
    """How long a request to a remote store may take. Each moves a few megabytes at most."""
    return {
        "client_options": {
            "connect_timeout": timedelta(seconds=5),
            "read_timeout": silence,
            "timeout": timedelta(seconds=60),
            "allow_http": bool(endpoint and endpoint.startswith("http://")),
        },
        "retry_config": {"max_retries": 2, "retry_timeout": timedelta(seconds=15)},
    }


def missing() -> NotFound:
    return NotFound("The file is missing from the store.", code="file_missing")


def damaged() -> Conflict:
    return Conflict(
        "The stored file is not what was uploaded: it was altered or cut short. Upload it again.",
        code="file_damaged",
    )


@contextmanager
def translated() -> Generator[None]:
    """Errors of the store as ours; our own pass through."""
    try:
        yield
    except LyceumError:
        raise
    except FileNotFoundError as error:
        raise missing() from error
    except StoreError as error:
        raise Unavailable(
            "The file store does not answer. Try again in a moment.", code="files_unavailable"
        ) from error


async def _update(digest: "hashlib._Hash", part: bytes) -> None:
    if len(part) < OFF_LOOP:
        digest.update(part)
    else:
        await asyncio.to_thread(digest.update, part)


def _remove_empty(folder: Path) -> None:
    """A folder and those below it; one with a file in it stays."""
    for path in sorted((p for p in folder.rglob("*") if p.is_dir()), reverse=True):
        with suppress(OSError):
            path.rmdir()
    with suppress(OSError):
        folder.rmdir()


def _sha256(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
