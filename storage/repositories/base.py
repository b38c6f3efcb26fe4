"""What repositories share: binding to one user, keyset pages, and lookups by id or name."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Select, Uuid, and_, any_, bindparam, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from storage.clock import Clock
from storage.errors import Conflict, InvalidInput, NotFound

T = TypeVar("T")

ALIKE = text("SELECT id FROM lyceum_similar_titles(:wanted, 20) WHERE kind = :kind LIMIT 3")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list. `next_cursor` fetches the one after; None at the end."""

    items: list[T]
    next_cursor: str | None
    total: int


class Repository:
    """Queries of one domain for one user. Row-level security repeats the same filter underneath."""

    def __init__(self, session: AsyncSession, user_id: UUID, clock: Clock) -> None:
        self.session = session
        self.user_id = user_id
        self.clock = clock

    async def named(
        self,
        kind: str,
        statement: Select[T],
        wanted: str,
        key: InstrumentedAttribute[UUID],
        name: InstrumentedAttribute[str],
    ) -> T:
        """The row of the statement with this id, this name, or the only one with this part of a name.

        Raises NotFound, which lists names that are spelled alike, or Conflict, which lists the candidates, newest first.
        """
        wanted = wanted.strip()
        statement = statement.order_by(key.desc())
        row_id = as_uuid(wanted)
        if row_id is not None:
            found = (await self.session.scalars(statement.where(key == row_id))).all()
        else:
            found = (await self.session.scalars(statement.where(func.lower(name) == wanted.lower()))).all()
            if not found:
                part = name.icontains(wanted, autoescape=True)
                found = (await self.session.scalars(statement.where(part).limit(9))).all()
        alike: list[str] = []
        if not found and row_id is None:
            likest = [row.id for row in await self.session.execute(ALIKE, {"kind": kind, "wanted": wanted})]
            rows = (await self.session.scalars(statement.where(among(key, likest)))).all()
            alike = [getattr(row, name.key) for row in rows]
        row: T = one_of_names(kind, wanted, found, name.key, alike)
        return row

    async def page(
        self,
        statement: Select[T],
        order: InstrumentedAttribute[datetime] | InstrumentedAttribute[datetime | None],
        key: InstrumentedAttribute[UUID],
        *,
        limit: int,
        cursor: str | None,
    ) -> Page[T]:
        """Newest first by (`order`, `key`). Raises InvalidInput for a cursor that this list did not give."""
        total = await self.session.scalar(select(func.count()).select_from(statement.subquery()))
        if cursor is not None:
            when, last = decode_cursor(cursor)
            statement = statement.where(or_(order < when, and_(order == when, key < last)))
        rows = list(
            (await self.session.scalars(statement.order_by(order.desc(), key.desc()).limit(limit + 1))).all()
        )
        more = len(rows) > limit
        rows = rows[:limit]
        next_cursor = (
            encode_cursor(getattr(rows[-1], order.key), getattr(rows[-1], key.key)) if more else None
        )
        return Page(rows, next_cursor, total or 0)


def among(column: InstrumentedAttribute[UUID], ids: Sequence[UUID]) -> ColumnElement[bool]:
    """`column = ANY(:ids)`: one parameter however many ids, so the statement is prepared once. IN prepares it per length."""
    return column == any_(bindparam(None, list(ids), ARRAY(Uuid())))


def encode_cursor(when: datetime, key: UUID) -> str:
    return f"{when.timestamp():.6f}_{key.hex}"


def decode_cursor(cursor: str) -> tuple[datetime, UUID]:
    try:
        seconds, key = cursor.split("_")
        return datetime.fromtimestamp(float(seconds)).astimezone(), UUID(key)
    except (ValueError, OverflowError, OSError) as error:
        raise InvalidInput("This cursor is not one that the list gave.", code="invalid_cursor") from error


def as_uuid(text: str) -> UUID | None:
    """The UUID that a text spells, or None when it is a name."""
    try:
        return UUID(text)
    except ValueError:
        return None


def id_or_name(wanted: str) -> tuple[UUID | None, str | None]:
    """What a caller's text names a thing by: its id, or else its whole name in lower case. The other one is None."""
    wanted = wanted.strip()
    row_id = as_uuid(wanted)
    return row_id, None if row_id else wanted.lower()


def one_of_names(kind: str, wanted: str, found: Sequence[Any], name: str, alike: Sequence[str] = ()) -> Any:
    """The only match, or an error that says what to do: NotFound for none, Conflict listing the candidates for many."""
    if not found:
        meant = f" Did you mean {' or '.join(map(repr, alike))}?" if alike else ""
        raise NotFound(f"No {kind} called or numbered {wanted!r}.{meant}", code=f"{kind}_not_found")
    exact = [row for row in found if getattr(row, name).casefold() == wanted.casefold()]
    if len(exact) == 1:
        return exact[0]
    if len(found) == 1:
        return found[0]
    candidates = ", ".join(f"{getattr(row, name)!r} (id {row.id})" for row in found[:8])
    raise Conflict(f"{wanted!r} fits more than one {kind}: {candidates}. Use the id.", code="ambiguous_name")
