"""What items are made from, and the rows that making writes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, func, or_, select, text, update

from storage.errors import NotFound
from storage.models import (
    AttemptAnswer,
    Chunk,
    Class,
    Deck,
    Flashcard,
    Job,
    Material,
    MaterialSegment,
    Test,
    TestAttempt,
    TestQuestion,
)
from storage.repositories.base import Repository, among

REORDER = text(
    """
    UPDATE test_questions q SET ordinal = o.position - 1 FROM unnest(CAST(:ids AS uuid[])) WITH ORDINALITY AS o(id, position)
    WHERE q.id = o.id AND q.test_id = :test AND q.user_id = :user
    """
)
BEHIND = 1_000_000
"""Ordinals are unique, so they move out of the way before they change places."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a passage of a material stands, without its text."""

    id: UUID
    ordinal: int
    heading_path: list[str]
    words: int
    segment: int
    number: int
    """Page, slide, section or span, from 1."""
    label: str | None
    """As printed on the page."""
    t_start: float | None
    t_end: float | None


@dataclass(frozen=True, slots=True)
class Asked:
    """A question or card that exists already: what it asks, its key, and where it came from."""

    type: str
    text: str
    options: list[Any]
    answer: Any
    """The key of a question as it is stored, the back of a card."""
    topic: str | None
    material_id: UUID | None
    chunk_ids: list[UUID]
    locator: dict[str, Any] | None
    points: float | None = None
    times: int = 1
    """How often it went wrong."""


QUESTION = (
    TestQuestion.type,
    TestQuestion.text,
    TestQuestion.options,
    TestQuestion.answer,
    TestQuestion.topic,
    TestQuestion.material_id,
    TestQuestion.source_chunk_ids.label("chunk_ids"),
    TestQuestion.locator,
)
CARD = (
    Flashcard.type,
    Flashcard.front.label("text"),
    Flashcard.options,
    Flashcard.back.label("answer"),
    Flashcard.material_id,
    Flashcard.source_chunk_ids.label("chunk_ids"),
    Flashcard.locator,
)


