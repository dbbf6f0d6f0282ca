"""A user calls out: from a phone, or by API through a phone that is rung first (V4 to V6, V8, V13, V15, P5)."""

from __future__ import annotations

import pytest

from pbx.core.call import State
from pbx.core.causes import Cause
from pbx.core.commands import Answer, DialOut, HangUp, JoinBridge, Play, Ring, RingPhone, SendDigits
from pbx.core.events import (
    Ask,
    Asked,
    CommandFailed,
    DigitsAsked,
    LegAnswered,
    LegEnded,
    LegRinging,
    NotNow,
    TimerFired,
)
from pbx.core.gate import SENTENCES, Reason
from tests.unit.core.story import DESK, Story, goes_out, leg, mio, requested

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
