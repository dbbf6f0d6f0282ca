"""Nobody answers: the forwarding number rings and a person must accept; then words, then voicemail (I3 to I5, I7)."""

from __future__ import annotations

import asyncio
import time

import pytest

from pbx.core.events import Ask
from tests.live.stage import PROMPTS, Outside, Rep, Scene, facts
from tests.support.sip_call import Call
from tests.support.tones import is_silent
from tests.support.waiting import Stopwatch, until


async def forwarded(scene: Scene, **how: object) -> tuple[Rep, Outside, Outside]:
    """A user with a forwarding number, somebody who calls, and the mobile at that number."""
    mobile = scene.outside(tone=900)
    rep = await scene.rep(forwarding_number=mobile.number, **how)  # type: ignore[arg-type]
    return rep, scene.outside(), mobile


async def accept(ring: Call, how: str = "rfc4733") -> None:
    """The mobile is answered, its person hears the question and presses a key."""
    await ring.answer()
    await ring.until_hears(PROMPTS["accept-forward"])
    await ring.press("5", how=how)


async def heard(call: Call, ring: Call) -> None:
    await call.until_answered()
    await asyncio.gather(call.until_hears(900), ring.until_hears(820))


async def done(call: Call, ring: Call) -> None:
    await call.hang_up()
    await ring.until_ended()


@pytest.mark.covers("I3", "V6")
async def test_after_the_ring_time_the_forwarding_number_rings_and_accepts_by_key(scene: Scene):
    rep, customer, mobile = await forwarded(scene, ring_time_s=5)
    watch = Stopwatch()
    call = await customer.call(rep.did)
    phone = await rep.phone.incoming()
    ring = await mobile.incoming(within=7)
    assert watch.passed > 4.8 and watch.granted < 6
    await phone.until_ended(1)
    assert ring.caller_number == rep.did, "what the forwarding number sees is the user's own number"
    assert call.at.ringing is not None and call.at.answered is None
    await accept(ring)
    await heard(call, ring)
    await done(call, ring)
    logged = await scene.logged(rep)
    assert (logged.row.disposition, logged.row.via) == ("answered", "forward")
    assert {leg.role for leg in logged.legs} == {"customer", "user", "forward"}
    assert "forward.accepted" in logged.kinds
    _, sound = await scene.stack.recorded(logged.row.id)
    assert sound.count == 2


@pytest.mark.covers("I3")
async def test_no_phone_registered_forwards_at_once_and_accepts_by_info(scene: Scene):
    rep, customer, mobile = await forwarded(scene, phones=0)
    call = await customer.call(rep.did)
    ring = await mobile.incoming(within=1)
    await call.until_ringing()
    await accept(ring, "info")
    await heard(call, ring)
    await done(call, ring)
    assert "user.offline" in (await scene.logged(rep)).kinds


@pytest.mark.covers("I3", "I6", "A2")
async def test_of_who_is_away_the_forwarding_number_rings_and_no_phone(scene: Scene):
    rep, customer, mobile = await forwarded(scene)
    await scene.change(rep, available=False)
    call = await customer.call(rep.did)
    ring = await mobile.incoming(within=1)
    await call.until_ringing()
    await accept(ring)
    await heard(call, ring)
    await done(call, ring)
    logged = await scene.logged(rep)
    assert "user.away" in logged.kinds and {leg.role for leg in logged.legs} == {"customer", "forward"}
    await scene.change(rep, forwarding_number=None)
    call = await customer.call(rep.did)
    await call.until_hears(PROMPTS["unavailable"])
    await call.hang_up()
    await scene.change(rep, available=True)
    call = await customer.call(rep.did)
    await rep.phone.incoming(within=2)
    await call.hang_up()


@pytest.mark.covers("I3")
async def test_logged_out_phone_is_not_rung(scene: Scene):
    rep, customer, mobile = await forwarded(scene)
    await rep.phone.register(0)
    await until(lambda: not scene.stack.engine.registrations.phones(rep.devices), 2, "the phone to be gone")
    call = await customer.call(rep.did)
    ring = await mobile.incoming(within=1)
    await call.cancel()
    await ring.until_ended()
    assert not rep.phone.calls


@pytest.mark.covers("I3")
async def test_a_phone_that_vanished_still_forwards_within_the_ring_time(scene: Scene):
    rep, customer, mobile = await forwarded(scene, ring_time_s=5)
    rep.phone.vanish()
    call = await customer.call(rep.did)
    ring = await mobile.incoming(within=6)
    await call.until_ringing()
    await accept(ring)
    await heard(call, ring)
    await done(call, ring)


@pytest.mark.covers("I3", "I2")
async def test_forward_on_the_card_stops_the_phones_and_rings_the_mobile(scene: Scene):
    rep, customer, mobile = await forwarded(scene, phones=2)
    call = await customer.call(rep.did)
    rings = [await phone.incoming() for phone in rep.phones]
    asked = time.monotonic()
    scene.stack.control.ask(await scene.live_call(rep), Ask.FORWARD, rep.id)
    ring = await mobile.incoming(within=1)
    for phone in rings:
        assert await phone.until_ended(1) - asked < 0.1
    await accept(ring)
    await heard(call, ring)
    await done(call, ring)
    assert "user.forwarded" in (await scene.logged(rep)).kinds


