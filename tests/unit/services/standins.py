"""Small stand-ins for the world around the calls: each does what its port says, by hand, and keeps a list of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pbx.core.call import Call
from pbx.core.commands import Command, Fact, FindRoute
from pbx.core.events import Route, RouteDecided
from pbx.core.gate import Reason, Verdict
from pbx.core.ids import CallId, Instant


@dataclass
class Trail:
    """What was done to the world, in order, across all the stand-ins of a test."""

    steps: list[tuple[str, object]] = field(default_factory=list)

    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.steps]


class HandSwitch:
    """Notes commands; ``on_command`` lets a test answer at once, or break."""

    ready = True

    def __init__(self, trail: Trail) -> None:
        self.trail = trail
        self.commands: list[Command] = []
        self.adopted: dict[str, str] = {}
        self.forgotten: list[CallId] = []
        self.on_command: Callable[[CallId, Command], None] = lambda call, command: None

    def adopt(self, call: CallId, leg: str, channel: str) -> None:
        self.adopted[leg] = channel

    def channel_of(self, leg: str) -> str:
        return self.adopted.get(leg, leg)

    def prepare(self, call: CallId, command: Command) -> None:
        self.trail.steps.append(("prepare", command))

    def flush(self) -> None: ...

    def carry_out(self, call: CallId, command: Command) -> None:
        self.trail.steps.append(("command", command))
        self.commands.append(command)
        self.on_command(call, command)

    def forget(self, call: CallId) -> None:
        self.forgotten.append(call)


class HandJournal:
    def __init__(self, trail: Trail) -> None:
        self.trail = trail
        self.facts: list[tuple[int, Fact]] = []

    def append(self, call: CallId, facts: Sequence[tuple[int, Fact]]) -> None:
        self.trail.steps.append(("journal", [fact.kind for _, fact in facts]))
        self.facts += facts


class HandClock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.us = 1_000_000
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0

    def now(self) -> Instant:
        return Instant(self.us)

    def later(self, delay_s: float, run: Callable[[], None]) -> Callable[[], None]:
        self._count += 1
        entry = (self.us + int(delay_s * 1_000_000), self._count, run)
        self._due.append(entry)

        def cancel() -> None:
            if entry in self._due:
                self._due.remove(entry)

        return cancel

    def soon(self, run: Callable[[], None]) -> None:
        self.later(0, run)

    @property
    def waiting(self) -> int:
        return len(self._due)

    def pass_(self, seconds: float) -> None:
        until = self.us + int(seconds * 1_000_000)
        while due := sorted(entry for entry in self._due if entry[0] <= until):
            self._due.remove(due[0])
            self.us = max(self.us, due[0][0])
            due[0][2]()
        self.us = until


class HandGate:
    """Says yes with the given trunks unless told otherwise."""

    def __init__(self, *trunks: str) -> None:
        self.routes = tuple(Route(trunk, f"PJSIP/{{number}}@{trunk}") for trunk in trunks or ("tr_a",))
        self.refuse: Reason | None = None
        self.asked: list[FindRoute] = []
        self.released: list[CallId] = []

    def decide(self, call: Call, request: FindRoute) -> RouteDecided:
        self.asked.append(request)
        if self.refuse is not None:
            return RouteDecided(request.purpose, Verdict(False, self.refuse), number=request.number)
        verdict = Verdict(True, Reason.ALLOWED, caller_id=call.person.did if call.person else "")
        return RouteDecided(request.purpose, verdict, self.routes, request.number)

    def release(self, call: Call) -> None:
        self.released.append(call.id)
