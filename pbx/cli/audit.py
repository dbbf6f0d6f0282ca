"""`pbx audit`: who changed what, in a log that cannot be altered unseen."""

from __future__ import annotations

import click

from pbx.cli import output
from pbx.cli.app import App, json_option
from pbx.cli.nouns import plain

_COLUMNS = ("at_us", "action", "actor", "object_id", "seq")


@click.group("audit")
def audit_command() -> None:
    """Who changed what. Entries are chained: none can be altered or taken out unseen."""


@audit_command.command("list")
@click.option("--object", "object_id", help="Only changes of this one, by its id.")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
@click.option("--cursor", help="Where the page before ended.")
@json_option
@click.pass_obj
def list_all(app: App, object_id: str | None, limit: int, cursor: str | None) -> None:
    """List the entries, the newest first."""
    from crm.services import audit

    page = app.read(lambda session: audit.list_all(session, cursor=cursor, limit=limit, object_id=object_id))
    output.page(app, [plain(entry) for entry in page.items], _COLUMNS, page.next_cursor)


@audit_command.command("verify")
@json_option
@click.pass_obj
def verify(app: App) -> int:
    """Check the chain. Exit code 1: an entry does not fit the one before it."""
    from crm.services import audit

    broken_at = app.read(audit.verify)
    output.show(app, {"intact": broken_at is None, "broken_at": broken_at})
    return 0 if broken_at is None else 1
