"""The audit trail: rows are only ever added, and what changed is noted by triggers of the tables (decision 10)."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from storage.database import Database
from storage.errors import Unavailable
from storage.models import AuditLog
from storage.repositories.base import Repository

MONTHS_AHEAD = 3


@dataclass(frozen=True, slots=True)
class Change:
    """A row that was made (`old` is empty), changed (both hold the changed columns) or deleted (`new` is empty)."""

    table: str
    id: str | None
    old: dict[str, Any]
    new: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Changes:
    """What a transaction changed so far, in order. `more`: further rows changed, too many to keep."""

    rows: list[Change]
    more: bool


class AuditRepository(Repository):
    async def changes(self) -> Changes:
        """What the triggers noted in this transaction, without secrets, long texts cut."""
        await self.session.flush()
        noted = json.loads(
            await self.session.scalar(text("SELECT current_setting('lyceum.changes', true)")) or "[]"
        )
        rows = [
            Change(part["table"], part["id"], part["old"] or {}, part["new"] or {})
            for part in noted
            if isinstance(part, dict)
        ]
        return Changes(rows, more=len(rows) < len(noted))

    async def add(self, row: AuditLog) -> None:
        """Raises Unavailable when the trail takes no row; the caller's transaction must then not commit."""
        self.session.add(row)
        try:
            await self.session.flush()
        except DBAPIError as error:
            raise Unavailable(
                "The audit trail takes no entries at the moment, so nothing was changed. Try again later, or run "
                "`lyceum doctor` to see why.",
                code="audit_unavailable",
            ) from error


async def make_partitions(database: Database, now: datetime, months_ahead: int = MONTHS_AHEAD) -> int:
    """Make the monthly partitions of this and the next months for every table that has them. Gives how many were missing.

    Rows of a month without one are in the default partition and move over. Raises Unavailable when a table is busy.
    """
    try:
        async with database.transaction(None) as session:
            made: int = await session.scalar(
                text("SELECT lyceum_make_partitions(:months, :now)"), {"months": months_ahead, "now": now}
            )
    except DBAPIError as error:
        raise Unavailable(
            "The partitions of the coming months could not be made.", code="partitions_missing"
        ) from error
    return made
