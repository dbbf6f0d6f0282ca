"""When new calls are refused because the switch is at its limit."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pbx.core.commands import Fact
from pbx.core.ids import CallId
from pbx.services.admission import LAG_AIM_S, REST, RUSH, RUSH_US, TELL_EVERY, TOLD_FOR_S, Admission


class Day:
    """A switch whose lag, and a clock whose time, a test sets."""

    def __init__(self) -> None:
        self.lag, self.up, self.now = 0.002, 1, 0
        self.told: list[tuple[int, int]] = []
        self.admission = Admission(
            lambda: self.lag,
            lambda: self.up,
            lambda: self.now,
            lambda percent, seconds: self.told.append((percent, seconds)),
        )

    def begin(self, calls: int, every_us: int = 0) -> None:
        for _ in range(calls):
            self.now += every_us
            self.admission.happened(CallId("c_1"), [(1, Fact("call.created", self.now, {}))])

    def steps(self, count: int) -> None:
        for _ in range(count):
            self.admission.step()


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


def test_nothing_is_told_where_no_answer_lags_in_a_rush() -> None:
    day = Day()
    day.begin(2 * RUSH, every_us=10_000)
    day.steps(100)
    day.now += RUSH_US
    day.lag = 0.3
    day.steps(100)
    assert day.told == [] and not day.admission.shedding


def test_a_rush_that_goes_on_is_shed_by_the_dialplan_until_it_is_over() -> None:
    day = Day()
    day.begin(2 * RUSH, every_us=10_000)
    day.lag = 0.05
    day.steps(1)
    assert day.told == [(30, TOLD_FOR_S)] and day.admission.shedding
    day.steps(3 * REST)
    assert [percent for percent, _ in day.told] == [30, 51, 66, 76], "less of them is seen only after a while"
    day.lag = LAG_AIM_S * 0.7
    day.steps(TELL_EVERY)
    assert day.told[-1] == (76, TOLD_FOR_S) and len(day.told) == 5, "said again before the switch forgets it"
    day.lag = 0.001
    day.steps(100)
    assert day.told[-1][0] == 0 and not day.admission.shedding
    day.steps(100)
    assert [percent for percent, _ in day.told].count(0) == 1


def test_the_dialplan_sheds_nothing_where_the_switch_refuses_by_itself() -> None:
    day = Day()
    day.admission.switch_refuses = True
    day.begin(2 * RUSH, every_us=10_000)
    day.lag = 0.05
    day.steps(100)
    assert day.told == [] and not day.admission.turns_away(), "who was let in is served"
    assert day.admission.overloaded(), "calls that do not come by SIP are still the engine's"
    day.lag = 0.6
    assert day.admission.turns_away()
    day.admission.switch_refuses, day.lag = False, 0.05
    assert day.admission.turns_away()


def test_more_is_let_through_carefully_near_where_answers_lagged() -> None:
    day = Day()
    day.begin(2 * RUSH, every_us=10_000)
    day.lag = 0.05
    day.steps(1 + REST)  # lagged at 1 and at 0.7
    day.lag = 0.001
    day.steps(4)
    assert day.told[-1][0] == 43, "quickly back"
    day.steps(10)
    assert day.told[-1][0] == 41
    day.up, day.lag = 0, 0.2
    day.steps(100)
    assert not day.admission.shedding, "without calls there is nothing whose lag could be measured"


def test_where_few_call_all_are_let_through_however_slow_the_machine_is() -> None:
    day = Day()
    day.begin(2 * RUSH, every_us=10_000)
    day.lag = 0.3
    day.steps(1 + 8 * REST)
    assert day.told[-1][0] == 95
    day.now += RUSH_US
    day.steps(5)
    assert not day.admission.shedding, "the rush is over, though answers lag"
    day.begin(RUSH - 1)
    day.steps(50)
    assert not day.admission.shedding


def test_those_who_were_refused_count_as_callers_too() -> None:
    day = Day()
    day.begin(2 * RUSH, every_us=10_000)
    day.lag = 0.3
    day.steps(1 + 4 * REST)
    assert day.admission.shedding
    day.now += RUSH_US
    day.begin(RUSH // 4)
    day.steps(REST)
    assert day.told[-1][0] > 80, "a few were let through of many that come"


@given(st.lists(st.floats(0, 1), max_size=400))
def test_some_are_always_let_through_and_never_more_than_all(lags: list[float]) -> None:
    day = Day()
    day.begin(2 * RUSH, every_us=10_000)
    for lag in lags:
        day.lag = lag
        day.steps(1)
    assert all(0 <= percent <= 95 for percent, _ in day.told)
