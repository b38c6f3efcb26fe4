"""How long things are kept, in one table, each time with the design that it comes from.

The designs differ in places; the shorter time wins unless the issue or a guarantee says otherwise. Times that only make
sense with archives (audit trail, interactions, study sessions, progress) belong to `lyceum retention` and are not here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, or_

from storage.models import Base

RESTORABLE = timedelta(days=30)
"""How long a soft-deleted item can be restored: issue "The whole data model, and its life". Curriculum keeps deleted
documents for a year, but without a way for the person to get rid of them earlier."""
SETTLED = timedelta(hours=1)
"""Purging waits this much longer, so that a restore in the last second has long ended when its item is looked at."""
EXPORT_LIFE = timedelta(days=7)
"""How long a finished export can be downloaded; no design says, so as long as Curriculum keeps its row afterwards."""
UNUSED_VECTORS = timedelta(days=30)
"""Every collection is compared with its chunks once in this time: Curriculum cleans unused embeddings up monthly. To
compare all of them every day would make the vector store load all of them every day."""

Due = Callable[[Table, datetime], ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class Rule:
    """Rows of `table` go once `due(table, now - keep)` holds."""

    table: str
    keep: timedelta
    due: Due
    source: str


def before(column: str) -> Due:
    """The time in `column` has come."""
    return lambda table, cutoff: table.c[column] < cutoff


def either(*columns: str) -> Due:
    """One of the times in `columns` has come."""
    return lambda table, cutoff: or_(*(table.c[column] < cutoff for column in columns))


def used_up(table: Table, cutoff: datetime) -> ColumnElement[bool]:
    """A link that has expired, was revoked, or has been opened as often as it may."""
    spent = and_(table.c.max_views.is_not(None), table.c.view_count >= table.c.max_views)
    return or_(table.c.expires_at < cutoff, table.c.revoked_at < cutoff, spent)


EXPIRED: tuple[Rule, ...] = (
    Rule("user_sessions", timedelta(0), before("refresh_expires_at"), "LearnLab: clean expired sessions, daily"),
    Rule("uploads", timedelta(0), before("expires_at"), "no design says; three days after the last byte, their parts with them"),
    Rule("share_links", timedelta(0), used_up, "MySmartNotes: expired, or opened max_views times"),
    Rule("exports", timedelta(days=7), before("expires_at"), "Curriculum: 7 days after expiration; the file goes at expiry"),
    Rule("jobs", timedelta(days=30), before("finished_at"), "Curriculum: generation tasks 30 days"),
    Rule("api_keys", timedelta(days=30), either("expires_at", "revoked_at"), "no design says; as long as deleted items, so that a list can still tell which key was used"),
    Rule("oauth_grants", timedelta(days=30), either("refresh_expires_at", "revoked_at"), "no design says; as API keys"),
)  # fmt: skip


def bins() -> list[Table]:
    """Tables whose rows are soft-deleted and then purged. Accounts are erased instead, and files follow what uses them."""
    tables = Base.metadata.sorted_tables
    return [table for table in tables if "deleted_at" in table.c and table.name not in ("users", "files")]


def due_rows(now: datetime) -> dict[str, ColumnElement[bool]]:
    """Table name → which of its rows are to go now."""
    due: dict[str, Any] = {table.name: table.c.deleted_at < now - RESTORABLE - SETTLED for table in bins()}
    for rule in EXPIRED:
        table = Base.metadata.tables[rule.table]
        expired = rule.due(table, now - rule.keep)
        due[rule.table] = or_(due[rule.table], expired) if rule.table in due else expired
    return due
