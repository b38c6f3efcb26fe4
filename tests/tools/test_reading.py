"""Reading a material as a job: pages that break the reader, text that is replaced as a whole, figures, vectors in company."""

import asyncio
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from storage.errors import Conflict, NotFound
from storage.life.purge import Purge
from storage.models import Chunk, Figure, File
from storage.resources import Storage
from tests.ingest.hostile_reader import MARK, PNG
from tests.tools.test_life_export import export
from tests.tools.test_life_purge import go_on, later, objects, vector_ids
from tests.waiting import SOON, until
from tests.work import call, run_job
from tools import worker as worker_module
from tools.context import Principal
from tools.executor import Executor
from tools.ingest.reader.process import Limits
from tools.ingest.reader.reader import Reader
from tools.ingest.segments import DocumentInfo, Segment, SegmentKind
from tools.ingest.service import make_worker
from tools.ingest.words import BREAKS_THE_READER, how_far, lost_pages
from tools.intake import once, receive


@pytest.fixture(scope="module")
async def hostile() -> AsyncGenerator[Reader]:
    reader = Reader(limits=Limits(page=30, opening=30), module="tests.ingest.hostile_reader")
    yield reader
    await reader.close()


async def upload(
    storage: Storage, executor: Executor, who: Principal, name: str, *lines: str
) -> dict[str, Any]:
    if not (await call(executor, who, "list_classes"))["items"]:
        await call(executor, who, "create_class", name="Optics")
    text = MARK + "\n".join(lines)
    stored = await receive(storage, who, f"{name}.txt", once(text.encode()))
    taken: dict[str, Any] = await call(
        executor, who, "upload_material", class_id="Optics", upload_id=str(stored)
    )
    return taken


