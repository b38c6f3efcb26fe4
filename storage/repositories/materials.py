"""Materials, their files, segments and chunks."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, select, text, update

from storage.models import Chunk, ChunkPosting, Class, File, Material, MaterialSegment
from storage.repositories.base import Page, Repository, as_uuid, one_of_names

POSTINGS = text(
    """
    INSERT INTO chunk_postings (material_id, lexeme, class_id, user_id, ordinals, frequencies, lengths)
    SELECT :material, l.lexeme, :class, :user,
           array_agg(c.ordinal ORDER BY c.ordinal),
           array_agg(least(cardinality(l.positions), 32767)::smallint ORDER BY c.ordinal),
           array_agg(least(c.word_count, 32767)::smallint ORDER BY c.ordinal)
    FROM chunks c CROSS JOIN LATERAL unnest(c.lexemes) l
    WHERE c.material_id = :material
    GROUP BY l.lexeme
    """
)


class MaterialRepository(Repository):
    async def add_file(self, row: File) -> None:
        self.session.add(row)
        await self.session.flush()

    async def file(self, file_id: UUID) -> File | None:
        found = select(File).where(File.id == file_id, File.user_id == self.user_id)
        return await self.session.scalar(found)

    async def add(self, row: Material) -> None:
        self.session.add(row)
        await self.session.flush()

    async def same_bytes(self, class_id: UUID, checksum: bytes) -> Material | None:
        """The material in this class that has the same content."""
        found = select(Material).where(
            Material.class_id == class_id,
            Material.checksum == checksum,
            Material.user_id == self.user_id,
            Material.deleted_at.is_(None),
        )
        return await self.session.scalar(found)

    async def recent(
        self, *, class_id: UUID | None, status: str | None, limit: int, cursor: str | None
    ) -> Page[Material]:
        mine = select(Material).join(Class, Class.id == Material.class_id)
        mine = mine.where(
            Material.user_id == self.user_id, Material.deleted_at.is_(None), Class.deleted_at.is_(None)
        )
        if class_id:
            mine = mine.where(Material.class_id == class_id)
        if status:
            mine = mine.where(Material.status == status)
        return await self.page(mine, Material.created_at, Material.id, limit=limit, cursor=cursor)

    async def resolve(self, wanted: str, *, deleted: bool = False) -> Material:
        """By id, title, or a part of the title. Raises NotFound, or Conflict listing the candidates."""
        mine = (
            select(Material)
            .join(Class, Class.id == Material.class_id)
            .where(Material.user_id == self.user_id)
        )
        mine = mine.where(Class.deleted_at.is_(None))
        mine = mine.where(Material.deleted_at.is_not(None) if deleted else Material.deleted_at.is_(None))
        material_id = as_uuid(wanted)
        if material_id is not None:
            found = (await self.session.scalars(mine.where(Material.id == material_id))).all()
        else:
            same = func.lower(Material.title) == wanted.strip().lower()
            found = (await self.session.scalars(mine.where(same))).all()
            if not found:
                part = Material.title.icontains(wanted.strip(), autoescape=True)
                found = (await self.session.scalars(mine.where(part).limit(9))).all()
        row: Material = one_of_names("material", wanted, found, "title")
        return row

    async def by_id(self, material_id: UUID) -> Material | None:
        """Also a deleted one: the worker needs to see that it is gone."""
        found = select(Material).where(Material.id == material_id, Material.user_id == self.user_id)
        return await self.session.scalar(found)

    async def by_ids(self, ids: Sequence[UUID]) -> dict[UUID, Material]:
        found = select(Material).where(Material.id.in_(ids), Material.user_id == self.user_id)
        return {row.id: row for row in await self.session.scalars(found)}

    async def set(self, material_id: UUID, **values: Any) -> None:
        await self.session.execute(update(Material).where(Material.id == material_id).values(**values))

    # --- segments

    async def add_segments(self, rows: Sequence[dict[str, Any]]) -> None:
        if rows:
            await self.session.execute(insert(MaterialSegment), list(rows))

    async def segment_count(self, material_id: UUID) -> int:
        """Segments stored so far: extraction goes on from this ordinal."""
        counted = select(func.count()).where(MaterialSegment.material_id == material_id)
        return await self.session.scalar(counted) or 0

    async def segment(self, material_id: UUID, ordinal: int) -> MaterialSegment | None:
        found = select(MaterialSegment).where(
            MaterialSegment.material_id == material_id,
            MaterialSegment.ordinal == ordinal,
            MaterialSegment.user_id == self.user_id,
        )
        return await self.session.scalar(found)

    async def segments(self, material_id: UUID, first: int, last: int) -> Sequence[MaterialSegment]:
        """Segments with ordinals first..last, both included, in order."""
        found = select(MaterialSegment).where(
            MaterialSegment.material_id == material_id,
            MaterialSegment.ordinal.between(first, last),
            MaterialSegment.user_id == self.user_id,
        )
        return (await self.session.scalars(found.order_by(MaterialSegment.ordinal))).all()

    async def segments_at(
        self, places: Sequence[tuple[UUID, int]]
    ) -> dict[tuple[UUID, int], MaterialSegment]:
        """Segments by (material, ordinal)."""
        if not places:
            return {}
        keys = func.row(MaterialSegment.material_id, MaterialSegment.ordinal)
        found = select(MaterialSegment).where(
            keys.in_([func.row(m, o) for m, o in places]), MaterialSegment.user_id == self.user_id
        )
        return {(row.material_id, row.ordinal): row for row in await self.session.scalars(found)}

    # --- chunks

    async def replace_chunks(self, material: Material, rows: Sequence[dict[str, Any]]) -> None:
        """Write all chunks of a material and its inverted index, in place of what stood there."""
        await self.session.execute(delete(Chunk).where(Chunk.material_id == material.id))
        await self.session.execute(delete(ChunkPosting).where(ChunkPosting.material_id == material.id))
        if rows:
            await self.session.execute(insert(Chunk), list(rows))
        await self.session.execute(
            POSTINGS, {"material": material.id, "class": material.class_id, "user": self.user_id}
        )

    async def chunks_to_embed(self, material_id: UUID, limit: int) -> Sequence[Chunk]:
        """Chunks whose vector is still missing, in order."""
        found = select(Chunk).where(Chunk.material_id == material_id, Chunk.embedding_model.is_(None))
        return (await self.session.scalars(found.order_by(Chunk.ordinal).limit(limit))).all()

    async def mark_embedded(self, ids: Sequence[UUID], model: str) -> None:
        await self.session.execute(update(Chunk).where(Chunk.id.in_(ids)).values(embedding_model=model))

    async def embedded_count(self, material_id: UUID) -> int:
        counted = select(func.count()).where(
            Chunk.material_id == material_id, Chunk.embedding_model.is_not(None)
        )
        return await self.session.scalar(counted) or 0

    async def chunk(self, chunk_id: UUID) -> Chunk | None:
        return await self.session.scalar(
            select(Chunk).where(Chunk.id == chunk_id, Chunk.user_id == self.user_id)
        )

    async def chunks(self, ids: Sequence[UUID]) -> dict[UUID, Chunk]:
        found = select(Chunk).where(Chunk.id.in_(ids), Chunk.user_id == self.user_id)
        return {row.id: row for row in await self.session.scalars(found)}

    async def chunk_ids(self, material_id: UUID) -> Sequence[UUID]:
        return (await self.session.scalars(select(Chunk.id).where(Chunk.material_id == material_id))).all()

    async def class_chunk_ids(self, class_id: UUID) -> dict[UUID, UUID]:
        """Chunk id → material id, for all embedded chunks of live materials in a class."""
        found = (
            select(Chunk.id, Chunk.material_id)
            .join(Material, Material.id == Chunk.material_id)
            .where(Chunk.class_id == class_id, Chunk.user_id == self.user_id, Material.deleted_at.is_(None))
        )
        return {row.id: row.material_id for row in await self.session.execute(found)}
