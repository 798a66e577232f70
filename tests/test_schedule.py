"""Slots: local times and days, both clock changes, and what holds for every rhythm."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.errors import AlertsError
from alerts.schedule import (
    Every,
    Notice,
    Rhythm,
    local_moment,
    next_slot,
    notice_slot,
    parse_days,
    parse_rhythm,
    parse_time,
)

LONDON = ZoneInfo("Europe/London")
WEEKDAYS = frozenset(range(5))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("rhythm", "moment", "slot"),
    [
        (Rhythm(), "2025-03-03 09:12", "2025-03-03 09:12"),
        (Rhythm(days=WEEKDAYS), "2025-03-01 09:12", "2025-03-03 00:00"),  # Saturday → Monday
        (Rhythm(days=WEEKDAYS), "2025-06-28 09:12", "2025-06-29 23:00"),  # the London day begins at 23:00 UTC
        (Rhythm(Every.HOURLY), "2025-03-03 09:12", "2025-03-03 10:00"),
        (Rhythm(Every.HOURLY), "2025-03-03 09:00", "2025-03-03 09:00"),
        (Rhythm(Every.DAILY), "2025-03-03 06:59", "2025-03-03 07:00"),
        (Rhythm(Every.DAILY), "2025-03-03 07:00", "2025-03-03 07:00"),
        (Rhythm(Every.DAILY), "2025-03-03 07:01", "2025-03-04 07:00"),
        (Rhythm(Every.DAILY), "2025-06-03 07:01", "2025-06-04 06:00"),  # summer time
        (Rhythm(Every.DAILY, days=WEEKDAYS), "2025-02-28 08:00", "2025-03-03 07:00"),
        (Rhythm(Every.WEEKLY), "2025-03-03 07:01", "2025-03-10 07:00"),
        (
            Rhythm(Every.WEEKLY, days=frozenset({4})),
            "2025-10-24 07:00",
            "2025-10-31 07:00",
        ),  # over the October change
        (
            Rhythm(Every.WEEKLY, days=frozenset({4})),
            "2025-03-28 07:01",
            "2025-04-04 06:00",
        ),  # over the March change
    ],
)
def test_next_slot(rhythm: Rhythm, moment: str, slot: str) -> None:
    assert next_slot(rhythm, utc(moment), LONDON) == utc(slot)


def test_a_time_that_the_clocks_skip_moves_past_the_gap() -> None:
    assert local_moment(date(2025, 3, 30), time(1, 30), LONDON) == utc(
        "2025-03-30 01:30"
    )  # 02:30 in summer time


def test_a_time_that_comes_twice_is_its_first() -> None:
    assert local_moment(date(2025, 10, 26), time(1, 30), LONDON) == utc("2025-10-26 00:30")
    rhythm = Rhythm(Every.DAILY, time(1, 30))
    assert next_slot(rhythm, utc("2025-10-26 00:31"), LONDON) == utc("2025-10-27 01:30")


@pytest.mark.parametrize(
    ("notice", "moment", "slot"),
    [
        (Notice.WEEKLY, "2025-03-03 07:00", "2025-03-03 07:00"),
        (Notice.WEEKLY, "2025-03-03 06:59", "2025-02-24 07:00"),
        (Notice.MONTHLY, "2025-03-31 12:00", "2025-03-01 07:00"),
        (Notice.MONTHLY, "2025-07-01 05:00", "2025-06-01 06:00"),
    ],
)
def test_notice_slot(notice: Notice, moment: str, slot: str) -> None:
    assert notice_slot(notice, time(7), utc(moment), LONDON) == utc(slot)


rhythms = st.builds(
    Rhythm,
    st.sampled_from(list(Every)),
    st.times().map(lambda t: t.replace(second=0, microsecond=0, tzinfo=None)),
    st.frozensets(st.integers(0, 6)),
)
moments = st.integers(0, 10 * 365 * 86400).map(
    lambda s: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=s)
)


@given(rhythms, moments)
def test_a_slot_is_never_past_is_on_an_allowed_day_and_stands(rhythm: Rhythm, moment: datetime) -> None:
    slot = next_slot(rhythm, moment, LONDON)
    assert moment <= slot <= moment + timedelta(days=8, hours=2)
    assert rhythm.allows(slot.astimezone(LONDON).date())
    assert next_slot(rhythm, slot, LONDON) == slot


@given(rhythms, moments, st.timedeltas(timedelta(), timedelta(days=9)))
def test_slots_come_in_order(rhythm: Rhythm, moment: datetime, later: timedelta) -> None:
    assert next_slot(rhythm, moment, LONDON) <= next_slot(rhythm, moment + later, LONDON)


@pytest.mark.parametrize("text", ["7:00", "25:00", "07:60", "seven", "07", "07:00:00", ""])
def test_a_bad_time_is_named(text: str) -> None:
    with pytest.raises(AlertsError, match="expected a time such as 07:00"):
        parse_time(text)


def test_a_bad_day_and_a_bad_rhythm_are_named() -> None:
    assert parse_days(["Mon", "fri"]) == {0, 4}
    with pytest.raises(AlertsError, match="days 'monday'"):
        parse_days(["monday"])
    with pytest.raises(AlertsError, match="every 'yearly': expected one of instant, hourly, daily, weekly"):
        parse_rhythm("yearly", "07:00", [])
