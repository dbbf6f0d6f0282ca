"""The console's phone in Chromium against the real Asterisk: registered, heard, and back after whatever happened."""

from __future__ import annotations

import asyncio

import pytest

from tests.live.console.phone_page import VOICE, Open
from tests.live.stage import Scene
from tests.support.tones import tones_in

THEIRS = 820


@pytest.mark.covers("V6", "V10")
async def test_a_page_calls_out_and_both_hear_each_other(scene: Scene, open_page: Open) -> None:
    rep = await scene.rep(phones=0)
    page = await open_page(rep)
    customer = scene.outside(THEIRS)
    await page.do("call", customer.number)
    theirs = await customer.incoming()
    assert theirs.caller_number == rep.did
    assert (await page.until_session("progress"))["number"] == customer.number
    await theirs.answer()
    await page.until_session("up")
    await asyncio.gather(page.until_hears(THEIRS), theirs.until_hears(VOICE))
    told = await page.do("statistics")
    assert (told["codec"], told["quality"]) == ("opus", "good")
    await asyncio.sleep(0.6)
    await page.do("hangUp")
    await theirs.until_ended()
    await page.until_free()
    logged = await scene.logged(rep)
    _, sound = await scene.stack.recorded(logged.row.id)
    assert tones_in(sound.channel(1), [THEIRS, VOICE], sound.rate) == {VOICE}
