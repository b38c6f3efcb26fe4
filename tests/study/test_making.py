"""From a request to stored questions and cards: what is asked for is made, with its evidence and its place."""

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

import pytest

from storage.errors import InvalidInput, NotFound
from storage.models import AttemptAnswer, TestAttempt, TestQuestion
from storage.resources import Storage
from tests.study.making import SCRIPT, cards_of, chapter, forget, made, run, whole
from tests.tools.lectures import SENTENCES
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


# --- tests


async def test_every_question_has_its_key_its_evidence_and_its_place(
    executor: Executor, reader: Principal, script: str
) -> None:
    found = await made(executor, reader, material_ids=["Script"], count=12, time_limit_minutes=1.5)
    test, questions = found.test, found.questions
    assert (test.title, test.question_count, test.total_points, test.time_limit_seconds) == (
        "Test on Script", 12, 12.0, 90,
    )  # fmt: skip
    assert test.parameters["complete"] is True
    assert (test.model, test.quality_score) == ("builtin", 0.8)
    assert (found.job.progress_done, found.job.progress_total) == (12, 12)
    assert found.job.result is not None
    assert (found.job.result["made"], found.job.result["test_id"]) == (12, str(test.id))
    assert [one.ordinal for one in questions] == list(range(12))
    for one in questions:
        assert one.quote in SENTENCES
        assert one.locator is not None
        assert one.locator["heading_path"][-1] == one.topic
        assert one.material_id == UUID(script)
        assert one.source_chunk_ids
        assert one.answer["type"] == one.type
        assert (one.model, one.quality_score, one.parameters["rule"]) == ("builtin", 0.8, "plain")
        assert one.fingerprint
    by_type = Counter(one.type for one in questions)
    assert set(by_type) == {"multiple_choice", "cloze", "true_false", "short_answer"}
    chosen = next(one for one in questions if one.type == "multiple_choice")
    assert chosen.options[0] == {"id": "a", "text": chosen.options[0]["text"]}


async def test_topics_take_turns_and_no_sentence_is_asked_twice_in_one_way(
    executor: Executor, reader: Principal
) -> None:
    found = await made(executor, reader, material_ids=["Script"], count=15, types=["cloze", "true_false"])
    assert set(Counter(one.topic for one in found.questions).values()) == {5}
    asked = Counter((one.quote, one.type) for one in found.questions)
    assert max(asked.values()) == 1
    neighbours = zip(found.questions, found.questions[1:], strict=False)
    assert sum(one.topic == other.topic for one, other in neighbours) <= 2


async def test_a_chapter_pages_and_words_say_what_the_questions_are_about(
    executor: Executor, reader: Principal
) -> None:
    for topic, name, part in (
        ("chapter 2", "mitosis", "Chapter 2 Mitosis"),
        ("enzymes", "enzymes", "Chapter 3 Enzymes"),
        ("chapters 1 and 1", "photosynthesis", "Chapter 1 Photosynthesis"),
    ):
        started = await call(executor, reader, "generate_test", topic=topic, count=3)
        assert (started["part"], started["materials"]) == (part, ["Script"])
        await run(executor.storage, reader, started["job_id"])
        found = await whole(executor.storage, reader, started)
        assert {one.quote for one in found.questions} <= chapter(name)
        assert len(found.questions) == 3
    by_words = await made(executor, reader, topic="salamander larvae", count=1, types=["cloze"])
    assert {one.topic for one in by_words.questions} <= {"Chapter 2 Mitosis"}
    by_section = await made(executor, reader, material_ids=["Script"], first=3, last=3, count=2)
    assert {one.quote for one in by_section.questions} <= chapter("enzymes")


async def test_a_blueprint_gives_each_topic_its_share(executor: Executor, reader: Principal) -> None:
    weights = {"chapter 1": 3, "enzymes": 1}
    found = await made(executor, reader, class_id="Biology", topic_weights=weights, count=8)
    assert Counter(one.topic for one in found.questions) == {
        "Chapter 1 Photosynthesis": 6,
        "Chapter 3 Enzymes": 2,
    }


