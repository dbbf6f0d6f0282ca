"""Alerts: raised once, over once, and the passing ones gone by themselves."""

from __future__ import annotations

import pytest

from pbx.services.alerts import MOST, SHOWN_S, Alert, Alerts, Kind
from tests.unit.services.standins import HandClock

pytestmark = pytest.mark.covers("A4")


class Board:
    def __init__(self) -> None:
        self.clock = HandClock()
        self.alerts = Alerts(self.clock)
        self.told: list[tuple[str, bool]] = []
        self.alerts.watchers.append(lambda alert, stands: self.told.append((alert.id, stands)))


def test_an_alert_is_told_once_until_it_is_over() -> None:
    board = Board()
    first = board.alerts.raised(Kind.TRUNK_DOWN, "tr_a", "Trunk A does not answer.", trunk="A")
    assert board.alerts.raised(Kind.TRUNK_DOWN, "tr_a", "Trunk A does not answer.") is first
    board.alerts.over(Kind.TRUNK_DOWN, "tr_a")
    board.alerts.over(Kind.TRUNK_DOWN, "tr_a")
    assert board.told == [("trunk_down:tr_a", True), ("trunk_down:tr_a", False)]
    assert board.alerts.standing == []


def test_a_passing_alert_is_shown_for_a_while_after_the_last_time() -> None:
    board = Board()
    board.alerts.raised(Kind.TOLL_FRAUD, "u_mio", "Mio dialled a premium number.", passing=True)
    board.clock.pass_(SHOWN_S - 1)
    board.alerts.raised(Kind.TOLL_FRAUD, "u_mio", "Mio dialled a premium number.", passing=True)
    board.clock.pass_(SHOWN_S - 1)
    assert len(board.alerts.standing) == 1
    board.clock.pass_(2)
    assert board.alerts.standing == []
    assert board.told == [("toll_fraud:u_mio", True), ("toll_fraud:u_mio", False)]


def test_an_attacker_cannot_fill_the_memory_with_alerts() -> None:
    board = Board()
    for number in range(MOST + 50):
        board.alerts.raised(Kind.ADDRESS_BLOCKED, f"10.0.{number // 250}.{number % 250}", "Blocked.", passing=True)
    assert len(board.alerts.standing) == MOST
    assert board.clock.waiting == MOST


def test_a_watcher_that_breaks_keeps_no_other_from_hearing() -> None:
    board = Board()

    def broken(alert: Alert, stands: bool) -> None:
        raise RuntimeError("broken")

    board.alerts.watchers.insert(0, broken)
    board.alerts.raised(Kind.DISK_LOW, "recordings", "The disk is nearly full.")
    assert board.told == [("disk_low:recordings", True)]
