"""The way to the database: one engine per process, made from a URL.

``sqlite+aiosqlite:///path`` (default) or ``postgresql+asyncpg://…``; ``sqlite:///`` and ``postgresql://`` are
understood as these. SQLite runs in WAL mode with synchronous FULL (a commit that was acknowledged survives a power
cut), foreign keys on and a busy timeout.

SQLite's race: a transaction that reads first and writes later fails at once, whatever the timeout, if another one has
written in between. Every transaction here therefore says at its beginning what it is: ``BEGIN IMMEDIATE`` unless
its engine carries the option that :func:`for_reading` sets.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from http import HTTPStatus
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from crm.errors import Refused

BUSY_TIMEOUT_S = 5.0
CONNECT_TIMEOUT_S = 5.0
_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+asyncpg",
    "postgres": "postgresql+asyncpg",
}
_READING = "switchhook_reading"
_MAPPED = f"PRAGMA mmap_size={2**31 - 2**16}"
"""All of a large file, or its first 2 GB: what is read of it is not asked for page by page."""


def database_url(text: str) -> URL:
    """Read a database URL. Raises Refused where it is none, or one of a database that we do not run on."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        raise _bad_url() from error
    url = url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))
    if url.drivername not in _DRIVERS.values():
        raise _bad_url()
    return url


def make_engine(url: str | URL, *, busy_timeout_s: float = BUSY_TIMEOUT_S, pool_size: int = 8) -> AsyncEngine:
    """An engine that connects lazily. The directory of a SQLite file is made if it is not there."""
    url = database_url(url) if isinstance(url, str) else url
    options: dict[str, Any] = {"json_serializer": to_json, "json_deserializer": from_json}
    if is_sqlite(url):
        if url.database and url.database != ":memory:":
            _make_file(Path(url.database), busy_timeout_s)
            options |= {"pool_size": pool_size, "max_overflow": pool_size}
        arguments = {"timeout": busy_timeout_s, "factory": _Connection}
        engine = create_async_engine(url, connect_args=arguments, **options)
        _prepare_sqlite(engine, busy_timeout_s)
        return engine
    options |= {"pool_size": pool_size, "max_overflow": pool_size}
    options |= {"pool_pre_ping": True, "pool_timeout": busy_timeout_s}
    # To compile a statement takes a second where its cost is guessed high, and ours take milliseconds.
    server = {"lock_timeout": str(int(busy_timeout_s * 1000)), "application_name": "switchhook", "jit": "off"}
    server["work_mem"] = "32MB"  # a report groups half a million sums: with 4 MB they are sorted on the disk
    return create_async_engine(url, connect_args={"timeout": CONNECT_TIMEOUT_S, "server_settings": server}, **options)


def make_sessions(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    return async_sessionmaker(engine, expire_on_commit=False, autoflush=False)


def for_reading(engine: AsyncEngine) -> AsyncEngine:
    """The same connections, for transactions that only read: they wait for no writer and see one state throughout."""
    if is_sqlite(engine.url):
        return engine.execution_options(**{_READING: True})
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def is_sqlite(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"


def to_json(value: Any) -> str:
    """orjson, which is fast; the library's own for what orjson refuses: lone surrogates, huge whole numbers."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return json.dumps(value)


def from_json(value: Any) -> Any:
    """SQLite takes a column of the type JSON for numeric and gives a lone number back as one."""
    return orjson.loads(value) if isinstance(value, str | bytes) else value


def _make_file(path: Path, busy_timeout_s: float) -> None:
    """Make the file and put it into WAL mode. Raises Refused where there may be no such file.

    Trunk secrets stand in it in a form that can be used: nobody but its owner reads it. The write-ahead log takes its
    mode from the file. SQLite does not wait for a lock when two processes switch a new file to WAL at the same time,
    so it is asked again.
    """
    deadline = time.monotonic() + busy_timeout_s
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        with contextlib.closing(sqlite3.connect(path, timeout=busy_timeout_s)) as connection:
            while not _into_wal(connection) and time.monotonic() < deadline:
                time.sleep(0.01)
    except (OSError, sqlite3.Error) as error:
        raise Refused(
            "no_database_file",
            f"The database file {path} cannot be used ({getattr(error, 'strerror', None) or error}). "
            "Choose another file, in a directory that may be written to.",
            "database_url",
            HTTPStatus.SERVICE_UNAVAILABLE,
        ) from error


def _into_wal(connection: sqlite3.Connection) -> bool:
    try:
        return bool(connection.execute("PRAGMA journal_mode=WAL").fetchone()[0] == "wal")
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            raise
        return False


class _Connection(sqlite3.Connection):
    """Ends its transaction when it is closed. A task that is cancelled in the middle of one leaves statements behind,
    and while these are there SQLite only seems to close (sqlite3_close_v2): nobody else could ever write again."""

    def close(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            self.rollback()
        super().close()


def connect_sqlite(path: str, busy_timeout_s: float = BUSY_TIMEOUT_S, *, mapped: bool = False) -> sqlite3.Connection:
    """A connection like those of the engine, for one thread; its user says BEGIN and COMMIT. ``mapped`` is for one that
    reads much."""
    connection = sqlite3.connect(
        path, timeout=busy_timeout_s, isolation_level=None, cached_statements=512, factory=_Connection
    )
    for pragma in (*_pragmas(busy_timeout_s), *([_MAPPED] if mapped else [])):
        connection.execute(pragma)
    return connection


def _pragmas(busy_timeout_s: float) -> list[str]:
    """Of every connection to SQLite."""
    return [
        f"PRAGMA busy_timeout={int(busy_timeout_s * 1000)}",
        "PRAGMA synchronous=FULL",
        "PRAGMA foreign_keys=ON",
        "PRAGMA temp_store=MEMORY",
        "PRAGMA cache_size=-65536",
        "PRAGMA wal_autocheckpoint=8000",  # 32 MB: an import brings the same pages to the database many times else
    ]


def _prepare_sqlite(engine: AsyncEngine, busy_timeout_s: float) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def _connected(connection: DBAPIConnection, _record: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        cursor = connection.cursor()
        for pragma in (*_pragmas(busy_timeout_s), _MAPPED):
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begun(connection: Connection) -> None:
        reading = connection.get_execution_options().get(_READING, False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _bad_url() -> Refused:
    return Refused(
        "bad_database_url",
        "The database URL cannot be used. Write sqlite:///<path of a file> or postgresql://<user>@<host>/<database>.",
        "database_url",
    )
