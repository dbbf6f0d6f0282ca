"""Somebody calls one of our users: every phone rings, one wins, both hear each other, the log says so (I1, I2, I8)."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from pbx.core.call import Role
from pbx.core.events import Ask
from tests.live.stage import AT_ONCE_S, PROMPTS, Rep, Scene, facts
from tests.support.sip_call import Call, CallState
from tests.support.waiting import Stopwatch, until

_without_user = itertools.count(9_800)


async def talk(customer: Call, ours: Call, theirs_hz: float, ours_hz: float) -> None:
    """Each hears the other and nobody else; a packet that a busy machine sends late is no voice."""
    await asyncio.gather(customer.until_hears(ours_hz), ours.until_hears(theirs_hz))
    voices = [540, 580, 660, 740, 820, 860, 900]

    def alone() -> bool:
        return customer.tones(voices, last=0.4) == {ours_hz} and ours.tones(voices, last=0.4) == {theirs_hz}

    await until(alone, 3, f"{ours_hz} Hz alone in the one ear and {theirs_hz} Hz alone in the other")


@pytest.mark.covers("I1")
async def test_all_phones_ring_at_once_and_the_first_to_answer_wins(scene: Scene):
    rep = await scene.rep(phones=3)
    customer = scene.outside()
    call = await customer.call(rep.did)
    rings = [await phone.incoming() for phone in rep.phones]
    await call.until_ringing()
    assert max(ring.at.invited for ring in rings) - min(ring.at.invited for ring in rings) < AT_ONCE_S
    assert {ring.caller_number for ring in rings} == {customer.number}
    await rings[1].answer()
    await call.until_answered()
    for loser in (rings[0], rings[2]):
        await loser.until_ended()
        assert loser.at.ended - rings[1].at.answered < AT_ONCE_S
        assert loser.cause == 26, loser.reason_header  # answered elsewhere
        assert loser.final_status == 487
    await talk(call, rings[1], 820, 580)
    await call.hang_up()
    await rings[1].until_ended()
    logged = await scene.logged(rep)
    assert (logged.row.direction, logged.row.disposition, logged.row.ended_by) == ("inbound", "answered", "customer")
    assert logged.row.customer_number == customer.number
    assert logged.row.device_id == rep.devices[1]
    assert logged.row.ring_ms is not None and logged.row.talk_ms is not None and logged.row.talk_ms > 50
    assert logged.results("user") == ["answered", "answered_elsewhere", "answered_elsewhere"]
    order = ["call.created", "leg.created", "leg.ringing", "leg.answered", "call.answered", "call.ended"]
    assert [kind for kind in dict.fromkeys(logged.kinds) if kind in order] == order


@pytest.mark.covers("I1")
async def test_two_bindings_of_one_device_ring_both(scene: Scene):
    rep = await scene.rep()
    second = await scene.phone(rep, tone=660)
    call = await scene.outside().call(rep.did)
    rings = [await rep.phone.incoming(), await second.incoming()]
    await rings[1].answer()
    await call.until_answered()
    await rings[0].until_ended()
    assert rings[0].at.ended - rings[1].at.answered < AT_ONCE_S
    await talk(call, rings[1], 820, 660)
    await rings[1].hang_up()
    await call.until_ended()
    assert (await scene.logged(rep)).row.ended_by == "user"


@pytest.mark.covers("I1", "V15")
@pytest.mark.parametrize(("transport", "srtp"), [("tcp", False), ("tls", True)])
async def test_phones_over_tcp_and_tls_are_called_and_heard(scene: Scene, transport: str, srtp: bool):
    rep = await scene.rep(transport=transport, srtp=srtp)
    call = await scene.outside().call(rep.did)
    ring = await rep.phone.incoming()
    await ring.answer()
    await call.until_answered()
    await talk(call, ring, 820, 540)
    await call.hang_up()
    await ring.until_ended()


@pytest.mark.covers("I1")
async def test_two_phones_answer_in_the_same_millisecond_and_only_one_gets_the_call(scene: Scene):
    rep = await scene.rep(phones=3)
    for _ in range(3):
        call = await scene.outside().call(rep.did)
        rings = [await phone.incoming() for phone in rep.phones]
        await asyncio.gather(*(ring.answer() for ring in rings), return_exceptions=True)
        await call.until_answered()
        await until(lambda rings=rings: len(_up(rings)) == 1, 2, "the losers to be let go")
        [kept] = _up(rings)
        await talk(call, kept, 820, kept.phone.tone)
        await call.hang_up()
        await kept.until_ended()
        await scene.stack.until_nothing_left()
    logged = await scene.logged(rep, nth=3)
    assert logged.results("user") == ["answered", "answered_elsewhere", "answered_elsewhere"]


def _up(rings: list[Call]) -> list[Call]:
    return [ring for ring in rings if ring.state is not CallState.ENDED]


@pytest.mark.covers("I8")
async def test_a_caller_who_gives_up_stops_every_phone_at_once_and_is_logged_as_missed(scene: Scene):
    rep = await scene.rep(phones=3)
    call = await scene.outside().call(rep.did)
    rings = [await phone.incoming() for phone in rep.phones]
    await call.until_ringing()
    await call.cancel()
    for ring in rings:
        await ring.until_ended()
        assert ring.at.ended - call.at.ended < AT_ONCE_S
        assert ring.final_status == 487
    logged = await scene.logged(rep)
    assert (logged.row.disposition, logged.row.ended_by) == ("missed", "customer")
    assert logged.row.answered_us is None and logged.row.recording_id is None


@pytest.mark.covers("I8")
async def test_a_caller_who_gives_up_at_once_leaves_nothing_ringing(scene: Scene):
    rep = await scene.rep()
    for _ in range(5):
        call = await scene.outside().call(rep.did)
        await call.cancel()
        await call.until_ended()
        await scene.stack.until_nothing_left()
        assert not rep.phone.live_calls


@pytest.mark.covers("I2", "I6")
async def test_ignore_stops_the_phones_and_the_caller_hears_that_the_user_is_unavailable(scene: Scene):
    rep = await scene.rep(phones=2)
    call = await scene.outside().call(rep.did)
    rings = [await phone.incoming() for phone in rep.phones]
    scene.stack.control.ask(await scene.live_call(rep), Ask.IGNORE, rep.id)
    for ring in rings:
        await ring.until_ended(1)
    await call.until_hears(PROMPTS["unavailable"])
    await call.until_ended()
    assert call.final_status == 486
    logged = await scene.logged(rep)
    assert (logged.row.disposition, logged.row.reason) == ("busy", "ignored")


@pytest.mark.covers("I2", "I1")
async def test_an_answer_by_click_is_taken_by_one_phone_that_picks_up_while_the_caller_hears_ringing(scene: Scene):
    rep = await scene.rep(phones=2)
    for phone in rep.phones:
        phone.obeys_auto_answer = True
    call = await scene.outside().call(rep.did)
    rings = [await phone.incoming() for phone in rep.phones]
    assert not any(ring.header("Call-Info") for ring in rings), "they ring until somebody answers"
    await call.until_ringing()
    call_id = await scene.live_call(rep)
    legs = scene.stack.engine.calls.get(call_id).legs.values()
    await until(lambda: all(leg.ringing for leg in legs if leg.role is Role.USER), 2, "both phones to be heard of")
    watch = Stopwatch()
    scene.stack.control.answer(call_id, rep.devices[1], rep.id)
    taken = await rep.phones[1].incoming()
    assert "answer-after=0" in (taken.header("Call-Info") or "")
    for ring in rings:
        assert ring.at.ended is not None and ring.at.ended <= taken.at.invited, "silent before the other rings"
        assert (ring.final_status, ring.cause) == (487, 26)
    await call.until_answered()
    assert watch.granted < 1
    assert {message.status for message in call.provisional} <= {100, 180}, "nothing but ringing until the answer"
    await talk(call, taken, 820, 580)
    assert len(rep.phones[0].calls) == 1, "the other phone is left alone"
    await call.hang_up()
    await taken.until_ended()
    logged = await scene.logged(rep)
    assert (logged.row.disposition, logged.row.device_id) == ("answered", rep.devices[1])
    assert facts(logged, "answer.asked") == [{"device_id": rep.devices[1], "by": rep.id}]
    assert logged.results("user") == ["answered", "cancelled", "cancelled"]


@pytest.mark.covers("I2", "I3")
async def test_a_phone_that_does_not_pick_up_by_itself_rings_on_alone_and_then_the_call_is_forwarded(scene: Scene):
    mobile = scene.outside(tone=900)
    rep = await scene.rep(phones=2, ring_time_s=5, forwarding_number=mobile.number, forward_accept="none")
    call = await scene.outside().call(rep.did)
    rings = [await phone.incoming() for phone in rep.phones]
    scene.stack.control.answer(await scene.live_call(rep), rep.devices[0], rep.id)
    again = await rep.phone.incoming()
    await rings[1].until_ended()
    assert call.at.answered is None and len(rep.phones[1].calls) == 1
    forwarded = await mobile.incoming(within=7)
    await again.until_ended()
    await forwarded.answer()
    await call.until_answered()
    assert {message.status for message in call.provisional} <= {100, 180}
    await talk(call, forwarded, 820, 900)
    await call.hang_up()
    await forwarded.until_ended()


@pytest.mark.covers("I1", "I2")
async def test_a_phone_picked_up_in_the_moment_of_a_click_leaves_exactly_one_that_talks(scene: Scene):
    rep = await scene.rep(phones=2)
    for phone in rep.phones:
        phone.obeys_auto_answer = True
    for _ in range(3):
        call = await scene.outside().call(rep.did)
        ring, _ = await asyncio.gather(*(phone.incoming() for phone in rep.phones))
        call_id = await scene.live_call(rep)
        picked_up = asyncio.ensure_future(ring.answer())
        await asyncio.sleep(0)  # its 200 is on the way
        scene.stack.control.answer(call_id, rep.devices[1], rep.id)
        await call.until_answered()
        await asyncio.wait([picked_up])
        await until(lambda: len(_talking(rep)) == 1, 2, "one phone that talks")
        [kept] = _talking(rep)
        await talk(call, kept, 820, kept.phone.tone)
        await call.hang_up()
        await kept.until_ended()
        await scene.stack.until_nothing_left()
        for phone in rep.phones:
            phone._unseen.clear()


def _talking(rep: Rep) -> list[Call]:
    return [call for phone in rep.phones for call in phone.live_calls if call.state is CallState.ANSWERED]


@pytest.mark.covers("I6")
@pytest.mark.parametrize("status", [486, 603, 600])
async def test_a_phone_that_refuses_makes_the_user_unavailable(scene: Scene, status: int):
    rep = await scene.rep(forwarding_number="+12065551999")
    rep.phone.will_reject(status, after=0.1)
    call = await scene.outside().call(rep.did)
    await call.until_hears(PROMPTS["unavailable"])
    await call.until_ended()
    assert call.final_status == 486
    logged = await scene.logged(rep)
    assert logged.row.disposition == "busy"
    assert logged.row.reason == ("declined" if status == 603 else "busy_phone")


@pytest.mark.covers("I6")
async def test_one_phone_that_is_busy_leaves_the_others_ringing(scene: Scene):
    rep = await scene.rep(phones=2)
    rep.phones[0].will_reject(486)
    call = await scene.outside().call(rep.did)
    ring = await rep.phones[1].incoming()
    await rep.phones[0].incoming()
    await ring.answer()
    await call.until_answered()
    await talk(call, ring, 820, 580)
    await call.hang_up()
    await ring.until_ended()


@pytest.mark.covers("I6")
async def test_a_user_on_a_call_is_unavailable_to_the_next_caller(scene: Scene):
    rep = await scene.rep()
    first = await scene.outside().call(rep.did)
    ring = await rep.phone.incoming()
    await ring.answer()
    await first.until_answered()
    second = await scene.outside(tone=900).call(rep.did)
    await second.until_hears(PROMPTS["unavailable"])
    await second.until_ended()
    assert second.final_status == 486
    assert rep.phone.live_calls == [ring]
    await talk(first, ring, 820, 540)
    await first.hang_up()
    await ring.until_ended()
    logged = await scene.logged(rep, nth=2)
    assert logged.row.reason == "busy"


@pytest.mark.covers("I9")
async def test_a_number_that_nobody_has_is_refused_and_logged(scene: Scene):
    number = "+14155559876"
    call = await scene.outside().call(number)
    await call.until_ended()
    assert call.final_status == 404
    assert call.at.ringing is None
    logged = await scene.stack.logged(did=number)
    assert (logged.row.disposition, logged.row.reason) == ("refused", "unknown_number")
    assert len(logged.legs) == 1


@pytest.mark.covers("I9")
async def test_a_number_without_a_user_says_that_it_is_not_in_service(scene: Scene):
    from crm.services import numbers

    number = f"+1415555{next(_without_user)}"
    await scene.stack.change(lambda work: numbers.add(work, {"number": number}))
    call = await scene.outside().call(number)
    await call.until_hears(PROMPTS["not-in-service"])
    await call.until_ended()
    assert call.final_status == 404
    logged = await scene.stack.logged(did=number)
    assert logged.row.reason == "number_without_user"


@pytest.mark.covers("I9", "TRUST17")
@pytest.mark.parametrize("number", ["h", "s", "i", "t", "14155550101%40evil", "0", "+", "*72", "a" * 200])
async def test_odd_destinations_are_refused_and_ring_nobody(scene: Scene, number: str):
    call = await scene.outside().call(number)
    await call.until_ended()
    assert call.final_status is not None and 400 <= call.final_status < 500
    assert call.at.ringing is None


@pytest.mark.covers("I1")
@pytest.mark.parametrize("written", ["{0}", "{0[1:]}", "national"])
async def test_a_did_is_found_in_whatever_form_the_carrier_writes_it(scene: Scene, written: str):
    rep = await scene.rep()
    number = {"{0}": rep.did, "{0[1:]}": rep.did[1:], "national": rep.did[2:]}[written]
    call = await scene.outside().call(number)
    ring = await rep.phone.incoming()
    await call.cancel()
    await ring.until_ended()
