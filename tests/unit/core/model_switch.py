"""A switch in a few lines, for the rules that hold whatever happens: it carries a call's commands out and knows
who rings, who talks, what is played and what is recorded."""

from __future__ import annotations

from dataclasses import dataclass, field

from pbx.core.commands import (
    Answer,
    CheckSilence,
    CloseBridge,
    Command,
    DialOut,
    DiscardRecording,
    FindColleague,
    FindGuest,
    FindRoute,
    GiveBackRoute,
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
    SendDigits,
    StartRecording,
    StartTimer,
    StartTrack,
    StopPlay,
    StopRecording,
    StopRinging,
    StopTimer,
    TakeLeg,
    TransferState,
)


@dataclass
class ModelSwitch:
    dialled: set[str] = field(default_factory=set)
    hung_up: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    answered: set[str] = field(default_factory=set)
    rung: set[str] = field(default_factory=set)
    bridges: set[str] = field(default_factory=set)
    joined: set[str] = field(default_factory=set)
    where: dict[str, str] = field(default_factory=dict)  # the bridge that a leg is in
    dialled_into: set[str] = field(default_factory=set)
    playing: dict[str, str] = field(default_factory=dict)
    played: list[str] = field(default_factory=list)
    timers: set[str] = field(default_factory=set)
    recordings: dict[str, bool] = field(default_factory=dict)  # not stopped: paused?
    recorded_leg: dict[str, str] = field(default_factory=dict)
    told: list[tuple[str, str]] = field(default_factory=list)  # phones that transfer, and how it goes
    discarded: set[str] = field(default_factory=set)
    message: str = ""
    routes_wanted: list[FindRoute] = field(default_factory=list)
    colleagues_wanted: list[str] = field(default_factory=list)
    dials: list[str] = field(default_factory=list)

    def carry_out(self, command: Command) -> None:
        match command:
            case RingPhone():
                self._dial(command.leg, command.dial)
            case DialOut():
                self._dial(command.leg, command.dial)
                if command.bridge is not None:
                    self.joined.add(command.leg)
                    self.where[command.leg] = command.bridge
                    self.dialled_into.add(command.bridge)
            case CheckSilence():
                assert self.live(command.leg)
            case Answer():
                assert command.leg not in self.answered, "answered twice"
                self.answered.add(command.leg)
            case Ring():
                self.rung.add(command.leg)
            case StopRinging():
                assert command.leg in self.answered, "its own phone rings for who has not answered"
            case OpenBridge():
                assert not self.bridges, "one bridge is enough"
                self.bridges.add(command.bridge)
            case OpenHolding():
                assert command.bridge not in self.bridges
                self.bridges.add(command.bridge)
            case JoinBridge():
                assert command.bridge in self.bridges
                self.joined |= set(command.legs)
                self.where |= dict.fromkeys(command.legs, command.bridge)
            case CloseBridge():
                self.bridges.remove(command.bridge)
            case HangUp():
                assert command.leg not in self.hung_up, "hung up twice"
                self.hung_up.add(command.leg)
            case Play():
                assert self.live(command.target) or command.target in self.bridges, "played to nobody"
                self.playing[command.playback] = command.target
                self.played.append(command.playback)
            case StopPlay():
                self.playing.pop(command.playback, None)
            case StartTimer():
                self.timers.add(command.name)
            case StopTimer():
                self.timers.remove(command.name)
            case _:
                self._sound(command)

    def _sound(self, command: Command) -> None:
        match command:
            case StartRecording():
                assert command.recording not in self.recordings
                self.recordings[command.recording] = False
                self.recorded_leg[command.recording] = command.leg
            case StartTrack():
                assert command.track not in self.recordings and self.live(command.leg)
                self.recordings[command.track] = False
                self.recorded_leg[command.track] = command.leg
            case PauseRecording():
                assert self.recordings[command.recording] is not command.paused
                self.recordings[command.recording] = command.paused
            case StopRecording():
                del self.recordings[command.recording]
            case DiscardRecording():
                assert command.recording not in self.recordings, "destroyed while it is written"
                self.discarded.add(command.recording)
            case RecordMessage():
                self.message = command.name
            case FindRoute():
                self.routes_wanted.append(command)
            case TransferState():
                self.told.append((command.leg, command.state))
            case TakeLeg():
                self.answered.add(command.leg)
            case GiveBackRoute() | FindGuest():
                pass
            case FindColleague():
                self.colleagues_wanted.append(command.number)
            case SendDigits() | Mute():
                assert self.live(command.leg)
            case _:
                raise AssertionError(command)

    def _dial(self, leg: str, dial: str) -> None:
        assert leg not in self.dialled, "a leg is dialled once"
        self.dialled.add(leg)
        self.dials.append(dial)

    def live(self, leg: str) -> bool:
        return leg not in self.hung_up and leg not in self.gone

    def still_recording(self) -> list[str]:
        """A recording ends by itself with the leg that it is of."""
        return [name for name in self.recordings if self.live(self.recorded_leg[name])]
