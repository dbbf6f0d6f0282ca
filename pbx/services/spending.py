"""What calls have cost this month, what those that are up may cost, and what is left of the credit (N4, P5).

A call that may go out reserves the price of its first step at once, so that a burst cannot pass a cap, or spend the
same credit twice; while it is up its reservation grows with its time. When it is over the reservation stays until its
legs have been priced, and what they have cost takes its place. A call that runs is never cut.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from crm.rates import Rate
from pbx.core.ids import CallId, Instant

Price = Callable[[str, str | None], Rate | None]


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
    """A call with a price; ``rates`` are of the legs that it was let out for, ``priced`` says that what it has cost
    so far is known already, and ``over_us`` when it ended."""

    user_id: str
    since: Instant
    rates: list[Rate] = field(default_factory=list)
    priced: bool = False
    over_us: Instant | None = None

    def cost(self, now: Instant) -> int:
        talked = (now if self.over_us is None else self.over_us) - self.since
        return sum([rate.of_call(talked) for rate in self.rates])


class Spending:
    """Micro-units of the organisation's currency. ``price`` gives that of a number by a trunk.

    ``credit`` is the balance where calls are to be refused without one, else None.
    """

    def __init__(self, price: Price, now: Callable[[], Instant]) -> None:
        self.price = price
        self.credit: int | None = None
        self._now = now
        self._settled: dict[str, int] = {}
        self._settled_in_all = 0
        self._month, self._month_ends = _month(now())
        self._running: dict[CallId, _Running] = {}

    def load(self, spent: Mapping[str, int]) -> None:
        """What this month's charges are, per user: a restart forgives nothing."""
        self._month, self._month_ends = _month(self._now())
        self._settled = dict(spent)
        self._settled_in_all = sum(spent.values())

    def reserve(self, call: CallId, user_id: str, rate: Rate | None, since: Instant | None = None) -> None:
        """For one leg; a second leg of the same call adds its own."""
        if rate is None:
            return
        running = self._running.get(call)
        if running is None:
            running = self._running[call] = _Running(user_id, self._now() if since is None else since)
        running.rates.append(rate)

    def release(self, call: CallId, *, answered: bool) -> None:
        """It is over. What it has cost stays reserved until that is known."""
        running = self._running.get(call)
        if running is None:
            return
        running.over_us = self._now()
        if not answered or running.priced:
            del self._running[call]

    def priced(self, call: CallId) -> None:
        """A leg of this call was looked at, and what it cost was told (:meth:`charged`) if it cost anything."""
        running = self._running.get(call)
        if running is not None:
            running.priced = True
            if running.over_us is not None:
                del self._running[call]

    def charged(self, user_id: str | None, amount: int, at_us: int) -> None:
        self._turn()
        if at_us >= self._month:
            self._settled[user_id or ""] = self._settled.get(user_id or "", 0) + amount
            self._settled_in_all += amount

    def _turn(self) -> None:
        """A new month begins with nothing spent."""
        if not self._month <= self._now() < self._month_ends:
            self._month, self._month_ends = _month(self._now())
            self._settled.clear()
            self._settled_in_all = 0

    def user(self, user_id: str) -> int:
        self._turn()
        now = self._now()
        up = sum([running.cost(now) for running in self._running.values() if running.user_id == user_id])
        return self._settled.get(user_id, 0) + up

    def organisation(self) -> int:
        self._turn()
        return self._settled_in_all + self.reserved()

    def reserved(self) -> int:
        """What calls that are up, or not priced yet, have cost until now."""
        now = self._now()
        return sum([running.cost(now) for running in self._running.values()])

    @property
    def used_up(self) -> bool:
        """Whether whatever costs something is refused (N4)."""
        return self.credit is not None and self.credit <= 0

    def has_credit(self, rate: Rate | None) -> bool:
        """Whether a call at this rate may begin: there is credit left, and enough for its first step."""
        if self.credit is None:
            return True
        left = self.credit - self.reserved()
        return left > 0 and left >= (rate.of_call(0) if rate is not None else 0)
