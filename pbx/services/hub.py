"""The live event stream: what happened, numbered, to everybody who may see it.

On the call path an event is noted and nothing else; what it looks like is worked out after the step, once for all
listeners, and only when somebody listens. A ring of the last few thousand lets a client that was cut off go on where
it stopped; whoever asks for more gets a fresh snapshot.

The rule that holds everything together: a snapshot with the events after it applied equals a fresh snapshot
(:func:`apply` is that rule as code). An event therefore carries the new state of what it is about, never a difference,
so one that arrives twice changes nothing.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import orjson

from crm.directory import Directory
from pbx.core.commands import Fact
from pbx.core.ids import CallId
from pbx.services.alerts import Alert
from pbx.services.displays import home_of, with_displays
from pbx.services.live_records import LiveRecords
from pbx.services.ports import Clock
from pbx.services.presence_view import PresenceView
from pbx.services.views import call_view, involved_in

RING = 4_096
QUEUE = 1_024
MESSAGES = 2_000
MOVES = frozenset({"call.created", "call.state", "call.ended", "guest.joined", "party.left"})
"""After these other users are on a call than before."""
PRESENCE_EVERY_US = 200_000
"""Presence goes to everybody, so with many consoles and many calls it is told together, a few times a second."""

Message = dict[str, Any]
EVERYBODY = None


@dataclass(slots=True)
class Event:
    """``audience`` names the users who may see it besides those who see everything; None is everybody."""

    number: int
    audience: frozenset[str] | None
    make: Callable[[], Message]
    private: bool = False  # for the audience alone: not even managers
    frame: bytes | None = None

    def encoded(self) -> bytes:
        if self.frame is None:
            self.frame = orjson.dumps({"n": self.number, **self.make()}, default=str)
        return self.frame


@dataclass(eq=False, slots=True)
class Listener:
    """One connection: frames wait here for its own sender. ``wake`` is called when there is something to do."""

    user_id: str
    sees_all: bool
    wake: Callable[[], None]
    frames: deque[bytes] = field(default_factory=deque)
    lost: bool = False

    def may_see(self, event: Event) -> bool:
        if event.audience is EVERYBODY or self.user_id in event.audience:
            return True
        return self.sees_all and not event.private


class Hub:
    """An observer of :class:`~pbx.services.runtime.Calls`, to be told after the live records."""

    def __init__(
        self,
        records: LiveRecords,
        presence: PresenceView,
        directory: Callable[[], Directory],
        clock: Clock,
        *,
        ring: int = RING,
        queue: int = QUEUE,
        alerts: Callable[[], Sequence[Alert]] = tuple,
    ) -> None:
        """``alerts`` gives those that stand."""
        self.epoch = secrets.token_hex(8)
        self.presence = presence
        self.dropped = 0
        self._records = records
        self._directory = directory
        self._clock = clock
        self._ring: deque[Event] = deque(maxlen=ring)
        self._number = 0
        self._told = 0
        self._queue = queue
        self._alerts = alerts
        self._listeners: set[Listener] = set()
        self._pending: dict[CallId, list[tuple[int, Fact]]] = {}
        self._presence_due: set[str] = set()
        self._scheduled = False
        self._presence_told_us = 0
        self._presence_later = False
        self._messages: OrderedDict[str, tuple[str, Message | None]] = OrderedDict()
        self._balance: Message | None = None

    @property
    def number(self) -> int:
        """Of the last event."""
        return self._number

    def __len__(self) -> int:
        return len(self._listeners)

    # -- what happened ------------------------------------------------------------------------------

    def happened(self, call: CallId, facts: Sequence[tuple[int, Fact]]) -> None:
        """On the call path: note it, do the work after the step."""
        self._pending.setdefault(call, []).extend(facts)
        self._schedule()

    def registration_changed(self, device_id: str) -> None:
        device = self._directory().devices.get(device_id)
        if device is not None:
            self._presence_due.add(device.user_id)
            self._schedule()

    def phones_changed(self, user_ids: Iterable[str]) -> None:
        """These users have other phones than before; nothing else of the configuration is another."""
        self._presence_due |= set(user_ids)
        self._schedule()

    def directory_changed(self) -> None:
        """The configuration was read again: users may have come, gone or been renamed."""
        revision = self._directory().configured
        self._add(EVERYBODY, lambda: {"type": "configuration", "revision": revision})
        self._add_presence(None)
        self._tell()

    def voicemail_changed(self, user_id: str, voicemail: Message | None, voicemail_id: str) -> None:
        """Heard or deleted (None): its owner's badge changes. Nobody else is told."""
        self._add_voicemail(user_id, voicemail_id, voicemail)
        self._tell()

    def summary_changed(self, user_id: str, summary: Message) -> None:
        """A summary was made, typed in or saved: its user's consoles show it. Nobody else is told."""
        self._add(frozenset({user_id}), lambda: {"type": "summary", "summary": summary}, private=True)
        self._tell()

    def task_changed(self, user_id: str, task_id: str, task: Message | None) -> None:
        """For who does it; None where it was removed or given to somebody else."""
        message = {"type": "task", "task_id": task_id, "task": task}
        self._add(frozenset({user_id}), lambda: message, private=True)
        self._tell()

    def conversation_changed(self, user_id: str | None, conversation: Message) -> None:
        """It has something new, or was read: its user's badge changes. Nobody else is told."""
        message = {"type": "conversation", "conversation": conversation}
        if user_id is not None:
            self._add(frozenset({user_id}), lambda: self._shown(message), private=True)
        self._tell()

    def text_changed(self, user_id: str | None, text: Message, conversation: Message) -> None:
        """A text came, was written, or is in another state: for its user, and for those who may read everybody's."""
        message = {"type": "text", "text": text, "conversation": conversation}
        self._add(frozenset({user_id} if user_id else ()), lambda: self._shown(message))
        self.conversation_changed(user_id, conversation)

    def remind(self, user_id: str, task: Message) -> None:
        """The moment of a task's reminder has come."""
        self._add(frozenset({user_id}), lambda: {"type": "reminder", "task": task}, private=True)
        self._tell()

    def list_run_changed(self, user_id: str, view: Message | None) -> None:
        """How its user's way through a call list stands; None where they work on none."""
        shown = self._shown(view)
        self._add(frozenset({user_id}), lambda: {"type": "list_run", "list_run": shown}, private=True)
        self._tell()

    def list_changed(self, owner_id: str | None, shown: Message, progress: Message) -> None:
        """For its owner and managers: how a call list goes. It is no part of a snapshot: whoever looks at it asks."""
        message = {"type": "list", "list": shown, "progress": progress}
        self._add(frozenset({owner_id} if owner_id else ()), lambda: message)
        self._tell()

    def charged(self, call_id: str, user_ids: frozenset[str], charges: list[Message]) -> None:
        """Legs of a call have got their price; each leg is told once."""
        shown = self._shown(charges)
        self._add(user_ids, lambda: {"type": "charges", "call_id": call_id, "charges": shown})
        self._tell()

    def balance_changed(self, balance: Message) -> None:
        """For managers and admins."""
        self._balance = balance
        self._add(frozenset(), lambda: {"type": "balance", "balance": balance})
        self._tell()

    def alert_changed(self, alert: Alert, stands: bool) -> None:
        """For managers and admins. One that is over is told as its id alone."""
        message = {"type": "alert", "alert_id": alert.id, "alert": alert.view() if stands else None}
        self._add(frozenset(), lambda: message)
        self._tell()

    # -- after the step -----------------------------------------------------------------------------

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._clock.soon(self._settle)

    def _settle(self) -> None:
        """Turn what was noted into events: one per call, whatever number of steps it took in this turn."""
        self._scheduled = False
        pending, self._pending = self._pending, {}
        for call_id, facts in pending.items():
            self._presence_due |= self._settle_call(call_id, facts)
        if self._presence_due:
            self._settle_presence()
        self._tell()

    def _settle_presence(self) -> None:
        now = self._clock.now()
        wait_us = self._presence_told_us + PRESENCE_EVERY_US - now
        if wait_us <= 0:
            due, self._presence_due = self._presence_due, set()
            self._presence_told_us = now
            self._add_presence(due)
        elif not self._presence_later:
            self._presence_later = True
            self._clock.later(wait_us / 1e6, self._presence_is_due)

    def _presence_is_due(self) -> None:
        self._presence_later = False
        self._settle()

    def _settle_call(self, call_id: CallId, facts: list[tuple[int, Fact]]) -> frozenset[str]:
        record = self._records.get(call_id)
        if record is None:
            self._add(frozenset(), lambda: {"type": "call.noted", "call_id": call_id, "facts": _facts(facts)})
            return frozenset()
        users = involved_in(record, self._directory())
        self._add(users, lambda: {"type": "call", "call": self._shown(call_view(record)), "facts": _facts(facts)})
        for _, fact in facts:
            if fact.kind == "voicemail.finished":
                voicemail = record.voicemails.get(str(fact.data["voicemail"]))
                if voicemail is not None:
                    self._add_voicemail(voicemail["user_id"], voicemail["id"], unheard_voicemail(voicemail))
        return users if any(fact.kind in MOVES for _, fact in facts) else frozenset()

    def _add_voicemail(self, user_id: str, voicemail_id: str, voicemail: Message | None) -> None:
        message = {"type": "voicemail", "voicemail_id": voicemail_id, "unheard": self._shown(voicemail)}
        self._messages[voicemail_id] = (user_id, voicemail)
        self._messages.move_to_end(voicemail_id)
        if len(self._messages) > MESSAGES:
            self._messages.popitem(last=False)
        self._add(frozenset({user_id}), lambda: message, private=True)

    def _add_presence(self, user_ids: Iterable[str] | None) -> None:
        changes = self.presence.changes(user_ids)
        if changes:
            self._add(EVERYBODY, lambda: {"type": "presence", "presence": changes})

    def _shown(self, row: Any) -> Any:
        return with_displays(row, home_of(self._directory()))

    def _add(self, audience: frozenset[str] | None, make: Callable[[], Message], *, private: bool = False) -> None:
        self._number += 1
        self._ring.append(Event(self._number, audience, make, private))

    def _tell(self) -> None:
        """Give every listener the frames it has not had. One that does not read is cut off, never waited for."""
        fresh = self.since(self._told, self.epoch) or [] if self._listeners else []
        self._told = self._number
        for listener in list(self._listeners):
            frames = [event.encoded() for event in fresh if listener.may_see(event)]
            if not frames:
                continue
            if len(listener.frames) + len(frames) > self._queue:
                self.dropped += 1
                listener.lost = True
                listener.frames.clear()
                self._listeners.discard(listener)
            else:
                listener.frames.extend(frames)
            listener.wake()

    # -- who listens --------------------------------------------------------------------------------

    def listen(self, listener: Listener) -> None:
        """From now on; what was noted before is settled first, so that nothing is told twice or never."""
        self.catch_up()
        self._listeners.add(listener)

    def leave(self, listener: Listener) -> None:
        self._listeners.discard(listener)

    def catch_up(self) -> None:
        """Make events of everything that has happened until now."""
        self._presence_told_us = 0
        if self._pending or self._presence_due:
            self._settle()

    def since(self, number: int, epoch: str) -> list[Event] | None:
        """The events after this one; None when the ring does not reach back that far, or it is of another run."""
        if epoch != self.epoch or not 0 <= number <= self._number:
            return None
        missing = self._number - number
        if missing > len(self._ring):
            return None
        return list(islice(reversed(self._ring), missing))[::-1]

    def new_messages(self, user_id: str) -> dict[str, Message | None]:
        """What was said lately of this user's voicemails, by id; it goes before what the store has, which follows."""
        return {name: unheard for name, (owner, unheard) in self._messages.items() if owner == user_id}

    def removed(self, voicemail_id: str) -> bool:
        """Whether this message was taken out lately, or heard: the call's record in memory does not know."""
        return self._messages.get(voicemail_id, ("", {}))[1] is None

    def snapshot(self, user_id: str, sees_all: bool) -> Message:
        """What is going on now, for this user. Without voicemails, summaries, tasks and unread
        conversations: those are in the store."""
        self.catch_up()
        directory = self._directory()
        return {
            "type": "snapshot",
            "epoch": self.epoch,
            "n": self._number,
            "revision": directory.configured,
            "calls": [
                self._shown(call_view(record))
                for record in self._records.live()
                if sees_all or user_id in involved_in(record, directory)
            ],
            "presence": self.presence.all(),
            "alerts": [alert.view() for alert in self._alerts()] if sees_all else [],
            "balance": self._balance if sees_all else None,
        }


