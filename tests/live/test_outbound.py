"""A user calls out: caller id, early media, endings told apart, and a phone rung first (V4 to V6, V13, V15)."""

from __future__ import annotations

import asyncio
import time

import pytest

from crm.errors import Refused
from pbx.core.events import Ask
from tests.live.stage import PROMPTS, Rep, Scene, facts
from tests.support.tones import has_tone
from tests.support.waiting import until


@pytest.mark.covers("V4", "V6", "V13", "V15")
async def test_a_phone_dials_and_both_hear_each_other(scene: Scene):
    rep = await scene.rep()
    customer = scene.outside()
    call = await rep.phone.call(customer.number)
    ring = await customer.incoming()
    assert (ring.called_number, ring.caller_number) == (customer.number, rep.did)
    await call.until_ringing()
    await ring.answer()
    await call.until_answered()
    await asyncio.gather(call.until_hears(820), ring.until_hears(540))
    await call.hang_up()
    await ring.until_ended()
    logged = await scene.logged(rep)
    assert (logged.row.direction, logged.row.disposition, logged.row.via) == ("outbound", "answered", "phone")
    assert (logged.row.did, logged.row.customer_number, logged.row.device_id) == (
        rep.did,
        customer.number,
        rep.devices[0],
    )
    assert logged.row.trunk_id == scene.stack.trunk_id
    assert [leg.role for leg in logged.legs] == ["user", "customer"]
    order = ["call.created", "gate.verdict", "leg.ringing", "call.answered", "call.ended"]
    assert [kind for kind in dict.fromkeys(logged.kinds) if kind in order] == order


@pytest.mark.covers("V4")
@pytest.mark.parametrize("written", ["{e164}", "{national}", "1{national}", "011441212345678"])
async def test_numbers_are_dialled_as_people_write_them(scene: Scene, written: str):
    customer = scene.outside(number="+441212345678" if written.startswith("011") else "")
    rep = await scene.rep()
    call = await rep.phone.call(written.format(e164=customer.number, national=customer.number[2:]))
    ring = await customer.incoming()
    await call.cancel()
    await ring.until_ended()
    logged = await scene.logged(rep)
    assert (logged.row.disposition, logged.row.customer_number) == ("cancelled", customer.number)


LIES = [
    {"caller": "19998887777", "name": "The Bank"},
    {"headers": [("P-Asserted-Identity", "<sip:+19998887777@bank.example>")]},
    {"headers": [("P-Preferred-Identity", "<sip:+19998887777@bank.example>")]},
    {"headers": [("Remote-Party-ID", "<sip:+19998887777@bank.example>;party=calling;privacy=off")]},
    {"headers": [("Privacy", "id;header;user"), ("P-Asserted-Identity", "<sip:+19998887777@bank.example>")]},
    {"headers": [("Diversion", "<sip:+19998887777@bank.example>;reason=unconditional")]},
]


@pytest.mark.covers("V6")
@pytest.mark.parametrize("lie", LIES, ids=["from", "pai", "ppi", "rpid", "privacy", "diversion"])
async def test_nothing_a_phone_sends_changes_the_caller_id(scene: Scene, lie: dict[str, object]):
    rep = await scene.rep()
    customer = scene.outside()
    call = await rep.phone.call(customer.number, **lie)
    if "caller" in lie and not customer.calls:
        await asyncio.wait(
            [asyncio.ensure_future(call.until_ended(3)), asyncio.ensure_future(call.until_ringing(3))],
            return_when=asyncio.FIRST_COMPLETED,
        )
        if call.final_status is not None:  # who claims to be another device is not let in at all
            assert 400 <= call.final_status < 500
            assert not customer.calls
            return
    ring = await customer.incoming()
    assert ring.caller_number == rep.did
    assert ring.asserted_number in (None, rep.did)
    assert "9998887777" not in ring.invite.encode().decode(errors="replace")
    assert (ring.header("Privacy") or "none") == "none"
    await call.cancel()
    await ring.until_ended()


