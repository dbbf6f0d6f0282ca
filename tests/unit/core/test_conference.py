"""Three in a conversation, told as stories (C1 to C13)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from pbx.core.call import Role, State
from pbx.core.commands import (
    CheckSilence,
    CloseBridge,
    DialOut,
    DiscardRecording,
    GiveBackRoute,
    HangUp,
    JoinBridge,
    Mute,
    OpenHolding,
    PauseRecording,
    RingPhone,
    SendDigits,
    StartRecording,
    StartTrack,
    StopRecording,
)
from pbx.core.events import (
    Arrived,
    Ask,
    Asked,
    DigitsAsked,
    Event,
    Guest,
    GuestKind,
    GuestPhone,
    InviteAsked,
    LegAnswered,
    LegEnded,
    LegHeld,
    LegRinging,
    LegSilent,
    NotNow,
    PartyAsk,
    PartyAsked,
    Phone,
    RecordingPlan,
    TimerFired,
)
from pbx.core.gate import Reason
from pbx.core.ids import bridge_id, holding_id
from tests.unit.core.story import CALL, RECORDED, SAM, Story, comes_in, goes_out, leg, mio

CUSTOMER, HOST, FIRST, SECOND = leg(1), leg(2), leg(4), leg(5)
BRIDGE, HOLDING = bridge_id(CALL), holding_id(CALL)
SAMS_DESK, SAMS_BROWSER = (GuestPhone("u_2", Phone(f"d_{n}", f"PJSIP/d_{n}/sip:s")) for n in ("desk", "web"))
KIMS_DESK = GuestPhone("u_3", Phone("d_kim", "PJSIP/d_kim/sip:k"))
SAM_INVITED = Guest(GuestKind.USER, "u_2", "Sam", SAM.did, (SAMS_DESK, SAMS_BROWSER))
SUPPORT = Guest(GuestKind.GROUP, "g_1", "Support", phones=(SAMS_DESK, KIMS_DESK))
EXPERT = Guest(GuestKind.NUMBER, "+12065550199", "", "+12065550199")
ALONE = timedelta(minutes=10)


def talks(recording: RecordingPlan = RECORDED, **how: Any) -> Story:
    """The customer (leg 1) and Mio's desk phone (leg 2); the softphone was leg 3."""
    story = comes_in(mio(recording=recording), **how)
    return story.then(LegAnswered(HOST))


def invites(guest: Guest = SAM_INVITED, **how: Any) -> Story:
    return talks(**how).then(InviteAsked(guest, "u_1"))


def three(guest: Guest = SAM_INVITED, unattended: timedelta = timedelta(0), **how: Any) -> Story:
    return talks(**how).then(InviteAsked(guest, "u_1", unattended=unattended)).then(LegAnswered(FIRST))


def hold(party: Any, by: str = "u_1") -> PartyAsked:
    return PartyAsked(PartyAsk.HOLD, party, by)


def unhold(party: Any, by: str = "u_1") -> PartyAsked:
    return PartyAsked(PartyAsk.UNHOLD, party, by)


def refused(story: Story, event: Event) -> str:
    with pytest.raises(NotNow) as refusal:
        story.then(event)
    assert story.call.out == []
    return refusal.value.code


def live(story: Story) -> set[str]:
    return {each.id for each in story.call.live_legs()}


# -- inviting --------------------------------------------------------------------------------------


@pytest.mark.covers("C1", "C3", "C5")
def test_all_phones_of_an_invited_user_ring_and_nothing_else_changes() -> None:
    story = invites()
    assert [ring.dial for ring in story.did(RingPhone)] == [SAMS_DESK.phone.dial, SAMS_BROWSER.phone.dial]
    assert not story.did(JoinBridge) and not story.did(DialOut) and not story.did(HangUp)
    assert story.asked == [], "nothing leaves the house: no gate, no forwarding number"
    shown = story.record().now
    assert shown.invite is not None and shown.invite["name"] == "Sam" and not shown.invite["ringing"]
    story.then(LegRinging(FIRST))
    ringing = story.record().now.invite
    assert ringing is not None and ringing["ringing"]


@pytest.mark.covers("C1", "C3")
def test_the_first_phone_to_answer_joins_and_the_others_stop() -> None:
    story = invites().then(LegAnswered(SECOND))
    assert story.did(JoinBridge) == [JoinBridge(BRIDGE, (SECOND,))]
    assert [(gone.leg, int(gone.cause)) for gone in story.did(HangUp)] == [(FIRST, 26)]
    assert story.fact("guest.joined") == {"leg": SECOND, "user_id": "u_2", "number": "", "name": "Sam"}
    record = story.record()
    assert [each["role"] for each in record.participants.values()] == ["host", "customer", "guest"]
    assert record.now.guest == SECOND and record.now.invite is None and record.call["user_id"] == "u_1"


