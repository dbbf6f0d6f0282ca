"""`pbx gate`: the gate's verdict on a call that nobody has made (P5)."""

from __future__ import annotations

from typing import Any

import click

from pbx.cli import output
from pbx.cli.app import App, json_option


@click.group("gate")
def gate_command() -> None:
    """The one gate before any call leaves."""


@gate_command.command("check")
@click.argument("number")
@click.option("--as", "user", required=True, metavar="USER", help="Who would call (e-mail address or id).")
@click.option("--listed", is_flag=True, help="As for a call of a call list: the law's calling hours decide.")
@json_option
@click.pass_obj
def check(app: App, number: str, user: str, listed: bool) -> int:
    """May USER call NUMBER? Judged by rights, lists and settings, not by what runs at this moment. Exit code 1: no."""
    verdict = app.read(lambda session: _verdict(session, user, number, listed))
    shown = {
        "number": number,
        "allowed": verdict.allowed,
        "reason": str(verdict.reason),
        "sentence": verdict.sentence,
        "caller_id": verdict.caller_id or None,
        "untimely": verdict.untimely.sentence if verdict.untimely else None,
    }
    output.show(app, shown)
    return 0 if verdict.allowed else 1


async def _verdict(session: Any, user: str, number: str, listed: bool) -> Any:
    from crm import directory, ids
    from crm.services import users
    from pbx.core.ids import Instant
    from pbx.services.gatekeeper import Gate
    from pbx.services.routing import Routing
    from pbx.services.spending import Spending

    def now() -> Instant:
        return Instant(ids.now_us())

    who = await users.show(session, user)
    known = await directory.load(session)
    gate = Gate(lambda: known, Routing(lambda: known, now), Spending(lambda number, trunk: None, now), lambda: False)
    return gate.check(who.id, number, listed=listed)
