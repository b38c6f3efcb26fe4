"""Names of one user's items, for whoever is typing one."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, select

from storage.models import Class, Conversation, Deck, Document, Material, Note, Test
from storage.repositories.base import ALIKE, Repository, among

NAMED: dict[str, tuple[Any, Any]] = {
    "class": (Class, Class.name),
    "material": (Material, Material.title),
    "note": (Note, Note.title),
    "deck": (Deck, Deck.title),
    "test": (Test, Test.title),
    "document": (Document, Document.title),
    "conversation": (Conversation, Conversation.title),
}
"""Table and column of each kind of item that has a name."""
MOST_WORDS = 8


class NameRepository(Repository):
    async def like(
        self, kind: str, typed: str, *, class_id: UUID | None, limit: int
    ) -> tuple[list[str], int]:
        """The user's own names of a kind that hold every word typed, and how many there are: those that begin with it
        first, then the newest. When none does, those that are spelled alike. `class_id`: only in this class."""
        table, name = NAMED[kind]
        mine: list[ColumnElement[bool]] = [table.user_id == self.user_id, table.deleted_at.is_(None)]
        if class_id is not None:
            mine.append((table.id if kind == "class" else table.class_id) == class_id)
        words = typed.split()[:MOST_WORDS]
        fitting = and_(*mine, *(name.icontains(word, autoescape=True) for word in words))
        total = await self.session.scalar(select(func.count(func.distinct(name))).where(fitting)) or 0
        if not total and words:
            alike = [row.id for row in await self.session.execute(ALIKE, {"wanted": typed, "kind": kind})]
            fitting = and_(*mine, among(table.id, alike))
        first = func.bool_or(name.istartswith(typed.strip(), autoescape=True))
        found: Select[Any] = (
            select(name)
            .where(fitting)
            .group_by(name)
            .order_by(first.desc(), func.max(table.created_at).desc())
        )
        names = [str(row) for row in await self.session.scalars(found.limit(limit))]
        return names, max(total, len(names))