@pytest.mark.covers("C3")
def test_a_group_is_its_first_to_answer() -> None:
    story = invites(SUPPORT)
    assert len(story.did(RingPhone)) == 2
    story.then(LegAnswered(SECOND))
    assert story.fact("guest.joined")["user_id"] == "u_3" and [gone.leg for gone in story.did(HangUp)] == [FIRST]


@pytest.mark.covers("C3", "P5")
def test_an_outside_guest_goes_through_the_gate_in_the_hosts_name() -> None:
    story = invites(EXPERT)
    assert [(asked.purpose, asked.number, asked.user_id) for asked in story.asked] == [
        ("invite", "+12065550199", "u_1")
    ]
    [dial] = story.did(DialOut)
    assert dial.caller_id == "+14155550101" and dial.bridge is None
    story.then(LegAnswered(FIRST))
    assert story.did(JoinBridge) == [JoinBridge(BRIDGE, (FIRST,))]
    story.then(LegEnded(FIRST, 16))
    assert story.state is State.TALKING and story.did(GiveBackRoute) == [GiveBackRoute("invite")]


@pytest.mark.covers("C3", "P5")
def test_a_number_that_may_not_be_called_is_not_invited_either() -> None:
    story = talks()
    story.refuse = Reason.PREMIUM
    story.then(InviteAsked(EXPERT, "u_1"))
    assert story.did(DialOut) == [] and story.call.invite is None and story.call.refusal is Reason.PREMIUM
    assert story.fact("invite.ended")["reason"] == Reason.PREMIUM.value and story.state is State.TALKING


@pytest.mark.covers("C3", "TRUST8")
def test_a_trunk_that_says_nothing_to_an_outside_guest_is_left_for_the_next() -> None:
    story = talks(trunks=("tr_a", "tr_b")).then(InviteAsked(EXPERT, "u_1")).then(TimerFired("sign"))
    assert [look.leg for look in story.did(CheckSilence)] == [FIRST]
    story.then(LegSilent(FIRST))
    assert [end.leg for end in story.did(HangUp)] == [FIRST] and "tr_b" in story.did(DialOut)[0].dial
    assert story.state is State.TALKING
    assert not story.then(LegSilent(SECOND)).did(HangUp), "of the last trunk nobody lets go"


@pytest.mark.covers("C3")
def test_an_outside_guest_is_tried_on_the_next_trunk_but_rung_once() -> None:
    story = talks(trunks=("tr_a", "tr_b")).then(InviteAsked(EXPERT, "u_1")).then(LegEnded(FIRST, 34, 503))
    assert [dial.dial for dial in story.did(DialOut)] == ["PJSIP/+12065550199@tr_b"]
    story.then(LegEnded(SECOND, 17, 486))
    assert story.fact("invite.ended")["result"] == "busy" and not story.did(DialOut)


@pytest.mark.covers("C2")
def test_one_guest_at_a_time_and_another_when_the_guest_has_gone() -> None:
    story = invites()
    assert refused(story, InviteAsked(EXPERT, "u_1")) == "invite_pending"
    story.then(LegAnswered(FIRST))
    assert refused(story, InviteAsked(EXPERT, "u_1")) == "guest_present"
    story.then(LegEnded(FIRST, 16)).then(InviteAsked(EXPERT, "u_1"))
    assert story.did(DialOut)


@pytest.mark.covers("C4")
@pytest.mark.parametrize(
    ("endings", "result"),
    [
        ([(17, 486), (17, 486)], "busy"),
        ([(21, 603)], "declined"),
        ([(21, 403), (19, 480)], "declined"),
        ([(19, 480), (19, 480)], "no_answer"),
        ([(20, None), (20, None)], "unreachable"),
    ],
)
def test_why_an_invitation_came_to_nothing_is_told_apart(endings: list[tuple[int, int | None]], result: str) -> None:
    story = invites()
    for name, ending in zip((FIRST, SECOND), endings, strict=False):
        story.then(LegEnded(name, *ending))
    assert story.fact("invite.ended")["result"] == result and story.state is State.TALKING
    last = story.record().now.last_invite
    assert last is not None and last["result"] == result
    assert live(story) == {CUSTOMER, HOST}


