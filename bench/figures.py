"""A figure: what was measured, against what it must be; kept as a JSON line and shown in a table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

OUTPUT = Path(__file__).parent.parent / "build" / "bench.jsonl"


@dataclass(frozen=True, slots=True)
class Figure:
    """``bound`` is empty for what is only shown; ``holds`` is then always true."""

    name: str
    value: float
    unit: str
    bound: str = ""
    holds: bool = True


def at_most(name: str, value: float, unit: str, limit: float) -> Figure:
    """nan, for nothing measured, does not hold."""
    return Figure(name, round(value, 3), unit, f"<= {limit:g}", value <= limit)


def at_least(name: str, value: float, unit: str, limit: float) -> Figure:
    return Figure(name, round(value, 3), unit, f">= {limit:g}", value >= limit)


def shown(name: str, value: float, unit: str) -> Figure:
    return Figure(name, round(value, 3), unit)


def report(figures: Sequence[Figure]) -> bool:
    """Write the lines, print the table; True where every figure holds."""
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text("".join(json.dumps(asdict(figure)) + "\n" for figure in figures))
    table = Table("figure", "value", "unit", "bound", "")
    for figure in figures:
        word = "" if not figure.bound else "holds" if figure.holds else "DOES NOT HOLD"
        table.add_row(figure.name, f"{figure.value:g}", figure.unit, figure.bound, word)
    Console().print(table)
    return all(figure.holds for figure in figures)
