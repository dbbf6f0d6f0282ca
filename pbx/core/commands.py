"""What a call wants done: the closed set of commands that the switch and the runtime carry out, in order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from pbx.core.causes import Cause
from pbx.core.ids import BridgeId, Instant, LegId, PlaybackId, RecordingId


@dataclass(frozen=True, slots=True)
class RingPhone:
    """Ring a phone of ours; it enters the call when it answers."""

    leg: LegId
    dial: str
    caller_id: str
    caller_name: str
    timeout: timedelta
    for_leg: LegId | None = None
    auto_answer: bool = False
    rejoins: bool = False
    """The user takes part already and has lost the page: the new one is told which call it is."""


@dataclass(frozen=True, slots=True)
class DialOut:
    """Dial through a trunk. With a bridge, which may be opened right after, the leg enters it while it is dialled, so
    that what the far end sends before it answers is heard there.
    """

    leg: LegId
    dial: str
    caller_id: str
    timeout: timedelta
    bridge: BridgeId | None
    for_leg: LegId | None


@dataclass(frozen=True, slots=True)
class CheckSilence:
    """Look whether the far end has said anything at all; where it has not, the call hears of it as LegSilent."""

    leg: LegId


@dataclass(frozen=True, slots=True)
class Answer:
    leg: LegId


@dataclass(frozen=True, slots=True)
class Ring:
    """Tell a waiting caller that it rings (180), or play ringing where it is answered already."""

    leg: LegId


@dataclass(frozen=True, slots=True)
class StopRinging:
    """End the ringing that is played to an answered leg; else it sounds until the other side first makes a sound."""

    leg: LegId


@dataclass(frozen=True, slots=True)
class OpenBridge:
    bridge: BridgeId


@dataclass(frozen=True, slots=True)
class OpenHolding:
    """A bridge in which each party hears music and nobody else."""

    bridge: BridgeId


@dataclass(frozen=True, slots=True)
class JoinBridge:
    """Put legs into a bridge; one that is in another leaves that one. ``alone``: it leaves nobody but phones that hold,
    for which the switch plays to it by itself until it leaves."""

    bridge: BridgeId
    legs: tuple[LegId, ...]
    alone: bool = False


@dataclass(frozen=True, slots=True)
class TakeLeg:
    """From now on this leg is the channel of a leg of another call."""

    leg: LegId
    other: LegId


@dataclass(frozen=True, slots=True)
class TransferState:
    """Tell the phone that asked for a transfer how it goes (NOTIFY, RFC 3515 section 2.4.4)."""

    leg: LegId
    state: str


@dataclass(frozen=True, slots=True)
class CloseBridge:
    bridge: BridgeId


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a refused INVITE is told besides its status: why, in words, and when it may be tried again."""

    text: str
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class HangUp:
    """End a leg; before its answer the cause becomes the SIP status that the phone or carrier sees."""

    leg: LegId
    cause: Cause
    sip_status: int | None = None
    because: Explanation | None = None


@dataclass(frozen=True, slots=True)
class Play:
    """Play prompts to one leg (before its answer: as early media) or into the bridge, for all. ``after``: not before
    so long."""

    playback: PlaybackId
    target: LegId | BridgeId
    prompts: tuple[str, ...]
    language: str
    after: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class StopPlay:
    playback: PlaybackId


@dataclass(frozen=True, slots=True)
class SendDigits:
    leg: LegId
    digits: str


@dataclass(frozen=True, slots=True)
class Mute:
    """What this leg says is heard by nobody, and is not recorded as heard."""

    leg: LegId
    muted: bool


@dataclass(frozen=True, slots=True)
class StartRecording:
    recording: RecordingId
    leg: LegId


@dataclass(frozen=True, slots=True)
class StartTrack:
    """Record what this leg says, and nothing else: one party's part of a recording (C12)."""

    track: RecordingId
    leg: LegId


@dataclass(frozen=True, slots=True)
class PauseRecording:
    """Of a recording or of a track."""

    recording: RecordingId
    leg: LegId
    paused: bool


@dataclass(frozen=True, slots=True)
class StopRecording:
    recording: RecordingId
    leg: LegId


@dataclass(frozen=True, slots=True)
class DiscardRecording:
    """Destroy what this recording holds, for good (V10 erase)."""

    recording: RecordingId


@dataclass(frozen=True, slots=True)
class RecordMessage:
    name: str
    leg: LegId
    max_length: timedelta


@dataclass(frozen=True, slots=True)
class StartTimer:
    name: str
    delay: timedelta


@dataclass(frozen=True, slots=True)
class StopTimer:
    name: str


@dataclass(frozen=True, slots=True)
class FindRoute:
    """Ask the gate about a number; the answer comes back at once as :class:`RouteDecided`."""

    purpose: str
    number: str
    user_id: str


@dataclass(frozen=True, slots=True)
class GiveBackRoute:
    """What the gate reserved for this purpose is needed no more, before the call is over."""

    purpose: str


@dataclass(frozen=True, slots=True)
class FindGuest:
    """Ask who is meant by keys that a user pressed; the answer comes back at once as :class:`GuestFound`."""

    digits: str
    user_id: str


@dataclass(frozen=True, slots=True)
class FindColleague:
    """Ask who has this number of ours; the answer comes back at once as :class:`ColleagueFound`."""

    number: str


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened: a row of the call's history, written before anything follows from it."""

    kind: str
    at: Instant
    data: dict[str, object]


Command = (
    RingPhone
    | DialOut
    | CheckSilence
    | Answer
    | Ring
    | StopRinging
    | OpenBridge
    | OpenHolding
    | JoinBridge
    | TakeLeg
    | TransferState
    | CloseBridge
    | HangUp
    | Play
    | StopPlay
    | SendDigits
    | Mute
    | StartRecording
    | StartTrack
    | PauseRecording
    | StopRecording
    | DiscardRecording
    | RecordMessage
    | StartTimer
    | StopTimer
    | FindRoute
    | GiveBackRoute
    | FindGuest
    | FindColleague
)
