"""A planned restart drops no call: those that are up go on to their end, and new ones are somebody else's.

New calls go to the dialplan, which rings the users' phones as it does while the engine is away; or, where another node
can take them, they are refused with 503 and Retry-After. Emergency calls are carried in any case. A new engine takes
calls: nothing of this outlives the process.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from pbx.core.ids import Instant

log = structlog.get_logger("drain")


@dataclass(frozen=True, slots=True)
class Draining:
    """``refuse``: new calls are refused, rather than left to the dialplan."""

    since_us: Instant
    refuse: bool


class Drain:
    """``calls`` tells how many are up."""

    def __init__(self, now: Callable[[], Instant], calls: Callable[[], int]) -> None:
        self._now = now
        self._calls = calls
        self._state: Draining | None = None

    @property
    def on(self) -> bool:
        return self._state is not None

    @property
    def refuses(self) -> bool:
        return self._state is not None and self._state.refuse

    @property
    def hands_over(self) -> bool:
        """New calls are the dialplan's."""
        return self._state is not None and not self._state.refuse

    def begin(self, *, refuse: bool) -> None:
        """Said again, it changes what becomes of new calls, not since when."""
        since = self._state.since_us if self._state else self._now()
        self._state = Draining(since, refuse)
        log.warning("drain.on", calls=self._calls(), new_calls="refused" if refuse else "to the dialplan")

    def end(self) -> None:
        if self._state is not None:
            self._state = None
            log.warning("drain.off", calls=self._calls())

    def view(self) -> dict[str, object]:
        return {
            "draining": self.on,
            "refuse": self.refuses,
            "since_us": self._state.since_us if self._state else None,
            "calls": self._calls(),
        }
