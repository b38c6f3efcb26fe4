"""Schedulers: equal to the `fsrs` package over random histories and to SM-2 as published; days, fuzz, leeches, conversions."""

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import fsrs.scheduler
import pytest
from fsrs import Card, Rating, Scheduler, State
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.scheduling import fsrs6, sm2
from tools.scheduling.days import days_between, days_later, start_of, study_date, study_day
from tools.scheduling.deciding import converted, in_words, is_leech_now, preview, review
from tools.scheduling.state import Schedule, StudySettings, seed_of

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
VIENNA = StudySettings(timezone=ZoneInfo("Europe/Vienna"))
SEED = seed_of(UUID(int=7), 3)


def settings_drawn(rng: random.Random) -> StudySettings:
    parameters = tuple(
        rng.uniform(low, high)
        for low, high in zip(
            fsrs.scheduler.LOWER_BOUNDS_PARAMETERS, fsrs.scheduler.UPPER_BOUNDS_PARAMETERS, strict=True
        )
    )
    return StudySettings(
        desired_retention=rng.choice((0.7, 0.85, 0.9, 0.99)),
        parameters=rng.choice((None, parameters)),
        learning_steps=rng.choice(((60, 600), (), (60,), (60, 600, 3600))),
        relearning_steps=rng.choice(((600,), (), (60, 600))),
        maximum_interval=rng.choice((36500, 100)),
    )


def packaged(how: StudySettings) -> Scheduler:
    return Scheduler(
        parameters=how.parameters or fsrs.scheduler.DEFAULT_PARAMETERS,
        desired_retention=how.desired_retention,
        learning_steps=[timedelta(seconds=step) for step in how.learning_steps],
        relearning_steps=[timedelta(seconds=step) for step in how.relearning_steps],
        maximum_interval=how.maximum_interval,
        enable_fuzzing=False,
    )


def test_ten_thousand_random_reviews_are_exactly_those_of_the_package() -> None:
    rng, reviews = random.Random(5), 0
    while reviews < 10_000:
        how = settings_drawn(rng)
        package, card = packaged(how), Card(card_id=1, due=NOON)
        ours, now = Schedule(), NOON
        for _ in range(20):
            rating = rng.choice((1, 2, 3, 3, 3, 4))
            elapsed = (now - card.last_review).days if card.last_review else None
            card, _ = package.review_card(card, Rating(rating), now)
            outcome = fsrs6.next_outcome(ours, rating, now, elapsed, how)
            ours = Schedule.loaded(outcome.schedule.stored())  # as after a day in the database
            assert (ours.stability, ours.difficulty, ours.step) == (
                card.stability,
                card.difficulty,
                card.step,
            )
            assert fsrs6.STATES[ours.state] is card.state
            assert now + outcome.interval == card.due
            reviews += 1
            now += rng.choice(
                (timedelta(minutes=rng.randint(1, 900)), (card.due - now) * rng.uniform(0.5, 2))
            )
            now = min(now, NOON + timedelta(days=20_000))


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.77, 0.999999])
def test_fuzz_is_that_of_the_package_for_every_interval_and_draw(
    share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fsrs.scheduler, "random", lambda: share)
    for maximum in (365, 36_500):
        package = Scheduler(maximum_interval=maximum)
        for days in range(1, 366):
            theirs = package._get_fuzzed_interval(interval=timedelta(days=days)).days
            assert fsrs6.fuzzed(days, share, maximum) == theirs


def test_fuzz_is_drawn_from_the_card_and_its_number_of_reviews_alone() -> None:
    random.seed(1)
    first = fsrs6.drawn(SEED)
    random.seed(2)
    assert fsrs6.drawn(SEED) == first
    shares = [fsrs6.drawn(seed_of(UUID(int=n), 0)) for n in range(2000)]
    assert 0.0 <= min(shares) < 0.01
    assert 0.99 < max(shares) < 1.0
    assert sum(shares) / len(shares) == pytest.approx(0.5, abs=0.03)


def test_what_the_buttons_say_is_what_a_review_then_does() -> None:
    known = Schedule(
        state="review", stability=30.0, difficulty=5.0, reps=9,
        last_reviewed_at=NOON - timedelta(days=30), due_at=NOON, interval_days=30,
    )  # fmt: skip
    for how in (StudySettings(), StudySettings(scheduler="sm2")):
        said = preview(known, NOON, how, SEED)
        for rating, word in enumerate(("again", "hard", "good", "easy"), 1):
            done = review(known, rating, NOON, how, SEED)
            assert done.interval == said[word]
            assert done.schedule.due_at == NOON + done.interval


