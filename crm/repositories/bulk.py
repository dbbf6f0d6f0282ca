"""Many rows into one table at once, without SQLAlchemy looking at each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Table, insert
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.asyncio import AsyncSession


async def add(session: AsyncSession, model: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that hold every column, as the driver takes them: of JSON columns only None."""
    if not rows:
        return
    statement, names = _statement(model.__table__, session.get_bind().dialect)
    connection = await session.connection()
    await connection.exec_driver_sql(statement, [tuple([row[name] for name in names]) for row in rows])


@lru_cache(maxsize=64)
def _statement(table: Table, dialect: Dialect) -> tuple[str, tuple[str, ...]]:
    compiled = insert(table).compile(dialect=dialect)
    names = compiled.positiontup
    assert names is not None  # both drivers take parameters by their place
    return str(compiled), tuple(names)
