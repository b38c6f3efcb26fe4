"""The first half of reading a material: pages → segments → chunks and inverted index. Then its words can be searched.

Segments are staged while the file is read, a batch a transaction, so that a new attempt goes on after the last one. They
take the place of the old ones together with the chunks: what stood can be searched until then, and nothing half-read is.
"""

import asyncio
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from typing import Any

from storage.files import Stored
from storage.models import Material, MaterialSegment
from storage.resources import Storage
from tools.ingest.chunking import chunk
from tools.ingest.language import forget, text_config, with_languages
from tools.ingest.reader import wire
from tools.ingest.reader.process import ReaderDied
from tools.ingest.reader.reader import Document, Reader
from tools.ingest.segments import (
    Block,
    Chunk,
    ContentType,
    DocumentInfo,
    Line,
    Refusal,
    Segment,
    SegmentKind,
    Word,
)
from tools.worker import GiveWay, JobFailed, RunningJob, TryAgain

BATCH_SEGMENTS = 20
BATCH_SECONDS = 1.0
SEGMENTS_A_STEP = 50
"""Cut into chunks at a time: a fraction of a second."""
WORTH_NOTING_SECONDS = 5.0
"""Reading that took so long is not done again when the job stops behind it."""
LOST_PAGES = 8
"""Pages of one file that may kill its reader before it is given up."""
NAMED_PAGES = 5

BREAKS_THE_READER = "This file breaks the program that reads it. Open it, save it again or print it to a PDF, and upload that."


class Words:
    """Makes a material searchable by its words."""

    def __init__(self, storage: Storage, reader: Reader) -> None:
        self._storage = storage
        self._reader = reader

    async def __call__(self, running: RunningJob, material: Material) -> None:
        """Raises JobFailed for a file that cannot be used, TryAgain when it killed its reader, GiveWay or Stopped."""
        if "read" in running.job.arguments:
            info = wire.checked_info(running.job.arguments["read"])
        else:
            began = time.monotonic()
            info = await running.unless_halted(self._read(running, material))
            if time.monotonic() - began > WORTH_NOTING_SECONDS:
                await running.remember(read=wire.packed_info(info))
        await self._cut(running, material, info)

    # --- pages to segments

    async def _read(self, running: RunningJob, material: Material) -> DocumentInfo:
        async with self._storage.as_user(running.user_id) as db:
            file = await db.materials.file(material.file_id) if material.file_id else None
            if "begun" not in running.job.arguments:
                await db.reading.drop_staged(material.id)
                await db.materials.set(material.id, status="processing", error=None, error_code=None)
                await db.jobs.remember(running.job.id, begun=True)
            first = await db.reading.staged_count(material.id)
        if file is None:
            raise JobFailed("file_missing", "The file of this material is missing; upload it again.")
        stored = Stored(file.size_bytes, file.sha256)
        staging = Staging(self._storage, running, material, first)
        try:
            async with self._storage.files.as_path(file.object_key, stored) as path:
                async with self._reader.open(path, file.filename) as document:
                    if document.info.segment_kind is SegmentKind.SPAN:
                        forget()  # 59 MB, which the speech model needs more
                    is_complete = await staging.take(document)
        except Refusal as refusal:
            raise JobFailed(refusal.code, str(refusal)) from refusal
        except ReaderDied as died:
            await staging.flush()
            raise await self._lost(running, died, has_progressed=staging.stored > first) from died
        if not is_complete:
            raise GiveWay(running.job.priority)
        return document.info

    async def _lost(self, running: RunningJob, died: ReaderDied, *, has_progressed: bool) -> Exception:
        """Note the page that killed the reader, so that the next attempt leaves it out."""
        lost = set(running.job.arguments.get("skip", ()))
        if died.ordinal is not None:
            lost.add(died.ordinal)
            await running.remember(skip=sorted(lost))
        if len(lost) > LOST_PAGES:
            return JobFailed("breaks_the_reader", BREAKS_THE_READER)
        return TryAgain("breaks_the_reader", BREAKS_THE_READER, is_counted=not has_progressed)

    # --- segments to chunks

    async def _cut(self, running: RunningJob, material: Material, info: DocumentInfo) -> None:
        made: list[Chunk] = []
        count, is_last = 0, False
        while not is_last:
            running.check()
            async with self._storage.as_user(running.user_id, read_only=True) as db:
                rows = await db.reading.staged(material.id, count, count + SEGMENTS_A_STEP - 1)
            made += await asyncio.to_thread(self._chunks_of, rows, len(made))
            count += len(rows)
            is_last = len(rows) < SEGMENTS_A_STEP
        if not made:
            raise JobFailed("no_text", "There is no text in this file that could be read.")
        chunks, language = await asyncio.to_thread(with_languages, made, info.language)
        running.check()
        async with self._storage.as_user(running.user_id) as db:
            lost = await db.reading.unreadable(material.id)
            if material.file_id:
                await db.materials.set_media_type(material.file_id, info.media_type)
            await db.materials.replace_chunks(material, self._rows(material, chunks))
            await db.reading.let_staged_stand(material.id)
            await db.materials.set(
                material.id,
                status="searchable",
                segment_kind=info.segment_kind.value,
                page_count=count,
                word_count=sum(piece.word_count for piece in chunks),
                chunk_count=len(chunks),
                language=language,
                author=material.author or info.author,
                duration_seconds=info.duration_seconds,
                embedding_model=None,
                notice=" ".join(filter(None, (info.notice, lost_pages(info.segment_kind, lost)))) or None,
            )
            await db.jobs.words_stand(running.job.id)
        running.job.arguments = running.job.arguments | {"words": True}
        running.job.priority -= 1

    def _chunks_of(self, rows: Sequence[MaterialSegment], first_ordinal: int) -> list[Chunk]:
        return list(chunk(map(as_segment, rows), self._storage.embedder, first_ordinal))

    def _rows(self, material: Material, chunks: Sequence[Chunk]) -> Iterator[dict[str, Any]]:
        for piece in chunks:
            yield {
                "id": self._storage.clock.new_id(),
                "user_id": material.user_id,
                "class_id": material.class_id,
                "material_id": material.id,
                "ordinal": piece.ordinal,
                "segment": piece.segment,
                "type": piece.type.value,
                "text": piece.text,
                "char_start": piece.start,
                "char_end": piece.end,
                "heading_path": list(piece.heading_path),
                "token_count": piece.token_count,
                "word_count": piece.word_count,
                "language": piece.language,
                "text_config": text_config(piece.language),
            }


