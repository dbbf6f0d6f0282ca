"""The engine is another while a user's page is away, or the page goes while no engine is there (P1, P4)."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from tests.live.stage import PROMPTS, Scene
from tests.live.test_reload import AFTER, CUSTOMER, comes_in, hears_music, open_page, shown
from tests.live.test_restarts import engine_comes_back, engine_dies
from tests.support.browser import Browser
from tests.support.waiting import Deadline, Stopwatch
from tests.support.webrtc_media import why_not

pytestmark = [pytest.mark.covers("P4", "P1"), pytest.mark.skipif(bool(why_not()), reason=why_not())]


async def start_again(page: Browser) -> Browser:
    """The page that follows, which asks until the engine takes it."""
    fresh = page.another_page(AFTER)
    deadline = Deadline(5)
    while True:
        try:
            await fresh.start_phone()
            return fresh
        except (AssertionError, aiohttp.ClientError):
            assert not deadline.over, "the engine takes no page"
            await asyncio.sleep(0.1)


async def test_who_waits_with_the_engine_before_waits_with_the_next_one_and_is_found_by_the_page(broken: Scene) -> None:
    opened: list[Browser] = []
    rep, customer = await broken.rep(phones=0), broken.outside(CUSTOMER)
    page = await open_page(broken, rep, opened)
    theirs, _, call_id = await comes_in(broken, rep, page, customer)
    await page.leave()
    await hears_music(theirs, 2)
    due = broken.stack.engine.calls.get(call_id).timers.copy()
    await engine_dies(broken.stack)
    await engine_comes_back(broken.stack)
    assert [each["user_id"] for each in shown(broken, call_id)["reconnecting"]] == [rep.id]
    assert broken.stack.engine.calls.get(call_id).timers == due
    await hears_music(theirs, 2)
    fresh = await start_again(page)
    ours = await fresh.incoming()
    assert ours.rejoins == call_id
    await asyncio.gather(theirs.until_hears(AFTER), ours.until_hears(CUSTOMER))
    await ours.hang_up()
    await theirs.until_ended()
    for each in (page, fresh):
        await each.close()


async def test_the_time_to_wait_goes_on_with_the_next_engine(broken: Scene) -> None:
    opened: list[Browser] = []
    rep, customer = await broken.rep(phones=0), broken.outside(CUSTOMER)
    page = await open_page(broken, rep, opened)
    async with broken.stack.setting("reload.wait_s", 6):
        theirs, _, _ = await comes_in(broken, rep, page, customer)
        await page.leave()
        watch = Stopwatch()
        await hears_music(theirs, 2)
    await engine_dies(broken.stack)
    await engine_comes_back(broken.stack)
    await theirs.until_hears(PROMPTS["unavailable"], 9)
    assert watch.passed > 5.5 and watch.granted < 8.5
    await theirs.until_ended()
    assert (await broken.logged(rep)).row.reason == "phone_lost"
    await page.close()


async def test_a_page_that_went_while_no_engine_was_there_is_missed_by_the_next_one(broken: Scene) -> None:
    opened: list[Browser] = []
    rep, customer = await broken.rep(phones=0), broken.outside(CUSTOMER)
    page = await open_page(broken, rep, opened)
    theirs, ours, _ = await comes_in(broken, rep, page, customer)
    await engine_dies(broken.stack)
    await ours.media.close()
    await engine_comes_back(broken.stack)
    await hears_music(theirs, 6)
    fresh = await start_again(page)
    again = await fresh.incoming()
    await asyncio.gather(theirs.until_hears(AFTER), again.until_hears(CUSTOMER))
    await theirs.hang_up()
    await again.until_ended()
    for each in (page, fresh):
        await each.close()
