"""Where a card stands, between Anki's terms and our columns. Pure."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from storage.models import CardReview, Flashcard
from tools.exchange.packed import Review, Schedule
from tools.scheduling.days import study_date
from tools.scheduling.state import Schedule as Columns
from tools.scheduling.state import SchedulerName, StudySettings

LEAST_STABILITY, MOST_STABILITY = 0.001, 36_500.0
"""Bounds of FSRS-6 (fsrs package)."""
FSRS_FACTORS = (100, 1100)
"""Of Anki's review log: difficulty 1 to 10 (rslib, scheduler/answering)."""
LOWEST_EASE, HIGHEST_EASE = 1.3, 10.0
GOOD = 3
LEARN, REVIEW, RELEARN = 0, 1, 2
SAME_MS = 5
"""Two reviews of one card within so many milliseconds are one: Anki moves a number that is taken to the next."""
LATEST = datetime(9999, 1, 1, tzinfo=UTC)


def moment(seconds: float) -> datetime:
    """Of seconds since 1970. What lies outside of all years gives the nearest that there is."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return LATEST if seconds > 0 else datetime(1970, 1, 1, tzinfo=UTC)


def columns_of(
    one: Schedule, reviews: Sequence[Review], settings: StudySettings, *, is_leech: bool
) -> Columns:
    """The scheduling columns. A card with FSRS's memory state is FSRS's; a reviewed one without is SM-2's, by its interval and ease,
    and its first review here converts it where the deck is FSRS's (tools.scheduling.deciding.converted)."""
    if one.state == "new":
        return Columns(scheduler=settings.scheduler)
    has_memory = one.stability is not None and one.difficulty is not None
    scheduler: SchedulerName = "fsrs" if has_memory else "sm2"
    if not has_memory and one.state == "learning":
        scheduler = settings.scheduler  # nothing is known of it yet but its step
    steps = settings.learning_steps if one.state == "learning" else settings.relearning_steps
    due = moment(one.due) if one.due is not None else None
    last = moment(one.last_review) if one.last_review is not None else None
    if last is None and due is not None:
        last = due - timedelta(days=min(one.interval_days, 36_500))
    return Columns(
        scheduler=scheduler,
        state=one.state,
        step=min(one.step or 0, max(0, len(steps) - 1)) if one.state in ("learning", "relearning") else None,
        stability=min(max(one.stability, LEAST_STABILITY), MOST_STABILITY)
        if has_memory and one.stability
        else None,
        difficulty=min(max(one.difficulty, 1.0), 10.0) if has_memory and one.difficulty is not None else None,
        due_at=due,
        last_reviewed_at=last,
        interval_days=one.interval_days,
        ease_factor=min(max(one.ease or 2.5, LOWEST_EASE), HIGHEST_EASE),
        repetitions=_repetitions(one, reviews),
        reps=one.reps,
        lapses=one.lapses,
        is_leech=is_leech and one.lapses > 0,
    )


def _repetitions(one: Schedule, reviews: Sequence[Review]) -> int:
    """Good reviews in a row; where the log is missing, enough that SM-2 goes on with interval times ease."""
    if one.state != "review":
        return 0
    in_a_row = 0
    for review in reversed(reviews):
        if review.rating == 1:
            break
        in_a_row += 1
    return max(in_a_row, 2 if one.interval_days >= 6 else 1)


def review_row(card: Any, review: Review, before: Review | None, scheduler: str) -> dict[str, Any]:
    """Columns of a review. The state before is not known; what Anki's log says stands in `after` under `anki`."""
    low, high = FSRS_FACTORS
    if review.factor:
        scheduler = "fsrs" if low <= review.factor <= high else "sm2"
    return {
        "card_id": card,
        "reviewed_at": moment(review.id / 1000),
        "scheduler": scheduler,
        "rating": review.rating,
        "duration_ms": review.duration_ms,
        "elapsed_days": (review.id - before.id) / 86_400_000 if before else None,
        "scheduled_days": days_of(review.interval),
        "before": {},
        "after": {
            "anki": {
                "interval": review.interval,
                "last_interval": review.last_interval,
                "factor": review.factor,
                "kind": review.kind,
            }
        },
        "imported_id": review.id,
    }


def days_of(interval: int) -> float:
    """Of Anki's interval: days, or seconds where negative."""
    return float(interval) if interval >= 0 else -interval / 86_400


def interval_of(days: float) -> int:
    """Anki's interval: whole days from one day on, else seconds, negative."""
    return round(days) if days >= 1 else -max(1, round(days * 86_400)) if days > 0 else 0


def packed_schedule(row: Flashcard, today: date) -> Schedule:
    return Schedule(
        state=row.state,
        due=row.due_at.timestamp() if row.due_at else None,
        interval_days=row.interval_days,
        ease=row.ease_factor,
        stability=row.stability,
        difficulty=row.difficulty,
        step=row.step,
        reps=row.reps,
        lapses=row.lapses,
        last_review=row.last_reviewed_at.timestamp() if row.last_reviewed_at else None,
        suspended=row.suspended_at is not None,
        buried=row.buried_until is not None and row.buried_until > today,
    )


def packed_review(row: CardReview) -> Review:
    known = row.after.get("anki") or {}
    number = row.imported_id if row.imported_id is not None else int(row.reviewed_at.timestamp() * 1000)
    return Review(
        id=number,
        rating=row.rating,
        kind=known.get("kind", _kind(row)),
        interval=known.get("interval", interval_of(row.scheduled_days or 0.0)),
        last_interval=known.get("last_interval", interval_of(float(row.before.get("interval_days") or 0.0))),
        factor=known.get("factor", _factor(row)),
        duration_ms=max(0, row.duration_ms or 0),
    )


def _kind(row: CardReview) -> int:
    return {"review": REVIEW, "relearning": RELEARN}.get(row.before.get("state", "new"), LEARN)


def _factor(row: CardReview) -> int:
    difficulty: float | None = row.after.get("difficulty")
    ease: float | None = row.after.get("ease_factor")
    if row.scheduler == "fsrs" and difficulty:
        low, high = FSRS_FACTORS
        return round(low + (difficulty - 1) / 9 * (high - low))
    return round(ease * 1000) if ease and row.after.get("state") == "review" else 0


def is_known(review: Review, times: Sequence[tuple[int | None, datetime]]) -> bool:
    """Whether a card has this review already, imported or made here."""
    return any(
        number == review.id or (number is None and abs(when.timestamp() * 1000 - review.id) <= SAME_MS)
        for number, when in times
    )


def tomorrow(now: datetime, settings: StudySettings) -> date:
    """The study day on which what Anki has buried comes back."""
    return study_date(now, settings) + timedelta(days=1)
