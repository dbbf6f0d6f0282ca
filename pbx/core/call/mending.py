"""After the engine or its link was away: what happened meanwhile, and what must be done so that all stands again.

``todo`` are the commands of the call's last step, of which nobody knows whether they went out; everything before them
did. All that is sent again here may be sent twice without harm, as every name is ours: a leg that is there already is
not made again, and a leg that has been there and is gone is not dialled again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from pbx.core.call.model import Call
from pbx.core.call.standing import Standing, standing
from pbx.core.call.states import State
from pbx.core.call.transfer import DECLINED
from pbx.core.causes import Cause
from pbx.core.commands import (
    Answer,
    CloseBridge,
    Command,
    DialOut,
    DiscardRecording,
    HangUp,
    JoinBridge,
    Mute,
    OpenBridge,
    OpenHolding,
    PauseRecording,
    Play,
    RecordMessage,
    Ring,
    RingPhone,
    StartRecording,
    StartTrack,
    StopPlay,
    StopRecording,
    StopRinging,
    TransferState,
)
from pbx.core.events import (
    Event,
    LegAnswered,
    LegEnded,
    LegHeld,
    LegRinging,
    MessageRecorded,
    PickedUpInVain,
    PlaybackDone,
    SwitchLost,
)
from pbx.core.ids import BridgeId, Instant, LegId, PlaybackId, RecordingId, call_of

REPEATED = (
    RingPhone,
    DialOut,
    Play,
    RecordMessage,
    PauseRecording,
    Mute,
    Ring,
    StopRinging,
    StopPlay,
    StopRecording,
    DiscardRecording,
)
"""The commands that may be sent again. What others bring about is told by the call itself, or is no harm to lose."""

Happened = tuple[Event, Instant | None]
"""An event and when it was; None: nobody knows, so it counts as of now."""


class Progress(StrEnum):
    MADE = "made"
    RINGING = "ringing"
    UP = "up"


@dataclass(frozen=True, slots=True)
class Ending:
    """How a leg ended that is gone. ``answered`` tells whether it had been picked up."""

    at: Instant
    cause: int
    answered: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What the switch has, of all calls, and what it remembers of legs that are gone.

    ``up_since`` is when it was started: of a call that is older it can know nothing.
    """

    up_since: Instant
    lost_at: Instant | None = None  # when it was heard of last, where it was lost
    legs: Mapping[LegId, Progress] = field(default_factory=dict)
    endings: Mapping[LegId, Ending] = field(default_factory=dict)
    held: Mapping[LegId, bool] = field(default_factory=dict)  # whether the phone itself holds, of those that talk
    bridges: Mapping[BridgeId, frozenset[LegId]] = field(default_factory=dict)
    recordings: frozenset[RecordingId] = frozenset()
    playbacks: frozenset[PlaybackId] = frozenset()
    messages: frozenset[str] = frozenset()


def missed(call: Call, began: Instant, found: Found, todo: Sequence[Command]) -> list[Happened]:
    """What the call did not hear, in the order in which it happened; who left comes before who answered."""
    if began < found.up_since and not any(leg in found.legs for leg in call.legs):
        return [(SwitchLost(found.lost_at), None)]
    again = {leg for leg in _made_in(todo) if leg not in found.endings}
    gone = [leg.id for leg in call.legs.values() if not leg.ended and leg.id not in found.legs and leg.id not in again]
    endings = [_ended(call, leg, found.endings.get(leg)) for leg in gone]
    endings.sort(key=lambda each: (each[1] is None, each[1] or 0))
    return [*endings, *_progress(call, found), *_holds(call, found), *_heard(call, found, todo)]


def _made_in(todo: Sequence[Command]) -> set[LegId]:
    return {command.leg for command in todo if isinstance(command, RingPhone | DialOut)}


def _ended(call: Call, leg: LegId, ending: Ending | None) -> Happened:
    if ending is None:
        return LegEnded(leg, int(Cause.NORMAL)), None
    if ending.answered and not call.legs[leg].answered and call.legs[leg].live:
        return PickedUpInVain(leg), ending.at
    return LegEnded(leg, ending.cause), ending.at


def _progress(call: Call, found: Found) -> Iterator[Happened]:
    for leg in call.legs:
        match found.legs.get(leg):
            case Progress.UP:
                yield LegAnswered(leg), None
            case Progress.RINGING:
                yield LegRinging(leg), None


