"""A file that arrives in several requests: the state behind the tus protocol.

What has arrived lies in the file store as parts of some megabytes, and the row says how many count, so an upload goes on
where it stopped after any interruption. Only when all parts are joined into a file does the row say that all has arrived.
The newest request owns the upload: one that a client has given up, but that the server still listens to, can no longer
write. Parts are written and noted under a lock of the row, held for one part at a time and never while waiting for a client.
"""

import hashlib
import hmac
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from storage.errors import Conflict, InvalidInput, NotFound, RateLimited
from storage.files import MB, UPLOAD_PART, file_key, too_large, upload_prefix
from storage.models import Upload
from storage.repositories import Repositories
from storage.repositories.uploads import no_such_upload
from storage.resources import Storage
from tools.context import Principal
from tools.door import Door, refuse
from tools.ingest.sniff import HEAD_BYTES
from tools.intake import file_row, once, plain_name
from tools.quota import check_room

KEEP = timedelta(days=3)
"""Without news an unfinished upload is thrown away after this long, and what became of a finished one forgotten."""
SMALL_PART = 256 << 10
"""A part below this size is joined with the next, so that a client who sends crumbs does not leave a million objects."""
MOST_OPEN = 100
ALGORITHMS = ("sha1", "sha256")


class BrokenOff(Exception):
    """The client left before it had sent all that it announced."""


@dataclass(frozen=True, slots=True)
class Checksum:
    """Of the bytes of one request. `algorithm`: one of ALGORITHMS."""

    algorithm: str
    digest: bytes


@dataclass(slots=True)
class _Sending:
    """One request that sends bytes. `parts` and `received` run ahead of the row where nothing may count yet."""

    claim: str
    size: int | None
    parts: list[int]
    received: int
    noted: bool
    """Whether each part counts as soon as it is stored."""
    buffer: bytearray = field(default_factory=bytearray)

    def complete(self) -> bool:
        return self.size is not None and self.received + len(self.buffer) >= self.size


