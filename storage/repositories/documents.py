"""Documents in their versions: those of a lineage share `lineage_id`, and the newest one has no `superseded_at`."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Select, and_, exists, or_, select, update

from storage.errors import NotFound
from storage.models import Class, ClassMember, Document, Material, MaterialSegment
from storage.repositories.base import Page, Repository, as_uuid


class DocumentRepository(Repository):
    def _mine(self) -> Select[Document]:
        return select(Document).where(Document.user_id == self.user_id, Document.deleted_at.is_(None))

    def _readable(self) -> Select[Document]:
        """Own ones, and what people share with a class that the user is in."""
        member = exists().where(
            ClassMember.class_id == Document.class_id, ClassMember.user_id == self.user_id
        )
        taught = exists().where(Class.id == Document.class_id, Class.user_id == self.user_id)
        shared = and_(Document.shared_with_class, or_(member, taught))
        return select(Document).where(
            or_(Document.user_id == self.user_id, shared), Document.deleted_at.is_(None)
        )

    async def add(self, row: Document) -> Document:
        self.session.add(row)
        await self.session.flush()
        return row

    async def resolve(self, wanted: str) -> Document:
        """An own one by id, which may be that of an old version, or the newest one by title.

        Raises NotFound, or Conflict listing the candidates.
        """
        return await self._named(self._mine(), wanted)

    async def readable(self, wanted: str) -> Document:
        """The same also among what is shared with the user's classes."""
        return await self._named(self._readable(), wanted)

    async def _named(self, statement: Select[Document], wanted: str) -> Document:
        if as_uuid(wanted.strip()) is None:
            statement = statement.where(Document.superseded_at.is_(None))
        return await self.named("document", statement, wanted, Document.id, Document.title)

    async def version(self, lineage_id: UUID, number: int) -> Document:
        """Raises NotFound."""
        found = self._readable().where(Document.lineage_id == lineage_id, Document.version == number)
        row: Document | None = await self.session.scalar(found)
        if row is None:
            raise NotFound(f"This document has no version {number}.", code="document_version_not_found")
        return row

    async def versions(self, lineage_id: UUID) -> Sequence[Document]:
        """Newest first."""
        found = self._readable().where(Document.lineage_id == lineage_id)
        return (await self.session.scalars(found.order_by(Document.version.desc()))).all()

    async def recent(
        self, *, class_id: UUID | None, kind: str | None, limit: int, cursor: str | None
    ) -> Page[Document]:
        """The newest versions, newest first: one's own, and of a class also what is shared with it."""
        found = self._readable() if class_id else self._mine()
        found = found.where(Document.superseded_at.is_(None))
        if class_id is not None:
            found = found.where(Document.class_id == class_id)
        if kind is not None:
            found = found.where(Document.kind == kind)
        return await self.page(found, Document.created_at, Document.id, limit=limit, cursor=cursor)

    async def newest_for_writing(self, lineage_id: UUID) -> Document:
        """The newest version, locked. Raises NotFound when the document was deleted."""
        found = self._mine().where(Document.lineage_id == lineage_id, Document.superseded_at.is_(None))
        row: Document | None = await self.session.scalar(found.with_for_update())
        if row is None:
            raise NotFound("This document was deleted.", code="document_not_found")
        return row

    async def for_writing(self, document_id: UUID) -> Document:
        """One version, locked until the end of the transaction. Raises NotFound when it was deleted."""
        found = self._mine().where(Document.id == document_id).with_for_update()
        row: Document | None = await self.session.scalar(found.execution_options(populate_existing=True))
        if row is None:
            raise NotFound("This document was deleted.", code="document_not_found")
        return row

    async def supersede(self, row: Document) -> None:
        row.superseded_at = self.clock.now()
        await self.session.flush()

    async def remove(self, row: Document) -> None:
        """All versions into the bin."""
        await self._set_deleted(row.lineage_id, deleted=True)

    async def restore(self, document_id: UUID) -> None:
        """All versions of the document out of the bin again."""
        row = await self.session.scalar(
            select(Document).where(Document.id == document_id, Document.user_id == self.user_id)
        )
        if row is None:
            raise NotFound("No such document.", code="document_not_found")
        await self._set_deleted(row.lineage_id, deleted=False)

    async def _set_deleted(self, lineage_id: UUID, *, deleted: bool) -> None:
        rows = update(Document).where(Document.lineage_id == lineage_id, Document.user_id == self.user_id)
        await self.session.execute(rows.values(deleted_at=self.clock.now() if deleted else None))

    # --- what documents are made from

    async def materials_of(self, class_id: UUID) -> Sequence[Material]:
        """The own materials of a class that have text, oldest first; past papers are none."""
        found = select(Material).where(
            Material.class_id == class_id,
            Material.user_id == self.user_id,
            Material.deleted_at.is_(None),
            Material.chunk_count > 0,
            Material.kind != "past_paper",
        )
        return (await self.session.scalars(found.order_by(Material.created_at, Material.id))).all()

    async def segments(
        self, material_id: UUID, first: int | None, last: int | None
    ) -> Sequence[MaterialSegment]:
        """Segments numbered first..last with their text and blocks, in order."""
        found = select(MaterialSegment).where(
            MaterialSegment.material_id == material_id,
            MaterialSegment.user_id == self.user_id,
            ~MaterialSegment.staged,
        )
        if first is not None:
            found = found.where(MaterialSegment.number >= first)
        if last is not None:
            found = found.where(MaterialSegment.number <= last)
        return (await self.session.scalars(found.order_by(MaterialSegment.ordinal))).all()
