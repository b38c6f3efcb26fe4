"""The second half of reading a material: chunks → vectors, batch by batch. From the last one on meaning can be searched.

A batch is a transaction that locks its chunks while they are embedded: no other worker takes them meanwhile, a killed one
lets go of them, and a deletion that forgets vectors waits until these stand, so that it removes them too. Vectors are
upserted by chunk id. A batch that a material does not fill takes in chunks of others, so that a hundred notes are a few batches.
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from storage.models import Material
from storage.repositories.materials import embedding_text
from storage.repositories.reading import WaitingChunk
from storage.resources import Storage
from storage.vectors.names import collection_name
from storage.vectors.writer import VectorWriter
from tools.worker import GiveWay, RunningJob

CHUNKS_A_STEP = 32
LANES = os.cpu_count() or 1
"""Batches embedded at the same time: one thread a batch scales better than several threads in one."""
UNITS = {"span": "minute"}
"""What a segment is called where its kind is no word of a student's."""
ELSEWHERE_SECONDS = 0.3
"""Pause while another worker embeds the last of the chunks."""


class Vectors:
    """Embeds what has no vector yet."""

    def __init__(self, storage: Storage, writer: VectorWriter) -> None:
        self._storage = storage
        self._writer = writer

    async def __call__(self, running: RunningJob, material: Material) -> bool:
        """Every chunk of the material. False when some are left: another worker is at them. Raises GiveWay or Stopped."""
        if await self._batch(running, material):
            await self._lanes(running, material)
        async with self._storage.as_user(running.user_id, read_only=True) as db:
            return not await db.reading.is_waiting(material.id)

    async def _lanes(self, running: RunningJob, material: Material) -> None:
        over = asyncio.Event()

        async def lane() -> None:
            try:
                while not over.is_set():
                    running.check()
                    if await running.is_held_up():
                        raise GiveWay(running.job.priority)
                    if not await self._batch(running, material):
                        return
            finally:
                over.set()

        # A lane that fails is waited for by the others: nothing may write vectors after this has returned.
        ends = await asyncio.gather(*(lane() for _ in range(LANES)), return_exceptions=True)
        for error in filter(None, ends):
            raise error

    async def _batch(self, running: RunningJob, material: Material) -> bool:
        """Embed some chunks. False when that was the last of the material that could be had."""
        async with self._storage.as_user(running.user_id) as db:
            waiting = await db.reading.chunks_to_embed(material.id, CHUNKS_A_STEP)
            for name, group in groupby(sorted(waiting, key=collection_of), collection_of):
                await asyncio.to_thread(self._embed, name, list(group), running.check)
            await db.reading.mark_embedded([w.chunk.id for w in waiting], self._storage.embedder.name)
        own = [w.number for w in waiting if w.material.id == material.id]
        if own:
            unit = UNITS.get(material.segment_kind or "page", material.segment_kind)
            last = material.page_count or 1
            await running.progress(own[-1], last, f"Indexing {unit} {own[-1]} of {last}")
        return len(own) == CHUNKS_A_STEP

    def _embed(self, name: str, waiting: Sequence[WaitingChunk], check: Callable[[], None]) -> None:
        home = waiting[0].home
        about = {"user_id": str(home.user_id), "class_id": str(home.id), "class_name": home.name}
        ids = [w.chunk.id for w in waiting]
        texts = [embedding_text(w.chunk.heading_path, w.chunk.text) for w in waiting]
        self._writer.add(name, about, ids, texts, [self._metadata(w) for w in waiting], check)

    def _metadata(self, waiting: WaitingChunk) -> dict[str, Any]:
        chunk, material = waiting.chunk, waiting.material
        return {
            "user_id": str(material.user_id),
            "class_id": str(material.class_id),
            "material_id": str(material.id),
            "title": material.title,
            "kind": material.kind,
            material.segment_kind or "page": waiting.number,
            "chunk_index": chunk.ordinal,
            "content_type": chunk.type,
            "created_at": chunk.created_at.isoformat(),
            "embedding_model": self._storage.embedder.name,
        }

    async def forget_replaced(self, running: RunningJob, material: Material) -> None:
        """Remove the vectors of chunks that the material had before it was read again."""
        async with self._storage.as_user(running.user_id, read_only=True) as db:
            home = await db.classes.by_id(material.class_id)
            standing = set(await db.materials.chunk_ids(material.id))
        if home is not None:
            name = collection_name(home.collection_prefix, material.kind)
            there = await self._storage.vectors.of_material(name, material.id)
            await self._storage.vectors.delete(name, list(there - standing))


def collection_of(waiting: WaitingChunk) -> str:
    return collection_name(waiting.home.collection_prefix, waiting.material.kind)
