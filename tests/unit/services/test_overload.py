"""What is told while calls are refused as too many, and when they come into the log."""

from __future__ import annotations

import pytest

from pbx.services.alerts import Alerts
from pbx.services.overload import CALM_S, OVER_AFTER_S, Overload
from tests.unit.services.standins import HandClock


class Watch:
    def __init__(self) -> None:
        self.clock, self.logged = HandClock(), 0
        self.alerts = Alerts(self.clock)
        self.overload = Overload(self.clock, self.alerts, self._log)

    def _log(self) -> None:
        self.logged += 1

    @property
    def told(self) -> bool:
        return bool(self.alerts.standing)


@pytest.mark.covers("P3", "P5")
def test_what_the_switch_refuses_is_told_at_once_and_logged_when_it_says_so_no_more() -> None:
    watch = Watch()
    for _ in range(4):
        watch.overload.heard()
        assert watch.overload.on and watch.told and not watch.logged
        watch.clock.pass_(OVER_AFTER_S - 1)
    watch.clock.pass_(1)
    assert not watch.overload.on and watch.logged == 1
    watch.clock.pass_(OVER_AFTER_S)
    assert watch.logged == 1


def test_waves_of_one_rush_are_told_once() -> None:
    watch = Watch()
    watch.overload.heard()
    watch.clock.pass_(OVER_AFTER_S + CALM_S - 1)
    assert watch.told
    watch.overload.heard()
    watch.clock.pass_(OVER_AFTER_S + CALM_S - 1)
    assert watch.told and watch.logged == 2
    watch.clock.pass_(1)
    assert not watch.told
