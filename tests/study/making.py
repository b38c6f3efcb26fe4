"""Jobs that make tests and cards, run inside a test with a plain maker and a plain gate."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import update

from storage.models import Deck, Flashcard, Job, Test, TestQuestion
from storage.resources import Storage
from tests.study.makers import PlainMaker, plain_gate
from tests.tools.lectures import TOPICS
from tests.work import call
from tools.context import Principal, TextModel
from tools.executor import Executor
from tools.study.making import Making
from tools.study.target import GENERATE_FLASHCARDS, GENERATE_TEST
from tools.worker import Worker

SCRIPT = "\n\n".join(
    f"# Chapter {number} {name.capitalize()}\n\n{' '.join(sentences[1:])}"
    for number, (name, sentences) in enumerate(TOPICS.items(), 1)
)
"""Three chapters of nine sentences."""
SEED = 498


@dataclass(frozen=True)
class Whole:
    """What stands in the database of a test."""

    job: Job
    test: Test
    questions: Sequence[TestQuestion]


async def nothing(*_: object) -> None:
    """For jobs whose end needs no note."""


async def attempt(
    storage: Storage, who: Principal, job_id: str, maker: PlainMaker, model: TextModel | None
) -> None:
    """One attempt of a worker."""
    making = Making(storage, model, lambda embed: maker, plain_gate)
    handlers = {GENERATE_TEST: making, GENERATE_FLASHCARDS: making}
    await Worker(storage, f"making-{job_id}", handlers, nothing).work(UUID(job_id), who.user_id)


async def run(
    storage: Storage,
    who: Principal,
    job_id: str,
    maker: PlainMaker | None = None,
    model: TextModel | None = None,
) -> PlainMaker:
    """Attempts until the job has ended, or waits. Its seed comes from its id; here it is always the same."""
    maker = maker or PlainMaker()
    async with storage.as_user(who.user_id) as db:
        await db.jobs.remember(UUID(job_id), seed=SEED)
    for _ in range(20):
        await attempt(storage, who, job_id, maker, model)
        async with storage.as_user(who.user_id, read_only=True) as db:
            job = await db.jobs.get(job_id)
        if job.status != "queued" or job.run_after is not None:
            break
    return maker


async def whole(storage: Storage, who: Principal, started: dict[str, Any]) -> Whole:
    test_id = UUID(started["test_id"])
    async with storage.as_user(who.user_id, read_only=True) as db:
        job = await db.jobs.get(started["job_id"])
        return Whole(job, await db.making.test(test_id), await db.making.question_rows(test_id))


async def made(
    executor: Executor, who: Principal, maker: PlainMaker | None = None, **arguments: Any
) -> Whole:
    """A test whose job has succeeded."""
    started = await call(executor, who, "generate_test", **arguments)
    await run(executor.storage, who, started["job_id"], maker)
    found = await whole(executor.storage, who, started)
    assert found.job.status == "succeeded", found.job.error
    return found


async def cards_of(storage: Storage, who: Principal, deck_id: str) -> Sequence[Flashcard]:
    async with storage.as_user(who.user_id, read_only=True) as db:
        return await db.making.card_rows(UUID(deck_id))


def chapter(name: str) -> set[str]:
    return set(TOPICS[name])


async def forget(storage: Storage, who: Principal) -> None:
    """Bin all tests and decks, so that nothing repeats them."""
    async with storage.as_user(who.user_id) as db:
        for table in (Test, Deck):
            gone = update(table).where(table.user_id == who.user_id).values(deleted_at=storage.clock.now())
            await db.making.session.execute(gone)
