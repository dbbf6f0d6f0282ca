"""Runs Alembic without its command line or ini file.

Alembic keeps the migration in progress in module globals, so one at a time per process: a thread of its own with a
loop of its own, behind a lock.
"""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from crm.constraints import refusal_for
from crm.engine import database_url, is_sqlite, make_engine
from crm.errors import Refused, printable

WAIT_FOR_OTHER_S = 60.0
_POSTGRES_LOCK = 0x5177C4A0D18
_one_at_a_time = threading.Lock()


def config(connection: Connection | None = None) -> Config:
    """Alembic's configuration, all of it; ``connection`` is what env.py migrates."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    made.attributes["connection"] = connection
    return made


def head() -> str:
    """The revision that this code needs."""
    return str(ScriptDirectory.from_config(config()).get_current_head())


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
    except (SQLAlchemyError, OSError, CommandError) as error:
        raise _failed(error) from error
    finally:
        await engine.dispose()


def _upgrade(connection: Connection) -> str:
    current = MigrationContext.configure(connection).get_current_revision()
    if current != head():
        _check_known(current)
        command.upgrade(config(connection), "head")
    return head()


def _check_known(revision: str | None) -> None:
    scripts = ScriptDirectory.from_config(config())
    if revision is not None and revision not in {script.revision for script in scripts.walk_revisions()}:
        raise Refused(
            "database_too_new",
            f"The database was made by a newer version (its schema is {printable(revision)}). "
            "Install that version, or restore a backup that this one made.",
        )


def _failed(error: Exception) -> Refused:
    known = refusal_for(error)
    if known is not None and known.code == "store_unavailable":
        return known
    cause = getattr(error, "orig", None) or error
    return Refused(
        "migration_failed",
        f"The database could not be brought up to date ({printable(str(cause), 200)}). Nothing was changed. "
        "Check free disk space and the rights on the database, then start again.",
        status=503,
    )
