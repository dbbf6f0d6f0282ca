"""The organisation's clock in the numbers that sums are kept by, and stretches of days as people ask for them (R3).

A day is what the clock on the wall says: on the day when it is put forward it has 23 hours, and the hour that comes
twice in autumn is one hour of the report, as it is one on the wall.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from crm.errors import Refused

HOUR_US = 3_600_000_000
FOR_EVER_US = 2**62
DAYS_MOST = 3_660
"""Ten years."""
_EPOCH = date(1970, 1, 1)
_FIRST, _LAST = date(1990, 1, 1), date(2200, 1, 1)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Part of a month in which the clock runs evenly: local time is ``offset_us`` later than UTC. ``until_us`` is not
    part of it."""

    since_us: int
    until_us: int
    offset_us: int
    month: int


@dataclass(frozen=True, slots=True)
class Period:
    """Days from the first to the last, both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    def each(self) -> Iterator[date]:
        return (self.first + timedelta(days) for days in range(self.days))

    @property
    def since_day(self) -> int:
        return day_number(self.first)

    @property
    def until_day(self) -> int:
        """Not part of it."""
        return day_number(self.last) + 1

    def months(self) -> tuple[int, int]:
        """The whole months in it, by number: the first one, and the first that is none any more."""
        first = month_number(self.first) + (self.first.day > 1)
        until = month_number(self.last + timedelta(1))
        return first, max(first, until)

    def edges(self) -> list[tuple[int, int]]:
        """The days, by number, that are in none of its whole months; the second of each pair is not part of it."""
        first, until = self.months()
        if first == until:
            return [(self.since_day, self.until_day)]
        inside = day_number(month_began(first)), day_number(month_began(until))
        pairs = [(self.since_day, inside[0]), (inside[1], self.until_day)]
        return [pair for pair in pairs if pair[0] < pair[1]]

    def before(self) -> Period:
        """As many days just before it; before whole months as many whole months."""
        last = self.first - timedelta(1)
        if self.first.day != 1 or (self.last + timedelta(1)).day != 1:
            return Period(self.first - timedelta(self.days), last)
        months = month_number(self.last) - month_number(self.first) + 1
        return Period(month_began(month_number(self.first) - months), last)

    def bounds_us(self, zone: ZoneInfo) -> tuple[int, int]:
        """The moment of its beginning, and the first one after it."""
        return moment_us(self.first, zone), moment_us(self.last + timedelta(1), zone)


def read_period(first: str | None, last: str | None, today: date) -> Period:
    """Dates as they were asked for, 2026-11-01; without any the last thirty days."""
    until = _date("to", last) if last else today
    since = _date("from", first) if first else until - timedelta(29)
    if since > until:
        raise Refused("invalid", "The first day is later than the last one. Give them the other way round.", "from")
    found = Period(since, until)
    if found.days > DAYS_MOST:
        raise Refused("invalid", f"A report is about {DAYS_MOST} days at most. Ask for less.", "from")
    return found


def day_number(day: date) -> int:
    return (day - _EPOCH).days


def day_of(number: int) -> date:
    return _EPOCH + timedelta(number)


def month_number(day: date) -> int:
    return day.year * 12 + day.month - 1


def month_began(number: int) -> date:
    return date(number // 12, number % 12 + 1, 1)


def today(now_us: int, zone: ZoneInfo) -> date:
    return datetime.fromtimestamp(now_us / 1e6, zone).date()


def moment_us(day: date, zone: ZoneInfo) -> int:
    """When the day begins there, by UTC."""
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC).timestamp()) * 1_000_000


def stretches(since_us: int, until_us: int, zone: ZoneInfo) -> Iterator[Stretch]:
    """All from the one to the other moment; clocks are changed at a full quarter of an hour by UTC."""
    at = since_us
    while at < until_us:
        local = datetime.fromtimestamp(at // 1_000_000, zone)
        month = month_number(local.date())
        ends = min(until_us, moment_us(month_began(month + 1), zone))
        offset_us = _offset_us(at, zone)
        ends = _even_until(at, ends, offset_us, zone)
        yield Stretch(at, ends, offset_us, month)
        at = ends


def _even_until(since_us: int, until_us: int, offset_us: int, zone: ZoneInfo) -> int:
    """Up to where the clock runs as it does at the beginning; a month has one change at most."""
    if _offset_us(until_us - 1, zone) == offset_us:
        return until_us
    low, high = since_us, until_us - 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset_us(middle, zone) == offset_us else (low, middle)
    return high


def _offset_us(at_us: int, zone: ZoneInfo) -> int:
    offset = datetime.fromtimestamp(at_us // 1_000_000, zone).utcoffset() or timedelta()
    return offset // timedelta(microseconds=1)


def _date(name: str, text: str) -> date:
    try:
        found = date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        found = None
    if found is None or not _FIRST <= found < _LAST:
        raise Refused("invalid", "A day is written like 2026-11-01.", name)
    return found
