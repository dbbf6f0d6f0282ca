"""One engine ends in the midst of it, the next takes its calls: from the disk, to the switch and every observer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pbx.adapters.store.live_log import LiveLog
from pbx.core.call import Call
from pbx.core.call.mending import Ending, Found, Progress
from pbx.core.commands import CloseBridge, HangUp, RingPhone, TransferState
from pbx.core.events import (
    Arrived,
    Dialled,
    Guest,
    GuestKind,
    InviteAsked,
    LegAnswered,
    LegEnded,
    LegTaken,
    Person,
    Phone,
)
from pbx.core.ids import CallId, Instant, LegId, bridge_id
from pbx.services.live_records import LiveRecords
from pbx.services.occupancy import Occupancy
from pbx.services.runtime import Calls
from pbx.services.takeover import TakeOver
from tests.unit.services.standins import HandClock, HandGate, HandJournal, HandSwitch, Trail

pytestmark = pytest.mark.covers("P1")
CALL = CallId("c_01HZ0000000000000000000001")
CALLER, PHONE, FORWARD = (LegId(f"leg_{CALL[2:]}_{number}") for number in (1, 2, 3))
BRIDGE = bridge_id(CALL)
MIO = Person("u_1", "Mio", "+14155550101", phones=(Phone("d1", "PJSIP/d1/sip:a"),), forwarding="+12065550130")


class Gate(HandGate):
    def __init__(self) -> None:
        super().__init__()
        self.taken: list[tuple[str, str]] = []

    def take_over(self, call: Call, purpose: str, since: Instant) -> None:
        self.taken.append((call.id, purpose))


class Engine:
    """Engines of one directory; each knows only what lies there and what ``seen`` the switch has."""

    def __init__(self, directory: Path, clock: HandClock | None = None) -> None:
        self.clock, self.trail = clock or HandClock(), Trail()
        self.switch, self.journal, self.gate = HandSwitch(self.trail), HandJournal(self.trail), Gate()
        self.log = LiveLog(directory)
        self.records = LiveRecords()
        self.calls = Calls(self.switch, self.journal, self.clock, self.gate, keeper=self.log)
        self.occupancy = Occupancy(self.calls.get)
        self.calls.observers += [self.records, self.occupancy]
        observers = [self.records, self.occupancy]
        self.takeover = TakeOver(self.calls, self.journal, self.gate, self, observers)
        self.seen = Found(Instant(0))
        self.takeover.begin(self.log.take_over())

    async def look(self, calls: Sequence[Call]) -> Found:
        return self.seen

    def dies(self) -> None:
        self.log.close()

    def facts(self) -> list[str]:
        return [fact.kind for _, fact in self.journal.facts]

    def ring(self) -> None:
        self.calls.begin(CALL, Arrived("PJSIP-1", MIO.did, "+12065550150", "", "tr_a", True, MIO), "PJSIP-1")

    def talk(self) -> None:
        self.ring()
        self.calls.deliver(CALL, LegAnswered(PHONE))


async def next_engine(before: Engine, directory: Path, **seen: Any) -> Engine:
    before.dies()
    engine = Engine(directory, before.clock)
    engine.seen = replace(engine.seen, **seen)
    await engine.takeover.catch_up()
    return engine


TALKING: dict[str, Any] = {
    "legs": {CALLER: Progress.UP, PHONE: Progress.UP},
    "bridges": {BRIDGE: frozenset({CALLER, PHONE})},
}


async def test_the_next_engine_has_the_call_its_rows_and_its_user_and_does_nothing_to_it(tmp_path: Path) -> None:
    first = Engine(tmp_path)
    first.talk()
    second = await next_engine(first, tmp_path, **TALKING)
    assert second.calls.get(CALL) == first.calls.get(CALL)
    assert second.records.get(CALL) == first.records.get(CALL)
    assert second.occupancy.busy(MIO.user_id)
    assert second.switch.adopted == {CALLER: "PJSIP-1"}
    assert all(isinstance(command, TransferState) for command in second.switch.commands)
    second.calls.deliver(CALL, LegEnded(CALLER, 16))
    assert [command.leg for command in second.switch.commands if isinstance(command, HangUp)] == [PHONE]
    numbers = [seq for seq, _ in first.journal.facts + second.journal.facts]
    assert sorted(set(numbers)) == list(range(1, max(numbers) + 1))


async def test_the_bridge_of_a_call_that_is_over_is_closed_where_the_engine_died_before_that(tmp_path: Path) -> None:
    first = Engine(tmp_path)
    first.talk()
    first.calls.deliver(CALL, LegEnded(CALLER, 16))
    gone = {CALLER: Ending(first.clock.now(), 16, True), PHONE: Ending(first.clock.now(), 16, True)}
    second = await next_engine(first, tmp_path, endings=gone, bridges={BRIDGE: frozenset()})
    assert second.calls.get(CALL) is None and CloseBridge(BRIDGE) in second.switch.commands


async def test_timers_go_on_with_what_is_left_of_them(tmp_path: Path) -> None:
    first = Engine(tmp_path)
    first.ring()
    first.clock.pass_(20)
    first.calls.let_go()
    second = await next_engine(first, tmp_path, legs={CALLER: Progress.MADE, PHONE: Progress.RINGING})
    second.clock.pass_(4.9)
    assert second.gate.asked == []
    second.clock.pass_(0.2)
    assert [request.purpose for request in second.gate.asked] == ["forward"]


async def test_a_timer_that_was_due_meanwhile_does_not_go_before_what_happened(tmp_path: Path) -> None:
    first = Engine(tmp_path)
    first.ring()
    first.calls.let_go()
    first.clock.pass_(60)
    second = await next_engine(first, tmp_path, legs={CALLER: Progress.MADE, PHONE: Progress.UP})
    second.clock.pass_(1)
    call = second.calls.get(CALL)
    assert call is not None and call.state.value == "talking" and second.gate.asked == []


async def test_facts_that_the_journal_never_got_are_written_there(tmp_path: Path) -> None:
    first = Engine(tmp_path)
    first.ring()
    second = await next_engine(first, tmp_path, legs={CALLER: Progress.MADE})
    assert second.journal.facts == first.journal.facts


async def test_the_log_has_the_moment_at_which_a_leg_ended_while_nobody_listened(tmp_path: Path) -> None:
    first = Engine(tmp_path)
    first.talk()
    ended = Instant(first.clock.now() + 250_000)
    first.clock.pass_(3)
    legs = {PHONE: Progress.UP}
    second = await next_engine(
        first, tmp_path, **{**TALKING, "legs": legs, "endings": {CALLER: Ending(ended, 16, True)}}
    )
    record = second.records.get(CALL)
    assert record is not None and record.call["ended_us"] == ended and record.call["disposition"] == "answered"


async def test_a_gate_that_let_the_call_pass_counts_it_on(tmp_path: Path) -> None:
    first = Engine(tmp_path)
    first.calls.begin(CALL, Dialled("PJSIP-1", "d1", MIO, "+12065550150", "+12065550150"), "PJSIP-1")
    second = await next_engine(first, tmp_path, legs={CALLER: Progress.MADE})
    assert second.gate.taken == [(CALL, "customer")]


async def test_an_outside_guest_is_counted_on_as_a_call_of_its_own(tmp_path: Path) -> None:
    first = Engine(tmp_path)
    first.calls.begin(CALL, Dialled("PJSIP-1", "d1", MIO, "+12065550150", "+12065550150"), "PJSIP-1")
    first.calls.deliver(CALL, LegAnswered(PHONE))
    guest = Guest(GuestKind.NUMBER, "+12065550199", "", "+12065550199")
    first.calls.ask(CALL, InviteAsked(guest, MIO.user_id))
    legs = {CALLER: Progress.UP, PHONE: Progress.UP, FORWARD: Progress.RINGING}
    second = await next_engine(first, tmp_path, legs=legs, bridges={BRIDGE: frozenset({CALLER, PHONE})})
    assert second.gate.taken == [(CALL, "customer"), (CALL, "invite")]


async def test_phones_that_no_command_reached_are_rung_by_the_next_engine_once(tmp_path: Path) -> None:
    first = Engine(tmp_path)
    first.ring()
    second = await next_engine(first, tmp_path, legs={CALLER: Progress.MADE})
    assert [command.leg for command in second.switch.commands if isinstance(command, RingPhone)] == [PHONE]
    third = await next_engine(second, tmp_path, legs={CALLER: Progress.MADE, PHONE: Progress.RINGING})
    assert not [command for command in third.switch.commands if isinstance(command, RingPhone)]


async def test_a_call_that_is_over_leaves_nothing_to_take_over(tmp_path: Path) -> None:
    first = Engine(tmp_path)
    first.talk()
    for leg in (CALLER, PHONE):
        first.calls.deliver(CALL, LegEnded(leg, 16))
    second = await next_engine(first, tmp_path)
    assert len(second.calls) == 0 and second.clock.waiting == 0


async def test_an_engine_that_let_go_decides_nothing_more(tmp_path: Path) -> None:
    first = Engine(tmp_path)
    first.talk()
    first.calls.let_go()
    before = len(first.journal.facts)
    first.calls.deliver(CALL, LegEnded(CALLER, 16))
    first.clock.pass_(100_000)
    assert len(first.journal.facts) == before
    with pytest.raises(RuntimeError):
        first.ring()


def test_notes_that_are_typed_meanwhile_are_kept_with_their_number(tmp_path: Path) -> None:
    first = Engine(tmp_path)
    first.talk()
    first.calls.annotate(CALL, "note.saved", {"text": "asks for a quote"})
    first.dies()
    second = Engine(tmp_path, first.clock)
    record = second.records.get(CALL)
    assert record is not None and record.call["notes"] == "asks for a quote"


async def test_a_leg_that_came_over_from_another_call_is_found_under_its_own_name(tmp_path: Path) -> None:
    first = Engine(tmp_path)
    first.talk()
    other = LegId("leg_01HZ0000000000000000000002_2")
    first.switch.adopted[other] = "PJSIP-9"
    first.calls.deliver(CALL, LegTaken(other, PHONE, user_id="u_2"))
    second = await next_engine(first, tmp_path, **TALKING)
    assert "PJSIP-9" in second.switch.adopted.values()
