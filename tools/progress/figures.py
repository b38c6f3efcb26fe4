"""How studying went over the last days: what is in the tables, and for days whose items are gone what was kept of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar
from uuid import UUID

from storage.repositories import Repositories
from storage.repositories.study import Figures
from tools.dates import zone
from tools.progress.days import begin_of, streaks, study_day
from tools.progress.metrics import days_of

Key = TypeVar("Key")
ByDay = dict[tuple[date, UUID | None], Figures]
STREAK_DAYS = 366
"""A streak is followed so far back, however few days are shown."""


@dataclass(frozen=True, slots=True)
class Progress:
    since: date
    figures: ByDay
    streak: int
    longest: int


async def progress_of(db: Repositories, now: datetime, *, days: int, class_id: UUID | None) -> Progress:
    """Figures by study day and class, and streaks in study days."""
    cut = await days_of(db)
    where = zone(cut.zone)
    today = study_day(now, where, cut.start_hour)
    since = today - timedelta(days=days - 1)
    begin, until = begin_of(since, where, cut.start_hour), now + timedelta(seconds=1)
    live = await db.study.figures(begin, until, cut, class_id=class_id)
    kept = await db.study.kept_days(begin, until + timedelta(days=1), class_id)
    figures = live | {
        key: old for key, old in kept.items() if key[0] >= since and _is_more(old, live.get(key))
    }
    long_ago = begin_of(today - timedelta(days=STREAK_DAYS), where, cut.start_hour)
    studied = await db.study.studied_days(long_ago, cut, class_id) | {key[0] for key in figures}
    streak, _ = streaks(studied, today)
    _, longest = streaks({day for day in studied if since <= day <= today}, today)
    return Progress(since, figures, streak, max(longest, min(streak, days)))


def _is_more(kept: Figures, live: Figures | None) -> bool:
    """Whether items of that day have gone since: then what was kept of the day is the fuller account."""
    return live is None or kept.done > live.done


def summed_by(
    figures: Mapping[tuple[date, UUID | None], Figures], key: Callable[[date, UUID | None], Key]
) -> dict[Key, Figures]:
    """Figures summed by day or by class."""
    sums: dict[Key, Figures] = {}
    for (day, class_id), one in figures.items():
        group = key(day, class_id)
        sums[group] = sums.get(group, Figures()) + one
    return sums
