"""From a stored file to a searchable material, in steps that can each be taken up again: words, vectors, figures.

Words come first, for everybody: once they stand, the job goes back to the queue when others wait for theirs.
"""

import asyncio

from storage.models import Material
from storage.resources import Storage
from storage.vectors.writer import VectorWriter
from tools.context import TextModel
from tools.ingest.ending import live
from tools.ingest.figures import Figures
from tools.ingest.reader.reader import Reader
from tools.ingest.summaries import are_wanted, queue_summaries
from tools.ingest.vectors import ELSEWHERE_SECONDS, Vectors
from tools.ingest.words import Words
from tools.worker import GiveWay, RunningJob


class Ingestion:
    """Handler of the job that reads a material.

    Its arguments: `fresh` to read it once more; and, noted on the way, `begun`, `read` (what is known of the document, once
    all of it is read), `skip` (ordinals that kill the reader), `words` (they stand) and `figures` (they do too).
    """

    def __init__(
        self, storage: Storage, writer: VectorWriter, reader: Reader, model: TextModel | None
    ) -> None:
        self._storage = storage
        self._model = model
        self._words = Words(storage, reader)
        self._vectors = Vectors(storage, writer)
        self._figures = Figures(storage, reader)

    async def __call__(self, running: RunningJob) -> None:
        """Raises JobFailed for a file that cannot be used, Stopped when cancelled, GiveWay when something else goes first;
        anything else is worth a retry."""
        material = await self._material(running)
        noted = running.job.arguments
        if "words" not in noted and ("fresh" in noted or not material.chunk_count):
            await self._words(running, material)
            if await running.is_held_up(at_once=True):
                raise GiveWay(running.job.priority)
            material = await self._material(running)
        if "fresh" in noted:
            await self._vectors.forget_replaced(running, material)
        while not await self._vectors(running, material):
            await asyncio.sleep(ELSEWHERE_SECONDS)
            material = await self._material(running)
        if "words" in running.job.arguments and "figures" not in noted:
            await self._figures(running, material)
        await self._ready(running, material)

    async def _material(self, running: RunningJob) -> Material:
        async with self._storage.as_user(running.user_id, read_only=True) as db:
            return await live(db, running.job.material_id)

    async def _ready(self, running: RunningJob, material: Material) -> None:
        """The material is complete, unless it was deleted meanwhile. Summaries may follow."""
        to_be_summarised = await are_wanted(self._storage, self._model)
        async with self._storage.as_user(running.user_id) as db:
            await live(db, running.job.material_id)
            await db.materials.set(
                material.id,
                status="ready",
                embedding_model=self._storage.embedder.name,
                processed_at=self._storage.clock.now(),
            )
            if to_be_summarised:
                await queue_summaries(self._storage, db, running.user_id, material.id)
        total = material.page_count or 1
        await running.progress(total, total, "Ready", force=True)