# --- SM-2


@pytest.mark.parametrize(
    ("grade", "change"), [(5, 0.10), (4, 0.0), (3, -0.14), (2, -0.32), (1, -0.54), (0, -0.80)]
)
def test_the_ease_changes_by_the_published_formula(grade: int, change: float) -> None:
    """In its other published form: EF' = EF - 0.8 + 0.28 q - 0.02 q²."""
    assert sm2.eased(2.5, grade) == pytest.approx(2.5 + change)
    assert sm2.eased(2.5, grade) == pytest.approx(2.5 - 0.8 + 0.28 * grade - 0.02 * grade**2)
    assert sm2.eased(1.3, 0) == 1.3


@pytest.mark.parametrize(
    ("grades", "intervals"),
    [
        ((4, 4, 4, 4, 4, 4), (1, 6, 15, 38, 95, 238)),  # EF stays 2.5; fractions are rounded up
        ((5, 5, 5, 5, 5), (1, 6, 17, 48, 140)),  # EF 2.5, 2.6, 2.7, 2.8, 2.9 before each
        ((3, 3, 3, 3, 3), (1, 6, 14, 30, 59)),  # EF 2.5, 2.36, 2.22, 2.08, 1.94
        ((4, 4, 4, 2, 4, 4, 4), (1, 6, 15, 1, 1, 6, 15)),  # begins anew, EF as it was
        ((4, 4, 4, 0, 5), (1, 6, 15, 1, 1)),
    ],
)
def test_intervals_are_those_of_sm2_as_published(grades: tuple[int, ...], intervals: tuple[int, ...]) -> None:
    item, seen = sm2.Item(), []
    for grade in grades:
        item = sm2.repeated(item, grade)
        seen.append(item.interval_days)
    assert tuple(seen) == intervals


def test_forgetting_in_sm2_leaves_the_ease_as_it_was() -> None:
    item = sm2.repeated(sm2.Item(2.1, 5, 40), 1)
    assert item == sm2.Item(2.1, 0, 1)


def test_what_scored_below_four_in_sm2_comes_back_on_the_same_day_until_it_scores_four() -> None:
    how, now = StudySettings(scheduler="sm2"), NOON
    card = review(Schedule(), 3, now, how, SEED).schedule
    assert (card.state, card.interval_days, card.repetitions) == ("review", 1, 1)
    now += timedelta(days=1)
    hard = review(card, 2, now, how, SEED)
    assert (hard.schedule.state, hard.interval) == ("relearning", timedelta(minutes=10))
    assert hard.schedule.repetitions == 2
    assert hard.schedule.ease_factor == pytest.approx(2.36)
    again = review(hard.schedule, 1, now + hard.interval, how, SEED)
    good = review(again.schedule, 3, now + 2 * hard.interval, how, SEED)
    assert good.schedule.ease_factor == hard.schedule.ease_factor
    assert (good.schedule.state, good.interval, good.schedule.repetitions) == ("review", timedelta(days=6), 2)


def test_a_grade_counts_as_given_and_a_rating_by_its_table() -> None:
    how = StudySettings(scheduler="sm2")
    by_grade = review(Schedule(), sm2.RATINGS[5], NOON, how, SEED, grade=5).schedule
    assert by_grade == review(Schedule(), 4, NOON, how, SEED).schedule
    assert [sm2.RATINGS[grade] for grade in sm2.GRADES.values()] == [1, 2, 3, 4]


# --- from one scheduler to the other


@given(st.integers(1, 3000), st.floats(1.3, 3.0))
@settings(max_examples=100, deadline=None)
def test_a_known_card_keeps_its_interval_when_the_scheduler_changes(days: int, ease: float) -> None:
    known = Schedule(
        scheduler="sm2", state="review", interval_days=days, ease_factor=ease, repetitions=4, reps=4
    )
    for retention in (0.8, 0.9, 0.97):
        how = StudySettings(desired_retention=retention)
        there = converted(known, how)
        assert there.stability is not None
        assert fsrs6.interval_for(there.stability, how) == days
        assert 1.0 <= (there.difficulty or 0) <= 10.0
        back = converted(there, replace(how, scheduler="sm2"))
        assert back.interval_days == days
        assert back.ease_factor == pytest.approx(ease, abs=1e-6)


