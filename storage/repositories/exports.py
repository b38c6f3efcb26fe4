"""Files made for taking away, each until its expiry."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, update

from storage.errors import NotFound
from storage.models import Export, File, Job
from storage.repositories.base import Repository


class ExportRepository(Repository):
    async def add(self, row: Export) -> None:
        self.session.add(row)
        await self.session.flush()

    async def get(self, export_id: UUID) -> Export:
        row = await self.session.scalar(
            select(Export).where(Export.id == export_id, Export.user_id == self.user_id)
        )
        if row is None:
            raise NotFound("No such export.", code="export_not_found")
        return row

    async def pending(self, kind: str) -> Export | None:
        """The one that is being made: its job is still open."""
        found = select(Export).join(Job, Job.id == Export.job_id)
        found = found.where(
            Export.user_id == self.user_id,
            Export.kind == kind,
            Export.status == "pending",
            Job.status.in_(("queued", "running")),
            ~Job.cancel_requested,
        )
        return await self.session.scalar(found.order_by(Export.created_at.desc()).limit(1))

    async def ready(self, export_id: UUID, file: File, expires_at: datetime) -> None:
        """The file stands in the store. Once more is no harm: a job may be repeated after its last step."""
        await self.session.merge(file)
        await self.session.flush()
        row = await self.get(export_id)
        row.status, row.file_id, row.expires_at = "ready", file.id, expires_at
        row.completed_at, row.error = self.clock.now(), None

    async def failed(self, export_id: UUID, sentence: str | None) -> None:
        await self.session.execute(
            update(Export)
            .where(Export.id == export_id, Export.user_id == self.user_id, Export.status == "pending")
            .values(status="failed", error=sentence)
        )

    async def over(self, now: datetime) -> Sequence[tuple[UUID, UUID | None, str | None]]:
        """(export, file, object key) of exports whose time is over and whose file may still be there."""
        found = (
            select(Export.id, File.id, File.object_key)
            .join(File, File.id == Export.file_id, isouter=True)
            .where(Export.user_id == self.user_id, Export.expires_at < now, Export.status != "expired")
        )
        return [(row[0], row[1], row[2]) for row in await self.session.execute(found)]

    async def expire(self, export_id: UUID, file_id: UUID | None) -> None:
        """Its file is gone from the store."""
        await self.session.execute(
            update(Export).where(Export.id == export_id).values(status="expired", file_id=None)
        )
        await self.session.execute(delete(File).where(File.id == file_id, File.user_id == self.user_id))
