"""Notes when the switch was lost, and tells of one that was started again under us (TRUST 3)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pbx.core.ids import Instant
from pbx.services.alerts import Alerts, Kind

SUBJECT = "asterisk"


class SwitchWatch:
    """``logs`` is where Asterisk says what happened to it; ``node`` its name, where there are several."""

    def __init__(self, now: Callable[[], Instant], alerts: Alerts, logs: Path, node: str = "") -> None:
        self._subject = f"{SUBJECT} {node}" if node else SUBJECT
        self._now = now
        self._alerts = alerts
        self._logs = logs
        self._started = ""
        self.lost_at: Instant | None = None

    def lost(self) -> None:
        self.lost_at = self._now()

    def linked(self, started: str, interrupted: int) -> None:
        """``started`` names the process by its beginning; of so many calls nothing was left in it."""
        self._alerts.over(Kind.NODE_AWAY, self._subject)
        before, self._started = self._started, started
        if before and before != started:
            sentence = (
                f"Asterisk ended and runs again. Calls that were interrupted: {interrupted}. If nobody restarted it, "
                f"look into {self._logs}."
            )
            self._alerts.raised(Kind.ASTERISK_RESTARTED, self._subject, sentence, passing=True, interrupted=interrupted)

    def given_up(self, node: str, address: str, away_s: float, calls: int) -> None:
        """One of several, of which nobody knows whether it will be back."""
        sentence = (
            f"Node {node} at {address} has been away for {away_s:.0f} seconds, and the calls that were there have been "
            f"closed ({calls}). New calls go by the other nodes. See on its machine whether “pbx node run {node}” runs."
        )
        self._alerts.raised(Kind.NODE_AWAY, self._subject, sentence, node=node, calls=calls)
