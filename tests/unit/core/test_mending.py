"""After nobody listened: what a call missed, and what must be done so that the switch stands as the call says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from pbx.core.call.mending import Ending, Found, Progress, mend, missed, unheard_transfers
from pbx.core.call.standing import standing
from pbx.core.commands import (
    Answer,
    CloseBridge,
    Command,
    DialOut,
    HangUp,
    JoinBridge,
    Mute,
    OpenBridge,
    OpenHolding,
    PauseRecording,
    Play,
    RingPhone,
    StartRecording,
    StartTrack,
    TransferState,
)
from pbx.core.events import (
    Arrived,
    Ask,
    Asked,
    Dialled,
    GuestFound,
    LegAnswered,
    LegEnded,
    LegHeld,
    LegRinging,
    PickedUpInVain,
    PlaybackDone,
    SwitchLost,
    TimerFired,
    TransferAsked,
)
from pbx.core.ids import Instant, bridge_id, playback_id, recording_id
from tests.unit.core.story import CALL, MIO, RECORDED, Story, leg
from tests.unit.core.test_conference import (
    CUSTOMER,
    EXPERT,
    FIRST,
    HOLDING,
    HOST,
    SAM_INVITED,
    SAMS_DESK,
    SECOND,
    SUPPORT,
    hold,
    invites,
    talks,
    three,
)

pytestmark = pytest.mark.covers("P1")
BEGAN = Instant(1_000_000)
BRIDGE, RECORDING = bridge_id(CALL), recording_id(CALL, 1)
UP, RINGING, MADE = Progress.UP, Progress.RINGING, Progress.MADE


def arrived(**person: Any) -> Story:
    return Story(Arrived("PJSIP-1", MIO.did, "+12065550150", "", "tr_a", True, replace(MIO, **person)))


def talking() -> Story:
    return arrived(recording=RECORDED).then(LegAnswered(leg(2))).then(LegEnded(leg(3), 26))


def dialling() -> Story:
    return Story(Dialled("PJSIP-1", "d1", MIO, "+12065550150", "+12065550150"))


def found(**seen: Any) -> Found:
    return Found(**{"up_since": Instant(0), **seen})


def heard(story: Story, what: Found, todo: Sequence[Command] = ()) -> list[object]:
    return [event for event, _ in missed(story.call, BEGAN, what, todo)]


WHOLE = found(
    legs={leg(1): UP, leg(2): UP}, bridges={BRIDGE: frozenset({leg(1), leg(2)})}, recordings=frozenset({RECORDING})
)


def test_a_call_that_stands_as_it_should_is_left_alone() -> None:
    story = talking()
    assert heard(story, WHOLE) == [LegAnswered(leg(1)), LegAnswered(leg(2))]
    story.then(LegAnswered(leg(1))).then(LegAnswered(leg(2)))
    assert story.step == [] and mend(story.call, WHOLE, ()) == []


def test_who_left_is_heard_with_the_moment_before_who_answered() -> None:
    story = arrived()
    seen = found(legs={leg(2): UP}, endings={leg(1): Ending(Instant(7), 127), leg(3): Ending(Instant(5), 17)})
    assert missed(story.call, BEGAN, seen, ())[:2] == [(LegEnded(leg(3), 17), 5), (LegEnded(leg(1), 127), 7)]


def test_a_leg_of_which_nothing_is_known_has_ended_now() -> None:
    assert missed(talking().call, BEGAN, found(legs={leg(1): UP}), ())[0] == (LegEnded(leg(2), 16), None)


def test_of_another_switch_nothing_is_left() -> None:
    assert heard(talking(), found(up_since=Instant(BEGAN + 1))) == [SwitchLost()]


def test_both_who_hung_up_have_left_one_after_the_other_and_nothing_was_interrupted() -> None:
    endings = {leg(1): Ending(Instant(9), 16, True), leg(2): Ending(Instant(8), 16, True)}
    assert heard(talking(), found(endings=endings)) == [LegEnded(leg(2), 16), LegEnded(leg(1), 16)]


def test_a_phone_that_was_picked_up_and_cut_off_rings_again_when_the_other_is_silent() -> None:
    story = arrived()
    seen = found(legs={leg(1): RINGING, leg(3): RINGING}, endings={leg(2): Ending(Instant(9), 16, True)})
    assert PickedUpInVain(leg(2)) in heard(story, seen)
    story.then(PickedUpInVain(leg(2)))
    assert [command.leg for command in story.step if isinstance(command, HangUp)] == [leg(3)]
    story.then(LegEnded(leg(3), 26))
    (again,) = [command for command in story.step if isinstance(command, RingPhone)]
    assert again.dial == MIO.phones[0].dial and again.auto_answer


def test_a_forwarding_number_that_was_picked_up_and_cut_off_is_called_back() -> None:
    story = arrived(phones=())
    story.then(LegRinging(leg(2))).then(PickedUpInVain(leg(2)))
    (again,) = [command for command in story.step if isinstance(command, DialOut)]
    assert again.leg == leg(3) and story.call.state.value == "forwarding"


@pytest.mark.covers("C1", "C4")
def test_a_guests_phone_that_was_picked_up_and_cut_off_rings_again_alone() -> None:
    story = invites(SUPPORT).then(LegRinging(FIRST)).then(PickedUpInVain(FIRST))
    assert [(gone.leg, int(gone.cause)) for gone in story.did(HangUp)] == [(SECOND, 26)]
    (again,) = story.did(RingPhone)
    assert again.dial == SAMS_DESK.phone.dial and again.auto_answer
    story.then(LegAnswered(again.leg))
    assert story.call.guest == again.leg and story.call.legs[again.leg].user_id == "u_2"


@pytest.mark.covers("C3")
def test_a_guest_outside_who_picked_up_and_was_cut_off_is_called_back_by_the_same_way() -> None:
    story = invites(EXPERT, trunks=("tr_a", "tr_b"))
    dialled = story.did(DialOut)[0]
    (again,) = story.then(LegRinging(FIRST)).then(PickedUpInVain(FIRST)).did(DialOut)
    assert (again.dial, again.caller_id) == (dialled.dial, dialled.caller_id) and story.call.invite is not None


@pytest.mark.covers("C9")
def test_who_was_handed_on_hears_no_ringing_for_ever_where_a_guest_that_was_picked_up_in_vain_does_not_come() -> None:
    story = talks().then(TransferAsked(HOST, "102")).then(GuestFound(SAM_INVITED)).then(LegEnded(HOST, 16))
    (again,) = story.then(PickedUpInVain(FIRST)).did(RingPhone)
    story.then(LegEnded(again.leg, 17, 486))
    assert story.fact("transfer.recalled") == {"user_id": "u_1"}


@pytest.mark.covers("C9")
def test_phones_are_told_of_transfers_that_nobody_heard_of_but_not_of_the_one_that_is_under_way() -> None:
    assert {told.leg for told in unheard_transfers(talks().call)} == {CUSTOMER, HOST}
    story = talks().then(TransferAsked(HOST, "102")).then(GuestFound(SAM_INVITED))
    assert unheard_transfers(story.call) == [TransferState(CUSTOMER, "channel_declined")]
    assert unheard_transfers(arrived().call) == [] == unheard_transfers(talks().then(LegEnded(HOST, 16)).call)


def test_phones_that_were_never_rung_are_rung_and_nobody_counts_as_gone() -> None:
    story = arrived()
    seen = found(legs={leg(1): MADE})
    assert heard(story, seen, story.step) == []
    rung = [command.leg for command in mend(story.call, seen, story.step) if isinstance(command, RingPhone)]
    assert rung == [leg(2), leg(3)]


def test_a_phone_that_has_rung_and_ended_is_not_rung_again() -> None:
    story = arrived()
    seen = found(legs={leg(1): MADE, leg(2): RINGING}, endings={leg(3): Ending(Instant(9), 17)})
    assert LegEnded(leg(3), 17) in heard(story, seen, story.step)
    assert not [command for command in mend(story.call, seen, story.step) if isinstance(command, RingPhone)]


@pytest.mark.parametrize(("legs", "inside", "again"), [({}, (), True), ({2: MADE}, (), True), ({2: MADE}, (2,), False)])
def test_a_number_is_dialled_unless_its_leg_is_in_the_bridge_already(
    legs: dict[int, Progress], inside: tuple[int, ...], again: bool
) -> None:
    story = dialling()
    bridges = {BRIDGE: frozenset({leg(1), *(leg(number) for number in inside)})}
    seen = found(legs={leg(1): MADE, **{leg(number): how for number, how in legs.items()}}, bridges=bridges)
    assert any(isinstance(command, DialOut) for command in mend(story.call, seen, story.step)) is again


def test_who_should_hear_each_other_and_does_not_is_joined_answered_and_recorded() -> None:
    story = talking()
    done = mend(story.call, found(legs={leg(1): RINGING, leg(2): UP}), ())
    assert done == [
        Answer(leg(1)),
        OpenBridge(BRIDGE),
        JoinBridge(BRIDGE, (leg(1), leg(2))),
        StartRecording(RECORDING, leg(1)),
    ]


def test_only_who_is_outside_is_joined() -> None:
    seen = replace(WHOLE, bridges={BRIDGE: frozenset({leg(2)})})
    assert mend(talking().call, seen, ()) == [JoinBridge(BRIDGE, (leg(1),))]


def test_muted_and_paused_stay_so() -> None:
    story = talking().then(Asked(Ask.MUTE)).then(Asked(Ask.PAUSE_RECORDING))
    assert mend(story.call, WHOLE, ()) == [PauseRecording(RECORDING, leg(1), True), Mute(leg(2), True)]


def test_what_was_asked_last_and_perhaps_not_done_is_done() -> None:
    story = talking().then(Asked(Ask.MUTE)).then(Asked(Ask.UNMUTE))
    assert mend(story.call, WHOLE, story.step) == [Mute(leg(2), False)]


def test_a_hang_up_that_was_decided_is_carried_out_and_the_bridge_closed() -> None:
    story = talking().then(LegEnded(leg(1), 16))
    assert mend(story.call, replace(WHOLE, legs={leg(2): UP}), ()) == [HangUp(leg(2), 16), CloseBridge(BRIDGE)]  # type: ignore[arg-type]


def test_words_that_were_heard_meanwhile_are_over_and_those_never_begun_are_played() -> None:
    story = arrived().then(Asked(Ask.IGNORE))
    words = playback_id(CALL, 1)
    seen = found(legs={leg(1): MADE})
    assert heard(story, seen) == [LegEnded(leg(2), 16), LegEnded(leg(3), 16), PlaybackDone(words)]
    assert PlaybackDone(words) not in heard(story, seen, story.step)
    assert [command.playback for command in mend(story.call, seen, story.step) if isinstance(command, Play)] == [words]
    assert PlaybackDone(words) not in heard(story, replace(seen, playbacks=frozenset({words})))


def test_nobody_stands_in_a_bridge_while_phones_ring() -> None:
    assert standing(arrived().call).bridges == {BRIDGE: ()}
    assert standing(dialling().call).bridges == {BRIDGE: (leg(1),)}
    assert standing(talking().call).bridges == {BRIDGE: (leg(1), leg(2))}


def test_timers_say_when_they_are_due() -> None:
    story = arrived()
    assert story.call.timers == {"ring": story.now + MIO.ring_time.seconds * 1_000_000}
    story.then(TimerFired("ring"))
    assert set(story.call.timers) == {"forward", "sign"}


def test_of_three_each_is_where_it_should_be_with_a_track_of_its_own() -> None:
    story = three().then(LegEnded(leg(3), 26)).then(LegEnded(leg(5), 26)).then(hold(CUSTOMER))
    seen = found(legs={CUSTOMER: UP, HOST: UP, FIRST: UP}, bridges={BRIDGE: frozenset({CUSTOMER, HOST, FIRST})})
    tracks = {track: part.leg for track, part in standing(story.call).recordings.items() if part.track}
    assert sorted(tracks.values()) == [HOST, FIRST]
    done = mend(story.call, seen, ())
    assert [command for command in done if isinstance(command, OpenHolding | JoinBridge)] == [
        OpenHolding(HOLDING),
        JoinBridge(HOLDING, (CUSTOMER,)),
    ]
    assert {command.track: command.leg for command in done if isinstance(command, StartTrack)} == tracks
    recordings = frozenset(standing(story.call).recordings)
    bridges = {BRIDGE: frozenset({HOST, FIRST}), HOLDING: frozenset({CUSTOMER})}
    assert mend(story.call, replace(seen, bridges=bridges, recordings=recordings), ()) == []


@pytest.mark.covers("C6")
def test_a_phone_that_is_back_or_holds_since_nobody_listened_is_told() -> None:
    story = three().then(LegHeld(HOST, True))
    legs = dict.fromkeys([CUSTOMER, HOST, FIRST], UP)
    seen = found(legs=legs, held={HOST: False, FIRST: True, CUSTOMER: False})
    told = [event for event in heard(story, seen) if isinstance(event, LegHeld)]
    assert told == [LegHeld(HOST, False), LegHeld(FIRST, True)]