async def ended(
    executor: Executor, who: Principal, taken: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The job and the material."""
    job = await call(executor, who, "get_job", job_id=taken["job_id"])
    return job, await call(executor, who, "get_material", material_id=taken["material_id"])


async def texts(executor: Executor, who: Principal, taken: dict[str, Any]) -> list[str]:
    read = await call(executor, who, "read_material", material_id=taken["material_id"])
    return [segment["text"] for segment in read["segments"]]


async def test_a_page_that_kills_the_reader_costs_an_attempt_and_not_the_book(
    storage: Storage, executor: Executor, student: Principal, hostile: Reader
) -> None:
    lines = [
        "ok A lens bends light.",
        "abort",
        "ok A mirror turns it back.",
        "raise",
        "ok A prism splits it.",
    ]
    taken = await upload(storage, executor, student, "poisoned", *lines)
    for attempt in range(3):
        await run_job(storage, student, UUID(taken["job_id"]), hostile)
        job, material = await ended(executor, student, taken)
        if attempt < 2:
            assert (job["status"], job["error_code"]) == ("queued", "breaks_the_reader")
    assert (job["status"], material["status"]) == ("succeeded", "ready")
    assert material["notice"] == "Pages 2 and 4 could not be read."
    assert [text for text in await texts(executor, student, taken) if text] == [
        "A lens bends light.", "A mirror turns it back.", "A prism splits it.",
    ]  # fmt: skip
    assert (await call(executor, student, "search_materials", query="prism"))["hits"]


async def test_a_file_that_kills_the_reader_when_opened_is_a_dead_letter_that_can_be_tried_again(
    storage: Storage, executor: Executor, student: Principal, hostile: Reader
) -> None:
    taken = await upload(storage, executor, student, "bomb", "at open: abort")
    for _ in range(3):
        await run_job(storage, student, UUID(taken["job_id"]), hostile)
    job, material = await ended(executor, student, taken)
    assert (job["status"], job["error_code"], job["error"]) == (
        "failed",
        "breaks_the_reader",
        BREAKS_THE_READER,
    )
    assert (material["status"], material["error"]) == ("failed", BREAKS_THE_READER)
    dead = await call(executor, student, "list_jobs", status="failed")
    assert [item["id"] for item in dead["items"]] == [taken["job_id"]]
    again = await call(executor, student, "retry_job", job_id=taken["job_id"])
    assert (again["status"], again["attempts"]) == ("queued", 0)


async def test_a_file_of_which_page_after_page_kills_the_reader_is_given_up(
    storage: Storage, executor: Executor, student: Principal, hostile: Reader
) -> None:
    taken = await upload(storage, executor, student, "poison", *["raise"] * 12)
    for _ in range(12):
        await run_job(storage, student, UUID(taken["job_id"]), hostile)
        job, _ = await ended(executor, student, taken)
        if job["status"] == "failed":
            break
    assert (job["status"], job["error_code"]) == ("failed", "breaks_the_reader")


async def test_cancelling_in_the_middle_of_a_page_takes_less_than_a_second_and_leaves_nothing_half_read(
    storage: Storage, executor: Executor, student: Principal, hostile: Reader
) -> None:
    taken = await upload(
        storage, executor, student, "slow", "ok A lens.", "slow 2", "ok A mirror.", "slow 60"
    )
    work = asyncio.create_task(run_job(storage, student, UUID(taken["job_id"]), hostile))
    await until_done(executor, student, taken, 3)
    began = time.monotonic()
    await call(executor, student, "cancel_job", job_id=taken["job_id"])
    await work
    assert time.monotonic() - began < SOON
    job, material = await ended(executor, student, taken)
    assert (job["status"], material["status"]) == ("cancelled", "cancelled")
    assert (await call(executor, student, "search_materials", query="lens"))["hits"] == []
    with pytest.raises(NotFound):
        await texts(executor, student, taken)
    async with storage.as_user(student.user_id, read_only=True) as db:
        assert await db.reading.staged_count(UUID(taken["material_id"])) >= 1


async def until_done(executor: Executor, who: Principal, taken: dict[str, Any], done: int) -> None:
    async def is_done() -> bool:
        return bool((await call(executor, who, "get_job", job_id=taken["job_id"]))["done"] >= done)

    await until(is_done, f"{done} pages to be read")


async def test_a_stopped_worker_leaves_its_job_to_the_next_one_which_goes_on_after_the_last_page(
    storage: Storage, executor: Executor, student: Principal, hostile: Reader, tmp_path: Path
) -> None:
    flag = tmp_path / "flag"
    taken = await upload(
        storage, executor, student, "long", "moment one", "slow 1.2", f"held {flag}", "moment two"
    )
    worker = make_worker(storage, "stops", hostile)
    work = asyncio.create_task(worker.work(UUID(taken["job_id"]), student.user_id))
    await until_done(executor, student, taken, 2)
    worker.stop()
    await work
    job, _ = await ended(executor, student, taken)
    assert (job["status"], job["attempts"]) == ("queued", 0)
    async with storage.as_user(student.user_id, read_only=True) as db:
        before = await db.reading.staged(UUID(taken["material_id"]), 0, 9)
    assert before
    flag.touch()
    await run_job(storage, student, UUID(taken["job_id"]), hostile)
    read = await texts(executor, student, taken)
    assert read[: len(before)] == [segment.text for segment in before]
    assert len(read) == 4


async def test_a_long_file_lets_another_user_go_first_between_two_pages(
    storage: Storage,
    executor: Executor,
    student: Principal,
    stranger: Principal,
    hostile: Reader,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker_module, "WAITING_SECONDS", 0.05)
    monkeypatch.setattr(worker_module, "SLICE_SECONDS", 0.3)
    taken = await upload(storage, executor, student, "endless", *["moment", *["slow 0.1"] * 15])
    other = await upload(storage, executor, stranger, "waits", "ok A note.")
    worker = make_worker(storage, "fair", hostile)
    await worker.work(UUID(taken["job_id"]), student.user_id)
    job, _ = await ended(executor, student, taken)
    async with storage.as_user(student.user_id, read_only=True) as db:
        read = await db.reading.staged(UUID(taken["material_id"]), 0, 99)
    assert (job["status"], job["attempts"]) == ("queued", 0)
    assert 1 <= len(read) < 16
    await run_job(storage, stranger, UUID(other["job_id"]), hostile)
    await run_job(storage, student, UUID(taken["job_id"]), hostile)
    done = await texts(executor, student, taken)
    assert (len(done), done[0]) == (16, read[0].text)


async def test_a_material_that_is_read_again_keeps_its_old_text_until_the_new_stands(
    storage: Storage, executor: Executor, student: Principal, hostile: Reader, tmp_path: Path
) -> None:
    flag = tmp_path / "flag"
    flag.touch()
    taken = await upload(storage, executor, student, "changing", "moment of a lens", f"held {flag}")
    await run_job(storage, student, UUID(taken["job_id"]), hostile)
    old_text, old_vectors = (await texts(executor, student, taken))[0], await vector_ids(storage, student)
    flag.unlink()
    again = await call(executor, student, "reprocess_material", material_id=taken["material_id"])
    with pytest.raises(Conflict):
        await call(executor, student, "reprocess_material", material_id=taken["material_id"])
    work = asyncio.create_task(run_job(storage, student, UUID(again["job_id"]), hostile))
    await until_done(executor, student, {"job_id": again["job_id"]}, 1)
    assert (await texts(executor, student, taken))[0] == old_text
    assert (await call(executor, student, "search_materials", query="lens"))["hits"]
    flag.touch()
    await work
    new_text, new_vectors = (await texts(executor, student, taken))[0], await vector_ids(storage, student)
    assert new_text != old_text
    assert len(new_vectors) == len(old_vectors)
    assert not new_vectors & old_vectors


async def test_a_second_reading_that_fails_leaves_what_stood(
    storage: Storage, executor: Executor, student: Principal, hostile: Reader, tmp_path: Path
) -> None:
    taken = await upload(storage, executor, student, "turning", f"until {tmp_path / 'flag'} A lens.")
    await run_job(storage, student, UUID(taken["job_id"]), hostile)
    (tmp_path / "flag").touch()
    again = await call(executor, student, "reprocess_material", material_id=taken["material_id"])
    for _ in range(3):
        await run_job(storage, student, UUID(again["job_id"]), hostile)
    job, material = await ended(executor, student, again | {"material_id": taken["material_id"]})
    assert (job["status"], material["status"], material["error"]) == ("failed", "ready", None)
    assert material["notice"] == f"Reading it again did not work. {job['error']}"
    assert (await call(executor, student, "search_materials", query="lens"))["hits"]


async def test_figures_are_kept_beside_their_chunks_and_replaced_with_them(
    storage: Storage, executor: Executor, student: Principal, hostile: Reader
) -> None:
    lines = [
        "ok Nothing to see.",
        "figure A lens in a box.",
        "figure A mirror on a wall.",
        "break the figures",
    ]
    taken = await upload(storage, executor, student, "pictures", *lines)
    await run_job(storage, student, UUID(taken["job_id"]), hostile)
    first = await figures(storage, student)
    assert [(f.segment, f.caption, f.label, text) for f, _, text in first] == [
        (1, "A lens in a box.", "Figure 1", "A lens in a box."),
        (2, "A mirror on a wall.", "Figure 2", "A mirror on a wall."),
    ]
    file = first[0][1]
    assert b"".join([part async for part in storage.files.read(file.object_key)]) == PNG
    assert (file.filename, file.media_type) == ("pictures Figure 1.png", "image/png")
    before = set(await objects(storage, student))
    again = await call(executor, student, "reprocess_material", material_id=taken["material_id"])
    await run_job(storage, student, UUID(again["job_id"]), hostile)
    after = set(await objects(storage, student))
    assert (len(before), len(after), len(before & after)) == (3, 3, 1)
    archive, _ = await export(storage, executor, student)
    assert archive.read("classes/Optics/figures/pictures Figure 1.png") == PNG
    await call(executor, student, "delete_material", material_id=taken["material_id"])
    long_after = later(storage, days=60)
    await Purge(long_after, student.user_id, go_on).run(long_after.clock.now())
    assert await objects(storage, student) == []


async def figures(storage: Storage, who: Principal) -> list[tuple[Figure, File, str]]:
    """Each figure of a user with its file, and the text of the chunk beside it."""
    beside = (Chunk.material_id == Figure.material_id) & (Chunk.ordinal == Figure.chunk)
    asked = select(Figure, File, Chunk.text).join(File, File.id == Figure.file_id).join(Chunk, beside)
    async with storage.as_user(who.user_id, read_only=True) as db:
        found = await db.reading.session.execute(asked.order_by(Figure.ordinal))
        return [(row[0], row[1], row[2]) for row in found]


async def test_small_notes_get_their_vectors_in_one_batch(
    storage: Storage, executor: Executor, student: Principal, hostile: Reader
) -> None:
    taken = [await upload(storage, executor, student, f"note {n}", f"ok Lens number {n}.") for n in range(6)]
    worker = make_worker(storage, "batches", hostile)
    for each in taken:  # words of all; the first ones give way to the others
        await worker.work(UUID(each["job_id"]), student.user_id)
    states = [(await ended(executor, student, each)) for each in taken]
    assert [material["status"] for _, material in states[:5]] == ["searchable"] * 5
    assert not await vector_ids(storage, student) or len(await vector_ids(storage, student)) == 6
    await worker.work(UUID(taken[0]["job_id"]), student.user_id)
    assert len(await vector_ids(storage, student)) == 6
    for each in taken:
        await run_job(storage, student, UUID(each["job_id"]), hostile)
        assert (await ended(executor, student, each))[1]["status"] == "ready"


def test_lost_pages_are_named_and_many_are_counted() -> None:
    assert lost_pages(SegmentKind.PAGE, []) is None
    assert lost_pages(SegmentKind.SLIDE, [57]) == "Slide 57 could not be read."
    assert lost_pages(SegmentKind.PAGE, [1, 2, 9]) == "Pages 1, 2 and 9 could not be read."
    assert lost_pages(SegmentKind.PAGE, range(1, 9)) == "Pages 1, 2, 3, 4, 5 and 3 more could not be read."


def test_progress_says_pages_of_a_book_and_minutes_of_a_recording() -> None:
    book = DocumentInfo("application/pdf", SegmentKind.PAGE, 241)
    assert how_far(book, Segment(4, SegmentKind.PAGE, 5, "")) == (5, 241, "Reading page 5 of 241")
    page = DocumentInfo("text/html", SegmentKind.SECTION, None)
    assert how_far(page, Segment(4, SegmentKind.SECTION, 5, "")) == (5, None, "Reading section 5")
    talk = DocumentInfo("audio/mpeg", SegmentKind.SPAN, None, duration_seconds=5390)
    minute = Segment(11, SegmentKind.SPAN, 12, "", t_start=660.0, t_end=719.5)
    assert how_far(talk, minute) == (12, 90, "Listening: minute 12 of 90")
