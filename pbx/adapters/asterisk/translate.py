"""ARI's events in the core's words.

Measured (Asterisk 22.10.1): a leg that was originated is of use from its StasisStart on; one that was created
and dialled is in Stasis from the start and answers by ChannelStateChange Up. Busy comes without a Dial event: of a leg
that we made ChannelDestroyed tells the end and its cause, of a channel that came to us StasisEnd.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pbx.core.events import (
    DigitPressed,
    Event,
    LegAnswered,
    LegEnded,
    LegHeld,
    LegRinging,
    MessageRecorded,
    PlaybackDone,
    TransferAsked,
)
from pbx.core.ids import CallId, LegId, PlaybackId, call_of

Json = dict[str, Any]

_NUMBER = re.compile(r"\+?[0-9*#]{1,40}")
LONGEST_NUMBER, LONGEST_CALLER = 64, 32  # characters; the dialplan that stands in for us cuts the same


@dataclass(frozen=True, slots=True)
class NewChannel:
    """A channel that entered from a phone or a trunk, with the words of the dialplan."""

    kind: str  # inbound, outbound
    channel: str
    endpoint: str
    exten: str
    caller: str
    caller_name: str


@dataclass(frozen=True, slots=True)
class Created:
    """A channel that we created is in Stasis and can be bridged and dialled."""

    leg: LegId


@dataclass(frozen=True, slots=True)
class Attended:
    """The phone on this leg wants its call joined with another one of its own, whose leg there is ``other``."""

    leg: LegId
    other: LegId


Translated = tuple[CallId, Event] | NewChannel | Created | Attended | None


def translate(event: Json, leg_of: Callable[[str], LegId | None], dialled: set[LegId]) -> Translated:
    """The call and the event, a new channel, or None for what no call needs to know."""
    handler = _KINDS.get(event.get("type", ""))
    return handler(event, leg_of, dialled) if handler else None


def _for_leg(channel: Json, leg_of: Callable[[str], LegId | None]) -> tuple[CallId, LegId] | None:
    leg = leg_of(channel.get("id", ""))
    call = call_of(leg) if leg else None
    return (call, leg) if call and leg else None


def _stasis_start(event: Json, leg_of: Callable[[str], LegId | None], dialled: set[LegId]) -> Translated:
    args = [str(arg) for arg in event.get("args", [])]
    channel = event["channel"]
    if args and args[0] in ("inbound", "outbound"):
        endpoint, exten, caller = ([*args[1:], "", "", ""])[:3]
        caller = caller or channel.get("caller", {}).get("number", "")
        name = channel.get("caller", {}).get("name", "") or ""
        return NewChannel(args[0], channel["id"], endpoint, exten[:LONGEST_NUMBER], caller[:LONGEST_CALLER], name)
    if args and args[0] == "leg":
        found = _for_leg(channel, leg_of)
        return (found[0], LegAnswered(found[1])) if found else None
    if args and args[0] == "dial":
        found = _for_leg(channel, leg_of)
        return Created(found[1]) if found else None
    return None


def _state_change(event: Json, leg_of: Callable[[str], LegId | None], dialled: set[LegId]) -> Translated:
    found = _for_leg(event["channel"], leg_of)
    if found is None:
        return None
    call, leg = found
    state = event["channel"].get("state")
    if state == "Ringing":
        return call, LegRinging(leg)
    if state == "Up" and leg in dialled:
        return call, LegAnswered(leg)
    return None


def _dial(event: Json, leg_of: Callable[[str], LegId | None], dialled: set[LegId]) -> Translated:
    if event.get("dialstatus") not in ("PROGRESS", "RINGING"):
        return None
    found = _for_leg(event.get("peer", {}), leg_of)
    return (found[0], LegRinging(found[1])) if found else None


def _ended(event: Json, leg_of: Callable[[str], LegId | None], dialled: set[LegId]) -> Translated:
    channel = event["channel"]
    found = _for_leg(channel, leg_of)
    if found is None:
        return None
    return found[0], LegEnded(found[1], int(event.get("cause") or 16), _status(event.get("tech_cause")))


def _left(event: Json, leg_of: Callable[[str], LegId | None], dialled: set[LegId]) -> Translated:
    """Only for channels that came to us: of one that we made, ChannelDestroyed follows and knows the cause."""
    return None if event["channel"].get("id", "").startswith("leg_") else _ended(event, leg_of, dialled)


def _status(value: Any) -> int | None:
    return value if isinstance(value, int) and 100 <= value <= 699 else None


def _digit(event: Json, leg_of: Callable[[str], LegId | None], dialled: set[LegId]) -> Translated:
    found = _for_leg(event["channel"], leg_of)
    return (found[0], DigitPressed(found[1], str(event.get("digit", "")))) if found else None


def _hold(event: Json, leg_of: Callable[[str], LegId | None], dialled: set[LegId]) -> Translated:
    found = _for_leg(event["channel"], leg_of)
    return (found[0], LegHeld(found[1], event["type"] == "ChannelHold")) if found else None


def _transfer(event: Json, leg_of: Callable[[str], LegId | None], dialled: set[LegId]) -> Translated:
    """A REFER. What a phone sends as a number is read as one only where it is one.

    The event comes again with each state that we tell the phone ourselves.
    """
    if str(event.get("state", "")).startswith("channel_"):
        return None
    found = _for_leg(event["referred_by"]["source_channel"], leg_of)
    if found is None:
        return None
    asked = event["refer_to"]
    other = _for_leg(asked.get("destination_channel") or {}, leg_of)
    if other is not None:
        return Attended(found[1], other[1])
    wanted = asked["requested_destination"]
    number = str(wanted.get("destination", ""))
    if wanted.get("protocol_id"):  # a second call of the phone's that is not here, or is just over: no number is meant
        number = ""
    return found[0], TransferAsked(found[1], number if _NUMBER.fullmatch(number) else "")


def _playback(event: Json, leg_of: Callable[[str], LegId | None], dialled: set[LegId]) -> Translated:
    name = event["playback"]["id"]
    call = call_of(name)
    return (call, PlaybackDone(PlaybackId(name))) if call else None


def _recorded(event: Json, leg_of: Callable[[str], LegId | None], dialled: set[LegId]) -> Translated:
    recording = event["recording"]
    call = call_of(recording["name"])
    length = timedelta(seconds=int(recording.get("duration") or 0))
    return (call, MessageRecorded(recording["name"], length)) if call else None


_KINDS: dict[str, Callable[[Json, Callable[[str], LegId | None], set[LegId]], Translated]] = {
    "StasisStart": _stasis_start,
    "ChannelStateChange": _state_change,
    "Dial": _dial,
    "ChannelDestroyed": _ended,
    "StasisEnd": _left,
    "ChannelDtmfReceived": _digit,
    "ChannelHold": _hold,
    "ChannelUnhold": _hold,
    "ChannelTransfer": _transfer,
    "PlaybackFinished": _playback,
    "RecordingFinished": _recorded,
    "RecordingFailed": _recorded,
}
