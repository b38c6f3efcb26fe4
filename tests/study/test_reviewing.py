"""Reviewing: what is due, a review counts once, the next card, taking back, siblings, leeches, the fit to one's own reviews."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from storage.errors import Conflict, Forbidden, InvalidInput, NotFound
from storage.models import CardReview, Flashcard
from storage.resources import Storage
from tests.conftest import new_principal
from tests.study.days import MORNING, SetClock, by_clock, due, fronts, rate, write
from tests.work import call, run_job
from tools.context import Principal
from tools.executor import Executor
from tools.scheduling.fit_job import FIT_SCHEDULER
from tools.scheduling.state import Schedule


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def timed(storage: Storage, clock: SetClock) -> Executor:
    """Tools at the time that the test sets."""
    return by_clock(storage, clock)


async def rows(storage: Storage, who: Principal) -> dict[str, dict[str, Any]]:
    """What the database holds of each card, by its front."""
    async with storage.as_user(who.user_id, read_only=True) as db:
        found = [card for deck in await db.cards.decks() for card in (await db.cards.in_deck(
            deck.id, query=None, tag=None, state=None, limit=1000, cursor=None)).items]  # fmt: skip
        kept = [c.key for c in Flashcard.__table__.columns if c.key != "updated_at"]
        return {card.front: {name: getattr(card, name) for name in kept} for card in found}


async def test_a_new_card_goes_through_its_learning_steps_and_says_before_what_each_rating_does(
    timed: Executor, student: Principal, clock: SetClock
) -> None:
    await write(timed, student, "Deck", "One")
    (card,) = (await due(timed, student))["items"]
    easy = card["next_intervals"].pop("easy")
    assert card["next_intervals"] == {"again": "1 min", "hard": "6 min", "good": "10 min"}
    assert 6 <= int(easy.removesuffix(" d")) <= 11  # 8 days, more or less
    assert (card["back"], card["state"], card["deck_title"]) == ("Answer to One", "new", "Deck")
    done = await rate(timed, student, card, "good", duration_ms=4000, confidence=0.5)
    assert (done["state"], done["interval"], done["due"]["learning_later"]) == ("learning", "10 min", 1)
    assert done["next_card"]["id"] == card["id"]  # nothing else is left, so it comes a little early
    clock.on(minutes=10)
    (card,) = (await due(timed, student))["items"]
    done = await rate(timed, student, card, 3)
    assert (done["state"], done["interval"]) == ("review", card["next_intervals"]["good"])
    assert done["next_card"] is None
    assert "Everything for today is done" in done["message"]
    sessions = await call(timed, student, "list_study_sessions")
    assert [(s["type"], s["items_completed"]) for s in sessions["items"]] == [("flashcards", 2)]


async def test_the_next_card_is_the_one_that_the_queue_would_show(
    timed: Executor, student: Principal
) -> None:
    await write(timed, student, "First", "A", "B", "C")
    await write(timed, student, "Second", "X", "Y")
    whole = await fronts(timed, student)
    assert {whole[0] in "ABC", whole[1] in "ABC"} == {True, False}
    seen, card = [], (await due(timed, student, limit=1))["items"][0]
    while card is not None:
        seen.append(card["front"])
        card = (await rate(timed, student, card, "easy"))["next_card"]
    assert seen == whole


async def test_the_queue_is_narrowed_to_a_deck_a_class_or_a_tag(timed: Executor, student: Principal) -> None:
    await call(timed, student, "create_class", name="Class")
    await call(timed, student, "create_flashcard", deck_id="In", class_id="Class", front="A", back="a")
    (other,) = await write(timed, student, "Out", "B", tags=["exam"])
    assert await fronts(timed, student, deck_id="out") == ["B"]
    assert await fronts(timed, student, class_id="Class") == ["A"]
    assert await fronts(timed, student, tag="exam") == ["B"]
    done = await rate(timed, student, other, 4, deck_id="Out")
    assert (done["next_card"], done["due"]["new"]) == (None, 0)
    with pytest.raises(NotFound):
        await due(timed, student, deck_id="Nowhere")


async def test_daily_limits_hold_over_the_day_and_end_with_it_in_the_persons_time_zone(
    timed: Executor, student: Principal, clock: SetClock
) -> None:
    await call(
        timed, student, "update_profile", timezone="America/New_York", day_start_hour=5, new_cards_per_day=2
    )
    await write(timed, student, "Deck", *"ABCDE")
    await write(timed, student, "Exam", *"123")
    await call(timed, student, "update_deck", deck_id="Exam", new_cards_per_day=3)
    for card in (await due(timed, student, deck_id="Deck"))["items"]:
        await rate(timed, student, card, "easy")
    assert await fronts(timed, student, deck_id="Deck") == []
    assert sorted(await fronts(timed, student)) == ["1", "2", "3"]
    clock.at = MORNING.replace(hour=9, minute=59)  # 4:59 in New York
    assert await fronts(timed, student, deck_id="Deck") == []
    assert (await due(timed, student))["day_ends_at"] == "2026-03-02T10:00:00Z"
    clock.on(minutes=1)
    assert await fronts(timed, student, deck_id="Deck") == ["C", "D"]


async def test_reviews_beyond_the_limit_wait_and_the_most_forgotten_come_first(
    timed: Executor, student: Principal, clock: SetClock
) -> None:
    cards = await write(timed, student, "Deck", "A", "B", "C")
    for card, rating in zip(cards, ("easy", "good", "hard"), strict=True):
        done = await rate(timed, student, card, rating)
        while done["state"] != "review":
            clock.on(seconds=2)
            done = await rate(timed, student, card, "good")
    clock.on(days=12)
    assert await fronts(timed, student) == ["C", "B", "A"]
    await call(timed, student, "update_deck", deck_id="Deck", reviews_per_day=2)
    now = await due(timed, student)
    assert ([c["front"] for c in now["items"]], now["overdue"]) == (["C", "B"], 1)


async def test_the_same_review_sent_twice_counts_once(
    timed: Executor, storage: Storage, student: Principal, clock: SetClock
) -> None:
    await write(timed, student, "Deck", "A", "B")
    first, second = (await due(timed, student))["items"]
    token = {"review_token": first["review_token"]}
    done = await rate(timed, student, first, 3, **token)
    clock.on(minutes=3)
    again = await rate(timed, student, first, 3, **token)
    assert (again["already_counted"], again["review_id"], again["due_at"]) == (
        True,
        done["review_id"],
        done["due_at"],
    )
    with pytest.raises(Conflict, match="since it was shown"):
        await rate(timed, student, first, 1, **token)
    quick = [await rate(timed, student, second, 1) for _ in range(2)]
    assert [one["already_counted"] for one in quick] == [False, True]
    clock.on(seconds=2)
    assert not (await rate(timed, student, second, 1))["already_counted"]
    async with storage.as_user(student.user_id, read_only=True) as db:
        assert await db.reviews.count() == 3


async def test_two_devices_that_send_one_review_at_the_same_moment_store_it_once(
    executor: Executor, storage: Storage, student: Principal
) -> None:
    await write(executor, student, "Deck", "A")
    (card,) = (await due(executor, student))["items"]
    both = await asyncio.gather(
        *(rate(executor, student, card, "good", review_token=card["review_token"]) for _ in range(4))
    )
    assert sorted(one["already_counted"] for one in both) == [False, True, True, True]
    async with storage.as_user(student.user_id, read_only=True) as db:
        assert await db.reviews.count() == 1


async def test_reviews_are_taken_back_one_after_the_other_until_all_is_as_it_was(
    timed: Executor, storage: Storage, student: Principal, clock: SetClock
) -> None:
    await call(timed, student, "create_flashcard", deck_id="Pairs", type="reversed", front="un", back="one")
    await write(timed, student, "Deck", "A")
    states = [await rows(storage, student)]
    for _ in range(4):
        card = (await due(timed, student))["items"][0]
        await rate(timed, student, card, "good")
        states.append(await rows(storage, student))
        clock.on(minutes=11)
    assert states[1] != states[0]
    clock.on(days=1)
    for expected in reversed(states[:-1]):
        undone = await call(timed, student, "undo_review")
        assert await rows(storage, student) == expected
        assert undone["card"]["review_token"]
    with pytest.raises(NotFound, match="no review"):
        await call(timed, student, "undo_review")
    sessions = await call(timed, student, "list_study_sessions")
    assert sum(s["items_completed"] for s in sessions["items"]) == 0


async def test_only_the_last_review_of_a_card_is_taken_back_and_only_while_it_stands(
    timed: Executor, student: Principal, clock: SetClock
) -> None:
    one, other = await write(timed, student, "Deck", "A", "B")
    first = await rate(timed, student, one, 3)
    clock.on(minutes=10)
    second = await rate(timed, student, one, 3)
    third = await rate(timed, student, other, 3)
    with pytest.raises(Conflict, match="later review"):
        await call(timed, student, "undo_review", review_id=first["review_id"])
    await call(timed, student, "undo_review", review_id=second["review_id"])
    with pytest.raises(Conflict, match="already"):
        await call(timed, student, "undo_review", review_id=second["review_id"])
    await call(timed, student, "update_flashcard", card_id="B", reset=True)
    with pytest.raises(Conflict, match="reset"):
        await call(timed, student, "undo_review", review_id=third["review_id"])


async def test_siblings_are_not_asked_on_one_day(
    timed: Executor, student: Principal, clock: SetClock
) -> None:
    await call(
        timed,
        student,
        "create_flashcard",
        deck_id="Cells",
        type="cloze",
        front="{{c1::A}} {{c2::B}} {{c3::C}}",
    )
    assert await fronts(timed, student) == ["[…] B C"]
    for shown in ("[…] B C", "A […] C", "A B […]"):
        (card,) = (await due(timed, student))["items"]
        assert card["front"] == shown
        done = await rate(timed, student, card, "easy")
        assert done["next_card"] is None
        clock.on(days=1)


async def test_a_card_that_is_forgotten_too_often_is_marked_and_said_to_be_a_leech(
    timed: Executor, storage: Storage, student: Principal, clock: SetClock
) -> None:
    await call(timed, student, "update_profile", leech_threshold=4)
    (card,) = await write(timed, student, "Deck", "A")
    await rate(timed, student, card, "easy")
    for lapse in range(1, 7):
        clock.on(days=30)
        done = await rate(timed, student, card, "again")
        assert done["is_leech"] == (lapse >= 4)
        assert ("leech" in done["message"]) == (lapse in (4, 6))
        if lapse == 4:
            before = (await rows(storage, student))["A"]
            assert before["tags"] == ["leech"]
            await call(timed, student, "undo_review")
            assert (await rows(storage, student))["A"]["tags"] == []
            await rate(timed, student, card, "again")
            assert (await rows(storage, student))["A"] == before
        clock.on(minutes=10)
        await rate(timed, student, card, "good")


async def test_what_is_suspended_buried_or_retired_is_not_asked(
    timed: Executor, storage: Storage, student: Principal, clock: SetClock
) -> None:
    cards = await write(timed, student, "Deck", *"ABCD")
    await call(timed, student, "update_flashcard", card_id="A", suspended=True)
    await call(timed, student, "update_flashcard", card_id="B", buried=True)
    await call(timed, student, "update_flashcard", card_id="C", retired=True)
    assert await fronts(timed, student) == ["D"]
    for card in (cards[0], cards[2]):
        with pytest.raises(Conflict, match=r"suspended|retired"):
            await rate(timed, student, card, 3)
    clock.on(days=1)
    assert await fronts(timed, student) == ["B", "D"]


async def test_sm2_by_setting_takes_grades_and_a_card_changes_over_with_its_interval(
    timed: Executor, storage: Storage, student: Principal, clock: SetClock
) -> None:
    await write(timed, student, "Deck", "A")
    await call(timed, student, "update_profile", scheduler="sm2")
    for days in (1, 6, 17):
        done = await call(timed, student, "review_card", card_id="A", grade=5)
        assert (done["interval_days"], done["grade"], done["rating"], done["stability"]) == (days, 5, 4, None)
        clock.on(days=days)
    await call(timed, student, "update_deck", deck_id="Deck", scheduler="fsrs")
    (asked,) = (await due(timed, student))["items"]
    done = await rate(timed, student, asked, "good")
    assert done["interval_days"] > 30
    assert done["ease_factor"] is None
    assert (
        Schedule(
            **{k: v for k, v in (await rows(storage, student))["A"].items() if k in Schedule.__slots__}
        ).scheduler
        == "fsrs"
    )
    for wrong in ({}, {"rating": 3, "grade": 4}):
        with pytest.raises(InvalidInput, match="either a rating"):
            await call(timed, student, "review_card", card_id="A", **wrong)


async def test_a_stranger_reaches_no_card_and_no_review(
    timed: Executor, student: Principal, stranger: Principal
) -> None:
    (card,) = await write(timed, student, "Deck", "A")
    done = await rate(timed, student, card, 3)
    with pytest.raises(NotFound):
        await rate(timed, stranger, card, 3)
    with pytest.raises(NotFound):
        await call(timed, stranger, "undo_review", review_id=done["review_id"])
    with pytest.raises((NotFound, Forbidden)):
        await due(timed, stranger, deck_id="Deck")
    assert (await due(timed, stranger))["items"] == []


async def test_with_enough_history_the_scheduler_is_fitted_by_a_job_of_its_own(
    timed: Executor, storage: Storage, clock: SetClock
) -> None:
    who = await new_principal(storage)
    cards = await write(timed, who, "Deck", *[f"Card {n}" for n in range(80)])
    async with storage.as_user(who.user_id) as db:
        for number, card in enumerate(cards):
            for day in range(7):
                # Forgotten far more often than the default parameters expect.
                rating = 1 if (number * 7 + day * 3) % 5 < 2 else 3
                db.reviews.session.add(
                    review_on(storage, who, UUID(card["id"]), day * (day + 1), rating, number)
                )
    clock.on(days=60)
    await rate(timed, who, cards[0], "good")
    (job,) = [j for j in (await call(timed, who, "list_jobs"))["items"] if j["kind"] == FIT_SCHEDULER]
    await run_job(storage, who, UUID(job["id"]))
    async with storage.as_user(who.user_id, read_only=True) as db:
        me = await db.accounts.me()
        assert me.fsrs_parameters is not None
        assert len(me.fsrs_parameters) == 21
    await rate(timed, who, cards[1], "good")
    clock.on(days=1)
    await rate(timed, who, cards[2], "good")
    assert [j["kind"] for j in (await call(timed, who, "list_jobs"))["items"]].count(FIT_SCHEDULER) == 1


def review_on(
    storage: Storage, who: Principal, card_id: UUID, day: int, rating: int, number: int
) -> CardReview:
    return CardReview(
        id=storage.clock.new_id(),
        user_id=who.user_id,
        card_id=card_id,
        reviewed_at=MORNING + timedelta(days=day, seconds=number),
        scheduler="fsrs",
        rating=rating,
        before={},
        after={},
    )
