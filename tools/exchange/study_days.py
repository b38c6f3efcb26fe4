"""Anki counts review days from the day a collection was made; a day begins at an hour of the person's own time."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class StudyDays:
    """`today` is the number of the study day that `date` is on."""

    today: int
    date: date
    zone: ZoneInfo
    start_hour: int = 4

    def begins(self, number: int) -> float:
        """When a day of this number begins, in seconds since 1970. Out of all bounds gives the nearest day there is."""
        day = self.date + timedelta(days=min(max(number - self.today, -40_000), 40_000))
        return datetime.combine(day, time(self.start_hour), self.zone).timestamp()

    def number(self, seconds: float) -> int:
        return self.today + (study_date(seconds, self.zone, self.start_hour) - self.date).days


def study_date(seconds: float, zone: ZoneInfo, start_hour: int) -> date:
    """The study day of a moment."""
    local = datetime.fromtimestamp(seconds, UTC).astimezone(zone)
    return (local - timedelta(hours=start_hour) if local.hour < start_hour else local).date()
