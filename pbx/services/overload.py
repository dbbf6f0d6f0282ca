"""Calls are refused as too many: told for as long as it goes on, and then brought into the log.

By the switch itself (our module in Asterisk, which says so once a second), or by the dialplan, as the engine told it to
(:mod:`pbx.services.admission`).
"""

from __future__ import annotations

from collections.abc import Callable

from pbx.services.alerts import Alerts, Kind
from pbx.services.ports import Clock

CALM_S = 15.0
"""A rush comes in waves: until then it is the same one, and told once."""
HEARD_EVERY_S = 1.0
OVER_AFTER_S = 3 * HEARD_EVERY_S
_SENTENCE = (
    "More calls come than this machine can take. Some of the new ones are refused and told to try again in a few "
    "seconds; calls that are up go on, and emergency numbers are reached. If it happens often, give the machine more "
    "processors."
)


class Overload:
    """``log_them`` has the calls that were refused read into the log."""

    def __init__(self, clock: Clock, alerts: Alerts, log_them: Callable[[], None]) -> None:
        self._clock = clock
        self._alerts = alerts
        self._log_them = log_them
        self._not_over: Callable[[], None] = lambda: None
        self._not_calm: Callable[[], None] = lambda: None
        self.on = False

    def heard(self) -> None:
        """The switch has refused some, and says so again before long if it goes on."""
        self.begins()
        self._not_over()
        self._not_over = self._clock.later(OVER_AFTER_S, self.ends)

    def begins(self) -> None:
        self.on = True
        self._not_calm()
        self._alerts.raised(Kind.OVERLOADED, "calls", _SENTENCE)

    def ends(self) -> None:
        self.on = False
        self._not_calm()
        self._not_calm = self._clock.later(CALM_S, lambda: self._alerts.over(Kind.OVERLOADED, "calls"))
        self._log_them()
