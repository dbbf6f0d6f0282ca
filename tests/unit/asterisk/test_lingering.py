"""A channel that has been asked to end ends, also where Asterisk has lost the asking."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pbx.adapters.asterisk.lingering import TRIES, Lingering


class Timers:
    """Runs what is due when the test says so."""

    def __init__(self) -> None:
        self._due: list[tuple[Callable[..., object], tuple[Any, ...]]] = []

    def call_later(self, delay: float, callback: Callable[..., object], *args: Any) -> None:
        assert delay > 0
        self._due.append((callback, args))

    def run_out(self) -> None:
        due, self._due = self._due, []
        for callback, args in due:
            callback(*args)


class TestAChannelThatWasAskedToEnd:
    def setup_method(self) -> None:
        self.timers, self.hung_up = Timers(), list[str]()
        self.lingering = Lingering(self.timers, self.hung_up.append)

    def test_is_left_alone_where_it_went_by_itself(self) -> None:
        self.lingering.asked("1795692257.793")
        self.lingering.gone("1795692257.793")
        self.timers.run_out()
        assert self.hung_up == []

    def test_is_hung_up_where_it_is_still_there_a_while_later(self) -> None:
        self.lingering.asked("1795692257.793")
        self.timers.run_out()
        assert self.hung_up == ["1795692257.793"]
        self.lingering.gone("1795692257.793")
        self.timers.run_out()
        assert self.hung_up == ["1795692257.793"]

    def test_is_asked_again_a_few_times_and_then_left_to_people(self) -> None:
        self.lingering.asked("1795692257.793")
        self.lingering.asked("1795692257.793")
        for _ in range(TRIES + 3):
            self.timers.run_out()
        assert self.hung_up == ["1795692257.793"] * TRIES

    def test_is_forgotten_with_the_link_that_would_tell_that_it_went(self) -> None:
        self.lingering.asked("1795692257.793")
        self.lingering.forget()
        self.timers.run_out()
        assert self.hung_up == []
