"""Dates as people write them, in their own time zone."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import InvalidInput
from tools.dates import read_period, zone

VIENNA = zone("Europe/Vienna")
NOW = datetime(2026, 11, 21, 18, 0, tzinfo=VIENNA)
"""A Saturday."""


@pytest.mark.parametrize(
    ("said", "end"),
    [
        ("2026-12-01", "2026-12-01T23:59:59+01:00"),
        ("2026-07-01", "2026-07-01T23:59:59+02:00"),
        ("2026-12-01T10:00", "2026-12-01T10:00:00+01:00"),
        ("2026-12-01T10:00Z", "2026-12-01T10:00:00+00:00"),
        ("today", "2026-11-21T23:59:59+01:00"),
        ("tomorrow", "2026-11-22T23:59:59+01:00"),
        ("tomorrow at 5 pm", "2026-11-22T17:00:00+01:00"),
        ("Friday", "2026-11-27T23:59:59+01:00"),
        ("by Friday 17:30", "2026-11-27T17:30:00+01:00"),
        ("saturday", "2026-11-21T23:59:59+01:00"),
        ("next Monday", "2026-11-23T23:59:59+01:00"),
        ("next friday", "2026-11-27T23:59:59+01:00"),
        ("in three days", "2026-11-24T23:59:59+01:00"),
        ("in 2 weeks", "2026-12-05T23:59:59+01:00"),
        ("in 5 hours", "2026-11-21T23:00:00+01:00"),
        ("noon", "2026-11-21T12:00:00+01:00"),
        ("12 am", "2026-11-21T00:00:00+01:00"),
        ("this week", "2026-11-22T23:59:59+01:00"),
        ("next week", "2026-11-29T23:59:59+01:00"),
        ("end of the month", "2026-11-30T23:59:59+01:00"),
        ("24 December", "2026-12-24T23:59:59+01:00"),
        ("December 24th, 2027", "2027-12-24T23:59:59+01:00"),
        ("the 3rd of May", "2027-05-03T23:59:59+02:00"),
    ],
)
def test_a_date_means_its_last_moment(said: str, end: str) -> None:
    assert read_period(said, NOW).end == datetime.fromisoformat(end)


def test_a_week_begins_today_or_on_its_monday() -> None:
    assert read_period("this week", NOW).start.date() == NOW.date()
    assert read_period("next week", NOW).start == datetime(2026, 11, 23, tzinfo=VIENNA)


@pytest.mark.parametrize(
    "said",
    ["", "soon", "30 February", "25:00", "13 pm", "9999-12-31", "12/24", "2026-13-01", "friday of", "week"],
)
def test_what_is_no_date_is_refused_with_examples(said: str) -> None:
    with pytest.raises(InvalidInput, match="2026-03-20"):
        read_period(said, NOW)


@given(st.integers(40_000_000, 7_000_000_000))
def test_an_iso_time_is_read_exactly(seconds: int) -> None:
    moment = datetime.fromtimestamp(seconds, UTC)
    assert read_period(moment.isoformat(), NOW).end == moment


@given(
    st.sampled_from(["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]),
    st.integers(0, 800),
)
def test_a_weekday_is_the_coming_one(name: str, days: int) -> None:
    now = NOW + timedelta(days=days)
    day = read_period(name, now).end
    assert f"{day:%A}".lower() == name
    assert 0 <= (day.date() - now.date()).days < 7


@given(st.text(max_size=40))
def test_any_text_is_a_period_in_order_or_refused(text: str) -> None:
    try:
        period = read_period(text, NOW)
    except InvalidInput:
        return
    assert period.start <= period.end
