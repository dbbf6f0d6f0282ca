"""Straight to the driver, for what the engine does all day long: a connection that is kept, a batch in one go.

SQLAlchemy's pool, transactions and cursors cost more than the statements themselves; with SQLite, where each of them is
a trip to another thread and back, many times as much. Errors leave as the driver raises them
(:func:`crm.constraints.refusal_for` knows them); the connection is then given up, and the next batch opens another.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from crm.engine import connect_sqlite, is_sqlite
from crm.repositories import raw
from crm.repositories.journal import Batch

T = TypeVar("T")
Rows = list[tuple[Any, ...]]
Ask = Callable[[raw.Session], Coroutine[Any, Any, T]]
LOOKING_THREADS = 4


class Direct(Protocol):
    async def write(self, batch: Batch) -> None:
        """All of it in one transaction, or nothing."""

    async def rows(self, questions: Sequence[raw.Question]) -> list[Rows]:
        """What each finds, one after the other, in the form of :func:`crm.repositories.raw.rows`."""

    async def close(self) -> None: ...


def make_direct(engine: AsyncEngine) -> Direct:
    """Connects when it is first used."""
    return _Sqlite(str(engine.url.database)) if is_sqlite(engine.url) else _Postgresql(engine)


class _Sqlite:
    """A thread with a connection of its own: one trip a batch."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, "store")
        self._connection: sqlite3.Connection | None = None

    async def write(self, batch: Batch) -> None:
        statements = batch.for_sqlite()
        if statements:
            await self._there(lambda connection: _written(connection, statements))

    async def rows(self, questions: Sequence[raw.Question]) -> list[Rows]:
        asked = [raw.for_driver(*question, on_sqlite=True) for question in questions]
        return await self._there(lambda connection: [connection.execute(*each).fetchall() for each in asked])

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._give_up)
        self._thread.shutdown(wait=False)

    async def _there(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._with_connection, work)

    def _with_connection(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if self._connection is None:
            self._connection = connect_sqlite(self._path)
        try:
            return work(self._connection)
        except BaseException:
            self._give_up()
            raise

    def _give_up(self) -> None:
        """What was not committed is rolled back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class SqliteLooks:
    """A few threads, each with a connection of its own, for questions of several statements: one trip a question."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._threads = ThreadPoolExecutor(LOOKING_THREADS, "look")
        self._own = threading.local()

    async def look(self, ask: Ask[T]) -> T:
        """``ask`` awaits nothing but :func:`crm.repositories.raw.rows`. It sees one state of the database."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._looked, ask)

    def close(self) -> None:
        """Each connection goes with its thread."""
        self._threads.shutdown(wait=False)

    def _looked(self, ask: Ask[T]) -> T:
        connection = self._connected()
        connection.execute("BEGIN")
        try:
            return _ran(ask(raw.SqliteLook(connection)))
        finally:
            connection.execute("ROLLBACK")

    def _connected(self) -> sqlite3.Connection:
        found: sqlite3.Connection | None = getattr(self._own, "connection", None)
        if found is None:
            found = self._own.connection = connect_sqlite(self._path, mapped=True)
        return found


def _ran(asking: Coroutine[Any, Any, T]) -> T:
    try:
        asking.send(None)
    except StopIteration as done:
        answer: T = done.value
        return answer
    asking.close()
    raise RuntimeError("a question to the database waited for something else")


def _written(connection: sqlite3.Connection, statements: Sequence[tuple[str, Sequence[Any]]]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for statement, rows in statements:
        connection.executemany(statement, rows)
    connection.execute("COMMIT")


class _Postgresql:
    """A connection of the engine's pool that is not given back; a statement by itself is a transaction."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._connection: AsyncConnection | None = None
        self._driver: Any = None
        self._turn = asyncio.Lock()

    async def write(self, batch: Batch) -> None:
        for statement, values in batch.for_postgresql():
            await self._there("execute", statement, values)

    async def rows(self, questions: Sequence[raw.Question]) -> list[Rows]:
        asked = [raw.for_driver(*question, on_sqlite=False) for question in questions]
        return [[tuple(row) for row in await self._there("fetch", *each)] for each in asked]

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _there(self, method: str, statement: str, values: Sequence[Any]) -> Any:
        async with self._turn:
            if self._connection is None:
                await self._connect()
            try:
                return await getattr(self._driver, method)(statement, *values)
            except BaseException:
                await self._give_up()
                raise

    async def _connect(self) -> None:
        connection = await self._engine.connect()
        self._driver = (await connection.get_raw_connection()).driver_connection
        self._connection = connection

    async def _give_up(self) -> None:
        """Of a statement that was broken off nobody knows what the server still does: the connection is closed."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.invalidate()
            await connection.close()