@pytest.mark.covers("C4")
def test_the_host_cancels_and_nobody_answers_in_time() -> None:
    story = invites().then(Asked(Ask.CANCEL_INVITE, "u_1"))
    assert {gone.leg for gone in story.did(HangUp)} == {FIRST, SECOND}
    assert story.fact("invite.ended")["result"] == "cancelled"
    assert refused(story, Asked(Ask.CANCEL_INVITE, "u_1")) == "no_invite"
    story = invites().then(TimerFired("invite"))
    assert story.fact("invite.ended")["result"] == "no_answer" and len(story.did(HangUp)) == 2


@pytest.mark.covers("C4", "C5")
def test_an_invited_user_declines_by_click_and_the_others_of_the_group_ring_on() -> None:
    story = invites(SUPPORT).then(Asked(Ask.IGNORE, "u_2"))
    assert [gone.leg for gone in story.did(HangUp)] == [FIRST] and story.call.invite is not None
    assert refused(story, Asked(Ask.IGNORE, "u_2")) == "not_ringing"
    story.then(Asked(Ask.IGNORE, "u_3"))
    assert story.fact("invite.ended")["result"] == "declined"


@pytest.mark.covers("C3", "C4")
@pytest.mark.parametrize(
    ("guest", "code"),
    [
        (Guest(GuestKind.USER, "u_2", "Sam", phones=(SAMS_DESK,), busy=True), "guest_busy"),
        (Guest(GuestKind.USER, "u_2", "Sam"), "guest_unreachable"),
        (Guest(GuestKind.USER, "u_1", "Mio", phones=(GuestPhone("u_1", Phone("d1", "x")),)), "already_in_call"),
        (Guest(GuestKind.GROUP, "g_1", "Support"), "guest_unreachable"),
    ],
)
def test_who_cannot_be_reached_is_said_at_once(guest: Guest, code: str) -> None:
    assert refused(talks(), InviteAsked(guest, "u_1")) == code


@pytest.mark.covers("C1")
def test_the_one_of_two_colleagues_who_invites_is_the_host() -> None:
    story = Story(_from_sam()).then(LegAnswered(HOST))
    assert story.call.host == HOST
    story.then(InviteAsked(EXPERT, "u_2"))
    assert story.call.host == CUSTOMER and story.asked[-1].user_id == "u_2"
    assert refused(story, Asked(Ask.CANCEL_INVITE, "u_1")) == "host_only"


def _from_sam() -> Arrived:
    return Arrived("PJSIP-1", "+14155550101", SAM.did, "Sam", "", True, mio(), from_user="u_2", from_device="d7")


# -- holding ---------------------------------------------------------------------------------------


@pytest.mark.covers("C6")
def test_the_customer_is_held_for_a_private_word_and_taken_back() -> None:
    story = three().then(hold(CUSTOMER))
    assert story.did(OpenHolding) == [OpenHolding(HOLDING)]
    assert story.did(JoinBridge) == [JoinBridge(HOLDING, (CUSTOMER,))]
    assert story.record().now.held == {CUSTOMER: "u_1"}
    assert story.then(hold(CUSTOMER)).step == [], "held already"
    story.then(hold(FIRST))
    assert not story.did(OpenHolding) and story.did(JoinBridge) == [JoinBridge(HOLDING, (FIRST,))], "two at once"
    story.then(unhold(CUSTOMER))
    assert story.did(JoinBridge) == [JoinBridge(BRIDGE, (CUSTOMER,))] and story.record().now.held == {FIRST: "u_1"}


@pytest.mark.covers("C6")
def test_the_customer_can_be_held_before_and_while_the_guest_is_rung() -> None:
    story = talks().then(hold(CUSTOMER)).then(InviteAsked(SAM_INVITED, "u_1")).then(LegAnswered(FIRST))
    assert story.did(JoinBridge) == [JoinBridge(BRIDGE, (FIRST,))]
    assert story.record().now.held == {CUSTOMER: "u_1"}


@pytest.mark.covers("C6")
def test_a_phone_that_holds_itself_is_seen_as_held() -> None:
    story = three().then(LegHeld(FIRST, True))
    assert story.record().now.holding == [FIRST] and not story.did(JoinBridge)
    assert story.then(LegHeld(FIRST, False)).record().now.holding == []


# -- leaving ---------------------------------------------------------------------------------------


