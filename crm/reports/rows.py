"""Sums as the rows of a report, and all of them together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crm.reports import buckets
from crm.reports.calendar import Period


@dataclass(slots=True)
class Amounts:
    """``parts`` is how much of the amount at ``of`` is in each outcome, currency or result."""

    values: list[int]
    of: int = 0
    parts: dict[str, int] = field(default_factory=dict)

    def add(self, part: str, values: Sequence[int]) -> None:
        for at, value in enumerate(values):
            self.values[at] += value
        self.parts[part] = self.parts.get(part, 0) + values[self.of]


@dataclass(frozen=True, slots=True)
class Table:
    """The rows in order, and their total: what stands in several rows is in it once."""

    rows: list[tuple[str, Amounts]]
    total: Amounts


def table(
    by: str,
    period: Period,
    found: Iterable[tuple[Any, ...]],
    width: int,
    rows_of: Callable[[Any], Sequence[str]],
    of: int = 0,
) -> Table:
    """``found`` are what a sum is of, its part and its amounts; ``rows_of`` says in which rows that stands; ``of`` is
    the amount that is told by parts."""
    made = {key: Amounts([0] * width, of) for key in buckets.keys(by, period)}
    total = Amounts([0] * width, of)
    for what, part, *values in found:
        total.add(part, values)
        for key in rows_of(what):
            if key not in made:
                made[key] = Amounts([0] * width, of)
            made[key].add(part, values)
    rows = list(made.items())
    if by in buckets.BY_NAME:
        rows = sorted((row for row in rows if any(row[1].values)), key=lambda row: (-row[1].values[0], row[0]))
    return Table(rows, total)


def call_fields(amounts: Amounts) -> dict[str, Any]:
    calls, answered, missed, talk_ms, ring_ms = amounts.values
    return {
        "calls": calls,
        "answered": answered,
        "missed": missed,
        "talk_s": seconds(talk_ms),
        "ring_s": seconds(ring_ms),
        "outcomes": {part: count for part, count in sorted(amounts.parts.items()) if part and count},
    }


def text_fields(amounts: Amounts, currency: str) -> dict[str, Any]:
    """The cost is what was paid in the account's currency; a change of it is rare and old amounts are not converted."""
    sent, received, delivered, failed, segments, _ = amounts.values
    cost = sum(micros for part, micros in amounts.parts.items() if part in ("", currency))
    names = ("sent", "received", "delivered", "failed", "segments", "cost_micros")
    return dict(zip(names, (sent, received, delivered, failed, segments, cost), strict=True))


def seconds(milliseconds: int) -> int:
    return (milliseconds + 500) // 1000


def labelled(by: str, rows: Sequence[tuple[str, Mapping[str, Any]]], names: dict[str, str]) -> list[dict[str, Any]]:
    return [{"key": key, "label": buckets.label(by, key, names), **fields} for key, fields in rows]