class MakingRepository(Repository):
    async def materials(self, class_id: UUID | None) -> Sequence[Material]:
        """Live materials of a class, or of all classes, the oldest first."""
        found = (
            select(Material)
            .join(Class, Class.id == Material.class_id)
            .where(
                Material.user_id == self.user_id, Material.deleted_at.is_(None), Class.deleted_at.is_(None)
            )
        )
        if class_id is not None:
            found = found.where(Material.class_id == class_id)
        return (await self.session.scalars(found.order_by(Material.created_at, Material.id))).all()

    async def places(self, material_id: UUID) -> list[Place]:
        """Where the passages of a material stand, in order."""
        found = (
            select(
                Chunk.id,
                Chunk.ordinal,
                Chunk.heading_path,
                Chunk.word_count.label("words"),
                Chunk.segment,
                MaterialSegment.number,
                MaterialSegment.label,
                MaterialSegment.t_start,
                MaterialSegment.t_end,
            )
            .join(
                MaterialSegment,
                and_(
                    MaterialSegment.material_id == Chunk.material_id,
                    MaterialSegment.ordinal == Chunk.segment,
                    ~MaterialSegment.staged,
                ),
            )
            .where(Chunk.material_id == material_id, Chunk.user_id == self.user_id)
        )
        return [Place(**row._mapping) for row in await self.session.execute(found.order_by(Chunk.ordinal))]

    # --- what exists already

    async def earlier_questions(self, class_id: UUID | None, limit: int) -> list[Asked]:
        """Questions of a class, or of all, the newest first. Shuffled versions are left out."""
        found = (
            select(*QUESTION)
            .join(Test, Test.id == TestQuestion.test_id)
            .where(TestQuestion.user_id == self.user_id, Test.deleted_at.is_(None), Test.version == 1)
        )
        if class_id is not None:
            found = found.where(Test.class_id == class_id)
        return await self._asked(found.order_by(TestQuestion.id.desc()).limit(limit))

    async def earlier_cards(self, class_id: UUID | None, deck_id: UUID, limit: int) -> list[Asked]:
        """Cards of a deck, and of the other decks of a class, or of all, the newest first."""
        found = (
            select(*CARD)
            .join(Deck, Deck.id == Flashcard.deck_id)
            .where(
                Flashcard.user_id == self.user_id, Flashcard.deleted_at.is_(None), Deck.deleted_at.is_(None)
            )
        )
        if class_id is not None:
            found = found.where(or_(Deck.class_id == class_id, Deck.id == deck_id))
        return await self._asked(found.order_by(Flashcard.id.desc()).limit(limit))

    async def questions_of(self, test_id: UUID) -> list[Asked]:
        """The active questions of a test, in order."""
        found = select(*QUESTION, TestQuestion.points).where(
            TestQuestion.test_id == test_id,
            TestQuestion.user_id == self.user_id,
            TestQuestion.status == "active",
        )
        return await self._asked(found.order_by(TestQuestion.ordinal))

    async def answered_wrong(self, limit: int) -> list[Asked]:
        """Questions of which the newest graded answer is wrong, the latest first."""
        latest = (
            select(
                AttemptAnswer.question_id,
                AttemptAnswer.is_correct,
                AttemptAnswer.answered_at,
                func.count()
                .filter(~AttemptAnswer.is_correct)
                .over(partition_by=AttemptAnswer.question_id)
                .label("times"),
                func.row_number()
                .over(
                    partition_by=AttemptAnswer.question_id,
                    order_by=(AttemptAnswer.answered_at.desc().nulls_last(), AttemptAnswer.id.desc()),
                )
                .label("nth"),
            )
            .join(TestAttempt, TestAttempt.id == AttemptAnswer.attempt_id)
            .where(AttemptAnswer.user_id == self.user_id, AttemptAnswer.is_correct.is_not(None))
            .subquery()
        )
        found = (
            select(*QUESTION, latest.c.times)
            .join(latest, latest.c.question_id == TestQuestion.id)
            .where(TestQuestion.user_id == self.user_id, latest.c.nth == 1, ~latest.c.is_correct)
            .order_by(latest.c.answered_at.desc().nulls_last(), TestQuestion.id)
        )
        return await self._asked(found.limit(limit))

    async def forgotten(self, limit: int) -> list[Asked]:
        """Cards that were known and then forgotten, the latest first."""
        found = (
            select(*CARD, Flashcard.lapses.label("times"))
            .join(Deck, Deck.id == Flashcard.deck_id)
            .where(
                Flashcard.user_id == self.user_id,
                Flashcard.deleted_at.is_(None),
                Deck.deleted_at.is_(None),
                or_(Flashcard.lapses > 0, Flashcard.state == "relearning"),
            )
            .order_by(Flashcard.last_reviewed_at.desc().nulls_last(), Flashcard.id)
        )
        return await self._asked(found.limit(limit))

    async def _asked(self, found: Select[Any]) -> list[Asked]:
        return [Asked(**{"topic": None, **row._mapping}) for row in await self.session.execute(found)]

    # --- writing

    async def job_for_writing(self, job_id: UUID) -> Job:
        """The job, locked until the end of the transaction."""
        found = select(Job).where(Job.id == job_id, Job.user_id == self.user_id)
        row: Job | None = await self.session.scalar(locked(found))
        if row is None:
            raise NotFound("This job is gone.", code="job_not_found")
        return row

    async def test(self, test_id: UUID, *, for_writing: bool = False) -> Test:
        """Raises NotFound when it was deleted."""
        found = select(Test).where(
            Test.id == test_id, Test.user_id == self.user_id, Test.deleted_at.is_(None)
        )
        row: Test | None = await self.session.scalar(locked(found) if for_writing else found)
        if row is None:
            raise NotFound("This test was deleted.", code="test_not_found")
        return row

    async def deck(self, deck_id: UUID, *, for_writing: bool = False) -> Deck:
        """Raises NotFound when it was deleted."""
        found = select(Deck).where(
            Deck.id == deck_id, Deck.user_id == self.user_id, Deck.deleted_at.is_(None)
        )
        row: Deck | None = await self.session.scalar(locked(found) if for_writing else found)
        if row is None:
            raise NotFound("This deck was deleted.", code="deck_not_found")
        return row

    async def deck_named(self, wanted: str) -> Deck:
        """By id, title, or a part of the title. Raises NotFound, or Conflict listing the candidates."""
        mine = select(Deck).where(Deck.user_id == self.user_id, Deck.deleted_at.is_(None))
        return await self.named("deck", mine, wanted, Deck.id, Deck.title)

    async def test_named(self, wanted: str) -> Test:
        """By id, title, or a part of the title. Raises NotFound, or Conflict listing the candidates."""
        mine = select(Test).where(Test.user_id == self.user_id, Test.deleted_at.is_(None), Test.version == 1)
        return await self.named("test", mine, wanted, Test.id, Test.title)

    async def add(self, rows: Iterable[Test | Deck | TestQuestion | Flashcard]) -> None:
        self.session.add_all(rows)
        await self.session.flush()

    async def question_rows(self, test_id: UUID) -> Sequence[TestQuestion]:
        """All questions of a test, in order."""
        found = select(TestQuestion).where(
            TestQuestion.test_id == test_id, TestQuestion.user_id == self.user_id
        )
        return (await self.session.scalars(found.order_by(TestQuestion.ordinal))).all()

    async def card_rows(self, deck_id: UUID) -> Sequence[Flashcard]:
        """All cards of a deck, in order."""
        found = select(Flashcard).where(
            Flashcard.deck_id == deck_id, Flashcard.user_id == self.user_id, Flashcard.deleted_at.is_(None)
        )
        return (await self.session.scalars(found.order_by(Flashcard.ordinal))).all()

    async def versions_of(self, test_id: UUID) -> Sequence[Test]:
        """The shuffled versions of a test, without the first."""
        found = select(Test).where(
            Test.version_of_id == test_id, Test.user_id == self.user_id, Test.deleted_at.is_(None)
        )
        return (await self.session.scalars(found.order_by(Test.version))).all()

    async def reorder(self, test_id: UUID, ids: Sequence[UUID]) -> None:
        """Number the questions of a test from 0 in this order."""
        mine = update(TestQuestion).where(
            TestQuestion.test_id == test_id, TestQuestion.user_id == self.user_id
        )
        await self.session.execute(mine.values(ordinal=TestQuestion.ordinal + BEHIND))
        wanted = {"ids": list(ids), "test": test_id, "user": self.user_id}
        await self.session.execute(REORDER, wanted)

    async def next_question(self, test_id: UUID) -> int:
        """The ordinal behind the last question of a test."""
        last = select(func.max(TestQuestion.ordinal)).where(
            TestQuestion.test_id == test_id, TestQuestion.user_id == self.user_id
        )
        found = await self.session.scalar(last)
        return 0 if found is None else found + 1

    async def next_card(self, deck_id: UUID) -> int:
        """The ordinal behind the last card of a deck."""
        last = select(func.max(Flashcard.ordinal)).where(
            Flashcard.deck_id == deck_id, Flashcard.user_id == self.user_id
        )
        found = await self.session.scalar(last)
        return 0 if found is None else found + 1

    async def class_names(self, ids: Sequence[UUID]) -> dict[UUID, str]:
        found = select(Class.id, Class.name).where(among(Class.id, ids), Class.user_id == self.user_id)
        return {row.id: row.name for row in await self.session.execute(found)}


def locked(found: Select[Any]) -> Select[Any]:
    """The row as it is now, and until the end of the transaction."""
    return found.with_for_update().execution_options(populate_existing=True)
