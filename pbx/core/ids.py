"""Identifiers that are ours: minted before the request goes out, and telling what they belong to.

A call's id is minted by the runtime (``c_`` and a ULID). Everything inside the call is numbered from it, so
that an event about any of it finds its call by its name alone, after a restart as well.
"""

from __future__ import annotations

from typing import NewType

CallId = NewType("CallId", str)
LegId = NewType("LegId", str)
BridgeId = NewType("BridgeId", str)
PlaybackId = NewType("PlaybackId", str)
RecordingId = NewType("RecordingId", str)
Instant = NewType("Instant", int)
"""Microseconds since the epoch, UTC."""

_SIBLINGS = ("leg_", "br_", "hb_", "pb_", "rec_", "vm_")


def leg_id(call: CallId, number: int) -> LegId:
    return LegId(f"leg_{_stem(call)}_{number}")


def bridge_id(call: CallId) -> BridgeId:
    return BridgeId(f"br_{_stem(call)}")


def holding_id(call: CallId) -> BridgeId:
    """The bridge in which those wait who are on hold."""
    return BridgeId(f"hb_{_stem(call)}")


def is_holding(bridge: BridgeId) -> bool:
    return bridge.startswith("hb_")


def playback_id(call: CallId, number: int) -> PlaybackId:
    return PlaybackId(f"pb_{_stem(call)}_{number}")


def recording_id(call: CallId, number: int) -> RecordingId:
    return RecordingId(f"rec_{_stem(call)}_{number}")


def track_id(recording: RecordingId, leg: LegId) -> RecordingId:
    """One party's own voice, beside the recording that it belongs to."""
    return RecordingId(f"{recording}_t{leg.rsplit('_', 1)[1]}")


def recording_of(track: str) -> tuple[RecordingId, bool]:
    """The recording that a name of sound belongs to, and whether it names a track of it."""
    whole, mark, number = track.rpartition("_t")
    return (RecordingId(whole), True) if mark and number.isdigit() else (RecordingId(track), False)


def voicemail_id(call: CallId) -> str:
    return f"vm_{_stem(call)}"


def call_of(name: str) -> CallId | None:
    """The call that an id of ours belongs to; None for ids that Asterisk gave."""
    if name.startswith("c_"):
        return CallId(name)
    for prefix in _SIBLINGS:
        if name.startswith(prefix):
            return CallId("c_" + name[len(prefix) :].split("_", 1)[0])
    return None


def _stem(call: CallId) -> str:
    return call[2:]