@pytest.mark.covers("I3", "I5")
async def test_a_mailbox_that_never_presses_does_not_get_the_call(scene: Scene):
    rep, customer, mobile = await forwarded(scene, phones=0)
    mobile.will_answer(after=0.1)
    call = await customer.call(rep.did)
    ring = await mobile.incoming()
    await ring.until_hears(PROMPTS["accept-forward"])
    await asyncio.sleep(1)
    assert call.at.answered is None and not call.hears(900)
    assert is_silent(ring.heard(0.1)) or not ring.hears(820)
    await ring.hang_up()  # the mailbox has heard enough
    await call.until_hears(PROMPTS["unreachable"])
    await call.until_ended()
    assert call.final_status == 480
    logged = await scene.logged(rep)
    assert (logged.row.disposition, logged.row.reason) == ("no_answer", "forward_not_accepted")
    assert logged.row.recording_id is None


@pytest.mark.covers("I3")
async def test_who_needs_no_key_takes_the_call_by_answering(scene: Scene):
    rep, customer, mobile = await forwarded(scene, phones=0, forward_accept="none")
    mobile.will_answer()
    call = await customer.call(rep.did)
    ring = await mobile.incoming()
    await heard(call, ring)
    await done(call, ring)


@pytest.mark.covers("I4", "A2")
async def test_a_changed_forwarding_number_is_rung_by_the_next_call(scene: Scene):
    rep, customer, mobile = await forwarded(scene, phones=0)
    first = await customer.call(rep.did)
    old = await mobile.incoming()
    landline = scene.outside(tone=860)
    await scene.change(rep, forwarding_number=landline.number)
    assert old.state != "ended"  # the call that rings already is not touched
    await first.cancel()
    await old.until_ended()
    second = await customer.call(rep.did)
    ring = await landline.incoming(within=1)
    await second.cancel()
    await ring.until_ended()
    assert len(mobile.calls) == 1


@pytest.mark.covers("I5")
@pytest.mark.parametrize(
    ("status", "reason"), [(486, "busy"), (603, "declined"), (404, "unallocated"), (480, "no_answer")]
)
async def test_a_forwarding_number_that_fails_leaves_the_caller_with_words(scene: Scene, status: int, reason: str):
    rep, customer, mobile = await forwarded(scene, phones=0)
    mobile.will_reject(status, after=0.2)
    call = await customer.call(rep.did)
    await call.until_hears(PROMPTS["unreachable"])
    await call.until_ended()
    assert (call.final_status, (await scene.logged(rep)).row.reason) == (480, f"forward_{reason}")


@pytest.mark.covers("I5")
async def test_a_forwarding_number_that_rings_too_long_is_given_up(scene: Scene):
    rep, customer, mobile = await forwarded(scene, phones=0)  # the organisation lets it ring for 5 s
    call = await customer.call(rep.did)
    ring = await mobile.incoming()
    await ring.until_ended(6)
    await call.until_hears(PROMPTS["unreachable"])
    await call.until_ended()
    assert (await scene.logged(rep)).row.reason == "forward_no_answer"


@pytest.mark.covers("I5")
async def test_without_a_forwarding_number_the_caller_hears_that_nobody_can_be_reached(scene: Scene):
    rep = await scene.rep(phones=0)
    call = await scene.outside().call(rep.did)
    await call.until_hears(PROMPTS["unreachable"])
    await call.until_ended()
    assert (call.final_status, call.cause) == (480, 19)
    logged = await scene.logged(rep)
    assert (logged.row.disposition, logged.row.reason) == ("no_answer", "no_forwarding_number")
    assert facts(logged, "announcement")[0]["prompt"] == "unreachable"


@pytest.mark.covers("I8")
async def test_a_caller_who_gives_up_while_the_mobile_rings_or_is_asked_stops_it(scene: Scene):
    rep, customer, mobile = await forwarded(scene, phones=0)
    call = await customer.call(rep.did)
    ring = await mobile.incoming()
    await call.cancel()
    assert await ring.until_ended(1) - call.at.ended < 0.1
    mobile.will_answer()
    call = await customer.call(rep.did)
    ring = await mobile.incoming()
    await ring.until_hears(PROMPTS["accept-forward"])
    await call.cancel()
    await ring.until_ended(1)
    assert (await scene.logged(rep, nth=2)).row.disposition == "missed"


@pytest.mark.covers("P5", "TRUST18")
@pytest.mark.parametrize("number", ["+19005551234", "+881612345678"])
async def test_forwarding_to_a_premium_or_satellite_number_is_refused(scene: Scene, number: str):
    expensive = scene.outside(number=number)
    rep = await scene.rep(phones=0, forwarding_number=number)
    call = await scene.outside().call(rep.did)
    await call.until_hears(PROMPTS["unreachable"])
    await call.until_ended()
    assert not expensive.calls
    logged = await scene.logged(rep)
    assert logged.row.reason in ("forward_premium_denied", "forward_satellite_denied")
    assert facts(logged, "gate.verdict")[0]["allowed"] is False
