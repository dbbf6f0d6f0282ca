"""`pbx drain`: before a planned restart, take no more calls and wait until those that are up have ended."""

from __future__ import annotations

import time
from typing import Any

import click

from pbx.cli import output
from pbx.cli.api import Api
from pbx.cli.app import App, json_option
from pbx.cli.progress import bar

_SCOPES = ("admin:read", "admin:write")
_LOOK_EVERY_S = 0.5


@click.command("drain")
@click.argument("state", type=click.Choice(("on", "off", "show")), default="on")
@click.option("--wait", is_flag=True, help="Return when no call is left.")
@click.option("--refuse", is_flag=True, help="Refuse new calls with 503 and Retry-After, for another node to take.")
@json_option
@click.pass_obj
def drain_command(app: App, state: str, wait: bool, refuse: bool) -> None:
    """Take no more new calls (on), take them again (off), or say how it stands (show). Calls that are up go on.

    Without --refuse, new calls go to the dialplan, which rings the users' phones as it does while the engine is away:
    use it to restart the engine. Use --refuse where another node takes calls, or to restart Asterisk.
    """
    api = Api(app, app.read(_an_admin), _SCOPES)
    if state == "show":
        now = api.get("/engine/drain")
    else:
        now = api.post("/engine/drain", {"on": state == "on", "refuse": refuse})
    if wait and state != "off":
        now = _until_empty(api, now)
    output.show(app, now)


async def _an_admin(session: Any) -> str:
    from crm.services import users

    admins = [user.id for user in await users.list_all(session) if user.role == "admin" and user.active]
    if not admins:
        raise click.ClickException("Nobody is an admin here: make one with “pbx user add --role admin”.")
    return str(admins[0])


def _until_empty(api: Api, now: dict[str, Any]) -> dict[str, Any]:
    most = now["calls"]
    with bar("Draining") as tell:
        while now["calls"]:
            most = max(most, now["calls"])
            left = f"{now['calls']} calls are left." if now["calls"] > 1 else "One call is left."
            tell(1 - now["calls"] / most, left)
            time.sleep(_LOOK_EVERY_S)
            now = api.get("/engine/drain")
    return now