@pytest.mark.covers("V4", "V15")
async def test_early_media_is_heard_both_ways_before_the_answer(scene: Scene):
    rep = await scene.rep()
    customer = scene.outside()
    customer.will_send_early_media()
    call = await rep.phone.call(customer.number)
    ring = await customer.incoming()
    await call.until_early_media()
    await asyncio.gather(call.until_hears(820), ring.until_hears(540))
    assert call.at.answered is None
    await ring.answer()
    await call.until_answered()
    await asyncio.sleep(0.5)
    await asyncio.gather(call.until_hears(820), ring.until_hears(540))
    await ring.hang_up()
    await call.until_ended()
    assert (await scene.logged(rep)).row.ended_by == "customer"


ENDINGS = [
    (486, "busy", 486, 17),
    (603, "rejected", 603, 21),
    (404, "invalid_number", 404, 1),
    (480, "no_answer", 480, 19),
    (403, "rejected", 403, 21),
    (484, "invalid_number", 484, None),
]


@pytest.mark.covers("V4", "V15")
@pytest.mark.parametrize(("status", "disposition", "seen", "cause"), ENDINGS)
async def test_endings_are_told_apart_by_phone_and_log(
    scene: Scene, status: int, disposition: str, seen: int, cause: int | None
):
    rep = await scene.rep()
    customer = scene.outside()
    customer.will_reject(status, after=0.1)
    call = await rep.phone.call(customer.number)
    await call.until_ended()
    logged = await scene.logged(rep)
    assert logged.row.disposition == disposition
    assert len(customer.calls) == 1
    assert call.final_status is not None and call.final_status // 100 in (4, 5, 6)
    assert logged.row.sip_status == status
    if cause is not None:
        assert call.cause in (cause, None), call.reason_header
    assert (call.final_status == 486) is (disposition == "busy")


@pytest.mark.covers("V5", "V15", "V6")
async def test_by_api_a_registered_phone_is_rung_with_auto_answer_then_the_customer(scene: Scene):
    rep = await scene.rep()
    rep.phone.obeys_auto_answer = True
    customer = scene.outside()
    call_id = scene.stack.control.dial(rep.id, customer.number, by=rep.id)
    own = await rep.phone.incoming()
    assert own.caller_number == customer.number
    ring = await customer.incoming()
    assert own.at.answered is not None and own.at.answered < ring.at.invited
    assert ring.caller_number == rep.did
    await own.until_hears(440)  # ringing is heard while the customer's phone rings
    await ring.answer()
    await asyncio.gather(own.until_hears(820), ring.until_hears(540))
    scene.stack.control.ask(call_id, Ask.HANG_UP, rep.id)
    await asyncio.gather(own.until_ended(1), ring.until_ended(1))
    logged = await scene.logged(rep)
    assert (logged.row.id, logged.row.via, logged.row.disposition) == (call_id, "device", "answered")


@pytest.mark.covers("V5", "V6")
async def test_by_api_the_forwarding_phone_is_rung_first_then_the_customer(scene: Scene):
    mobile, customer = scene.outside(tone=900), scene.outside()
    rep = await scene.rep(phones=0, forwarding_number=mobile.number)
    scene.stack.control.dial(rep.id, customer.number, via="forwarding", by=rep.id)
    own = await mobile.incoming()
    assert own.caller_number == rep.did and not customer.calls
    await own.answer()
    ring = await customer.incoming()
    assert ring.caller_number == rep.did
    await ring.answer()
    await asyncio.gather(own.until_hears(820), ring.until_hears(900))
    await own.hang_up()
    await ring.until_ended()
    logged = await scene.logged(rep)
    assert (logged.row.via, logged.row.disposition) == ("forwarding", "answered")


