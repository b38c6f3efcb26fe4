"""Uploads that are on their way, and how much room a user's files take."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import BigInteger, Select, cast, delete, exists, func, select, text

from storage.errors import Conflict, NotFound
from storage.models import Class, File, Material, Upload
from storage.repositories.base import Repository

ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended('lyceum_quota:' || :user, 0))")


@dataclass(frozen=True, slots=True)
class Usage:
    """Bytes of a user's files: of what can be used, of what was deleted and can still be restored, and what is arriving."""

    live: int
    deleted: int
    arriving: int

    @property
    def used(self) -> int:
        """What counts against the quota."""
        return self.live + self.arriving


class UploadRepository(Repository):
    async def add(self, row: Upload) -> None:
        self.session.add(row)
        await self.session.flush()

    async def get(self, upload_id: UUID) -> Upload | None:
        found = select(Upload).where(Upload.id == upload_id, Upload.user_id == self.user_id)
        return await self.session.scalar(found)

    async def locked(self, upload_id: UUID) -> Upload:
        """The row, nobody else's to change until the transaction ends. Raises NotFound, Conflict `upload_busy`."""
        mine = select(Upload).where(Upload.id == upload_id, Upload.user_id == self.user_id)
        row = await self.session.scalar(mine.with_for_update(skip_locked=True))
        if row is not None:
            return row
        if await self.get(upload_id) is None:
            raise no_such_upload()
        raise Conflict("Another request is sending a part of this upload just now.", code="upload_busy")

    async def remove(self, upload_id: UUID) -> None:
        await self.session.execute(
            delete(Upload).where(Upload.id == upload_id, Upload.user_id == self.user_id)
        )

    async def open_count(self) -> int:
        """Uploads that are on their way."""
        return await self.session.scalar(select(func.count()).select_from(self._open().subquery())) or 0

    async def note_arrival(self, upload_id: UUID, filename: str, received: int, keep: timedelta) -> None:
        """How much of a file has arrived that comes in one request; forgotten after `keep` without news."""
        row = await self.get(upload_id) or Upload(id=upload_id, user_id=self.user_id, filename=filename)
        row.received_bytes, row.expires_at = received, self.clock.now() + keep
        await self.add(row)

    async def usage(self, *, alone: bool = False) -> Usage:
        """How much room is taken. With `alone` nobody else adds to it until the transaction ends."""
        if alone:
            await self.session.execute(ONE_AT_A_TIME, {"user": str(self.user_id)})
        of_file = (
            select(Material.id).join(Class, Class.id == Material.class_id).where(Material.file_id == File.id)
        )
        live = exists(of_file.where(Material.deleted_at.is_(None), Class.deleted_at.is_(None)))
        deleted = exists(of_file) & ~live
        total = cast(func.coalesce(func.sum(File.size_bytes), 0), BigInteger)
        gone = cast(func.coalesce(func.sum(File.size_bytes).filter(deleted), 0), BigInteger)
        all_bytes, deleted_bytes = (
            await self.session.execute(select(total, gone).where(File.user_id == self.user_id))
        ).one()
        open_rows = self._open().subquery()
        arriving = await self.session.scalar(select(cast(func.sum(open_rows.c.received_bytes), BigInteger)))
        return Usage(all_bytes - deleted_bytes, deleted_bytes, arriving or 0)

    def _open(self) -> Select[Upload]:
        return select(Upload).where(
            Upload.user_id == self.user_id, Upload.outcome.is_(None), Upload.expires_at > self.clock.now()
        )


def no_such_upload() -> NotFound:
    return NotFound("There is no such upload. Begin it again.", code="upload_not_found")
