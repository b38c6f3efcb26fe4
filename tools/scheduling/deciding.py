"""What a review does to a card, whichever scheduler decides: interval, lapses, leeches, and the change from one scheduler to the other."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from tools.scheduling import fsrs6, sm2
from tools.scheduling.days import days_between, days_later
from tools.scheduling.state import DAY_SECONDS, RATINGS, Schedule, StudySettings

LEECH = "leech"
"""Tag of a card that was forgotten too often, as in Anki."""
LEECH_AGAIN = 2
"""A leech is pointed out again after each half of the threshold: at 8, 12, 16 lapses; as Anki does."""


@dataclass(frozen=True, slots=True)
class Decision:
    """After a review."""

    schedule: Schedule
    interval: timedelta
    became_leech: bool
    """Also when it is pointed out once more."""


def review(
    schedule: Schedule,
    rating: int,
    now: datetime,
    settings: StudySettings,
    seed: bytes,
    grade: int | None = None,
) -> Decision:
    """The card after a review at `now`. `grade` is SM-2's own scale; left out, it follows from the rating."""
    before = converted(schedule, settings)
    elapsed = days_between(before.last_reviewed_at, now, settings)
    if settings.scheduler == "sm2":
        outcome = sm2.next_outcome(before, sm2.GRADES[rating] if grade is None else grade, elapsed, settings)
    else:
        outcome = fsrs6.next_outcome(before, rating, now, elapsed, settings)
    after, interval, due = outcome.schedule, outcome.interval, now + outcome.interval
    if outcome.is_in_days:
        days = interval.days
        if settings.scheduler == "fsrs":
            days = fsrs6.fuzzed(days, fsrs6.drawn(seed), settings.maximum_interval)
        interval, due = timedelta(days=days), days_later(now, days, settings)
        after = replace(after, interval_days=float(days))
    lapsed = before.state == "review" and rating == RATINGS["again"]
    lapses = before.lapses + lapsed
    leech = lapsed and is_leech_now(lapses, settings.leech_threshold)
    after = replace(
        after,
        due_at=due.astimezone(UTC),
        last_reviewed_at=now.astimezone(UTC),
        reps=before.reps + 1,
        lapses=lapses,
        is_leech=before.is_leech or leech,
    )
    return Decision(after, interval, leech)


def is_leech_now(lapses: int, threshold: int) -> bool:
    if threshold <= 0 or lapses < threshold:
        return False
    return (lapses - threshold) % max(threshold // LEECH_AGAIN, 1) == 0


def preview(schedule: Schedule, now: datetime, settings: StudySettings, seed: bytes) -> dict[str, timedelta]:
    """How long until the card comes back, by the word for each rating: exactly what a review now would decide."""
    return {word: review(schedule, rating, now, settings, seed).interval for word, rating in RATINGS.items()}


def converted(schedule: Schedule, settings: StudySettings) -> Schedule:
    """The schedule for the scheduler that the settings name. A card of the other one keeps its interval, so that nothing
    that is known comes back as new:

    - to FSRS: the stability is that whose interval it is; the difficulty falls from 10 to 1 as the ease rises from 1.3
      to 3.0, the usual range (2.5, the first ease, gives 3.6);
    - to SM-2: the interval is kept with the ease of that difficulty, and the card counts as repeated twice, so that the
      next interval is the interval times the ease.
    """
    if schedule.scheduler == settings.scheduler:
        return schedule
    if schedule.state == "new":
        return replace(schedule, scheduler=settings.scheduler)
    days = max(schedule.interval_days, 1.0) if schedule.state == "review" else schedule.interval_days
    if settings.scheduler == "fsrs":
        return _to_fsrs(schedule, days, settings)
    ease = schedule.ease_factor
    if schedule.difficulty is not None:
        ease = EASIEST - (schedule.difficulty - 1.0) / 9.0 * (EASIEST - sm2.LOWEST_EASE)
    return replace(
        schedule,
        scheduler="sm2",
        ease_factor=ease,
        repetitions=0 if schedule.state != "review" else 1 if days < 6 else 2,
        interval_days=max(round(days), 1),
    )


EASIEST = 3.0


def _to_fsrs(schedule: Schedule, days: float, settings: StudySettings) -> Schedule:
    ease = min(schedule.ease_factor, EASIEST)
    difficulty = 1.0 + 9.0 * (EASIEST - ease) / (EASIEST - sm2.LOWEST_EASE)
    known = schedule.state != "learning"
    return replace(
        schedule,
        scheduler="fsrs",
        stability=fsrs6.stability_for(max(days, 1.0), settings) if known or schedule.repetitions else None,
        difficulty=min(max(difficulty, 1.0), 10.0) if known or schedule.repetitions else None,
        step=None if schedule.state == "review" else schedule.step or 0,
    )


def in_words(interval: timedelta) -> str:
    """As buttons show it: 1 min, 10 min, 5 h, 3 d, 2.5 mo, 1.2 y."""
    seconds = interval.total_seconds()
    if seconds < 3600:
        return f"{max(round(seconds / 60), 1)} min"
    if seconds < DAY_SECONDS:
        return f"{_short(seconds / 3600)} h"
    days = seconds / DAY_SECONDS
    if days < 31:
        return f"{round(days)} d"
    if days < 365:
        return f"{_short(days / 30.4375)} mo"
    return f"{_short(days / 365.25)} y"


def _short(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
