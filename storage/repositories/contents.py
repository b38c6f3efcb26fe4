"""What hangs on an item, counted before it is deleted: what goes with it, and what stays without it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Select, Table, func, literal, select, union_all

from storage.models import Base
from storage.repositories.base import Repository

WORDS = {
    "classes": ("class", "classes"),
    "class_members": ("member", "members"),
    "materials": ("material", "materials"),
    "notes": ("note", "notes"),
    "decks": ("deck", "decks"),
    "flashcards": ("card", "cards"),
    "card_reviews": ("review", "reviews"),
    "tests": ("test", "tests"),
    "test_questions": ("question", "questions"),
    "documents": ("document", "documents"),
    "assignments": ("assignment", "assignments"),
    "courses": ("course", "courses"),
    "conversations": ("conversation", "conversations"),
    "share_links": ("share link", "share links"),
}
"""What a person knows by name, most telling first. Chunks, vectors and the like go with their item unsaid."""


@dataclass(frozen=True, slots=True)
class Hanging:
    """Rows of one kind that point at an item; with `stays` they only lose it."""

    table: str
    count: int
    stays: bool

    @property
    def words(self) -> str:
        """`1 deck`, `14 materials`."""
        one, many = WORDS[self.table]
        return f"{self.count:,} {one if self.count == 1 else many}"


class ContentRepository(Repository):
    """Counts what the bound user can see by row-level security, also what others made for a class of theirs."""

    async def hanging_on(self, table: str, row_id: UUID) -> list[Hanging]:
        """Live rows that point at a row of `table`, as its foreign keys say what becomes of them."""
        counts = [
            _counting(child, column == row_id, stays)
            for child, column, stays in _children(Base.metadata.tables[table])
        ]
        return await self._counted(counts)

    async def of_account(self) -> list[Hanging]:
        """Everything of the user that has a name."""
        tables = [Base.metadata.tables[name] for name in WORDS]
        owned = [table for table in tables if "user_id" in table.c and table.name != "class_members"]
        return await self._counted(
            [_counting(table, table.c.user_id == self.user_id, False) for table in owned]
        )

    async def _counted(self, counts: list[Select[str, bool, int]]) -> list[Hanging]:
        if not counts:
            return []
        rows = (await self.session.execute(union_all(*counts))).all()
        found = [Hanging(row.name, row.number, row.stays) for row in rows if row.number]
        return sorted(found, key=lambda one: list(WORDS).index(one.table))


def _children(parent: Table) -> Iterator[tuple[Table, Column[Any], bool]]:
    """(table, its column with the parent's id, whether its rows outlive the parent) for what people know by name."""
    for name in WORDS:
        child = Base.metadata.tables[name]
        for constraint in child.foreign_key_constraints:
            if constraint.referred_table is parent and child is not parent:
                stays = constraint.ondelete != "CASCADE"
                yield from (
                    (child, key.parent, stays) for key in constraint.elements if key.column.name == "id"
                )


def _counting(table: Table, condition: ColumnElement[bool], stays: bool) -> Select[str, bool, int]:
    live = [
        table.c[name].is_(None) for name in ("deleted_at", "superseded_at", "revoked_at") if name in table.c
    ]
    named = literal(table.name).label("name"), literal(stays).label("stays")
    return select(*named, func.count().label("number")).select_from(table).where(condition, *live)
