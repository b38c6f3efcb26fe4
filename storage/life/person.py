"""Reads everything that is about one person, a page a transaction, without secrets."""

from collections.abc import AsyncGenerator
from typing import Any
from uuid import UUID

from storage.repositories.life import PAGE
from storage.resources import Storage

DERIVED = frozenset({"chunk_postings"})
"""The inverted index: made from the chunks, and of use only to the search."""


class Person:
    def __init__(self, storage: Storage, user_id: UUID) -> None:
        self._storage = storage
        self._user_id = user_id
        self._columns: dict[str, list[str]] = {}

    async def tables(self) -> dict[str, list[str]]:
        """Table → columns that are given out, for every table that can hold something about a person."""
        if not self._columns:
            async with self._storage.as_user(self._user_id, read_only=True) as db:
                found = await db.life.columns()
            self._columns = {name: columns for name, columns in found.items() if name not in DERIVED}
        return self._columns

    async def rows(self, table: str, **equal: Any) -> AsyncGenerator[dict[str, Any]]:
        """The person's rows, in the order of their keys, which for UUIDv7 is that of their making."""
        columns = (await self.tables())[table]
        after: tuple[Any, ...] | None = None
        while True:
            async with self._storage.as_user(self._user_id, read_only=True) as db:
                page = await db.life.rows_about(table, columns, after, equal)
            for after, row in page:  # noqa: B007 - the last key is where the next page begins
                yield row
            if len(page) < PAGE:
                return
