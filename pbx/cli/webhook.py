"""`pbx webhook`: who is told of what, what was delivered, and sending it again (A5)."""

from __future__ import annotations

from typing import Any

import click

from crm.webhooks import EVENTS, STATES
from pbx.cli import output
from pbx.cli.app import App, json_option
from pbx.cli.fields import Field, options
from pbx.cli.nouns import Noun, group, plain, show

_FIELDS = (
    Field("url", "Where it is sent, https://… .", required=True),
    Field("event", "Of what it is told (see “pbx webhook events”).", "list", "events", required=True),
    Field("description", "What it is for."),
    Field("enabled", "One that is switched off is told later, for three days.", "flag"),
)
_COLUMNS = ("id", "url", "events", "state", "waiting", "description")
_DELIVERY = ("created_us", "type", "state", "attempts", "status", "error", "next_us", "id")

webhook_command = group(
    Noun(
        "webhook",
        "Webhooks: addresses that are told what happens here.",
        "webhooks",
        "WEBHOOK",
        _COLUMNS,
        add=_FIELDS,
        change=_FIELDS,
        nets=True,
    )
)


@webhook_command.command("rotate")
@click.argument("ref", metavar="WEBHOOK")
@json_option
@click.pass_obj
def rotate(app: App, ref: str) -> None:
    """Make another secret, shown this once; the one before it signs beside it for a day."""
    from crm.services import webhooks

    show(app, app.write(lambda work: webhooks.rotate(work, ref)))


@webhook_command.command("test")
@click.argument("ref", metavar="WEBHOOK")
@json_option
@click.pass_obj
def test(app: App, ref: str) -> None:
    """Have the running engine send it a ping; “pbx webhook deliveries” shows what came of it."""
    from crm.services import webhooks

    show(app, app.write(lambda work: webhooks.ping(work, ref)))


@webhook_command.command("events")
@json_option
@click.pass_obj
def events(app: App) -> None:
    """Of what a webhook can be told."""
    output.table(app, [{"type": each, "scope": scope} for each, scope in EVENTS.items()], ("type", "scope"))


@webhook_command.command("deliveries")
@click.argument("ref", metavar="WEBHOOK", required=False)
@options(
    (
        Field("state", "In this state.", choices=STATES),
        Field("cursor", "Where the page before ended."),
        Field("limit", "How many, 500 at most.", "number"),
    ),
    adding=False,
)
@json_option
@click.pass_obj
def deliveries(app: App, /, ref: str | None, **parameters: Any) -> None:
    """What was, or is to be, delivered, newest first; of all webhooks, or of one."""
    from crm.services import webhook_outbox

    wanted = {name.removeprefix("field_"): value for name, value in parameters.items() if value is not None}
    found = app.read(lambda session: webhook_outbox.page(session, ref, **wanted))
    output.page(app, [plain(each) for each in found.items], _DELIVERY, found.next_cursor)


@webhook_command.command("redeliver")
@click.argument("delivery")
@json_option
@click.pass_obj
def redeliver(app: App, delivery: str) -> None:
    """Have the running engine send it once more, with the same id."""
    from crm.services import webhook_outbox

    show(app, app.write(lambda work: webhook_outbox.redeliver(work, delivery)))
