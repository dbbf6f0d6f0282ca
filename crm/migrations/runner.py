"""Runs Alembic where the database is not at the newest schema, which is seldom: an engine that starts waits for this.

Alembic keeps the migration in progress in module globals, so one at a time per process: a thread of its own with a
loop of its own, behind a lock.
"""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from crm.constraints import refusal_for
from crm.engine import database_url, is_sqlite, make_engine
from crm.errors import Refused

WAIT_FOR_OTHER_S = 60.0
_POSTGRES_LOCK = 0x5177C4A0D18
_one_at_a_time = threading.Lock()


def head() -> str:
    """The revision that this code needs: the steps are numbered, and each is named after its number."""
    return max(step.stem.partition("_")[0] for step in (Path(__file__).parent / "versions").glob("[0-9]*.py"))


async def migrate(url: str | URL) -> str:
    """Migrate and give the revision. Raises Refused with a sentence when it cannot be done."""
    return await asyncio.to_thread(migrate_now, url)


def migrate_now(url: str | URL) -> str:
    """As :func:`migrate`, for callers without a running loop."""
    url = database_url(url) if isinstance(url, str) else url
    with _one_at_a_time:
        return asyncio.run(_migrate(url))


async def _migrate(url: URL) -> str:
    engine = make_engine(url, busy_timeout_s=WAIT_FOR_OTHER_S)
    try:
        async with engine.begin() as connection:
            if not is_sqlite(url):
                await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _POSTGRES_LOCK})
            revision = await connection.run_sync(_upgrade)
        return revision
    except (SQLAlchemyError, OSError) as error:
        raise _failed(error) from error
    finally:
        await engine.dispose()


def _upgrade(connection: Connection) -> str:
    current = _current(connection)
    if current != head():
        from crm.migrations import steps

        steps.upgrade(connection, current)
    return head()


def _current(connection: Connection) -> str | None:
    """The schema's revision; None for a new database."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return revision


def _failed(error: Exception) -> Refused:
    known = refusal_for(error)
    if known is not None and known.code == "store_unavailable":
        return known
    from crm.migrations import steps

    return steps.failed(error)
