"""The call stands: recording, digits, hold, the end (V8, V10, V13)."""

from __future__ import annotations

import pytest

from pbx.core.call import State
from pbx.core.commands import (
    CloseBridge,
    DiscardRecording,
    HangUp,
    Mute,
    PauseRecording,
    Play,
    SendDigits,
    StartRecording,
    StopRecording,
)
from pbx.core.events import (
    Ask,
    Asked,
    CommandFailed,
    DigitsAsked,
    LegAnswered,
    LegEnded,
    LegHeld,
    NotNow,
    RecordingPlan,
    TimerFired,
)
from tests.unit.core.story import RECORDED, Story, comes_in, goes_out, leg, mio

CALLER, PHONE = leg(1), leg(2)


def talks(recording: RecordingPlan = RECORDED) -> Story:
    return comes_in(mio(recording=recording)).then(LegAnswered(PHONE))


@pytest.mark.covers("V10")
def test_recording_starts_at_the_answer_on_the_customers_side() -> None:
    story = talks()
    assert [start.leg for start in story.did(StartRecording)] == [CALLER]
    assert story.record().call["recording_state"] == "recording"
    out = goes_out(mio(recording=RECORDED)).then(LegAnswered(leg(2)))
    assert [start.leg for start in out.did(StartRecording)] == [leg(2)]
    assert talks(RecordingPlan()).did(StartRecording) == []


@pytest.mark.covers("V10")
def test_an_announced_recording_is_heard_by_both() -> None:
    story = talks(RecordingPlan(enabled=True, announce=True))
    assert story.did(Play)[0].target == story.call.bridge and "recording.announced" in story.kinds()


@pytest.mark.covers("V10")
def test_pause_and_resume_show_and_repeat_harmlessly() -> None:
    story = talks().then(Asked(Ask.PAUSE_RECORDING, "u_1"))
    assert [pause.paused for pause in story.did(PauseRecording)] == [True]
    assert story.record().call["recording_state"] == "paused"
    assert story.then(Asked(Ask.PAUSE_RECORDING)).step == []
    story.then(Asked(Ask.RESUME_RECORDING))
    assert [pause.paused for pause in story.did(PauseRecording)] == [False]


@pytest.mark.covers("V10")
@pytest.mark.parametrize("paused", [False, True])
def test_erase_destroys_what_was_recorded_and_goes_on_in_the_same_state(paused: bool) -> None:
    story = talks()
    old = story.did(StartRecording)[0].recording
    if paused:
        story.then(Asked(Ask.PAUSE_RECORDING))
    story.then(Asked(Ask.ERASE_RECORDING, "u_1"))
    [new] = [start.recording for start in story.did(StartRecording)]
    assert [stop.recording for stop in story.did(StopRecording)] == [old]
    assert [gone.recording for gone in story.did(DiscardRecording)] == [old] and new != old
    assert [(pause.recording, pause.paused) for pause in story.did(PauseRecording)] == [(new, True)] * paused
    record = story.record()
    assert record.recordings[old]["state"] == "erased"
    assert record.call["recording_state"] == ("paused" if paused else "recording")
    assert story.fact("recording.erased") == {"recording": old, "by": "u_1"}


@pytest.mark.covers("V10")
@pytest.mark.parametrize("ask", [Ask.PAUSE_RECORDING, Ask.RESUME_RECORDING, Ask.ERASE_RECORDING])
def test_a_call_that_is_not_recorded_says_so(ask: Ask) -> None:
    with pytest.raises(NotNow) as refusal:
        talks(RecordingPlan()).then(Asked(ask))
    assert refusal.value.code == "not_recording"


@pytest.mark.covers("V9")
def test_our_users_voice_is_off_until_it_is_on_again_and_everybody_sees_it() -> None:
    story = talks().then(Asked(Ask.MUTE, "u_1"))
    assert [(mute.leg, mute.muted) for mute in story.did(Mute)] == [(PHONE, True)]
    assert story.record().muted and story.fact("leg.muted") == {"leg": PHONE, "by": "u_1"}
    assert story.then(Asked(Ask.MUTE)).step == [], "muted already"
    story.then(Asked(Ask.UNMUTE))
    assert [mute.muted for mute in story.did(Mute)] == [False] and not story.record().muted


@pytest.mark.covers("V13")
@pytest.mark.parametrize(
    "event", [Asked(Ask.HANG_UP, "u_1"), LegEnded(CALLER, 16), LegEnded(PHONE, 16), TimerFired("longest")]
)
def test_the_end_is_the_end_for_everybody(event: Asked | LegEnded | TimerFired) -> None:
    story = talks().then(event)
    assert story.ended["disposition"] == "answered"
    assert story.did(CloseBridge) and {"recording.stopped", "call.ended"} <= set(story.kinds())
    gone = {event.leg} if isinstance(event, LegEnded) else set()
    assert {stop.leg for stop in story.did(HangUp)} == {CALLER, PHONE} - gone


@pytest.mark.covers("V8")
def test_digits_go_to_the_customer() -> None:
    assert [sent.leg for sent in talks().then(DigitsAsked("1")).did(SendDigits)] == [CALLER]


def test_a_phones_own_hold_is_logged_once() -> None:
    story = talks().then(LegHeld(PHONE, True)).then(LegHeld(PHONE, True)).then(LegHeld(PHONE, False))
    assert [kind for kind in story.kinds() if "held" in kind] == ["leg.held", "leg.unheld"]
    assert story.state is State.TALKING


def test_two_who_cannot_be_joined_are_not_left_in_silence() -> None:
    story = talks().then(CommandFailed("join", PHONE, "500"))
    assert {stop.leg for stop in story.did(HangUp)} == {CALLER, PHONE}


def test_an_answered_call_is_neither_forwarded_nor_ignored() -> None:
    with pytest.raises(NotNow, match="answered already"):
        talks().then(Asked(Ask.FORWARD))


@pytest.mark.covers("V10", "TRUST6")
def test_a_recording_that_there_is_no_room_for_is_not_begun_and_the_history_says_why() -> None:
    story = talks(RecordingPlan(enabled=True, announce=True, withheld="disk_low"))
    assert story.state is State.TALKING and not story.did(StartRecording) and not story.did(Play)
    assert story.fact("recording.not_started") == {"reason": "disk_low"}
    assert story.record().call["recording_state"] == "not_started" and story.record().recordings == {}
    with pytest.raises(NotNow):
        story.then(Asked(Ask.PAUSE_RECORDING))
