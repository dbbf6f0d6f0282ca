"""The call as a value: its legs, its state, and what it has decided in this step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from pbx.core.call.states import MOVES, State
from pbx.core.causes import Cause, Result
from pbx.core.commands import (
    CloseBridge,
    Command,
    Explanation,
    Fact,
    FindRoute,
    HangUp,
    OpenBridge,
    OpenHolding,
    Play,
    StartTimer,
    StopPlay,
    StopTimer,
)
from pbx.core.events import Direction, Guest, Person, Phone, Route
from pbx.core.gate import Reason
from pbx.core.ids import (
    BridgeId,
    CallId,
    Instant,
    LegId,
    PlaybackId,
    RecordingId,
    bridge_id,
    holding_id,
    leg_id,
    playback_id,
    recording_id,
)

LONGEST_WORDS = timedelta(minutes=3)


class Role(StrEnum):
    CUSTOMER = "customer"
    USER = "user"
    FORWARD = "forward"  # the user, reached at the forwarding number
    GUEST = "guest"  # invited into the conversation (C3)


class Disposition(StrEnum):
    """How the call as a whole ended, as the log lists it."""

    ANSWERED = "answered"
    MISSED = "missed"  # the caller gave up
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    REJECTED = "rejected"
    REFUSED = "refused"  # by our gate, or a number that nobody has
    UNREACHABLE = "unreachable"
    CANCELLED = "cancelled"  # by our user before an answer
    VOICEMAIL = "voicemail"
    INVALID = "invalid_number"
    INTERRUPTED = "interrupted"  # the switch went away under it
    FAILED = "failed"


@dataclass
class Leg:
    """One party's side. ``id`` is ours, ``answered`` and ``ended`` only ever go from False to True.

    Without slots, as the call itself and the person in it: so they are written down in half the time after each step.
    """

    id: LegId
    role: Role
    number: str = ""
    device_id: str = ""
    trunk_id: str = ""
    dial: str = ""  # where a phone of ours is rung
    user_id: str = ""  # the user of ours whose leg it is
    dialled: bool = False  # through a trunk
    ringing: bool = False
    answered: bool = False
    joined: bool = False  # a party of the conversation
    held: bool = False  # by its own phone
    on_hold: bool = False  # by the host
    waits: bool = False  # hears music until somebody who has lost the page is back
    unaccompanied: bool = False  # hears music while everybody else there holds by the own phone
    instead_of: LegId | None = None  # rung for a user who takes part already: whose lost leg it is to replace
    muted: bool = False
    ending: bool = False
    ended: bool = False

    @property
    def live(self) -> bool:
        return not self.ending and not self.ended

    @property
    def hears_music(self) -> bool:
        return self.on_hold or self.waits or self.unaccompanied


@dataclass(frozen=True, slots=True)
class Closing:
    """How the call will end when the announcement that is being played has been heard."""

    disposition: Disposition
    cause: Cause
    reason: str = ""


@dataclass(slots=True)
class Invite:
    """An invitation that rings: one at a time (C2)."""

    guest: Guest
    by: str
    keyed: LegId | None = None  # asked for by keys on this leg
    routes: tuple[Route, ...] = ()
    caller_id: str = ""
    refused: Result | None = None  # what a phone of the guest has said, while others still ring
    awaited: bool = False  # the page that rang is gone, and may be back before the guest has rung long enough


@dataclass(slots=True)
class Away:
    """A user who takes part and has lost the page (P4). ``until``: no page that is back is waited for any longer."""

    until: Instant
    others: tuple[Phone, ...] = ()
    forwarded: bool = False  # nobody came back: the forwarding number is tried


@dataclass
class Call:
    """Everything the core knows of one call. Only the handlers beside this module change it."""

    id: CallId
    now: Instant
    state: State = State.NEW
    direction: Direction = Direction.INBOUND
    person: Person | None = None
    from_user: str = ""
    language: str = "en"
    customer_number: str = ""
    legs: dict[LegId, Leg] = field(default_factory=dict)
    first_leg: LegId | None = None
    bridge: BridgeId | None = None
    asked_route: str = ""  # what the gate was asked about and has not answered yet
    routes: tuple[Route, ...] = ()
    own_routes: tuple[Route, ...] = ()  # to the user's own forwarding number, where that is rung first
    caller_id: str = ""
    emergency: bool = False
    after_playback: dict[PlaybackId, str] = field(default_factory=dict)
    recording: RecordingId | None = None
    recording_leg: LegId | None = None
    recording_paused: bool = False
    tracks: dict[LegId, RecordingId] = field(default_factory=dict)  # that run
    host: LegId | None = None
    guest: LegId | None = None
    invite: Invite | None = None
    unattended: timedelta = timedelta(0)
    holding: BridgeId | None = None
    keys: dict[LegId, str] = field(default_factory=dict)  # of a feature code that is being pressed
    away: dict[LegId, Away] = field(default_factory=dict)  # by the leg that was lost
    transfer_asked: LegId | None = None
    transfer: LegId | None = None  # whose phone hands the call on, while the other one is rung
    recalled: bool = False  # a transfer came to nothing, and who made it is rung
    inviting: LegId | None = None  # who keyed in a number and waits to hear whose it is
    answered_at: Instant | None = None
    last_result: Result = Result.NO_ANSWER
    refused_by_phone: bool = False
    closing: Closing | None = None
    refusal: Reason | None = None  # the gate's, where it refused the call itself
    refused_because: str = ""  # in words
    listed: bool = False  # of a call list
    home: str = ""  # where the called person lives, as country or country and state
    via: str = ""
    inside: str = ""  # the colleague's number that is rung once our user's own phone has answered
    user_phone: Phone | None = None
    answer_on: Phone | None = None  # asked to take the call: alone rung, as soon as the others are silent
    accept_asked: int = 0
    message_since: Instant | None = None
    timers: dict[str, Instant] = field(default_factory=dict)  # and when each is due
    interrupted: bool = False  # the switch went away under it
    counters: dict[str, int] = field(default_factory=dict)
    out: list[Command | Fact] = field(default_factory=list)

    # -- what a handler says ------------------------------------------------------------------------

    def do(self, command: Command) -> None:
        self.out.append(command)

    def note(self, kind: str, **data: object) -> None:
        self.out.append(Fact(kind, self.now, data))

    def move(self, state: State) -> None:
        """Go to another state; an illegal move is our own bug and must not pass silently."""
        if state not in MOVES[self.state]:
            raise RuntimeError(f"a call cannot go from {self.state} to {state}")
        self.state = state
        if state is not State.ENDED:
            self.note("call.state", state=state.value)

    def find_route(self, purpose: str, number: str, user_id: str = "") -> None:
        """Ask the gate: nothing is dialled without its word (P5). Without a user it is the call's own."""
        assert user_id or self.person is not None
        self.asked_route = purpose
        self.do(FindRoute(purpose, number, user_id or self.person.user_id))  # type: ignore[union-attr]

    # -- legs ---------------------------------------------------------------------------------------

    def count(self, what: str) -> int:
        self.counters[what] = self.counters.get(what, 0) + 1
        return self.counters[what]

    def new_leg(
        self, role: Role, *, number: str = "", device_id: str = "", trunk_id: str = "", user_id: str = ""
    ) -> Leg:
        """Whose leg it is follows from its role, but for guests."""
        leg = Leg(leg_id(self.id, self.count("leg")), role, number, device_id, trunk_id)
        leg.user_id = user_id or self._user_of(role)
        self.legs[leg.id] = leg
        self.note(
            "leg.created",
            leg=leg.id,
            role=role.value,
            number=number,
            device_id=device_id,
            trunk_id=trunk_id,
            user_id=leg.user_id,
        )
        return leg

    def _user_of(self, role: Role) -> str:
        """Who called may be a colleague."""
        if role is Role.CUSTOMER:
            return self.from_user
        if role is Role.GUEST:
            return ""
        return self.person.user_id if self.person else ""

    def live_legs(self, role: Role | None = None) -> Iterator[Leg]:
        return (leg for leg in list(self.legs.values()) if leg.live and role in (None, leg.role))

    def parties(self) -> list[Leg]:
        """Who takes part in the conversation now, on hold or not."""
        return [leg for leg in self.live_legs() if leg.joined]

    def party_of(self, user_id: str) -> Leg | None:
        """The leg over which a user of ours takes part."""
        return next((leg for leg in self.parties() if user_id and leg.user_id == user_id), None)

    def place_of(self, user_id: str) -> Leg | None:
        """The leg over which a user of ours takes part, or took until it was lost."""
        lost = (self.legs[name] for name in self.away)
        return self.party_of(user_id) or next((leg for leg in lost if leg.user_id == user_id), None)

    @property
    def present(self) -> int:
        """How many take part, with those who have lost the page and are expected back."""
        return len(self.parties()) + len(self.away)

    @property
    def caller(self) -> Leg:
        """The leg that the call began with."""
        assert self.first_leg is not None
        return self.legs[self.first_leg]

    @property
    def caller_waits(self) -> bool:
        """The first leg came to us and waits; else it is a phone that we ring first."""
        return self.via in ("", "phone")

    @property
    def over(self) -> bool:
        """Nothing of it is left in the switch."""
        return self.state is State.ENDED and all(leg.ended for leg in self.legs.values())

    def end_leg(
        self,
        leg: Leg,
        result: Result,
        cause: Cause,
        *,
        sip_status: int | None = None,
        because: Explanation | None = None,
    ) -> None:
        """Hang a leg up; the log has its result now, the switch confirms later."""
        if not leg.live:
            return
        leg.ending = True
        self.note("leg.ended", leg=leg.id, result=result.value, cause=int(cause), sip_status=sip_status)
        self.do(HangUp(leg.id, cause, sip_status, because))

    # -- bridge, timers, prompts --------------------------------------------------------------------

    def open_bridge(self) -> BridgeId:
        if self.bridge is None:
            self.bridge = bridge_id(self.id)
            self.do(OpenBridge(self.bridge))
        return self.bridge

    def open_holding(self) -> BridgeId:
        if self.holding is None:
            self.holding = holding_id(self.id)
            self.do(OpenHolding(self.holding))
        return self.holding

    def start_timer(self, name: str, delay: timedelta) -> None:
        self.timers[name] = Instant(self.now + delay // timedelta(microseconds=1))
        self.do(StartTimer(name, delay))

    def stop_timer(self, name: str) -> None:
        if self.timers.pop(name, None) is not None:
            self.do(StopTimer(name))

    def play(self, target: LegId | BridgeId, *prompts: str, then: str = "", after: timedelta = timedelta(0)) -> None:
        """Play prompts; ``then`` names what the call goes on to when they have been heard."""
        playback = playback_id(self.id, self.count("playback"))
        self.after_playback[playback] = then
        self.do(Play(playback, target, prompts, self.language, after))

    def stop_prompts(self) -> None:
        for playback in self.after_playback:
            self.do(StopPlay(playback))
        self.after_playback.clear()

    def next_recording(self) -> RecordingId:
        return recording_id(self.id, self.count("recording"))

    def announce(self, closing: Closing, *prompts: str, then: str = "end") -> None:
        """Say to the caller why nobody is there. A switch that never tells of the end must not mean silence."""
        self.stop_prompts()
        self.closing = closing
        self.move(State.ANNOUNCING)
        self.note("announcement", prompt=prompts[0], reason=closing.reason)
        self.start_timer("announcement", LONGEST_WORDS)
        self.play(self.caller.id, *prompts, then=then)

    # -- the end ------------------------------------------------------------------------------------

    def finish(
        self,
        disposition: Disposition,
        cause: Cause = Cause.NORMAL,
        *,
        reason: str = "",
        ended_by: str = "",
        sip_status: int | None = None,
        because: Explanation | None = None,
    ) -> None:
        """End the call for everybody (V13): every leg, timer, prompt, recording and the bridge.

        ``sip_status`` and ``because`` are for the leg that the call began with, where it waits for its first answer.
        """
        if self.state is State.ENDED:
            return
        self._stop_what_runs()
        for leg in self.live_legs():
            result = Result.ANSWERED if leg.answered else _result_at_end(leg, disposition)
            if leg.id == self.first_leg:
                self.end_leg(leg, result, cause, sip_status=sip_status, because=because if self.caller_waits else None)
            else:
                self.end_leg(leg, result, cause)
        self.away.clear()
        if self.bridge is not None:
            self.do(CloseBridge(self.bridge))
        if self.holding is not None:
            self.do(CloseBridge(self.holding))
        self.after_playback.clear()
        self.move(State.ENDED)
        self.note(
            "call.ended",
            disposition=disposition.value,
            cause=int(cause),
            sip_status=sip_status,
            reason=reason,
            ended_by=ended_by,
        )

    def _stop_what_runs(self) -> None:
        """Timers, the recording, and an invitation."""
        for name in sorted(self.timers):
            self.do(StopTimer(name))
        self.timers.clear()
        if self.recording is not None:
            self.note("recording.stopped", recording=self.recording)  # MixMonitor ends with its channel, by itself
            self.recording = None
            self.tracks.clear()
        if self.invite is not None:
            self.note("invite.ended", guest=self.invite.guest.id, result=Result.CANCELLED.value)
            self.invite = None


def _result_at_end(leg: Leg, disposition: Disposition) -> Result:
    refused = disposition in (Disposition.REFUSED, Disposition.INVALID)
    return Result.DECLINED if refused and leg.role is Role.USER else Result.CANCELLED
