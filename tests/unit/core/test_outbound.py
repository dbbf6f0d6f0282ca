"""A user calls out: from a phone, or by API through a phone that is rung first (V4 to V6, V8, V13, V15, P5)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from pbx.core.call import State
from pbx.core.causes import Cause
from pbx.core.commands import (
    Answer,
    CheckSilence,
    DialOut,
    Explanation,
    HangUp,
    JoinBridge,
    Play,
    Ring,
    RingPhone,
    SendDigits,
    StartTimer,
    StopRinging,
)
from pbx.core.events import (
    Ask,
    Asked,
    CommandFailed,
    DigitsAsked,
    LegAnswered,
    LegEnded,
    LegRinging,
    LegSilent,
    NotNow,
    TimerFired,
)
from pbx.core.gate import SENTENCES, Reason
from tests.unit.core.story import DESK, SAM, VOICEMAIL, Story, goes_out, inside, leg, mio, requested

PHONE, CUSTOMER, AGAIN = leg(1), leg(2), leg(3)


@pytest.mark.covers("V4", "V6", "V15", "P5")
def test_a_desk_phone_dials_through_the_gate_with_its_users_number() -> None:
    story = goes_out()
    [dial] = story.did(DialOut)
    assert [asked.number for asked in story.asked] == ["+12065550150"]
    assert dial.caller_id == "+14155550101", "the DID, whatever the phone sent"
    [join] = story.did(JoinBridge)
    assert join.legs == (PHONE,) and dial.bridge == join.bridge, "early media passes both ways"
    story.then(LegRinging(CUSTOMER)).then(LegAnswered(CUSTOMER))
    assert story.state is State.TALKING and [answer.leg for answer in story.did(Answer)] == [PHONE]


@pytest.mark.covers("P5")
@pytest.mark.parametrize("reason", [reason for reason in Reason if reason not in (Reason.ALLOWED, Reason.EMERGENCY)])
def test_a_refusal_dials_nothing_and_says_why(reason: Reason) -> None:
    for story in (goes_out(refuse=reason), requested(DESK, refuse=reason), requested(None, refuse=reason)):
        assert story.did(DialOut) == [] and story.did(RingPhone) == []
        assert story.fact("call.refused")["sentence"] == SENTENCES[reason]
        assert story.ended["reason"] == reason.value
        [stop] = story.did(HangUp)
        assert stop.sip_status is not None and stop.sip_status >= 400
        if story.call.via != "phone":
            assert stop.because is None, "no phone waits for an answer"
            continue
        overloaded = timedelta(seconds=5) if reason is Reason.OVERLOADED else None
        assert stop.because == Explanation(SENTENCES[reason], overloaded), "SIP says it in the same words"


@pytest.mark.covers("P5", "TRUST24")
def test_an_emergency_call_without_any_trunk_is_told_so_in_words() -> None:
    story = goes_out(trunks=())
    assert story.did(Play)[0].target == PHONE and story.state is State.ANNOUNCING
    assert requested(DESK, trunks=()).ended["disposition"] == "unreachable"


@pytest.mark.covers("V5")
def test_the_users_own_phone_is_rung_first_then_the_customer() -> None:
    story = requested(DESK)
    assert [(ring.leg, ring.auto_answer) for ring in story.did(RingPhone)] == [(PHONE, True)]
    assert story.did(DialOut) == []
    story.then(LegRinging(PHONE)).then(LegAnswered(PHONE))
    assert [dial.leg for dial in story.did(DialOut)] == [CUSTOMER]
    story.then(LegRinging(CUSTOMER))
    assert [ring.leg for ring in story.did(Ring)] == [PHONE], "the user hears that it rings"
    story.then(LegAnswered(CUSTOMER), after_ms=2000)
    assert story.state is State.TALKING
    row = story.then(Asked(Ask.HANG_UP)).record().call
    assert row["ring_ms"] == 2000, "the customer's ringing, not our own phone's"


@pytest.mark.covers("V5", "P5")
def test_the_forwarding_phone_passes_the_gate_too() -> None:
    story = requested(None, trunks=("tr_a", "tr_b"))
    assert [asked.purpose for asked in story.asked] == ["customer", "own_forwarding"]
    assert [dial.dial for dial in story.did(DialOut)] == ["PJSIP/+12065550130@tr_a"]
    story.then(LegEnded(PHONE, 34, 503))
    assert [dial.dial for dial in story.did(DialOut)] == ["PJSIP/+12065550130@tr_b"]
    story.then(LegAnswered(leg(2)))
    assert [dial.dial for dial in story.did(DialOut)] == ["PJSIP/+12065550150@tr_a"]


@pytest.mark.covers("V5")
@pytest.mark.parametrize("event", [TimerFired("own"), LegEnded(PHONE, 17, 486), Asked(Ask.HANG_UP)])
def test_the_customer_is_not_dialled_if_the_user_does_not_answer(event: TimerFired | LegEnded | Asked) -> None:
    story = requested(DESK).then(event)
    assert story.did(DialOut) == [] and story.ended["disposition"] == "cancelled"


@pytest.mark.covers("V5", "I1")
def test_a_colleague_is_rung_inside_once_the_own_phone_has_answered() -> None:
    story = inside(DESK, SAM)
    [own] = story.did(RingPhone)
    assert (own.leg, own.caller_id, own.auto_answer) == (PHONE, SAM.did, True), "it shows who is being called"
    assert story.asked == [] and story.state is State.PREPARING
    story.then(LegRinging(PHONE)).then(LegAnswered(PHONE), after_ms=2000)
    [ring] = story.did(RingPhone)
    assert (ring.leg, ring.dial, ring.caller_id, ring.auto_answer) == (CUSTOMER, "PJSIP/d7/sip:s", mio().did, False)
    assert [each.leg for each in story.did(Ring)] == [PHONE], "ringing is played to the one who waits"
    assert [(timer.name, timer.delay) for timer in story.did(StartTimer)] == [("ring", SAM.ring_time)]
    story.then(LegRinging(CUSTOMER)).then(LegAnswered(CUSTOMER), after_ms=3000)
    assert story.did(Answer) == [] and story.did(JoinBridge)[0].legs == (PHONE, CUSTOMER)
    assert [stop.leg for stop in story.did(StopRinging)] == [PHONE]
    assert story.state is State.TALKING and story.did(DialOut) == [] and story.asked == []
    record = story.then(LegEnded(PHONE, 16)).record()
    row = record.call
    assert (row["direction"], row["user_id"], row["did"]) == ("internal", "u_2", SAM.did)
    assert (row["customer_number"], row["trunk_id"], row["device_id"], row["via"]) == (mio().did, None, "d7", "phone")
    assert (row["ring_ms"], row["ended_by"]) == (3000, "customer"), "the colleague's ringing, not the own phone's"
    people = [(each["role"], each["user_id"], each["phone_number"]) for each in record.participants.values()]
    assert people == [("host", "u_2", None), ("customer", "u_1", mio().did)]


@pytest.mark.covers("V5", "I3", "I5", "I6", "I7")
@pytest.mark.parametrize("why", ["busy", "ring time", "offline", "gone", "voicemail", "declined"])
def test_a_colleague_who_is_not_there_is_forwarded_or_told_as_in_any_call(why: str) -> None:
    person = {
        "busy": replace(SAM, busy=True),
        "offline": replace(SAM, phones=()),
        "gone": None,
        "voicemail": replace(SAM, busy=True, voicemail=VOICEMAIL),
    }.get(why, SAM)
    story = inside(DESK, person).then(LegAnswered(PHONE))
    match why:
        case "ring time":
            story.then(TimerFired("ring"))
        case "declined":
            story.then(LegEnded(CUSTOMER, 21, 603))
    if why in ("ring time", "offline"):
        [dial] = story.did(DialOut)
        assert (story.state, dial.caller_id) == (State.FORWARDING, SAM.did)
        assert [(asked.purpose, asked.user_id) for asked in story.asked] == [("forward", "u_2")]
        return
    [play] = story.did(Play)
    words = {"gone": ("not-in-service",), "voicemail": ("unavailable", "voicemail-default-greeting", "beep")}
    assert (play.target, play.prompts) == (PHONE, words.get(why, ("unavailable",)))
    assert story.did(Answer) == [], "the own phone has answered already"


@pytest.mark.covers("V5", "P5")
def test_to_a_colleague_through_the_forwarding_phone_the_gate_is_asked_about_that_alone() -> None:
    story = inside(None, SAM, trunks=("tr_a", "tr_b"))
    assert [(asked.purpose, asked.number, asked.user_id) for asked in story.asked] == [
        ("own_forwarding", "+12065550130", "u_1")
    ]
    [dial] = story.did(DialOut)
    assert (dial.leg, dial.caller_id) == (PHONE, mio().did)
    [again] = story.then(LegEnded(PHONE, 34, 503)).did(DialOut)
    story.then(LegAnswered(again.leg))
    assert [ring.dial for ring in story.did(RingPhone)] == ["PJSIP/d7/sip:s"] and story.call.caller.id == again.leg
    record = story.record()
    assert {leg["user_id"] for leg in record.legs.values() if leg["role"] == "customer"} == {"u_1"}
    refused = inside(None, SAM, refuse=Reason.PREMIUM)
    assert refused.call.refusal is Reason.PREMIUM and refused.ended["disposition"] == "refused"
    overloaded = inside(DESK, SAM, overloaded=True)
    assert overloaded.did(RingPhone) == [] and overloaded.call.refusal is Reason.OVERLOADED


@pytest.mark.covers("V5", "V13", "I8")
def test_who_calls_a_colleague_may_give_up_at_any_moment() -> None:
    for event in (TimerFired("own"), LegEnded(PHONE, 17, 486), Asked(Ask.HANG_UP, "u_1")):
        story = inside(DESK, SAM).then(event)
        assert story.ended["disposition"] == "cancelled" and len(story.call.legs) == 1
    for event in (Asked(Ask.HANG_UP, "u_1"), LegEnded(PHONE, 16)):
        story = inside(DESK, SAM).then(LegAnswered(PHONE)).then(event)
        assert story.ended["disposition"] == "missed" and CUSTOMER in {stop.leg for stop in story.did(HangUp)}
    story = inside(DESK, SAM).then(LegAnswered(PHONE)).then(Asked(Ask.HANG_UP, "u_2"))
    assert story.did(Play)[0].prompts == ("unavailable",), "the one who is called ignores it"


_ENDINGS = [
    ((17, 486), "busy", "call-busy", Cause.BUSY),
    ((19, 480), "no_answer", "call-no-answer", Cause.NO_ANSWER),
    ((21, 603), "rejected", "call-rejected", Cause.REJECTED),
    ((1, 404), "invalid_number", "number-invalid", Cause.UNALLOCATED),
    ((34, 503), "unreachable", "call-failed", Cause.CONGESTION),
]


@pytest.mark.covers("V4", "V15")
@pytest.mark.parametrize(("ending", "disposition", "words", "cause"), _ENDINGS)
def test_endings_are_told_apart_by_status_by_words_and_in_the_log(
    ending: tuple[int, int], disposition: str, words: str, cause: Cause
) -> None:
    story = goes_out().then(LegEnded(CUSTOMER, *ending))
    assert story.ended["disposition"] == disposition
    assert [(stop.leg, stop.cause, stop.sip_status) for stop in story.did(HangUp)] == [(PHONE, cause, ending[1])]
    answered = requested(DESK).then(LegAnswered(PHONE)).then(LegEnded(CUSTOMER, *ending))
    [play] = answered.did(Play)
    assert play.prompts == (words,) and play.target == PHONE
    gone = answered.then(LegEnded(PHONE, 16))
    assert (gone.ended["disposition"], gone.ended["ended_by"]) == (disposition, "user"), "not 'cancelled'"


def test_ringing_for_too_long_is_no_answer() -> None:
    story = goes_out().then(LegRinging(CUSTOMER)).then(TimerFired("customer"))
    assert story.ended["disposition"] == "no_answer"
    assert {stop.leg for stop in story.did(HangUp)} == {PHONE, CUSTOMER}


@pytest.mark.covers("P5")
def test_a_trunk_that_cannot_is_followed_by_the_next_and_nobody_is_dialled_twice() -> None:
    story = goes_out(trunks=("tr_a", "tr_b")).then(LegEnded(CUSTOMER, 34, 503))
    assert [dial.dial for dial in story.did(DialOut)] == ["PJSIP/+12065550150@tr_b"]
    assert story.fact("trunk.failed")["trunk_id"] == "tr_a"
    for ending in ((17, 486), (21, 603), (1, 404), (16, None), (21, 606)):
        assert goes_out(trunks=("tr_a", "tr_b")).then(LegEnded(CUSTOMER, *ending)).did(DialOut) == []


@pytest.mark.covers("TRUST8")
@pytest.mark.parametrize("story", [goes_out(trunks=("tr_a", "tr_b")), requested(None, trunks=("tr_a", "tr_b"))])
def test_a_trunk_that_says_nothing_is_left_for_the_next_after_it_was_looked_at(story: Story) -> None:
    silent = story.did(DialOut)[0].leg if story.did(DialOut) else CUSTOMER
    assert [look.leg for look in story.then(TimerFired("sign")).did(CheckSilence)] == [silent]
    story.then(LegSilent(silent))
    assert story.fact("trunk.silent")["trunk_id"] == "tr_a"
    assert [(end.leg, end.cause) for end in story.did(HangUp)] == [(silent, 18)]
    assert "tr_b" in story.did(DialOut)[0].dial
    story.then(LegAnswered(silent))
    assert not story.did(JoinBridge), "who answers too late is not in the call"


@pytest.mark.covers("TRUST8")
@pytest.mark.parametrize("sign", [LegRinging(CUSTOMER), LegAnswered(CUSTOMER)])
def test_a_trunk_that_has_said_something_keeps_the_call(sign: LegRinging | LegAnswered) -> None:
    story = goes_out(trunks=("tr_a", "tr_b")).then(sign)
    assert "sign" not in story.call.timers
    assert not story.then(TimerFired("sign")).did(CheckSilence)
    assert not story.then(LegSilent(CUSTOMER)).did(HangUp), "what was looked at before the sign came"


@pytest.mark.covers("TRUST8")
def test_the_last_trunk_is_waited_for_even_if_it_is_silent() -> None:
    story = goes_out(trunks=("tr_a",)).then(TimerFired("sign")).then(LegSilent(CUSTOMER))
    assert story.fact("trunk.silent") and not story.did(HangUp)
    assert story.then(LegRinging(CUSTOMER)).state is State.DIALLING


def test_a_leg_that_could_not_be_made_takes_the_user_into_the_bridge_with_the_next() -> None:
    story = goes_out(trunks=("tr_a", "tr_b"))
    [join] = story.did(JoinBridge)
    story.then(CommandFailed("create", CUSTOMER, "500"))
    [dial] = story.did(DialOut)
    assert join.legs == (PHONE,) and dial.bridge == join.bridge, "else the user sits in silence"
    assert [stop.leg for stop in story.did(HangUp)] == [CUSTOMER], "in case it is there after all"


def test_the_log_names_the_customers_leg_that_talked_not_the_one_that_failed() -> None:
    story = goes_out(trunks=("tr_a", "tr_b")).then(LegEnded(CUSTOMER, 34, 503)).then(LegAnswered(AGAIN))
    assert {row["leg_id"] for row in story.record().participants.values()} == {PHONE, AGAIN}
    assert story.record().call["trunk_id"] == "tr_b"


@pytest.mark.covers("V8")
def test_digits_reach_a_menu_in_early_media() -> None:
    story = goes_out().then(LegRinging(CUSTOMER)).then(DigitsAsked("12#", "u_1"))
    assert [(sent.leg, sent.digits) for sent in story.did(SendDigits)] == [(CUSTOMER, "12#")]
    assert "12#" not in repr(story.facts), "which digits is nobody's business"


@pytest.mark.covers("V8")
@pytest.mark.parametrize("digits", ["", "x", "1" * 65, "1 2", "１"])
def test_only_keys_of_a_telephone_are_sent(digits: str) -> None:
    with pytest.raises(NotNow) as refusal:
        goes_out().then(DigitsAsked(digits))
    assert refusal.value.code == "invalid_digits"


@pytest.mark.covers("V13", "V15")
@pytest.mark.parametrize("event", [LegEnded(PHONE, 127), Asked(Ask.HANG_UP, "u_1")])
def test_the_user_who_gives_up_ends_the_customers_ringing(event: LegEnded | Asked) -> None:
    story: Story = goes_out(mio(phones=())).then(LegRinging(CUSTOMER)).then(event)
    assert CUSTOMER in {stop.leg for stop in story.did(HangUp)} and story.ended["disposition"] == "cancelled"
