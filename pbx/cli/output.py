"""Printing for people (tables) and for programs (JSON). Foreign text is never read as markup."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import click

from pbx.cli.app import App

_PLAIN_WIDTH = 200  # columns where nobody looks: a pipe or a file should not be cut at 80

Row = Mapping[str, Any]


def show(app: App, record: Row, *, secret: str | None = None) -> None:
    """One record; ``secret`` is a note about something that is shown this once."""
    if app.as_json:
        return dump(record)
    width = max((len(heading(name)) for name in record), default=0)
    for name, value in record.items():
        click.echo(f"{heading(name):<{width}}  {text(name, value)}")
    if secret:
        click.echo(secret, err=True)


def table(app: App, rows: Sequence[Row], columns: Sequence[str], *, next_cursor: str | None = None) -> None:
    """Many records: some columns for people, everything for programs."""
    if app.as_json:
        return dump(list(rows))
    if not rows:
        return click.echo("Nothing here yet.", err=True)
    _print_table(rows, columns)
    if next_cursor:
        click.echo(f"More with --cursor {next_cursor}", err=True)


def page(app: App, rows: Sequence[Row], columns: Sequence[str], next_cursor: str | None) -> None:
    """As :func:`table`, for lists that come in pages."""
    if app.as_json:
        return dump({"items": list(rows), "next_cursor": next_cursor})
    table(app, rows, columns, next_cursor=next_cursor)


def dump(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def text(name: str, value: Any) -> str:
    """A value as people read it: times local, nothing as a dash."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name.endswith("_us") and isinstance(value, int):
        return when(value) if value else "-"
    if isinstance(value, (list, tuple)):
        return ", ".join(str(item) for item in value) or "-"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)


def heading(name: str) -> str:
    """A field's name for people."""
    return name.removesuffix("_us").replace("_", " ")


def when(at_us: int) -> str:
    return datetime.fromtimestamp(at_us / 1_000_000).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _print_table(rows: Sequence[Row], columns: Sequence[str]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(width=None if sys.stdout.isatty() else _PLAIN_WIDTH, highlight=False)
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        grid.add_column(heading(name), overflow="fold")
    for row in rows:
        grid.add_row(*(Text(text(name, row.get(name))) for name in columns))
    console.print(grid)
