"""What reading material costs: memory whatever the file, how a chat turn fares meanwhile, many small notes, cancelling."""

import asyncio
import time
import wave
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, cast
from uuid import uuid4

import httpx
import psutil
import pymupdf

from benchmarks.chatting import turn
from benchmarks.data import BOOK, shared
from benchmarks.memory import roles, sizes_of
from benchmarks.questions import QUESTIONS
from benchmarks.reading import CLASS_NAME, POLL_SECONDS, tool, upload
from benchmarks.report import Aim, Section
from benchmarks.server import Server

TURNS = 12
NOTES = 100
UPLOADS_AGAIN = 9
SAMPLE_SECONDS = 0.25
MOST_MEGABYTES = 700
PATIENCE = 3600.0
SCAN, SCANS = "docs/scan_loremipsum_1p.pdf", 6
SPEECH = "audio/arctic_a0024.wav"
FINAL = ("succeeded", "failed", "cancelled")


class Sampler:
    """The most that the worker and its reader child held together, in megabytes."""

    def __init__(self, server: Server) -> None:
        self.pss = self.rss = self.idle = 0.0
        self.samples = 0
        self._server = server

    @asynccontextmanager
    async def running(self) -> AsyncGenerator["Sampler"]:
        self.idle = (await asyncio.to_thread(self._size))[0]
        task = asyncio.create_task(self._sample())
        try:
            yield self
        finally:
            task.cancel()

    async def _sample(self) -> None:
        while True:
            pss, rss = await asyncio.to_thread(self._size)
            self.pss, self.rss, self.samples = max(self.pss, pss), max(self.rss, rss), self.samples + 1
            await asyncio.sleep(SAMPLE_SECONDS)

    def _size(self) -> tuple[float, float]:
        sizes = []
        for process in roles(self._server.process.pid, self._server.data_dir)["worker"]:
            try:
                sizes.append(sizes_of(process))
            except psutil.Error:  # a reader child that has just ended
                continue
        return sum(pss for pss, _ in sizes), sum(rss for _, rss in sizes)


async def measure_ingesting(server: Server, folder: Path, pages: int, hours: float) -> list[Section]:
    """`pages` of the large book, `hours` of the recording; 0 leaves either out. The server runs and its folder is empty."""
    async with server.client() as client:
        await tool(client, "create_class", name=CLASS_NAME)
        book = shared(BOOK)
        memory = Section(
            "ingest_memory", "Memory of worker and reader child", ["peak PSS MB", "peak RSS MB", "s"]
        )
        async with Sampler(server).running() as seen:
            began = time.monotonic()
            await ready(client, (await upload(client, book)).answer["job_id"])
            memory.rows[f"{book.name}"] = [seen.pss, seen.rss, time.monotonic() - began]
            memory.notes.append(f"before the first file: {seen.idle:.0f} MB (PSS)")
        chat = Section("ingest_chat", "Chat turn", ["p50 ms", "ratio"])
        idle = await turns(client, lambda: True)
        chat.rows["idle"] = [median(idle) * 1000, 1.0]
        if pages:
            await large_book(server, client, book_of(folder, book, pages), memory, chat, median(idle))
        if hours:
            await recording(server, client, speech_of(folder, hours), memory)
        memory.aims = [Aim(row, "peak PSS MB", MOST_MEGABYTES) for row in memory.rows]
        return [
            memory,
            chat,
            await notes(client),
            await cancelling(client, folder),
            await again(client, book),
        ]


async def large_book(
    server: Server, client: httpx.AsyncClient, path: Path, memory: Section, chat: Section, idle: float
) -> None:
    """Chat turns while the book is read and indexed, and the memory until it is ready."""
    async with Sampler(server).running() as seen:
        began = time.monotonic()
        job_id = (await upload(client, path)).answer["job_id"]
        ended = asyncio.create_task(ready(client, job_id))
        busy = await turns(client, lambda: not ended.done())
        await ended
        memory.rows[path.name] = [seen.pss, seen.rss, time.monotonic() - began]
    row = f"while {path.name} is read"
    chat.rows[row] = [median(busy) * 1000, median(busy) / idle]
    chat.aims = [Aim(row, "ratio", 2.0)]
    chat.notes.append(f"{len(busy)} turns with the built-in model, each in a conversation of its own")


async def turns(client: httpx.AsyncClient, wanted: Callable[[], bool]) -> list[float]:
    """Seconds of each turn."""
    await turn(client, str(uuid4()), QUESTIONS[0])
    return [(await turn(client, str(uuid4()), q)).end for q in QUESTIONS[:TURNS] if wanted()]


