"""What somebody must look at now: raised once, shown until it is over, counted.

An alert is about a subject (a trunk, a user, an address, the disk). Raised again while it stands, it tells nothing
new to anybody; when it is over it is cleared. One that only reports (a fraudulent attempt) clears itself after a
while.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import structlog

from crm import languages
from pbx.core.ids import Instant
from pbx.services.ports import Clock

log = structlog.get_logger("alerts")

SHOWN_S = 15 * 60.0
MOST = 1000


class Kind(StrEnum):
    """What is wrong."""

    DISK_LOW = "disk_low"  # new recordings are not begun
    DISK_FULL = "disk_full"  # what was to be recorded is lost
    TRUNK_DOWN = "trunk_down"
    ASTERISK_RESTARTED = "asterisk_restarted"
    NODE_AWAY = "node_away"  # one of several
    STORE_AWAY = "store_away"
    OVERLOADED = "overloaded"  # a share of new calls is refused
    TOLL_FRAUD = "toll_fraud"
    ADDRESS_BLOCKED = "address_blocked"
    EMERGENCY_CALL = "emergency_call"
    CREDIT_LOW = "credit_low"
    CREDIT_EMPTY = "credit_empty"
    WEBHOOK_FAILING = "webhook_failing"
    WEBHOOK_GIVEN_UP = "webhook_given_up"  # events that it was never told of


@dataclass(frozen=True, slots=True)
class Alert:
    """``sentence`` says what happened and what to do; ``data`` what a program may want of it."""

    kind: Kind
    subject: str
    sentence: str
    since_us: Instant
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return f"{self.kind}:{self.subject}"

    def view(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "kind": self.kind.value,
            "subject": self.subject,
            "sentence": self.sentence,
            "sentences": languages.others(self.sentence),
            "since_us": self.since_us,
            "data": self.data,
        }


Watcher = Callable[[Alert, bool], None]


class Alerts:
    """``watchers`` are called with each alert and whether it stands: when it is raised, and when it is over."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._standing: dict[str, Alert] = {}
        self._ends: dict[str, Callable[[], None]] = {}
        self.watchers: list[Watcher] = []

    @property
    def standing(self) -> list[Alert]:
        """Oldest first."""
        return list(self._standing.values())

    def raised(self, kind: Kind, subject: str, sentence: str, *, passing: bool = False, **data: Any) -> Alert:
        """Raise, or leave as it stands. ``passing``: it reports something that is over already, and is shown for a
        quarter of an hour after the last time."""
        alert = Alert(kind, subject, sentence, self._clock.now(), data)
        standing = self._standing.get(alert.id)
        if passing:
            self._end_later(alert.id)
        if standing is not None:
            return standing
        while len(self._standing) >= MOST:
            self._clear(next(iter(self._standing)))
        self._standing[alert.id] = alert
        log.warning("alert.raised", kind=kind.value, subject=subject, sentence=sentence, **data)
        self._tell(alert, True)
        return alert

    def over(self, kind: Kind, subject: str) -> None:
        """It is as it should be again; one that does not stand is no matter."""
        self._clear(f"{kind}:{subject}")

    def _end_later(self, name: str) -> None:
        earlier = self._ends.pop(name, None)
        if earlier is not None:
            earlier()
        self._ends[name] = self._clock.later(SHOWN_S, lambda: self._clear(name))

    def _clear(self, name: str) -> None:
        end = self._ends.pop(name, None)
        if end is not None:
            end()
        alert = self._standing.pop(name, None)
        if alert is not None:
            log.info("alert.over", kind=alert.kind.value, subject=alert.subject)
            self._tell(alert, False)

    def _tell(self, alert: Alert, stands: bool) -> None:
        for watcher in self.watchers:
            try:
                watcher(alert, stands)
            except Exception:
                log.exception("alert.watcher_failed", kind=alert.kind.value)
