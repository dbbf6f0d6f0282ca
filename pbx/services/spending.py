"""What calls have cost this month and what those that are up may cost, for the spend caps of the gate.

Until a rate table says better, each started minute of a call that left costs the same (setting
``gate.minute_price_micros``). A call that may go out reserves its first minute at once, so that a burst cannot pass
a cap together; while it is up its reservation grows by the minute, and what it cost stays when it is over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from pbx.core.ids import CallId, Instant

MINUTE_US = 60_000_000


def month_began_us(now: Instant) -> int:
    """Midnight of the first of this month, UTC."""
    return _month(now)[0]


def _month(now: Instant) -> tuple[int, int]:
    """Where this month begins and the next one does."""
    at = datetime.fromtimestamp(now / 1_000_000, UTC)
    began = datetime(at.year, at.month, 1, tzinfo=UTC)
    ends = datetime(at.year + at.month // 12, at.month % 12 + 1, 1, tzinfo=UTC)
    return int(began.timestamp()) * 1_000_000, int(ends.timestamp()) * 1_000_000


@dataclass(slots=True)
class _Running:
    user_id: str
    since: Instant


class Spending:
    """Micro-units of the organisation's currency. ``price`` gives the price of a started minute."""

    def __init__(self, price: Callable[[], int], now: Callable[[], Instant]) -> None:
        self._price = price
        self._now = now
        self._settled: dict[str, int] = {}
        self._month, self._month_ends = _month(now())
        self._running: dict[CallId, _Running] = {}

    def load(self, minutes: Mapping[str, int]) -> None:
        """The started minutes of this month that the store knows of, per user: a restart forgives nothing."""
        self._month, self._month_ends = _month(self._now())
        self._settled = {user_id: count * self._price() for user_id, count in minutes.items()}

    def reserve(self, call: CallId, user_id: str, since: Instant | None = None) -> None:
        self._running[call] = _Running(user_id, self._now() if since is None else since)

    def release(self, call: CallId, *, answered: bool) -> None:
        running = self._running.pop(call, None)
        self._turn()
        if running is not None and answered:
            self._settled[running.user_id] = self._settled.get(running.user_id, 0) + self._cost(running)

    def _turn(self) -> None:
        """A new month begins with nothing spent."""
        if not self._month <= self._now() < self._month_ends:
            self._month, self._month_ends = _month(self._now())
            self._settled.clear()

    def user(self, user_id: str) -> int:
        self._turn()
        if not self._price():
            return self._settled.get(user_id, 0)
        up = sum(self._cost(running) for running in self._running.values() if running.user_id == user_id)
        return self._settled.get(user_id, 0) + up

    def organisation(self) -> int:
        self._turn()
        if not self._price():
            return sum(self._settled.values())
        return sum(self._settled.values()) + sum(self._cost(running) for running in self._running.values())

    def _cost(self, running: _Running) -> int:
        minutes = max(1, -(-(self._now() - running.since) // MINUTE_US))
        return int(minutes) * self._price()
