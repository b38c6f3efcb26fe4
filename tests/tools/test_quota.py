"""The room that a user's files may take, on every way in."""

import asyncio
import base64
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import TooLarge
from storage.files import UPLOAD_PART
from storage.repositories.uploads import Usage
from storage.resources import Storage
from tests.clocks import LaterClock
from tests.tools.web_servers import page, web_server
from tests.work import call
from tools.catalog import CATALOG
from tools.context import Principal
from tools.executor import Executor
from tools.intake import discard, once, receive
from tools.quota import SILENT, check_room, readable
from tools.resumable import ResumableUploads

MB = 1 << 20


def limited(storage: Storage, megabytes: int) -> Storage:
    return replace(storage, settings=storage.settings.model_copy(update={"quota_mb": megabytes}))


async def used(storage: Storage, who: Principal) -> Usage:
    async with storage.as_user(who.user_id, read_only=True) as db:
        return await db.uploads.usage()


async def blocks(count: int, held: asyncio.Event | None = None) -> AsyncIterator[bytes]:
    """Megabytes of a recording, all different from those of other calls."""
    for number in range(count):
        if held and number == count - 1:
            await held.wait()
        yield b"fLaC" + bytes(MB - 4)


async def test_every_way_in_is_stopped_with_a_sentence_that_says_how_to_make_room(
    storage: Storage, student: Principal
) -> None:
    small = limited(storage, 1)
    async with web_server({"/": page("word " * 100_000, "text/plain")}) as web:
        executor = Executor(CATALOG, small, fetcher=web.fetcher())
        await call(executor, student, "create_class", name="Sea")
        await call(executor, student, "add_text", class_id="Sea", title="First", text="a" * 700_000)
        encoded = base64.b64encode(b"b" * 500_000).decode()
        ways = {
            "add_text": {"title": "Second", "text": "b" * 500_000},
            "upload_material": {"filename": "b.txt", "content_base64": encoded},
            "add_web_page": {"url": web.url("/")},
        }
        for tool, arguments in ways.items():
            with pytest.raises(TooLarge) as refused:
                await call(executor, student, tool, class_id="Sea", **arguments)
            assert refused.value.code == "quota_exceeded"
            assert str(refused.value).startswith("You use 683 KB of your 1.0 MB, so ")
            assert "Delete material" in str(refused.value)
    for size in (None, 500_000):
        with pytest.raises(TooLarge):
            await receive(small, student, "b.txt", once(b"b" * 500_000), size=size)
    with pytest.raises(TooLarge) as refused:
        await ResumableUploads(small, student).create("b.pdf", 500_000, {})
    assert refused.value.code == "quota_exceeded"
    assert len([key async for key in storage.files.keys(f"users/{student.user_id}/")]) == 1
    assert await used(storage, student) == Usage(700_000, 0, 0)


async def test_a_long_upload_is_stopped_when_the_room_is_full_and_leaves_nothing(
    storage: Storage, student: Principal
) -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += MB
            yield b"fLaC" + bytes(MB - 4)

    with pytest.raises(TooLarge) as refused:
        await receive(limited(storage, 20), student, "a.flac", endless())
    assert refused.value.code == "quota_exceeded"
    assert read <= 20 * MB + UPLOAD_PART
    assert await used(storage, student) == Usage(0, 0, 0)
    assert not [key async for key in storage.files.keys(f"users/{student.user_id}/")]


async def test_two_uploads_at_once_cannot_both_take_the_last_room(
    storage: Storage, student: Principal
) -> None:
    small, held = limited(storage, 30), asyncio.Event()

    async def upload() -> str:
        try:
            await receive(small, student, "a.flac", blocks(20, held))
        except TooLarge:
            return "refused"
        return "stored"

    uploads = [asyncio.create_task(upload()) for _ in range(3)]
    await asyncio.sleep(1)
    assert (await used(storage, student)).arriving <= 30 * MB
    held.set()
    outcomes = await asyncio.gather(*uploads)
    assert outcomes.count("stored") <= 1
    assert await used(storage, student) == Usage(20 * MB * outcomes.count("stored"), 0, 0)


