"""What reading a material writes: segments that are not valid yet, vectors and summaries that are still missing, figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, insert, select, update

from storage.models import Chunk, Class, Figure, File, Material, MaterialSegment
from storage.repositories.base import Repository, among

MATERIALS_AT_ONCE = 50
"""Other materials that are looked at to fill a batch."""


@dataclass(frozen=True, slots=True)
class WaitingChunk:
    """A chunk without a vector, locked until the transaction ends, with what is stored beside its vector."""

    chunk: Chunk
    material: Material
    home: Class
    number: int
    """Of the page, slide or section that it stands on."""


class ReadingRepository(Repository):
    # --- segments

    async def staged_count(self, material_id: UUID) -> int:
        """Segments read so far: reading goes on from this ordinal."""
        counted = select(func.count()).select_from(MaterialSegment).where(*self._staged(material_id))
        return await self.session.scalar(counted) or 0

    async def staged(self, material_id: UUID, first: int, last: int) -> Sequence[MaterialSegment]:
        """Segments that were read and do not stand yet, with ordinals first..last, both included, in order."""
        found = select(MaterialSegment).where(*self._staged(material_id))
        found = found.where(MaterialSegment.ordinal.between(first, last))
        return (await self.session.scalars(found.order_by(MaterialSegment.ordinal))).all()

    async def drop_staged(self, material_id: UUID) -> None:
        await self.session.execute(delete(MaterialSegment).where(*self._staged(material_id)))

    async def unreadable(self, material_id: UUID) -> Sequence[int]:
        """Numbers of the segments of which nothing could be read, in order; before they stand."""
        lost = select(MaterialSegment.number).where(
            *self._staged(material_id), MaterialSegment.notice.is_not(None), MaterialSegment.text == ""
        )
        return (await self.session.scalars(lost.order_by(MaterialSegment.ordinal))).all()

    async def let_staged_stand(self, material_id: UUID) -> None:
        """What was read takes the place of what stood."""
        stood = delete(MaterialSegment).where(
            MaterialSegment.material_id == material_id,
            MaterialSegment.user_id == self.user_id,
            ~MaterialSegment.staged,
        )
        await self.session.execute(stood)
        read = update(MaterialSegment).where(*self._staged(material_id))
        await self.session.execute(read.values(staged=False))

    def _staged(self, material_id: UUID) -> tuple[ColumnElement[bool], ...]:
        return (
            MaterialSegment.material_id == material_id,
            MaterialSegment.user_id == self.user_id,
            MaterialSegment.staged.is_(True),
        )

    # --- vectors

    async def chunks_to_embed(self, material_id: UUID, limit: int) -> list[WaitingChunk]:
        """Chunks of a material that have no vector yet, in order; and when they do not fill the batch, those of the user's
        other materials. Chunks that another worker embeds are passed over. Empty when none of the material's own waits."""
        own = await self._locked(Chunk.material_id == material_id, limit)
        if not own or len(own) == limit:
            return own
        others = (
            select(Material.id)
            .where(Material.user_id == self.user_id, Material.status == "searchable")
            .where(Material.id != material_id, Material.deleted_at.is_(None))
            .order_by(Material.class_id, Material.kind, Material.id)
            .limit(MATERIALS_AT_ONCE)
        )
        ids = (await self.session.scalars(others)).all()
        return own + (await self._locked(among(Chunk.material_id, ids), limit - len(own)) if ids else [])

    async def _locked(self, condition: ColumnElement[bool], limit: int) -> list[WaitingChunk]:
        waiting = (
            select(Chunk, Material, Class, MaterialSegment.number)
            .join(Material, Material.id == Chunk.material_id)
            .join(Class, Class.id == Material.class_id)
            .join(
                MaterialSegment,
                (MaterialSegment.material_id == Chunk.material_id)
                & (MaterialSegment.ordinal == Chunk.segment)
                & ~MaterialSegment.staged,
            )
            .where(condition, Chunk.user_id == self.user_id, Chunk.embedding_model.is_(None))
            .where(Material.deleted_at.is_(None), Class.deleted_at.is_(None))
            .order_by(Chunk.material_id, Chunk.ordinal)
            .limit(limit)
            .with_for_update(of=Chunk, skip_locked=True)
        )
        return [WaitingChunk(*row) for row in await self.session.execute(waiting)]

    async def mark_embedded(self, ids: Sequence[UUID], model: str) -> None:
        await self.session.execute(update(Chunk).where(among(Chunk.id, ids)).values(embedding_model=model))

    async def is_waiting(self, material_id: UUID) -> bool:
        """Whether any chunk of a material has no vector yet."""
        waiting = select(Chunk.id).where(Chunk.material_id == material_id, Chunk.user_id == self.user_id)
        return await self.session.scalar(waiting.where(Chunk.embedding_model.is_(None)).limit(1)) is not None

    # --- summaries

    async def chunks_to_summarise(
        self, material_id: UUID, types: Sequence[str], after: UUID | None, limit: int
    ) -> Sequence[Chunk]:
        """Chunks of these types without a summary, behind one of them, in order. Ids sort by the time they were made, so
        chunks that took the place of others meanwhile come too."""
        waiting = select(Chunk).where(*self._of_types(material_id, types), *_to_summarise(after))
        return (await self.session.scalars(waiting.order_by(Chunk.id).limit(limit))).all()

    async def count_to_summarise(
        self, material_id: UUID, types: Sequence[str], after: UUID | None
    ) -> tuple[int, int]:
        """How many of them are left, and how many chunks of these types there are."""
        left = func.count().filter(*_to_summarise(after))
        counted = select(left, func.count()).select_from(Chunk).where(*self._of_types(material_id, types))
        row = (await self.session.execute(counted)).one()
        return row[0], row[1]

    def _of_types(self, material_id: UUID, types: Sequence[str]) -> tuple[ColumnElement[bool], ...]:
        return Chunk.material_id == material_id, Chunk.user_id == self.user_id, Chunk.type.in_(types)

    async def set_summaries(self, summaries: Mapping[UUID, str]) -> None:
        """By chunk id. A chunk that was replaced, or is being replaced just now, is passed over: waiting for it while
        others are locked could be a deadlock."""
        there = select(Chunk.id).where(among(Chunk.id, list(summaries)), Chunk.user_id == self.user_id)
        for chunk_id in (await self.session.scalars(there.with_for_update(skip_locked=True))).all():
            made = update(Chunk).where(Chunk.id == chunk_id)
            await self.session.execute(made.values(summary=summaries[chunk_id]))

    # --- figures

    async def chunks_of(self, material_id: UUID, segment: int) -> Sequence[Chunk]:
        """The chunks of a segment, in order."""
        found = select(Chunk).where(
            Chunk.material_id == material_id, Chunk.segment == segment, Chunk.user_id == self.user_id
        )
        return (await self.session.scalars(found.order_by(Chunk.ordinal))).all()

    async def replace_figures(
        self, material_id: UUID, files: Sequence[dict[str, Any]], figures: Sequence[dict[str, Any]]
    ) -> Sequence[str]:
        """Write all figures of a material with their pictures, in place of those that were there. Gives the object keys of
        the pictures that are not used any more."""
        mine = (Figure.material_id == material_id, Figure.user_id == self.user_id)
        pictures = (await self.session.scalars(select(Figure.file_id).where(*mine))).all()
        await self.session.execute(delete(Figure).where(*mine))
        unused = delete(File).where(among(File.id, [p for p in pictures if p]), File.user_id == self.user_id)
        keys = (await self.session.scalars(unused.returning(File.object_key))).all()
        if figures:
            await self.session.execute(insert(File), list(files))
            await self.session.execute(insert(Figure), list(figures))
        return keys


def _to_summarise(after: UUID | None) -> list[ColumnElement[bool]]:
    behind = [Chunk.id > after] if after is not None else []
    return [Chunk.summary.is_(None), *behind]
