"""The rates in memory, for whoever must not wait for the store: the gate, and what is shown before dialling (N4).

Read behind the calls, in pieces, and only what is not known yet: a table never changes but in when it holds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog

from crm.directory import Directory
from crm.rates import Prefixes, Rate, RateBook, RateTable, Way
from crm.repositories import money
from crm.unit_of_work import Store
from pbx.core.ids import Instant

log = structlog.get_logger("prices")


class Prices:
    """``changed`` tells that the configuration is another one: what was read stays until it has been read again."""

    def __init__(self, store: Store, directory: Callable[[], Directory], now: Callable[[], Instant]) -> None:
        self._store, self._directory, self._now = store, directory, now
        self._tables: dict[str, tuple[RateTable, Prefixes]] = {}
        self._book: RateBook | None = None
        self._made_for: tuple[int, str] | None = None

    @property
    def prefixes(self) -> int:
        """In memory."""
        return sum(len(prefixes) for _, prefixes in self._tables.values())

    async def refresh(self) -> None:
        async with self._store.read() as session:
            wanted = still_used(await money.tables(session), self._now())
            fresh = {}
            for table in wanted:
                known = self._tables.get(table.id)
                fresh[table.id] = (table, known[1] if known else await money.prices(session, table.id))
        if fresh.keys() != self._tables.keys():
            log.info("prices.read", tables=len(fresh), prefixes=sum(len(each[1]) for each in fresh.values()))
        self._tables, self._book = fresh, None

    def call(self, number: str, trunk_id: str | None, way: str = Way.OUTBOUND) -> Rate | None:
        """What a call costs now; None where nobody has set a price. Microseconds."""
        return self._rates().find(way, number, trunk_id, self._now())

    def any(self, way: str = Way.OUTBOUND) -> bool:
        """Whether anything of this kind costs anything."""
        return self._rates().prices(way)

    def _rates(self) -> RateBook:
        settings = self._directory().settings
        made_for = (int(settings["gate.minute_price_micros"]), str(settings["billing.currency"]))
        if self._book is None or self._made_for != made_for:
            self._made_for = made_for
            self._book = RateBook(self._tables.values(), default_micros=made_for[0], currency=made_for[1])
        return self._book


def still_used(tables: list[RateTable], now: int) -> list[RateTable]:
    """Those that hold or will hold. One whose place another has taken for good is left out: what needs its prices
    (legs that ended long ago) reads them in the store."""
    found, taken = [], set()
    for table in tables:  # the one that begins last first
        place = (table.direction, table.trunk_id)
        over = table.valid_until_us is not None and table.valid_until_us <= now
        if place not in taken and not over:
            found.append(table)
        if table.holds(now) and table.valid_until_us is None:
            taken.add(place)
    return found


def rate_view(rate: Rate | None) -> dict[str, Any] | None:
    """As the API shows it."""
    if rate is None:
        return None
    names = ("currency", "price_micros", "setup_micros", "first_s", "then_s", "name", "prefix")
    return {name: getattr(rate, name) for name in names}
