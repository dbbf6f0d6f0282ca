"""More calls than can be taken: some are refused without the engine, none that is needed, and all are in the log.

By our module in Asterisk; where that is not there, by the dialplan.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from pbx.adapters.asterisk.translate import NewChannel
from pbx.core.commands import Explanation
from pbx.core.gate import RETRY_AFTER
from pbx.services.alerts import Kind
from tests.live.stage import Rep, Scene
from tests.support.sip_call import Call
from tests.support.waiting import until

BECAUSE = Explanation("The system is at its limit. Try again in a few seconds.", RETRY_AFTER)
ALL, NONE = 100, 0
FEW, TOO_LONG_S = 3, 0.05  # so many who have waited so long, as the module has it
RUSH = 60  # calls within a second, as the module has it; so many come before anybody is refused


NOT_OURS = b"""v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r
m=audio 9 RTP/AVP 18\r\na=rtpmap:18 G729/8000\r\n"""  # Asterisk refuses it by itself (488), at once


@contextlib.asynccontextmanager
async def nothing_done(scene: Scene, rep: Rep) -> AsyncIterator[list[Call]]:
    """The engine does nothing for calls to somebody; those that a test adds are over at the end."""
    link, calls = scene.stack.engine.link, list[Call]()
    hear = link._on_channel

    def hear_of_others(channel: NewChannel) -> None:
        if channel.exten != rep.did:
            hear(channel)

    link._on_channel = hear_of_others
    try:
        await asyncio.sleep(1.1)  # calls of a second ago are of no rush
        yield calls
    finally:
        for call in calls:
            if call.final_status is None:
                await call.cancel()
        link._on_channel = hear


@contextlib.asynccontextmanager
async def rush(scene: Scene, rep: Rep) -> AsyncIterator[list[Call]]:
    """More calls to somebody than are let in, for which the engine does nothing."""
    async with nothing_done(scene, rep) as calls:
        calls += await asyncio.gather(*(scene.outside().call(rep.did) for _ in range(RUSH + 1)))
        await until(lambda: all(call.provisional or call.at.ended for call in calls), 1, "each call to be looked at")
        yield calls


def _refused(call: Call) -> None:
    assert call.final_status == 503 and call.ending is not None
    assert call.ending.header("Retry-After") == "5"
    assert f'SIP;cause=503;text="{BECAUSE.text}"' in call.ending.all("Reason")
    assert "Q.850;cause=42" in call.ending.all("Reason")


@pytest.mark.covers("P3", "P5")
async def test_in_a_rush_who_would_wait_too_long_is_refused_at_once_and_stands_in_the_log(scene: Scene) -> None:
    crowd, rep, caller, outside = await scene.rep(), await scene.rep(), await scene.rep(), scene.outside()
    async with rush(scene, crowd) as before:
        refused = [await outside.call(rep.did), await caller.phone.call("+12065550171")]
        for call in refused:
            await call.until_ended(within=1)
            _refused(call)
        assert sum(call.final_status is not None for call in before) <= 1, "a burst is taken as it comes"
        assert Kind.OVERLOADED in {alert.kind for alert in scene.stack.engine.alerts.standing}
        assert scene.stack.engine.ready()["overloaded"]
    for logged in (inbound := await scene.logged(rep, within=12), await scene.logged(caller, within=12)):
        assert (logged.row.source, logged.row.disposition, logged.row.reason) == ("fallback", "refused", "overloaded")
    assert (inbound.row.customer_number, inbound.row.trunk_id) == (outside.number, scene.stack.trunk_id)
    await until(lambda: not scene.stack.engine.ready()["overloaded"], 5, "the rush to be over")


@pytest.mark.covers("P5")
async def test_in_a_rush_few_who_wait_long_keep_others_out_and_few_who_wait_shortly_do_not(scene: Scene) -> None:
    rep, outside = await scene.rep(), scene.outside()
    async with nothing_done(scene, rep) as calls:
        over = await asyncio.gather(*(scene.outside().call(rep.did, offer=NOT_OURS) for _ in range(RUSH + 1)))
        await until(lambda: all(call.final_status for call in over), 1, "the rush")
        assert {call.final_status for call in over} == {488}, "none waits"
        calls += [await scene.outside().call(rep.did) for _ in range(FEW)]
        await asyncio.sleep(TOO_LONG_S + 0.05)
        assert not [call for call in calls if call.final_status], "they were let in, one after the other"
        call = await outside.call(rep.did)
        await call.until_ended(within=1)
        _refused(call)


@pytest.mark.covers("P5")
async def test_in_a_rush_emergency_numbers_are_reached_and_calls_that_are_up_go_on(scene: Scene) -> None:
    crowd, rep, talker, outside = await scene.rep(), await scene.rep(), await scene.rep(), scene.outside()
    emergency = scene.outside(number="911")
    up = await outside.call(talker.did)
    await (await talker.phone.incoming()).answer()
    await up.until_answered()
    async with rush(scene, crowd):
        call = await rep.phone.call("911")
        await up.hold()
        ring = await emergency.incoming()
        assert talker.phone.live_calls
        await call.cancel()
        await ring.until_ended()
    await up.hang_up()


async def test_after_a_rush_everybody_is_taken_again(scene: Scene) -> None:
    crowd, rep, outside = await scene.rep(), await scene.rep(), scene.outside()
    async with rush(scene, crowd):
        call = await outside.call(rep.did)
        await call.until_ended(within=1)
        _refused(call)
    call = await outside.call(rep.did)
    await rep.phone.incoming()
    await call.cancel()


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
