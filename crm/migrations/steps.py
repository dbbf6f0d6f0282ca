"""Alembic itself, without its command line or ini file. Loaded only where there is something to do: it takes long."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection

from crm.errors import Refused, printable


def config(connection: Connection | None = None) -> Config:
    """Alembic's configuration, all of it; ``connection`` is what env.py migrates."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    made.attributes["connection"] = connection
    return made


def upgrade(connection: Connection, current: str | None) -> None:
    """Raises Refused where the schema is of a version that this code does not know, or a step fails."""
    scripts = ScriptDirectory.from_config(config())
    if current is not None and current not in {script.revision for script in scripts.walk_revisions()}:
        raise Refused(
            "database_too_new",
            f"The database was made by a newer version (its schema is {printable(current)}). "
            "Install that version, or restore a backup that this one made.",
        )
    try:
        command.upgrade(config(connection), "head")
    except CommandError as error:
        raise failed(error) from error


def failed(error: Exception) -> Refused:
    cause = getattr(error, "orig", None) or error
    return Refused(
        "migration_failed",
        f"The database could not be brought up to date ({printable(str(cause), 200)}). Nothing was changed. "
        "Check free disk space and the rights on the database, then start again.",
        status=503,
    )