def unheard_voicemail(row: Message) -> Message | None:
    """What a badge and a list of new messages show; None for one that is not there to be heard."""
    if row["state"] != "ready" or row.get("heard_us"):
        return None
    return {name: row[name] for name in ("id", "call_id", "caller_number", "duration_ms", "created_us")}


def apply(snapshot: Message, event: Message) -> Message:
    """What a client does with an event. Calls, voicemails and summaries keep the order in which they were made; tasks
    stand by their moment, up to that of ``tasks_until_us``."""
    result = dict(snapshot) | {"n": event["n"]}
    match event["type"]:
        case "call":
            call = event["call"]
            result["calls"] = _replaced(result["calls"], call, "id", keep=call["ended_us"] is None)
        case "presence":
            for shown in event["presence"]:
                result["presence"] = _replaced(result["presence"], shown, "user_id", keep=shown["state"] != "gone")
        case "voicemail":
            item = event["unheard"] or {"id": event["voicemail_id"]}
            result["voicemails"] = _replaced(result["voicemails"], item, "id", keep=bool(event["unheard"]))
        case "summary":
            summary = event["summary"]
            result["summaries"] = _replaced(result["summaries"], summary, "call_id", keep=summary["state"] == "draft")
        case "task":
            task = event["task"] or {"id": event["task_id"], "due_us": 0, "done_us": 0}
            waits = task["done_us"] is None and task["due_us"] <= result["tasks_until_us"]
            kept = _replaced(result["tasks"], task, "id", keep=waits)
            result["tasks"] = sorted(kept, key=lambda each: (each["due_us"], each["id"]))
        case "list_run":
            result["list_run"] = event["list_run"]
        case "conversation":
            item = event["conversation"]
            kept = _replaced(result["conversations"], item, "id", keep=item["unread"] > 0)
            result["conversations"] = sorted(kept, key=lambda each: (each["last_us"], each["id"]))
        case "alert":
            item = event["alert"] or {"id": event["alert_id"]}
            result["alerts"] = _replaced(result["alerts"], item, "id", keep=bool(event["alert"]))
        case "balance":
            result["balance"] = event["balance"]
        case "configuration":
            result["revision"] = event["revision"]
    return result


def _replaced(items: list[Message], item: Message, key: str, *, keep: bool) -> list[Message]:
    kept = [item if each[key] == item[key] else each for each in items if keep or each[key] != item[key]]
    if keep and not any(each[key] == item[key] for each in items):
        kept.append(item)
    return kept


def _facts(facts: Iterable[tuple[int, Fact]]) -> list[Message]:
    return [{"seq": seq, "kind": fact.kind, "at_us": fact.at, "data": fact.data} for seq, fact in facts]
