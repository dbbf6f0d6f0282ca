"""What a call or a text costs: rates by the longest prefix of a number, and how time is counted. Pure.

A table of rates holds for one direction, for one trunk or for all, from a moment on. Of those of a trunk the one that
began last holds, then of those for all; the first of the two that knows the number says the price. So a new table
replaces the one before it whole, and may be brought in before it begins.

Money is in micro-units of a currency, and is rounded up to whole ones.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

LONGEST = 15
"""Digits of a number (E.164)."""


class Way(StrEnum):
    """What a table is for. A call that comes in is priced by our number, everything else by the number called."""

    OUTBOUND = "outbound"
    INBOUND = "inbound"
    INTERNAL = "internal"
    TEXT = "text"


class Price(NamedTuple):
    """``price_micros`` is of a minute, or of a segment of a text. The first ``first_s`` seconds are charged in any
    case, what follows in steps of ``then_s``: 60/60 are started minutes, 1/1 seconds. ``media_micros`` is of a whole
    text with files; None: its segments say."""

    name: str
    price_micros: int
    setup_micros: int = 0
    first_s: int = 60
    then_s: int = 60
    media_micros: int | None = None


@dataclass(frozen=True, slots=True)
class Rate:
    """The price of one number; ``table_id`` is empty where no table knows the number and the default holds."""

    table_id: str
    prefix: str
    name: str
    currency: str
    price_micros: int
    setup_micros: int
    first_s: int
    then_s: int
    media_micros: int | None = None

    def billed_s(self, talked_us: int) -> int:
        """The seconds that are charged; each begun second counts."""
        rest = -(-talked_us // 1_000_000) - self.first_s
        return self.first_s if rest <= 0 else self.first_s + -(-rest // self.then_s) * self.then_s

    def of_call(self, talked_us: int) -> int:
        return self.setup_micros + -(-self.price_micros * self.billed_s(talked_us) // 60)

    def of_text(self, segments: int) -> int:
        return self.setup_micros + self.price_micros * segments

    @property
    def with_media(self) -> Rate | None:
        """The same for a text with files, which is one, however long; None where its segments are charged."""
        return None if self.media_micros is None else replace(self, price_micros=self.media_micros)


@dataclass(frozen=True, slots=True)
class RateTable:
    """``prefixes`` counts them. ``valid_until_us`` None: until another one begins. One that is not ``active`` is being
    read in."""

    id: str
    name: str
    direction: str
    trunk_id: str | None
    currency: str
    valid_from_us: int
    valid_until_us: int | None
    prefixes: int
    active: bool
    created_us: int
    updated_us: int

    def holds(self, at_us: int) -> bool:
        return self.valid_from_us <= at_us and (self.valid_until_us is None or at_us < self.valid_until_us)


class Prefixes:
    """The prices of one table. A look-up costs as many steps as there are lengths of prefixes, however many there are:
    microseconds."""

    def __init__(self) -> None:
        self._prices: dict[str, Price] = {}
        self._lengths: tuple[int, ...] = ()
        self._alike: dict[Price, Price] = {}

    def __len__(self) -> int:
        return len(self._prices)

    def add(self, rows: Iterable[tuple[str, Price]]) -> None:
        """Most prices of a table are alike: each is kept once."""
        alike = self._alike.setdefault
        self._prices |= [(prefix, alike(price, price)) for prefix, price in rows]

    def close(self) -> Prefixes:
        """All are added."""
        self._lengths = tuple(sorted({len(prefix) for prefix in self._prices}, reverse=True))
        self._alike = {}
        return self

    def find(self, digits: str) -> tuple[str, Price] | None:
        prices = self._prices
        for length in self._lengths:
            price = prices.get(digits[:length])
            if price is not None and length <= len(digits):
                return digits[:length], price
        return None


class RateBook:
    """All tables that may hold, by direction and trunk."""

    def __init__(
        self, tables: Iterable[tuple[RateTable, Prefixes]] = (), *, default_micros: int = 0, currency: str = "USD"
    ) -> None:
        """``default_micros`` is the price of a started minute to a number that no table knows."""
        self._tables: dict[tuple[str, str | None], list[tuple[RateTable, Prefixes]]] = defaultdict(list)
        for table, prefixes in sorted(tables, key=lambda each: (each[0].valid_from_us, each[0].id), reverse=True):
            self._tables[table.direction, table.trunk_id].append((table, prefixes))
        self._default = _default(default_micros, currency) if default_micros else None

    def prices(self, direction: str) -> bool:
        """Whether anything of this kind costs anything at all, as far as is known."""
        if direction == Way.OUTBOUND and self._default is not None:
            return True
        return any(name == direction and tables for (name, _), tables in self._tables.items())

    def find(self, direction: str, number: str, trunk_id: str | None, at_us: int) -> Rate | None:
        """None where nobody has set a price. ``number`` is E.164: emergency numbers have none."""
        if not number.startswith("+"):
            return None
        for trunk in (trunk_id, None) if trunk_id else (None,):
            for table, prefixes in self._tables.get((direction, trunk), ()):
                if table.holds(at_us):
                    found = prefixes.find(number[1:])
                    if found is not None:
                        return Rate(table.id, found[0], found[1][0], table.currency, *found[1][1:])
                    break
        return self._default if direction == Way.OUTBOUND else None


def _default(micros: int, currency: str) -> Rate:
    return Rate("", "", "", currency, micros, 0, 60, 60)


def prefixes_of(number: str) -> list[str]:
    """All that a number begins with."""
    digits = number.removeprefix("+")[:LONGEST]
    return [digits[:length] for length in range(1, len(digits) + 1)]
