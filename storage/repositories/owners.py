"""Whose a vector collection is: asked before each look into Chroma, hence without SQLAlchemy, which takes longer than the
answer."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from storage.database import Database
from storage.repositories.base import id_or_name

MINE = "SELECT id, name, collection_prefix FROM classes WHERE user_id = $1 AND deleted_at IS NULL"
ALL = f"{MINE} ORDER BY created_at"
EXACT = f"{MINE} AND (id = $2 OR lower(name) = $3)"
BY_PREFIX = f"{MINE} AND collection_prefix = $2"


@dataclass(frozen=True, slots=True)
class Owner:
    """A class that has vector collections."""

    id: UUID
    name: str
    collection_prefix: str


class Owners:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self, user_id: UUID) -> list[Owner]:
        """The user's classes, oldest first."""
        return owners(await self._database.rows(user_id, ALL, user_id))

    async def named(self, user_id: UUID, wanted: str) -> Owner | None:
        """The user's class with this id or whole name; parts of names are for `ClassRepository.resolve`."""
        found = owners(await self._database.rows(user_id, EXACT, user_id, *id_or_name(wanted)))
        return next(iter(found), None)

    async def by_prefix(self, user_id: UUID, prefix: str) -> Owner | None:
        """The user's class whose collections begin with this prefix."""
        return next(iter(owners(await self._database.rows(user_id, BY_PREFIX, user_id, prefix))), None)


def owners(rows: Iterable[tuple[UUID, str, str]]) -> list[Owner]:
    # asyncpg's own kind of UUID is a UUID, and pydantic takes it as one.
    return [Owner(*row) for row in rows]
