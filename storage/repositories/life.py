"""Rows at the end of their life: what is due, what falls with what, and what belongs to a person. Read from the tables'
metadata, so that a new table is covered by being there."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Column,
    ColumnElement,
    Subquery,
    Table,
    and_,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    text,
    tuple_,
    union_all,
    update,
)
from sqlalchemy.exc import IntegrityError

from storage.errors import Conflict
from storage.life.retention import bins, due_rows
from storage.models import Base, Chunk, Class, File
from storage.repositories.base import Page, Repository, as_uuid, decode_cursor, encode_cursor, one_of_names

BATCH = 2000
"""Rows that one statement removes: a fraction of a second even where an index is rebuilt with them."""
PAGE = 500
"""Rows that are read at a time."""


def tables() -> dict[str, Table]:
    return dict(Base.metadata.tables)


def person_columns(table: Table) -> list[Column[Any]]:
    """The columns that say whose row it is: those that point at users, and `user_id` where nothing points."""
    if table.name == "users":
        return [table.c.id]
    pointing = [c for c in table.c if any(key.column.table.name == "users" for key in c.foreign_keys)]
    return pointing or [c for c in table.c if c.name == "user_id"]


def personal_tables() -> list[Table]:
    """Tables with rows of a person, parents before children."""
    return [table for table in Base.metadata.sorted_tables if person_columns(table)]


def cascading(parent: Table) -> Iterator[tuple[Table, Column[Any]]]:
    """(child table, its column with the parent's id) for everything that PostgreSQL deletes with a row of `parent`."""
    for child in Base.metadata.sorted_tables:
        for constraint in child.foreign_key_constraints:
            if constraint.referred_table is parent and constraint.ondelete == "CASCADE":
                yield from ((child, e.parent) for e in constraint.elements if e.column.name == "id")


def _newest(table: Table) -> list[ColumnElement[bool]]:
    """Of what has versions only the newest stands for all of them."""
    return [table.c.superseded_at.is_(None)] if "superseded_at" in table.c else []


TITLES = ("title", "name", "front")
"""What people call a thing, by the column that its table has."""


@dataclass(frozen=True, slots=True)
class Deleted:
    """A row in the bin."""

    id: UUID
    table: str
    title: str
    deleted_at: datetime

    @property
    def kind(self) -> str:
        """`class` for `classes`, `deck` for `decks`."""
        return self.table.removesuffix("es") if self.table.endswith("sses") else self.table.removesuffix("s")


def _pointed_at(file_id: Any) -> ColumnElement[bool]:
    """Whether any row of any table points at a file."""
    columns = [c for t in Base.metadata.sorted_tables for c in t.c]
    pointing = [c for c in columns if any(key.column is File.__table__.c.id for key in c.foreign_keys)]
    return or_(*(exists().where(column == file_id) for column in pointing))


class LifeRepository(Repository):
    """Everything here acts as the bound user: row-level security decides what can be seen and removed."""

    async def removable(self) -> frozenset[str]:
        """Tables that the application may delete from: not the audit trail."""
        asked = text("SELECT t FROM unnest(CAST(:names AS text[])) t WHERE has_table_privilege(t, 'DELETE')")
        return frozenset((await self.session.scalars(asked, {"names": sorted(tables())})).all())

    async def due(self, now: datetime) -> list[str]:
        """Tables in which the user has rows whose time is over."""
        checks = [
            select(literal(name).label("name")).where(exists().where(self._mine(name), condition))
            for name, condition in due_rows(now).items()
        ]
        first, *rest = checks
        return list((await self.session.scalars(first.union_all(*rest))).all())

    async def due_ids(self, name: str, now: datetime, limit: int = PAGE) -> Sequence[UUID]:
        table = tables()[name]
        found = select(table.c.id).where(self._mine(name), due_rows(now)[name])
        return (await self.session.scalars(found.order_by(table.c.id).limit(limit))).all()

    # --- the bin

    async def bin(self, since: datetime, *, limit: int, cursor: str | None) -> Page[Deleted]:
        """What was deleted after `since`, of every kind, newest first."""
        deleted = self._deleted(since)
        total = await self.session.scalar(select(func.count()).select_from(deleted))
        found = select(deleted)
        if cursor is not None:
            found = found.where(
                tuple_(deleted.c.deleted_at, deleted.c.id) < tuple_(*map(literal, decode_cursor(cursor)))
            )
        found = found.order_by(deleted.c.deleted_at.desc(), deleted.c.id.desc()).limit(limit + 1)
        rows = [Deleted(*row) for row in await self.session.execute(found)]
        following = (
            encode_cursor(rows[limit - 1].deleted_at, rows[limit - 1].id) if len(rows) > limit else None
        )
        return Page(rows[:limit], following, total or 0)

    async def in_bin(self, wanted: str, since: datetime) -> Deleted:
        """By id or title. Raises NotFound, or Conflict listing the candidates."""
        deleted = self._deleted(since)
        item_id = as_uuid(wanted)
        same = deleted.c.id == item_id if item_id else func.lower(deleted.c.title) == wanted.strip().lower()
        rows = [Deleted(*row) for row in await self.session.execute(select(deleted).where(same).limit(9))]
        found: Deleted = one_of_names("deleted_item", wanted, rows, "title")
        return found

    async def restore(self, row: Deleted) -> None:
        """Raises Conflict when something with its name was made in the meantime."""
        table = tables()[row.table]
        try:
            await self.session.execute(update(table).where(table.c.id == row.id).values(deleted_at=None))
        except IntegrityError as error:
            raise Conflict(
                f"There is another {row.kind} called {row.title!r} by now. Rename or delete that one first.",
                code=f"{row.kind}_exists",
            ) from error

    def _deleted(self, since: datetime) -> Subquery:
        parts = [
            select(
                table.c.id,
                literal(table.name).label("table"),
                next(table.c[name] for name in TITLES if name in table.c).label("title"),
                table.c.deleted_at,
            ).where(self._mine(table.name), table.c.deleted_at > since, *_newest(table))
            for table in bins()
        ]
        return union_all(*parts).subquery()

    # --- the purge

    async def children(self, table: Table, column: Column[Any], ids: Sequence[UUID]) -> Sequence[UUID]:
        """Ids of the user's own rows that hang on these; rows of others fall with their parent."""
        found = select(table.c.id).where(column.in_(ids), self._mine(table.name)).limit(PAGE)
        return (await self.session.scalars(found)).all()

    async def prefixes(self, class_ids: Sequence[UUID]) -> Sequence[str]:
        """What the names of these classes' collections begin with."""
        found = select(Class.collection_prefix).where(Class.id.in_(class_ids))
        return (await self.session.scalars(found)).all()

    async def forget_files(self, before: datetime) -> list[tuple[UUID, str]]:
        """Remove the rows of files older than `before` that nothing points at. Gives (id, object key) of each.

        Two statements: once the rows are locked nothing new can point at them, and the second one sees what did before.
        """
        unused = and_(File.user_id == self.user_id, File.created_at < before, ~_pointed_at(File.id))
        found = select(File.id).where(unused).limit(PAGE).with_for_update()
        locked = (await self.session.scalars(found)).all()
        gone = delete(File).where(File.id.in_(locked), unused).returning(File.id, File.object_key)
        return [(row[0], row[1]) for row in await self.session.execute(gone)]

    async def class_chunks(self, class_id: UUID) -> set[UUID]:
        """Ids of all chunks of a class, also of deleted materials."""
        return set(await self.session.scalars(select(Chunk.id).where(Chunk.class_id == class_id)))

    async def remove(self, table: Table, condition: ColumnElement[bool], limit: int = BATCH) -> int:
        """Delete at most `limit` rows; how many it were."""
        keys = tuple_(*table.primary_key.columns)
        doomed = select(*table.primary_key.columns).where(condition).limit(limit)
        gone = await self.session.execute(delete(table).where(keys.in_(doomed)))
        return int(gone.rowcount)  # type: ignore[attr-defined]

    async def columns(self) -> dict[str, list[str]]:
        """Table → its columns that a person may read of themselves. What data_query may not read is a secret here too."""
        asked = text(
            "SELECT c.table_name AS name, c.column_name AS col FROM information_schema.columns c"
            " WHERE c.table_schema = 'public' AND has_column_privilege('lyceum_reader', c.table_name, c.column_name, 'SELECT')"
        )
        readable = {(row.name, row.col) for row in await self.session.execute(asked)}
        return {
            table.name: [c.name for c in table.c if (table.name, c.name) in readable and not c.computed]
            for table in personal_tables()
        }

    async def rows_about(
        self, name: str, columns: Sequence[str], after: tuple[Any, ...] | None, equal: Mapping[str, Any]
    ) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
        """(key, row) of the next rows of a table that are about the person, in the order of their keys."""
        table = tables()[name]
        keys = list(table.primary_key.columns)
        mine = select(*keys, *(table.c[column].label(f"value_{column}") for column in columns))
        mine = mine.where(self._about(table), *(table.c[column] == value for column, value in equal.items()))
        if after is not None:
            mine = mine.where(
                tuple_(*keys) > tuple_(*(literal(v, k.type) for v, k in zip(after, keys, strict=True)))
            )
        rows = (await self.session.execute(mine.order_by(*keys).limit(PAGE))).all()
        count = len(keys)
        return [(tuple(row[:count]), dict(zip(columns, row[count:], strict=True))) for row in rows]

    def _mine(self, name: str) -> ColumnElement[bool]:
        condition: ColumnElement[bool] = tables()[name].c.user_id == self.user_id
        return condition

    def _about(self, table: Table) -> ColumnElement[bool]:
        return or_(*(column == self.user_id for column in person_columns(table)))