def _holds(call: Call, found: Found) -> Iterator[Happened]:
    """Nobody else would ever tell that a phone is back: who hears music because of it would hear it for ever."""
    for leg, held in found.held.items():
        if leg in call.legs and call.legs[leg].held is not held:
            yield LegHeld(leg, held), None


def _heard(call: Call, found: Found, todo: Sequence[Command]) -> Iterator[Happened]:
    """Words and messages that have come to their end."""
    wanted = standing(call)
    to_play = {command.playback for command in todo if isinstance(command, Play)}
    to_record = {command.name for command in todo if isinstance(command, RecordMessage)}
    for playback in wanted.playbacks:
        if playback not in found.playbacks and playback not in to_play:
            yield PlaybackDone(playback), None
    if wanted.message and wanted.message not in found.messages and wanted.message not in to_record:
        yield MessageRecorded(wanted.message, timedelta(0)), None


# -- what must be done ---------------------------------------------------------------------------------


def mend(call: Call, found: Found, todo: Sequence[Command]) -> list[Command]:
    """What makes the switch stand as the call says, which has heard :func:`missed` before."""
    wanted = standing(call)
    again = [command for command in todo if _again(command, call, wanted, found)]
    return [
        *(HangUp(leg.id, Cause.NORMAL) for leg in call.legs.values() if leg.ending and not leg.ended),
        *(Answer(leg) for leg in wanted.answered if found.legs.get(leg) is not Progress.UP),
        *(command for command in again if isinstance(command, RingPhone | DialOut)),
        *_join(call, wanted, found),
        *_record(wanted, found),
        *(Mute(leg, True) for leg in wanted.muted if leg in found.legs),
        *(command for command in again if not isinstance(command, RingPhone | DialOut)),
    ]


def unheard_transfers(call: Call) -> list[Command]:
    """A phone that asked to hand its call on while nobody listened waits for a word. Who asked for nothing hears
    nothing of this (measured)."""
    if call.state is not State.TALKING:
        return []
    return [TransferState(leg.id, DECLINED) for leg in call.parties() if leg.id != call.transfer]


def _join(call: Call, wanted: Standing, found: Found) -> Iterator[Command]:
    if call.state is State.ENDED:
        yield from (CloseBridge(bridge) for bridge in found.bridges if call_of(bridge) == call.id)
    for bridge, legs in wanted.bridges.items():
        if bridge not in found.bridges:
            yield OpenHolding(bridge) if bridge == call.holding else OpenBridge(bridge)
        outside = tuple(leg for leg in legs if leg in found.legs and leg not in found.bridges.get(bridge, ()))
        if outside:
            yield JoinBridge(bridge, outside)


def _record(wanted: Standing, found: Found) -> Iterator[Command]:
    for recording, recorded in wanted.recordings.items():
        if recorded.leg in found.legs:
            if recording not in found.recordings:
                start = StartTrack if recorded.track else StartRecording
                yield start(recording, recorded.leg)
            if recorded.paused:
                yield PauseRecording(recording, recorded.leg, True)


def _again(command: Command, call: Call, wanted: Standing, found: Found) -> bool:
    """Whether a command of the last step is still wanted and not done, as far as can be told."""
    match command:
        case RingPhone() | DialOut():
            return _to_be_dialled(command, call, found)
        case Play():
            return command.playback in wanted.playbacks and command.playback not in found.playbacks
        case RecordMessage():
            return command.name == wanted.message and command.name not in found.messages
        case PauseRecording():
            return not command.paused and command.recording in wanted.recordings
        case Mute():
            return not command.muted and command.leg in found.legs
        case Ring() | StopRinging():
            return command.leg in found.legs and call.legs[command.leg].live
        case StopPlay() | StopRecording() | DiscardRecording():
            return True
        case _:
            return False


def _to_be_dialled(command: RingPhone | DialOut, call: Call, found: Found) -> bool:
    """One that was made and stands outside its bridge has not been dialled yet."""
    leg = call.legs.get(command.leg)
    if leg is None or not leg.live or command.leg in found.endings:
        return False
    if command.leg not in found.legs:
        return True
    bridge = command.bridge if isinstance(command, DialOut) else None
    return bridge is not None and command.leg not in found.bridges.get(bridge, ())
