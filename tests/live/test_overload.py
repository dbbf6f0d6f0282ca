"""More calls than can be taken: some are refused by the dialplan alone, none that is needed, and all are in the log."""

from __future__ import annotations

import asyncio

import pytest

from pbx.core.commands import Explanation
from pbx.core.gate import RETRY_AFTER
from tests.live.stage import Scene

BECAUSE = Explanation("The system is at its limit. Try again in a few seconds.", RETRY_AFTER)
ALL, NONE = 100, 0


def _shed(scene: Scene, percent: int, for_s: int) -> None:
    scene.stack.engine.switch.shed(percent, for_s, BECAUSE)


@pytest.mark.covers("P3", "P5")
async def test_a_call_too_many_is_told_when_to_come_again_and_stands_in_the_log(scene: Scene) -> None:
    rep, other = await scene.rep(), await scene.rep()
    _shed(scene, ALL, 60)
    try:
        refused = [await scene.outside().call(rep.did), await other.phone.call("+12065550171")]
        for call in refused:
            await call.until_ended()
            assert call.final_status == 503 and call.ending is not None
            assert call.ending.header("Retry-After") == "5"
            assert f'SIP;cause=503;text="{BECAUSE.text}"' in call.ending.all("Reason")
    finally:
        _shed(scene, NONE, 0)
    scene.stack.engine.fallback_calls.handed_over()
    for logged in (await scene.logged(rep, within=8), await scene.logged(other, within=8)):
        assert (logged.row.source, logged.row.disposition, logged.row.reason) == ("fallback", "refused", "overloaded")
    again = await scene.outside().call(rep.did)
    await rep.phone.incoming()
    await again.cancel()


@pytest.mark.covers("P5")
async def test_an_emergency_number_is_reached_however_many_call(scene: Scene) -> None:
    rep, emergency = await scene.rep(), scene.outside(number="911")
    _shed(scene, ALL, 60)
    try:
        call = await rep.phone.call("911")
        ring = await emergency.incoming()
        await scene.live_call(rep)
    finally:
        _shed(scene, NONE, 0)
    await call.cancel()
    await ring.until_ended()


async def test_an_engine_that_has_gone_refuses_nobody_for_long(scene: Scene) -> None:
    rep, outside = await scene.rep(), scene.outside()
    _shed(scene, ALL, 2)
    call = await outside.call(rep.did)
    await call.until_ended()
    assert call.final_status == 503
    await asyncio.sleep(2)  # what was told ends by the clock of the switch
    call = await outside.call(rep.did)
    await rep.phone.incoming()
    await call.cancel()
