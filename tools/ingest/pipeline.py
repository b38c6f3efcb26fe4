"""From a stored file to a searchable material, in steps that can each be taken up again.

1. extract: pages become segments, a batch a transaction; a new attempt goes on after the last one stored
2. chunk: all chunks and the inverted index in one transaction; from then on words can be searched
3. embed: batches of chunks without a vector, upserted by chunk id; from the last one on meaning can be searched too
"""

import asyncio
import os
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import asdict
from itertools import islice
from typing import Any
from uuid import UUID

from storage.files import Stored
from storage.models import Chunk as ChunkRow
from storage.models import Class, Job, Material, MaterialSegment
from storage.repositories.materials import embedding_text
from storage.resources import Storage
from storage.vectors.names import collection_name
from storage.vectors.writer import VectorWriter
from tools.ingest.chunking import chunk
from tools.ingest.opening import open_document
from tools.ingest.segments import Block, Chunk, ContentType, Extractor, Refusal, Segment, SegmentKind
from tools.worker import JobFailed, RunningJob, Stopped

SEGMENTS_A_STEP = 20
CHUNKS_A_STEP = 32
LANES = os.cpu_count() or 1
"""Batches embedded at the same time: one thread a batch scales better than several threads in one."""


class Ingestion:
    """Handler of the job that reads a material."""

    def __init__(self, storage: Storage, writer: VectorWriter) -> None:
        self._storage = storage
        self._writer = writer

    async def __call__(self, running: RunningJob) -> None:
        """Raises JobFailed for a file that cannot be used, Stopped when cancelled; anything else is worth a retry."""
        material = await self._material(running)
        try:
            await self._words(running, material)
            await self._embed(running, await self._material(running))
        except (Stopped, JobFailed):
            await self._clear_if_deleted(material)
            raise

    async def _words(self, running: RunningJob, material: Material) -> None:
        if material.chunk_count == 0:
            try:
                await self._extract(running, material)
            except Refusal as refusal:
                raise JobFailed(refusal.code, str(refusal)) from refusal

    async def _clear_if_deleted(self, material: Material) -> None:
        """A batch in flight may have written vectors after the material was deleted."""
        async with self._storage.as_user(material.user_id) as db:
            row = await db.materials.by_id(material.id)
            if row is None or row.deleted_at is None:
                return
            target = await db.classes.by_id(material.class_id)
            ids = await db.materials.forget_vectors(material.id)
        if target is not None:
            await self._storage.vectors.delete(collection_name(target.collection_prefix, material.kind), ids)

    async def _material(self, running: RunningJob) -> Material:
        async with self._storage.as_user(running.user_id, read_only=True) as db:
            material = await db.materials.by_id(running.job.material_id) if running.job.material_id else None
        if material is None or material.deleted_at is not None:
            raise JobFailed("material_deleted", "The material was deleted, so there is nothing left to do.")
        return material

    # --- 1 and 2: words

    async def _extract(self, running: RunningJob, material: Material) -> None:
        async with self._storage.as_user(running.user_id) as db:
            file = await db.materials.file(material.file_id) if material.file_id else None
            await db.materials.set(material.id, status="processing", error=None, error_code=None)
        if file is None:
            raise JobFailed("file_missing", "The file of this material is missing; upload it again.")
        stored = Stored(file.size_bytes, file.sha256)
        async with self._storage.files.as_path(file.object_key, stored) as path:
            document = await asyncio.to_thread(open_document, path, file.filename)
            try:
                await self._segments(running, material, document)
                await self._chunks(running, material, document)
            finally:
                await asyncio.to_thread(document.close)

    async def _segments(self, running: RunningJob, material: Material, document: Extractor) -> None:
        async with self._storage.as_user(running.user_id, read_only=True) as db:
            stored = await db.materials.segment_count(material.id)
        info = document.info
        rest = document.segments(stored)
        while batch := await asyncio.to_thread(take, rest, SEGMENTS_A_STEP):
            running.check()
            rows = [self._segment_row(material, segment) for segment in batch]
            async with self._storage.as_user(running.user_id) as db:
                await db.materials.add_segments(rows)
            total = info.segment_count
            message = f"Reading {info.segment_kind} {batch[-1].number}" + (f" of {total}" if total else "")
            await running.progress(batch[-1].ordinal + 1, total, message)

    def _segment_row(self, material: Material, segment: Segment) -> dict[str, Any]:
        return {
            "id": self._storage.clock.new_id(),
            "user_id": material.user_id,
            "material_id": material.id,
            "ordinal": segment.ordinal,
            "kind": segment.kind.value,
            "number": segment.number,
            "label": segment.label,
            "heading_path": list(segment.heading_path),
            "heading_levels": list(segment.heading_levels),
            "text": segment.text,
            "lines": [list(asdict(line).values()) for line in segment.lines],
            "blocks": [[b.type.value, b.start, b.end, b.level] for b in segment.blocks],
        }

    async def _chunks(self, running: RunningJob, material: Material, document: Extractor) -> None:
        segments: list[Segment] = []
        async with self._storage.as_user(running.user_id, read_only=True) as db:
            count = await db.materials.segment_count(material.id)
            for first in range(0, count, 200):
                segments += map(as_segment, await db.materials.segments(material.id, first, first + 199))
        chunks = await asyncio.to_thread(lambda: list(chunk(segments, self._storage.embedder)))
        if not chunks:
            raise JobFailed("no_text", "There is no text in this file that could be read.")
        running.check()
        rows = [self._chunk_row(material, piece) for piece in chunks]
        async with self._storage.as_user(running.user_id) as db:
            if material.file_id:
                await db.materials.set_media_type(material.file_id, document.info.media_type)
            await db.materials.replace_chunks(material, rows)
            await db.materials.set(
                material.id,
                status="searchable",
                segment_kind=document.info.segment_kind.value,
                page_count=count,
                word_count=sum(piece.word_count for piece in chunks),
                chunk_count=len(chunks),
                language=document.info.language,
            )

    def _chunk_row(self, material: Material, piece: Chunk) -> dict[str, Any]:
        return {
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
        }

    # --- 3: meaning

    async def _embed(self, running: RunningJob, material: Material) -> None:
        async with self._storage.as_user(running.user_id, read_only=True) as db:
            target = await db.classes.resolve(str(material.class_id))
        numbers = await self._numbers(running.user_id, material)
        unit = material.segment_kind or "page"
        last = material.page_count or 1
        batches = self._batches(material)
        next_one, over = asyncio.Lock(), asyncio.Event()

        async def lane() -> None:
            try:
                while not over.is_set():
                    async with next_one:
                        batch = await anext(batches, None)
                    if not batch:
                        return
                    running.check()
                    await self._embed_batch(material, target, numbers, batch)
                    place = numbers.get(batch[-1].segment, 0)
                    await running.progress(place, last, f"Indexing {unit} {place} of {last}")
            finally:
                over.set()

        # A lane that fails is waited for by the others: nothing may write vectors after this has returned.
        ends = await asyncio.gather(*(lane() for _ in range(LANES)), return_exceptions=True)
        for error in filter(None, ends):
            raise error
        await self._ready(running, material)

    async def _batches(self, material: Material) -> AsyncGenerator[Sequence[ChunkRow]]:
        """Chunks whose vector is missing, in their order."""
        after = -1
        while True:
            async with self._storage.as_user(material.user_id, read_only=True) as db:
                waiting = await db.materials.chunks_to_embed(material.id, after, CHUNKS_A_STEP * LANES)
            if not waiting:
                return
            after = waiting[-1].ordinal
            for start in range(0, len(waiting), CHUNKS_A_STEP):
                yield waiting[start : start + CHUNKS_A_STEP]

    async def _numbers(self, user_id: UUID, material: Material) -> dict[int, int]:
        """Page, slide or section number by segment ordinal."""
        async with self._storage.as_user(user_id, read_only=True) as db:
            return await db.materials.segment_numbers(material.id)

    async def _embed_batch(
        self, material: Material, target: Class, numbers: dict[int, int], rows: Sequence[ChunkRow]
    ) -> None:
        about = {"user_id": str(material.user_id), "class_id": str(target.id), "class_name": target.name}
        metadatas = [self._metadata(material, numbers, row) for row in rows]
        name = collection_name(target.collection_prefix, material.kind)
        ids, texts = [row.id for row in rows], [embedding_text(row.heading_path, row.text) for row in rows]
        await asyncio.to_thread(self._writer.add, name, about, ids, texts, metadatas)
        async with self._storage.as_user(material.user_id) as db:
            await db.materials.mark_embedded(ids, self._storage.embedder.name)

    def _metadata(self, material: Material, numbers: dict[int, int], row: ChunkRow) -> dict[str, Any]:
        return {
            "user_id": str(material.user_id),
            "class_id": str(material.class_id),
            "material_id": str(material.id),
            "title": material.title,
            "kind": material.kind,
            material.segment_kind or "page": numbers.get(row.segment, 0),
            "chunk_index": row.ordinal,
            "content_type": row.type,
            "created_at": row.created_at.isoformat(),
            "embedding_model": self._storage.embedder.name,
        }

    async def _ready(self, running: RunningJob, material: Material) -> None:
        """The material is complete, unless it was deleted while its last vectors were written."""
        async with self._storage.as_user(running.user_id) as db:
            row = await db.materials.by_id(material.id)
            if row is None or row.deleted_at is not None:
                raise JobFailed("material_deleted", "The material was deleted while it was being indexed.")
            await db.materials.set(material.id, status="ready", embedding_model=self._storage.embedder.name)
        total = material.page_count or 1
        await running.progress(total, total, "Ready", force=True)


def take(segments: Iterator[Segment], count: int) -> list[Segment]:
    return list(islice(segments, count))


def as_segment(row: MaterialSegment) -> Segment:
    """A stored segment as chunking needs it; lines are only for drawing."""
    return Segment(
        ordinal=row.ordinal,
        kind=SegmentKind(row.kind),
        number=row.number,
        text=row.text,
        label=row.label,
        heading_path=tuple(row.heading_path),
        heading_levels=tuple(row.heading_levels),
        blocks=tuple(Block(ContentType(t), start, end, level) for t, start, end, level in row.blocks),
    )


async def note_end(storage: Storage, job: Job, status: str, code: str | None, sentence: str | None) -> None:
    """Put the end of an ingest job that did not succeed on its material."""
    if job.material_id is not None:
        async with storage.as_user(job.user_id) as db:
            await db.materials.set(job.material_id, status=status, error_code=code, error=sentence)
