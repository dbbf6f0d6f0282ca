"""Whoever changed something is answered once calls go by it, and never kept waiting by anything else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from pbx.services import changes as module
from pbx.services.changes import Changes

pytestmark = pytest.mark.covers("A2")
SOON_S = 0.5


@pytest.fixture
def changes() -> Changes:
    return Changes()


async def made_and_awaited(changes: Changes, order: list[str]) -> None:
    changes.made()
    order.append("saved")
    await changes.in_effect()
    order.append("answered")


async def test_who_changed_something_is_answered_after_the_look_that_covers_it(changes: Changes) -> None:
    order: list[str] = []
    task = asyncio.create_task(made_and_awaited(changes, order))
    newest = await changes.come(SOON_S)
    await asyncio.sleep(0)
    assert order == ["saved"]
    changes.looked(newest)
    await asyncio.wait_for(task, SOON_S)
    assert order == ["saved", "answered"]


async def test_a_look_that_began_before_the_change_does_not_cover_it(changes: Changes) -> None:
    order: list[str] = []
    first = asyncio.create_task(made_and_awaited(changes, order))
    newest = await changes.come(SOON_S)
    second = asyncio.create_task(made_and_awaited(changes, order))
    await asyncio.sleep(0)
    changes.looked(newest)
    await asyncio.wait_for(first, SOON_S)
    await asyncio.sleep(0)
    assert not second.done()
    changes.looked(await changes.come(SOON_S))
    await asyncio.wait_for(second, SOON_S)


async def test_who_changed_nothing_waits_for_nobody(changes: Changes) -> None:
    other = asyncio.create_task(made_and_awaited(changes, []))
    await asyncio.sleep(0)
    assert await at_once(changes.in_effect)
    changes.looked(1)
    await other


async def test_a_switch_that_is_not_told_in_time_leaves_nobody_without_an_answer(
    changes: Changes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LONGEST_S", 0.05)
    await asyncio.wait_for(made_and_awaited(changes, []), SOON_S)


async def test_without_a_change_the_store_is_looked_at_all_the_same(changes: Changes) -> None:
    assert await changes.come(0.01) == 0


async def at_once(ask: Callable[[], Awaitable[None]]) -> bool:
    task = asyncio.ensure_future(ask())
    await asyncio.sleep(0)
    return task.done()
