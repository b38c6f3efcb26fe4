"""The audit trail: rows are only ever added."""

from storage.models import AuditLog
from storage.repositories.base import Repository


class AuditRepository(Repository):
    async def add(self, row: AuditLog) -> None:
        self.session.add(row)
        await self.session.flush()
