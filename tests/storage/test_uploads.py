"""Uploads in several requests, the same in a folder and in S3."""

import hashlib
import random
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from storage.errors import LyceumError, NotFound
from storage.files import UPLOAD_PART, Stored, upload_prefix
from storage.garbage import collect_garbage
from storage.life.erase import Erasure
from storage.resources import Storage
from tests.storage.test_files_garbage import keys_of, tomorrow
from tools.context import Principal
from tools.intake import once, uploaded_file
from tools.resumable import BrokenOff, Checksum, ResumableUploads

MB = 1 << 20


def book(size: int) -> bytes:
    return b"%PDF-1.7\n" + random.Random(size).randbytes(size - 9)


async def broken_off(data: bytes) -> AsyncIterator[bytes]:
    yield data
    raise BrokenOff


async def test_parts_become_one_file_and_go(filed: Storage, student: Principal) -> None:
    data, uploads = book(2 * UPLOAD_PART + 3 * MB), ResumableUploads(filed, student)
    row = await uploads.create("book.pdf", len(data), {})
    with pytest.raises(BrokenOff):
        await uploads.take(row.id, 0, broken_off(data[: 9 * MB]))
    row = await uploads.get(row.id)
    assert (row.received_bytes, row.parts) == (9 * MB, [UPLOAD_PART, MB])
    assert len(await keys_of(filed.files)) == 2
    row = await uploads.take(row.id, 9 * MB, once(data[9 * MB :]))
    [key] = await keys_of(filed.files)
    async with filed.as_user(student.user_id, read_only=True) as db:
        file = await uploaded_file(db, row.id)
    assert file is not None
    assert (file.object_key, file.size_bytes, file.media_type) == (key, len(data), "application/pdf")
    assert file.sha256 == hashlib.sha256(data).digest()
    stored = Stored(len(data), file.sha256)
    assert b"".join([part async for part in filed.files.read_whole(key, stored)]) == data


async def test_a_request_with_a_checksum_that_breaks_off_leaves_nothing_that_counts(
    filed: Storage, student: Principal
) -> None:
    data, uploads = book(10 * MB), ResumableUploads(filed, student)
    row = await uploads.create("book.pdf", len(data), {})
    checksum = Checksum("sha256", hashlib.sha256(data).digest())
    with pytest.raises(BrokenOff):
        await uploads.take(row.id, 0, broken_off(data[: 9 * MB]), checksum=checksum)
    assert (await uploads.get(row.id)).received_bytes == 0
    assert (await uploads.take(row.id, 0, once(data), checksum=checksum)).outcome


async def test_the_collector_leaves_parts_of_an_upload_that_may_go_on(
    filed: Storage, student: Principal
) -> None:
    uploads = ResumableUploads(filed, student)
    row = await uploads.create("book.pdf", 5 * MB, {})
    await uploads.take(row.id, 0, once(book(MB)))
    assert (await collect_garbage(tomorrow(filed))).objects == 0
    async with filed.as_user(student.user_id) as db:
        await db.uploads.remove(row.id)
    assert (await collect_garbage(tomorrow(filed))).objects == 1
    assert not [key async for key in filed.files.keys(upload_prefix(student.user_id, row.id))]


async def test_an_account_goes_with_the_parts_of_its_uploads(filed: Storage, student: Principal) -> None:
    uploads = ResumableUploads(filed, student)
    row = await uploads.create("book.pdf", 5 * MB, {})
    await uploads.take(row.id, 0, once(book(MB)))

    async def go_on() -> None:
        """Nothing stops it."""

    await Erasure(filed, student.user_id, go_on).run()
    assert await keys_of(filed.files) == set()
    with pytest.raises(NotFound):
        await uploads.get(row.id)


async def test_a_user_has_only_so_many_uploads_open(
    storage: Storage, student: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.resumable.MOST_OPEN", 3)
    uploads = ResumableUploads(storage, student)
    for _ in range(3):
        last = await uploads.create("a.pdf", 10, {})
    with pytest.raises(LyceumError) as refused:
        await uploads.create("a.pdf", 10, {})
    assert refused.value.code == "too_many_uploads"
    await uploads.remove(last.id)
    assert (await uploads.create("a.pdf", 10, {})).expires_at > storage.clock.now() + timedelta(days=2)
