"""Conversations, messages and runs."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import and_, func, or_, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from storage.errors import Conflict, NotFound
from storage.models import Conversation, Message, Run
from storage.repositories.base import Page, Repository, as_uuid, decode_cursor, encode_cursor, one_of_names

STALE = timedelta(seconds=15)


async def stale_runs(session: AsyncSession) -> list[tuple[UUID, UUID]]:
    """(run id, user id) of runs whose process has not given a sign of life for a while."""
    rows = await session.execute(
        text("SELECT run_id, user_id FROM lyceum_stale_runs(:seconds)"),
        {"seconds": int(STALE.total_seconds())},
    )
    return [(row.run_id, row.user_id) for row in rows]


class ConversationRepository(Repository):
    async def recent(self, *, class_id: UUID | None, limit: int, cursor: str | None) -> Page[Conversation]:
        mine = select(Conversation).where(
            Conversation.user_id == self.user_id, Conversation.deleted_at.is_(None)
        )
        if class_id:
            mine = mine.where(Conversation.class_id == class_id)
        return await self.page(
            mine, Conversation.last_message_at, Conversation.id, limit=limit, cursor=cursor
        )

    async def resolve(self, wanted: str) -> Conversation:
        """By id, thread id, or title."""
        mine = select(Conversation).where(
            Conversation.user_id == self.user_id, Conversation.deleted_at.is_(None)
        )
        conversation_id = as_uuid(wanted)
        same = (
            Conversation.id == conversation_id
            if conversation_id
            else func.lower(Conversation.title) == wanted.lower()
        )
        found = (
            await self.session.scalars(mine.where(or_(same, Conversation.thread_id == wanted)).limit(9))
        ).all()
        row: Conversation = one_of_names("conversation", wanted, found, "title")
        return row

    async def by_thread(self, thread_id: str) -> Conversation | None:
        found = select(Conversation).where(
            Conversation.user_id == self.user_id,
            Conversation.thread_id == thread_id,
            Conversation.deleted_at.is_(None),
        )
        return await self.session.scalar(found)

    async def lock(self) -> None:
        """Make the user's other transactions that call this wait, so that starting a run is race-free."""
        statement = text("SELECT pg_advisory_xact_lock(hashtextextended('chat:' || :user, 0))")
        await self.session.execute(statement, {"user": str(self.user_id)})

    async def add(self, row: Conversation) -> Conversation:
        """Raises Conflict when the thread id was used before, also by a conversation that was deleted."""
        try:
            async with self.session.begin_nested():
                self.session.add(row)
                await self.session.flush()
        except IntegrityError as error:
            raise Conflict(
                "There was a conversation with this thread id already.", code="conversation_exists"
            ) from error
        return row

    async def add_message(self, row: Message) -> None:
        self.session.add(row)
        await self.session.execute(
            update(Conversation)
            .where(Conversation.id == row.conversation_id)
            .values(message_count=Conversation.message_count + 1, last_message_at=row.created_at)
        )
        await self.session.flush()

    async def messages(self, conversation_id: UUID, *, limit: int, cursor: str | None) -> Page[Message]:
        """The newest `limit` messages in reading order; `next_cursor` leads to older ones."""
        mine = select(Message).where(
            Message.conversation_id == conversation_id, Message.user_id == self.user_id
        )
        total = await self.session.scalar(select(func.count()).select_from(mine.subquery())) or 0
        if cursor:
            when, last = decode_cursor(cursor)
            mine = mine.where(
                or_(Message.created_at < when, and_(Message.created_at == when, Message.id < last))
            )
        newest = mine.order_by(Message.created_at.desc(), Message.id.desc()).limit(limit + 1)
        rows = list((await self.session.scalars(newest)).all())
        more, rows = len(rows) > limit, rows[:limit]
        next_cursor = encode_cursor(rows[-1].created_at, rows[-1].id) if more else None
        return Page(rows[::-1], next_cursor, total)

    # --- runs

    async def add_run(self, row: Run) -> None:
        """Raises Conflict when the run id was used before."""
        try:
            async with self.session.begin_nested():
                self.session.add(row)
                await self.session.flush()
        except IntegrityError as error:
            raise Conflict("There was a run with this id already.", code="run_exists") from error

    async def run(self, client_run_id: str) -> Run:
        found = await self.find_run(client_run_id)
        if found is None:
            raise NotFound(f"No run {client_run_id!r}.", code="run_not_found")
        return found

    async def find_run(self, client_run_id: str) -> Run | None:
        found = select(Run).where(Run.user_id == self.user_id, Run.client_run_id == client_run_id)
        return await self.session.scalar(found)

    async def run_by_id(self, run_id: UUID) -> Run | None:
        return await self.session.scalar(select(Run).where(Run.user_id == self.user_id, Run.id == run_id))

    async def runs(self, run_ids: Sequence[UUID]) -> dict[UUID, Run]:
        found = select(Run).where(Run.user_id == self.user_id, Run.id.in_(run_ids))
        return {row.id: row for row in await self.session.scalars(found)}

    async def active_run(self, conversation_id: UUID) -> Run | None:
        found = select(Run).where(
            Run.conversation_id == conversation_id, Run.user_id == self.user_id, Run.status == "running"
        )
        return await self.session.scalar(found.order_by(Run.created_at.desc()).limit(1))

    async def beat(self, run_id: UUID) -> None:
        await self.session.execute(update(Run).where(Run.id == run_id).values(heartbeat_at=self.clock.now()))

    async def finish_run(
        self, run_id: UUID, status: str, *, code: str | None = None, error: str | None = None
    ) -> bool:
        """End a running run. False when it had ended already, so that only one process stores its answer."""
        ended = (
            update(Run)
            .where(Run.id == run_id, Run.status == "running")
            .values(status=status, error_code=code, error=error, finished_at=self.clock.now())
            .returning(Run.id)
        )
        return await self.session.scalar(ended) is not None
