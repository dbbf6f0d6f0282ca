"""The organisation's clock in numbers, and stretches of days (R3)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.errors import Refused
from crm.reports import buckets
from crm.reports.calendar import Period, day_number, month_began, month_number, read_period, stretches

ZONES = ("UTC", "Asia/Tokyo", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Europe/London", "Asia/Gaza")
DAYS = st.dates(date(2000, 1, 1), date(2040, 1, 1))
TODAY = date(2026, 11, 26)

pytestmark = pytest.mark.covers("R3")


@given(
    since=st.integers(946_684_800, 2_200_000_000),
    length=st.integers(1, 86_400 * 400),
    name=st.sampled_from(ZONES),
    share=st.floats(0, 1),
)
def test_every_moment_is_in_one_stretch_by_whose_offset_the_clock_on_the_wall_is_told(
    since: int, length: int, name: str, share: float
) -> None:
    zone = ZoneInfo(name)
    found = list(stretches(since * 1_000_000, (since + length) * 1_000_000, zone))
    assert [each.until_us for each in found[:-1]] == [each.since_us for each in found[1:]]
    assert (found[0].since_us, found[-1].until_us) == (since * 1_000_000, (since + length) * 1_000_000)
    at = since + int((length - 1) * share)
    [stretch] = [each for each in found if each.since_us <= at * 1_000_000 < each.until_us]
    wall = datetime.fromtimestamp(at, zone).replace(tzinfo=None)
    assert datetime(1970, 1, 1) + timedelta(microseconds=at * 1_000_000 + stretch.offset_us) == wall
    assert stretch.month == wall.year * 12 + wall.month - 1


@given(first=DAYS, days=st.integers(0, 900))
def test_whole_months_and_the_days_around_them_are_the_whole_period(first: date, days: int) -> None:
    period = Period(first, first + timedelta(days))
    since, until = period.months()
    counted = [day for low, high in period.edges() for day in range(low, high)]
    for number in range(since, until):
        counted += range(day_number(month_began(number)), day_number(month_began(number + 1)))
    assert sorted(counted) == list(range(period.since_day, period.until_day))


@given(first=DAYS, days=st.integers(0, 900))
def test_the_period_before_ends_the_day_before_and_is_as_long(first: date, days: int) -> None:
    period = Period(first, first + timedelta(days))
    before = period.before()
    assert before.last == first - timedelta(1)
    whole_months = first.day == 1 and (period.last + timedelta(1)).day == 1
    if not whole_months:
        assert before.days == period.days
    else:
        months = month_number(period.last) - month_number(first)
        assert month_number(before.last) - month_number(before.first) == months
        assert before.first.day == 1


def test_november_is_compared_with_october_and_a_week_with_the_week_before() -> None:
    november = Period(date(2026, 11, 1), date(2026, 11, 30))
    assert november.before() == Period(date(2026, 10, 1), date(2026, 10, 31))
    assert Period(date(2026, 11, 9), date(2026, 11, 15)).before() == Period(date(2026, 11, 2), date(2026, 11, 8))


def test_a_day_on_which_clocks_are_put_back_is_one_hour_longer() -> None:
    zone = ZoneInfo("America/New_York")
    since, until = Period(date(2026, 11, 1), date(2026, 11, 1)).bounds_us(zone)
    assert until - since == 25 * 3_600_000_000
    since, until = Period(date(2026, 3, 8), date(2026, 3, 8)).bounds_us(zone)
    assert until - since == 23 * 3_600_000_000


def test_without_dates_the_last_thirty_days_are_meant() -> None:
    assert read_period(None, None, TODAY) == Period(date(2026, 10, 28), TODAY)
    assert read_period("2026-01-01", "2026-01-31", TODAY).days == 31


@pytest.mark.parametrize(
    "dates", [("2026-11-02", "2026-11-01"), ("2026-13-01", None), ("20261101", None), ("1900-01-01", None), ("x", "y")]
)
def test_dates_that_make_no_period_are_refused(dates: tuple[str, str | None]) -> None:
    with pytest.raises(Refused):
        read_period(*dates, TODAY)


def test_more_than_ten_years_are_refused() -> None:
    with pytest.raises(Refused, match="3660 days"):
        read_period("2010-01-01", "2026-01-01", TODAY)


@given(day=DAYS, hour=st.integers(0, 23))
def test_days_and_hours_stand_in_the_row_that_a_calendar_says(day: date, hour: int) -> None:
    number = day_number(day)
    assert buckets.of_day("day", number) == day.isoformat()
    assert buckets.of_day("month", number) == day.isoformat()[:7]
    assert buckets.of_day("week", number) == f"{day.isocalendar().year}-W{day.isocalendar().week:02}"
    assert buckets.of_day("weekday", number) == str(day.isoweekday())
    of_week = (number * 24 + hour + buckets.FROM_MONDAY) % buckets.HOURS_A_WEEK
    assert buckets.of_hour(of_week) == f"{day.isoweekday()}-{hour}"


@given(first=DAYS, days=st.integers(0, 100), by=st.sampled_from(buckets.BY_TIME))
def test_every_row_by_time_is_there_so_that_charts_have_no_holes(first: date, days: int, by: str) -> None:
    period = Period(first, first + timedelta(days))
    there = buckets.keys(by, period)
    assert len(set(there)) == len(there)
    if by in ("hour", "heat"):
        assert len(there) == (24 if by == "hour" else 168)
    else:
        assert {buckets.of_day(by, day) for day in range(period.since_day, period.until_day)} <= set(there)
