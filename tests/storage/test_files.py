"""The file store, the same in a folder and in S3: streaming, checksums, ranges, broken uploads, stores that are away."""

import asyncio
import hashlib
import os
import re
import socket
import sys
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from storage.errors import Conflict, LyceumError, NotFound, TooLarge, Unavailable
from storage.files import MB, READ_PART, FileStore, S3Options, Stored, file_key, person_prefix
from storage.local_copies import LocalCopies
from storage.s3_multipart import MultipartUploads
from tests.data import REPOSITORY
from tests.s3 import BUCKET
from tests.waiting import SOON, awaited

NO_LIMIT = 1 << 40
KEY = "users/a/files/b"


async def parts_of(data: bytes, size: int = 64 << 10) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def put(files: FileStore, data: bytes, key: str = KEY) -> Stored:
    return await files.put(key, parts_of(data), limit=NO_LIMIT)


def pattern(size: int, seed: int = 1) -> bytes:
    block = hashlib.shake_256(bytes([seed])).digest(min(size, 1 << 16)) or b""
    return (block * (size // max(len(block), 1) + 1))[:size]


async def collect(files: FileStore, expected: Stored, into: list[bytes]) -> None:
    async for part in files.read_whole(KEY, expected):
        into += [part]


async def whole(files: FileStore, expected: Stored, key: str = KEY) -> bytes:
    return b"".join([part async for part in files.read_whole(key, expected)])


@pytest.mark.parametrize("size", [0, 1, 70_000, READ_PART, 2 * READ_PART + 1, 20 * MB])
async def test_what_goes_in_comes_out_with_its_checksum(files: FileStore, size: int) -> None:
    data = pattern(size)
    stored = await put(files, data)
    assert stored == Stored(size, hashlib.sha256(data).digest())
    assert await files.size(KEY) == size
    assert await whole(files, stored) == data
    async with files.as_path(KEY, stored) as path:
        assert path.read_bytes() == data


@pytest.mark.parametrize("span", [(0, 10), (5, 5), (READ_PART - 3, READ_PART + 3), (0, 2 * READ_PART + 9)])
async def test_a_range_gives_exactly_its_bytes(files: FileStore, span: tuple[int, int]) -> None:
    data = pattern(2 * READ_PART + 9)
    await put(files, data)
    assert b"".join([part async for part in files.read(KEY, *span)]) == data[slice(*span)]


@pytest.mark.parametrize("way", ["up", "down"])
async def test_a_hundred_and_twenty_megabytes_take_less_than_sixty_of_memory(
    files: FileStore, way: str
) -> None:
    if way == "down":
        await files.put(KEY, zeros(120), limit=NO_LIMIT)
    options = files.s3
    command = [sys.executable, "-m", "tests.storage.stream_entry", way, files.url, options.endpoint or ""]
    process = await asyncio.create_subprocess_exec(*command, cwd=REPOSITORY, stdout=asyncio.subprocess.PIPE)
    printed, _ = await process.communicate()
    moved, grown = map(int, printed.split())
    assert moved == 120 * MB
    assert grown < 60 * MB, f"{grown / MB:.0f} MB"


async def zeros(megabytes: int) -> AsyncIterator[bytes]:
    for _ in range(megabytes):
        yield bytes(MB)


async def left_behind(files: FileStore) -> list[str]:
    """Objects and unfinished uploads of the store."""
    left = [key async for key in files.keys("users/")]
    if files.folder is not None:
        return left + [str(path) for path in files.folder.rglob("*") if path.is_file()]
    uploads = MultipartUploads(files.url, files.s3)
    return left + [upload.key async for upload in uploads.unfinished()]


async def broken_after(megabytes: int) -> AsyncIterator[bytes]:
    for _ in range(megabytes):
        yield bytes(MB)
    raise ConnectionResetError("the client left")


async def endless(taken: asyncio.Event) -> AsyncIterator[bytes]:
    for _ in range(20):
        yield bytes(MB)
    taken.set()
    await asyncio.Event().wait()


@pytest.mark.parametrize("megabytes", [0, 1, 20])
async def test_an_upload_that_breaks_off_leaves_nothing(files: FileStore, megabytes: int) -> None:
    with pytest.raises(ConnectionResetError):
        await files.put(KEY, broken_after(megabytes), limit=NO_LIMIT)
    assert await left_behind(files) == []


async def test_an_upload_over_the_limit_is_refused_and_leaves_nothing(files: FileStore) -> None:
    with pytest.raises(TooLarge) as refused:
        await files.put(KEY, zeros(20), limit=10 * MB)
    assert refused.value.code == "file_too_large"
    assert "10 MB" in str(refused.value)
    assert await left_behind(files) == []


async def test_an_upload_that_is_cancelled_leaves_nothing(files: FileStore) -> None:
    taken = asyncio.Event()
    upload = asyncio.create_task(files.put(KEY, endless(taken), limit=NO_LIMIT))
    await awaited(taken.wait(), "the store to take what there is")
    upload.cancel()
    with pytest.raises(asyncio.CancelledError):
        await upload
    assert await left_behind(files) == []


async def test_an_altered_object_is_noticed_before_its_last_part(files: FileStore) -> None:
    data = pattern(2 * READ_PART + 100)
    stored = await put(files, data)
    await put(files, data[:-1] + bytes([data[-1] ^ 1]))
    got: list[bytes] = []
    with pytest.raises(Conflict) as noticed:
        await collect(files, stored, got)
    assert noticed.value.code == "file_damaged"
    assert "Upload it again" in str(noticed.value)
    assert len(b"".join(got)) < stored.size
    with pytest.raises(Conflict):
        async with files.as_path(KEY, stored):
            pass


@pytest.mark.parametrize("files", ["folder"], indirect=True)  # from S3 a verified copy is read
async def test_an_object_that_is_altered_after_it_was_opened_is_noticed_the_next_time(
    files: FileStore,
) -> None:
    stored = await put(files, pattern(1000))
    async with files.as_path(KEY, stored) as path:
        assert path.stat().st_size == 1000
    path.write_bytes(pattern(1000, seed=2))
    with pytest.raises(Conflict):
        async with files.as_path(KEY, stored):
            pass


async def test_a_truncated_object_is_noticed_before_its_first_part(files: FileStore) -> None:
    data = pattern(5000)
    stored = await put(files, data)
    await put(files, data[:-1])
    with pytest.raises(Conflict) as noticed:
        await files.check_size(KEY, stored)
    assert noticed.value.code == "file_damaged"
    with pytest.raises(Conflict):
        await whole(files, stored)


async def test_a_missing_object_is_said_to_be_missing(files: FileStore) -> None:
    gone = Stored(5, bytes(32))

    async def open_it() -> None:
        async with files.as_path(KEY, gone):
            pass

    for ask in (files.size(KEY), files.check_size(KEY, gone), whole(files, gone), open_it()):
        with pytest.raises(NotFound) as missing:
            await ask
        assert missing.value.code == "file_missing"
    await files.delete(KEY)


async def test_a_persons_objects_are_listed_and_nobody_elses(files: FileStore) -> None:
    mine, other = uuid4(), uuid4()
    wanted = {file_key(mine, uuid4()) for _ in range(3)}
    for key in [*wanted, file_key(other, uuid4())]:
        await put(files, b"x", key)
    assert {key async for key in files.keys(person_prefix(mine))} == wanted
    for key in wanted:
        await files.delete(key)
    assert [key async for key in files.keys(person_prefix(mine))] == []


@pytest.mark.parametrize("files", ["s3"], indirect=True)  # a folder needs no copies
async def test_a_second_look_at_a_remote_object_fetches_nothing(files: FileStore) -> None:
    data = pattern(3 * MB)
    stored = await put(files, data)
    async with files.as_path(KEY, stored):
        pass
    await files.delete(KEY)
    async with files.as_path(KEY, stored) as path:
        assert path.read_bytes() == data


async def test_parts_of_an_upload_are_compared_by_the_server(s3: S3Options) -> None:
    assert s3.config()["checksum_algorithm"] == "SHA256"


async def every_question(files: FileStore) -> AsyncIterator[None]:
    expected = Stored(5, b"")
    for ask in (
        files.size(KEY),
        files.delete(KEY),
        whole(files, expected),
        put(files, b"data"),
        anext(files.keys("users/")),
    ):
        with pytest.raises(Unavailable) as refused:
            await ask
        assert refused.value.code == "files_unavailable"
        yield


async def test_a_store_that_is_away_is_said_to_be_within_seconds(tmp_path: Path) -> None:
    away = S3Options("http://127.0.0.1:1", "us-east-1", "key", "secret")
    files = FileStore(f"s3://{BUCKET}", LocalCopies(tmp_path, MB), away)
    started = time.monotonic()
    assert len([None async for _ in every_question(files)]) == 5
    assert time.monotonic() - started < 60, "five questions"


async def test_a_wrong_secret_or_bucket_is_no_bug(s3: S3Options, tmp_path: Path) -> None:
    files = FileStore("s3://no-such-bucket", LocalCopies(tmp_path, MB), s3)
    with pytest.raises(LyceumError):
        await put(files, b"data")


async def test_copies_stay_within_their_bound_and_open_ones_stay(tmp_path: Path) -> None:
    copies = LocalCopies(tmp_path, 25)
    fetched: list[str] = []

    async def fetch(path: Path) -> None:
        fetched.append(path.name)
        await asyncio.to_thread(path.write_bytes, bytes(10))

    async def look(name: str) -> None:
        async with copies.hold(name, 10, fetch):
            pass

    async with copies.hold("a", 10, fetch) as first:
        for name in ("b", "c", "d", "d"):
            await look(name)
        assert first.read_bytes() == bytes(10)
        assert sum(path.stat().st_size for path in first.parent.iterdir()) <= 25
    await asyncio.gather(*(look("e") for _ in range(5)))
    assert fetched == ["a", "b", "c", "d", "e"]
    copies.close()
    assert not await asyncio.to_thread(os.listdir, tmp_path)


async def test_a_copy_that_could_not_be_fetched_is_fetched_again(tmp_path: Path) -> None:
    copies = LocalCopies(tmp_path, 100)

    async def fail(path: Path) -> None:
        await asyncio.to_thread(path.write_bytes, b"half")
        raise Unavailable("gone")

    async def fetch(path: Path) -> None:
        await asyncio.to_thread(path.write_bytes, b"whole")

    with pytest.raises(Unavailable):
        async with copies.hold("a", 5, fail):
            pass
    async with copies.hold("a", 5, fetch) as path:
        assert path.read_bytes() == b"whole"


async def test_copies_of_a_killed_process_are_removed_and_those_of_a_living_one_not(tmp_path: Path) -> None:
    async def fetch(path: Path) -> None:
        await asyncio.to_thread(path.write_bytes, b"x")

    living, dead = LocalCopies(tmp_path, 100), tmp_path / "copies-dead"
    dead.mkdir()
    (dead / "lock").touch()
    (dead / "a").write_bytes(b"left")
    async with living.hold("a", 1, fetch) as kept:
        async with LocalCopies(tmp_path, 100).hold("b", 1, fetch):
            assert kept.exists()
            assert not dead.exists()


async def test_a_frozen_store_does_not_hang(tmp_path: Path) -> None:
    """A server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        silent = S3Options(f"http://127.0.0.1:{listener.getsockname()[1]}", "us-east-1", "key", "secret")
        files = FileStore(f"s3://{BUCKET}", LocalCopies(tmp_path, MB), silent, silence=timedelta(seconds=0.3))
        started = time.monotonic()
        with pytest.raises(Unavailable):
            await files.size(KEY)
        assert time.monotonic() - started < SOON


def test_the_signature_is_the_one_of_the_specification() -> None:
    """The example "GET Bucket Lifecycle" of the Signature Version 4 documentation."""
    options = S3Options(
        "https://examplebucket.s3.amazonaws.com",
        "us-east-1",
        "AKIAIOSFODNN7EXAMPLE",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    )
    uploads = MultipartUploads("s3://unused", options)
    when = datetime(2013, 5, 24, tzinfo=UTC)
    headers = uploads._signed("GET", "https://examplebucket.s3.amazonaws.com/", "lifecycle=", when)
    found = re.search(r"Signature=(\w+)", headers["authorization"])
    assert found is not None
    assert found[1] == "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
