"""Spend caps go by the month: what a restart may not forgive, and a new month must."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pbx.core.ids import CallId
from pbx.services.spending import Spending, month_began_us
from tests.unit.services.standins import HandClock

CALL = CallId("c_01HZ0000000000000000000001")


@pytest.mark.covers("P5", "TRUST18")
def test_what_was_spent_this_month_counts_after_a_restart_and_not_in_the_next() -> None:
    clock = HandClock()
    clock.us = int(datetime(2026, 11, 30, 23, 50, tzinfo=UTC).timestamp()) * 1_000_000
    spending = Spending(lambda: 100, clock.now)
    spending.load({"u_1": 7})
    spending.reserve(CALL, "u_1")
    assert (spending.user("u_1"), spending.user("u_2"), spending.organisation()) == (800, 0, 800)
    clock.pass_(61)
    spending.release(CALL, answered=True)
    assert spending.user("u_1") == 900, "a second minute was begun"
    clock.pass_(600)
    assert (spending.user("u_1"), spending.organisation()) == (0, 0), "December"
    assert datetime.fromtimestamp(month_began_us(clock.now()) / 1e6, UTC) == datetime(2026, 12, 1, tzinfo=UTC)
