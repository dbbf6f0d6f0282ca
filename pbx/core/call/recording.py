"""The recording of a call: one from the answer to the end, whoever comes and goes (V10, C12).

It is taken on the customer's leg, both sides of it. As soon as there is more to tell apart, each party's own voice is
recorded beside it as a track, which goes on when the customer has left.
"""

from __future__ import annotations

from collections.abc import Iterator

from pbx.core.call.model import Call, Leg, Role
from pbx.core.commands import DiscardRecording, PauseRecording, StartRecording, StartTrack, StopRecording
from pbx.core.events import NotNow
from pbx.core.ids import LegId, RecordingId, track_id


def begin(call: Call, customer: Leg) -> None:
    """From the answer on, where the user's plan says so."""
    plan = call.person.recording if call.person else None
    if plan is None or not plan.enabled:
        return
    if plan.withheld:
        call.note("recording.not_started", reason=plan.withheld)
        return
    _start(call, customer)
    if plan.announce:
        call.play(call.open_bridge(), plan.told)
        call.note("recording.announced", prompt=plan.told, rules=list(plan.rules))


def _start(call: Call, customer: Leg | None) -> None:
    call.recording = call.next_recording()
    call.recording_leg = customer.id if customer else None
    if customer is not None:
        call.do(StartRecording(call.recording, customer.id))
    call.note("recording.started", recording=call.recording, leg=customer.id if customer else "")


def tell_apart(call: Call) -> None:
    """A track for each party that has none: before anything is done after which one file would not tell who spoke."""
    if call.recording is None:
        return
    for leg in call.parties():
        if leg.id != call.recording_leg and leg.id not in call.tracks:
            track = call.tracks[leg.id] = track_id(call.recording, leg.id)
            call.do(StartTrack(track, leg.id))
            call.note("recording.track", recording=call.recording, track=track, leg=leg.id, user_id=leg.user_id)
            if call.recording_paused:
                call.do(PauseRecording(track, leg.id, True))


def party_gone(call: Call, leg: Leg) -> None:
    """Its sound ends with its channel."""
    call.tracks.pop(leg.id, None)
    if leg.role is Role.CUSTOMER and leg.on_hold:
        private(call, False)


def private(call: Call, begins: bool) -> None:
    """What users say while the customer is on hold is not for the customer's ears, and stays in or is left out as the
    plan says."""
    if call.recording is None or call.person is None:
        return
    kind = "recording.private_begins" if begins else "recording.private_ends"
    call.note(kind, recording=call.recording, kept=call.person.recording.private_words)


def pause(call: Call, paused: bool, by: str) -> None:
    recording = _running(call)
    if call.recording_paused is paused:
        return
    call.recording_paused = paused
    for name, leg in _sounding(call):
        call.do(PauseRecording(name, leg, paused))
    call.note("recording.paused" if paused else "recording.resumed", recording=recording, by=by)


def erase(call: Call, by: str) -> None:
    """Destroy what was recorded so far; what is said from now on goes into a new recording (V10).

    The new one starts before the old one stops, and in the state of the old one, paused or not.
    """
    old, sounding = _running(call), list(_sounding(call))
    told_apart = bool(call.tracks)
    customer = _recorded(call)
    call.tracks.clear()
    _start(call, customer)
    if call.recording_paused and customer is not None:
        assert call.recording is not None
        call.do(PauseRecording(call.recording, customer.id, True))
    if told_apart:
        tell_apart(call)
    if call.recording_paused:
        call.note("recording.paused", recording=call.recording, by=by)
    for name, leg in sounding:
        call.do(StopRecording(name, leg))
        call.do(DiscardRecording(name))
    call.note("recording.erased", recording=old, by=by)


def _running(call: Call) -> RecordingId:
    if call.recording is None:
        raise NotNow("This call is not being recorded.", "not_recording")
    return call.recording


def _recorded(call: Call) -> Leg | None:
    """The leg whose both sides are recorded, while it is there."""
    leg = call.legs[call.recording_leg] if call.recording_leg is not None else None
    return leg if leg is not None and leg.live else None


def _sounding(call: Call) -> Iterator[tuple[RecordingId, LegId]]:
    """Everything that is being written."""
    recorded = _recorded(call)
    if recorded is not None and call.recording is not None:
        yield call.recording, recorded.id
    for leg, track in call.tracks.items():
        yield track, leg
