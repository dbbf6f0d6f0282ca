"""`pbx calls`, `pbx call`, `pbx dial`: what runs, what was, and starting a call."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from pbx.cli import call_filters, output
from pbx.cli.api import Api
from pbx.cli.app import App, json_option
from pbx.cli.call_filters import filtered

_LIVE = ("created_us", "direction", "state", "customer_number", "did", "user", "seconds", "recording_state", "id")
_LOG = ("created_us", "direction", "customer_number", "did", "user", "disposition", "talk_ms", "reason", "id")


@click.command("calls")
@click.option("--log", "past", is_flag=True, help="The log, newest first, instead of what runs now.")
@filtered
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
@click.option("--cursor", help="Where the page before ended.")
@json_option
@click.pass_obj
def calls_command(app: App, /, past: bool, limit: int, cursor: str | None, **asked: Any) -> None:
    """Show the calls that run now, or the log with --log."""
    rows, next_cursor = app.read(lambda session: _calls(session, past, asked, limit, cursor))
    output.page(app, rows, _LOG if past else _LIVE, next_cursor)


async def _calls(
    session: Any, past: bool, asked: call_filters.Asked, limit: int, cursor: str | None
) -> tuple[list[dict[str, Any]], str | None]:
    from crm import ids
    from crm.services import calls, users

    found = await call_filters.wanted(session, asked)
    page = await calls.list_all(session, replace(found, open=None if past else True), cursor=cursor, limit=limit)
    names = {each.id: each.name for each in await users.list_all(session)}
    now = ids.now_us()
    return [_row(call, names, now) for call in page.items], page.next_cursor


def _row(call: Any, names: dict[str, str], now_us: int) -> dict[str, Any]:
    from crm.records import as_dict

    since = call.answered_us or call.created_us
    row = as_dict(call)
    row["user"] = names.get(call.user_id or "", call.user_id)
    row["seconds"] = ((call.ended_us or now_us) - since) // 1_000_000
    return row


@click.group("call")
def call_command() -> None:
    """One call, by its id."""


@call_command.command("show")
@click.argument("call_id", metavar="CALL")
@json_option
@click.pass_obj
def show(app: App, call_id: str) -> None:
    """Show a call with its legs and its timeline."""
    from crm.records import as_dict
    from crm.services import calls

    detail = app.read(lambda session: calls.show(session, call_id))
    parts = {
        name: [as_dict(item) for item in getattr(detail, name)]
        for name in ("legs", "participants", "events", "recordings")
    }
    if app.as_json:
        return output.dump({**as_dict(detail.call), **parts})
    output.show(app, as_dict(detail.call))
    for name, columns in (
        ("legs", ("role", "number", "device_id", "trunk_id", "answered_us", "ended_us", "result", "sip_status")),
        ("recordings", ("state", "duration_ms", "codec", "path", "problem")),
        ("events", ("at_us", "kind", "data")),
    ):
        if parts[name]:
            click.echo(f"\n{name}")
            output.table(app, parts[name], columns)


@call_command.command("hangup")
@click.argument("call_id", metavar="CALL")
@json_option
@click.pass_obj
def hang_up(app: App, call_id: str) -> None:
    """End a call for everybody."""
    from crm.services import calls

    detail = app.read(lambda session: calls.show(session, call_id))
    hosts = [each.user_id for each in detail.participants if each.role == "host" and each.left_us is None]
    host = next(reversed(hosts), None) or detail.call.user_id
    if host is None:
        raise click.ClickException("This call is no user's: it ends by itself.")
    Api(app, host).post(f"/calls/{call_id}/hangup")
    output.show(app, {"id": call_id, "asked": "hang up"})


@click.command("dial")
@click.argument("number")
@click.option("--as", "user", required=True, metavar="USER", help="Who calls (e-mail address or id).")
@click.option("--via", type=click.Choice(("device", "forwarding")), help="Which phone of the user rings first.")
@click.option("--device", help="Ring this one.")
@json_option
@click.pass_obj
def dial_command(app: App, number: str, user: str, via: str | None, device: str | None) -> None:
    """Ring a phone of USER, then call NUMBER; a colleague is rung inside. NUMBER is shown the user's own number."""
    chosen = {name: value for name, value in (("via", via), ("device_id", device)) if value}
    answer = Api(app, user).post("/calls", {"to": number, **chosen})
    if app.as_json:
        return output.dump(answer)
    call = answer["call"]
    output.show(app, {name: call.get(name) for name in ("id", "state", "customer_number", "did", "reason")})
