"""Reading the same textbook in this process with a stopwatch at every stage, and what the embedding model alone needs.

The pipeline is the real one. Stages that run in several lanes at the same time add up to more than the wall time.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from threading import Lock
from typing import Any
from unittest.mock import patch
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from benchmarks.report import Aim, Section
from benchmarks.tools_in_process import Inside
from storage.embeddings import Embedder
from storage.models import Job
from storage.repositories import Repositories
from storage.repositories.materials import MaterialRepository
from storage.resources import Storage
from storage.vectors.writer import VectorWriter
from tools.ingest import words
from tools.ingest.chunking import chunk
from tools.ingest.pipeline import Ingestion
from tools.ingest.reader.process import ChildProcess
from tools.ingest.reader.reader import Reader
from tools.ingest.service import make_reader
from tools.ingest.vectors import LANES
from tools.intake import INGEST, once, receive
from tools.worker import RunningJob, Worker

CLASS_NAME = "Numerics by stages"
EXTRACT = "wait for the reader child"
CHUNK = "chunk"
WRITE_SEGMENTS = "write segments"
WRITE_CHUNKS = "write chunks and postings"
EMBED = "embed, sum of lanes"
UPSERT = "Chroma upsert, sum of lanes"
DATABASE = "all transactions, sum of lanes"


class Stopwatch:
    """Adds up seconds by stage, from any thread."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._lock = Lock()

    def add(self, stage: str, seconds: float) -> None:
        with self._lock:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + seconds

    @contextmanager
    def time(self, stage: str) -> Generator[None]:
        began = time.monotonic()
        try:
            yield
        finally:
            self.add(stage, time.monotonic() - began)


class TimedEmbedder:
    """The process's embedder; remembers the batches that it was given."""

    def __init__(self, inner: Embedder, watch: Stopwatch) -> None:
        self.name = inner.name
        self.batches: list[Sequence[str]] = []
        self._inner = inner
        self._watch = watch

    def embed_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.batches.append(texts)
        with self._watch.time(EMBED):
            return self._inner.embed_documents(texts)

    def embed_query(self, text: str) -> list[float]:
        return self._inner.embed_query(text)


class TimedWriter(VectorWriter):
    """Times whole upserts; what the embedder needs inside of them is taken off later."""

    def __init__(self, url: str, embedder: TimedEmbedder, watch: Stopwatch) -> None:
        super().__init__(url, embedder)
        self._watch = watch

    def add(self, *args: Any, **kwargs: Any) -> None:
        with self._watch.time(UPSERT):
            super().add(*args, **kwargs)


class TimedStorage(Storage):
    """Times whole transactions, begin to commit."""

    watch: Stopwatch

    @asynccontextmanager
    async def as_user(self, user_id: UUID, *, read_only: bool = False) -> AsyncGenerator[Repositories]:
        with self.watch.time(DATABASE):
            async with super().as_user(user_id, read_only=read_only) as db:
                yield db


def timed_storage(storage: Storage, watch: Stopwatch) -> TimedStorage:
    timed = TimedStorage(**{f.name: getattr(storage, f.name) for f in fields(storage)})
    timed.watch = watch
    return timed


