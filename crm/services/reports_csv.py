"""A report as CSV: its rows, then what they come to together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from crm import csv_files
from crm.services.bills import decimal


async def as_csv(report: Mapping[str, Any]) -> AsyncIterator[str]:
    """Columns are named as the fields of the API; outcomes and results get a column each, and so does what was so in
    the period before, where that was asked for."""
    names = {each["id"]: each["name"] for each in report.get("outcomes", ())}
    columns = [name for name in report["total"] if name not in ("outcomes", "results")]
    parts = sorted({part for row in (*report["rows"], report["total"]) for part in _parts(row)})
    before = report["before"]
    earlier = {row["key"]: row for row in before["rows"]} if before and not _by_date(report) else {}
    headings = ["key", "label", *columns, *(names.get(part) or part for part in parts)]
    if before:
        headings += [f"{name} before" for name in columns]
    yield csv_files.row([_heading(name) for name in headings])
    for place, row in enumerate(report["rows"]):
        then = _then(before, earlier, row["key"], place, _by_date(report)) if before else None
        yield _line(row["key"], row["label"], row, columns, parts, then, bool(before))
    yield _line("total", "", report["total"], columns, parts, before and before["total"], bool(before))


def _then(
    before: Mapping[str, Any], earlier: Mapping[str, Any], key: str, place: int, by_date: bool
) -> Mapping[str, Any] | None:
    """Rows of dates stand beside those of the period before in their order, others beside their own."""
    if by_date:
        rows: Sequence[Mapping[str, Any]] = before["rows"]
        return rows[place] if place < len(rows) else None
    return earlier.get(key)


def _line(
    key: str,
    label: str,
    row: Mapping[str, Any],
    columns: Sequence[str],
    parts: Sequence[str],
    then: Mapping[str, Any] | None,
    compared: bool,
) -> str:
    cells = [key, label, *(_cell(name, row[name]) for name in columns)]
    cells += [str(_parts(row).get(part, 0)) for part in parts]
    if compared:
        cells += [_cell(name, then[name]) if then else "" for name in columns]
    return csv_files.row(cells)


def _parts(row: Mapping[str, Any]) -> Mapping[str, int]:
    found: Mapping[str, int] = row.get("outcomes") or row.get("results") or {}
    return found


def _by_date(report: Mapping[str, Any]) -> bool:
    return report["by"] in ("day", "week", "month")


def _cell(name: str, value: Any) -> str:
    return decimal(value) if name.endswith("_micros") else str(value)


def _heading(name: str) -> str:
    return name.removesuffix("_micros") if name.endswith("_micros") else name.replace("_micros ", " ")
