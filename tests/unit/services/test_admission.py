"""When new calls are refused because the switch is at its limit."""

from __future__ import annotations

from pbx.core.commands import Fact
from pbx.core.ids import CallId
from pbx.services.admission import RUSH, RUSH_US, Admission


class Day:
    """A switch whose lag, and a clock whose time, a test sets."""

    def __init__(self) -> None:
        self.lag, self.up, self.now = 0.002, 1, 0
        self.admission = Admission(lambda: self.lag, lambda: self.up, lambda: self.now)

    def begin(self, calls: int, every_us: int = 0) -> None:
        for _ in range(calls):
            self.now += every_us
            self.admission.happened(CallId("c_1"), [(1, Fact("call.created", self.now, {}))])


def test_few_calls_are_served_later_and_not_refused_where_the_machine_stops_for_a_moment() -> None:
    day = Day()
    day.lag = 0.3
    day.begin(RUSH - 1)
    assert not day.admission.overloaded()
    day.begin(5 * RUSH, every_us=2 * RUSH_US // RUSH)
    assert not day.admission.overloaded()
    day.lag = 0.6
    assert day.admission.overloaded(), "this is no moment any more"


def test_calls_that_go_on_coming_while_asterisk_lags_are_refused_until_it_has_caught_up() -> None:
    day = Day()
    day.begin(2 * RUSH, every_us=10_000)
    assert not day.admission.overloaded(), "many calls are no overload while Asterisk answers"
    day.lag = 0.05
    assert day.admission.overloaded()
    day.lag = 0.03
    assert day.admission.overloaded(), "half of it must be gone"
    day.lag = 0.01
    assert not day.admission.overloaded()


def test_a_refusal_ends_with_the_rush_or_with_the_last_call() -> None:
    day = Day()
    day.begin(2 * RUSH, every_us=10_000)
    day.lag = 0.05
    assert day.admission.overloaded()
    day.up = 0
    assert not day.admission.overloaded(), "nobody is there whose answers could bring the lag down"
    day.up = 1
    assert day.admission.overloaded()
    day.now += RUSH_US
    assert not day.admission.overloaded()


def test_later_facts_of_calls_are_no_new_calls() -> None:
    day = Day()
    day.lag = 0.3
    for _ in range(2 * RUSH):
        day.admission.happened(CallId("c_1"), [(7, Fact("call.ended", 0, {}))])
    assert not day.admission.overloaded()