@pytest.mark.covers("V5")
@pytest.mark.parametrize(
    ("status", "prompt"),
    [(486, "call-busy"), (603, "call-rejected"), (480, "call-no-answer"), (404, "number-invalid")],
)
async def test_who_was_rung_first_hears_in_words_why_the_customer_is_not_there(scene: Scene, status: int, prompt: str):
    rep = await scene.rep()
    rep.phone.obeys_auto_answer = True
    customer = scene.outside()
    customer.will_reject(status, after=0.1)
    scene.stack.control.dial(rep.id, customer.number, by=rep.id)
    own = await rep.phone.incoming()
    await own.until_hears(PROMPTS[prompt])
    await own.until_ended()


@pytest.mark.covers("V5")
async def test_the_own_phone_that_declines_or_does_not_exist_dials_nobody(scene: Scene):
    rep = await scene.rep()
    rep.phone.will_reject(603)
    customer = scene.outside()
    scene.stack.control.dial(rep.id, customer.number, by=rep.id)
    logged = await scene.logged(rep)
    assert (logged.row.disposition, logged.row.reason) == ("cancelled", "own_phone_declined")
    bare = await scene.rep(phones=0)
    with pytest.raises(Refused) as refused:
        scene.stack.control.dial(bare.id, customer.number, by=bare.id)
    assert refused.value.code == "no_phone"
    assert not customer.calls


@pytest.mark.covers("V13")
async def test_end_call_ends_it_for_everybody_in_every_state(scene: Scene):
    rep = await scene.rep()
    rep.phone.obeys_auto_answer = True
    customer = scene.outside()
    call_id = scene.stack.control.dial(rep.id, customer.number, by=rep.id)
    own, ring = await rep.phone.incoming(), await customer.incoming()
    scene.stack.control.ask(call_id, Ask.HANG_UP, rep.id)
    await asyncio.gather(own.until_ended(1), ring.until_ended(1))
    assert (await scene.logged(rep)).row.disposition == "cancelled"


@pytest.mark.covers("V15", "I1")
async def test_colleagues_call_each_other_without_any_trunk(scene: Scene):
    caller, called = await scene.rep(), await scene.rep()
    called.phone.tone = 660
    call = await caller.phone.call(called.did)
    ring = await called.phone.incoming()
    await call.until_ringing()
    assert ring.caller_number == caller.did
    await ring.answer()
    await call.until_answered()
    await asyncio.gather(call.until_hears(660), ring.until_hears(540))
    await call.hang_up()
    await ring.until_ended()
    logged = await scene.stack.logged(did=called.did)
    assert logged.row.direction == "internal"
    assert logged.row.trunk_id is None
    assert not facts(logged, "gate.verdict")


def rung_by_api(scene: Scene, caller: Rep, called: Rep, **how: str) -> str:
    called.phone.tone = 660
    return str(scene.stack.control.dial(caller.id, called.did, by=caller.id, **how))


@pytest.mark.covers("V5", "I1")
async def test_by_api_a_colleague_is_rung_inside_after_the_own_phone_and_both_hear_each_other(scene: Scene):
    caller, called = await scene.rep(), await scene.rep(phones=2)
    caller.phone.obeys_auto_answer = True
    call_id = rung_by_api(scene, caller, called)
    own = await caller.phone.incoming()
    assert own.caller_number == called.did
    rings = [await phone.incoming() for phone in called.phones]
    assert own.at.answered is not None and own.at.answered < rings[0].at.invited
    assert {ring.caller_number for ring in rings} == {caller.did}
    await own.until_hears(440)  # ringing is played to the phone that has answered
    await rings[0].answer()
    await asyncio.gather(own.until_hears(660), rings[0].until_hears(540))
    await rings[1].until_ended()
    await own.until_stops_hearing(440)
    assert own.tones([440, 540, 660, 820], last=0.4) == {660}
    await rings[0].hang_up()
    await own.until_ended()
    logged = await scene.stack.logged(did=called.did)
    assert (logged.row.id, logged.row.direction, logged.row.disposition) == (call_id, "internal", "answered")
    assert (logged.row.user_id, logged.row.customer_number, logged.row.trunk_id) == (called.id, caller.did, None)
    assert not facts(logged, "gate.verdict")
    assert not [call for call in scene.stack.carrier.strangers if call.called_number == called.did]
    assert [part.user_id for part in await scene.stack.participants(call_id)] == [called.id, caller.id]


