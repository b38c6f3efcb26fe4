"""Study days, time without pauses, streaks. Pure."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

PAUSE = timedelta(minutes=5)
"""Nobody looks at a card for longer: a longer gap is a pause and does not count as study."""
STALE = timedelta(minutes=30)
"""After so long without anything done a study session is over."""


def study_day(moment: datetime, zone: ZoneInfo, start_hour: int) -> date:
    """The day that a moment counts for: who studies at 1 a.m. still studies for the day before."""
    return (moment.astimezone(zone) - timedelta(hours=start_hour)).date()


def begin_of(day: date, zone: ZoneInfo, start_hour: int) -> datetime:
    """The moment at which a study day begins."""
    return datetime.combine(day, time(start_hour), zone).astimezone(UTC)


def studied_seconds(before: datetime | None, now: datetime, response_time_ms: int | None) -> float:
    """Time that one interaction adds: since the one before, or where that was a pause the time the answer itself took."""
    if before is not None and timedelta(0) <= now - before <= PAUSE:
        return (now - before).total_seconds()
    taken = (response_time_ms or 0) / 1000
    return taken if 0 <= taken <= PAUSE.total_seconds() else 0.0


def streaks(days: Iterable[date], today: date) -> tuple[int, int]:
    """(current, longest): days in a row. A day that is not over yet does not break the current one."""
    held = set(days)
    longest = 0
    for day in held:
        if day - timedelta(days=1) not in held:
            longest = max(longest, _run(held, day, 1))
    last = today if today in held else today - timedelta(days=1)
    return _run(held, last, -1), longest


def _run(held: set[date], first: date, step: int) -> int:
    count = 0
    while first + timedelta(days=step * count) in held:
        count += 1
    return count