@pytest.mark.covers("C7")
@pytest.mark.parametrize("gone", [CUSTOMER, FIRST])
def test_one_is_dropped_and_the_others_talk_on(gone: Any) -> None:
    story = three().then(PartyAsked(PartyAsk.KICK, gone, "u_1"))
    assert [each.leg for each in story.did(HangUp)] == [gone] and story.state is State.TALKING
    assert len(live(story)) == 2 and story.fact("party.left")["how"] == "kicked"


@pytest.mark.covers("C8")
@pytest.mark.parametrize("gone", [CUSTOMER, FIRST])
def test_who_leaves_leaves_two_and_the_next_ends_the_call(gone: Any) -> None:
    story = three().then(LegEnded(gone, 16))
    assert story.state is State.TALKING
    story.then(LegEnded(HOST, 16))
    assert story.state is State.ENDED and live(story) == set()


@pytest.mark.covers("C9")
@pytest.mark.parametrize("event", [LegEnded(HOST, 16), Asked(Ask.LEAVE, "u_1")])
def test_the_guest_becomes_host_in_the_same_step(event: Event) -> None:
    story = three().then(event)
    assert story.state is State.TALKING and story.call.host == FIRST
    record = story.record()
    assert record.now.host == FIRST and record.now.guest == ""
    assert record.call["user_id"] == "u_1", "the record stays the first host's"
    assert record.participants[FIRST]["role"] == "host" and record.participants[HOST]["left_us"] is not None
    assert not story.did(StopRecording) and record.call["recording_state"] == "recording"
    story.then(InviteAsked(EXPERT, "u_2"))
    assert story.did(DialOut), "with the host's controls"


@pytest.mark.covers("C9")
def test_a_held_guest_who_becomes_host_hears_the_others() -> None:
    story = three().then(hold(FIRST)).then(Asked(Ask.LEAVE, "u_1"))
    assert JoinBridge(BRIDGE, (FIRST,)) in story.did(JoinBridge) and story.record().now.held == {}


@pytest.mark.covers("C9")
def test_without_a_user_the_call_goes_on_only_where_and_as_long_as_the_setting_says() -> None:
    story = three(EXPERT)
    assert refused(story, Asked(Ask.LEAVE, "u_1")) == "nobody_to_take_over"
    assert story.then(LegEnded(HOST, 16)).state is State.ENDED and story.ended["reason"] == "host_left"
    story = three(EXPERT, ALONE).then(hold(CUSTOMER)).then(Asked(Ask.LEAVE, "u_1"))
    assert story.state is State.TALKING and story.call.host is None
    assert JoinBridge(BRIDGE, (CUSTOMER,)) in story.did(JoinBridge), "nobody is left to take the customer back"
    assert story.record().now.unattended
    assert story.then(TimerFired("unattended")).ended["reason"] == "unattended"


@pytest.mark.covers("C10", "C11")
def test_end_for_all_ends_every_leg_and_is_the_hosts() -> None:
    story = three().then(hold(CUSTOMER))
    assert refused(story, Asked(Ask.HANG_UP, "u_2")) == "host_only"
    story.then(Asked(Ask.HANG_UP, "u_1"))
    assert {gone.leg for gone in story.did(HangUp)} == {CUSTOMER, HOST, FIRST}
    assert {closed.bridge for closed in story.did(CloseBridge)} == {BRIDGE, HOLDING}
    assert story.ended["ended_by"] == "u_1"


@pytest.mark.covers("C11")
@pytest.mark.parametrize(
    "event",
    [
        InviteAsked(EXPERT, "u_2"),
        hold(CUSTOMER, "u_2"),
        unhold(CUSTOMER, "u_2"),
        PartyAsked(PartyAsk.KICK, CUSTOMER, "u_2"),
        PartyAsked(PartyAsk.KICK, HOST, "u_2"),
        Asked(Ask.HANG_UP, "u_2"),
        Asked(Ask.CANCEL_INVITE, "u_2"),
        Asked(Ask.PAUSE_RECORDING, "u_2"),
        Asked(Ask.ERASE_RECORDING, "u_2"),
    ],
)
def test_what_a_guest_may_not_do_is_refused(event: Event) -> None:
    story = three()
    before = story.record()
    assert refused(story, event) == "host_only"
    assert story.record() == before


@pytest.mark.covers("C11")
def test_a_guest_mutes_and_leaves_and_an_admin_acts_for_the_host() -> None:
    story = three().then(Asked(Ask.MUTE, "u_2"))
    assert story.did(Mute) == [Mute(FIRST, True)]
    story.then(PartyAsked(PartyAsk.HOLD, CUSTOMER, "u_9", admin=True))
    assert story.did(JoinBridge)
    story.then(Asked(Ask.LEAVE, "u_2"))
    assert live(story) == {CUSTOMER, HOST} and story.state is State.TALKING


