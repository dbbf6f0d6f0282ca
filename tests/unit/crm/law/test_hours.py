"""When a number may be called: local time by number and address, every rule that applies, holidays, zones."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crm.law import STATUTE, Address, Allowed, NotBefore, Rule, Unknown
from crm.law.rules import defaults

MIAMI, NEW_YORK, TEXAS = "+13055550123", "+12125550123", "+15125550123"
TOKYO, PARIS, BERLIN = "+81312345678", "+33142345678", "+4930123456"


def at(text: str) -> int:
    """Microseconds of a moment such as 2026-11-26T13:00Z."""
    return int(datetime.fromisoformat(text).timestamp() * 1e6)


def opens(answer: object) -> str:
    assert isinstance(answer, NotBefore), answer
    return answer.moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")


@pytest.mark.covers("L4", "P5")
def test_a_state_that_is_stricter_than_its_country_decides() -> None:
    evening = at("2026-11-25T20:30-05:00")
    assert STATUTE.hours(NEW_YORK, evening) == Allowed()
    answer = STATUTE.hours(MIAMI, evening)
    assert opens(answer) == "2026-11-26T13:00Z"
    assert isinstance(answer, NotBefore) and answer.rule.key == "hours.US-FL"
    assert answer.sentence.startswith("It is outside calling hours where this number is.")
    assert "Call from 2026-11-26 08:00 America/New_York on (Fla. Stat. 501.616(6)(a))." in answer.sentence


def test_the_last_minute_counts_and_the_next_one_does_not() -> None:
    assert STATUTE.hours(NEW_YORK, at("2026-11-25T20:59:59-05:00")).allowed
    assert not STATUTE.hours(NEW_YORK, at("2026-11-25T21:00-05:00")).allowed
    assert not STATUTE.hours(NEW_YORK, at("2026-11-25T07:59:59-05:00")).allowed
    assert STATUTE.hours(NEW_YORK, at("2026-11-25T08:00-05:00")).allowed


@pytest.mark.covers("L4")
def test_number_and_address_must_both_allow_it() -> None:
    morning = at("2026-11-25T08:30-05:00")
    assert STATUTE.hours(NEW_YORK, morning).allowed
    moved = STATUTE.hours(NEW_YORK, morning, address=Address("US", "California"))
    assert opens(moved) == "2026-11-25T16:00Z"
    assert STATUTE.hours(NEW_YORK, at("2026-11-25T20:30-05:00"), address=Address("US", "fl")).allowed is False
    abroad = STATUTE.hours(TOKYO, at("2026-11-25T10:00+09:00"), address=Address("FR"))
    assert isinstance(abroad, NotBefore) and abroad.rule.key == "hours.FR"
    assert opens(abroad) == "2026-11-25T09:00Z"  # 10:00 in Paris is 18:00 in Tokyo


def test_where_an_area_has_two_time_zones_both_must_allow_it() -> None:
    pensacola = "+18505550123"  # west of the Apalachicola it is an hour earlier
    assert not STATUTE.hours(pensacola, at("2026-11-25T08:30-05:00")).allowed
    assert STATUTE.hours(pensacola, at("2026-11-25T09:30-05:00")).allowed


def test_sundays_and_the_noon_in_france_are_closed() -> None:
    assert opens(STATUTE.hours(TEXAS, at("2026-11-29T10:00-06:00"))) == "2026-11-29T18:00Z"
    assert opens(STATUTE.hours(PARIS, at("2026-11-26T13:30+01:00"))) == "2026-11-26T13:00Z"
    assert opens(STATUTE.hours(PARIS, at("2026-11-27T20:30+01:00"))) == "2026-11-30T09:00Z"


def test_holidays_count_by_country_and_by_state() -> None:
    assert opens(STATUTE.hours(PARIS, at("2026-07-14T11:00+02:00"))) == "2026-07-15T08:00Z"
    assert opens(STATUTE.hours(BERLIN, at("2026-12-25T11:00+01:00"))) == "2026-12-28T08:00Z"
    assert not STATUTE.hours("+12055550123", at("2026-11-26T12:00-06:00")).allowed  # Thanksgiving in Alabama
    assert STATUTE.hours(NEW_YORK, at("2026-11-26T12:00-05:00")).allowed  # the federal rule knows none


def test_a_holiday_that_an_admin_adds_or_takes_out_counts() -> None:
    noon = at("2026-07-14T11:00+02:00")
    law = STATUTE.changed((_changed("holidays.FR", {"add": ["2026-07-15"], "remove": ["2026-07-14"]}),))
    assert law.hours(PARIS, noon).allowed
    assert not law.hours(PARIS, at("2026-07-15T11:00+02:00")).allowed


def test_a_rule_that_an_admin_changed_holds_and_the_old_law_is_as_it_was() -> None:
    late = at("2026-11-25T20:30+09:00")
    law = STATUTE.changed((_changed("hours.JP", {"weekdays": ["08:00-21:00"]}),))
    assert law.hours(TOKYO, late).allowed
    assert not STATUTE.hours(TOKYO, late).allowed


def test_spring_forward_and_fall_back_move_the_hours_with_the_clocks() -> None:
    assert opens(STATUTE.hours(NEW_YORK, at("2026-03-08T03:30-04:00"))) == "2026-03-08T12:00Z"
    assert opens(STATUTE.hours(NEW_YORK, at("2026-11-01T03:30-05:00"))) == "2026-11-01T13:00Z"


@pytest.mark.covers("L4")
def test_a_number_of_no_place_is_not_known() -> None:
    for number in ("+88213000000", "+800123456789", "nonsense", ""):
        assert isinstance(STATUTE.hours(number, at("2026-11-25T12:00Z")), Unknown)


def test_texts_have_hours_of_their_own_where_a_rule_says_so() -> None:
    saturday = at("2026-11-28T11:00+01:00")
    assert not STATUTE.hours(PARIS, saturday).allowed
    assert STATUTE.hours(PARIS, saturday, mode="text").allowed
    assert not STATUTE.hours(MIAMI, at("2026-11-25T20:30-05:00"), mode="text").allowed


def test_rules_that_leave_no_hour_are_said_and_not_looked_for_for_ever() -> None:
    law = STATUTE.changed((_changed("hours.JP", {"weekdays": []}),))
    assert isinstance(law.hours(TOKYO, at("2026-11-25T10:00+09:00")), Unknown)


def _changed(key: str, value: dict[str, object]) -> Rule:
    kind, _, place = key.partition(".")
    default = defaults().get(key)
    return Rule(key, kind, place, value, "law", default.source if default else "x", "2026-01-01", {})
