"""Every live call has a mailbox here: events in order, facts to the journal, commands to the switch.

One step takes one event: the core decides, what happened is written to the journal, then the commands go out.
Nothing in a step waits, so a hang-up is never queued behind something slow. The gate's word is asked for within the
step; what else a step brings about at once (a channel that is gone already) is queued behind it and taken in the same
turn.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

import structlog

from pbx.core.call import Call, begin, handle
from pbx.core.call.machine import Decided, break_off
from pbx.core.call.mending import REPEATED, Found, mend, missed, unheard_transfers
from pbx.core.call.states import State
from pbx.core.causes import Cause
from pbx.core.commands import (
    Answer,
    Command,
    DialOut,
    Fact,
    FindColleague,
    FindGuest,
    FindRoute,
    GiveBackRoute,
    HangUp,
    JoinBridge,
    Play,
    RecordMessage,
    RingPhone,
    StartTimer,
    StopTimer,
    TakeLeg,
)
from pbx.core.events import (
    Asking,
    Beginning,
    ColleagueFound,
    CommandFailed,
    DialRequested,
    Event,
    GuestFound,
    LegEnded,
    MessageRecorded,
    NotNow,
    Person,
    PlaybackDone,
    RouteDecided,
    TimerFired,
)
from pbx.core.gate import Reason, Verdict
from pbx.core.ids import CallId, Instant, LegId
from pbx.services.alone import NoKeeper, OneSwitch
from pbx.services.ports import Clock, Journal, Keeper, Kept, Observer, Placement, Switch

log = structlog.get_logger("calls")

REAP_AFTER_S = 15.0
REMEMBERED = 20_000  # calls that are over and may still get facts: notes, finished recordings


class Gatekeeper(Protocol):
    def decide(self, call: Call, request: FindRoute) -> RouteDecided: ...
    def give_back(self, call: Call, purpose: str) -> None: ...
    def release(self, call: Call) -> None: ...


class UnknownCall(Exception):
    """No call of that id is up."""


@dataclass(slots=True)
class _Entry:
    """``steps`` counts what was decided by this engine. ``todo`` is what the last step wanted done; of a call that is
    ``behind`` (the engine or the link was away, and it has not caught up yet) what each step wanted since."""

    call: Call
    began: Instant
    channels: dict[LegId, str] = field(default_factory=dict)
    node: str = ""
    seq: int = 0
    steps: int = 0
    busy: bool = False
    behind: bool = False
    todo: list[Command] = field(default_factory=list)
    mailbox: deque[tuple[Event, Instant | None]] = field(default_factory=deque)
    timers: dict[str, Callable[[], None]] = field(default_factory=dict)


class Calls:
    """The live calls of this engine."""

    def __init__(
        self,
        switch: Switch,
        journal: Journal,
        clock: Clock,
        gatekeeper: Gatekeeper,
        observers: Iterable[Observer] = (),
        find_colleague: Callable[[str], Person | None] = lambda number: None,
        find_guest: Callable[[str, str], GuestFound] = lambda digits, user_id: GuestFound(None),
        keeper: Keeper | None = None,
        placement: Placement | None = None,
    ) -> None:
        """``find_colleague`` gives the user who has a number of ours, ``find_guest`` who is meant by the keys that a
        user pressed, as they are at this moment."""
        self._switch = switch
        self._journal = journal
        self._clock = clock
        self._gatekeeper = gatekeeper
        self._find_colleague = find_colleague
        self._find_guest = find_guest
        self._keeper = keeper or NoKeeper()
        self._placement = placement or OneSwitch()
        self._let_go = False
        self.observers = list(observers)
        self._entries: dict[CallId, _Entry] = {}
        self._last_seq: OrderedDict[CallId, int] = OrderedDict()
        self._to_tell: deque[tuple[CallId, list[tuple[int, Fact]]]] = deque()
        self._telling = False

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Call]:
        return (entry.call for entry in list(self._entries.values()))

    def get(self, call_id: str) -> Call | None:
        entry = self._entries.get(CallId(call_id))
        return entry.call if entry else None

    # -- after the engine or its link was away ---------------------------------------------------------

    def take_over(self, kept: Kept) -> None:
        """Take a call of an earlier engine as it was; its timers run when it has caught up."""
        began = kept.facts[0][1].at if kept.facts else kept.call.now
        entry = _Entry(kept.call, began, dict(kept.channels), kept.node, kept.seq, behind=True, todo=list(kept.todo))
        self._entries[kept.call.id] = entry
        self._placement.again(kept.call.id, kept.node)
        for leg, channel in kept.channels.items():
            self._switch.adopt(kept.call.id, leg, channel)

    def steps(self) -> dict[CallId, int]:
        """How far each call is: whoever looks at the switch notes it before, see :meth:`catch_up`."""
        return {call: entry.steps for call, entry in self._entries.items()}

    def catch_up(self, call_id: CallId, found: Found, as_of: int) -> bool:
        """Hear what was missed, then do what is missing. ``as_of`` is how far the call was when the switch was asked.

        Tells whether it stands now as it should. Where something happened meanwhile, what was found says no more what
        is missing: look again.
        """
        entry = self._entries.get(call_id)
        if entry is None:
            return True
        entry.behind = True
        for event, at in missed(entry.call, entry.began, found, entry.todo):
            self.deliver(call_id, event, at)
        over = self._entries.get(call_id) is not entry
        if not over and entry.steps != as_of:
            return False
        for command in mend(entry.call, found, entry.todo):
            log.info("call.mended", call=call_id, command=type(command).__name__)
            self._try(entry, command)
        for command in unheard_transfers(entry.call):
            self._try(entry, command)
        if over:  # its bridges may stand for all that, and what was to be destroyed may be there
            self._switch.flush()
        else:
            self._go_on(entry)
        return True

    def _go_on(self, entry: _Entry) -> None:
        entry.behind = False
        for name, due in entry.call.timers.items():
            if name not in entry.timers:
                self._start_timer(entry, name, max(0.0, (due - self._clock.now()) / 1_000_000))
        self._work(entry)

    def let_go(self) -> None:
        """This engine ends, the calls go on: nothing more is decided here."""
        self._let_go = True
        for entry in self._entries.values():
            for cancel in entry.timers.values():
                cancel()

    # -- in -----------------------------------------------------------------------------------------

    def begin(self, call_id: CallId, event: Beginning, channel: str = "") -> Call:
        """Start a call; ``channel`` is the one that waits for us in the switch, if one does."""
        if self._let_go:
            raise RuntimeError("this engine takes no more calls")
        call, decided = begin(call_id, event, self._clock.now())
        entry = self._entries[call_id] = _Entry(call, call.now)
        entry.node = self._placement.place(call_id, channel, _first_rung(event))
        if channel and call.first_leg is not None:
            entry.channels[call.first_leg] = channel
            self._switch.adopt(call_id, call.first_leg, channel)
        self._work(entry, decided)
        return call

    def deliver(self, call_id: CallId, event: Event, at: Instant | None = None) -> None:
        """Put what happened into the call's mailbox; for a call that is gone it changes nothing. ``at`` is when it
        happened, where that is not now."""
        entry = self._entries.get(call_id)
        if entry is None or self._let_go:
            return
        entry.mailbox.append((event, at))
        if not entry.busy:
            self._work(entry)

    def ask(self, call_id: str, event: Asking) -> Call:
        """What a person asks, answered at once. Raises UnknownCall, or NotNow with the reason."""
        entry = self._entries.get(CallId(call_id))
        if entry is None:
            raise UnknownCall(call_id)
        decided = handle(entry.call, event, self._clock.now())
        if entry.busy:  # asked from within a step, by one who hears of it: what follows is the step's own
            self._carry_out(entry, decided)
        else:
            self._work(entry, decided)
        return entry.call

    def annotate(self, call_id: CallId, kind: str, data: dict[str, object], *, after: int | None = None) -> None:
        """Add a fact that the call's own rules need not decide: a note, a finished recording, a match.

        The call may be over. ``after`` is the number of its last fact, as the store has it, for calls of an earlier
        run. Raises UnknownCall where neither this run nor ``after`` knows it.
        """
        entry = self._entries.get(call_id)
        last = entry.seq if entry else self._last_seq.get(call_id, after)
        if last is None:
            raise UnknownCall(call_id)
        fact = (last + 1, Fact(kind, self._clock.now(), data))
        if entry:
            entry.seq += 1
            self._keeper.keep(entry.call, entry.seq, entry.channels, [fact], entry.todo, entry.node)
        else:
            self._remember(call_id, last + 1)
        self._journal.append(call_id, [fact])
        self._to_tell.append((call_id, [fact]))
        self._tell()

    def history(self, call_id: CallId, facts: Iterable[Fact]) -> None:
        """Take in a call that was begun and ended without us: its facts bring their own times."""
        numbered = list(enumerate(facts, 1))
        self._remember(call_id, len(numbered))
        self._journal.append(call_id, numbered)
        self._to_tell.append((call_id, numbered))
        self._tell()

    def _remember(self, call_id: CallId, seq: int) -> None:
        self._last_seq[call_id] = seq
        self._last_seq.move_to_end(call_id)
        while len(self._last_seq) > REMEMBERED:
            self._last_seq.popitem(last=False)

    # -- one step -----------------------------------------------------------------------------------

    def _work(self, entry: _Entry, decided: Decided | None = None) -> None:
        entry.busy = True
        try:
            self._carry_out(entry, decided or [])
            while entry.mailbox:
                self._carry_out(entry, self._decide(entry.call, *entry.mailbox.popleft()))
        finally:
            entry.busy = False
            self._tell()
        self._retire(entry)

    def _decide(self, call: Call, event: Event, at: Instant | None = None) -> Decided:
        """A fault in one call ends that call, if nobody talks in it yet, and touches no other."""
        try:
            return handle(call, event, self._clock.now() if at is None else at)
        except NotNow as answer:
            log.info("call.not_now", call=call.id, answer=answer.sentence)
            return []
        except Exception:
            log.exception("call.broke", call=call.id, happened=repr(event), state=call.state.value)
            return break_off(call, self._clock.now())

    def _carry_out(self, entry: _Entry, decided: Decided) -> None:
        """Facts first: the row stands before the first ring. Who only watches is told when the turn is over.

        A leg that is being made rings nobody: the switch is at it while the facts are written.
        """
        decided = list(self._with_answers(entry, decided))
        for item in decided:
            if isinstance(item, DialOut):
                self._prepare(entry, item)
        facts = []
        for item in decided:
            if isinstance(item, Fact):
                entry.seq += 1
                facts.append((entry.seq, item))
        if decided:
            self._keep(entry, facts, decided)
        if facts:
            self._journal.append(entry.call.id, facts)
        for item in decided:
            if not isinstance(item, Fact):
                self._try(entry, item)
        self._switch.flush()
        if facts:
            self._to_tell.append((entry.call.id, facts))

    def _keep(self, entry: _Entry, facts: list[tuple[int, Fact]], decided: Decided) -> None:
        """Before the journal, whose lines an engine that comes after adds where they are missing."""
        entry.steps += 1
        entry.behind |= self._is_away(entry.call.id)
        earlier = entry.todo if entry.behind else []
        for item in decided:
            if isinstance(item, TakeLeg):
                entry.channels[item.leg] = self._switch.channel_of(item.other)
        entry.todo = earlier + [item for item in decided if isinstance(item, REPEATED)]
        try:
            self._keeper.keep(entry.call, entry.seq, entry.channels, facts, entry.todo, entry.node)
        except Exception:  # the call itself is more than its copy
            log.exception("call.not_kept", call=entry.call.id)

    def _is_away(self, call_id: CallId) -> bool:
        return not self._switch.ready or self._placement.away(call_id)

    def _with_answers(self, entry: _Entry, decided: Decided) -> Iterator[Command | Fact]:
        """What is asked of ourselves is answered within the step: asking changes nothing outside, and what follows
        from the answer is written down together with what went before."""
        for item in decided:
            match item:
                case FindRoute():
                    answer: Event = self._route(entry, item)
                case FindColleague():
                    answer = ColleagueFound(self._colleague(item.number))
                case FindGuest():
                    answer = self._guest(item)
                case _:
                    yield item
                    continue
            yield from self._with_answers(entry, self._decide(entry.call, answer))

    def _route(self, entry: _Entry, wanted: FindRoute) -> RouteDecided:
        """A gate that breaks lets nothing pass."""
        try:
            return self._gatekeeper.decide(entry.call, wanted)
        except Exception:
            log.exception("gate.broke", call=entry.call.id, number=wanted.number)
            return RouteDecided(wanted.purpose, Verdict(False, Reason.OVERLOADED), number=wanted.number)

    def _colleague(self, number: str) -> Person | None:
        try:
            return self._find_colleague(number)
        except Exception:
            log.exception("colleague.broke", number=number)
            return None

    def _guest(self, wanted: FindGuest) -> GuestFound:
        try:
            return self._find_guest(wanted.digits, wanted.user_id)
        except Exception:
            log.exception("guest.broke", user=wanted.user_id)
            return GuestFound(None)

    def _tell(self) -> None:
        """Every observer hears everything in order, also what another observer brings about while it is told."""
        if self._telling:
            return
        self._telling = True
        try:
            while self._to_tell:
                self._tell_all(*self._to_tell.popleft())
        finally:
            self._telling = False

    def _tell_all(self, call_id: CallId, facts: list[tuple[int, Fact]]) -> None:
        for observer in self.observers:
            try:
                observer.happened(call_id, facts)
            except Exception:
                log.exception("observer.failed", call=call_id, observer=type(observer).__name__)

    def _try(self, entry: _Entry, command: Command) -> None:
        """One command that cannot go out must not keep back those behind it, a hang-up least of all."""
        try:
            self._command(entry, command)
        except Exception as error:
            log.exception("command.broke", call=entry.call.id, command=repr(command))
            entry.mailbox.append((_undone(command, f"{type(error).__name__}: {error}"), None))

    def _prepare(self, entry: _Entry, command: Command) -> None:
        try:
            self._switch.prepare(entry.call.id, command)
        except Exception:  # what does not begin now does with the command itself
            log.exception("prepare.broke", call=entry.call.id, command=repr(command))

    def _command(self, entry: _Entry, command: Command) -> None:
        match command:
            case StartTimer():
                self._start_timer(entry, command.name, command.delay.total_seconds())
            case StopTimer():
                cancel = entry.timers.pop(command.name, None)
                if cancel is not None:
                    cancel()
            case GiveBackRoute():
                self._gatekeeper.give_back(entry.call, command.purpose)
            case _:
                self._switch.carry_out(entry.call.id, command)

    def _start_timer(self, entry: _Entry, name: str, delay_s: float) -> None:
        call_id = entry.call.id

        def fired() -> None:
            entry.timers.pop(name, None)
            self.deliver(call_id, TimerFired(name))

        earlier = entry.timers.pop(name, None)
        if earlier is not None:
            earlier()
        entry.timers[name] = self._clock.later(delay_s, fired)

    # -- out ----------------------------------------------------------------------------------------

    def _retire(self, entry: _Entry) -> None:
        """Forget a call when nothing of it is left; a leg whose end never comes is given up after a while."""
        call = entry.call
        if call.id not in self._entries or call.state is not State.ENDED:
            return
        if "reap" not in entry.timers:
            self._gatekeeper.release(call)
        if call.over:
            self._forget(entry)
        elif "reap" not in entry.timers:
            entry.timers["reap"] = self._clock.later(REAP_AFTER_S, lambda: self._reap(entry))

    def _reap(self, entry: _Entry) -> None:
        if self._is_away(entry.call.id):  # what is left of it is settled when the link is back
            entry.timers["reap"] = self._clock.later(REAP_AFTER_S, lambda: self._reap(entry))
            return
        missing = [leg.id for leg in entry.call.legs.values() if not leg.ended]
        log.warning("call.reaped", call=entry.call.id, legs=missing)
        for leg in missing:
            self._try(entry, HangUp(leg, Cause.NORMAL))  # once more: the first may have been lost with the link
            self.deliver(entry.call.id, LegEnded(leg, 16))

    def _forget(self, entry: _Entry) -> None:
        for cancel in entry.timers.values():
            cancel()
        entry.timers.clear()
        del self._entries[entry.call.id]
        self._remember(entry.call.id, entry.seq)
        self._switch.forget(entry.call.id)
        self._keeper.drop(entry.call.id)


def _first_rung(event: Beginning) -> str:
    """The phone that a call rings before anybody else is there."""
    return event.phone.dial if isinstance(event, DialRequested) and event.phone is not None else ""


def _undone(command: Command, why: str) -> Event:
    """What a call is told of a command that could not go out."""
    match command:
        case Play():
            return PlaybackDone(command.playback)
        case RecordMessage():
            return MessageRecorded(command.name, timedelta(0))
        case RingPhone() | DialOut() | Answer():
            return CommandFailed(type(command).__name__, command.leg, why)
        case JoinBridge():
            return CommandFailed(type(command).__name__, command.legs[-1], why)
        case _:
            return CommandFailed(type(command).__name__, None, why)
