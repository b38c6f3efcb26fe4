"""Dates as people write them ("Friday", "tomorrow at 5 pm", "next week", "24 December", ISO 8601) in their own time zone. Pure."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from storage.errors import InvalidInput

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
END_OF_DAY = time(23, 59, 59)
YEARS = range(1970, 2200)
NUMBERS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7}

_DAY = "|".join(f"{name}|{name[:3]}" for name in WEEKDAYS) + "|tues|wednes|thur|thurs"
_MONTH = "|".join(f"{name}|{name[:3]}" for name in MONTHS) + "|sept"
_TIME = re.compile(
    r"\s*(?:,|\bat\b|\bby\b|\bbefore\b)?\s*\b(?:(?P<h>\d{1,2})(?::(?P<m>\d{2}))?\s*(?P<half>[ap])\.?m\.?|(?P<h24>\d{1,2}):(?P<m24>\d{2})|(?P<word>noon|midnight))\s*$"
)
_LEADING = re.compile(r"^(?:(?:due|by|on|until|till|before|the|is|it's)\s+)+")


@dataclass(frozen=True, slots=True)
class Period:
    """From the first to the last moment that was meant; the same when a time was given."""

    start: datetime
    end: datetime


def zone(name: str | None) -> ZoneInfo:
    """A user's time zone; UTC when the profile names none."""
    return ZoneInfo(name or "UTC")


def read_period(text: str, now: datetime) -> Period:
    """What a text means to somebody for whom it is `now`, in the time zone of `now`. A day alone is all of it.

    A weekday alone is the coming one, today included. A day without a year lies within the next twelve months.
    Raises InvalidInput for what is no date.
    """
    period = _iso(text.strip(), now) or _said(text, now)
    if period is None or not all(moment.year in YEARS for moment in (period.start, period.end)):
        raise InvalidInput(
            f"{text!r} is not a date that can be read. Write it like 2026-03-20, 2026-03-20T17:00, tomorrow, Friday or 20 March.",
            code="invalid_date",
        )
    return period


def _said(text: str, now: datetime) -> Period | None:
    said = _LEADING.sub("", " ".join(text.lower().replace(",", " ").split()).rstrip(".!? "))
    match = _TIME.search(said)
    days_said = said[: match.start()].strip() if match else said
    hours = re.fullmatch(rf"(?:in|within)\s+(\d{{1,3}}|{'|'.join(NUMBERS)})\s+hours?", said)
    if hours:
        moment = now + timedelta(hours=_number(hours[1]))
        return Period(moment, moment)
    days = _days(days_said, now.date()) if days_said or not match else (now.date(), now.date())
    clock = _clock(match) if match else None
    if days is None or (match and clock is None):
        return None
    first, last = days
    if clock is not None:
        moment = datetime.combine(last, clock, now.tzinfo)
        return Period(moment, moment)
    return _whole(first, last, now)


def _whole(first: date, last: date, now: datetime) -> Period:
    return Period(datetime.combine(first, time(), now.tzinfo), datetime.combine(last, END_OF_DAY, now.tzinfo))


def _iso(text: str, now: datetime) -> Period | None:
    """ISO 8601; a time without an offset is the user's."""
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            day = date.fromisoformat(text)
            return _whole(day, day, now)
        if not re.match(r"\d{4}-\d{2}-\d{2}[T ]", text):
            return None
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=now.tzinfo)
    return Period(moment, moment)


def _clock(match: re.Match[str]) -> time | None:
    if match["word"]:
        return time(12) if match["word"] == "noon" else END_OF_DAY
    if match["h24"]:
        hour, minute = int(match["h24"]), int(match["m24"])
    else:
        hour, minute = int(match["h"]), int(match["m"] or 0)
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if match["half"] == "p" else 0)
    return time(hour, minute) if hour < 24 and minute < 60 else None


def _days(said: str, today: date) -> tuple[date, date] | None:
    for rule in RULES:
        found = rule(said, today)
        if found is not None:
            return found
    return None


def _near(said: str, today: date) -> tuple[date, date] | None:
    """today, tomorrow, in three days, in two weeks, a week from now."""
    away = {
        "today": 0, "tonight": 0, "this evening": 0, "now": 0, "tomorrow": 1, "tmrw": 1, "day after tomorrow": 2,
        "yesterday": -1,
    }.get(said)  # fmt: skip
    later = re.fullmatch(
        rf"(?:(?:in|within)\s+)?(\d{{1,3}}|{'|'.join(NUMBERS)})\s+(day|week)s?(?:\s+from (?:now|today))?",
        said,
    )
    if later:
        away = _number(later[1]) * (7 if later[2] == "week" else 1)
    if away is None:
        return None
    day = today + timedelta(days=away)
    return day, day


def _number(said: str) -> int:
    return NUMBERS.get(said) or int(said)


def _weekday(said: str, today: date) -> tuple[date, date] | None:
    match = re.fullmatch(rf"(?:(this|next|coming)\s+)?({_DAY})(?:day)?", said)
    if not match:
        return None
    wanted = next(n for n, name in enumerate(WEEKDAYS) if name.startswith(match[2][:3]))
    if match[1] == "next":
        day = _monday(today) + timedelta(days=7 + wanted)
    else:
        day = today + timedelta(days=(wanted - today.weekday()) % 7)
    return day, day


def _monday(today: date) -> date:
    return today - timedelta(days=today.weekday())


def _span(said: str, today: date) -> tuple[date, date] | None:
    """this week, next weekend, the end of the month."""
    match = re.fullmatch(
        r"(?:(end) of\s+)?(?:the\s+)?(?:(this|next|current|coming)\s+)?(week|weekend|month)", said
    )
    if not match or not (match[1] or match[2]):
        return None
    step = 1 if match[2] == "next" else 0
    if match[3] == "month":
        first = _first_of(today, step)
        last = _first_of(first, 1) - timedelta(days=1)
    else:
        first = _monday(today) + timedelta(days=7 * step)
        last = first + timedelta(days=6)
        first += timedelta(days=5 if match[3] == "weekend" else 0)
    return (last, last) if match[1] else (max(first, today), last)


def _first_of(day: date, months: int) -> date:
    count = day.year * 12 + day.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


def _calendar(said: str, today: date) -> tuple[date, date] | None:
    """24 December, December 24th 2026, the 3rd of May."""
    match = re.fullmatch(
        rf"(?P<d>\d{{1,2}})(?:st|nd|rd|th|\.)?\s+(?:of\s+)?(?P<m>{_MONTH})\.?(?:\s+(?P<y>\d{{4}}))?", said
    ) or re.fullmatch(
        rf"(?P<m>{_MONTH})\.?\s+(?:the\s+)?(?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?:\s+(?P<y>\d{{4}}))?", said
    )
    if not match:
        return None
    month = next(n for n, name in enumerate(MONTHS, 1) if name.startswith(match["m"][:3]))
    years = [int(match["y"])] if match["y"] else [today.year, today.year + 1]
    for year in years:
        try:
            day = date(year, month, int(match["d"]))
        except ValueError:
            continue
        if match["y"] or day >= today:
            return day, day
    return None


RULES: tuple[Callable[[str, date], tuple[date, date] | None], ...] = (_near, _weekday, _span, _calendar)
