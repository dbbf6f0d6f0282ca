"""Figures of a day or a week by e-mail: which period, and what is in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

EVERY = ("none", "day", "week")
SENT_AT = time(7)
"""In the morning of whoever reads it."""


@dataclass(frozen=True, slots=True)
class Period:
    """From the first day's midnight to that after the last one, by the reader's clock."""

    every: str
    first: date
    last: date
    from_us: int
    until_us: int


@dataclass(frozen=True, slots=True)
class Reader:
    user_id: str
    email: str
    name: str
    language: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class Due:
    reader: Reader
    period: Period


@dataclass(frozen=True, slots=True)
class Wish:
    """``every`` is none, day or week."""

    user_id: str
    every: str


@dataclass(frozen=True, slots=True)
class Busy:
    """One user's calls."""

    name: str
    calls: int
    answered: int
    talk_ms: int


@dataclass(frozen=True, slots=True)
class Figures:
    """``open_summaries`` are those that wait to be saved now, of everybody."""

    inbound: int
    inbound_answered: int
    outbound: int
    outbound_answered: int
    talk_ms: int
    texts_in: int
    texts_out: int
    texts_failed: int
    open_summaries: int
    users: tuple[Busy, ...]


def last_period(every: str, now_us: int, time_zone: str) -> Period | None:
    """The one that was over last; None before the morning in which it is sent. Weeks begin on Monday."""
    zone = ZoneInfo(time_zone)
    now = datetime.fromtimestamp(now_us / 1e6, zone)
    end = now.date() if every == "day" else now.date() - timedelta(days=now.weekday())
    if now < datetime.combine(end, SENT_AT, zone):
        return None
    first = end - timedelta(days=1 if every == "day" else 7)
    return Period(every, first, end - timedelta(days=1), _midnight(first, zone), _midnight(end, zone))


def _midnight(day: date, zone: ZoneInfo) -> int:
    return int(datetime.combine(day, time(), zone).timestamp()) * 1_000_000
