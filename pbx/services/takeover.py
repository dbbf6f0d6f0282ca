"""A new engine takes the calls of the one before it (P1): what they were, what stands of them, what happened meanwhile.

The same is done when only the link to the switch was lost: what happened meanwhile was not heard then either.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, runtime_checkable

import structlog

from pbx.core.call import Call
from pbx.core.call.mending import Found
from pbx.core.commands import Fact
from pbx.core.ids import CallId, Instant
from pbx.services.gatekeeper import INVITE
from pbx.services.ports import Journal, Kept, Observer
from pbx.services.runtime import Calls

log = structlog.get_logger("takeover")

LOOKS = 5


class Survey(Protocol):
    async def look(self, calls: Sequence[Call]) -> Found:
        """What the switch has now. May raise any error of the link."""


class Gate(Protocol):
    def take_over(self, call: Call, purpose: str, since: Instant) -> None: ...


@runtime_checkable
class Heir(Protocol):
    """An observer that goes by the past of a call in another way than by what happens."""

    def taken_over(self, call: CallId, facts: Sequence[tuple[int, Fact]]) -> None: ...


class TakeOver:
    """``observers`` are those that keep something of each live call."""

    def __init__(
        self, calls: Calls, journal: Journal, gate: Gate, survey: Survey, observers: Iterable[Observer | Heir]
    ) -> None:
        self._calls = calls
        self._journal = journal
        self._gate = gate
        self._survey = survey
        self._observers = list(observers)

    def begin(self, left_behind: Sequence[Kept]) -> None:
        """Before anything else is known: the calls are as they were when the engine before this one ended."""
        for kept in left_behind:
            self._calls.take_over(kept)
            if kept.fresh:
                self._journal.append(kept.call.id, kept.fresh)
            for observer in self._observers:
                _tell(observer, kept)
            self._reserve(kept)
        if left_behind:
            log.info("takeover.begun", calls=len(left_behind))

    def _reserve(self, kept: Kept) -> None:
        """An outside guest counts as a call of its own, since the last one passed; the rest since the first."""
        allowed: dict[str, Instant] = {}
        for _, fact in kept.facts:
            if fact.kind == "gate.verdict" and fact.data.get("allowed"):
                purpose = str(fact.data["purpose"])
                allowed[purpose] = fact.at if purpose == INVITE else allowed.get(purpose, fact.at)
        for purpose, since in allowed.items():
            self._gate.take_over(kept.call, purpose, since)

    async def catch_up(self, survey: Survey | None = None, mine: Callable[[CallId], bool] = lambda call: True) -> int:
        """After each link to the switch, until every call that was up before stands as it should. Gives the number of
        calls of which nothing was left. Of several switches, ``survey`` looks at one, and ``mine`` are its calls."""
        began = time.monotonic()
        calls = [call for call in self._calls if mine(call.id)]
        behind = {call.id for call in calls}
        for _ in range(LOOKS):
            if not behind:
                break
            behind = await self._look(survey or self._survey, behind)
        if calls:
            log.info(
                "takeover.done", calls=len(calls), unsettled=len(behind), ms=int((time.monotonic() - began) * 1000)
            )
        return sum(call.interrupted for call in calls)

    async def _look(self, survey: Survey, behind: set[CallId]) -> set[CallId]:
        steps = self._calls.steps()
        calls = [call for call in self._calls if call.id in behind]
        found = await survey.look(calls)
        return {call.id for call in calls if not self._calls.catch_up(call.id, found, steps[call.id])}


def _tell(observer: Observer | Heir, kept: Kept) -> None:
    try:
        if isinstance(observer, Heir):
            observer.taken_over(kept.call.id, kept.facts)
        else:
            observer.happened(kept.call.id, kept.facts)
    except Exception:
        log.exception("takeover.observer_failed", call=kept.call.id, observer=type(observer).__name__)
