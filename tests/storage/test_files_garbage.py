"""The collector of unreferenced objects, the same in a folder and in S3."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest

from storage.errors import Conflict
from storage.files import MB, UPLOAD_PART, FileStore, Stored, file_key
from storage.garbage import STRANGE, collect_garbage
from storage.resources import Storage
from storage.s3_multipart import MultipartUploads
from tests.clocks import LaterClock
from tests.waiting import until
from tools.context import Principal
from tools.intake import once, receive


def tomorrow(storage: Storage) -> Storage:
    """The same stores, more than a grace period later."""
    return replace(storage, clock=LaterClock(timedelta(hours=25)))


async def keys_of(files: FileStore) -> set[str]:
    return {key async for key in files.keys("users/")}


async def orphan(storage: Storage, who: Principal) -> str:
    key = file_key(who.user_id, storage.clock.new_id())
    await storage.files.put(key, once(b"nobody's"), limit=MB)
    return key


async def uploaded(storage: Storage, who: Principal) -> str:
    return file_key(who.user_id, await receive(storage, who, "a.txt", once(b"somebody's")))


async def test_only_old_objects_without_a_row_are_removed(filed: Storage, student: Principal) -> None:
    kept, lost = await uploaded(filed, student), await orphan(filed, student)
    assert (await collect_garbage(filed)).objects == 0
    assert await keys_of(filed.files) == {kept, lost}
    collected = await collect_garbage(tomorrow(filed))
    assert (collected.objects, collected.bytes) == (1, len(b"nobody's"))
    assert await keys_of(filed.files) == {kept}
    assert (await collect_garbage(tomorrow(filed))).objects == 0


async def test_a_deleted_file_keeps_its_object_until_its_row_goes(filed: Storage, student: Principal) -> None:
    key = await uploaded(filed, student)
    file_id = UUID(key.rsplit("/", 1)[1])
    async with filed.as_user(student.user_id) as db:
        row = await db.materials.file(file_id)
        assert row is not None
        row.deleted_at = filed.clock.now()
    assert (await collect_garbage(tomorrow(filed))).objects == 0
    async with filed.as_user(student.user_id) as db:
        await db.materials.remove_file(file_id)
    assert (await collect_garbage(tomorrow(filed))).objects == 1


async def test_a_store_that_belongs_to_another_database_is_left_alone(
    filed: Storage, student: Principal
) -> None:
    for _ in range(STRANGE + 1):
        await orphan(filed, student)
    with pytest.raises(Conflict) as refused:
        await collect_garbage(tomorrow(filed))
    assert refused.value.code == "wrong_database"
    assert len(await keys_of(filed.files)) == STRANGE + 1


class Paused:
    """An upload whose second half waits to be let go."""

    def __init__(self) -> None:
        self.half, self.go_on = asyncio.Event(), asyncio.Event()

    async def parts(self) -> AsyncIterator[bytes]:
        for _ in range(2 * UPLOAD_PART // MB + 1):
            yield bytes(MB)
        self.half.set()
        await self.go_on.wait()
        yield bytes(MB)


async def test_an_upload_in_progress_is_not_disturbed(filed: Storage, student: Principal) -> None:
    paused = Paused()
    upload = asyncio.create_task(receive(filed, student, "big.bin", paused.parts()))
    await paused.half.wait()
    await until_a_part_is_there(filed.files)
    assert (await collect_garbage(filed)).uploads == 0
    paused.go_on.set()
    key = file_key(student.user_id, await upload)
    size = 2 * UPLOAD_PART + 2 * MB
    stored = Stored(size, hashlib.sha256(bytes(size)).digest())
    assert sum([len(part) async for part in filed.files.read_whole(key, stored)]) == size
    assert (await collect_garbage(tomorrow(filed))).objects == 0


async def test_an_object_whose_row_is_about_to_come_stays(filed: Storage, student: Principal) -> None:
    key = await orphan(filed, student)
    assert (await collect_garbage(filed)).objects == 0
    assert await keys_of(filed.files) == {key}


async def test_what_a_killed_upload_left_is_removed_once_it_is_old(
    filed: Storage, student: Principal
) -> None:
    upload = asyncio.create_task(receive(filed, student, "big.bin", Paused().parts()))
    await until_a_part_is_there(filed.files)
    assert (await collect_garbage(filed)).uploads == 0
    collected = await collect_garbage(tomorrow(filed))
    assert (collected.objects, collected.uploads) == (0, 1)
    assert not await unfinished(filed.files)
    upload.cancel()
    await asyncio.wait([upload])
    assert await keys_of(filed.files) == set()


async def unfinished(files: FileStore) -> list[str]:
    """Uploads that have a part already."""
    if files.folder is not None:
        return [path.name for path in await asyncio.to_thread(list, files.folder.rglob("*#*"))]
    uploads = MultipartUploads(files.url, files.s3)
    # moto says of every upload that it began in 2010; of a part it says the time.
    return [upload.key async for upload in uploads.unfinished() if upload.touched.year > 2010]


async def until_a_part_is_there(files: FileStore) -> None:
    await until(partial(unfinished, files), "a part of the upload in the store")
