"""`pbx recordings`: those of many calls at once (V10, R1)."""

from __future__ import annotations

from typing import Any

import click

from pbx.cli import call_filters, output
from pbx.cli.api import Api
from pbx.cli.app import App, json_option
from pbx.cli.call_filters import filtered

_WITHIN_S = 600.0


@click.group("recordings")
def recordings_command() -> None:
    """Recordings of many calls at once."""


@recordings_command.command("erase")
@click.argument("call_ids", metavar="[CALL]...", nargs=-1)
@click.option("--as", "by", required=True, metavar="USER", help="Who destroys them (e-mail address or id).")
@click.option("--really", is_flag=True, help="Do it. Without, it is only counted what would be destroyed.")
@filtered
@json_option
@click.pass_obj
def erase(app: App, /, call_ids: tuple[str, ...], by: str, really: bool, **asked: Any) -> None:
    """Destroy the recordings of these CALLs (ids), or of all that the options leave, for good.

    Everybody may do so with calls they took part in, admins with all. What is under legal hold stays."""
    chosen = any(value is not None for value in asked.values())
    if chosen == bool(call_ids):
        raise click.UsageError("Name calls, or say which ones by options", click.get_current_context())
    body: dict[str, Any] = {"dry_run": not really}
    if call_ids:
        body["call_ids"] = list(call_ids)
    else:
        body["filter"] = app.read(lambda session: call_filters.resolved(session, asked))
    output.show(app, Api(app, by, timeout_s=_WITHIN_S).post("/calls/recordings/erase", body))
    if not really and not app.as_json:
        click.echo("Nothing was destroyed. Do it with --really.")
