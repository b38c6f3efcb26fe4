"""Study days: from `day_start_hour` in a person's time zone to the same hour of the next day. Pure."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from tools.scheduling.state import StudySettings

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class StudyDay:
    date: date
    start: datetime
    """In UTC, as `end`, which belongs to the next day."""
    end: datetime


def study_date(moment: datetime, settings: StudySettings) -> date:
    """The study day in which a moment lies: at 2 in the morning it is still yesterday's."""
    local = moment.astimezone(settings.timezone)
    return local.date() if local.hour >= settings.day_start_hour else local.date() - ONE_DAY


def study_day(moment: datetime, settings: StudySettings) -> StudyDay:
    day = study_date(moment, settings)
    return StudyDay(day, start_of(day, settings), start_of(day + ONE_DAY, settings))


def start_of(day: date, settings: StudySettings) -> datetime:
    return datetime.combine(day, time(settings.day_start_hour), settings.timezone).astimezone(UTC)


def days_between(earlier: datetime | None, later: datetime, settings: StudySettings) -> int | None:
    """Whole study days from one review to another, as Anki counts them: 0 on one day, 1 for this evening and tomorrow morning."""
    if earlier is None:
        return None
    return max((study_date(later, settings) - study_date(earlier, settings)).days, 0)


def days_later(moment: datetime, days: int, settings: StudySettings) -> datetime:
    """The same time of the clock so many days on, also over a change to summer time, so that the study day is always that many on."""
    local = moment.astimezone(settings.timezone)
    try:
        return (local + timedelta(days=days)).astimezone(UTC)
    except OverflowError:
        return datetime(9999, 1, 1, tzinfo=UTC)
