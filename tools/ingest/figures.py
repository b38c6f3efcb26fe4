"""Figures: cut out of the document, kept in the file store, and linked to the chunk that they stand beside."""

from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog

from storage.files import Stored, file_key
from storage.models import Chunk as ChunkRow
from storage.models import File, Material
from storage.resources import Storage
from tools.ingest.passages import chunk_beside
from tools.ingest.reader.process import ReaderDied
from tools.ingest.reader.reader import Reader
from tools.ingest.segments import Chunk, ContentType, FoundFigure, Refusal
from tools.intake import once, plain_name
from tools.worker import RunningJob

log = structlog.get_logger()

MOST_FIGURES = 500
MOST_BYTES = 100 << 20
"""Of all pictures of one material."""
SUFFIXES = {"image/png": ".png", "image/jpeg": ".jpg"}


class Figures:
    """Replaces the figures of a material as a whole."""

    def __init__(self, storage: Storage, reader: Reader) -> None:
        self._storage = storage
        self._reader = reader

    async def __call__(self, running: RunningJob, material: Material) -> None:
        """A document that cannot give its figures, or not all of them, goes without: its text stands by now.

        Raises Stopped. Pictures of an attempt that was stopped belong to nothing; the store's collector removes them.
        """
        async with self._storage.as_user(running.user_id, read_only=True) as db:
            file = await db.materials.file(material.file_id) if material.file_id else None
        if file is None or material.segment_kind == "span":
            return
        kept = Kept(self._storage, running, material)
        await running.unless_halted(self._cut_out(kept, file))
        async with self._storage.as_user(running.user_id) as db:
            unused = await db.reading.replace_figures(material.id, kept.files, kept.figures)
            await db.jobs.remember(running.job.id, figures=True)
        for key in unused:
            await self._storage.files.delete(key)

    async def _cut_out(self, kept: "Kept", file: File) -> None:
        stored = Stored(file.size_bytes, file.sha256)
        try:
            async with self._storage.files.as_path(file.object_key, stored) as path:
                async with self._reader.open(path, file.filename) as document:
                    async with aclosing(document.figures()) as figures:
                        async for figure in figures:
                            if not await kept.add(figure):
                                return
        except (Refusal, ReaderDied) as error:
            log.warning("figures_left_out", kept=len(kept.figures), why=str(error))


class Kept:
    """The figures that are in the store, and their rows."""

    def __init__(self, storage: Storage, running: RunningJob, material: Material) -> None:
        self.files: list[dict[str, Any]] = []
        self.figures: list[dict[str, Any]] = []
        self._storage = storage
        self._running = running
        self._material = material
        self._bytes = 0

    async def add(self, figure: FoundFigure) -> bool:
        """Store a figure. False once there are enough of them."""
        self._bytes += len(figure.image)
        if len(self.figures) >= MOST_FIGURES or self._bytes > MOST_BYTES:
            return False
        pages = self._material.page_count or 0
        if figure.segment >= pages:
            return True
        file_id = self._storage.clock.new_id()
        key = file_key(self._material.user_id, file_id)
        stored = await self._storage.files.put(key, once(figure.image), limit=len(figure.image))
        self.files.append(self._file_row(file_id, key, figure, stored))
        self.figures.append(self._figure_row(file_id, figure, await self._chunk(figure)))
        unit = self._material.segment_kind or "page"
        message = f"Cutting out figures: {unit} {figure.segment + 1} of {pages}"
        await self._running.progress(figure.segment + 1, pages, message)
        return True

    async def _chunk(self, figure: FoundFigure) -> int | None:
        async with self._storage.as_user(self._material.user_id, read_only=True) as db:
            rows = await db.reading.chunks_of(self._material.id, figure.segment)
        return chunk_beside(figure.position, figure.segment, as_chunks(rows))

    def _file_row(self, file_id: UUID, key: str, figure: FoundFigure, stored: Stored) -> dict[str, Any]:
        name = f"{Path(self._material.title).name} {figure.label or f'{figure.kind} {figure.ordinal + 1}'}"
        return {
            "id": file_id,
            "user_id": self._material.user_id,
            "filename": plain_name(name[:200] + SUFFIXES[figure.media_type]),
            "object_key": key,
            "media_type": figure.media_type,
            "size_bytes": stored.size,
            "sha256": stored.sha256,
        }

    def _figure_row(self, file_id: UUID, figure: FoundFigure, chunk: int | None) -> dict[str, Any]:
        return {
            "id": self._storage.clock.new_id(),
            "user_id": self._material.user_id,
            "material_id": self._material.id,
            "ordinal": len(self.figures),
            "segment": figure.segment,
            "kind": figure.kind,
            "label": figure.label,
            "caption": figure.caption,
            "text": figure.text,
            "box": figure.box and list(figure.box),
            "chunk": chunk,
            "file_id": file_id,
        }


def as_chunks(rows: Sequence[ChunkRow]) -> list[Chunk]:
    return [
        Chunk(
            ordinal=row.ordinal,
            segment=row.segment,
            type=ContentType(row.type),
            text=row.text,
            start=row.char_start,
            end=row.char_end,
            heading_path=tuple(row.heading_path),
            token_count=row.token_count,
            word_count=row.word_count,
            language=row.language,
        )
        for row in rows
    ]
