"""A call told as a story: one party does something, and what follows from it is looked at."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from pbx.core.call import State, begin, handle
from pbx.core.call.record import CallRecord
from pbx.core.commands import Command, Fact, FindColleague, FindRoute
from pbx.core.events import (
    Arrived,
    Beginning,
    ColleagueFound,
    Dialled,
    DialRequested,
    Event,
    Person,
    Phone,
    RecordingPlan,
    Route,
    RouteDecided,
    VoicemailPlan,
)
from pbx.core.gate import Reason, Verdict
from pbx.core.ids import CallId, Instant, LegId

CALL = CallId("c_01HZ0000000000000000000001")
DESK, SOFT = Phone("d1", "PJSIP/d1/sip:a"), Phone("d2", "PJSIP/d2/sip:b")
MIO = Person("u_1", "Mio", "+14155550101", language="ja", phones=(DESK, SOFT), forwarding="+12065550130")
SAM = Person("u_2", "Sam", "+14155550102", phones=(Phone("d7", "PJSIP/d7/sip:s"),), forwarding="+12065550177")
VOICEMAIL = VoicemailPlan(timedelta(minutes=2))
RECORDED = RecordingPlan(enabled=True)
C = TypeVar("C", bound=Command)


def leg(number: int) -> LegId:
    return LegId(f"leg_{CALL[2:]}_{number}")


class Story:
    """``trunks`` are the ways out that the gate knows; ``refuse`` makes it say no."""

    def __init__(
        self,
        beginning: Beginning,
        *,
        trunks: tuple[str, ...] = ("tr_a",),
        refuse: Reason | None = None,
        colleague: Person | None = None,
    ):
        self.trunks, self.refuse, self.colleague = trunks, refuse, colleague
        self.now = 1_000_000
        self.facts: list[Fact] = []
        self.step: list[Command] = []
        self.asked: list[FindRoute] = []
        self.call, decided = begin(CALL, beginning, Instant(self.now))
        self._took(list(decided))

    def then(self, event: Event, after_ms: int = 10) -> Story:
        self.now += after_ms * 1000
        self.step = []
        self._took(list(handle(self.call, event, Instant(self.now))))
        return self

    def _took(self, decided: list[Command | Fact]) -> None:
        while decided:
            item = decided.pop(0)
            if isinstance(item, Fact):
                self.facts.append(item)
            else:
                self.step.append(item)
            if isinstance(item, FindRoute):
                self.asked.append(item)
                decided += handle(self.call, self._word(item), Instant(self.now))
            if isinstance(item, FindColleague):
                decided += handle(self.call, ColleagueFound(self.colleague), Instant(self.now))

    def _word(self, wanted: FindRoute) -> RouteDecided:
        if self.refuse is not None:
            return RouteDecided(wanted.purpose, Verdict(False, self.refuse), number=wanted.number)
        ways = tuple(Route(trunk, f"PJSIP/{wanted.number}@{trunk}") for trunk in self.trunks)
        did = self.call.person.did if self.call.person else ""
        return RouteDecided(wanted.purpose, Verdict(True, Reason.ALLOWED, did), ways, wanted.number)

    # -- looking at it ------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        return self.call.state

    def did(self, kind: type[C]) -> list[C]:
        """The commands of that kind in the last step."""
        return [command for command in self.step if isinstance(command, kind)]

    def kinds(self) -> list[str]:
        return [fact.kind for fact in self.facts]

    def fact(self, kind: str) -> dict[str, object]:
        """The last fact of that kind."""
        return next(fact.data for fact in reversed(self.facts) if fact.kind == kind)

    @property
    def ended(self) -> dict[str, object]:
        return self.fact("call.ended")

    def record(self) -> CallRecord:
        record = CallRecord(CALL)
        for seq, fact in enumerate(self.facts, 1):
            record.fold(seq, fact.kind, fact.at, fact.data)
        return record


def comes_in(
    person: Person | None = MIO, *, known: bool = True, trunks: tuple[str, ...] = ("tr_a",), **gate: Reason
) -> Story:
    beginning = Arrived("PJSIP-1", "+14155550101", "+12065550150", "Ann", "tr_in", known, person)
    return Story(beginning, trunks=trunks, **gate)


def goes_out(person: Person = MIO, *, trunks: tuple[str, ...] = ("tr_a",), **gate: Reason) -> Story:
    return Story(Dialled("PJSIP-1", "d1", person, "2065550150", "+12065550150"), trunks=trunks, **gate)


def requested(
    phone: Phone | None, person: Person = MIO, *, trunks: tuple[str, ...] = ("tr_a",), **gate: Reason
) -> Story:
    return Story(DialRequested(person, "+12065550150", phone, "2065550150", "u_1"), trunks=trunks, **gate)


def inside(
    phone: Phone | None,
    colleague: Person | None,
    *,
    overloaded: bool = False,
    trunks: tuple[str, ...] = ("tr_a",),
    **gate: Reason,
) -> Story:
    """Mio calls Sam by API; ``colleague`` is Sam as found once Mio's own phone has answered."""
    event = DialRequested(MIO, SAM.did, phone, "102", "u_1", colleague=SAM.user_id, overloaded=overloaded)
    return Story(event, colleague=colleague, trunks=trunks, **gate)


def mio(**changes: object) -> Person:
    return replace(MIO, **changes)  # type: ignore[arg-type]
