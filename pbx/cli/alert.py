"""`pbx alert`: what somebody must look at now, as the running engine knows it."""

from __future__ import annotations

from typing import Any

import click

from pbx.cli import output
from pbx.cli.api import Api
from pbx.cli.app import App, json_option

_COLUMNS = ("since_us", "kind", "sentence")


@click.group("alert")
def alert_command() -> None:
    """What somebody must look at now."""


@alert_command.command("list")
@json_option
@click.pass_obj
def list_all(app: App) -> None:
    """List the alerts that stand, oldest first."""
    found = Api(app, app.read(_an_admin)).get("/alerts")
    output.table(app, found["items"], _COLUMNS)


async def _an_admin(session: Any) -> str:
    """Whoever may read the database may ask as an admin."""
    from crm.services import users

    found = [user for user in await users.list_all(session) if user.active and user.role == "admin"]
    if not found:
        raise click.ClickException("There is no admin yet. Make one with “pbx user add --role admin”.")
    return found[0].id