async def test_questions_of_the_difficulty_that_was_asked_for_come_first_and_others_only_when_there_are_no_more(
    executor: Executor, reader: Principal
) -> None:
    found = await made(executor, reader, material_ids=["Script"], count=6, difficulty="hard")
    assert {one.difficulty for one in found.questions} == {8}
    assert found.test.parameters["notice"] is None
    more = await made(executor, reader, material_ids=["Script"], count=40, difficulty="hard")
    levels = Counter(one.difficulty == 8 for one in more.questions)
    assert levels.keys() == {True, False}
    assert f"gave only {levels[True]} hard questions" in more.test.parameters["notice"]


async def test_a_repeated_request_gives_new_questions(executor: Executor, reader: Principal) -> None:
    first = await made(executor, reader, class_id="Biology", count=10, types=["cloze"])
    second = await made(executor, reader, class_id="Biology", count=10, types=["cloze"])
    assert len(second.questions) == 10
    assert not {one.quote for one in first.questions} & {one.quote for one in second.questions}
    third = await made(executor, reader, class_id="Biology", count=10, types=["cloze"])
    assert third.test.question_count == 4
    assert third.test.parameters["notice"].startswith("4 good questions could be made of the 10 asked for;")


async def test_300_of_little_material_say_how_many_there_are_and_why_not_more(
    executor: Executor, reader: Principal
) -> None:
    found = await made(executor, reader, class_id="Biology", count=300)
    test = found.test
    assert (
        test.question_count == len(found.questions) == 72
    )  # Three kinds of each of 24 sentences without a year.
    assert [one.ordinal for one in found.questions] == list(range(72))
    assert test.rejected["trivial"] == 12
    assert test.parameters["notice"] == found.job.progress_message
    assert "72 good questions could be made of the 300 asked for" in test.parameters["notice"]
    assert "12 that give their answer away" in test.parameters["notice"]
    assert test.parameters["complete"] is True


async def test_versions_have_the_same_questions_in_another_order(
    executor: Executor, reader: Principal
) -> None:
    found = await made(
        executor,
        reader,
        material_ids=["Script"],
        count=8,
        versions=3,
        types=["multiple_choice"],
        title="Exam",
    )
    async with executor.storage.as_user(reader.user_id, read_only=True) as db:
        versions = await db.making.versions_of(found.test.id)
        rows = {row.version: await db.making.question_rows(row.id) for row in versions}
    assert [(row.version, row.title, row.question_count) for row in versions] == [
        (2, "Exam, version 2", 8), (3, "Exam, version 3", 8),
    ]  # fmt: skip
    assert len({row.seed for row in versions}) == 2
    texts = [one.text for one in found.questions]
    for questions in rows.values():
        assert sorted(one.text for one in questions) == sorted(texts)
        assert [one.text for one in questions] != texts
        assert all(one.answer == {"type": "multiple_choice", "choice": "a"} for one in questions)
        assert {one.options[0]["id"] for one in questions} > {"a"}


async def test_another_test_is_imitated_with_new_questions(executor: Executor, reader: Principal) -> None:
    old = await made(
        executor, reader, class_id="Biology", count=5, types=["cloze", "true_false"], title="Old"
    )
    new = await made(executor, reader, like_test_id="Old")
    assert Counter((one.topic, one.type) for one in new.questions) == Counter(
        (one.topic, one.type) for one in old.questions
    )
    assert not {one.text for one in new.questions} & {one.text for one in old.questions}


PAPER = """Biology, June 2023

1. What does chlorophyll do with red and blue light? [3 marks]

2. Which of these speeds up a chemical reaction in the cell? [1 mark]

A. granite

B. an enzyme

C. a salamander

3. Explain how an enzyme binds its substrate in the active site. [4 marks]
"""


async def test_a_past_paper_is_imitated_with_its_types_and_points(
    executor: Executor, reader: Principal
) -> None:
    taken = await call(
        executor, reader, "add_text", class_id="Biology", title="Paper", text=PAPER, kind="past_paper"
    )
    await run_job(executor.storage, reader, UUID(taken["job_id"]))
    found = await made(executor, reader, like_material_id="Paper")
    assert sorted((one.topic, one.type, one.points) for one in found.questions) == [
        ("Chapter 1 Photosynthesis", "short_answer", 3.0),
        ("Chapter 3 Enzymes", "multiple_choice", 1.0),
        ("Chapter 3 Enzymes", "short_answer", 4.0),
    ]
    assert found.test.total_points == 8.0
    with pytest.raises(NotFound, match="No numbered questions"):
        await call(executor, reader, "generate_test", like_material_id="Script")


