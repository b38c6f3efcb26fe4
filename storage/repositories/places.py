"""What stands where in a material: headings, spoken minutes, and the figures that are shown beside its passages."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ARRAY, Integer, Select, TableValuedAlias, Uuid, and_, bindparam, func, select
from sqlalchemy.orm import defer

from storage.models import Chunk, Figure, File, Material, MaterialSegment
from storage.repositories.base import Repository

MOST_BESIDE = 60


class PlaceRepository(Repository):
    async def segments(
        self, places: Sequence[tuple[UUID, int]]
    ) -> dict[tuple[UUID, int], tuple[MaterialSegment, Material]]:
        """Segments by (material, ordinal), without their blocks, and the materials that they are of."""
        if not places:
            return {}
        found = (
            select(MaterialSegment, Material)
            .join(Material, Material.id == MaterialSegment.material_id)
            .where(MaterialSegment.user_id == self.user_id, ~MaterialSegment.staged)
            .options(defer(MaterialSegment.blocks))
        )
        wanted = _as_table(places)
        found = found.join(
            wanted,
            and_(
                MaterialSegment.material_id == wanted.c.material_id,
                MaterialSegment.ordinal == wanted.c.ordinal,
            ),
        )
        rows = await self.session.execute(found)
        return {(segment.material_id, segment.ordinal): (segment, material) for segment, material in rows}

    async def heading_paths(self, material_id: UUID) -> Sequence[Sequence[str]]:
        """The headings above each chunk, in order of the chunks."""
        found = select(Chunk.heading_path).where(
            Chunk.material_id == material_id, Chunk.user_id == self.user_id
        )
        return (await self.session.scalars(found.order_by(Chunk.ordinal))).all()

    async def chunks_at(self, material_id: UUID, ordinals: Sequence[int]) -> dict[int, Chunk]:
        found = select(Chunk).where(
            Chunk.material_id == material_id, Chunk.ordinal.in_(ordinals), Chunk.user_id == self.user_id
        )
        return {row.ordinal: row for row in await self.session.scalars(found)}

    async def spoken_between(self, material_id: UUID, t_start: float, t_end: float) -> tuple[int, int] | None:
        """Ordinals of the first and the last span that is heard in [t_start, t_end) seconds."""
        found = select(MaterialSegment.ordinal).where(
            MaterialSegment.material_id == material_id,
            MaterialSegment.user_id == self.user_id,
            ~MaterialSegment.staged,
            MaterialSegment.t_start < t_end,
            MaterialSegment.t_end > t_start,
        )
        ordinals = (await self.session.scalars(found.order_by(MaterialSegment.ordinal))).all()
        return (ordinals[0], ordinals[-1]) if ordinals else None

    # --- figures

    async def figures_beside(
        self, chunks: Sequence[tuple[UUID, int]]
    ) -> dict[tuple[UUID, int], list[Figure]]:
        """Figures with a picture, by the (material, ordinal) of the chunk that they stand beside."""
        if not chunks:
            return {}
        wanted = _as_table(chunks)
        found = self._pictured().join(
            wanted, and_(Figure.material_id == wanted.c.material_id, Figure.chunk == wanted.c.ordinal)
        )
        figures: dict[tuple[UUID, int], list[Figure]] = {}
        for row in await self.session.scalars(found.limit(MOST_BESIDE)):
            figures.setdefault((row.material_id, row.chunk or 0), []).append(row)
        return figures

    async def figures_on(self, material_id: UUID, segment: int) -> Sequence[Figure]:
        """Figures with a picture on a page, slide or section, in order."""
        found = self._pictured().where(Figure.material_id == material_id, Figure.segment == segment)
        return (await self.session.scalars(found.limit(MOST_BESIDE))).all()

    async def picture(self, material_id: UUID, ordinal: int) -> File | None:
        """The file of a figure's picture."""
        found = select(File).join(Figure, Figure.file_id == File.id)
        found = found.where(Figure.material_id == material_id, Figure.ordinal == ordinal)
        return await self.session.scalar(
            found.where(Figure.user_id == self.user_id, File.user_id == self.user_id)
        )

    def _pictured(self) -> Select[Figure]:
        return (
            select(Figure)
            .where(Figure.user_id == self.user_id, Figure.file_id.is_not(None))
            .order_by(Figure.material_id, Figure.ordinal)
        )


def _as_table(places: Sequence[tuple[UUID, int]]) -> TableValuedAlias:
    """Rows of material_id and ordinal: two parameters however many places, so the statement is prepared once."""
    materials = bindparam(None, [material_id for material_id, _ in places], ARRAY(Uuid()))
    ordinals = bindparam(None, [ordinal for _, ordinal in places], ARRAY(Integer()))
    return func.unnest(materials, ordinals).table_valued("material_id", "ordinal").render_derived()
