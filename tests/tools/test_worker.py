"""Jobs in a real worker process: killed, cancelled, retried, refused."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest

from storage.local.instance import InstanceInfo
from storage.resources import Storage
from tests.data import REPOSITORY, mupdf, pages_of, shared, textbook_pages
from tests.databases import empty_queue
from tests.waiting import SOON, awaited, until
from tests.work import call, reader_of, run_job
from tools.context import Principal
from tools.executor import Executor
from tools.ingest.service import make_worker
from tools.intake import once, receive

FINAL = ("succeeded", "failed", "cancelled")


@asynccontextmanager
async def worker_process(info: InstanceInfo, name: str) -> AsyncGenerator[asyncio.subprocess.Process]:
    environment = {
        **os.environ,
        "LYCEUM_DATA_DIR": str(info.data_dir),
        "LYCEUM_DATABASE_URL": info.database_url,
        "LYCEUM_REDIS_URL": info.redis_url,
        "LYCEUM_VECTOR_URL": info.vector_url,
        "LYCEUM_FILES_URL": info.files_url,
        "LYCEUM_LOG_LEVEL": "ERROR",
    }
    argv = [sys.executable, "-m", "assistant.cli", "worker", "--name", name]
    process = await asyncio.create_subprocess_exec(*argv, env=environment, cwd=REPOSITORY)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def upload(
    storage: Storage, executor: Executor, who: Principal, name: str, data: bytes
) -> dict[str, Any]:
    classes = await call(executor, who, "list_classes")
    if not classes["items"]:
        await call(executor, who, "create_class", name="Jobs")
    stored = await receive(storage, who, name, once(data))
    taken: dict[str, Any] = await call(
        executor, who, "upload_material", class_id="Jobs", upload_id=str(stored)
    )
    return taken


async def until_ended(executor: Executor, who: Principal, job_id: str) -> dict[str, Any]:
    async def ended() -> dict[str, Any] | None:
        job: dict[str, Any] = await call(executor, who, "get_job", job_id=job_id)
        return job if job["status"] in FINAL else None

    return await until(ended, "the end of the job") or {}


async def contents(storage: Storage, who: Principal, material_id: str) -> tuple[list[str], set[UUID]]:
    """Texts of all chunks in order, and the ids of the vectors in the collections."""
    async with storage.as_user(who.user_id, read_only=True) as db:
        chunks = await db.materials.chunks(await db.materials.chunk_ids(UUID(material_id)))
    ids: set[UUID] = set()
    for owner in await storage.owners.all(who.user_id):
        name = f"{owner.collection_prefix}_textbooks"
        entries = await storage.vectors.entries(name, ids=None, limit=5000, offset=0, embeddings=False)
        ids |= {UUID(entry.id) for entry in entries}
    return [c.text for c in sorted(chunks.values(), key=lambda c: c.ordinal)], ids


async def test_a_worker_killed_at_40_percent_of_a_book_is_followed_by_one_that_ends_it_the_same(
    instance: InstanceInfo, storage: Storage, executor: Executor, student: Principal, stranger: Principal
) -> None:
    await empty_queue(instance)
    data = textbook_pages(40, 63)
    undisturbed = await upload(storage, executor, stranger, "book.pdf", data)
    taken = await upload(storage, executor, student, "book.pdf", data)
    async with worker_process(instance, "first") as first:
        await until_indexing(executor, student, taken["job_id"], page=9)
        first.send_signal(signal.SIGKILL)
        await first.wait()
    left_over = await call(executor, student, "get_job", job_id=taken["job_id"])
    assert left_over["status"] == "running"
    async with worker_process(instance, "second"):
        ended = await until_ended(executor, student, taken["job_id"])
        await until_ended(executor, stranger, undisturbed["job_id"])
    assert (ended["status"], ended["attempts"]) == ("succeeded", 2)
    texts, vectors = await contents(storage, student, taken["material_id"])
    expected_texts, expected_vectors = await contents(storage, stranger, undisturbed["material_id"])
    assert texts == expected_texts
    assert len(vectors) == len(expected_vectors) == len(texts)


async def until_indexing(executor: Executor, who: Principal, job_id: str, *, page: int) -> None:
    """Wait until vectors are written up to a page."""

    async def got_there() -> bool:
        job = await call(executor, who, "get_job", job_id=job_id)
        assert job["status"] in ("queued", "running"), job
        return (job["message"] or "").startswith("Indexing") and job["done"] >= page

    await until(got_there, f"indexing to get to page {page}")


async def test_a_restarted_worker_takes_its_own_job_back_at_once(
    storage: Storage, executor: Executor, student: Principal
) -> None:
    taken = await upload(storage, executor, student, "note.txt", b"A note about waves.")
    async with storage.as_user(student.user_id) as db:
        assert await db.jobs.claim(UUID(taken["job_id"]), "laptop")
    job_id, reader = UUID(taken["job_id"]), reader_of(storage)
    assert not await make_worker(storage, "another", reader).work(job_id, student.user_id)
    assert (await call(executor, student, "get_job", job_id=taken["job_id"]))["status"] == "running"
    assert await make_worker(storage, "laptop", reader).work(job_id, student.user_id)
    await run_job(storage, student, job_id)
    assert (await call(executor, student, "get_job", job_id=taken["job_id"]))["status"] == "succeeded"


async def test_a_cancelled_job_stops_within_a_second_and_can_be_retried(
    storage: Storage, executor: Executor, student: Principal
) -> None:
    data = pages_of("docs/slides_wave_136p.pdf", 0, 59)
    taken = await upload(storage, executor, student, "slides.pdf", data)
    work = asyncio.create_task(run_job(storage, student, UUID(taken["job_id"])))
    await until_indexing(executor, student, taken["job_id"], page=1)
    await call(executor, student, "cancel_job", job_id=taken["job_id"])
    await awaited(work, "the job to stop", SOON)
    job = await call(executor, student, "get_job", job_id=taken["job_id"])
    material = await call(executor, student, "get_material", material_id=taken["material_id"])
    assert (job["status"], material["status"]) == ("cancelled", "cancelled")
    words = await call(executor, student, "search_materials", query="wave equation")
    assert words["hits"]
    await call(executor, student, "retry_job", job_id=taken["job_id"])
    await run_job(storage, student, UUID(taken["job_id"]))
    material = await call(executor, student, "get_material", material_id=taken["material_id"])
    assert material["status"] == "ready"


def encrypted_pdf() -> bytes:
    document = mupdf.open()
    document.new_page().insert_text((72, 72), "secret")
    data: bytes = document.tobytes(encryption=mupdf.PDF_ENCRYPT_AES_256, user_pw="x", owner_pw="y")
    return data


UGLY = {
    "encrypted.pdf": (encrypted_pdf, "encrypted"),
    "cut.pdf": (lambda: shared("docs/dpr_paper_two_column_13p.pdf").read_bytes()[:2000], "corrupt"),
}


@pytest.mark.parametrize("name", UGLY)
async def test_an_ugly_file_ends_as_failed_with_a_sentence(
    storage: Storage, executor: Executor, student: Principal, name: str
) -> None:
    make, code = UGLY[name]
    taken = await upload(storage, executor, student, name, make())
    await run_job(storage, student, UUID(taken["job_id"]))
    material = await call(executor, student, "get_material", material_id=taken["material_id"])
    job = await call(executor, student, "get_job", job_id=taken["job_id"])
    assert (material["status"], job["status"]) == ("failed", "failed")
    assert material["error_code"] == code
    assert " " in material["error"]
    assert material["error"].endswith(".")
    assert (await call(executor, student, "search_materials", query="anything at all"))["hits"] == []


async def test_a_job_that_kills_its_worker_again_and_again_is_given_up(
    storage: Storage, executor: Executor, student: Principal
) -> None:
    taken = await upload(storage, executor, student, "poison.txt", b"Poison.")
    async with storage.as_user(student.user_id) as db:
        for _ in range(3):
            assert await db.jobs.claim(UUID(taken["job_id"]), "dies")
    await make_worker(storage, "dies").work(UUID(taken["job_id"]), student.user_id)
    job = await call(executor, student, "get_job", job_id=taken["job_id"])
    assert (job["status"], job["error_code"]) == ("failed", "too_many_attempts")


@pytest.mark.parametrize(
    ("path", "unit", "words"),
    [
        ("docs/docling_ecosystem.pptx", "slide", "docling"),
        ("docs/tables.docx", "section", "table"),
    ],
)
async def test_office_files_become_searchable(
    storage: Storage, executor: Executor, student: Principal, path: str, unit: str, words: str
) -> None:
    file = shared(path)
    taken = await upload(storage, executor, student, file.name, file.read_bytes())
    await run_job(storage, student, UUID(taken["job_id"]))
    read = await call(executor, student, "read_material", material_id=taken["material_id"])
    assert read["unit"] == unit
    found = await call(executor, student, "search_materials", query=words)
    assert found["hits"]
