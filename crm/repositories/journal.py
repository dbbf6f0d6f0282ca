"""The bulk writers of the engine's journal: whole batches, repeatable, cheap.

Every row is a dict with the table's column names. A row that is written again replaces the columns that it names and
leaves the others (notes that somebody typed meanwhile stay); events are never replaced. So a batch whose outcome is
unknown, or that comes from a spool after an outage, can simply be written again.

The SQL is made by hand once per table and set of columns and sent as it is: for a thousand rows a second
SQLAlchemy's handling of each value costs more than SQLite's insert. Names come from the models only, never from
input; an unknown column is an error of ours.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import JSON, Table, Text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm.engine import to_json
from crm.models.calls import Call, CallEvent, Leg, Participant, Recording, Voicemail

Row = Mapping[str, Any]
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


async def append_events(connection: AsyncConnection, rows: Sequence[Row]) -> None:
    """Write events; those that stand already are left as they are."""
    await _write(connection, CallEvent.__tablename__, rows, replace=False)


async def upsert_calls(connection: AsyncConnection, rows: Sequence[Row]) -> None:
    """Each row needs id, direction, state, source and created_us."""
    await _write(connection, Call.__tablename__, rows)


async def upsert_legs(connection: AsyncConnection, rows: Sequence[Row]) -> None:
    """Each row needs id, call_id, role and created_us."""
    await _write(connection, Leg.__tablename__, rows)


async def upsert_participants(connection: AsyncConnection, rows: Sequence[Row]) -> None:
    """Each row needs call_id, number, role and the call's created_us."""
    await _write(connection, Participant.__tablename__, rows)


async def upsert_recordings(connection: AsyncConnection, rows: Sequence[Row]) -> None:
    """Each row needs id, call_id, state and started_us."""
    await _write(connection, Recording.__tablename__, rows)


async def upsert_voicemails(connection: AsyncConnection, rows: Sequence[Row]) -> None:
    """Each row needs id, user_id, state and created_us."""
    await _write(connection, Voicemail.__tablename__, rows)


async def _write(connection: AsyncConnection, table: str, rows: Iterable[Row], *, replace: bool = True) -> None:
    groups: dict[tuple[str, ...], list[tuple[Any, ...]]] = defaultdict(list)
    for row in rows:
        columns = tuple(sorted(row))
        groups[columns].append(_values(table, columns, row))
    numbered = connection.dialect.name == "postgresql"
    for columns, values in groups.items():
        await connection.exec_driver_sql(_statement(table, columns, numbered, replace), values)


def _values(table: str, columns: tuple[str, ...], row: Row) -> tuple[Any, ...]:
    pairs = zip(columns, _converters(table, columns), strict=True)
    return tuple([convert(row[name]) if convert else row[name] for name, convert in pairs])


@lru_cache(maxsize=256)
def _converters(table: str, columns: tuple[str, ...]) -> tuple[Callable[[Any], Any] | None, ...]:
    made: list[Callable[[Any], Any] | None] = []
    for name in columns:
        kind = _table(table).c[name].type
        made.append(_json if isinstance(kind, JSON) else _text if isinstance(kind, Text) else None)
    return tuple(made)


@lru_cache(maxsize=256)
def _statement(table: str, columns: tuple[str, ...], numbered: bool, replace: bool) -> str:
    keys = [column.name for column in _table(table).primary_key]
    changing = [name for name in columns if name not in keys] if replace else []
    places = ", ".join(f"${at}" if numbered else "?" for at in range(1, len(columns) + 1))
    action = (
        "DO UPDATE SET " + ", ".join(f"{name} = excluded.{name}" for name in changing) if changing else "DO NOTHING"
    )
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places}) ON CONFLICT ({', '.join(keys)}) {action}"


def _table(name: str) -> Table:
    return Call.metadata.tables[name]


def _json(value: Any) -> str | None:
    return None if value is None else to_json(value)


def _text(value: Any) -> Any:
    """Text that either database takes: PostgreSQL refuses NUL, and UTF-8 has no lone surrogates."""
    if value is None or (value.isascii() and "\0" not in value):
        return value
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", value)
