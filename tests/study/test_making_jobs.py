"""The job that makes tests and cards: each item once, whatever happens on the way, and a clear sentence where nothing can be made."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from storage.errors import InvalidInput, NotFound
from storage.resources import Storage
from tests.study.makers import PlainMaker
from tests.study.making import SCRIPT, forget, made, run, whole
from tests.tools.lectures import TOPICS
from tests.tools.test_notes_making import Scripted
from tests.work import add_text, call, run_job
from tools.context import Principal
from tools.executor import Executor


@pytest.fixture(scope="module")
async def script(executor: Executor, new_user: Principal) -> str:
    """The script as a material of the module's user, in a class of its own."""
    return await add_text(executor, new_user, "Biology", "Script", SCRIPT)


@pytest.fixture
async def reader(storage: Storage, new_user: Principal, script: str) -> Principal:
    """The module's user, without what other tests have made: nothing repeats it."""
    await forget(storage, new_user)
    return new_user


# --- the job


def crashing(at: int) -> Callable[[int], Awaitable[None]]:
    async def before(call: int) -> None:
        if call == at:
            raise RuntimeError("The machine lost its power.")

    return before


async def test_a_job_that_was_killed_goes_on_without_doubles_or_losses(
    executor: Executor, reader: Principal
) -> None:
    storage = executor.storage
    started = await call(
        executor, reader, "generate_test", material_ids=["Script"], count=18, types=["true_false"]
    )
    first = PlainMaker(crashing(at=3))
    await run(storage, reader, started["job_id"], first)
    half = await whole(storage, reader, started)
    stored = half.test.question_count
    assert (half.job.status, len(half.questions), half.test.total_points) == ("queued", stored, stored)
    assert 10 <= stored <= 14  # Two of three topics.
    assert "complete" not in half.test.parameters
    assert first.closed == 1
    second = await run(storage, reader, started["job_id"])
    done = await whole(storage, reader, started)
    assert (done.job.status, done.test.question_count, len(done.questions)) == ("succeeded", 18, 18)
    assert len(second.asked) == 1
    assert {one.id for one in half.questions} < {one.id for one in done.questions}
    assert len({one.text for one in done.questions}) == 18
    assert [one.ordinal for one in done.questions] == list(range(18))


async def test_a_cancelled_job_keeps_what_is_done_and_a_retry_goes_on(
    executor: Executor, reader: Principal
) -> None:
    storage = executor.storage
    started = await call(
        executor, reader, "generate_test", material_ids=["Script"], count=9, types=["short_answer"]
    )

    async def cancel(number: int) -> None:
        if number == 2:
            await call(executor, reader, "cancel_job", job_id=started["job_id"])
            await asyncio.Event().wait()

    maker = await run(storage, reader, started["job_id"], PlainMaker(cancel))
    half = await whole(storage, reader, started)
    assert (half.job.status, half.test.question_count, half.test.total_points) == ("cancelled", 3, 3.0)
    assert (half.job.progress_done, half.job.progress_message) == (3, "3 of 9 questions")
    assert "complete" not in half.test.parameters
    assert maker.closed == 1
    await call(executor, reader, "retry_job", job_id=started["job_id"])
    await run(storage, reader, started["job_id"])
    done = await whole(storage, reader, started)
    assert (done.job.status, done.test.question_count, done.test.parameters["complete"]) == (
        "succeeded",
        9,
        True,
    )


async def test_a_test_or_material_that_was_deleted_ends_the_job_with_a_sentence(
    executor: Executor, student: Principal
) -> None:
    storage = executor.storage
    await add_text(executor, student, "Biology", "Script", SCRIPT)
    gone = await call(executor, student, "generate_test", class_id="Biology")
    async with storage.as_user(student.user_id) as db:
        (await db.making.test(UUID(gone["test_id"]))).deleted_at = storage.clock.now()
    orphan = await call(executor, student, "generate_flashcards", class_id="Biology")
    maker = await run(storage, student, gone["job_id"])
    assert maker.asked == []
    await call(executor, student, "delete_material", material_id="Script")
    await run(storage, student, orphan["job_id"])
    jobs = [await call(executor, student, "get_job", job_id=one["job_id"]) for one in (gone, orphan)]
    assert [(job["status"], job["error_code"]) for job in jobs] == [
        ("failed", "test_deleted"), ("failed", "material_deleted"),
    ]  # fmt: skip


