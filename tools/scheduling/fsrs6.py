"""FSRS-6 by the `fsrs` package, on our columns; its random fuzz by the same ranges, but from a seed."""

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from fsrs import Card, Rating, Scheduler, State
from fsrs.scheduler import DEFAULT_PARAMETERS, FUZZ_RANGES, STABILITY_MIN

from tools.scheduling.state import DAY_SECONDS, Schedule, StateName, StudySettings

STATES = {"learning": State.Learning, "review": State.Review, "relearning": State.Relearning}
NAMES: dict[State, StateName] = {
    State.Learning: "learning", State.Review: "review", State.Relearning: "relearning",
}  # fmt: skip
UNFUZZED_DAYS = 2.5
"""Shorter intervals stay as they are; from the package."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a scheduler decided, before fuzz and before the clock: the schedule without `due_at`, and the time until then."""

    schedule: Schedule
    interval: timedelta

    @property
    def is_in_days(self) -> bool:
        return self.schedule.state == "review"


def next_outcome(
    schedule: Schedule, rating: int, now: datetime, elapsed_days: int | None, settings: StudySettings
) -> Outcome:
    """The package's decision without fuzz. `elapsed_days` are whole days since the last review; None for a new card.

    The package counts days as full 24 hours. It is told the count instead, by a last review that many days ago: a card
    of yesterday evening is then a day old this morning.
    """
    moment = now.astimezone(UTC)
    last = moment - timedelta(days=elapsed_days) if elapsed_days is not None else None
    state = STATES.get(schedule.state, State.Learning)
    card = Card(
        card_id=1,  # else it sleeps a millisecond to make one
        state=state,
        step=None if state is State.Review else schedule.step or 0,
        stability=schedule.stability,
        difficulty=schedule.difficulty,
        due=moment,
        last_review=last,
    )
    after, _ = scheduler_of(settings).review_card(card, Rating(rating), moment)
    interval = after.due - moment
    return Outcome(
        replace(
            schedule,
            state=NAMES[after.state],
            step=after.step,
            stability=after.stability,
            difficulty=after.difficulty,
            interval_days=interval.total_seconds() / DAY_SECONDS,
        ),
        interval,
    )


def scheduler_of(settings: StudySettings) -> Scheduler:
    return _scheduler(
        settings.parameters or tuple(DEFAULT_PARAMETERS),
        settings.desired_retention,
        settings.learning_steps,
        settings.relearning_steps,
        settings.maximum_interval,
    )


@lru_cache(maxsize=256)
def _scheduler(
    parameters: tuple[float, ...],
    retention: float,
    learning: tuple[int, ...],
    relearning: tuple[int, ...],
    maximum: int,
) -> Scheduler:
    return Scheduler(
        parameters=parameters,
        desired_retention=retention,
        learning_steps=[timedelta(seconds=step) for step in learning],
        relearning_steps=[timedelta(seconds=step) for step in relearning],
        maximum_interval=maximum,
        enable_fuzzing=False,
    )


def retrievability(stability: float | None, elapsed_days: float, settings: StudySettings) -> float:
    """Probability that it is recalled after so many days; the package's power curve."""
    decay, factor = curve(settings)
    return float((1 + factor * max(elapsed_days, 0.0) / max(stability or 0.0, STABILITY_MIN)) ** decay)


def curve(settings: StudySettings) -> tuple[float, float]:
    """(decay, factor) of the forgetting curve R = (1 + factor · t / S) ** decay."""
    decay = -float((settings.parameters or DEFAULT_PARAMETERS)[20])
    return decay, float(0.9 ** (1 / decay)) - 1


def interval_for(stability: float, settings: StudySettings) -> int:
    """Days until recall falls to the desired retention, as the package computes them: at least 1."""
    decay, factor = curve(settings)
    days = stability / factor * (float(settings.desired_retention ** (1 / decay)) - 1)
    return min(max(round(days), 1), settings.maximum_interval)


def stability_for(interval_days: float, settings: StudySettings) -> float:
    """The stability whose interval this is: the inverse of `interval_for`."""
    decay, factor = curve(settings)
    return max(interval_days * factor / (float(settings.desired_retention ** (1 / decay)) - 1), STABILITY_MIN)


# --- fuzz


def fuzz_range(days: int, maximum: int) -> tuple[int, int]:
    """The package's bounds for an interval: 15 % of days 2.5 to 7, 10 % up to 20, 5 % of the rest, and one day."""
    delta = 1.0 + sum(
        part["factor"] * max(min(float(days), part["end"]) - part["start"], 0.0) for part in FUZZ_RANGES
    )
    low, high = max(2, round(days - delta)), min(round(days + delta), maximum)
    return min(low, high), high


def fuzzed(days: int, share: float, maximum: int) -> int:
    """The package's rule for an interval in days and a number drawn from [0, 1)."""
    if days < UNFUZZED_DAYS:
        return days
    low, high = fuzz_range(days, maximum)
    return min(round(share * (high - low + 1) + low), maximum)


def drawn(seed: bytes) -> float:
    """A number in [0, 1) that is always the same for a seed."""
    return int.from_bytes(hashlib.blake2b(seed, digest_size=8).digest()[:7], "big") / (1 << 56)