async def test_parts_of_an_unfinished_upload_count(storage: Storage, student: Principal) -> None:
    small = limited(storage, 10)
    uploads = ResumableUploads(small, student)
    rows = [await uploads.create("a.flac", None, {}) for _ in range(2)]
    await uploads.take(rows[0].id, 0, blocks(7))
    with pytest.raises(TooLarge):
        await uploads.take(rows[1].id, 0, blocks(7))
    assert await used(storage, student) == Usage(0, 0, 7 * MB)
    await uploads.remove(rows[0].id)
    assert (await uploads.take(rows[1].id, 0, blocks(7), size=7 * MB)).outcome
    assert await used(storage, student) == Usage(7 * MB, 0, 0)


async def test_an_upload_that_died_with_its_process_frees_its_room(
    storage: Storage, student: Principal
) -> None:
    async with storage.as_user(student.user_id) as db:
        await db.uploads.note_arrival(storage.clock.new_id(), "a.flac", 9 * MB, SILENT)
    assert (await used(storage, student)).arriving == 9 * MB
    later = replace(storage, clock=LaterClock(SILENT + timedelta(minutes=1)))
    assert (await used(later, student)).arriving == 0


async def test_what_is_deleted_frees_its_room_until_as_much_again_is_in_the_bin(
    storage: Storage, student: Principal
) -> None:
    executor = Executor(CATALOG, limited(storage, 1))
    await call(executor, student, "create_class", name="Sea")
    for number in (1, 2):
        text = str(number) * 700_000
        taken = await call(executor, student, "add_text", class_id="Sea", title=f"Text {number}", text=text)
        assert (await call(executor, student, "get_profile"))["storage_used_bytes"] == 700_000
        await call(executor, student, "delete_material", material_id=taken["material_id"])
        assert (await call(executor, student, "get_profile"))["storage_used_bytes"] == 0
    with pytest.raises(TooLarge) as refused:
        await call(executor, student, "add_text", class_id="Sea", title="Text 3", text="3" * 700_000)
    assert "what you deleted in the last 30 days still fills 1.3 MB" in str(refused.value)
    assert await used(storage, student) == Usage(0, 1_400_000, 0)


async def test_the_profile_says_how_much_room_there_is(storage: Storage, student: Principal) -> None:
    profile = await call(Executor(CATALOG, limited(storage, 3)), student, "get_profile")
    assert (profile["storage_used_bytes"], profile["storage_limit_bytes"]) == (0, 3 * MB)
    endless = Executor(CATALOG, limited(storage, 0))
    assert (await call(endless, student, "get_profile"))["storage_limit_bytes"] is None
    upload = await receive(limited(storage, 0), student, "a.flac", blocks(10))
    assert (await used(storage, student)).used == 10 * MB
    await discard(storage, student, upload)


async def test_the_room_of_others_is_theirs(
    storage: Storage, student: Principal, stranger: Principal
) -> None:
    await receive(storage, stranger, "a.flac", blocks(2))
    assert await used(storage, student) == Usage(0, 0, 0)
    await receive(limited(storage, 1), student, "a.txt", once(b"There is room for me."))


@given(
    st.integers(0, 1 << 42), st.integers(0, 1 << 42), st.integers(0, 1 << 42), st.integers(1, 1 << 42), st.integers(0, 1 << 21)
)  # fmt: skip
def test_what_fits_fits_and_nothing_else(
    live: int, deleted: int, arriving: int, size: int, quota: int
) -> None:
    usage = Usage(live, deleted, arriving)
    fits = quota == 0 or (
        live + arriving + size <= quota * MB and live + deleted + arriving + size <= 2 * quota * MB
    )
    if fits:
        check_room(usage, size, quota)
    else:
        with pytest.raises(TooLarge):
            check_room(usage, size, quota)


def test_sizes_are_said_as_people_say_them() -> None:
    assert [readable(n) for n in (0, 10, 5000, 3 * MB, 2_500_000_000)] == [
        "1 KB",
        "1 KB",
        "4 KB",
        "3.0 MB",
        "2.3 GB",
    ]
