"""Attempts at tests and their answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Select, Uuid, any_, bindparam, func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from storage.errors import NotFound
from storage.models import AttemptAnswer, TestAttempt
from storage.repositories.base import Repository, as_uuid

KEYS = text("SELECT * FROM lyceum_attempt_keys(:attempt_id)")
NAMES = text("SELECT user_id, name FROM lyceum_names(:ids)")
OPEN, ABANDONED = "in_progress", "abandoned"
MOST_MEMBERS = 200


@dataclass(frozen=True, slots=True)
class StoredKey:
    """The key of a question with what supports it, once it may be known."""

    question_id: UUID
    answer: dict[str, Any]
    explanation: str | None
    quote: str | None
    locator: dict[str, Any] | None
    source_chunk_ids: list[UUID]
    material_id: UUID | None


async def ungraded_attempts(session: AsyncSession, grace_seconds: int, limit: int) -> list[tuple[UUID, UUID]]:
    """(attempt, user) across all users: those whose time is up for longer than this, and those left ungraded by a crash."""
    asked = text("SELECT attempt_id, user_id FROM lyceum_ungraded_attempts(:grace, :n)")
    rows = await session.execute(asked, {"grace": grace_seconds, "n": limit})
    return [(row.attempt_id, row.user_id) for row in rows]


class AttemptRepository(Repository):
    def _mine(self) -> Select[TestAttempt]:
        return select(TestAttempt).where(TestAttempt.user_id == self.user_id)

    async def get(self, wanted: str | UUID) -> TestAttempt:
        """One's own. Raises NotFound."""
        attempt_id = wanted if isinstance(wanted, UUID) else as_uuid(wanted.strip())
        row = (
            await self.session.scalar(self._mine().where(TestAttempt.id == attempt_id))
            if attempt_id
            else None
        )
        if row is None:
            raise NotFound(
                f"No attempt {str(wanted)!r}. start_test gives the id of one.", code="attempt_not_found"
            )
        return row

    async def for_writing(self, attempt_id: UUID) -> TestAttempt:
        """The attempt, locked until the end of the transaction. Raises NotFound."""
        found = self._mine().where(TestAttempt.id == attempt_id).with_for_update()
        row: TestAttempt | None = await self.session.scalar(found.execution_options(populate_existing=True))
        if row is None:
            raise NotFound("This attempt does not exist any more.", code="attempt_not_found")
        return row

    async def open_of(self, test_id: UUID) -> TestAttempt | None:
        """The attempt at a test that has not been handed in."""
        found = self._mine().where(TestAttempt.test_id == test_id, TestAttempt.status == OPEN)
        row: TestAttempt | None = await self.session.scalar(found)
        return row

    async def latest_of(self, test_id: UUID) -> TestAttempt | None:
        """The open one, else the one begun last that was handed in."""
        found = self._mine().where(TestAttempt.test_id == test_id, TestAttempt.status != ABANDONED)
        newest = found.order_by((TestAttempt.status == OPEN).desc(), TestAttempt.started_at.desc())
        row: TestAttempt | None = await self.session.scalar(newest.limit(1))
        return row

    async def opened(self) -> Sequence[TestAttempt]:
        """One's own open attempts at any test, newest first; a few suffice to say that there are several."""
        found = self._mine().where(TestAttempt.status == OPEN).order_by(TestAttempt.started_at.desc())
        return (await self.session.scalars(found.limit(5))).all()

    async def last_graded(self) -> TestAttempt | None:
        """Of any test."""
        found = self._mine().where(TestAttempt.graded_at.is_not(None))
        row: TestAttempt | None = await self.session.scalar(
            found.order_by(TestAttempt.started_at.desc()).limit(1)
        )
        return row

    async def add(self, row: TestAttempt, answers: Sequence[AttemptAnswer]) -> bool:
        """False when another attempt at the test was opened meanwhile; then nothing is stored."""
        try:
            async with self.session.begin_nested():
                self.session.add(row)
                await self.session.flush()
                self.session.add_all(answers)
                await self.session.flush()
        except IntegrityError:
            return False
        return True

    async def of_tests(self, test_ids: Sequence[UUID]) -> Sequence[TestAttempt]:
        """One's own attempts at these tests, newest first, without abandoned ones."""
        found = select(TestAttempt).where(
            TestAttempt.user_id == self.user_id,
            TestAttempt.test_id == any_(bindparam(None, list(test_ids), ARRAY(Uuid()))),
            TestAttempt.status != ABANDONED,
        )
        return (await self.session.scalars(found.order_by(TestAttempt.started_at.desc()))).all()

    async def of_members(self, test_id: UUID) -> Sequence[TestAttempt]:
        """Finished attempts of others that one may see because one teaches the class, newest first."""
        found = select(TestAttempt).where(
            TestAttempt.user_id != self.user_id,
            TestAttempt.test_id == test_id,
            TestAttempt.graded_at.is_not(None),
        )
        return (
            await self.session.scalars(found.order_by(TestAttempt.started_at.desc()).limit(MOST_MEMBERS))
        ).all()

    async def names(self, user_ids: Sequence[UUID]) -> dict[UUID, str]:
        """Of people one has to do with."""
        rows = await self.session.execute(NAMES, {"ids": list(user_ids)})
        return {row.user_id: row.name for row in rows}

    async def answers(self, attempt_id: UUID) -> Sequence[AttemptAnswer]:
        """All questions of one's own attempt with what was answered, in the order of the attempt."""
        found = select(AttemptAnswer).where(
            AttemptAnswer.attempt_id == attempt_id, AttemptAnswer.user_id == self.user_id
        )
        return (
            await self.session.scalars(found.order_by(AttemptAnswer.question["number"].as_integer()))
        ).all()

    async def answer(
        self, attempt_id: UUID, *, question_id: UUID | None, number: int | None
    ) -> AttemptAnswer | None:
        """The one to a question, locked until the end of the transaction."""
        found = select(AttemptAnswer).where(
            AttemptAnswer.attempt_id == attempt_id, AttemptAnswer.user_id == self.user_id
        )
        if question_id is not None:
            found = found.where(AttemptAnswer.question_id == question_id)
        if number is not None:
            found = found.where(AttemptAnswer.question["number"].as_integer() == number)
        row: AttemptAnswer | None = await self.session.scalar(found.with_for_update())
        return row

    async def counts(self, attempt_id: UUID) -> tuple[int, int]:
        """(answered, all) questions of one's own attempt."""
        found = select(func.count(AttemptAnswer.answered_at), func.count()).where(
            AttemptAnswer.attempt_id == attempt_id, AttemptAnswer.user_id == self.user_id
        )
        answered, count = (await self.session.execute(found)).one()
        return answered, count

    async def keys(self, attempt_id: UUID) -> dict[UUID, StoredKey]:
        """Keys by question, as far as they may be known: see migration 0009."""
        await self.session.flush()
        rows = await self.session.execute(KEYS, {"attempt_id": attempt_id})
        found = [StoredKey(**row) for row in rows.mappings()]
        return {one.question_id: one for one in found}
