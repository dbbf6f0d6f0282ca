"""Somebody tries to make calls at our expense: told at once (TRUST 18). The gate has refused what it must; this warns.

An observer of facts, so that it hears of everything that asks the gate, for whatever purpose: phones, API, forwarding,
and what is to come. Told are, per user:

- each attempt at a premium, satellite or otherwise denied destination,
- a cap or spending limit that was hit,
- ``fraud.refused`` refused dials, and ``fraud.international`` calls abroad, by one user or one of the user's phones
  within ``fraud.window_s``.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from typing import Any

from crm import phone_numbers
from crm.directory import Directory
from crm.records import User
from pbx.core.commands import Fact
from pbx.core.gate import Reason
from pbx.core.ids import CallId, Instant
from pbx.services.alerts import Alerts, Kind
from pbx.services.live_records import LiveRecords

REMEMBERED = 20_000

_DENIED = {
    Reason.PREMIUM: "a premium-rate number",
    Reason.SATELLITE: "a satellite number",
    Reason.COUNTRY: "a country that is not allowed",
    Reason.PREFIX: "a prefix that is not allowed",
}
_CAPS = {
    Reason.USER_BUSY_LIMIT: "the limit of calls at once",
    Reason.ORG_BUSY_LIMIT: "the organisation's limit of calls at once",
    Reason.USER_SPEND: "the own spending limit",
    Reason.ORG_SPEND: "the organisation's spending limit",
    Reason.NO_CREDIT: "the end of the credit",
}
_NO_FAULT = {Reason.OVERLOADED, Reason.NO_TRUNK}
"""Refusals that say nothing about who calls."""
_WHAT_TO_DO = (
    "If that was not meant, renew the secrets of the user's phones (pbx device renew-secret) and the password."
)


class TollFraud:
    """An observer of the calls, to be told after the live records."""

    def __init__(self, records: LiveRecords, directory: Callable[[], Directory], alerts: Alerts) -> None:
        self._records, self._directory, self._alerts = records, directory, alerts
        self._counts: OrderedDict[tuple[str, str], deque[Instant]] = OrderedDict()

    def happened(self, call: CallId, facts: Sequence[tuple[int, Fact]]) -> None:
        for _, fact in facts:
            if fact.kind == "gate.verdict":
                self._judged(call, fact)

    def _judged(self, call: CallId, fact: Fact) -> None:
        record = self._records.get(call)
        user = self._directory().users.get(str(record.call["user_id"])) if record else None
        if record is None or user is None:
            return
        reason, number, device = Reason(str(fact.data["reason"])), str(fact.data["number"]), record.call["device_id"]
        data = {"number": number, "device": device or "", "call": str(call), "purpose": fact.data["purpose"]}
        if reason in _DENIED:
            self._tell(user, reason.value, f"tried to reach {_DENIED[reason]} ({number})", data)
        elif reason in _CAPS:
            self._tell(user, reason.value, f"has run into {_CAPS[reason]}", data)
        if not fact.data["allowed"] and reason not in _NO_FAULT:
            self._count(user, device, "refused", "calls that were refused", fact.at, data)
        elif reason is Reason.ALLOWED and _is_abroad(number, user):
            self._count(user, device, "international", "calls abroad", fact.at, data)

    def _count(self, user: User, device: str | None, what: str, words: str, at: Instant, data: dict[str, Any]) -> None:
        """By user and by phone: a phone may have changed hands between users meanwhile."""
        settings = self._directory().settings
        most, window_s = int(settings[f"fraud.{what}"]), int(settings["fraud.window_s"])
        for who in (user.id, device):
            if who and self._within(who, what, at, window_s * 1_000_000, most) >= most:
                self._tell(user, f"many_{what}", f"has made {most} {words} within {window_s} seconds", data)

    def _within(self, who: str, what: str, at: Instant, window_us: int, most: int) -> int:
        times = self._counts.setdefault((who, what), deque())
        self._counts.move_to_end((who, what))
        times.append(at)
        while len(times) > most or times[0] <= at - window_us:
            times.popleft()
        while len(self._counts) > REMEMBERED:
            self._counts.popitem(last=False)
        return len(times)

    def _tell(self, user: User, what: str, sentence: str, data: dict[str, Any]) -> None:
        """One alert for each user and kind of attempt, however often it is tried."""
        self._alerts.raised(
            Kind.TOLL_FRAUD,
            f"{user.id}:{what}",
            f"{user.name} {sentence}. {_WHAT_TO_DO}",
            passing=True,
            user_id=user.id,
            reason=what,
            **data,
        )


def _is_abroad(number: str, user: User) -> bool:
    parsed = phone_numbers.try_parse(number, user.country)
    return parsed is not None and parsed.country != user.country
