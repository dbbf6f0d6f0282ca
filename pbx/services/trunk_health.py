"""Which trunks can be trusted with a call now, and who is told of one that cannot (TRUST 8).

What speaks against a trunk: its registration is lost; it no longer answers OPTIONS; it said nothing to the last call;
it refused the last one itself (5xx, or our own credentials). The first three put it behind the others, so that no
caller waits for it; a refusal costs nobody time, and the trunk keeps its place. Each is over with the first sign to
the contrary. A carrier that never answers OPTIONS is no reason to wake anybody: only what did and stopped is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any

from crm.directory import Directory
from crm.records import Trunk
from pbx.core.commands import Fact
from pbx.core.ids import CallId, Instant
from pbx.services.alerts import Alerts, Kind

SILENT_FOR_US = 60_000_000
"""After that a trunk that was silent is tried in its own place again: only a call can show whether it takes calls."""
_WORDS = frozenset({"answered", "busy", "no_answer", "declined", "unallocated"})
_OWN_REFUSALS = frozenset({401, 402, 407, 500, 502, 503})
REGISTERED, NOT_YET = "Registered", "Unregistered"


class Against(StrEnum):
    REGISTRATION = "registration"
    OPTIONS = "options"
    SILENCE = "silence"
    REFUSAL = "refusal"


_SENTENCES = {
    Against.REGISTRATION: "The trunk “{name}” is not registered with its carrier: check its user name and secret and "
    "the way there. Calls go out by other trunks first.",
    Against.OPTIONS: "The trunk “{name}” does not answer any more: check the way to {host}. Calls go out by other "
    "trunks first.",
    Against.SILENCE: "The trunk “{name}” did not say a word to a call: check the way to {host}. Calls go out by other "
    "trunks first.",
    Against.REFUSAL: "The trunk “{name}” refused a call ({status}): ask its carrier why. Such calls go out by the next "
    "trunk.",
}


class TrunkHealth:
    """An observer of the calls. ``answers`` tells whether a trunk answers OPTIONS."""

    def __init__(
        self,
        directory: Callable[[], Directory],
        now: Callable[[], Instant],
        alerts: Alerts,
        answers: Callable[[str], bool],
    ) -> None:
        self._directory = directory
        self._now = now
        self._alerts = alerts
        self._answers = answers
        self._against: dict[str, dict[Against, Instant]] = {}
        self._has_answered: set[str] = set()
        self._has_registered: set[str] = set()
        self._trunk_of: dict[str, str] = {}

    def trusted(self, trunk_id: str) -> bool:
        """Whether it is to be tried in its own place rather than last."""
        against = self._against.get(trunk_id, {})
        silent = against.get(Against.SILENCE)
        if silent is not None and silent > self._now() - SILENT_FOR_US:
            return False
        return Against.REGISTRATION not in against and self._answers(trunk_id)

    # -- what is heard of it ------------------------------------------------------------------------

    def happened(self, call: CallId, facts: Sequence[tuple[int, Fact]]) -> None:
        came = facts[0][1].kind == "call.created" and facts[0][1].data["direction"] != "outbound"
        for _, fact in facts:
            match fact.kind:
                case "leg.created" if fact.data.get("trunk_id") and not (came and fact.data["role"] == "customer"):
                    # A call that came in by a trunk says nothing of those that go out by it.
                    self._trunk_of[str(fact.data["leg"])] = str(fact.data["trunk_id"])
                case "trunk.silent":
                    self._speaks_against(str(fact.data["trunk_id"]), Against.SILENCE)
                case "leg.ringing" | "leg.answered":
                    self._spoke(self._trunk_of.get(str(fact.data["leg"]), ""))
                case "leg.ended":
                    self._leg_ended(self._trunk_of.pop(str(fact.data["leg"]), ""), fact)

    def _leg_ended(self, trunk_id: str, fact: Fact) -> None:
        status = fact.data.get("sip_status")
        if fact.data.get("result") in _WORDS:
            self._spoke(trunk_id)
        elif status in _OWN_REFUSALS:
            self._over(trunk_id, Against.SILENCE)
            self._speaks_against(trunk_id, Against.REFUSAL, status=status)

    def options_changed(self, name: str) -> None:
        """A binding of this name came, went or stopped answering; names of phones are no matter."""
        trunk = self._trunk(name)
        if trunk is None:
            return
        if self._answers(name):
            self._has_answered.add(name)
            self._over(name, Against.OPTIONS)
            self._over(name, Against.SILENCE)
        elif name in self._has_answered:
            self._speaks_against(name, Against.OPTIONS)

    def registration_changed(self, trunk_id: str, status: str) -> None:
        """``status`` is the switch's word; before the first answer of the carrier it is neither for nor against."""
        if self._trunk(trunk_id) is None:
            return
        if status == REGISTERED:
            self._has_registered.add(trunk_id)
            self._over(trunk_id, Against.REGISTRATION)
        elif status != NOT_YET or trunk_id in self._has_registered:
            self._speaks_against(trunk_id, Against.REGISTRATION)

    def directory_changed(self) -> None:
        """One that was taken away or switched off worries nobody any more."""
        for trunk_id in [trunk_id for trunk_id in self._against if self._trunk(trunk_id) is None]:
            del self._against[trunk_id]
            self._has_answered.discard(trunk_id)
            self._alerts.over(Kind.TRUNK_DOWN, trunk_id)

    # -- what follows -------------------------------------------------------------------------------

    def _speaks_against(self, trunk_id: str, what: Against, **data: Any) -> None:
        trunk = self._trunk(trunk_id)
        if trunk is None:
            return
        self._against.setdefault(trunk_id, {})[what] = self._now()
        sentence = _SENTENCES[what].format(name=trunk.name, host=trunk.host, **data)
        self._alerts.raised(Kind.TRUNK_DOWN, trunk_id, sentence, why=what.value, name=trunk.name, **data)

    def _spoke(self, trunk_id: str) -> None:
        """It carries calls, so what spoke against that is over; whether it is registered is another matter."""
        for what in (Against.SILENCE, Against.REFUSAL, Against.OPTIONS):
            self._over(trunk_id, what)

    def _over(self, trunk_id: str, what: Against) -> None:
        against = self._against.get(trunk_id)
        if against is None or against.pop(what, None) is None:
            return
        if not against:
            del self._against[trunk_id]
            self._alerts.over(Kind.TRUNK_DOWN, trunk_id)

    def _trunk(self, trunk_id: str) -> Trunk | None:
        return next((trunk for trunk in self._directory().trunks if trunk.id == trunk_id and trunk.enabled), None)