# --- what went wrong before


async def answer(storage: Storage, who: Principal, questions: Sequence[TestQuestion], *, right: bool) -> None:
    """An attempt in which these questions were answered."""
    now = storage.clock.now()
    async with storage.as_user(who.user_id) as db:
        taken = TestAttempt(
            id=storage.clock.new_id(), user_id=who.user_id, test_title="Quiz", status="graded", started_at=now
        )
        db.making.session.add(taken)
        await db.making.session.flush()
        db.making.session.add_all(
            AttemptAnswer(
                id=storage.clock.new_id(), user_id=who.user_id, attempt_id=taken.id, question_id=one.id,
                question={}, answered_at=now, is_correct=right, points=float(right), max_points=1.0,
            )
            for one in questions
        )  # fmt: skip


async def test_what_was_answered_wrong_or_forgotten_is_asked_about_anew(
    executor: Executor, reader: Principal
) -> None:
    storage = executor.storage
    with pytest.raises(InvalidInput, match="Nothing was answered wrong") as raised:
        await call(executor, reader, "generate_test", from_wrong_answers=True)
    assert raised.value.code == "nothing_wrong"
    quiz = await made(executor, reader, class_id="Biology", count=9, types=["cloze"])
    wrong = [one for one in quiz.questions if one.topic == "Chapter 2 Mitosis"]
    await answer(storage, reader, quiz.questions, right=True)
    await answer(storage, reader, wrong, right=False)
    again = await made(executor, reader, from_wrong_answers=True, count=4)
    assert again.test.title.startswith("Questions I got wrong on Chapter 2 Mitosis")
    assert {one.topic for one in again.questions} == {"Chapter 2 Mitosis"}
    assert len(again.questions) == 4
    assert not {(one.quote, one.type) for one in again.questions} & {(one.quote, one.type) for one in wrong}
    await answer(storage, reader, wrong, right=True)
    with pytest.raises(InvalidInput, match="Nothing was answered wrong"):
        await call(executor, reader, "generate_test", from_wrong_answers=True)
    deck = await call(executor, reader, "generate_flashcards", topic="chapter 3", count=2)
    await run(storage, reader, deck["job_id"])
    async with storage.as_user(reader.user_id) as db:
        (card, *_) = await db.making.card_rows(UUID(deck["deck_id"]))
        card.lapses = 2
    cards = await made(executor, reader, from_wrong_answers=True, count=2)
    assert {one.topic for one in cards.questions} == {"Chapter 3 Enzymes"}


# --- cards


async def test_gaps_and_directions_become_cards_of_one_group(executor: Executor, reader: Principal) -> None:
    started = await call(
        executor, reader, "generate_flashcards", topic="chapter 1", count=8, types=["cloze", "reversed"], title="Light"
    )  # fmt: skip
    await run(executor.storage, reader, started["job_id"])
    cards = await cards_of(executor.storage, reader, started["deck_id"])
    assert len(cards) == 8
    groups = Counter(one.group_id for one in cards)
    assert set(groups.values()) == {2}
    cloze = [one for one in cards if one.type == "cloze"]
    assert {one.gap for one in cloze} == {1, 2}
    assert all(f"{{{{c{one.gap}::{one.back}}}}}" in one.front for one in cloze)
    there, back = [one for one in cards if one.type == "reversed"][:2]
    assert (there.front, there.back) == (back.back, back.front)
    assert all(one.quote in chapter("photosynthesis") for one in cards)
    assert [one.ordinal for one in cards] == list(range(8))


async def test_cards_are_added_to_a_deck_that_is_there(executor: Executor, reader: Principal) -> None:
    storage = executor.storage
    deck = await call(
        executor, reader, "generate_flashcards", topic="chapter 2", count=3, types=["basic"], title="Cells"
    )
    await run(storage, reader, deck["job_id"])
    more = await call(
        executor,
        reader,
        "generate_flashcards",
        topic="chapter 2",
        count=4,
        deck_id="Cells",
        types=["basic"],
    )
    assert (more["deck_id"], more["title"]) == (deck["deck_id"], "Cells")
    await run(storage, reader, more["job_id"])
    cards = await cards_of(storage, reader, deck["deck_id"])
    assert [one.ordinal for one in cards] == list(range(7))
    assert len({one.front for one in cards}) == 7