async def test_questions_of_material_that_is_still_read_follow_by_themselves(
    executor: Executor, student: Principal
) -> None:
    storage = executor.storage
    await call(executor, student, "create_class", name="Biology")
    taken = await call(executor, student, "add_text", class_id="Biology", title="Script", text=SCRIPT)
    started = await call(executor, student, "generate_test", topic="chapter 2", count=2)
    assert "still being read" in started["message"]
    await run(storage, student, started["job_id"])
    waiting = await whole(storage, student, started)
    assert (waiting.job.status, waiting.job.attempts) == ("queued", 0)
    await run_job(storage, student, UUID(taken["job_id"]))
    await run(storage, student, started["job_id"])
    ready = await whole(storage, student, started)
    assert {one.topic for one in ready.questions} == {"Chapter 2 Mitosis"}


async def test_several_materials_of_a_class_work_together(executor: Executor, student: Principal) -> None:
    for name in ("mitosis", "enzymes"):
        await add_text(executor, student, "Biology", name.capitalize(), " ".join(TOPICS[name]))
    found = await made(executor, student, class_id="Biology", count=6, types=["cloze"])
    assert found.test.title == "Test on Mitosis and Enzymes"
    assert sorted(Counter(one.material_id for one in found.questions).values()) in ([2, 4], [3, 3])


async def test_where_the_language_model_gives_nothing_usable_the_rules_go_on_and_it_is_noted(
    executor: Executor, reader: Principal
) -> None:
    model = Scripted(lambda _: "I am sorry, as a model I cannot do that.")
    started = await call(executor, reader, "generate_test", topic="chapter 3", count=2, types=["cloze"])
    await run(executor.storage, reader, started["job_id"], model=model)
    found = await whole(executor.storage, reader, started)
    assert found.job.status == "succeeded"
    assert {one.model for one in found.questions} == {"builtin"}
    assert model.asked
    assert found.test.parameters["fallbacks"] == 1


# --- requests that cannot be met


async def test_what_cannot_be_made_is_said_at_once(
    executor: Executor, student: Principal, reader: Principal
) -> None:
    refused: tuple[tuple[Principal, dict[str, Any], type[Exception], str], ...] = (
        (student, {}, InvalidInput, "There is no material yet"),
        (reader, {"topic": "chapter 9"}, NotFound, "Its headings: Chapter 1 Photosynthesis"),
        (reader, {"material_ids": ["Script"], "first": 9}, NotFound, "no section 9"),
        (reader, {"material_ids": ["Script"], "first": 2, "last": 1}, InvalidInput, "comes before"),
        (reader, {"topic": "cells", "topic_weights": {"a": 1}}, InvalidInput, "do not go together"),
        (reader, {"types": ["cloze"], "type_weights": {"cloze": 1}}, InvalidInput, "not both"),
    )
    for who, arguments, error, words in refused:
        with pytest.raises(error, match=words):
            await call(executor, who, "generate_test", **arguments)


async def test_a_place_that_several_classes_have_is_asked_about(
    executor: Executor, student: Principal
) -> None:
    await add_text(executor, student, "Biology", "Script", SCRIPT)
    await add_text(executor, student, "Medicine", "Copy", SCRIPT)
    with pytest.raises(InvalidInput, match="From which class"):
        await call(executor, student, "generate_test")
    with pytest.raises(InvalidInput, match="several classes: 'Biology', 'Medicine'"):
        await call(executor, student, "generate_test", topic="chapter 2")
    started = await call(executor, student, "generate_test", topic="chapter 2", class_id="Medicine")
    assert started["materials"] == ["Copy"]