class ResumableUploads:
    """Those of one user. Others' do not exist."""

    def __init__(self, storage: Storage, principal: Principal) -> None:
        self._storage = storage
        self._user = principal.user_id
        self._limit = storage.settings.max_upload_mb * MB

    async def create(self, filename: str, size: int | None, details: Mapping[str, Any]) -> Upload:
        """Raises TooLarge (file_too_large, quota_exceeded), InvalidInput empty_file, RateLimited too_many_uploads."""
        if size is not None:
            self._check_size(size)
        async with self._storage.as_user(self._user) as db:
            if await db.uploads.open_count() >= MOST_OPEN:
                raise RateLimited(
                    f"{MOST_OPEN} uploads are unfinished. Finish or cancel some of them first.",
                    code="too_many_uploads",
                )
            check_room(await db.uploads.usage(), size or 1, self._storage.settings.quota_mb)
            row = Upload(
                id=self._storage.clock.new_id(),
                user_id=self._user,
                filename=plain_name(filename),
                size_bytes=size,
                received_bytes=0,
                parts=[],
                details=dict(details),
                expires_at=self._storage.clock.now() + KEEP,
            )
            await db.uploads.add(row)
        return row

    async def get(self, upload_id: UUID) -> Upload:
        """Raises NotFound: upload_not_found, upload_expired."""
        async with self._storage.as_user(self._user, read_only=True) as db:
            row = await db.uploads.get(upload_id)
        if row is None:
            raise no_such_upload()
        self._check_open(row)
        return row

    async def remove(self, upload_id: UUID) -> None:
        """Throw it away with its parts; a file that it has become stays. Raises NotFound."""
        async with self._storage.as_user(self._user) as db:
            await db.uploads.locked(upload_id)
            await db.uploads.remove(upload_id)
        await self._remove_parts(upload_id)

    async def note_outcome(self, upload_id: UUID, outcome: Mapping[str, Any]) -> None:
        """Add to what became of a finished upload."""
        async with self._storage.as_user(self._user) as db:
            row = await db.uploads.locked(upload_id)
            row.outcome = {**(row.outcome or {}), **outcome}

    async def take(
        self,
        upload_id: UUID,
        offset: int,
        stream: AsyncIterator[bytes],
        *,
        size: int | None = None,
        checksum: Checksum | None = None,
    ) -> Upload:
        """Store what a request sends from `offset` on; with the last byte the upload becomes a file. `size`: of the whole,
        where it was not said before.

        A stream that ends with BrokenOff leaves what came before it, unless it has a checksum: then nothing.
        Raises NotFound, Conflict (wrong_offset, upload_busy), InvalidInput (checksum_mismatch, empty_file, …), TooLarge.
        """
        sending = await self._claim(upload_id, offset, size, noted=checksum is None)
        digest = hashlib.new(checksum.algorithm, usedforsecurity=False) if checksum else None
        try:
            async for chunk in stream:
                sending.buffer += chunk
                if digest is not None:
                    digest.update(chunk)
                self._check_length(sending)
                while len(sending.buffer) > UPLOAD_PART:
                    await self._store(upload_id, sending, UPLOAD_PART)
        except BrokenOff:
            if sending.noted and sending.buffer and not sending.complete():
                await self._store(upload_id, sending, len(sending.buffer))
            raise
        if (
            checksum is not None
            and digest is not None
            and not hmac.compare_digest(digest.digest(), checksum.digest)
        ):
            raise InvalidInput(
                "What arrived is not what was sent: the checksum differs. Send this part again.",
                code="checksum_mismatch",
            )
        return await self._end(upload_id, sending)

    async def _claim(self, upload_id: UUID, offset: int, size: int | None, *, noted: bool) -> _Sending:
        """From here on no earlier request can write to this upload."""
        if size is not None:
            self._check_size(size)
        async with self._storage.as_user(self._user) as db:
            row = await db.uploads.locked(upload_id)
            self._check_open(row)
            if row.received_bytes != offset:
                raise Conflict(
                    f"This upload goes on at byte {row.received_bytes}, not at {offset}.", code="wrong_offset"
                )
            if size is not None and row.size_bytes not in (None, size):
                raise InvalidInput("The length of this upload is known and different.", code="wrong_length")
            if size is not None and size < offset:
                raise InvalidInput("More than this length has arrived already.", code="wrong_length")
            claim = uuid4().hex
            row.details = {**row.details, "claim": claim}
            row.expires_at = self._storage.clock.now() + KEEP
            known = row.size_bytes if size is None else size
            return _Sending(claim, known, list(row.parts), row.received_bytes, noted)

    async def _locked(self, db: Repositories, upload_id: UUID, sending: _Sending) -> Upload:
        row = await db.uploads.locked(upload_id)
        if row.details.get("claim") != sending.claim:
            raise Conflict("A newer request goes on with this upload.", code="upload_busy")
        return row

    async def _store(self, upload_id: UUID, sending: _Sending, length: int) -> None:
        """Put the first bytes of the buffer into the store as the next part, or behind a last part that is small."""
        data = bytes(sending.buffer[:length])
        if not sending.received:
            await self._refuse(upload_id, data[:HEAD_BYTES], all_there=sending.size == len(data))
        async with self._storage.as_user(self._user) as db:
            row = await self._locked(db, upload_id, sending)
            parts = list(sending.parts)
            if parts and parts[-1] < SMALL_PART:
                # What is there stays as it is: should this be the last that happens, the row's length still holds.
                before = b"".join([piece async for piece in self._part(upload_id, parts, len(parts) - 1)])
                parts[-1] += length
                data = before + data
            else:
                parts.append(length)
            key = f"{upload_prefix(self._user, upload_id)}{len(parts) - 1}"
            await self._storage.files.put(key, once(data), limit=len(data))
            usage = await db.uploads.usage(alone=True)
            ahead = sending.received - row.received_bytes
            check_room(usage, ahead + length, self._storage.settings.quota_mb)
            sending.parts, sending.received = parts, sending.received + length
            if sending.noted:
                _note(row, sending)
        del sending.buffer[:length]

    async def _end(self, upload_id: UUID, sending: _Sending) -> Upload:
        """The request is over: what it sent counts now; the last one makes the file."""
        complete = sending.complete()
        if sending.buffer:
            sending.noted = sending.noted and not complete
            await self._store(upload_id, sending, len(sending.buffer))
        if complete:
            return await self._finish(upload_id, sending)
        async with self._storage.as_user(self._user) as db:
            row = await self._locked(db, upload_id, sending)
            _note(row, sending)
            row.expires_at = self._storage.clock.now() + KEEP
        return row

    async def _finish(self, upload_id: UUID, sending: _Sending) -> Upload:
        """Join the parts into a file. Until that stands the upload lacks its last part, whatever happens here."""
        row = await self.get(upload_id)
        if row.outcome:
            return row
        door, file_id = Door(row.filename), self._storage.clock.new_id()
        key = file_key(self._user, file_id)
        try:
            joined = door.watched(self._joined(upload_id, sending.parts))
            stored = await self._storage.files.put(key, joined, limit=sending.received)
        except InvalidInput:
            await self.remove(upload_id)
            raise
        try:
            async with self._storage.as_user(self._user) as db:
                row = await self._locked(db, upload_id, sending)
                await db.materials.add_file(file_row(self._user, file_id, row.filename, stored, door))
                _note(row, sending)
                row.outcome = {"file_id": str(file_id)}
        except BaseException:
            await self._storage.files.delete(key)
            raise
        await self._remove_parts(upload_id)
        return row

    async def _joined(self, upload_id: UUID, parts: list[int]) -> AsyncGenerator[bytes]:
        for number in range(len(parts)):
            async for piece in self._part(upload_id, parts, number):
                yield piece

    def _part(self, upload_id: UUID, parts: list[int], number: int) -> AsyncGenerator[bytes]:
        """Of the object only what counts: a request that was cut short may have written more."""
        return self._storage.files.read(f"{upload_prefix(self._user, upload_id)}{number}", 0, parts[number])

    async def _refuse(self, upload_id: UUID, head: bytes, *, all_there: bool) -> None:
        """What can never be read goes at once, parts and all."""
        if len(head) < HEAD_BYTES and not all_there:
            return
        try:
            refuse(head)
        except InvalidInput:
            await self.remove(upload_id)
            raise

    async def _remove_parts(self, upload_id: UUID) -> None:
        prefix = upload_prefix(self._user, upload_id)
        async for key in self._storage.files.keys(prefix):
            await self._storage.files.delete(key)
        await self._storage.files.remove_folder(prefix)

    def _check_open(self, row: Upload) -> None:
        if row.expires_at <= self._storage.clock.now():
            raise NotFound(
                "This upload was left unfinished for too long and is gone. Begin it again.",
                code="upload_expired",
            )

    def _check_size(self, size: int) -> None:
        if size == 0:
            raise InvalidInput("This file is empty.", code="empty_file")
        if size > self._limit:
            raise too_large(self._limit)

    def _check_length(self, sending: _Sending) -> None:
        arrived = sending.received + len(sending.buffer)
        if sending.size is not None and arrived > sending.size:
            raise InvalidInput("More was sent than the length of this upload.", code="wrong_length")
        if arrived > self._limit:
            raise too_large(self._limit)


def _note(row: Upload, sending: _Sending) -> None:
    """What the request stored counts from now on."""
    row.size_bytes, row.parts, row.received_bytes = sending.size, sending.parts, sending.received
