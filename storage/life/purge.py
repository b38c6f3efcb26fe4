"""Removes for good what a user deleted 30 days ago and what has expired, in small batches, as that user.

What lies outside PostgreSQL goes first and the row last: the row is the only thing that knows of the rest. A purge that
is killed leaves an item that nobody sees any more, and the next one does the same again. Files are the exception: the
store can be listed, so their collector finds what is left of a file whose row went first.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Table

from storage.garbage import GRACE
from storage.life.retention import bins
from storage.repositories.life import BATCH, cascading, tables
from storage.resources import Storage
from storage.vectors.names import collection_name, collection_names

Removed = Counter[str]
"""How much was removed, by table; beside them `vectors`, `collections` and `objects`."""
Check = Callable[[], Awaitable[None]]
"""Called between batches; raises to stop."""


class Purge:
    """One pass over one user. Safe to repeat, and to run twice at the same time."""

    def __init__(self, storage: Storage, user_id: UUID, check: Check) -> None:
        self._storage = storage
        self._user_id = user_id
        self._check = check
        self.removed: Removed = Counter()

    async def run(self, now: datetime) -> None:
        """Everything whose time is over at `now`."""
        await self._exports(now)
        async with self._storage.as_user(self._user_id, read_only=True) as db:
            due = await db.life.due(now)
        outside = {"classes": self._classes, "materials": self._materials}
        for name in due:
            last: Sequence[UUID] = ()
            while ids := await self._due(name, now):
                if ids == last:
                    break  # a policy keeps these rows: not ours to remove
                await self._check()
                if name in outside:
                    await outside[name](ids)
                await self.fell(tables()[name], ids)
                last = ids

        await self._files(now)

    async def _due(self, name: str, now: datetime) -> Sequence[UUID]:
        async with self._storage.as_user(self._user_id, read_only=True) as db:
            return await db.life.due_ids(name, now)

    # --- outside PostgreSQL

    async def _materials(self, ids: Sequence[UUID]) -> None:
        for material_id in ids:
            async with self._storage.as_user(self._user_id, read_only=True) as db:
                material = await db.materials.by_id(material_id)
                target = await db.classes.by_id(material.class_id) if material else None
                chunks = await db.materials.chunk_ids(material_id)
            if material is not None and target is not None and chunks:
                name = collection_name(target.collection_prefix, material.kind)
                await self._storage.vectors.delete(name, chunks)
                self.removed["vectors"] += len(chunks)
            await self._check()

    async def _files(self, now: datetime) -> None:
        """Files that nothing uses any more, and uploads that were never used. Here the row goes first: an object without
        a row is found by the collector, whenever it comes."""
        while True:
            async with self._storage.as_user(self._user_id) as db:
                gone = await db.life.forget_files(now - GRACE)
            for _, key in gone:
                await self._check()
                await self._storage.files.delete(key)
            self.removed["files"] += len(gone)
            if not gone:
                return

    async def _exports(self, now: datetime) -> None:
        """The files of exports go at expiry; their rows stay a while, so that an old link can say so."""
        async with self._storage.as_user(self._user_id, read_only=True) as db:
            over = await db.exports.over(now)
        for export_id, file_id, key in over:
            if key is not None:
                await self._storage.files.delete(key)
                self.removed["objects"] += 1
            async with self._storage.as_user(self._user_id) as db:
                await db.exports.expire(export_id, file_id)
            await self._check()

    async def _classes(self, ids: Sequence[UUID]) -> None:
        """Also what the user keeps in a class without being part of it: notes and tests only lose a class of somebody else."""
        for table in bins():
            if "class_id" in table.c and table.name != "materials":
                await self._within(table, ids)
        await self._within(tables()["materials"], ids)
        async with self._storage.as_user(self._user_id, read_only=True) as db:
            prefixes = await db.life.prefixes(ids)
        vectors = self._storage.vectors
        for prefix in prefixes:
            for name in await vectors.existing(collection_names(prefix), await vectors.present()):
                await vectors.drop(name)
                self.removed["collections"] += 1
            await self._check()

    async def _within(self, table: Table, class_ids: Sequence[UUID]) -> None:
        last: Sequence[UUID] = ()
        while (below := await self._below(table, table.c.class_id, class_ids)) and below != last:
            if table.name == "materials":
                await self._materials(below)
            await self.fell(table, below)
            last = below

    # --- rows

    async def fell(self, table: Table, ids: Sequence[UUID]) -> None:
        """Remove rows with everything that hangs on them, leaves first, so that no statement runs long."""
        for child, column in cascading(table):
            if child is table or "id" not in child.c or not any(cascading(child)):
                await self.clear(child, column.in_(ids))
                continue
            last: Sequence[UUID] = ()
            while (below := await self._below(child, column, ids)) and below != last:
                await self.fell(child, below)
                last = below
        await self.clear(table, table.c.id.in_(ids))

    async def clear(self, table: Table, condition: ColumnElement[bool]) -> None:
        """Remove the rows that fulfil a condition, a batch a transaction."""
        gone = BATCH
        while gone == BATCH:
            await self._check()
            async with self._storage.as_user(self._user_id) as db:
                gone = await db.life.remove(table, condition)
            self.removed[table.name] += gone

    async def _below(self, table: Table, column: Column[Any], ids: Sequence[UUID]) -> Sequence[UUID]:
        async with self._storage.as_user(self._user_id, read_only=True) as db:
            return await db.life.children(table, column, ids)
