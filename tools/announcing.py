"""What a call or a job changed, in the words of items that a client can read: told once the change stands."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Any
from uuid import UUID

from storage.errors import Unavailable
from storage.models import Job
from storage.redis.changes import Change
from storage.repositories.audit import Change as RowChange
from storage.repositories.base import as_uuid
from storage.resources import Storage

KINDS = {
    "classes": "class",
    "materials": "material",
    "notes": "note",
    "decks": "deck",
    "tests": "test",
    "documents": "document",
    "conversations": "conversation",
    "jobs": "job",
}
"""Tables whose rows are items of their own."""
PARTS = {
    "flashcards": ("deck_id", "deck"),
    "test_questions": ("test_id", "test"),
    "note_sources": ("note_id", "note"),
}
"""Tables whose rows belong to an item, the column that says to which, and its kind. A row that changed in other columns
alone names no item: a review of a card is no news about its deck."""
TARGETS = ("material", "note", "deck", "test", "document")
"""What a job can be about: `…_id` in its arguments or its result."""


def of_rows(user_id: UUID, rows: Iterable[RowChange]) -> Change:
    """What the rows of a transaction, as the audit noted them, mean for items and lists."""
    items: set[tuple[str, UUID]] = set()
    lists = False
    for row in rows:
        kind, key = KINDS.get(row.table), as_uuid(row.id or "")
        if kind is not None and key is not None:
            items.add((kind, key))
            items |= _item("class", {**row.old, **row.new}.get("class_id"))
            lists = lists or (kind != "job" and (not row.old or not row.new or "deleted_at" in row.new))
        elif row.table in PARTS:
            column, whole = PARTS[row.table]
            items |= _item(whole, {**row.old, **row.new}.get(column))
    return Change(user_id, frozenset(items), lists)


def of_job(job: Job) -> Change:
    """What the end of a job means: the job itself, and what it was about. One that names nothing may have made anything."""
    named = {**job.arguments, **(job.result or {})}
    items = {item for kind in TARGETS for item in _item(kind, named.get(f"{kind}_id"))}
    items |= _item("material", job.material_id)
    return Change(job.user_id, frozenset(items | {("job", job.id)}), lists=not items)


def _item(kind: str, key: Any) -> set[tuple[str, UUID]]:
    found = as_uuid(str(key)) if key is not None else None
    return {(kind, found)} if found is not None else set()


async def announce_rows(storage: Storage, user_id: UUID, rows: Iterable[RowChange]) -> None:
    await storage.changes.tell(of_rows(user_id, rows))


async def announce_end(storage: Storage, job: Job) -> None:
    """Also the class that the job's material is in, whose list shows its state."""
    change, material = of_job(job), None
    if job.material_id is not None:
        with suppress(Unavailable):
            async with storage.as_user(job.user_id, read_only=True) as db:
                material = await db.materials.by_id(job.material_id)
    if material is not None:
        change = replace(change, items=change.items | {("class", material.class_id)})
    await storage.changes.tell(change)