@pytest.mark.covers("C11", "V8", "V9")
@pytest.mark.parametrize("event", [Asked(Ask.MUTE, "u_2"), Asked(Ask.UNMUTE, "u_2"), DigitsAsked("1", "u_2")])
def test_who_is_only_rung_or_has_left_mutes_nobody_and_presses_no_keys(event: Event) -> None:
    assert refused(invites(), event) == "host_only"
    assert refused(three().then(Asked(Ask.LEAVE, "u_2")), event) == "host_only"


@pytest.mark.covers("C9", "C11")
@pytest.mark.parametrize("event", [Asked(Ask.MUTE, "u_1"), DigitsAsked("1", "u_1"), Asked(Ask.PAUSE_RECORDING, "u_1")])
def test_a_host_who_has_left_says_nothing_any_more(event: Event) -> None:
    assert refused(three().then(Asked(Ask.LEAVE, "u_1")), event) == "host_only"


@pytest.mark.covers("C11", "V8")
def test_a_guest_and_an_admin_press_keys() -> None:
    for event in (DigitsAsked("1", "u_2"), DigitsAsked("1", "u_9", admin=True)):
        assert [sent.leg for sent in three().then(event).did(SendDigits)] == [CUSTOMER]


# -- recording -------------------------------------------------------------------------------------


@pytest.mark.covers("C12")
def test_each_party_is_recorded_apart_from_before_the_first_change() -> None:
    story = invites()
    assert [track.leg for track in story.did(StartTrack)] == [HOST]
    story.then(LegAnswered(FIRST))
    assert [track.leg for track in story.did(StartTrack)] == [FIRST]
    tracks = story.record().recordings[story.call.recording]["tracks"]  # type: ignore[index]
    assert [(track["leg"], track["user_id"]) for track in tracks] == [(HOST, "u_1"), (FIRST, "u_2")]
    assert [track["offset_ms"] for track in tracks] == [10, 20]


@pytest.mark.covers("C12")
def test_private_words_are_marked_as_kept_or_left_out() -> None:
    for kept in (True, False):
        story = three(recording=RecordingPlan(enabled=True, private_words=kept))
        story.then(hold(CUSTOMER), after_ms=500).then(unhold(CUSTOMER), after_ms=700)
        [part] = story.record().recordings[story.call.recording]["private"]  # type: ignore[index]
        assert part["kept"] is kept and part["to_ms"] - part["from_ms"] == 700


@pytest.mark.covers("C12")
def test_private_words_end_when_the_held_customer_goes() -> None:
    story = three().then(hold(CUSTOMER)).then(LegEnded(CUSTOMER, 16))
    [part] = story.record().recordings[story.call.recording]["private"]  # type: ignore[index]
    assert part["to_ms"] is not None


@pytest.mark.covers("C12", "V10")
def test_pause_and_erase_are_for_every_track() -> None:
    story = three().then(Asked(Ask.PAUSE_RECORDING, "u_1"))
    assert {pause.leg for pause in story.did(PauseRecording)} == {CUSTOMER, HOST, FIRST}
    story.then(Asked(Ask.RESUME_RECORDING, "u_1")).then(Asked(Ask.ERASE_RECORDING, "u_1"))
    assert len(story.did(StopRecording)) == 3 and len(story.did(DiscardRecording)) == 3
    assert [start.leg for start in story.did(StartRecording)] == [CUSTOMER]
    assert {track.leg for track in story.did(StartTrack)} == {HOST, FIRST}


@pytest.mark.covers("C12")
def test_the_recording_goes_on_without_the_customer() -> None:
    story = three().then(LegEnded(CUSTOMER, 16))
    assert set(story.call.tracks) == {HOST, FIRST} and story.record().call["recording_state"] == "recording"
    story.then(Asked(Ask.ERASE_RECORDING, "u_1"))
    assert story.did(StartRecording) == [] and {track.leg for track in story.did(StartTrack)} == {HOST, FIRST}


def test_outbound_calls_are_conferences_too() -> None:
    story = goes_out(mio(recording=RECORDED)).then(LegAnswered(leg(2))).then(InviteAsked(SAM_INVITED, "u_1"))
    story.then(LegAnswered(leg(3)))
    assert len(story.call.parties()) == 3 and story.call.legs[leg(3)].role is Role.GUEST
