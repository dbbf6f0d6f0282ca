"""The mailbox of a call: what stands before what, what is queued behind what, and what a fault may not touch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import Any

import pytest

from pbx.core.call.mending import Found, Progress
from pbx.core.call.record import CallRecord
from pbx.core.commands import Command, DialOut, Fact, HangUp, Play, RecordMessage, Ring, RingPhone
from pbx.core.events import (
    Arrived,
    Ask,
    Asked,
    Dialled,
    LegAnswered,
    LegEnded,
    LegRinging,
    NotNow,
    Person,
    Phone,
    PlaybackDone,
    VoicemailPlan,
)
from pbx.core.ids import CallId, Instant, LegId
from pbx.services.runtime import REAP_AFTER_S, Calls, UnknownCall
from tests.unit.services.standins import HandClock, HandGate, HandJournal, HandSwitch, Trail

CALL = CallId("c_01HZ0000000000000000000001")
CALLER, PHONE, FORWARD = (LegId(f"leg_{CALL[2:]}_{number}") for number in (1, 2, 3))
MIO = Person("u_1", "Mio", "+14155550101", phones=(Phone("d1", "PJSIP/d1/sip:a"),), forwarding="+12065550130")


@dataclass
class Heard:
    facts: list[tuple[int, str]] = field(default_factory=list)

    def happened(self, call: CallId, facts: Sequence[tuple[int, Fact]]) -> None:
        self.facts += [(seq, fact.kind) for seq, fact in facts]


class World:
    def __init__(self) -> None:
        self.trail = Trail()
        self.switch, self.journal = HandSwitch(self.trail), HandJournal(self.trail)
        self.clock, self.gate, self.heard = HandClock(), HandGate(), Heard()
        self.calls = Calls(self.switch, self.journal, self.clock, self.gate, [self.heard])

    def ring(self, person: Person = MIO) -> None:
        self.calls.begin(CALL, Arrived("PJSIP-1", person.did, "+12065550150", "", "tr_a", True, person), "PJSIP-1")

    def commands(self, kind: type[Command]) -> list[Command]:
        return [command for command in self.switch.commands if isinstance(command, kind)]

    def facts(self) -> list[str]:
        return [fact.kind for _, fact in self.journal.facts]

    def catch_up(self, legs: Mapping[LegId, Progress] = MappingProxyType({}), **found: Any) -> None:
        """Look at the switch until the call stands as it should, as after a lost link."""
        seen = Found(**{"up_since": Instant(0), "legs": legs, **found})
        for _ in range(5):
            if self.calls.catch_up(CALL, seen, self.calls.steps().get(CALL, 0)):
                return

    def leave(self) -> None:
        """Everything of the call ends in the switch."""
        for leg in list(self.calls.get(CALL).legs if self.calls.get(CALL) else ()):
            self.calls.deliver(CALL, LegEnded(leg, 16))


@pytest.fixture
def world() -> World:
    return World()


def test_the_far_leg_is_being_made_while_the_facts_are_written_and_is_dialled_after_that(world: World) -> None:
    world.calls.begin(CALL, Dialled("PJSIP-1", "d1", MIO, "2065550150", "+12065550150"), "PJSIP-1")
    made, written, *wanted = world.trail.steps
    assert made[0] == "prepare" and isinstance(made[1], DialOut)
    assert written[0] == "journal" and made[1] in [command for _, command in wanted]


def test_a_switch_that_cannot_prepare_is_asked_to_dial_all_the_same(world: World) -> None:
    world.switch.prepare = broken  # type: ignore[method-assign]
    world.calls.begin(CALL, Dialled("PJSIP-1", "d1", MIO, "2065550150", "+12065550150"), "PJSIP-1")
    assert world.commands(DialOut)


def broken(call: CallId, command: Command) -> None:
    raise OSError("broken")


@pytest.mark.covers("P3")
def test_what_happened_is_in_the_journal_before_anything_goes_out(world: World) -> None:
    world.ring()
    assert world.trail.kinds()[0] == "journal"
    assert "command" in world.trail.kinds()
    world.calls.deliver(CALL, LegAnswered(PHONE))
    step = world.trail.kinds()[world.trail.kinds().index("command") :]
    assert step.index("journal") < len(step) - 1, "the answer is written before the caller is answered"


def test_facts_are_numbered_from_one_without_gaps(world: World) -> None:
    world.ring()
    world.calls.deliver(CALL, LegRinging(PHONE))
    world.calls.deliver(CALL, LegEnded(CALLER, 127))
    assert [seq for seq, _ in world.journal.facts] == list(range(1, len(world.journal.facts) + 1))


def test_the_waiting_channel_is_adopted_before_any_command_names_its_leg(world: World) -> None:
    seen: list[bool] = []
    world.switch.on_command = lambda call, command: seen.append(CALLER in world.switch.adopted)
    world.ring()
    assert seen and all(seen)


def test_an_event_that_a_command_brings_about_at_once_waits_for_the_end_of_the_step(world: World) -> None:
    def gone_already(call: CallId, command: Command) -> None:
        if isinstance(command, RingPhone):
            world.calls.deliver(call, LegEnded(command.leg, 20))
            assert world.facts().count("leg.ended") == 0

    world.switch.on_command = gone_already
    world.ring()
    assert "leg.ended" in world.facts()
    assert [request.purpose for request in world.gate.asked] == ["forward"]


def test_an_observer_that_asks_during_a_step_does_not_tear_it_apart(world: World) -> None:
    class Impatient:
        def happened(self, call: CallId, facts: Sequence[tuple[int, Fact]]) -> None:
            if facts[0][0] == 1:
                world.calls.ask(call, Asked(Ask.IGNORE))

    world.calls.observers.insert(0, Impatient())
    world.ring()
    call = world.calls.get(CALL)
    assert call is not None and call.state.value == "announcing"
    assert [seq for seq, _ in world.heard.facts] == [seq for seq, _ in world.journal.facts]


def test_all_observers_hear_in_order_what_one_of_them_annotates(world: World) -> None:
    class Matching:
        def happened(self, call: CallId, facts: Sequence[tuple[int, Fact]]) -> None:
            if facts[0][0] == 1:
                world.calls.annotate(call, "call.matched", {"matches": [{"type": "lead", "id": "l_1"}]})

    world.calls.observers.insert(0, Matching())
    world.ring()
    numbers = [seq for seq, _ in world.heard.facts]
    assert numbers == sorted(numbers)
    assert world.heard.facts[-1][1] == "call.matched"


def test_a_failing_observer_changes_nothing(world: World) -> None:
    class Broken:
        def happened(self, call: CallId, facts: Sequence[tuple[int, Fact]]) -> None:
            raise RuntimeError("no")

    world.calls.observers.insert(0, Broken())
    world.ring()
    assert world.commands(RingPhone) and world.heard.facts


@pytest.mark.covers("I3")
def test_the_ring_timer_forwards_and_an_answer_stops_it(world: World) -> None:
    world.ring()
    world.clock.pass_(26)
    assert [request.purpose for request in world.gate.asked] == ["forward"]
    other = World()
    other.ring()
    other.calls.deliver(CALL, LegAnswered(PHONE))
    other.clock.pass_(60)
    assert other.gate.asked == []


def test_a_call_is_forgotten_when_its_last_leg_is_gone_and_not_before(world: World) -> None:
    world.ring()
    world.calls.deliver(CALL, LegAnswered(PHONE))
    world.calls.deliver(CALL, LegEnded(CALLER, 16))
    assert world.gate.released == [CALL]
    assert len(world.calls) == 1
    world.calls.deliver(CALL, LegEnded(PHONE, 16))
    assert len(world.calls) == 0
    assert world.switch.forgotten == [CALL]
    assert world.gate.released == [CALL], "once"
    assert world.clock.waiting == 0


def test_a_leg_whose_end_never_comes_is_hung_up_again_and_given_up(world: World) -> None:
    world.ring()
    world.calls.deliver(CALL, LegEnded(CALLER, 127))
    before = len(world.commands(HangUp))
    world.clock.pass_(REAP_AFTER_S + 1)
    assert [command.leg for command in world.commands(HangUp)[before:] if isinstance(command, HangUp)] == [PHONE]
    assert len(world.calls) == 0
    assert world.clock.waiting == 0


def test_late_events_of_a_forgotten_call_change_nothing(world: World) -> None:
    world.ring()
    world.leave()
    world.leave()
    facts = len(world.journal.facts)
    world.calls.deliver(CALL, LegAnswered(PHONE))
    assert len(world.journal.facts) == facts
    with pytest.raises(UnknownCall):
        world.calls.ask(CALL, Asked(Ask.HANG_UP))


def test_asking_for_the_impossible_gives_the_reason_and_changes_nothing(world: World) -> None:
    world.ring()
    steps = len(world.trail.steps)
    with pytest.raises(NotNow) as refusal:
        world.calls.ask(CALL, Asked(Ask.PAUSE_RECORDING))
    assert str(refusal.value) == refusal.value.sentence
    assert len(world.trail.steps) == steps


@pytest.mark.covers("V13")
def test_a_command_that_breaks_does_not_keep_back_the_hang_ups_behind_it(world: World) -> None:
    world.ring(Person("u_1", "Mio", "+14155550101", phones=(Phone("d1", "a"), Phone("d2", "b"))))

    def broken(call: CallId, command: Command) -> None:
        if isinstance(command, HangUp) and command.leg == PHONE:
            raise ConnectionError("gone")

    world.switch.on_command = broken
    world.calls.deliver(CALL, LegEnded(CALLER, 127))
    assert [command.leg for command in world.commands(HangUp) if isinstance(command, HangUp)] == [PHONE, FORWARD]


@pytest.mark.covers("I5")
def test_words_that_cannot_be_played_end_the_call_rather_than_leave_it_silent(world: World) -> None:
    def no_prompt(call: CallId, command: Command) -> None:
        if isinstance(command, Play):
            raise KeyError("unreachable")

    world.switch.on_command = no_prompt
    world.ring(Person("u_1", "Mio", "+14155550101"))
    assert world.facts()[-1] == "call.ended"


@pytest.mark.covers("I7")
def test_a_message_that_cannot_be_recorded_ends_the_call(world: World) -> None:
    def no_disk(call: CallId, command: Command) -> None:
        if isinstance(command, RecordMessage):
            raise OSError("no space")

    world.switch.on_command = no_disk
    world.ring(Person("u_1", "Mio", "+14155550101", voicemail=VoicemailPlan(timedelta(minutes=2))))
    [play] = world.commands(Play)
    assert isinstance(play, Play)
    world.calls.deliver(CALL, PlaybackDone(play.playback))
    assert world.facts()[-1] == "call.ended"


@pytest.mark.covers("P5")
def test_a_gate_that_breaks_refuses(world: World) -> None:
    class BrokenGate(HandGate):
        def decide(self, call: object, request: object) -> None:  # type: ignore[override]
            raise RuntimeError("no facts")

    calls = Calls(world.switch, world.journal, world.clock, BrokenGate())  # type: ignore[arg-type]
    calls.begin(CALL, Dialled("PJSIP-1", "d1", MIO, "2065550150", "+12065550150"), "PJSIP-1")
    assert world.facts()[-1] == "call.ended"
    assert [type(command) for command in world.switch.commands] == [HangUp]


def test_a_fault_of_ours_ends_the_call_if_nobody_talks_yet(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fault(call: object, event: object) -> None:
        raise ZeroDivisionError

    world.ring()
    _swap(monkeypatch, fault)
    world.calls.deliver(CALL, LegRinging(PHONE))
    world.calls.deliver(CALL, LegEnded(PHONE, 17, 486))
    assert world.facts()[-1] == "call.ended"
    assert {command.leg for command in world.commands(HangUp) if isinstance(command, HangUp)} == {CALLER}


def test_a_fault_of_ours_leaves_people_talking(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fault(call: object, event: object) -> None:
        raise ZeroDivisionError

    world.ring()
    world.calls.deliver(CALL, LegAnswered(PHONE))
    _swap(monkeypatch, fault)
    world.clock.pass_(13 * 3600)
    assert "call.ended" not in world.facts()
    assert world.commands(HangUp) == []


def test_a_clock_set_back_does_not_turn_the_log_round(world: World) -> None:
    world.ring()
    world.clock.us -= 500_000
    world.calls.deliver(CALL, LegRinging(PHONE))
    times = [fact.at for _, fact in world.journal.facts]
    assert times == sorted(times)


def test_the_facts_of_a_call_fold_into_its_row(world: World) -> None:
    world.ring()
    world.calls.deliver(CALL, LegAnswered(PHONE))
    world.clock.pass_(5)
    world.calls.ask(CALL, Asked(Ask.HANG_UP, by="u_1"))
    record = CallRecord(CALL)
    for seq, fact in world.journal.facts:
        record.fold(seq, fact.kind, fact.at, fact.data)
    assert record.call["disposition"] == "answered"
    assert record.call["talk_ms"] == 5000
    assert not any(isinstance(command, Ring) for command in world.switch.commands[-3:])


def _swap(monkeypatch: pytest.MonkeyPatch, fault: object) -> None:
    """Every handler of the core breaks from now on."""
    from pbx.core.call import machine

    for key in list(machine._HANDLERS):
        monkeypatch.setitem(machine._HANDLERS, key, fault)


@pytest.mark.covers("TRUST3")
def test_a_call_of_which_a_new_asterisk_knows_nothing_is_closed_as_interrupted(world: World) -> None:
    world.ring()
    world.calls.deliver(CALL, LegAnswered(PHONE))
    died_at = world.clock.now()
    world.clock.pass_(4)
    world.catch_up(up_since=world.clock.now(), lost_at=died_at)
    ends = {fact.at for _, fact in world.journal.facts if fact.kind in ("leg.ended", "call.ended")}
    assert ends == {died_at}, "not when it was noticed"
    assert len(world.calls) == 0 and world.gate.released == [CALL]
    (ended,) = [fact for _, fact in world.journal.facts if fact.kind == "call.ended"]
    assert (ended.data["disposition"], ended.data["reason"]) == ("interrupted", "switch_restarted")
    assert world.facts().count("leg.ended") == 2
    assert world.clock.waiting == 0, "no timer of it is left"


def test_what_happened_while_the_link_was_down_is_made_up_for(world: World) -> None:
    world.ring()
    world.catch_up({CALLER: Progress.RINGING, PHONE: Progress.UP})
    call = world.calls.get(CALL)
    assert call is not None and call.state.value == "talking", "the phone was answered meanwhile"
    world.catch_up({PHONE: Progress.UP})
    assert "call.ended" in world.facts(), "the caller hung up meanwhile"
    before = len(world.commands(HangUp))
    world.catch_up({PHONE: Progress.UP})
    assert len(world.commands(HangUp)) == before + 1, "a hang-up that may have been lost goes out again"


def test_a_leg_is_not_given_up_while_the_switch_cannot_be_told(world: World) -> None:
    world.ring()
    world.calls.deliver(CALL, LegEnded(CALLER, 127))
    world.switch.ready = False
    world.clock.pass_(10 * REAP_AFTER_S)
    assert len(world.calls) == 1
    world.switch.ready = True
    world.clock.pass_(2 * REAP_AFTER_S)
    assert len(world.calls) == 0