class Staging:
    """Stores segments as they are read, a batch a transaction, and tells how far reading is."""

    def __init__(self, storage: Storage, running: RunningJob, material: Material, first: int) -> None:
        self.stored = first
        """Segments that are stored."""
        self._storage = storage
        self._running = running
        self._material = material
        self._batch: list[Segment] = []
        self._flushed = self._began = time.monotonic()

    async def take(self, document: Document) -> bool:
        """All segments that are not stored yet. False when the job has to give way before the end."""
        skip = self._running.job.arguments.get("skip", ())
        async with aclosing(document.segments(self.stored, skip)) as segments:
            async for segment in segments:
                self._running.slow_start = self._running.slow_start or time.monotonic() - self._began
                self._batch.append(segment)
                if len(self._batch) >= BATCH_SEGMENTS or time.monotonic() - self._flushed >= BATCH_SECONDS:
                    await self.flush()
                await self._running.progress(*how_far(document.info, segment))
                if await self._running.is_held_up():
                    await self.flush()
                    return False
        await self.flush()
        return True

    async def flush(self) -> None:
        rows = [segment_row(self._storage, self._material, segment) for segment in self._batch]
        async with self._storage.as_user(self._running.user_id) as db:
            await db.materials.add_segments(rows)
        self.stored += len(rows)
        self._batch, self._flushed = [], time.monotonic()


def how_far(info: DocumentInfo, segment: Segment) -> tuple[int, int | None, str]:
    """Done, total and message of a job that has read this segment."""
    if info.segment_kind is SegmentKind.SPAN:
        total = math.ceil(info.duration_seconds / 60) if info.duration_seconds else info.segment_count
        done = math.ceil((segment.t_end or 0) / 60) or segment.number
        message = f"Listening: minute {done}"
    else:
        total, done = info.segment_count, segment.ordinal + 1
        message = f"Reading {info.segment_kind} {segment.number}"
    return done, total, message + (f" of {total}" if total else "")


def lost_pages(kind: SegmentKind, numbers: Sequence[int]) -> str | None:
    """One sentence that names the pages of which nothing could be read."""
    if not numbers:
        return None
    unit = "Part" if kind is SegmentKind.SPAN else kind.value.capitalize()
    named = [str(number) for number in numbers[:NAMED_PAGES]]
    if len(numbers) > NAMED_PAGES:
        named.append(f"{len(numbers) - NAMED_PAGES} more")
    listed = " and ".join(filter(None, (", ".join(named[:-1]), named[-1])))
    return f"{unit}{'s' if len(numbers) > 1 else ''} {listed} could not be read."


def segment_row(storage: Storage, material: Material, segment: Segment) -> dict[str, Any]:
    packed = wire.packed_segment(segment)
    return packed | {
        "id": storage.clock.new_id(),
        "user_id": material.user_id,
        "material_id": material.id,
        "heading_path": list(segment.heading_path),
        "heading_levels": list(segment.heading_levels),
        "staged": True,
    }


def as_segment(row: MaterialSegment) -> Segment:
    return Segment(
        ordinal=row.ordinal,
        kind=SegmentKind(row.kind),
        number=row.number,
        text=row.text,
        label=row.label,
        heading_path=tuple(row.heading_path),
        heading_levels=tuple(row.heading_levels),
        blocks=tuple(Block(ContentType(t), start, end, level) for t, start, end, level in row.blocks),
        lines=tuple(Line(*line) for line in row.lines),
        t_start=row.t_start,
        t_end=row.t_end,
        words=tuple(Word(*word) for word in row.words),
        notice=row.notice,
    )
