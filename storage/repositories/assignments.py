"""What is due: one's own assignments and those of the classes one is in, with how far one is oneself."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert

from storage.models import Assignment, AssignmentProgress, Class, ClassMember, Deck, Test
from storage.repositories.base import Page, Repository, decode_cursor, encode_cursor

TAUGHT = text("SELECT CAST(:class AS uuid) IN (SELECT lyceum_taught_classes())")


@dataclass(frozen=True, slots=True)
class Due:
    """An assignment as its reader has it: the progress is their own."""

    row: Assignment
    class_name: str
    status: str
    completed_at: datetime | None
    score: float | None


class AssignmentRepository(Repository):
    def _visible(self) -> Any:
        """One's own, and those set for the classes that one owns or is in."""
        joined = exists().where(ClassMember.class_id == Class.id, ClassMember.user_id == self.user_id)
        reachable = or_(Class.user_id == self.user_id, joined)
        return (
            select(Assignment, Class.name, AssignmentProgress)
            .join(Class, Class.id == Assignment.class_id)
            .outerjoin(
                AssignmentProgress,
                and_(
                    AssignmentProgress.assignment_id == Assignment.id,
                    AssignmentProgress.user_id == self.user_id,
                ),
            )
            .where(
                Assignment.deleted_at.is_(None),
                Class.deleted_at.is_(None),
                or_(Assignment.user_id == self.user_id, and_(Assignment.for_class, reachable)),
            )
        )

    def _status(self) -> ColumnElement[str]:
        own = Assignment.user_id == self.user_id
        return case((own, Assignment.status), else_=func.coalesce(AssignmentProgress.status, "pending"))

    def _due(self, row: Assignment, class_name: str, progress: AssignmentProgress | None) -> Due:
        if row.user_id == self.user_id:
            return Due(row, class_name, row.status, row.completed_at, None)
        if progress is None:
            return Due(row, class_name, "pending", None, None)
        return Due(row, class_name, progress.status, progress.completed_at, progress.score)

    async def due(
        self,
        *,
        class_id: UUID | None = None,
        statuses: Sequence[str] = (),
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int,
        cursor: str | None,
    ) -> Page[Due]:
        """Those due soonest first, between `since` and `until` where given. Raises InvalidInput for a wrong cursor."""
        statement = self._visible()
        if class_id is not None:
            statement = statement.where(Assignment.class_id == class_id)
        if statuses:
            statement = statement.where(self._status().in_(statuses))
        if since is not None:
            statement = statement.where(Assignment.due_at >= since)
        if until is not None:
            statement = statement.where(Assignment.due_at <= until)
        ids = statement.with_only_columns(Assignment.id)
        total = await self.session.scalar(select(func.count()).select_from(ids.subquery()))
        if cursor is not None:
            after = decode_cursor(cursor)
            statement = statement.where(tuple_(Assignment.due_at, Assignment.id) > tuple_(*after))
        ordered = statement.order_by(Assignment.due_at, Assignment.id).limit(limit + 1)
        rows = [self._due(*row) for row in await self.session.execute(ordered)]
        more = len(rows) > limit
        last = rows[limit - 1].row if more else None
        following = encode_cursor(last.due_at, last.id) if last else None
        return Page(rows[:limit], following, total or 0)

    async def resolve(self, wanted: str) -> Due:
        """By id, title, or a part of the title. Raises NotFound, or Conflict listing the candidates."""
        ids = self._visible().with_only_columns(Assignment.id)
        statement = select(Assignment).where(Assignment.id.in_(ids))
        row = await self.named("assignment", statement, wanted, Assignment.id, Assignment.title)
        found = (await self.session.execute(self._visible().where(Assignment.id == row.id))).one()
        return self._due(*found)

    async def add(self, row: Assignment) -> Due:
        self.session.add(row)
        await self.session.flush()
        return await self.resolve(str(row.id))

    async def change(self, row: Assignment, values: dict[str, Any]) -> None:
        for name, value in values.items():
            setattr(row, name, value)
        await self.session.flush()

    async def set_progress(self, due: Due, status: str, completed_at: datetime | None) -> None:
        """How far the caller is with an assignment: in the assignment when it is theirs, else in a row of their own."""
        if due.row.user_id == self.user_id:
            await self.change(due.row, {"status": status, "completed_at": completed_at})
            return
        values = {"status": status, "completed_at": completed_at}
        first = insert(AssignmentProgress).values(
            id=self.clock.new_id(),
            user_id=self.user_id,
            assignment_id=due.row.id,
            class_id=due.row.class_id,
            **values,
        )
        once_more = first.on_conflict_do_update(index_elements=["assignment_id", "user_id"], set_=values)
        await self.session.execute(once_more)

    async def teaches(self, class_id: UUID) -> bool:
        """Whether the caller owns a class or teaches in it."""
        return bool(await self.session.scalar(TAUGHT, {"class": class_id}))

    async def linked(self, kind: type[Deck] | type[Test], wanted: str) -> UUID:
        """The id of one of the caller's decks or tests, by id or title. Raises NotFound or Conflict."""
        name = "deck" if kind is Deck else "test"
        mine: Any = select(kind).where(kind.user_id == self.user_id, kind.deleted_at.is_(None))
        row: Deck | Test = await self.named(name, mine, wanted, kind.id, kind.title)
        return row.id