@contextmanager
def timed_steps(watch: Stopwatch) -> Generator[None]:
    """Stopwatches around the functions that the pipeline calls."""

    def blocking(stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any) -> Any:
            with watch.time(stage):
                return function(*args)

        return timed

    def waiting(stage: str, function: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def timed(*args: Any) -> Any:
            with watch.time(stage):
                return await function(*args)

        return timed

    with ExitStack() as stack:
        cut = blocking(CHUNK, lambda *args: list(chunk(*args)))
        stack.enter_context(patch.object(words, "chunk", cut))
        for owner, method, stage in (
            (ChildProcess, "hear", EXTRACT),
            (MaterialRepository, "add_segments", WRITE_SEGMENTS),
            (MaterialRepository, "replace_chunks", WRITE_CHUNKS),
        ):
            stack.enter_context(patch.object(owner, method, waiting(stage, getattr(owner, method))))
        yield


@dataclass(frozen=True, slots=True)
class Cost:
    """Wall time, and CPU time of this process in all its threads (not of Postgres and Chroma), in seconds."""

    wall: float
    cpu: float


class Timed:
    """The pipeline as a job's handler that notes what it cost."""

    def __init__(self, storage: Storage, writer: VectorWriter, reader: Reader) -> None:
        self._ingestion = Ingestion(storage, writer, reader, model=None)
        self.cost = Cost(0.0, 0.0)

    async def __call__(self, running: RunningJob) -> None:
        wall, cpu = time.monotonic(), time.process_time()
        await self._ingestion(running)
        self.cost = Cost(time.monotonic() - wall, time.process_time() - cpu)


async def measure_stages(inside: Inside, path: Path) -> Section:
    """No worker may run beside, else it takes the job."""
    content = await asyncio.to_thread(path.read_bytes)
    await inside.call("create_class", name=CLASS_NAME)
    upload_id = await receive(inside.storage, inside.owner, path.name, once(content))
    taken = await inside.call("upload_material", class_id=CLASS_NAME, upload_id=str(upload_id))
    watch = Stopwatch()
    storage = timed_storage(inside.storage, watch)
    embedder = TimedEmbedder(storage.embedder, watch)
    reader = make_reader(storage)
    handler = Timed(storage, TimedWriter(storage.settings.vector_url or "", embedder, watch), reader)
    worker = Worker(storage, "benchmarks", {INGEST: handler}, refuse)
    with timed_steps(watch):
        await worker.work(UUID(taken["job_id"]), inside.owner.user_id)
    await reader.close()
    material = await inside.call("get_material", material_id=taken["material_id"])
    if material["status"] != "ready":
        raise RuntimeError(f"The textbook could not be read: {material['error']}")
    alone = embedding_alone(inside.storage.embedder, embedder.batches)
    return as_section(material, watch.seconds, handler.cost, alone)


async def refuse(job: Job, status: str, code: str | None, sentence: str | None) -> None:
    """What the worker calls for a job that did not succeed."""
    raise RuntimeError(f"The job {job.id} ended as {status}: {code}, {sentence}")


def embedding_alone(embedder: Embedder, batches: Sequence[Sequence[str]]) -> Cost:
    """The same batches in as many threads as the pipeline has lanes, and nothing else."""
    wall, cpu = time.monotonic(), time.process_time()
    with ThreadPoolExecutor(LANES) as pool:
        list(pool.map(embedder.embed_documents, batches))
    return Cost(time.monotonic() - wall, time.process_time() - cpu)


def as_section(material: dict[str, Any], stages: dict[str, float], whole: Cost, alone: Cost) -> Section:
    """`stages[UPSERT]` still holds the embedding inside of it."""
    upsert = stages[UPSERT] - stages[EMBED]
    pages = material["page_count"]
    section = Section("stages", "Stages, in one process", ["s", "ms/page", "CPU s"])
    steps = {**{s: stages[s] for s in (EXTRACT, CHUNK, WRITE_SEGMENTS, WRITE_CHUNKS, EMBED)}, UPSERT: upsert}
    steps |= {DATABASE: stages[DATABASE]}
    section.rows = {stage: [seconds, seconds / pages * 1000] for stage, seconds in steps.items()}
    for name, cost in (("whole job, wall time", whole), ("embedding model alone, wall time", alone)):
        section.rows[name] = [cost.wall, cost.wall / pages * 1000, cost.cpu]
    ratio = [whole.wall / alone.wall, whole.wall / alone.wall, whole.cpu / alone.cpu]
    section.rows["whole job / embedding alone"] = ratio
    section.aims = [Aim("whole job / embedding alone", "s", 1.3)]
    section.notes.append(f"{pages} pages, {material['chunk_count']} chunks, {LANES} lanes")
    section.notes.append(
        "transactions include the writes above, and embedding: its chunks are locked meanwhile"
    )
    section.notes.append("CPU: this process only; steadier than wall time when the machine is busy")
    return section
