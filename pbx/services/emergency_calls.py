"""An emergency call is told to everybody who manages, at once: who calls, which number, and shown as whom (TRUST 24).

Someone must meet the help at the door, or call back. A call that the dialplan carried while the engine was away is
told when it comes into the log.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from crm.directory import Directory
from pbx.core.commands import Fact
from pbx.core.gate import Reason
from pbx.core.ids import CallId
from pbx.services.alerts import Alerts, Kind
from pbx.services.live_records import LiveRecords
from pbx.services.numbers import emergency_numbers


class EmergencyCalls:
    """An observer of the calls, to be told after the live records."""

    def __init__(self, records: LiveRecords, directory: Callable[[], Directory], alerts: Alerts) -> None:
        self._records, self._directory, self._alerts = records, directory, alerts

    def happened(self, call: CallId, facts: Sequence[tuple[int, Fact]]) -> None:
        for _, fact in facts:
            if fact.kind == "gate.verdict" and fact.data["reason"] == Reason.EMERGENCY:
                self._tell(call, str(fact.data["number"]), "")
            elif fact.kind == "call.created" and fact.data.get("source") == "fallback" and self._is_one(fact):
                self._tell(call, str(fact.data["customer"]), " while the engine was away")

    def _is_one(self, fact: Fact) -> bool:
        directory = self._directory()
        user = directory.users.get(str(fact.data.get("user_id")))
        country = user.country if user else str(directory.settings["default_country"])
        numbers = set(emergency_numbers(directory.settings, country))
        return fact.data["direction"] == "outbound" and fact.data["customer"] in numbers

    def _tell(self, call: CallId, number: str, when: str) -> None:
        record, directory = self._records.get(call), self._directory()
        user = directory.users.get(str(record.call["user_id"])) if record else None
        device = directory.devices.get(str(record.call["device_id"])) if record else None
        caller_id = (user.number if user else "") or str(directory.settings["emergency.caller_id"] or "")
        name = user.name if user else "Somebody"
        self._alerts.raised(
            Kind.EMERGENCY_CALL,
            str(call),
            f"{name} has called {number}{when}, shown as {caller_id or 'no number'}. Ask what has happened, and send "
            "somebody to meet the help.",
            passing=True,
            user_id=user.id if user else "",
            user=name,
            number=number,
            caller_id=caller_id,
            device=device.name if device else "",
        )
