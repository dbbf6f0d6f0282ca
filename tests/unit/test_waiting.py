"""A second of the tests is one in which the machine could work for them."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from tests.support import waiting
from tests.support.waiting import Deadline, Missed, Stopwatch, until


class Machine:
    """A clock, and what the kernel says of the time in which some process waited for a processor."""

    def __init__(self, pressure: Path) -> None:
        self.pressure, self.now, self.waited = pressure, 100.0, 7.0
        self.runs(0)

    def runs(self, seconds: float, waiting: float = 0) -> None:
        self.now, self.waited = self.now + seconds, self.waited + waiting
        some = f"some avg10=0.00 avg60=0.00 avg300=0.00 total={round(self.waited * 1e6)}"
        self.pressure.write_text(f"{some}\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(tmp_path / "cpu")
    monkeypatch.setattr(waiting, "PRESSURE", made.pressure)
    monkeypatch.setattr(time, "monotonic", lambda: made.now)
    return made


def test_on_a_machine_with_nothing_else_to_do_a_second_is_the_clocks(machine: Machine) -> None:
    watch, deadline = Stopwatch(), Deadline(3)
    machine.runs(2)
    assert (watch.passed, watch.granted, watch.slowness, deadline.left) == (2, 2, 1, 1)
    machine.runs(1)
    assert deadline.over


def test_time_in_which_somebody_waited_for_a_processor_does_not_count(machine: Machine) -> None:
    watch, deadline = Stopwatch(), Deadline(3)
    machine.runs(4, waiting=2)
    assert watch.passed == 4 and watch.granted == pytest.approx(2) and watch.slowness == pytest.approx(2)
    assert deadline.left == pytest.approx(1)


def test_however_busy_the_machine_is_a_deadline_comes(machine: Machine) -> None:
    deadline = Deadline(3)
    machine.runs(11.9, waiting=11.9)
    assert not deadline.over
    machine.runs(0.1, waiting=0.1)
    assert deadline.over


def test_where_the_kernel_counts_nothing_only_the_clock_does(machine: Machine) -> None:
    machine.pressure.unlink()
    deadline = Deadline(3)
    machine.now += 3
    assert deadline.over


async def test_what_does_not_happen_is_told() -> None:
    with pytest.raises(Missed, match=r"Not within 0\.01 s: a miracle"):
        await until(lambda: False, 0.01, "a miracle")


async def test_what_was_due_by_the_deadline_is_done_before_a_last_look_where_the_loop_was_held_up() -> None:
    done: list[bool] = []

    async def work() -> None:
        await asyncio.sleep(0.1)
        for _ in range(10):
            await asyncio.sleep(0)
        done.append(True)

    working = asyncio.ensure_future(work())
    asyncio.get_running_loop().call_later(0.01, time.sleep, 0.3)
    await until(lambda: done, 0.2, "the work")
    await working


async def test_what_comes_later_than_the_deadline_is_missed() -> None:
    working = asyncio.ensure_future(asyncio.sleep(60))
    with pytest.raises(Missed, match=r"Not within 0.2 s: the work"):
        await until(working.done, 0.2, "the work")
    working.cancel()