def test_after_a_change_to_sm2_the_next_interval_is_the_interval_times_the_ease() -> None:
    known = Schedule(
        state="review", stability=20, difficulty=5.0, interval_days=20, reps=6, last_reviewed_at=NOON - timedelta(days=20)
    )  # fmt: skip
    after = review(known, 3, NOON, StudySettings(scheduler="sm2"), SEED)
    ease = converted(known, StudySettings(scheduler="sm2")).ease_factor
    assert after.interval.days == -(-20 * ease // 1)
    new = converted(Schedule(), StudySettings(scheduler="sm2"))
    assert new == Schedule(scheduler="sm2")


# --- leeches, days, words


def test_a_card_is_a_leech_at_eight_lapses_and_pointed_out_at_every_fourth_then() -> None:
    assert [n for n in range(25) if is_leech_now(n, 8)] == [8, 12, 16, 20, 24]
    assert not any(is_leech_now(n, 0) for n in range(25))
    card = Schedule(
        state="review", stability=5, difficulty=9, lapses=7, reps=20, last_reviewed_at=NOON - timedelta(days=5)
    )  # fmt: skip
    done = review(card, 1, NOON, StudySettings(), SEED)
    assert (done.became_leech, done.schedule.is_leech, done.schedule.lapses) == (True, True, 8)
    assert not review(replace(card, state="relearning", step=0), 1, NOON, StudySettings(), SEED).became_leech


def test_a_study_day_begins_at_its_hour_in_the_persons_own_time_zone() -> None:
    late = datetime(2026, 3, 2, 2, 30, tzinfo=UTC)  # 3:30 in Vienna
    assert study_date(late, VIENNA) == date(2026, 3, 1)
    assert study_date(late + timedelta(hours=1), VIENNA) == date(2026, 3, 2)
    day = study_day(late, VIENNA)
    assert (day.start, day.end) == (
        datetime(2026, 3, 1, 3, tzinfo=UTC),
        datetime(2026, 3, 2, 3, tzinfo=UTC),
    )
    summer = start_of(date(2026, 3, 29), VIENNA)  # the clock goes forward at 2
    assert summer == datetime(2026, 3, 29, 2, tzinfo=UTC)


@given(
    st.integers(0, 2 * 365 * 86_400),
    st.integers(0, 400),
    st.integers(0, 23),
)
@settings(max_examples=300, deadline=None)
def test_days_later_is_always_so_many_study_days_later(seconds: int, days: int, hour: int) -> None:
    now = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    how = replace(VIENNA, day_start_hour=hour)
    assert days_between(now, days_later(now, days, how), how) == days


def test_an_evening_and_the_next_morning_are_a_day_apart() -> None:
    evening = datetime(2026, 3, 2, 20, tzinfo=UTC)
    card = Schedule(state="review", stability=3, difficulty=5, last_reviewed_at=evening, interval_days=1)
    morning = review(card, 3, evening + timedelta(hours=11), StudySettings(), SEED).schedule
    same_day = review(card, 3, evening + timedelta(hours=2), StudySettings(), SEED).schedule
    assert morning.stability is not None
    assert same_day.stability is not None
    assert morning.stability > same_day.stability


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        (timedelta(seconds=30), "1 min"),
        (timedelta(minutes=10), "10 min"),
        (timedelta(hours=5), "5 h"),
        (timedelta(hours=1, minutes=30), "1.5 h"),
        (timedelta(days=3), "3 d"),
        (timedelta(days=75), "2.5 mo"),
        (timedelta(days=440), "1.2 y"),
    ],
)
def test_intervals_are_said_in_words(interval: timedelta, words: str) -> None:
    assert in_words(interval) == words


def test_a_schedule_comes_back_from_json_exactly_as_it_was() -> None:
    schedule = Schedule(
        state="relearning", step=1, stability=1 / 3, difficulty=7.123456789012345, due_at=NOON,
        last_reviewed_at=NOON.replace(microsecond=123457), reps=3,
    )  # fmt: skip
    assert Schedule.loaded(schedule.stored()) == schedule
    assert State.Learning is fsrs6.STATES["learning"]
