"""Statements for the places where milliseconds count: written by hand, the same for both databases.

SQLAlchemy's expressions cost more time to put together than these queries take. Values are parameters, always.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

IN = "{in}"
"""Stands for "is one of the texts in the next value", which is a list."""


Question = tuple[str, Sequence[Any]]
"""A statement and its values."""


class SqliteLook:
    """A connection of SQLite's driver in place of a session, for what asks by :func:`rows` alone. Nothing that is
    awaited of it waits: all of what asks runs in one thread, without a trip to another one for each statement."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def rows(self, statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        return self._connection.execute(*for_driver(statement, values, on_sqlite=True)).fetchall()


Session = AsyncSession | SqliteLook


def is_on_sqlite(session: Session) -> bool:
    return isinstance(session, SqliteLook) or session.get_bind().dialect.name == "sqlite"


async def rows(session: Session, statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Every ``?`` takes a value in its turn, every ``{in}`` a list of texts."""
    if isinstance(session, SqliteLook):
        return session.rows(statement, values)
    connection = await session.connection()
    result = await connection.exec_driver_sql(*for_driver(statement, values, on_sqlite=is_on_sqlite(session)))
    return [tuple(row) for row in result]


async def run(session: AsyncSession, statement: str, values: Sequence[Any]) -> None:
    """Like :func:`rows`, for what changes rows and finds none."""
    connection = await session.connection()
    await connection.exec_driver_sql(*for_driver(statement, values, on_sqlite=is_on_sqlite(session)))


def for_driver(statement: str, values: Sequence[Any], *, on_sqlite: bool) -> tuple[str, tuple[Any, ...]]:
    """The same as the database's driver takes it."""
    if on_sqlite:
        values = [orjson.dumps(value).decode() if isinstance(value, list) else value for value in values]
    return _dialect(statement, on_sqlite), tuple(values)


@lru_cache(maxsize=512)
def _dialect(statement: str, on_sqlite: bool) -> str:
    if on_sqlite:
        return statement.replace(IN, "IN (SELECT value FROM json_each(?))")
    first, *rest = statement.replace(IN, "= ANY(?)").split("?")
    return first + "".join(f"${number}{part}" for number, part in enumerate(rest, 1))
