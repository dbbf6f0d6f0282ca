"""Summaries and reminders are given behind the calls: a store that is away delays them, and loses none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

from crm import wrapup
from crm.errors import unavailable
from crm.services import summaries, tasks
from pbx.services import reminders as reminding
from pbx.services import wrapup as giving
from pbx.services.reminders import LOOK_EVERY_S, Reminders
from pbx.services.wrapup import WrapUp
from tests.support.waiting import until

WITHIN_S = 3.0


@dataclass
class PaperStore:
    """A database that is away ``outages`` times; what stands in it the test says."""

    outages: int = 0
    now_us: int = 0
    looks: int = 0

    def clock(self) -> int:
        return self.now_us

    @asynccontextmanager
    async def write(self, actor: Any = None) -> AsyncIterator[None]:
        self.looks += 1
        if self.outages:
            self.outages -= 1
            raise unavailable("the test took it away")
        yield

    read = write


def only_on_paper(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, instead: Callable[[], Any]) -> None:
    """An engine of other tests may go on in this process, and would take what is meant for the one that is tried: only
    where there is no real session, the test answers."""
    real = getattr(module, name)

    async def answer(session: object) -> Any:
        return instead() if session is None else await real(session)

    monkeypatch.setattr(module, name, answer)


@dataclass
class PaperHub:
    told: list[tuple[str, str]] = field(default_factory=list)

    def summary_changed(self, user_id: str, summary: dict[str, Any]) -> None:
        self.told.append(("summary", user_id))

    def task_changed(self, user_id: str, task_id: str, task: dict[str, Any] | None) -> None:
        self.told.append(("task", task_id))

    def remind(self, user_id: str, task: dict[str, Any]) -> None:
        self.told.append(("reminder", task["id"]))


@dataclass(frozen=True)
class Fact:
    kind: str


@asynccontextmanager
async def running(run: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    task = asyncio.ensure_future(run())
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def of(user_id: str) -> wrapup.Summary:
    return wrapup.blank(
        "c_1", user_id, "host", record_type=None, record_id=None, call_created_us=1, call_ended_us=2, at_us=3
    )


@pytest.fixture
def due(monkeypatch: pytest.MonkeyPatch) -> list[list[wrapup.Summary]]:
    """What the store has, a batch each; the services look at it through this list."""
    batches: list[list[wrapup.Summary]] = []

    def give_due() -> tuple[int, list[wrapup.Summary]]:
        return (summaries.AT_ONCE, batches.pop(0)) if batches else (0, [])

    only_on_paper(monkeypatch, summaries, "give_due", give_due)
    monkeypatch.setattr(giving, "RETRY_S", 0.01)
    monkeypatch.setattr(reminding, "RETRY_S", 0.01)
    return batches


@pytest.mark.covers("S1", "P3")
async def test_what_an_earlier_run_left_is_given_at_the_start_also_where_the_store_is_away_at_first(
    due: list[list[wrapup.Summary]],
) -> None:
    due += [[of("u_mio"), of("u_sam")], [of("u_alex")]]
    hub, store = PaperHub(), PaperStore(outages=2)
    wrap: Any = WrapUp(store, hub)  # type: ignore[arg-type]
    async with running(wrap.run):
        await until(lambda: len(hub.told) == 3, WITHIN_S, "all summaries were given")
    assert hub.told == [("summary", "u_mio"), ("summary", "u_sam"), ("summary", "u_alex")]


@pytest.mark.covers("S1")
async def test_the_store_is_looked_at_when_a_call_has_ended_and_for_nothing_else(
    due: list[list[wrapup.Summary]],
) -> None:
    hub, store = PaperHub(), PaperStore()
    wrap = WrapUp(store, hub)  # type: ignore[arg-type]
    async with running(wrap.run):
        await until(lambda: store.looks == 1, WITHIN_S, "the look at the start")
        wrap.stored([Fact("call.answered"), Fact("leg.ended")])
        for _ in range(5):
            await asyncio.sleep(0)
        assert store.looks == 1
        due.append([of("u_mio")])
        wrap.stored([Fact("leg.ended"), Fact("call.ended")])
        await until(lambda: hub.told == [("summary", "u_mio")], WITHIN_S, "the summary was given")


@pytest.mark.covers("S5")
async def test_the_one_timer_goes_by_the_next_reminder_also_where_another_comes_before_it(
    due: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, hub = PaperStore(outages=1), PaperHub()
    moments = {"task_late": 3_600_000_000}

    def next_reminder() -> int | None:
        return min(moments.values(), default=None)

    def take_reminders() -> list[wrapup.Task]:
        taken = [name for name, at in moments.items() if at <= store.now_us]
        for name in taken:
            del moments[name]
        return [wrapup.Task(name, "u_mio", None, "Call", 0, 0, 0, None, None, None, None, 0, 0) for name in taken]

    only_on_paper(monkeypatch, tasks, "next_reminder", next_reminder)
    only_on_paper(monkeypatch, tasks, "take_reminders", take_reminders)
    reminders = Reminders(store, hub)  # type: ignore[arg-type]
    async with running(reminders.run):
        await until(lambda: store.looks >= 2, WITHIN_S, "the look after the outage")
        assert hub.told == []
        moments["task_soon"] = 0
        reminders.changed()
        await until(lambda: ("reminder", "task_soon") in hub.told, WITHIN_S, "the reminder was given")
        assert hub.told == [("task", "task_soon"), ("reminder", "task_soon")]
        moments["task_of_another_process"] = 0
        await until(lambda: len(hub.told) == 4, LOOK_EVERY_S + WITHIN_S, "nobody had to tell of it")
