"""The bulk writers of the engine's journal: whole batches, repeatable, cheap.

Every row is a dict with the table's column names. A row that is written again replaces the columns that it names and
leaves the others (notes that somebody typed meanwhile stay); events are never replaced. So a batch whose outcome is
unknown, or that comes from a spool after an outage, can simply be written again.

The writers only gather: what was gathered goes out in one piece when :meth:`crm.unit_of_work.Store.journal` is left,
past SQLAlchemy, whose handling of each value costs more than the database's insert. On SQLite it is a statement for
each set of columns with its rows; on PostgreSQL one statement for it all, with an array for each column. Names come
from the models only, never from input; an unknown column is an error of ours.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from typing import Any

from sqlalchemy import JSON, Table
from sqlalchemy.dialects import postgresql

from crm.engine import to_json
from crm.models.calls import Call, CallEvent, Leg, Participant, Recording, Voicemail

Row = dict[str, Any]
Columns = tuple[str, ...]
Statement = tuple[str, Sequence[Any]]
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
CALLS, LEGS, PARTICIPANTS = Call.__tablename__, Leg.__tablename__, Participant.__tablename__
RECORDINGS, VOICEMAILS = Recording.__tablename__, Voicemail.__tablename__
_EVENTS = CallEvent.__tablename__


class Batch:
    """Rows to be written in one transaction, each once."""

    def __init__(self) -> None:
        self._tables: dict[str, dict[Any, tuple[Row, Columns]]] = {}
        self._events: list[Row] = []

    def add_events(self, rows: Sequence[Row]) -> None:
        """Of two with the same number the first is kept."""
        self._events += rows

    def add(self, table: str, row: Row, changed: Columns | None = None) -> None:
        """``changed`` are the columns that are other than in the store, where that is known: touching no others spares
        SQLite their indexes."""
        rows = self._tables.setdefault(table, {})
        key = _key(table)(row)
        if key not in rows:
            rows[key] = (row, tuple(row) if changed is None else changed)
        else:
            earlier, columns = rows[key]
            rows[key] = ({**earlier, **row}, tuple(dict.fromkeys([*columns, *(changed or row)])))

    def for_sqlite(self) -> list[Statement]:
        """Each with its rows."""
        groups: dict[tuple[str, Columns, Columns], list[Row]] = defaultdict(list)
        for table, rows in self._tables.items():
            for row, changed in rows.values():
                groups[table, tuple(row), changed].append(row)
        for row in self._events:
            groups[_EVENTS, tuple(row), ()].append(row)
        return [(_upsert(*group), _stored(group[0], group[1], rows)) for group, rows in groups.items()]

    def for_postgresql(self) -> list[Statement]:
        """One, or none; its values are an array a column, in the order of the groups."""
        groups: dict[tuple[str, Columns], list[Row]] = defaultdict(list)
        for table, rows in self._tables.items():
            for row, _ in rows.values():
                groups[table, tuple(row)].append(row)
        for row in self._events:
            groups[_EVENTS, tuple(row)].append(row)
        arrays = [zip(*_stored(table, columns, rows), strict=True) for (table, columns), rows in groups.items()]
        return [(_together(tuple(groups)), list(chain.from_iterable(arrays)))] if groups else []


def append_events(batch: Batch, rows: Sequence[Row]) -> None:
    """Write events; those that stand already are left as they are. ``data`` may be JSON already."""
    batch.add_events(rows)


def upsert_calls(batch: Batch, rows: Sequence[Row]) -> None:
    """Each row needs id, direction, state, source and created_us."""
    for row in rows:
        batch.add(CALLS, row)


def upsert_legs(batch: Batch, rows: Sequence[Row]) -> None:
    """Each row needs id, call_id, role and created_us."""
    for row in rows:
        batch.add(LEGS, row)


def upsert_participants(batch: Batch, rows: Sequence[Row]) -> None:
    """Each row needs call_id, number, role and the call's created_us."""
    for row in rows:
        batch.add(PARTICIPANTS, row)


def upsert_recordings(batch: Batch, rows: Sequence[Row]) -> None:
    """Each row needs id, call_id, state and started_us."""
    for row in rows:
        batch.add(RECORDINGS, row)


def upsert_voicemails(batch: Batch, rows: Sequence[Row]) -> None:
    """Each row needs id, user_id, state and created_us."""
    for row in rows:
        batch.add(VOICEMAILS, row)


# -- values ----------------------------------------------------------------------------------------


def _stored(table: str, columns: Columns, rows: Sequence[Row]) -> list[tuple[Any, ...]]:
    """The rows' values as both databases take them. Nearly all text can stay as it is: one look at all of it."""
    json_at = _json_columns(table, columns)
    values = [tuple(row.values()) for row in rows]
    if json_at:
        values = [tuple([_json(v) if at in json_at else v for at, v in enumerate(row)]) for row in values]
    texts = "".join([value for row in values for value in row if type(value) is str])
    if texts.isascii() and "\0" not in texts:
        return values
    return [tuple([_text(v) if isinstance(v, str) else v for v in row]) for row in values]


def _json(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else to_json(value)


def _text(value: str) -> str:
    """Text that either database takes: PostgreSQL refuses NUL, and UTF-8 has no lone surrogates."""
    return value if value.isascii() and "\0" not in value else _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", value)


@lru_cache(maxsize=256)
def _json_columns(table: str, columns: Columns) -> frozenset[int]:
    return frozenset(at for at, name in enumerate(columns) if isinstance(_table(table).c[name].type, JSON))


# -- statements ------------------------------------------------------------------------------------


@lru_cache(maxsize=1024)
def _upsert(table: str, columns: Columns, changed: Columns) -> str:
    places = ", ".join("?" * len(columns))
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places}) {_on_conflict(table, changed)}"


@lru_cache(maxsize=256)
def _together(groups: tuple[tuple[str, Columns], ...]) -> str:
    """PostgreSQL runs what a WITH writes whether or not the rest asks for it."""
    made, at = [], 0
    for table, columns in groups:
        arrays = ", ".join(f"${at + place}::{_kind(table, name)}[]" for place, name in enumerate(columns, 1))
        at += len(columns)
        names = ", ".join(columns)
        made.append(f"INSERT INTO {table} ({names}) SELECT * FROM unnest({arrays}) {_on_conflict(table, columns)}")
    first = ", ".join(f"w{number} AS ({statement})" for number, statement in enumerate(made[:-1]))
    return f"WITH {first} {made[-1]}" if first else made[-1]


def _on_conflict(table: str, changed: Columns) -> str:
    keys = [column.name for column in _table(table).primary_key]
    setting = [f"{name} = excluded.{name}" for name in changed if name not in keys and table != _EVENTS]
    return f"ON CONFLICT ({', '.join(keys)}) DO " + (f"UPDATE SET {', '.join(setting)}" if setting else "NOTHING")


def _kind(table: str, name: str) -> str:
    return str(_table(table).c[name].type.compile(postgresql.dialect()))  # type: ignore[no-untyped-call]


@lru_cache(maxsize=16)
def _key(table: str) -> Callable[[Row], Any]:
    return itemgetter(*[column.name for column in _table(table).primary_key])


def _table(name: str) -> Table:
    return Call.metadata.tables[name]
