"""Work behind the calls rests between its rounds."""

from __future__ import annotations

import asyncio
import time

import pytest

from pbx.services.behind import SHARE, Round


async def timed(work_s: float, most_s: float) -> float:
    began = time.monotonic()
    async with Round(most_s):
        await asyncio.sleep(work_s)
    return time.monotonic() - began


async def test_a_round_is_followed_by_a_rest_as_long_as_the_work_was_times_what_is_left_for_the_calls() -> None:
    assert await timed(0.005, most_s=60.0) >= 0.005 + 0.005 / SHARE


async def test_the_rest_has_an_end_however_much_there_was_to_do() -> None:
    async with asyncio.timeout(10.0):
        assert await timed(0.02, most_s=0.05) >= 0.07


async def test_a_round_that_failed_is_told_at_once() -> None:
    async with asyncio.timeout(10.0):
        with pytest.raises(ValueError, match="away"):
            async with Round(3600.0):
                raise ValueError("away")
