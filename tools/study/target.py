"""What a job fills: a test with questions, or a deck with cards. Both are written in the job's own transactions."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, cast
from uuid import UUID

from storage.clock import Clock
from storage.models import Deck, Test
from storage.repositories import Repositories
from storage.repositories.making import Asked
from tools.study.items import Card, Question
from tools.study.planning import order_of
from tools.study.rows import Sources, Taken, card_rows, question_row, shuffled_questions

GENERATE_TEST = "generate_test"
GENERATE_FLASHCARDS = "generate_flashcards"
"""Kinds of the jobs."""
MOST_EARLIER = 3000
"""Items of a class that new ones are compared with, the newest."""


class Target(Protocol):
    """A test or a deck that fills up."""

    noun: str
    is_deck: bool
    id: UUID

    async def row(self, db: Repositories, *, for_writing: bool = False) -> Test | Deck:
        """Raises NotFound when it was deleted."""
        ...

    async def earlier(self, db: Repositories, class_id: UUID | None) -> list[Asked]: ...

    async def add(
        self, db: Repositories, row: Test | Deck, taken: Sequence[Taken], sources: Sources, clock: Clock
    ) -> None:
        """Store items behind those that are there."""
        ...

    async def finish(
        self,
        db: Repositories,
        row: Test | Deck,
        filled: Sequence[int],
        arguments: Mapping[str, Any],
        clock: Clock,
    ) -> None:
        """Put it in its final order, and whatever else is done once all items are there."""
        ...


class TestTarget:
    __test__ = False  # Not a test case, whatever pytest thinks of the name.

    noun = "question"
    is_deck = False

    def __init__(self, test_id: UUID) -> None:
        self.id = test_id

    async def row(self, db: Repositories, *, for_writing: bool = False) -> Test:
        return await db.making.test(self.id, for_writing=for_writing)

    async def earlier(self, db: Repositories, class_id: UUID | None) -> list[Asked]:
        return await db.making.earlier_questions(class_id, MOST_EARLIER)

    async def add(
        self, db: Repositories, row: Test | Deck, taken: Sequence[Taken], sources: Sources, clock: Clock
    ) -> None:
        test = cast(Test, row)
        first = await db.making.next_question(test.id)
        rows = [
            question_row(one, one.item, sources, test.id, first + nth, test.user_id, clock.new_id)
            for nth, one in enumerate(taken)
            if isinstance(one.item, Question)
        ]
        await db.making.add(rows)
        test.question_count += len(rows)
        test.total_points += sum(question.points for question in rows)

    async def finish(
        self,
        db: Repositories,
        row: Test | Deck,
        filled: Sequence[int],
        arguments: Mapping[str, Any],
        clock: Clock,
    ) -> None:
        test = cast(Test, row)
        questions = await db.making.question_rows(test.id)
        if len(questions) == len(filled):
            await db.making.reorder(test.id, [questions[position].id for position in order_of(filled)])
            questions = [questions[position] for position in order_of(filled)]
        for version in range(2, arguments.get("versions", 1) + 1):
            await _add_version(db, test, version, arguments["seed"] + version, clock)


async def _add_version(db: Repositories, test: Test, version: int, seed: int, clock: Clock) -> None:
    questions = [one for one in await db.making.question_rows(test.id) if one.status == "active"]
    now = clock.now()
    copied = (
        "user_id", "class_id", "description", "difficulty", "time_limit_seconds", "question_count", "total_points",
        "blueprint", "rejected", "model", "quality_score", "shared_with_class",
    )  # fmt: skip
    row = Test(
        id=clock.new_id(),
        title=f"{test.title}, version {version}"[:300],
        version=version,
        version_of_id=test.id,
        seed=seed,
        parameters={"complete": True, "total": len(questions)},
        created_at=now,
        updated_at=now,
        **{name: getattr(test, name) for name in copied},
    )
    await db.making.add([row])
    await db.making.add(shuffled_questions(questions, row.id, seed, clock.new_id))


class DeckTarget:
    noun = "card"
    is_deck = True

    def __init__(self, deck_id: UUID) -> None:
        self.id = deck_id

    async def row(self, db: Repositories, *, for_writing: bool = False) -> Deck:
        return await db.making.deck(self.id, for_writing=for_writing)

    async def earlier(self, db: Repositories, class_id: UUID | None) -> list[Asked]:
        return await db.making.earlier_cards(class_id, self.id, MOST_EARLIER)

    async def add(
        self, db: Repositories, row: Test | Deck, taken: Sequence[Taken], sources: Sources, clock: Clock
    ) -> None:
        ordinal = await db.making.next_card(row.id)
        for one in taken:
            if isinstance(one.item, Card):
                rows = card_rows(one, one.item, sources, row.id, ordinal, row.user_id, clock.new_id)
                await db.making.add(rows)
                ordinal += len(rows)

    async def finish(
        self,
        db: Repositories,
        row: Test | Deck,
        filled: Sequence[int],
        arguments: Mapping[str, Any],
        clock: Clock,
    ) -> None:
        """Cards stay in the order of the material, in which new ones are learned."""


def target_of(kind: str, arguments: Mapping[str, Any]) -> Target:
    if kind == GENERATE_TEST:
        return TestTarget(UUID(arguments["test_id"]))
    return DeckTarget(UUID(arguments["deck_id"]))
