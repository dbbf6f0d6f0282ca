"""While the engine is away the dialplan takes calls both ways, records them, and all is in the log (P2, P3, P5)."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from bench.figures import at_least
from crm.services import do_not_call, ledger, settings
from tests.live.stage import PROMPTS, Rep, Scene
from tests.live.test_restarts import engine_comes_back, engine_dies
from tests.support.free_ports import free_port
from tests.support.sip_call import Call
from tests.support.sip_phone import SipPhone
from tests.support.tones import tones_in
from tests.support.trust import Measured
from tests.support.waiting import until

pytestmark = [pytest.mark.trust(2), pytest.mark.covers("P2", "P3", "TRUST2")]
VOICES = [540, 820, 940]


@pytest.fixture
async def scene(broken: Scene) -> Scene:
    return broken


async def talk_and_hang_up(theirs: Call, ours: Call) -> None:
    await asyncio.gather(theirs.until_hears(540), ours.until_hears(820))
    await asyncio.sleep(1)
    await ours.hang_up()
    await theirs.until_ended()


async def recorded_apart(scene: Scene, rep: Rep, **which: str) -> int:
    """The newest such call of the user stands in the log with its recording, the customer on the left: gives 1."""
    logged = await scene.logged(rep, within=8, **which)
    assert (logged.row.source, logged.row.disposition, logged.row.talk_ms >= 1000) == ("fallback", "answered", True)
    _, sound = await scene.stack.recorded(logged.row.id)
    assert tones_in(sound.channel(0), VOICES, sound.rate) == {820}
    assert tones_in(sound.channel(1), VOICES, sound.rate) == {540}
    assert not list(scene.stack.config.spool.glob("*fallback*"))
    return 1


async def test_a_phone_calls_out_and_is_called_and_both_are_recorded_and_logged_afterwards(
    scene: Scene, measured: Measured
) -> None:
    rep, customer = await scene.rep(), scene.outside()
    broken_trunk = await SipPhone.start("broken", scene.stack.server, port=free_port())
    broken_trunk.will_reject(503)
    async with scene.stack.trunk(broken_trunk.address[1], priority=1):
        await engine_dies(scene.stack)
        ours = await rep.phone.call(customer.number[2:])  # as one dials it at home
        theirs = await customer.incoming()
        assert theirs.caller_number == rep.did and len(broken_trunk.calls) == 1
        await theirs.answer()
        await ours.until_answered()
        await talk_and_hang_up(theirs, ours)
        theirs = await customer.call(rep.did)
        ours = await rep.phone.incoming()
        await ours.answer()
        await theirs.until_answered()
        await talk_and_hang_up(theirs, ours)
        await engine_comes_back(scene.stack)
        found = await recorded_apart(scene, rep, direction="outbound")
        found += await recorded_apart(scene, rep, direction="inbound")
    measured(at_least("of 2 calls without the engine in the log with their sound", found, "calls", 2))
    await broken_trunk.stop()


@pytest.mark.covers("I3")
async def test_after_the_phone_the_forwarding_number_rings_and_then_the_caller_is_told(
    scene: Scene, measured: Measured
) -> None:
    mobile = scene.outside(tone=940)
    rep, customer = await scene.rep(forwarding_number=mobile.number, ring_time_s=5), scene.outside()
    await engine_dies(scene.stack)
    theirs = await customer.call(rep.did)
    ours = await rep.phone.incoming()
    ring = await mobile.incoming(within=8)
    assert ring.caller_number == rep.did and not ours.at.answered
    await ours.until_ended()
    await ring.answer()
    await ring.until_hears(PROMPTS["accept-forward"])
    assert not theirs.at.answered, "a mailbox that never presses a key has not taken the call"
    await ring.press("5")
    await theirs.until_answered()
    await asyncio.gather(theirs.until_hears(940), ring.until_hears(820))
    await theirs.hang_up()
    await ring.until_ended()
    rep.phone.will_reject(486)
    mobile.will_reject(486)
    second = await customer.call(rep.did)
    await second.until_hears(PROMPTS["unreachable"], 8)
    await second.until_ended(15)
    await engine_comes_back(scene.stack)
    await until(lambda: not any(scene.stack.config.spool.glob("*fallback*")), 8, "the sound to be taken in")
    reached = await scene.logged(rep, within=8, disposition="answered")
    told = await scene.logged(rep, within=8, disposition="busy")
    found = [logged.row.source for logged in (reached, told)].count("fallback")
    measured(at_least("of 2 callers forwarded or told by the dialplan, in the log afterwards", found, "calls", 2))


async def refused(phone: SipPhone, number: str) -> None:
    """In words: the call is answered for that, and nobody was rung."""
    call = await phone.call(number)
    await call.until_answered()
    await call.hang_up()


@pytest.mark.covers("P5", "TRUST18")
async def test_only_the_own_country_can_be_called_and_nothing_dear_denied_or_unwanted(scene: Scene) -> None:
    rep, mute = await scene.rep(), await scene.rep(may_call=False)
    unwanted, denied = scene.outside(), scene.outside(number="+12125550142")
    await scene.stack.change(lambda work: do_not_call.add(work, {"number": unwanted.number, "reason": "asked"}))
    await scene.stack.change(lambda work: settings.change(work, "gate.deny_prefixes", ["+1212"]))
    welcome = scene.outside()
    await engine_dies(scene.stack)
    for number in ("+19005550123", "9005550123", "+81312345678", "01181312345678", "+8816123456789", "5550123"):
        await refused(rep.phone, number)
    for number in (unwanted.number, denied.number):
        await refused(rep.phone, number)
    await refused(mute.phone, welcome.number)
    assert not scene.stack.carrier.strangers and not unwanted.calls and not denied.calls
    up = []
    for _ in range(2):  # so many a phone may have at once, and no more
        up.append(await rep.phone.call(welcome.number))
        await welcome.incoming()
    await refused(rep.phone, welcome.number)
    for call in up:
        await call.cancel()
    await engine_comes_back(scene.stack)
    await until(lambda: len(scene.stack.engine.fallback_calls._done) >= 12, 8, "all of them in the log")


@pytest.mark.trust(3)
@pytest.mark.covers("TRUST3")
async def test_a_call_that_asterisk_took_along_meanwhile_is_in_the_log_with_its_sound(scene: Scene) -> None:
    rep, customer, stack = await scene.rep(), scene.outside(), scene.stack
    customer.will_answer()
    await engine_dies(stack)
    ours = await rep.phone.call(customer.number)
    await ours.until_answered()
    await ours.until_hears(820)
    await asyncio.sleep(3)  # an Asterisk that is not of our building keeps two seconds to itself
    assert stack.asterisk.pid is not None
    os.kill(stack.asterisk.pid, signal.SIGKILL)
    await stack.asterisk.wait()
    await stack.asterisk.start()
    await engine_comes_back(stack)
    logged = await scene.logged(rep, within=8, disposition="interrupted")
    assert (logged.row.source, logged.row.reason) == ("fallback", "switch_restarted")
    _, sound = await stack.recorded(logged.row.id)
    assert 820 in tones_in(sound.channel(0), VOICES, sound.rate)


@pytest.mark.covers("N4", "P5")
async def test_without_credit_nothing_leaves_while_the_engine_is_away_and_colleagues_are_rung(scene: Scene) -> None:
    rep, colleague, customer = await scene.rep(), await scene.rep(), scene.outside()
    await scene.stack.change(lambda work: settings.change(work, "gate.minute_price_micros", 20_000))
    await scene.stack.change(lambda work: ledger.adjust(work, -1_000_000_000, "Used elsewhere"))
    await scene.stack.change(lambda work: settings.change(work, "billing.low_micros", 0))  # and is read again with it
    await until(lambda: not scene.stack.engine._told_of_credit, 5, "the switch to be told of it")
    await engine_dies(scene.stack)
    await refused(rep.phone, customer.number)
    call = await rep.phone.call(colleague.did)
    ring = await colleague.phone.incoming()
    await ring.answer()
    await call.until_answered()
    await call.hang_up()
    await ring.until_ended()
    assert not customer.calls
    await engine_comes_back(scene.stack)
    await scene.stack.change(lambda work: settings.change(work, "gate.minute_price_micros", 0))
    await scene.stack.change(lambda work: ledger.top_up(work, 1_000_000_000))
    await until(lambda: scene.stack.engine._told_of_credit, 5, "the switch to be told of the top-up")


async def test_a_colleague_is_rung_inside_and_a_setting_shuts_the_way_out(scene: Scene) -> None:
    rep, colleague, customer = await scene.rep(), await scene.rep(), scene.outside()
    await engine_dies(scene.stack)
    call = await rep.phone.call(colleague.did)
    ring = await colleague.phone.incoming()
    assert ring.caller_number == rep.did
    await ring.answer()
    await call.until_answered()
    await call.hang_up()
    await ring.until_ended()
    await engine_comes_back(scene.stack)
    logged = await scene.logged(colleague, within=8)
    assert (logged.row.direction, logged.row.source, logged.recordings) == ("internal", "fallback", [])
    await scene.stack.change(lambda work: settings.change(work, "fallback.outbound", False))
    await engine_dies(scene.stack)
    await refused(rep.phone, customer.number)
    await engine_comes_back(scene.stack)
    assert not customer.calls
