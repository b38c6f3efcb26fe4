"""Which item a name or an id means for a caller: for what is not a tool call and so has no tool to ask."""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any
from uuid import UUID

from storage.errors import NotFound
from storage.models import Job
from storage.repositories import Repositories
from storage.repositories.base import as_uuid

Item = tuple[str, UUID]
"""(kind, id), as changes name it."""


async def _job(db: Repositories, wanted: str) -> Job:
    key = as_uuid(wanted)
    if key is None:
        raise NotFound(f"No job {wanted!r}.", code="job_not_found")
    return await db.jobs.get(key)


RESOLVERS: Mapping[str, Callable[[Repositories, str], Awaitable[Any]]] = MappingProxyType(
    {
        "class": lambda db, wanted: db.classes.reachable(wanted),
        "material": lambda db, wanted: db.materials.resolve(wanted),
        "note": lambda db, wanted: db.notes.resolve(wanted),
        "deck": lambda db, wanted: db.cards.readable_deck(wanted),
        "test": lambda db, wanted: db.tests.reachable(wanted),
        "document": lambda db, wanted: db.documents.readable(wanted),
        "conversation": lambda db, wanted: db.conversations.resolve(wanted),
        "job": _job,
    }
)


async def item_of(db: Repositories, kind: str, wanted: str) -> Item:
    """Raises NotFound, or Conflict listing the candidates."""
    row = await RESOLVERS[kind](db, wanted)
    return kind, row.id
