"""What should stand in the switch of a call as it is now: who hears whom, what is recorded, muted, played.

The one place that says so. After the engine or its link to the switch was away, what stands is compared with it
(:mod:`pbx.core.call.mending`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pbx.core.call.model import Call
from pbx.core.call.states import State
from pbx.core.ids import BridgeId, LegId, PlaybackId, RecordingId, voicemail_id


@dataclass(frozen=True, slots=True)
class Recorded:
    """``track``: only what the leg says, not what it hears."""

    leg: LegId
    paused: bool = False
    track: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """``bridges`` names the legs that must be in each; a leg that is being dialled enters by itself.

    ``answered`` are the legs that came to us and that we have answered; ``message`` is the voicemail that is being
    spoken, or empty.
    """

    bridges: Mapping[BridgeId, tuple[LegId, ...]] = field(default_factory=dict)
    recordings: Mapping[RecordingId, Recorded] = field(default_factory=dict)
    muted: tuple[LegId, ...] = ()
    answered: tuple[LegId, ...] = ()
    playbacks: tuple[PlaybackId, ...] = ()
    message: str = ""


def standing(call: Call) -> Standing:
    if call.state is State.ENDED:
        return Standing()
    return Standing(
        bridges=_bridges(call),
        recordings=_recordings(call),
        muted=tuple(leg.id for leg in call.live_legs() if leg.muted),
        answered=_answered_by_us(call),
        playbacks=tuple(call.after_playback),
        message=voicemail_id(call.id) if call.state is State.MESSAGE else "",
    )


def _bridges(call: Call) -> dict[BridgeId, tuple[LegId, ...]]:
    """Who is held, or waits for somebody to be back, is in a bridge with music. While a number is dialled the caller
    waits in the bridge, so as to hear what comes from there."""
    bridges: dict[BridgeId, tuple[LegId, ...]] = {}
    if call.bridge is not None:
        inside = [leg.id for leg in call.parties() if not leg.hears_music]
        if call.state is State.DIALLING and call.caller.live:
            inside = [call.caller.id]
        bridges[call.bridge] = tuple(inside)
    if call.holding is not None:
        bridges[call.holding] = tuple(leg.id for leg in call.parties() if leg.hears_music)
    return bridges


def _recordings(call: Call) -> dict[RecordingId, Recorded]:
    """The call's own, on the customer's leg while that is there, and each party's track."""
    found: dict[RecordingId, Recorded] = {}
    if call.recording is not None and call.recording_leg is not None and call.legs[call.recording_leg].live:
        found[call.recording] = Recorded(call.recording_leg, call.recording_paused)
    for leg, track in call.tracks.items():
        found[track] = Recorded(leg, call.recording_paused, track=True)
    return found


def _answered_by_us(call: Call) -> tuple[LegId, ...]:
    """A leg that came to us is answered when we say so; one that we made has answered by itself."""
    first = call.legs.get(call.first_leg) if call.first_leg is not None else None
    if first is None or not first.live or not first.answered or not call.caller_waits:
        return ()
    return (first.id,)
