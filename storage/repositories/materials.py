"""Materials, their files, segments and chunks."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Integer,
    Select,
    Uuid,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.exc import IntegrityError

from storage.errors import Conflict, NotFound
from storage.life.retention import RESTORABLE
from storage.models import Chunk, ChunkPosting, Class, File, Material, MaterialSegment
from storage.models.materials import MATERIAL_KINDS
from storage.repositories.base import Page, Repository, among, one_of_names

ROWS_A_STATEMENT = 500

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


KIND_WORDS = {
    **{kind.replace("_", " "): kind for kind in MATERIAL_KINDS if kind != "text"},
    "book": "textbook",
    "slide deck": "slides",
    "audio": "recording",
    "video": "recording",
}
"""What people call a material instead of its title."""


@dataclass(frozen=True, slots=True)
class ExpectedVector:
    """The text that should have been embedded, and whether its material is still being indexed."""

    text: str
    indexing: bool


def embedding_text(heading_path: Sequence[str], text: str) -> str:
    """A chunk as the embedder reads it: the headings above it, then its text."""
    return "\n".join(filter(None, (" › ".join(heading_path), text)))


class MaterialRepository(Repository):
    async def add_file(self, row: File) -> None:
        self.session.add(row)
        await self.session.flush()

    async def file(self, file_id: UUID) -> File | None:
        found = select(File).where(File.id == file_id, File.user_id == self.user_id)
        return await self.session.scalar(found)

    async def all_files(self) -> Sequence[File]:
        """Files of live materials."""
        used = select(Material.file_id).where(Material.user_id == self.user_id, Material.deleted_at.is_(None))
        return (
            await self.session.scalars(select(File).where(File.user_id == self.user_id, File.id.in_(used)))
        ).all()

    async def remove_file(self, file_id: UUID) -> None:
        await self.session.execute(delete(File).where(File.id == file_id, File.user_id == self.user_id))

    async def set_media_type(self, file_id: UUID, media_type: str) -> None:
        await self.session.execute(update(File).where(File.id == file_id).values(media_type=media_type))

    async def add_or_existing(self, row: Material) -> Material:
        """Add a material, or give the one of this class that has the same content, also when both come at once."""
        existing = await self.same_bytes(row.class_id, row.checksum)
        if existing is not None:
            return existing
        try:
            async with self.session.begin_nested():
                self.session.add(row)
                await self.session.flush()
        except IntegrityError:
            existing = await self.same_bytes(row.class_id, row.checksum)
            if existing is None:
                raise
            return existing
        return row

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
        """By id, title, a part of the title, also with its kind behind ("the jfk recording"), or its kind where there is one of
        it ("the recording").

        Raises NotFound, or Conflict listing the candidates.
        """
        mine = (
            select(Material)
            .join(Class, Class.id == Material.class_id)
            .where(Material.user_id == self.user_id)
        )
        mine = mine.where(Class.deleted_at.is_(None))
        restorable = Material.deleted_at > self.clock.now() - RESTORABLE
        mine = mine.where(restorable if deleted else Material.deleted_at.is_(None))
        try:
            return await self.named("material", mine, wanted, Material.id, Material.title)
        except NotFound:
            said = wanted.strip().lower().removeprefix("the ").removeprefix("my ")
            if name := next(
                (said.removesuffix(f" {word}") for word in KIND_WORDS if said.endswith(f" {word}")), None
            ):
                return await self.named("material", mine, name, Material.id, Material.title)
            kind = KIND_WORDS.get(said)
            alike = (await self.session.scalars(mine.where(Material.kind == kind).limit(9))).all()
            if not alike:
                raise
            row: Material = one_of_names("material", wanted, alike, "title")
            return row

    async def by_id(self, material_id: UUID) -> Material | None:
        """Also a deleted one: the worker needs to see that it is gone."""
        found = select(Material).where(Material.id == material_id, Material.user_id == self.user_id)
        return await self.session.scalar(found)

    async def by_ids(self, ids: Sequence[UUID]) -> dict[UUID, Material]:
        found = select(Material).where(among(Material.id, ids), Material.user_id == self.user_id)
        return {row.id: row for row in await self.session.scalars(found)}

    async def set(self, material_id: UUID, **values: Any) -> None:
        await self.session.execute(update(Material).where(Material.id == material_id).values(**values))

    async def restore(self, row: Material, status: str) -> None:
        """Undelete. Raises Conflict when the same content was added again in the meantime."""
        if await self.same_bytes(row.class_id, row.checksum):
            raise Conflict("The same file was added again since; nothing to restore.", code="material_exists")
        row.deleted_at, row.status = None, status
        await self.session.flush()

    async def back_to_work(self, material_id: UUID) -> None:
        """Its job will run again: searchable when its words are there, else queued."""
        status = case((Material.chunk_count > 0, "searchable"), else_="queued")
        await self.set(material_id, status=status, error=None, error_code=None)

    # --- segments; those that are still being read belong to storage.repositories.reading

    async def add_segments(self, rows: Sequence[dict[str, Any]]) -> None:
        if rows:
            await self.session.execute(insert(MaterialSegment), list(rows))

    async def segment(self, material_id: UUID, ordinal: int) -> MaterialSegment | None:
        found = self._segments(material_id)
        return await self.session.scalar(found.where(MaterialSegment.ordinal == ordinal))

    async def segments(self, material_id: UUID, first: int, last: int) -> Sequence[MaterialSegment]:
        """Segments with ordinals first..last, both included, in order."""
        found = self._segments(material_id).where(MaterialSegment.ordinal.between(first, last))
        return (await self.session.scalars(found.order_by(MaterialSegment.ordinal))).all()

    async def segments_at(
        self, places: Sequence[tuple[UUID, int]]
    ) -> dict[tuple[UUID, int], MaterialSegment]:
        """Segments by (material, ordinal)."""
        if not places:
            return {}
        materials = bindparam(None, [material_id for material_id, _ in places], ARRAY(Uuid()))
        ordinals = bindparam(None, [ordinal for _, ordinal in places], ARRAY(Integer()))
        place = func.unnest(materials, ordinals).table_valued("material_id", "ordinal").render_derived()
        found = select(MaterialSegment).join(
            place,
            and_(
                MaterialSegment.material_id == place.c.material_id,
                MaterialSegment.ordinal == place.c.ordinal,
                MaterialSegment.user_id == self.user_id,
                ~MaterialSegment.staged,
            ),
        )
        return {(row.material_id, row.ordinal): row for row in await self.session.scalars(found)}

    def _segments(self, material_id: UUID) -> Select[MaterialSegment]:
        return select(MaterialSegment).where(
            MaterialSegment.material_id == material_id,
            MaterialSegment.user_id == self.user_id,
            ~MaterialSegment.staged,
        )

    # --- chunks

    async def replace_chunks(self, material: Material, rows: Iterable[dict[str, Any]]) -> None:
        """Write all chunks of a material and its inverted index, in place of what stood there."""
        await self.session.execute(delete(Chunk).where(Chunk.material_id == material.id))
        await self.session.execute(delete(ChunkPosting).where(ChunkPosting.material_id == material.id))
        left = iter(rows)
        while part := list(islice(left, ROWS_A_STATEMENT)):
            await self.session.execute(insert(Chunk), part)
        await self.session.execute(
            POSTINGS, {"material": material.id, "class": material.class_id, "user": self.user_id}
        )
        configs = select(func.array_agg(Chunk.text_config.distinct())).where(Chunk.material_id == material.id)
        used = func.coalesce(configs.scalar_subquery(), Material.text_configs)
        await self.set(material.id, text_configs=used)

    async def forget_vectors(self, material_id: UUID) -> Sequence[UUID]:
        """Note that no chunk of a material has a vector any more. Gives the ids to remove from the collection."""
        forgotten = update(Chunk).where(Chunk.material_id == material_id).values(embedding_model=None)
        return (await self.session.scalars(forgotten.returning(Chunk.id))).all()

    async def chunk(self, chunk_id: UUID) -> Chunk | None:
        return await self.session.scalar(
            select(Chunk).where(Chunk.id == chunk_id, Chunk.user_id == self.user_id)
        )

    async def first_chunk_of(self, material_id: UUID, segment: int) -> UUID | None:
        """The id of the first chunk on a page, slide or section."""
        found = select(Chunk.id).where(
            Chunk.material_id == material_id, Chunk.segment == segment, Chunk.user_id == self.user_id
        )
        return await self.session.scalar(found.order_by(Chunk.ordinal).limit(1))

    async def chunks_on(self, material_id: UUID, segment: int) -> Sequence[UUID]:
        """The ids of all chunks on a page, slide or section."""
        found = select(Chunk.id).where(
            Chunk.material_id == material_id, Chunk.segment == segment, Chunk.user_id == self.user_id
        )
        return (await self.session.scalars(found.order_by(Chunk.ordinal))).all()

    async def chunks(self, ids: Sequence[UUID]) -> dict[UUID, Chunk]:
        found = select(Chunk).where(among(Chunk.id, ids), Chunk.user_id == self.user_id)
        return {row.id: row for row in await self.session.scalars(found)}

    async def chunk_ids(self, material_id: UUID) -> Sequence[UUID]:
        found = select(Chunk.id).where(Chunk.material_id == material_id, Chunk.user_id == self.user_id)
        return (await self.session.scalars(found)).all()

    async def expected_vectors(self, class_id: UUID, kinds: Sequence[str]) -> dict[str, ExpectedVector]:
        """Chunks of a class's live materials of these kinds, by id as text: what the collection should hold."""
        found = (
            select(Chunk.id, Chunk.heading_path, Chunk.text, Material.status)
            .join(Material, Material.id == Chunk.material_id)
            .where(Chunk.class_id == class_id, Material.kind.in_(kinds), Chunk.user_id == self.user_id)
            .where(Material.deleted_at.is_(None))
        )
        return {
            str(row.id): ExpectedVector(
                embedding_text(row.heading_path, row.text), row.status == "searchable"
            )
            for row in await self.session.execute(found)
        }
