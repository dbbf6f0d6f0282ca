"""The law's hours and limits, as lists ask for them (L4)."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from crm.law import STATUTE
from crm.local_time import place_of
from pbx.services.calling_hours import LawfulHours

pytestmark = pytest.mark.covers("L4")
SEATTLE = place_of("+12065550150", "US", "WA")


def at(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp() * 1e6)  # type: ignore[arg-type, misc]


def hours() -> LawfulHours:
    directory: Any = SimpleNamespace(law=STATUTE, settings={"gate.calling_hours": "listed"})
    return LawfulHours(lambda: directory)


def test_at_night_it_is_said_when_the_morning_comes_there() -> None:
    assert hours().look(SEATTLE, at(2026, 11, 25, 20)).allowed
    night = hours().look(SEATTLE, at(2026, 11, 25, 10))
    assert (night.allowed, night.reason) == (False, "outside_hours")
    assert night.again_us is not None and at(2026, 11, 25, 15) < night.again_us <= at(2026, 11, 25, 17)


def test_who_lives_elsewhere_is_called_when_both_clocks_allow_it() -> None:
    moved = place_of("+12065550150", "US", "NY")
    assert not hours().look(moved, at(2026, 11, 26, 3)).allowed, "19 o'clock in Seattle, 22 in New York"


def test_where_the_clock_is_not_known_nobody_is_called() -> None:
    word = hours().look(place_of("+80012345678"), at(2026, 11, 25, 20))
    assert (word.allowed, word.reason, word.again_us) == (False, "unknown_zone", None)


def test_the_laws_limits_are_counted_in_microseconds() -> None:
    assert (3, 24 * 3_600_000_000) in hours().limits(place_of("+13055550150"))