@pytest.mark.covers("V5", "I3")
async def test_by_api_a_colleague_who_does_not_answer_is_forwarded_while_the_caller_hears_ringing(scene: Scene):
    mobile = scene.outside(tone=900)
    caller, called = await scene.rep(), await scene.rep(forwarding_number=mobile.number, ring_time_s=5)
    caller.phone.obeys_auto_answer = True
    rung_by_api(scene, caller, called)
    own, ring = await caller.phone.incoming(), await called.phone.incoming()
    await own.until_hears(440)
    forwarded = await mobile.incoming(within=7)
    await ring.until_ended()
    assert forwarded.caller_number == called.did
    await forwarded.answer()
    await forwarded.until_hears(PROMPTS["accept-forward"])
    await own.until_hears(440, within=5)  # still, in its cadence
    await forwarded.press("1")
    await asyncio.gather(own.until_hears(900), forwarded.until_hears(540))
    await own.hang_up()
    await forwarded.until_ended()
    logged = await scene.stack.logged(did=called.did)
    assert (logged.row.direction, logged.row.via) == ("internal", "forward")


@pytest.mark.covers("V5", "I6", "I7")
async def test_by_api_a_colleague_who_is_busy_is_told_in_words_and_takes_a_message(scene: Scene):
    caller, called = await scene.rep(), await scene.rep(voicemail_enabled=True)
    caller.phone.obeys_auto_answer = True
    talking = await called.phone.call(scene.outside(number="+12065554999").number)
    await talking.until_ringing()
    rung_by_api(scene, caller, called)
    own = await caller.phone.incoming()
    await own.until_hears(PROMPTS["unavailable"])
    await own.until_hears(PROMPTS["voicemail-default-greeting"])
    await own.until_hears(PROMPTS["beep"])
    await asyncio.sleep(1.5)  # the message
    await own.hang_up()
    await talking.cancel()
    logged = await scene.stack.logged(did=called.did, direction="internal")
    assert (logged.row.disposition, logged.row.reason) == ("voicemail", "busy")


@pytest.mark.covers("V5", "V6")
async def test_by_api_through_the_forwarding_phone_a_colleague_is_rung_inside(scene: Scene):
    mobile = scene.outside(tone=900)
    caller, called = await scene.rep(phones=0, forwarding_number=mobile.number), await scene.rep()
    rung_by_api(scene, caller, called, via="forwarding")
    own = await mobile.incoming()
    assert own.caller_number == caller.did and not called.phone.calls
    await own.answer()
    ring = await called.phone.incoming()
    assert ring.caller_number == caller.did
    await ring.answer()
    await asyncio.gather(own.until_hears(660), ring.until_hears(900))
    await own.hang_up()
    await ring.until_ended()
    logged = await scene.stack.logged(did=called.did)
    assert logged.row.direction == "internal"
    assert [verdict["purpose"] for verdict in facts(logged, "gate.verdict")] == ["own_forwarding"]


@pytest.mark.covers("I2")
async def test_an_answer_by_click_does_not_interrupt_the_ringing_that_a_colleague_hears(scene: Scene):
    caller, called = await scene.rep(), await scene.rep()
    caller.phone.obeys_auto_answer = True
    call_id = rung_by_api(scene, caller, called)
    own, ring = await caller.phone.incoming(), await called.phone.incoming()
    await own.until_hears(440)
    asked_at = time.monotonic()
    scene.stack.control.answer(call_id, None, called.id)
    again = await called.phone.incoming()
    await ring.until_ended()
    await until(lambda: time.monotonic() - asked_at > 0.7, 2, "a while in the middle of a burst of ringing")
    for start in (asked_at - 0.1, asked_at + 0.1, asked_at + 0.3):
        assert has_tone(own.heard_between(start, start + 0.2), 440), "one ringing for the one who waits"
    await again.answer()
    await asyncio.gather(own.until_hears(660), again.until_hears(540))
    await own.hang_up()
    await again.until_ended()
