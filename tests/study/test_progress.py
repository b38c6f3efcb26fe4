"""Sessions, figures, weak topics and ratings, at the time that the test sets."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, text

from storage.errors import InvalidInput, NotFound
from storage.models import (
    AttemptAnswer,
    CardReview,
    EnrollmentCode,
    Feedback,
    Flashcard,
    Interaction,
    Material,
    ProgressMetric,
    Test,
    TestAttempt,
    TestQuestion,
)
from storage.resources import Storage
from tests.study.days import MORNING, SetClock, by_clock, due, fronts, rate, write
from tests.work import call
from tools.context import Principal, ToolContext
from tools.executor import Executor
from tools.progress.days import begin_of, streaks, studied_seconds, study_day
from tools.progress.estimate import wilson_lower_bound
from tools.progress.metrics import days_of, end_silent_sessions, keep_day
from tools.progress.rating import lowered
from tools.progress.recording import Studied, amend, record, take_back

REVIEW = Studied("flashcards", "review", is_correct=True)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def timed(storage: Storage, clock: SetClock) -> Executor:
    return by_clock(storage, clock)


async def note(executor: Executor, who: Principal, studied: Studied) -> UUID:
    """What a tool does that records something: one transaction."""
    storage = executor.storage
    async with storage.as_user(who.user_id) as db:
        return await record(ToolContext(who, storage, db), studied)


async def sessions(executor: Executor, who: Principal, **more: Any) -> list[Any]:
    items: list[Any] = (await call(executor, who, "list_study_sessions", **more))["items"]
    return items


async def metrics(executor: Executor, who: Principal) -> list[tuple[str, str, float]]:
    async with executor.storage.as_user(who.user_id, read_only=True) as db:
        rows = (await db.study.session.scalars(select(ProgressMetric))).all()
    return sorted((str(row.period), row.type, round(row.value, 4)) for row in rows)


# --- sessions


async def test_what_is_done_within_half_an_hour_is_one_session_and_pauses_do_not_count(
    timed: Executor, student: Principal, clock: SetClock
) -> None:
    first = await note(timed, student, replace(REVIEW, response_time_ms=8000))
    clock.on(seconds=30)
    assert await note(timed, student, replace(REVIEW, is_correct=False)) == first
    clock.on(minutes=20)
    assert await note(timed, student, replace(REVIEW, response_time_ms=12000)) == first
    clock.on(minutes=30)
    second = await note(timed, student, REVIEW)
    assert second != first
    newest, oldest = await sessions(timed, student)
    assert (newest["id"], newest["status"], newest["ended_at"]) == (str(second), "active", None)
    assert (oldest["status"], oldest["items_completed"], oldest["interaction_count"]) == ("completed", 3, 3)
    assert oldest["duration_seconds"] == 8 + 30 + 12
    assert oldest["score"] == pytest.approx(200 / 3)
    assert datetime.fromisoformat(oldest["ended_at"]) == MORNING + timedelta(minutes=20, seconds=30)


async def test_each_kind_of_study_has_its_session_and_a_session_names_what_all_of_it_is_about(
    timed: Executor, student: Principal
) -> None:
    one = await call(timed, student, "create_class", name="Biology")
    other = await call(timed, student, "create_class", name="Physics")
    await note(timed, student, replace(REVIEW, class_id=UUID(one["id"])))
    await note(timed, student, Studied("quiz", "answer", class_id=UUID(one["id"])))
    await note(timed, student, replace(REVIEW, class_id=UUID(other["id"])))
    listed = await sessions(timed, student)
    assert {(row["type"], row["class_id"]) for row in listed} == {("flashcards", None), ("quiz", one["id"])}
    assert [row["type"] for row in await sessions(timed, student, class_id="Biology")] == ["quiz"]
    assert [row["type"] for row in await sessions(timed, student, type="flashcards")] == ["flashcards"]


async def test_ten_at_once_are_one_session_with_ten_interactions(timed: Executor, student: Principal) -> None:
    ids = await asyncio.gather(*(note(timed, student, REVIEW) for _ in range(10)))
    assert len(set(ids)) == 1
    (session,) = await sessions(timed, student)
    assert session["interaction_count"] == 10
    async with timed.storage.as_user(student.user_id, read_only=True) as db:
        assert await db.study.session.scalar(select(func.count()).select_from(Interaction)) == 10


async def test_what_is_recorded_goes_when_the_callers_transaction_fails(
    timed: Executor, student: Principal
) -> None:
    async def fails() -> None:
        async with timed.storage.as_user(student.user_id) as db:
            await record(ToolContext(student, timed.storage, db), REVIEW)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fails()
    assert await sessions(timed, student) == []


async def test_an_undone_review_leaves_no_trace_and_a_late_grade_changes_the_score(
    timed: Executor, student: Principal, clock: SetClock
) -> None:
    card, question = timed.storage.clock.new_id(), timed.storage.clock.new_id()
    session = await note(timed, student, replace(REVIEW, card_id=card, response_time_ms=9000))
    quiz = await note(timed, student, Studied("quiz", "answer", question_id=question))
    storage = timed.storage
    async with storage.as_user(student.user_id) as db:
        ctx = ToolContext(student, storage, db)
        await take_back(ctx, session, card)
        await take_back(ctx, session, card)
        await take_back(ctx, None, card)
        await amend(ctx, quiz, question, is_correct=True)
    rows = {row["id"]: row for row in await sessions(timed, student)}
    undone = rows[str(session)]
    assert (undone["interaction_count"], undone["items_completed"], undone["duration_seconds"]) == (0, 0, 0)
    assert undone["score"] is None
    assert (rows[str(quiz)]["score"], rows[str(quiz)]["interaction_count"]) == (100, 1)


async def test_sessions_that_nobody_went_on_with_are_closed_by_the_upkeep(
    timed: Executor, student: Principal, clock: SetClock
) -> None:
    await note(timed, student, REVIEW)
    clock.on(minutes=29)
    async with timed.storage.as_user(student.user_id) as db:
        assert await end_silent_sessions(db, clock.now()) == 0
    clock.on(minutes=2)
    async with timed.storage.as_user(student.user_id) as db:
        assert await end_silent_sessions(db, clock.now()) == 1
        assert await end_silent_sessions(db, clock.now()) == 0
    (session,) = await sessions(timed, student)
    assert session["status"] == "completed"


# --- figures


async def test_figures_of_a_day_are_kept_once_however_often_they_are_written(
    timed: Executor, student: Principal, clock: SetClock
) -> None:
    await write(timed, student, "Deck", "One", "Two")
    for card, rating in zip((await due(timed, student))["items"], ("good", "again"), strict=True):
        clock.on(seconds=10)
        await rate(timed, student, card, rating, duration_ms=6000)
    clock.on(hours=1)
    async with timed.storage.as_user(student.user_id) as db:
        await end_silent_sessions(db, clock.now())
    kept = await metrics(timed, student)
    expected = [("accuracy", 0.5), ("reviews", 2.0), ("speed", 6.0), ("study_time", 16.0)]
    assert kept == sorted((period, *figure) for period in ("daily", "session") for figure in expected)
    async with timed.storage.as_user(student.user_id) as db:
        for _ in range(2):
            await keep_day(db, MORNING.date(), await days_of(db))
    assert await metrics(timed, student) == kept


async def test_progress_sums_answers_and_reviews_by_class_and_day_with_the_streak(
    timed: Executor, student: Principal, clock: SetClock
) -> None:
    await call(timed, student, "create_class", name="Biology")
    await write(timed, student, "Deck", "One")
    for _ in range(3):
        clock.at = max(clock.at + timedelta(days=1), await due_at(timed, student) or clock.at)
        (card,) = (await due(timed, student))["items"]
        await rate(timed, student, card, "easy", duration_ms=5000)
    progress = await call(timed, student, "get_progress", days=200)
    assert (progress["answered"], progress["reviews"], progress["correct"]) == (0, 3, 3)
    assert (progress["accuracy"], progress["seconds_an_item"]) == (1, 5)
    assert progress["retention"] == 1, "of the two reviews of the learnt card"
    assert len(progress["by_day"]) == 3
    assert progress["study_seconds"] == 15
    assert [(row["name"], row["reviews"]) for row in progress["by_class"]] == [(None, 3)]
    assert (await call(timed, student, "get_progress", class_id="Biology"))["reviews"] == 0


async def due_at(executor: Executor, who: Principal) -> datetime | None:
    async with executor.storage.as_user(who.user_id, read_only=True) as db:
        when: datetime | None = await db.study.session.scalar(select(func.max(Flashcard.due_at)))
    return when


async def test_an_undone_review_is_not_in_the_figures(
    timed: Executor, student: Principal, clock: SetClock
) -> None:
    await write(timed, student, "Deck", "One")
    (card,) = (await due(timed, student))["items"]
    await rate(timed, student, card, "again", duration_ms=5000)
    await call(timed, student, "undo_review")
    progress = await call(timed, student, "get_progress")
    assert (progress["reviews"], progress["study_seconds"], progress["streak_days"]) == (0, 0, 0)


async def test_days_whose_cards_are_gone_are_told_from_what_was_kept(
    timed: Executor, student: Principal, clock: SetClock
) -> None:
    await write(timed, student, "Deck", "One")
    (card,) = (await due(timed, student))["items"]
    await rate(timed, student, card, "good", duration_ms=5000)
    clock.on(hours=1)
    async with timed.storage.as_user(student.user_id) as db:
        await end_silent_sessions(db, clock.now())
    before = await call(timed, student, "get_progress")
    async with timed.storage.as_user(student.user_id) as db:
        for row in (await db.study.session.scalars(select(CardReview))).all():
            await db.study.session.delete(row)
    assert await call(timed, student, "get_progress") == before
    assert before["reviews"] == 1


async def test_progress_of_a_new_account_is_empty_and_a_stranger_sees_nothing(
    timed: Executor, student: Principal, stranger: Principal
) -> None:
    await note(timed, student, replace(REVIEW, response_time_ms=1000))
    for days in (1, 366):
        progress = await call(timed, stranger, "get_progress", days=days)
        assert (progress["accuracy"], progress["retention"], progress["by_day"]) == (None, None, [])
    assert await sessions(timed, stranger) == []
    assert (await call(timed, student, "get_progress"))["streak_days"] == 1


# --- weak topics


async def attempt(
    executor: Executor, who: Principal, answers: list[tuple[str, bool, float | None]], **shown: Any
) -> None:
    """A graded attempt with an answer for each (topic, right, confidence)."""
    storage, now = executor.storage, executor.storage.clock.now()
    test, questions = questions_of(executor, who, len(answers))
    row = TestAttempt(
        id=storage.clock.new_id(), user_id=who.user_id, test_id=test.id, test_title="Quiz", status="graded",
        started_at=now, submitted_at=now, graded_at=now,
    )  # fmt: skip
    rows = [
        AttemptAnswer(
            id=storage.clock.new_id(), user_id=who.user_id, attempt_id=row.id, question_id=question.id,
            question={"text": question.text, "topic": topic, **shown}, response={"value": "x"}, answered_at=now,
            confidence=confidence, is_correct=right, points=float(right), max_points=1.0,
        )
        for question, (topic, right, confidence) in zip(questions, answers, strict=True)
    ]  # fmt: skip
    async with storage.as_user(who.user_id) as db:
        for batch in ([test], questions, [row], rows):
            db.study.session.add_all(batch)
            await db.study.session.flush()


def questions_of(executor: Executor, who: Principal, count: int) -> tuple[Test, list[TestQuestion]]:
    clock = executor.storage.clock
    test = Test(
        id=clock.new_id(), user_id=who.user_id, title="Quiz", question_count=count, total_points=2.0 * count
    )
    return test, [
        TestQuestion(
            id=clock.new_id(), user_id=who.user_id, test_id=test.id, ordinal=n, type="true_false",
            text=f"Statement {n}?", answer={"type": "true_false", "value": True}, points=2.0, quality_score=0.8,
        )
        for n in range(count)
    ]  # fmt: skip


async def test_weak_topics_come_by_how_sure_it_is_that_they_are_weak(
    timed: Executor, student: Principal, clock: SetClock
) -> None:
    mitosis = [("Mitosis", False, None)] * 4 + [("mitosis", True, 0.9)]
    await attempt(
        timed, student, [*mitosis, ("Enzymes", False, None), ("Cells", True, 0.2), ("Genes", True, 0.9)]
    )
    found = await call(timed, student, "get_weak_topics")
    assert [topic["topic"].lower() for topic in found["items"]] == ["mitosis", "enzymes", "cells"]
    assert found["total"] == 3
    weakest, once, unsure = found["items"]
    assert (weakest["tried"], weakest["wrong"], weakest["wrong_share"]) == (5, 4, 0.8)
    assert weakest["weakness"] == pytest.approx(wilson_lower_bound(4, 5), abs=1e-4)
    assert once["weakness"] < weakest["weakness"]
    assert (unsure["wrong"], unsure["unsure"], unsure["wrong_share"]) == (0, 1, 0.5)
    assert len(weakest["items"]) == 3
    assert [
        topic["topic"] for topic in (await call(timed, student, "get_weak_topics", limit=1))["items"]
    ] == [weakest["topic"]]
    clock.on(days=91)
    assert (await call(timed, student, "get_weak_topics"))["items"] == []


async def script(executor: Executor, who: Principal) -> str:
    """A material that is ready, without the work of reading one."""
    made = await call(executor, who, "create_class", name="Biology")
    row = Material(
        id=executor.storage.clock.new_id(), user_id=who.user_id, class_id=UUID(made["id"]), title="Script",
        kind="text", status="ready", checksum=b"x" * 32,
    )  # fmt: skip
    async with executor.storage.as_user(who.user_id) as db:
        db.study.session.add(row)
    return str(row.id)


async def test_a_mistake_says_where_to_read_it_up_and_a_lapse_counts(
    timed: Executor, student: Principal, clock: SetClock
) -> None:
    material = await script(timed, student)
    locator = {
        "material_id": material,
        "material_title": "Script",
        "segment": 0,
        "page": 3,
        "heading_path": ["Cells"],
    }
    quote = "Mitosis is the division of a nucleus into two nuclei."
    await attempt(
        timed, student, [("Cells", False, None)], quote=quote, locator=locator, material_id=material
    )
    ((mistake,),) = [one["items"] for one in (await call(timed, student, "get_weak_topics"))["items"]]
    assert (mistake["kind"], mistake["quote"], mistake["label"]) == ("question", quote, "page 3")
    assert (mistake["material_title"], mistake["url"]) == ("Script", f"/api/materials/{material}/pages/3.png")

    await write(timed, student, "Deck", "One", tags=["Cells"])
    (card,) = (await due(timed, student))["items"]
    await rate(timed, student, card, "again")
    assert (await call(timed, student, "get_weak_topics"))["items"][0]["lapses"] == 0, "it was new"
    await rate(timed, student, card, "easy")
    clock.at = await due_at(timed, student) or clock.at
    await rate(timed, student, card, "again")
    (topic,) = (await call(timed, student, "get_weak_topics"))["items"]
    assert (topic["topic"], topic["lapses"], topic["tried"]) == ("Cells", 1, 2)
    assert topic["items"][0]["kind"] == "card"


# --- ratings


async def test_a_bad_rating_retires_ones_own_question_and_the_test_forgets_it_until_it_is_rated_better(
    timed: Executor, student: Principal
) -> None:
    test, questions = questions_of(timed, student, 3)
    async with timed.storage.as_user(student.user_id) as db:
        db.study.session.add(test)
        await db.study.session.flush()
        db.study.session.add_all(questions)
    bad = {"question_id": str(questions[0].id), "comment": "Two answers are right."}
    rated = await call(timed, student, "rate_item", rating=2, **bad)
    assert (rated["kind"], rated["retired"], rated["replaced"], rated["quality_score"]) == (
        "question", True, False, 0.2,
    )  # fmt: skip
    assert await counts(timed, student, test.id) == (2, 4.0)
    again = await call(timed, student, "rate_item", rating=1, report=True, **bad)
    assert (again["retired"], again["replaced"], again["quality_score"]) == (True, True, 0)
    assert await counts(timed, student, test.id) == (2, 4.0)
    better = await call(timed, student, "rate_item", rating=4, **bad)
    assert (better["retired"], better["quality_score"]) == (False, 0.8)
    assert await counts(timed, student, test.id) == (3, 6.0)
    async with timed.storage.as_user(student.user_id, read_only=True) as db:
        (kept,) = (await db.study.session.scalars(select(Feedback))).all()
    assert (kept.rating, kept.type, kept.comment) == (4, "rating", "Two answers are right.")


async def counts(executor: Executor, who: Principal, test_id: UUID) -> tuple[int, float]:
    async with executor.storage.as_user(who.user_id, read_only=True) as db:
        row = await db.study.session.get(Test, test_id)
    assert row is not None
    return row.question_count, row.total_points


async def test_a_badly_rated_card_is_not_due_any_more(timed: Executor, student: Principal) -> None:
    one, _ = await write(timed, student, "Deck", "One", "Two")
    await call(timed, student, "rate_item", card_id=one["id"], rating=1)
    assert await fronts(timed, student) == ["Two"]
    await call(timed, student, "rate_item", card_id=one["id"], rating=5)
    assert sorted(await fronts(timed, student)) == ["One", "Two"]


async def test_of_a_shared_item_only_the_rating_is_kept_and_strangers_find_nothing(
    timed: Executor, student: Principal, stranger: Principal
) -> None:
    biology = await call(timed, student, "create_class", name="Biology")
    made = await call(
        timed, student, "create_note", title="Cells", text="x", class_id="Biology", shared_with_class=True
    )
    with pytest.raises(NotFound):
        await call(timed, stranger, "rate_item", note_id=made["id"], rating=1)
    code = timed.storage.clock.new_id()
    row = EnrollmentCode(id=code, user_id=student.user_id, class_id=UUID(biology["id"]), code=code.hex)
    async with timed.storage.as_user(student.user_id) as db:
        db.study.session.add(row)
    async with timed.storage.as_user(stranger.user_id) as db:
        joining = text("SELECT outcome FROM lyceum_join_class(:id, :code)")
        await db.study.session.execute(joining, {"id": timed.storage.clock.new_id(), "code": code.hex})
    rated = await call(timed, stranger, "rate_item", note_id=made["id"], rating=1)
    assert (rated["kind"], rated["retired"]) == ("note", False)


@pytest.mark.parametrize(
    "arguments", [{}, {"card_id": str(UUID(int=1)), "note_id": str(UUID(int=2))}, {"card_id": "x" * 36}]
)
async def test_exactly_one_item_is_rated_by_its_id(
    timed: Executor, student: Principal, arguments: dict[str, str]
) -> None:
    with pytest.raises(InvalidInput):
        await call(timed, student, "rate_item", rating=3, **arguments)


# --- rules


def test_a_study_day_ends_at_four_in_the_morning_of_the_persons_own_time() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert study_day(datetime(2026, 3, 3, 2, 30, tzinfo=UTC), berlin, 4) == date(2026, 3, 2)
    assert study_day(datetime(2026, 3, 3, 3, 30, tzinfo=UTC), berlin, 4) == date(2026, 3, 3)
    assert begin_of(date(2026, 3, 3), berlin, 4) == datetime(2026, 3, 3, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("gap", "taken", "seconds"),
    [(None, None, 0), (None, 7000, 7), (None, 900_000, 0), (40, 7000, 40), (300, None, 300), (301, 7000, 7), (-1, 2000, 2)],
)  # fmt: skip
def test_time_counts_without_pauses(gap: int | None, taken: int | None, seconds: float) -> None:
    before = MORNING - timedelta(seconds=gap) if gap is not None else None
    assert studied_seconds(before, MORNING, taken) == seconds


def test_a_streak_ends_with_a_missed_day_but_not_with_a_day_that_is_not_over() -> None:
    days = [date(2026, 3, day) for day in (1, 2, 3, 5, 6)]
    assert streaks(days, date(2026, 3, 6)) == (2, 3)
    assert streaks(days, date(2026, 3, 7)) == (2, 3)
    assert streaks(days, date(2026, 3, 8)) == (0, 3)
    assert streaks([], date(2026, 3, 8)) == (0, 0)


def test_the_lower_bound_is_wilsons() -> None:
    # Published values of the score interval: 8 of 10 gives 0.490 to 0.943, 1 of 1 gives 0.207 to 1.
    assert wilson_lower_bound(8, 10) == pytest.approx(0.4902, abs=1e-4)
    assert wilson_lower_bound(1, 1) == pytest.approx(0.2065, abs=1e-4)
    assert wilson_lower_bound(0, 0) == 0


@given(st.integers(1, 500), st.floats(0, 1))
def test_the_lower_bound_stays_below_the_share_and_rises_with_evidence(trials: int, share: float) -> None:
    bound = wilson_lower_bound(share * trials, trials)
    assert 0 <= bound <= share + 1e-9
    assert wilson_lower_bound(2 * share * trials, 2 * trials) >= bound - 1e-9


def test_only_bad_ratings_lower_the_score() -> None:
    assert [lowered(0.8, rating) for rating in range(1, 6)] == [0.0, 0.2, 0.8, 0.8, 0.8]
    assert lowered(None, 1) is None
