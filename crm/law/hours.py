"""At which moments a person may be called or texted: the called party's local time, by every rule that applies.

Where it cannot be told in which of several time zones somebody is, all of them must allow it; so must the place of the
number and that of the address, and a state's rule beside the country's.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays

from crm.law.rules import Rule, minutes

LOOK_AHEAD = 15
"""Days: in every country we know there is a day among so many on which calls are allowed."""
_SECOND_US = 1_000_000
_MINUTE_US = 60 * _SECOND_US
Spans = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Allowed:
    allowed: bool = True


@dataclass(frozen=True, slots=True)
class NotBefore:
    """Not now: ``moment`` is when it is allowed again, in the time zone of the called party; ``rule`` forbids it."""

    moment: datetime
    rule: Rule
    allowed: bool = False

    @property
    def at_us(self) -> int:
        return int(self.moment.timestamp()) * _SECOND_US

    @property
    def sentence(self) -> str:
        return f"It is outside calling hours where this number is. Call from {self._there} on ({self.rule.source})."

    @property
    def text_sentence(self) -> str:
        return f"The law allows no texts to this number now. Send it from {self._there} on ({self.rule.source})."

    @property
    def _there(self) -> str:
        """By the clocks of the called party, in a form that every language reads."""
        return f"{self.moment:%Y-%m-%d %H:%M} {self.moment.tzinfo}"


@dataclass(frozen=True, slots=True)
class Unknown:
    """Where this number is cannot be told, or its rules leave no hour that all of them allow."""

    allowed: bool = False
    text_sentence: str = "The local time of this number is not known, so nobody can say when a text may be sent there."
    sentence: str = (
        "The local time of this number is not known, so it is not called automatically. "
        "Enter an address with its country, or dial it by hand."
    )


When = Allowed | NotBefore | Unknown
ALLOWED = Allowed()
UNKNOWN = Unknown()


@dataclass(frozen=True, slots=True)
class Week:
    """A rule's spans in minutes of the day; ``holidays`` None: a holiday is as any day."""

    weekdays: Spans
    saturday: Spans
    sunday: Spans
    holidays: Spans | None

    def spans(self, weekday: int) -> Spans:
        return self.weekdays if weekday < 5 else self.saturday if weekday == 5 else self.sunday


@dataclass(frozen=True, slots=True)
class Days:
    """Which days are holidays somewhere, with those that an admin added and took out."""

    country: str
    region: str
    add: frozenset[date]
    remove: frozenset[date]

    def holiday(self, day: date) -> bool:
        if day in self.add:
            return True
        return day not in self.remove and day in public_holidays(self.country, self.region, day.year)


@dataclass(frozen=True, slots=True)
class Clock:
    """One rule in one time zone."""

    zone: tzinfo
    week: Week
    days: Days
    rule: Rule

    def spans(self, day: date) -> Spans:
        if self.week.holidays is not None and self.days.holiday(day):
            return self.week.holidays
        return self.week.spans(day.weekday())

    def allows(self, at_s: float) -> bool:
        local = datetime.fromtimestamp(at_s, self.zone)
        minute = local.hour * 60 + local.minute
        return any(begins <= minute < ends for begins, ends in self.spans(local.date()))

    def beginnings(self, at_s: float) -> Iterator[float]:
        """When spans begin, from now on, in order."""
        today = datetime.fromtimestamp(at_s, self.zone).date()
        for day in (today + timedelta(days=number) for number in range(LOOK_AHEAD)):
            midnight = datetime(day.year, day.month, day.day, tzinfo=self.zone)
            for begins, _ in self.spans(day):
                moment = midnight.replace(hour=begins // 60, minute=begins % 60).timestamp()
                if moment > at_s:
                    yield moment


class Schedule:
    """All that must allow it at once. Spans begin and end with a minute, so that the answer of this minute holds for
    all who ask in it: hundreds of calls a second go to the same few places."""

    def __init__(self, clocks: tuple[Clock, ...]) -> None:
        self.clocks = clocks
        self._minute = -1
        self._answer: When = UNKNOWN

    def at(self, at_us: int) -> When:
        minute = at_us // _MINUTE_US
        if minute != self._minute:
            self._answer, self._minute = self._asked(minute * 60), minute
        return self._answer

    def _asked(self, at_s: int) -> When:
        forbid = [clock for clock in self.clocks if not clock.allows(at_s)]
        if forbid:
            return self._next(at_s, forbid[-1])  # a state's rule says more than its country's
        return ALLOWED if self.clocks else UNKNOWN

    def _next(self, at_s: int, forbids: Clock) -> When:
        for moment in heapq.merge(*(clock.beginnings(at_s) for clock in self.clocks)):
            if all(clock.allows(moment) for clock in self.clocks):
                return NotBefore(datetime.fromtimestamp(moment, forbids.zone), forbids.rule)
        return UNKNOWN


def week(rule: Rule) -> Week:
    value = rule.value
    weekdays = _spans(value["weekdays"])
    return Week(
        weekdays,
        _spans(value["saturday"]) if "saturday" in value else weekdays,
        _spans(value["sunday"]) if "sunday" in value else weekdays,
        _spans(value["holidays"]) if "holidays" in value else None,
    )


def _spans(given: list[str]) -> Spans:
    return tuple(sorted((minutes(begins), minutes(ends)) for begins, ends in (span.split("-") for span in given)))


@lru_cache(maxsize=1024)
def zone(name: str) -> tzinfo | None:
    """None for a name that the table of time zones has not (yet)."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return None


@lru_cache(maxsize=4096)
def public_holidays(country: str, region: str, year: int) -> frozenset[date]:
    """Those of the region where it is known, else the country's; none where the country is not known."""
    known = _supported().get(country)
    if known is None:
        return frozenset()
    found = holidays.country_holidays(country, subdiv=region if region in known else None, years=year)
    return frozenset(found)


@lru_cache(maxsize=1)
def _supported() -> Mapping[str, list[str]]:
    return holidays.list_supported_countries()
