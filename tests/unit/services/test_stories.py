"""Whose number is that: looked up beside the call, and not once for each (I1)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any, cast

import pytest

from crm.services import matching
from crm.unit_of_work import Store
from pbx.core.commands import Fact
from pbx.core.ids import CallId
from pbx.services.runtime import Calls
from pbx.services.stories import Stories
from tests.support.waiting import until


class Told:
    """The calls that were told who calls."""

    def __init__(self) -> None:
        self.calls: list[CallId] = []

    def annotate(self, call: CallId, kind: str, data: dict[str, object]) -> None:
        self.calls.append(call)


@pytest.mark.covers("I1")
async def test_a_call_has_its_story_at_once_and_those_close_behind_it_share_a_look_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[set[str]] = []

    async def match_each(store: Any, numbers: Sequence[str]) -> dict[str, list[Any]]:
        asked.append(set(numbers))
        return {number: [] for number in numbers}

    monkeypatch.setattr(matching, "match_each", match_each)
    told = Told()
    stories = Stories(cast(Store, None), cast(Calls, told))
    working = asyncio.ensure_future(stories.run())
    _comes(stories, "c_1", "+12065550101")
    await until(lambda: told.calls, 5, "the first call's story")
    for number in range(2, 6):
        _comes(stories, f"c_{number}", f"+1206555010{number}")
    await until(lambda: len(told.calls) == 5, 5, "the others' stories")
    working.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await working
    assert [len(numbers) for numbers in asked] == [1, 4]


def _comes(stories: Stories, call: str, customer: str) -> None:
    stories.happened(CallId(call), [(1, Fact("call.created", 0, {"customer": customer}))])
