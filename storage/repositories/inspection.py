"""What `lyceum doctor` reads: the state of the server, and of each user's rows, asked as that user."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from storage.models import Chunk, Class, File, Material
from storage.repositories.base import Repository

SERVER = text(
    "SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number,"
    " clock_timestamp() AS now, rolname AS role, rolsuper OR rolbypassrls AS bypasses,"
    " to_regprocedure('lyceum_schema_revision()') IS NOT NULL AS has_schema"
    " FROM pg_roles WHERE rolname = current_user"
)
PARTITIONS = text(
    "SELECT p.relname AS parent, c.relname AS name FROM pg_partitioned_table t JOIN pg_class p ON p.oid = t.partrelid"
    " LEFT JOIN pg_inherits i ON i.inhparent = p.oid LEFT JOIN pg_class c ON c.oid = i.inhrelid"
    " WHERE p.relnamespace = 'public'::regnamespace ORDER BY 1, 2"
)
UNFORCED = text(
    "SELECT relname FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
    " AND NOT relispartition AND NOT (relrowsecurity AND relforcerowsecurity) AND EXISTS (SELECT FROM pg_attribute"
    " WHERE attrelid = c.oid AND attname = 'user_id' AND NOT attisdropped) ORDER BY 1"
)
WORK = text(
    """
    SELECT count(*) FILTER (WHERE status = 'queued' AND coalesce(run_after, created_at) < :late) AS waiting,
           count(*) FILTER (WHERE status = 'running' AND lease_until < :lost) AS lost,
           count(*) FILTER (WHERE status = 'failed' AND finished_at > :week) AS failed,
           count(*) FILTER (WHERE status IN ('queued', 'running')) AS open,
           (array_agg(id ORDER BY id DESC) FILTER (WHERE status = 'failed' AND finished_at > :week))[1] AS newest_id,
           (array_agg(error ORDER BY id DESC) FILTER (WHERE status = 'failed' AND finished_at > :week))[1] AS newest
    FROM jobs WHERE user_id = :user
      AND (status IN ('queued', 'running') OR (status = 'failed' AND finished_at > :week))
    """
)
PATIENCE = timedelta(minutes=10)
"""A job that waits longer for a worker says that none is running, or too few."""
LOST = timedelta(minutes=1)
"""A lease lasts 15 s and any worker takes over; one that is over for so long says that none does."""


async def server(session: AsyncSession) -> Mapping[str, Any]:
    """version, number, now, role, bypasses (row-level security), has_schema."""
    return dict((await session.execute(SERVER)).mappings().one())


async def partitions(session: AsyncSession) -> dict[str, list[str]]:
    """Partitioned table → names of its partitions."""
    found: dict[str, list[str]] = {}
    for row in await session.execute(PARTITIONS):
        found.setdefault(row.parent, []).extend([row.name] if row.name else [])
    return found


async def unforced(session: AsyncSession) -> list[str]:
    """Tables with users' rows on which row-level security is not forced."""
    return list(await session.scalars(UNFORCED))


async def turns(session: AsyncSession) -> dict[str, Mapping[str, Any]]:
    """Task → its row, for the recurring tasks of the workers."""
    rows = (await session.execute(text("SELECT * FROM upkeep"))).mappings()
    return {row["task"]: dict(row) for row in rows}


@dataclass(frozen=True, slots=True)
class ChunkState:
    """What a chunk says of its vector."""

    id: UUID
    kind: str
    is_ready: bool
    model: str | None


class InspectionRepository(Repository):
    async def files(self) -> dict[str, tuple[str, int]]:
        """Object key → (filename, bytes) of the user's files."""
        found = select(File.object_key, File.filename, File.size_bytes).where(File.user_id == self.user_id)
        return {row[0]: (row[1], row[2]) for row in await self.session.execute(found)}

    async def work(self, now: datetime) -> Mapping[str, Any]:
        """Of the user's jobs: waiting too long, lost, failed in the last week, open; and the newest failure."""
        values = {
            "user": self.user_id,
            "late": now - PATIENCE,
            "lost": now - LOST,
            "week": now - timedelta(days=7),
        }
        return dict((await self.session.execute(WORK, values)).mappings().one())

    async def classes(self) -> list[tuple[UUID, str]]:
        """(id, collection prefix) of the user's live classes."""
        mine = select(Class.id, Class.collection_prefix)
        found = mine.where(Class.user_id == self.user_id, Class.deleted_at.is_(None))
        return [(row[0], row[1]) for row in await self.session.execute(found)]

    async def chunks(self, class_id: UUID) -> list[ChunkState]:
        """Chunks of a class's live materials."""
        found = (
            select(Chunk.id, Material.kind, Material.status, Chunk.embedding_model)
            .join(Material, Material.id == Chunk.material_id)
            .where(Chunk.class_id == class_id, Chunk.user_id == self.user_id, Material.deleted_at.is_(None))
        )
        rows = await self.session.execute(found)
        return [ChunkState(row[0], row[1], row[2] == "ready", row[3]) for row in rows]
