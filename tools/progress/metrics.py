"""Figures that are kept: of each session when it ends, and of each study day by class. Writing them again replaces them."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid5

from storage.models import StudySession
from storage.repositories import Repositories
from storage.repositories.study import Days, Figures, silent_students
from storage.resources import Storage
from tools.dates import zone
from tools.progress.days import STALE, begin_of, study_day

HOLD_TIMES = timedelta(days=1)


async def days_of(db: Repositories) -> Days:
    """How this person's study days are cut."""
    user = await db.accounts.me()
    return Days(user.timezone or "UTC", user.day_start_hour)


async def end_session(db: Repositories, row: StudySession, last: datetime) -> None:
    """Close it at its last activity, and keep its figures and those of the days it touched."""
    row.status, row.ended_at = "completed", last
    row.duration_seconds = row.duration_seconds or 0
    days = await days_of(db)
    first, until = row.started_at - HOLD_TIMES, last + HOLD_TIMES
    of_session = await db.study.figures(first, until, days, session_id=row.id)
    total = sum(of_session.values(), Figures())
    made = _rows(row.id, "session", last, row.class_id, total, {"session": str(row.id)})
    await db.study.put_metrics([{**one, "session_id": row.id} for one in made])
    cut = zone(days.zone)
    day, end = (study_day(moment, cut, days.start_hour) for moment in (row.started_at, last))
    while day <= end:
        await keep_day(db, day, days)
        day += timedelta(days=1)


async def keep_day(db: Repositories, day: date, days: Days) -> None:
    """Write the figures of one study day, a set for each class."""
    cut = zone(days.zone)
    since = begin_of(day, cut, days.start_hour)
    until = begin_of(day + timedelta(days=1), cut, days.start_hour)
    for (of_day, class_id), figures in (await db.study.figures(since, until, days)).items():
        key = uuid5(db.study.user_id, f"{of_day}:{class_id}")
        made = _rows(key, "daily", noon(of_day), class_id, figures, {"date": of_day.isoformat()})
        await db.study.put_metrics(list(made))


def noon(day: date) -> datetime:
    """When daily figures are recorded as of: the same moment wherever the person is, so that it names the row."""
    return datetime.combine(day, time(12), UTC)


def _rows(
    key: UUID, period: str, at: datetime, class_id: UUID | None, figures: Figures, about: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """One row for each figure there is. Its id follows from what it is about, so that a second run meets the first."""
    values = {
        "study_time": (figures.study_seconds, "sum"),
        "reviews": (float(figures.reviews), "sum"),
        "accuracy": (figures.accuracy, "mean"),
        "retention": (figures.retention, "mean"),
        "speed": (figures.speed, "mean"),
    }
    for type, (value, aggregation) in values.items():
        if value is not None:
            yield {
                "id": uuid5(key, f"{period}:{type}"),
                "recorded_at": at,
                "class_id": class_id,
                "session_id": None,
                "type": type,
                "value": value,
                "period": period,
                "aggregation": aggregation,
                "data": {**about, **asdict(figures)},
            }


async def end_silent_sessions(db: Repositories, now: datetime) -> int:
    """Close the sessions that nobody went on with. Gives how many. For the worker's upkeep; safe to run again."""
    ended = 0
    for row in await db.study.silent_sessions(now - STALE):
        await db.study.one_at_a_time(row.type)
        fresh = await db.study.session_of(row.id)
        if fresh is None or fresh.status != "active":
            continue
        last = await db.study.last_activity(fresh)
        if now - last >= STALE:
            await end_session(db, fresh, last)
            ended += 1
    return ended


async def end_silent_sessions_of_all(storage: Storage) -> None:
    """The same for everybody who has one."""
    now = storage.clock.now()
    async with storage.database.transaction(None, read_only=True) as session:
        students = await silent_students(session, now - STALE)
    for user_id in students:
        async with storage.as_user(user_id) as db:
            await end_silent_sessions(db, now)
