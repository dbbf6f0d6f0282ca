"""Reloads, lost connections, closed tabs and sleep in a call: nobody clicks, and the call goes on (P4)."""

from __future__ import annotations

import time

import pytest
from playwright.async_api import expect

from prompts.music import MUSIC_TONES
from tests.live.console.page import Console, Consoles
from tests.live.console.test_calling import hear_each_other, over, talk
from tests.live.console.test_phone_comes_back import cut, nobody_connects, proxies
from tests.live.stage import Scene
from tests.support.sip_call import Call
from tests.support.tones import tones_in

pytestmark = pytest.mark.covers("P4")
THEIRS = 820
Talk = tuple[Console, Call]


@pytest.fixture
async def talking(scene: Scene, consoles: Consoles) -> Talk:
    console = await consoles.open(await scene.rep(phones=0))
    return console, await talk(console, scene.outside(THEIRS))


async def test_a_reload_gives_the_far_side_music_and_then_the_same_voice_without_a_click(talking: Talk) -> None:
    console, theirs = talking
    began = time.monotonic()
    await console.page.reload()
    await console.until_hears(THEIRS, within=8)
    await theirs.until_stops_hearing(MUSIC_TONES[0])
    await hear_each_other(console, theirs)
    await console.until_talking()
    assert tones_in(theirs.heard_between(began, time.monotonic()), MUSIC_TONES) == set(MUSIC_TONES)
    await over(console, theirs)


async def test_a_websocket_that_is_cut_ends_no_call_and_the_end_button_works_again(scene: Scene, talking: Talk) -> None:
    console, theirs = talking
    with nobody_connects(scene):
        cut(scene)
        await console.until_phone("Connection lost")
        await hear_each_other(console, theirs)
        await expect(console.bar).to_contain_text("Connected")
    await console.until_phone("On a call")
    await over(console, theirs)


async def test_who_hangs_up_while_the_websocket_is_cut_takes_the_bar_away(scene: Scene, talking: Talk) -> None:
    console, theirs = talking
    with nobody_connects(scene):
        cut(scene)
        await console.until_phone("Connection lost")
        await theirs.hang_up()
        await console.until_free()
    await console.until_phone("Ready")


async def test_the_tab_with_the_phone_is_closed_and_the_other_takes_the_call_over(consoles: Consoles, talking) -> None:
    first, theirs = talking
    second = await consoles.tab(first.page.context, first.rep)
    await second.go("/")
    await second.until_talking()
    await first.page.close(run_before_unload=False)
    await second.until_hears(THEIRS, within=8)
    await hear_each_other(second, theirs)
    await over(second, theirs)


async def test_a_machine_that_slept_comes_back_by_itself_and_rings_again(scene: Scene, consoles: Consoles) -> None:
    rep = await scene.rep(phones=0)
    console = await consoles.open(rep)
    devtools = await console.page.context.new_cdp_session(console.page)
    await console.page.context.set_offline(True)
    await devtools.send("Page.setWebLifecycleState", {"state": "frozen"})
    for mine in proxies(scene)._open.values():
        for proxy in mine:
            proxy._cut()
    await devtools.send("Page.setWebLifecycleState", {"state": "active"})
    await console.page.context.set_offline(False)
    await console.until_phone("Ready")
    theirs = await scene.outside(THEIRS).call(rep.did)
    await expect(console.card).to_be_visible()
    await console.press("Answer", console.card)
    await theirs.until_answered()
    await hear_each_other(console, theirs)
    await over(console, theirs)
