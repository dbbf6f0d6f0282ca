"""Whether the database can be written and read: while it cannot, calls go on and somebody is told (TRUST 5)."""

from __future__ import annotations

from pbx.services.alerts import Alerts, Kind

SUBJECT = "store"
_SENTENCE = (
    "The database does not work ({why}). Calls go on, and what happens is kept in the journal until the database is "
    "back; logins, settings and the log wait for it. Look after the database, and leave the journal where it is."
)


class StoreWatch:
    """``what`` is one way of using it that fails or works: it is well when none fails."""

    def __init__(self, alerts: Alerts) -> None:
        self._alerts = alerts
        self._failing: set[str] = set()

    def away(self, what: str, why: str) -> None:
        self._failing.add(what)
        self._alerts.raised(Kind.STORE_AWAY, SUBJECT, _SENTENCE.format(why=why.rstrip(".")), why=why)

    def back(self, what: str) -> None:
        self._failing.discard(what)
        if not self._failing:
            self._alerts.over(Kind.STORE_AWAY, SUBJECT)
