"""The event stream's one rule: a snapshot with the events after it applied is a fresh snapshot."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.directory import Directory
from crm.records import Device, User
from pbx.core.commands import Fact
from pbx.core.events import Arrived, Ask, Asked, LegAnswered, LegEnded, LegRinging, NotNow, Person, Phone
from pbx.core.ids import CallId
from pbx.services.alerts import Alerts, Kind
from pbx.services.hub import Hub, Listener, apply
from pbx.services.live_records import LiveRecords
from pbx.services.occupancy import Occupancy
from pbx.services.presence_view import PresenceView
from pbx.services.runtime import Calls, UnknownCall
from tests.unit.services.standins import HandClock, HandGate, HandJournal, HandSwitch, Trail


def user(name: str, role: str = "rep") -> User:
    values: dict[str, Any] = dict.fromkeys(User.__dataclass_fields__)
    return User(**(values | {"id": f"u_{name}", "name": name, "role": role, "active": True, "number": "+14155550101"}))


class World:
    def __init__(self, **sizes: int) -> None:
        self.users = {each.id: each for each in (user("mio"), user("sam"), user("alex", "manager"))}
        devices = {f"d_{name[2:]}": Device(f"d_{name[2:]}", name, "Phone", "sip", "udp", "") for name in self.users}
        by_user = {device.user_id: (device,) for device in devices.values()}
        self.directory = Directory(1, self.users, {}, devices, (), {}, {}, frozenset(), 0, by_user)
        self.bindings: dict[str, int] = {}
        self.clock, self.switch, self.records = HandClock(), HandSwitch(Trail()), LiveRecords()
        self.calls = Calls(self.switch, HandJournal(Trail()), self.clock, HandGate())
        occupancy = Occupancy(self.calls.get)
        presence = PresenceView(lambda: self.directory, lambda: self.bindings, occupancy.busy)
        self.alerts = Alerts(self.clock)
        standing: Any = {"alerts": lambda: self.alerts.standing}
        self.hub = Hub(self.records, presence, lambda: self.directory, self.clock, **standing, **sizes)
        self.alerts.watchers.append(self.hub.alert_changed)
        self.calls.observers += [self.records, occupancy, self.hub]
        self.made: list[CallId] = []
        self.facts = 100  # more than a call that only rings has
        self.drafts: dict[str, dict[str, Any]] = {}
        self.tasks: dict[str, dict[str, Any]] = {}

    def ring(self, name: str) -> CallId:
        call = CallId(f"c_{len(self.made):026d}")
        self.made.append(call)
        person = Person(f"u_{name}", name, "+14155550101", phones=(Phone(f"d_{name}", "PJSIP/a"),))
        self.calls.begin(call, Arrived("PJSIP-1", person.did, "+12065550150", "", "tr_a", True, person), "PJSIP-1")
        return call

    def tell(self, call: CallId, kind: str, leg: str, name: str) -> None:
        """A fact of a conversation of three, without the conversation."""
        self.facts += 1
        fact = Fact(
            kind, self.clock.now(), {"leg": leg, "role": "guest", "user_id": f"u_{name}", "name": name, "number": ""}
        )
        for observer in self.calls.observers:
            observer.happened(call, [(self.facts, fact)])

    def happen(self, what: str, index: int) -> None:
        """One step of a busy day; what makes no sense at the moment changes nothing."""
        call = self.made[index % len(self.made)] if self.made else None
        match what:
            case "mio" | "sam" | "alex":
                self.ring(what)
            case "register" | "unregister":
                device = f"d_{('mio', 'sam', 'alex')[index % 3]}"
                self.bindings[device] = 1 if what == "register" else 0
                self.hub.registration_changed(device)
            case "voicemail" if call:
                heard = {
                    "id": f"vm_{call[2:]}",
                    "call_id": call,
                    "created_us": index,
                    "caller_number": "",
                    "duration_ms": 1,
                }
                self.hub.voicemail_changed("u_mio", heard if index % 2 else None, heard["id"])
            case "draft" | "save" if call:
                summary = {"call_id": call, "state": "saved" if what == "save" else "draft", "notes": str(index)}
                self.drafts[call] = summary
                self.hub.summary_changed("u_mio", summary)
            case "task" | "done":
                task = {"id": f"task_{index % 4}", "due_us": index, "done_us": 1 if what == "done" else None}
                self.tasks[f"task_{index % 4}"] = task
                self.hub.task_changed("u_mio", f"task_{index % 4}", task)
            case "no task":
                self.tasks.pop(f"task_{index % 4}", None)
                self.hub.task_changed("u_mio", f"task_{index % 4}", None)
            case "remind":
                for task in self.tasks.values():
                    self.hub.remind("u_mio", task)
            case "alert":
                self.alerts.raised(
                    Kind.TRUNK_DOWN, f"tr_{index % 3}", "The trunk does not answer.", passing=index % 2 > 0
                )
            case "over":
                self.alerts.over(Kind.TRUNK_DOWN, f"tr_{index % 3}")
            case "note" if call:
                self.calls.annotate(call, "note.saved", {"text": f"note {index}"})
            case "reload":
                self.hub.directory_changed()
            case _ if call:
                self._leg(what, call)

    def _leg(self, what: str, call: CallId) -> None:
        first, second = (f"leg_{call[2:]}_{number}" for number in (1, 2))
        events: dict[str, Any] = {
            "rings": LegRinging(second),  # type: ignore[arg-type]
            "answers": LegAnswered(second),  # type: ignore[arg-type]
            "phone ends": LegEnded(second, 16),  # type: ignore[arg-type]
            "caller ends": LegEnded(first, 16),  # type: ignore[arg-type]
        }
        if what == "hang up":
            try:
                self.calls.ask(call, Asked(Ask.HANG_UP, "u_mio"))
            except (NotNow, UnknownCall):
                return
        else:
            self.calls.deliver(call, events[what])


class Client:
    """A console: takes the snapshot, applies what comes."""

    def __init__(self, world: World, user_id: str, sees_all: bool) -> None:
        self.world, self.user_id, self.sees_all = world, user_id, sees_all
        self.listener = Listener(user_id, sees_all, lambda: None)
        world.hub.listen(self.listener)
        self.seen = self.fresh() | {"voicemails": []}

    def fresh(self) -> dict[str, Any]:
        """With what the store has for this user: their drafts, and their tasks that are due by a moment."""
        own = self.user_id == "u_mio"
        tasks = [each for each in self.world.tasks.values() if each["done_us"] is None and each["due_us"] <= DUE_UNTIL]
        to_do = {
            "summaries": [each for each in self.world.drafts.values() if own and each["state"] == "draft"],
            "tasks": sorted(tasks, key=lambda each: (each["due_us"], each["id"])) if own else [],
            "tasks_until_us": DUE_UNTIL,
        }
        return dict(orjson.loads(orjson.dumps(self.world.hub.snapshot(self.user_id, self.sees_all) | to_do)))

    def read(self) -> None:
        while self.listener.frames:
            self.seen = apply(self.seen, orjson.loads(self.listener.frames.popleft()))


STEPS = ("mio", "sam", "alex", "rings", "answers", "phone ends", "caller ends", "hang up")
STEPS += ("register", "unregister", "note", "voicemail", "reload", "alert", "over")
STEPS += ("draft", "save", "task", "done", "no task", "remind")
DUE_UNTIL = 25


@pytest.mark.covers("A5")
@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 40)), max_size=60),
    st.lists(st.booleans(), min_size=60, max_size=60),
)
def test_a_snapshot_with_the_events_after_it_is_a_fresh_snapshot(
    steps: list[tuple[str, int]], settle_after: list[bool]
) -> None:
    world = World()
    clients = [Client(world, "u_mio", False), Client(world, "u_sam", False), Client(world, "u_alex", True)]
    for (what, index), settle in zip(steps, settle_after, strict=False):
        world.happen(what, index)
        if settle:
            world.clock.pass_(0)
        if settle and index % 5 == 0:
            clients.append(Client(world, "u_mio", False))
    world.clock.pass_(1)
    for client in clients:
        client.read()
        fresh = client.fresh()
        seen = dict(client.seen)
        heard = {each["id"] for each in seen.pop("voicemails")}
        assert client.user_id == "u_mio" or not heard, "voicemails are their owner's alone"
        for each in (fresh, seen):
            each["presence"] = sorted(each["presence"], key=lambda shown: shown["user_id"])
            each["calls"] = sorted(each["calls"], key=lambda shown: shown["id"])
            each["summaries"] = sorted(each["summaries"], key=lambda shown: shown["call_id"])
            del each["n"]
        assert seen == fresh


def test_nothing_is_worked_out_on_the_call_path_nor_while_nobody_listens() -> None:
    world = World()
    world.ring("mio")
    assert world.hub.number == 0, "noted only"
    world.clock.pass_(0)
    assert world.hub.number > 0
    assert all(event.frame is None for event in world.hub.since(0, world.hub.epoch) or [])


def test_a_client_that_was_cut_off_goes_on_where_it_stopped_until_the_ring_forgets() -> None:
    world = World(ring=8)
    client = Client(world, "u_mio", False)
    world.hub.leave(client.listener)
    at, epoch = world.hub.number, world.hub.epoch
    call = world.ring("mio")
    world.clock.pass_(0)
    missed = world.hub.since(at, epoch)
    assert missed is not None
    for event in missed:
        if client.listener.may_see(event):
            client.seen = apply(client.seen, orjson.loads(event.encoded()))
    assert [each["id"] for each in client.seen["calls"]] == [call]
    for number in range(10):
        world.calls.annotate(call, "note.saved", {"text": str(number)})
        world.clock.pass_(0)
    assert world.hub.since(at, epoch) is None
    assert world.hub.since(world.hub.number, "another run") is None
    assert world.hub.since(world.hub.number + 1, epoch) is None
    assert world.hub.since(world.hub.number, epoch) == []


@pytest.mark.covers("TRUST14")
def test_a_listener_that_does_not_read_is_cut_off_and_the_others_are_not() -> None:
    world = World(queue=16)
    asleep, awake = Client(world, "u_mio", False), Client(world, "u_alex", True)
    call = world.ring("mio")
    for number in range(40):
        world.calls.annotate(call, "note.saved", {"text": str(number)})
        world.clock.pass_(0)
        awake.read()
    assert asleep.listener.lost and not asleep.listener.frames
    assert not awake.listener.lost
    assert awake.seen["calls"][0]["notes"] == "39"
    assert (len(world.hub), world.hub.dropped) == (1, 1)


def test_a_guest_who_joins_is_shown_on_a_call_and_a_host_who_leaves_is_not() -> None:
    world = World()
    client = Client(world, "u_alex", True)
    call = world.ring("sam")
    world.clock.pass_(1)
    for name in ("mio", "sam"):
        world.tell(call, "leg.created", f"leg_{name}", name)
        world.tell(call, "guest.joined", f"leg_{name}", name)
    world.tell(call, "party.left", "leg_sam", "sam")
    world.clock.pass_(1)
    client.read()
    states = {each["user_id"]: each["state"] for each in client.seen["presence"]}
    assert states == {"u_mio": "on_call", "u_sam": "away", "u_alex": "away"}


def test_a_user_who_is_removed_leaves_the_presence_of_all() -> None:
    world = World()
    client = Client(world, "u_mio", False)
    world.hub.directory_changed()
    del world.users["u_sam"]
    world.hub.directory_changed()
    client.read()
    assert {each["user_id"] for each in client.seen["presence"]} == {"u_mio", "u_alex"}


def test_presence_is_told_together_a_few_times_a_second_and_the_last_word_is_told() -> None:
    world = World()
    client = Client(world, "u_sam", False)
    world.clock.pass_(1)
    client.read()
    before = world.hub.number
    for number in range(50):
        world.happen("register" if number % 2 else "unregister", 0)
        world.clock.pass_(0.01)
    world.clock.pass_(1)
    assert 1 <= world.hub.number - before <= 4
    client.read()
    assert client.seen["presence"] == client.fresh()["presence"]
