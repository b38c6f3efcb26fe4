"""Fitting FSRS to a person: parameters that made a simulated history are foretold better than by the defaults."""

import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from fsrs.scheduler import DEFAULT_PARAMETERS

from tools.scheduling import fsrs6
from tools.scheduling.fitting import FEWEST_REVIEWS, Past, error_of, fitted, history_of, judged, predictable
from tools.scheduling.state import Schedule, StudySettings

START = datetime(2026, 1, 1, 9, tzinfo=UTC)
DEFAULT = StudySettings()
FORGETFUL = StudySettings(
    parameters=(0.1, 0.4, 0.9, 3.0, *DEFAULT_PARAMETERS[4:8], 1.3, *DEFAULT_PARAMETERS[9:20], 0.35)
)
"""Somebody who forgets much sooner than the average person that the defaults describe."""


def simulated(person: StudySettings, cards: int, seed: int) -> list[list[Past]]:
    """A history of 150 days in which the intervals are those of the defaults, and the person recalls as they do."""
    rng = random.Random(seed)
    history = []
    for number in range(cards):
        at, days = START + timedelta(days=rng.randint(0, 40), seconds=number), None
        memory, planned, past = Schedule(), Schedule(), []
        while at < START + timedelta(days=150):
            recall = fsrs6.retrievability(memory.stability, days, person) if days else 0.7
            rating = rng.choices((2, 3, 4), (15, 70, 15))[0] if rng.random() < recall else 1
            past.append(Past(at, days, rating))
            memory = fsrs6.next_outcome(memory, rating, at, days, person).schedule
            planned = fsrs6.next_outcome(planned, rating, at, days, DEFAULT).schedule
            days = max(1, round(fsrs6.interval_for(planned.stability or 1, DEFAULT) * rng.uniform(0.8, 1.3)))
            at += timedelta(days=days)
        history.append(past)
    return history


def test_a_fit_foretells_unseen_reviews_better_than_the_defaults_and_is_always_the_same() -> None:
    history, unseen = simulated(FORGETFUL, 250, 1), simulated(FORGETFUL, 100, 2)
    fit = fitted(history)
    assert fit is not None
    assert fit == fitted(history)
    before, after = error_of(unseen, DEFAULT_PARAMETERS), error_of(unseen, fit.parameters)
    truth = error_of(unseen, FORGETFUL.parameters or ())
    assert before.log_loss - after.log_loss > 0.6 * (before.log_loss - truth.log_loss) > 0
    assert after.rmse < 0.7 * before.rmse
    assert fsrs6.scheduler_of(StudySettings(parameters=fit.parameters)).parameters == fit.parameters


def test_too_little_history_and_one_that_the_defaults_fit_change_nothing() -> None:
    few = simulated(FORGETFUL, 20, 3)
    assert predictable(few) < FEWEST_REVIEWS
    assert fitted(few) is None
    fit = fitted(simulated(DEFAULT, 150, 4))
    assert fit is None or fit.before.log_loss - fit.after.log_loss < 0.01


def test_a_history_counts_study_days_between_reviews_of_one_card() -> None:
    one, other = UUID(int=1), UUID(int=2)
    reviews = [
        (one, START, 1),
        (one, START + timedelta(minutes=10), 3),
        (one, START + timedelta(hours=22), 3),
        (other, START + timedelta(days=3), 4),
    ]
    assert [[review.days for review in card] for card in history_of(reviews, DEFAULT)] == [
        [None, 0, 1],
        [None],
    ]


def test_errors_are_those_of_predictions() -> None:
    assert judged([(0.9, True)] * 9 + [(0.9, False)]).rmse == pytest.approx(0.0)
    assert judged([(0.5, True), (0.5, False)]).log_loss == pytest.approx(0.6931, abs=1e-4)
    assert judged([]).reviews == 0