async def recording(server: Server, client: httpx.AsyncClient, path: Path, memory: Section) -> None:
    async with Sampler(server).running() as seen:
        began = time.monotonic()
        await ready(client, (await upload(client, path)).answer["job_id"])
        memory.rows[path.name] = [seen.pss, seen.rss, time.monotonic() - began]


async def ready(client: httpx.AsyncClient, job_id: str) -> None:
    """Wait for the end of a job. Raises RuntimeError when it did not succeed."""
    job = await until(client, job_id, has_ended)
    if job["status"] != "succeeded":
        raise RuntimeError(f"The job ended as {job['status']}: {job['error']}")


async def until(
    client: httpx.AsyncClient,
    job_id: str,
    wanted: Callable[[dict[str, Any]], bool],
    pause: float = POLL_SECONDS,
) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE):
        while True:
            job = await tool(client, "get_job", job_id=job_id)
            if wanted(job):
                return job
            await asyncio.sleep(pause)


def has_ended(job: dict[str, Any]) -> bool:
    return job["status"] in FINAL


def is_at(doing: str, job: dict[str, Any]) -> bool:
    return has_ended(job) or doing in (job["message"] or "")


async def notes(client: httpx.AsyncClient) -> Section:
    """A hundred notes of a sentence or two, added one after the other."""
    began = time.monotonic()
    for n in range(NOTES):
        text = f"Note {n}: {QUESTIONS[n % len(QUESTIONS)]} See the lecture of week {n % 12}."
        last = await tool(client, "add_text", class_id=CLASS_NAME, title=f"Note {n}", text=text)
    added = time.monotonic() - began
    section = Section("ingest_notes", f"{NOTES} tiny notes", ["s"], rows={"added": [added]})
    await until_counted(client, ("queued", "processing"), 0)
    section.rows["all searchable by words"] = [time.monotonic() - began]
    await until_counted(client, ("queued", "processing", "searchable"), 0)
    section.rows["all ready"] = [time.monotonic() - began]
    await ready(client, last["job_id"])
    return section


async def until_counted(client: httpx.AsyncClient, statuses: tuple[str, ...], most: int) -> None:
    """Wait until at most so many materials have one of the statuses."""
    async with asyncio.timeout(PATIENCE):
        while True:
            lists = [await tool(client, "list_materials", status=status, limit=1) for status in statuses]
            if sum(found["total"] for found in lists) <= most:
                return
            await asyncio.sleep(POLL_SECONDS)


async def cancelling(client: httpx.AsyncClient, folder: Path) -> Section:
    """From the request until the job has ended, in the middle of text recognition and of indexing."""
    section = Section("ingest_cancel", "Cancelling", ["s"])
    scans = book_of(folder, shared(SCAN), SCANS)
    for path, doing in ((scans, "Reading page"), (book_of(folder, shared(BOOK), 60), "Indexing")):
        job_id = (await upload(client, path)).answer["job_id"]
        job = await until(client, job_id, partial(is_at, doing), 0.01)
        if has_ended(job):
            section.notes.append(f"{path.name} was over before it could be cancelled: {job['error']}")
            continue
        began = time.monotonic()
        await tool(client, "cancel_job", job_id=job_id)
        await until(client, job_id, has_ended, 0.01)
        section.rows[f"while {doing.lower()}"] = [time.monotonic() - began]
    section.aims = [Aim(row, "s", 1.0) for row in section.rows]
    return section


async def again(client: httpx.AsyncClient, book: Path) -> Section:
    """The same bytes, which are there already."""
    seconds = [(await upload(client, book)).seconds for _ in range(UPLOADS_AGAIN)]
    section = Section(
        "ingest_again", "The same bytes again", ["ms"], rows={"median": [median(seconds) * 1000]}
    )
    section.aims = [Aim("median", "ms", 50)]
    return section


def book_of(folder: Path, source: Path, pages: int) -> Path:
    """A PDF of so many pages: those of another one, again and again."""
    mupdf = cast(Any, pymupdf)
    made = mupdf.open()
    with mupdf.open(source) as book:
        while len(made) < pages:
            made.insert_pdf(book, to_page=min(len(book), pages - len(made)) - 1)
    path = folder / f"{source.stem}_{pages}_pages.pdf"
    made.save(path, garbage=3)
    return path


def speech_of(folder: Path, hours: float) -> Path:
    """A recording of so many hours: the same speech again and again, 16 kHz mono."""
    with wave.open(str(shared(SPEECH))) as speech:
        spoken = speech.readframes(speech.getnframes()) + bytes(16000)
    left = round(hours * 3600 * 16000 * 2)
    path = folder / f"speech_{hours:g}_hours.wav"
    with wave.open(str(path), "wb") as made:
        made.setnchannels(1)
        made.setsampwidth(2)
        made.setframerate(16000)
        while left > 0:
            made.writeframes(spoken[:left])
            left -= len(spoken)
    return path
