"""Carries a call's commands out over ARI, written in order and never waited for.

MixMonitor goes over AMI, because ARI's own recording cannot do stereo or survive what MixMonitor survives.
What fails comes back to the call as an event.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any, Protocol

import structlog

from pbx.adapters.asterisk.ari import AriClient, AriError, Json, OnAnswer
from pbx.adapters.asterisk.dialling import (
    APP,
    BINDING_HEADER,
    CALL_VARIABLE,
    CONFLICT,
    Dialling,
    Elsewhere,
    joining,
    seconds,
)
from pbx.adapters.asterisk.endings import HANDLER
from pbx.adapters.asterisk.translate import NewChannel
from pbx.core.call.transfer import ANSWERED
from pbx.core.causes import Cause
from pbx.core.commands import (
    Answer,
    CheckSilence,
    CloseBridge,
    Command,
    DialOut,
    DiscardRecording,
    Explanation,
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
from pbx.core.events import (
    CommandFailed,
    Event,
    LegAnswered,
    LegEnded,
    LegRinging,
    LegSilent,
    MessageRecorded,
    PlaybackDone,
)
from pbx.core.ids import CallId, LegId, call_of, is_holding

log = structlog.get_logger("switch")

MAX_SILENCE_S = 8
AWAY_PRIORITY = "5"  # of from-trunk and from-endpoint in dialplans/
BRIDGE_TYPE = "mixing,proxy_media"
"""Sound goes through Asterisk from the first packet: a bridge that begins by passing packets on must change its
technology when the recording begins."""
TOLD_WITHIN_S = 0.2
REJOIN_HEADER = "X-Switchhook-Rejoin"
"""To a page: which call its user takes part in. It answers by itself, as Alert-Info asks."""
REFUSAL_VARIABLE = "SWITCHHOOK_REFUSAL"
OVERLOADED_VARIABLE = "SWITCHHOOK_OVERLOADED"
ADMISSION_MODULE = "res_switchhook_admission.so"


class Monitor(Protocol):
    """MixMonitor, by AMI."""

    def start(self, recording: str, channel: str) -> None: ...
    def start_track(self, track: str, channel: str) -> None: ...
    def pause(self, recording: str, channel: str, paused: bool) -> None: ...
    def stop(self, recording: str, channel: str) -> None: ...
    def discard(self, recording: str) -> None: ...


class PromptFinder(Protocol):
    def uri(self, name: str, language: str) -> str:
        """Where Asterisk finds a prompt, as ``sound:<path>``."""


class AriSwitch:
    """One Asterisk. ``deliver`` puts an event into the call's mailbox."""

    def __init__(self, monitor: Monitor, prompts: PromptFinder, deliver: Callable[[CallId, Event], None]) -> None:
        self._monitor = monitor
        self._prompts = prompts
        self._deliver = deliver
        self.ari: AriClient | None = None
        self.aside: AriClient | None = None
        self._channel_of: dict[LegId, str] = {}
        self._leg_of: dict[str, LegId] = {}
        self.dialled: set[LegId] = set()
        self._with_music: set[LegId] = set()
        self._told: set[LegId] = set()  # that their transfer is done
        self._legs_of: dict[CallId, list[LegId]] = {}
        self._dialling = Dialling(
            self._send, lambda: self._send if self.aside is None else self.aside.send, self._failing
        )
        self.reach: Callable[[str], Elsewhere | None] = lambda dial: None
        self.on_answered: Callable[[float], None] = lambda seconds: None  # how long an answer took to reach its phone
        self.on_leaving: Callable[[str], None] = lambda channel: None  # a channel whose end was asked for
        self.on_gone: Callable[[str], None] = lambda channel: None  # one that turned out to be gone already

    @property
    def ready(self) -> bool:
        return self.ari is not None and self.ari.connected

    def adopt(self, call: CallId, leg: str, channel: str) -> None:
        self._legs_of.setdefault(call, []).append(LegId(leg))
        self._channel_of[LegId(leg)] = channel
        self._leg_of[channel] = LegId(leg)

    def recall(self, leg: LegId) -> None:
        """A leg that an earlier engine created to be dialled: it is in Stasis before it is answered."""
        call = call_of(leg)
        if call is not None and leg not in self.dialled:
            self._legs_of.setdefault(call, []).append(leg)
            self.dialled.add(leg)

    def recall_music(self, legs: Iterable[LegId]) -> None:
        """Legs that an earlier engine put on hold."""
        self._with_music.update(legs)

    def channel_of(self, leg: LegId) -> str:
        """What Asterisk calls it."""
        return self._channel_of.get(leg, leg)

    async def packets_from(self, leg: LegId) -> int | None:
        """How many have come from there. None where that cannot be said: no media yet, or no link."""
        if self.ari is None:
            return None
        try:
            counted = await self.ari.call("GET", f"{self._path(leg)}/rtp_statistics")
        except (AriError, TimeoutError):
            return None
        return int(counted["rxcount"])

    def give_back(self, channel: NewChannel) -> None:
        """Let the dialplan go on with a channel as it does while there is no engine."""
        self._send("POST", f"channels/{channel.channel}/continue", {"priority": AWAY_PRIORITY})

    async def refuses_by_itself(self, because: Explanation) -> bool:
        """Tell our module in Asterisk with what words it refuses calls that are too many (embedded/sources); False
        where this Asterisk has none."""
        if self.ari is None:
            return False
        told = {"variable": OVERLOADED_VARIABLE, "value": _explained(because)}
        await self.ari.call("POST", "asterisk/variable", told)
        try:
            await self.ari.call("GET", f"asterisk/modules/{ADMISSION_MODULE}")
        except AriError:
            return False
        return True

    def shed(self, percent: int, for_s: int, because: Explanation) -> None:
        """Have the dialplan refuse a share of the calls that come, for so long (dialplans/overload.conf)."""
        until = str(int(time.time()) + for_s)
        for name, value in (
            ("SHED_BECAUSE", _explained(because)),
            ("SHED_PERCENT", str(percent)),
            ("SHED_UNTIL", until),
        ):
            self._send("POST", "asterisk/variable", {"variable": name, "value": value})

    def leg_of(self, channel: str) -> LegId | None:
        """The leg that a channel is: ours by its name, or one that was adopted."""
        return self._leg_of.get(channel) or (LegId(channel) if channel.startswith("leg_") else None)

    def forget(self, call: CallId) -> None:
        for leg in self._legs_of.pop(call, ()):
            self._leg_of.pop(self._channel_of.pop(leg, ""), None)
            self.dialled.discard(leg)
            self._told.discard(leg)
            self._with_music.discard(leg)
            self._dialling.drop(leg)

    def prepare(self, call: CallId, command: Command) -> None:
        """A leg that hears early media is made at once and dialled when it has come: every caller waits for that."""
        if isinstance(command, DialOut) and command.bridge is not None:
            self._dial_out(call, command)
            self._flush(self.aside)

    def flush(self) -> None:
        self._flush(self.ari)

    def carry_out(self, call: CallId, command: Command) -> None:
        match command:
            case RingPhone():
                self._ring_phone(call, command)
            case DialOut():
                self._dial_out(call, command)
            case CheckSilence():
                self._check_silence(call, command.leg)
            case Answer():
                self._answer(command.leg)
            case Ring():
                self._channel("POST", command.leg, "ring")
            case StopRinging():
                self._channel("DELETE", command.leg, "ring")
            case OpenBridge():
                self._send("POST", f"bridges/{command.bridge}", {"type": BRIDGE_TYPE, "name": call})
            case OpenHolding():
                self._send("POST", f"bridges/{command.bridge}", {"type": "holding", "name": call})
            case JoinBridge():
                self._join(call, command)
            case TakeLeg():
                self.adopt(call, command.leg, self._channel_of.pop(command.other, command.other))
            case TransferState():
                if command.state == ANSWERED:
                    self._told.add(command.leg)
                self._channel("POST", command.leg, "transfer_progress", {"states": command.state})
            case CloseBridge():
                self._send("DELETE", f"bridges/{command.bridge}")
            case HangUp():
                self._hang_up(call, command)
            case Play():
                self._play(call, command)
            case StopPlay():
                self._send("DELETE", f"playbacks/{command.playback}")
            case SendDigits():
                self._channel("POST", command.leg, "dtmf", {"dtmf": command.digits})
            case Mute():
                verb = "POST" if command.muted else "DELETE"
                self._channel(verb, command.leg, "mute", {"direction": "in"})
            case StartRecording():
                self._monitor.start(command.recording, self.channel_of(command.leg))
            case StartTrack():
                self._monitor.start_track(command.track, self.channel_of(command.leg))
            case PauseRecording():
                self._monitor.pause(command.recording, self.channel_of(command.leg), command.paused)
            case StopRecording():
                self._monitor.stop(command.recording, self.channel_of(command.leg))
            case DiscardRecording():
                self._monitor.discard(command.recording)
            case RecordMessage():
                self._record_message(call, command)
            case StartTimer() | StopTimer() | FindRoute() | GiveBackRoute() | FindColleague() | FindGuest():
                raise AssertionError("timers, the gate and the directory are the runtime's")

    # -- legs ---------------------------------------------------------------------------------------

    def _ring_phone(self, call: CallId, command: RingPhone) -> None:
        # The console shows the call that its phone rings for, and finds it by this.
        variables: dict[str, str] = {CALL_VARIABLE: call, "PJSIP_HEADER(add,X-Switchhook-Call)": call}
        if command.rejoins:
            variables[f"PJSIP_HEADER(add,{REJOIN_HEADER})"] = call
        if command.auto_answer:
            # Two dialects: Call-Info of RFC 6910 / Yealink and Polycom, Alert-Info of most others.
            variables["PJSIP_HEADER(add,Call-Info)"] = "<sip:switchhook>;answer-after=0"
            variables["PJSIP_HEADER(add,Alert-Info)"] = "<http://switchhook>;info=alert-autoanswer;delay=0"
        elsewhere = self.reach(command.dial)
        if elsewhere is not None:
            variables[f"PJSIP_HEADER(add,{BINDING_HEADER})"] = elsewhere.binding
        dial = command.dial if elsewhere is None else elsewhere.dial
        self._originate(call, command.leg, dial, command.caller_id, command.timeout, command.for_leg, variables)

    def _originate(
        self,
        call: CallId,
        leg: LegId,
        dial: str,
        caller_id: str,
        timeout: timedelta,
        for_leg: LegId | None,
        variables: dict[str, str],
    ) -> None:
        query = {
            "endpoint": dial,
            "app": APP,
            "appArgs": f"leg,{leg}",
            "callerId": _caller_id(caller_id),
            "timeout": seconds(timeout),
        }
        if for_leg is not None:
            query["originator"] = self.channel_of(for_leg)
        made = self._failing(call, "originate", leg, CONFLICT)
        self._send("POST", f"channels/{leg}", query, {"variables": {**variables, **HANDLER}}, made)

    def _dial_out(self, call: CallId, command: DialOut) -> None:
        if command.bridge is None:
            variables = {CALL_VARIABLE: str(call)}
            self._originate(
                call, command.leg, command.dial, command.caller_id, command.timeout, command.for_leg, variables
            )
            return
        if command.leg not in self.dialled:
            self._legs_of.setdefault(call, []).append(command.leg)
            self.dialled.add(command.leg)
        self._dialling.begin(call, command, self.channel_of(command.for_leg) if command.for_leg is not None else "")

    def created(self, leg: LegId) -> None:
        """A created channel has entered Stasis."""
        self._dialling.came(leg)

    def progressed(self, event: Event) -> None:
        """Heard of a leg before its call hears it."""
        if isinstance(event, LegRinging | LegAnswered | LegEnded):
            self._dialling.rings(event.leg)

    def _check_silence(self, call: CallId, leg: LegId) -> None:
        """No event tells of 100 Trying, but chan_pjsip keeps every answer's status under the channel's name."""

        def answered(status: int, content: Any) -> None:
            if status == 200 and not content["value"]:
                self._deliver(call, LegSilent(leg))

        self._send("GET", f"{self._path(leg)}/variable", {"variable": "HANGUPCAUSE_KEYS()"}, on_answer=answered)

    def _answer(self, leg: LegId) -> None:
        began = time.monotonic()

        def answered(status: int, content: Any) -> None:
            if 200 <= status < 300:
                self.on_answered(time.monotonic() - began)

        self._send("POST", f"{self._path(leg)}/answer", on_answer=answered)

    def _hang_up(self, call: CallId, command: HangUp) -> None:
        """A phone whose transfer has just been done hears that first: gone at once, it would be told that it failed."""
        if command.leg in self._told:
            self._told.discard(command.leg)
            asyncio.get_running_loop().call_later(TOLD_WITHIN_S, self._hang_up, call, command)
            return
        send = self._dialling.drop(command.leg)
        if command.because is not None:
            self._explain(command.leg, command.because)

        channel = self.channel_of(command.leg)

        def answered(status: int, content: Any) -> None:
            if status == 404:  # gone already, or never made: either way it has ended
                self.on_gone(channel)
                self._deliver(call, LegEnded(command.leg, int(command.cause)))

        self.on_leaving(channel)
        why = {"reason_code": str(int(command.cause))}
        send("DELETE", f"channels/{channel}", why, on_answer=answered, quiet=True)

    def end_again(self, channel: str) -> None:
        """Of one that was asked to end, and of whose end nothing was heard: one that is gone has ended all the same."""
        leg = self.leg_of(channel)
        call = call_of(leg) if leg else None

        def answered(status: int, content: Any) -> None:
            if status == 404:
                self.on_gone(channel)
                if leg and call:
                    self._deliver(call, LegEnded(leg, int(Cause.NORMAL)))

        self._send("DELETE", f"channels/{channel}", on_answer=answered, quiet=True)

    def _explain(self, leg: LegId, because: Explanation) -> None:
        """Our module in Asterisk writes it into the final response (embedded/sources); without it nobody reads it."""
        self._channel("POST", leg, "variable", {"variable": REFUSAL_VARIABLE, "value": _explained(because)})

    # -- bridge, prompts, messages ------------------------------------------------------------------

    def _join(self, call: CallId, command: JoinBridge) -> None:
        """Legs that cannot be joined would sit in silence: the last of them counts as failed.

        Who is on hold gets music of their own: the one channel that plays to a whole holding bridge goes when the
        bridge has been empty for a moment. It begins before the move, and once more after it where leaving has ended
        what Asterisk plays by itself while the phone on the other side holds.
        """
        bridge, legs = command.bridge, command.legs
        failed = self._failing(call, "join", legs[-1])

        def answered(status: int, content: Any) -> None:
            if status:  # a lost link says nothing: they may well hear each other
                failed(status, content)

        channels = joining(*(self.channel_of(leg) for leg in legs))
        for leg in self._with_music.intersection(legs):
            self._with_music.discard(leg)
            self._channel("DELETE", leg, "moh")
        waiting = legs if is_holding(bridge) else ()
        for leg in waiting:
            self._with_music.add(leg)
            self._channel("POST", leg, "moh")
        self._send("POST", f"bridges/{bridge}/addChannel", channels, on_answer=answered, quiet=True)
        for leg in waiting if command.alone else ():
            self._channel("POST", leg, "moh")

    def _play(self, call: CallId, command: Play) -> None:
        if command.after:
            later = replace(command, after=timedelta(0))
            asyncio.get_running_loop().call_later(command.after.total_seconds(), self._play, call, later)
            return

        def answered(status: int, content: Any) -> None:
            if status != 201:
                log.warning("play.refused", call=call, status=status, prompts=command.prompts)
                self._deliver(call, PlaybackDone(command.playback))

        media = ",".join(self._prompts.uri(name, command.language) for name in command.prompts)
        target = f"bridges/{command.target}" if command.target.startswith("br_") else self._path(LegId(command.target))
        self._send("POST", f"{target}/play/{command.playback}", {"media": media}, on_answer=answered)

    def _record_message(self, call: CallId, command: RecordMessage) -> None:
        def answered(status: int, content: Any) -> None:
            if status != 201:
                log.warning("message.refused", call=call, status=status, answer=content)
                self._deliver(call, MessageRecorded(command.name, timedelta(0)))

        self._send(
            "POST",
            f"{self._path(command.leg)}/record",
            {
                "name": command.name,
                "format": "wav",
                "maxDurationSeconds": str(int(command.max_length.total_seconds())),
                "maxSilenceSeconds": str(MAX_SILENCE_S),
                "terminateOn": "#",
                "ifExists": "overwrite",
            },
            on_answer=answered,
        )

    # -- the wire -----------------------------------------------------------------------------------

    def _path(self, leg: LegId) -> str:
        return f"channels/{self.channel_of(leg)}"

    def _channel(self, method: str, leg: LegId, what: str, query: dict[str, str] | None = None) -> None:
        self._send(method, f"{self._path(leg)}/{what}", query)

    def _failing(self, call: CallId, what: str, leg: LegId, *well: int) -> OnAnswer:
        """``well`` are refusals that are none."""

        def answered(status: int, content: Any) -> None:
            if not 200 <= status < 300 and status not in well:
                why = content.get("message", "") if isinstance(content, dict) else ""
                self._deliver(call, CommandFailed(what, leg, f"{status} {why or content}"))

        return answered

    def _flush(self, connection: AriClient | None) -> None:
        if connection is not None:
            connection.flush()

    def _send(
        self,
        method: str,
        uri: str,
        query: dict[str, str] | None = None,
        body: Json | None = None,
        on_answer: OnAnswer | None = None,
        *,
        quiet: bool = False,
    ) -> None:
        if self.ari is None:
            if on_answer is not None:
                on_answer(0, {"message": "Asterisk is not connected."})
            return
        self.ari.send(method, uri, query, body, on_answer, quiet=quiet)


def _caller_id(number: str) -> str:
    """Asterisk's ``"name" <number>`` form; what a caller sent may hold only what a number holds."""
    return f"<{''.join(c for c in number if c.isascii() and (c.isalnum() or c in '+*#-._'))[:64]}>"


def _explained(because: Explanation) -> str:
    """As our module in Asterisk reads it."""
    after = "" if because.retry_after is None else seconds(because.retry_after)
    return f"{after}|{because.text}"
