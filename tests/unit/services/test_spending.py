"""Spend caps go by the month, and credit by what is left: no restart forgives, no burst spends it twice."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crm.rates import Rate
from pbx.core.ids import CallId
from pbx.services.spending import Spending, month_began_us
from tests.unit.services.standins import HandClock

CALL, OTHER = CallId("c_01HZ0000000000000000000001"), CallId("c_01HZ0000000000000000000002")
RATE = Rate("rt", "1", "", "USD", 100, 0, 60, 60)


def spending(clock: HandClock) -> Spending:
    return Spending(lambda number, trunk: RATE, clock.now)


@pytest.mark.covers("P5", "TRUST18", "N4")
def test_what_was_spent_this_month_counts_after_a_restart_and_not_in_the_next() -> None:
    clock = HandClock()
    clock.us = int(datetime(2026, 11, 30, 23, 50, tzinfo=UTC).timestamp()) * 1_000_000
    spent = spending(clock)
    spent.load({"u_1": 700})
    spent.reserve(CALL, "u_1", RATE)
    assert (spent.user("u_1"), spent.user("u_2"), spent.organisation()) == (800, 0, 800)
    clock.pass_(61)
    spent.release(CALL, answered=True)
    clock.pass_(200)
    assert spent.user("u_1") == 900, "a second minute was begun; it stays until it is known what it cost"
    spent.charged("u_1", 150, clock.now())
    spent.priced(CALL)
    assert (spent.user("u_1"), spent.organisation()) == (850, 850)
    clock.pass_(600)
    assert (spent.user("u_1"), spent.organisation()) == (0, 0), "December"
    spent.charged("u_1", 70, clock.now() - 3_600_000_000)
    assert spent.user("u_1") == 0, "what is priced late belongs to the month in which it ended"
    assert datetime.fromtimestamp(month_began_us(clock.now()) / 1e6, UTC) == datetime(2026, 12, 1, tzinfo=UTC)


@pytest.mark.covers("N4", "TRUST18")
def test_of_many_calls_at_once_as_many_may_begin_as_the_credit_pays_for() -> None:
    clock = HandClock()
    spent = spending(clock)
    spent.credit = 250
    assert spent.has_credit(RATE)
    spent.reserve(CALL, "u_1", RATE)
    assert spent.has_credit(RATE)
    spent.reserve(OTHER, "u_2", RATE)
    assert not spent.has_credit(RATE), "what is left does not pay for a first minute"
    assert spent.has_credit(None)
    spent.release(OTHER, answered=False)
    assert spent.has_credit(RATE), "nobody answered: it cost nothing"
    clock.pass_(121)
    assert not spent.has_credit(None), "the call that runs has used it up"
    spent.credit = None
    assert spent.has_credit(RATE), "nothing is prepaid"


def test_a_second_leg_of_the_same_call_is_paid_for_too_and_one_without_a_price_is_not() -> None:
    clock = HandClock()
    spent = spending(clock)
    spent.reserve(CALL, "u_1", RATE)
    spent.reserve(CALL, "u_1", RATE)
    spent.reserve(OTHER, "u_1", None)
    assert spent.reserved() == 200
    spent.priced(CALL)
    spent.release(CALL, answered=True)
    assert spent.reserved() == 0, "it was priced while the call went on"
