"""`pbx text`: sending and reading texts, and what is kept around them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from pbx.cli import nouns, output, text_nouns
from pbx.cli.api import Api
from pbx.cli.app import App, json_option
from pbx.cli.fields import given, options

_SCOPES = ("texts:read", "texts:write")
_LOG = ("created_us", "direction", "did", "customer_number", "state", "segments", "body", "reason", "id")
_CONVERSATIONS = ("last_us", "did", "customer_number", "name", "user_id", "unread", "last_body", "id")
_STATES = ("scheduled", "held", "queued", "sending", "sent", "delivered", "failed", "unknown", "canceled", "received")


@click.group("text")
def text_command() -> None:
    """Texts: send, list, show, cancel; templates, transports, opt-outs, 10DLC."""


for _noun in (text_nouns.TRANSPORT, text_nouns.TEMPLATE, text_nouns.BRAND, text_nouns.CAMPAIGN):
    text_command.add_command(nouns.group(_noun))


@text_command.command("send")
@click.argument("number")
@click.argument("body")
@click.option("--as", "user", required=True, metavar="USER", help="Who writes (e-mail address or id).")
@click.option("--at", type=click.DateTime(("%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S%z")), help="When; else now.")
@json_option
@click.pass_obj
def send(app: App, number: str, body: str, user: str, at: datetime | None) -> None:
    """Send BODY to NUMBER from USER's own number, or schedule it."""
    moment = {"at_us": int(at.timestamp() * 1e6)} if at is not None else {}
    text = Api(app, user, _SCOPES).post("/texts", {"to": number, "body": body, **moment})
    output.show(app, text if app.as_json else _brief(text))


@text_command.command("preview")
@click.argument("number")
@click.argument("body")
@click.option("--as", "user", required=True, metavar="USER", help="Who writes (e-mail address or id).")
@json_option
@click.pass_obj
def preview(app: App, number: str, body: str, user: str) -> None:
    """Say what sending would cost, and whether it may be sent; nothing is sent."""
    shown = Api(app, user, _SCOPES).post("/texts/preview", {"to": number, "body": body})
    if app.as_json:
        return output.dump(shown)
    count = shown.pop("count")
    output.show(app, {**{name: count[name] for name in ("encoding", "segments", "left")}, **shown})


@text_command.command("cancel")
@click.argument("text", metavar="TEXT")
@click.option("--as", "user", required=True, metavar="USER", help="Whose it is, or an admin.")
@json_option
@click.pass_obj
def cancel(app: App, text: str, user: str) -> None:
    """Take back a text that waits."""
    gone = Api(app, user, _SCOPES).post(f"/texts/{text}/cancel")
    output.show(app, gone if app.as_json else _brief(gone))


@text_command.command("list")
@click.option("--user", help="Only of this user's conversations (e-mail address or id).")
@click.option("--number", help="Only with this outside number.")
@click.option("--state", type=click.Choice(_STATES))
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
@click.option("--cursor", help="Where the page before ended.")
@json_option
@click.pass_obj
def list_texts(
    app: App, user: str | None, number: str | None, state: str | None, limit: int, cursor: str | None
) -> None:
    """The log of texts, newest first."""

    async def ask(session: Any) -> Any:
        from crm.repositories.texts import TextFilter
        from crm.services import texts

        wanted = TextFilter(**await _whose(session, user, number), state=state)
        return await texts.log(session, wanted, cursor=cursor, limit=limit)

    _page(app, app.read(ask), _LOG)


@text_command.command("conversations")
@click.option("--user", help="Only this user's (e-mail address or id).")
@click.option("--number", help="Only with this outside number.")
@click.option("--unread", is_flag=True, help="Only those with something new.")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
@click.option("--cursor", help="Where the page before ended.")
@json_option
@click.pass_obj
def list_conversations(
    app: App, user: str | None, number: str | None, unread: bool, limit: int, cursor: str | None
) -> None:
    """Conversations, the one with the newest text first."""

    async def ask(session: Any) -> Any:
        from crm.repositories.texts import ConversationFilter
        from crm.services import texts

        wanted = ConversationFilter(**await _whose(session, user, number), unread=True if unread else None)
        return await texts.page(session, wanted, cursor=cursor, limit=limit)

    _page(app, app.read(ask), _CONVERSATIONS)


@text_command.command("show")
@click.argument("text", metavar="TEXT")
@json_option
@click.pass_obj
def show(app: App, text: str) -> None:
    """Show a text with its state, and why it is in it."""
    from crm.records import as_dict
    from crm.services import texts

    output.show(app, as_dict(app.read(lambda session: texts.text(session, text))))


@text_command.command("export-registration")
@click.pass_obj
def export_registration(app: App) -> None:
    """Brands, campaigns and numbers as JSON, by the registry's own names: what the carrier wants."""
    from crm.services import text_campaigns

    output.dump({"brands": app.read(text_campaigns.export)})


@text_command.group("opt-out")
def opt_out() -> None:
    """Numbers that want no texts."""


@opt_out.command("add")
@click.argument("number")
@click.option("--detail", default="", help="Who said so, and how.")
@json_option
@click.pass_obj
def add_opt_out(app: App, number: str, detail: str) -> None:
    """Nobody texts NUMBER from now on."""
    from crm.services import opt_outs

    nouns.show(app, app.write(lambda work: opt_outs.add(work, {"number": number, "detail": detail})))


@opt_out.command("list")
@options(text_nouns.OPT_OUT_PAGING, adding=False)
@json_option
@click.pass_obj
def list_opt_outs(app: App, /, **parameters: Any) -> None:
    """Newest first."""
    from crm.services import opt_outs

    wanted = given(text_nouns.OPT_OUT_PAGING, parameters)
    _page(app, app.read(lambda session: opt_outs.list_all(session, **wanted)), text_nouns.OPT_OUT_COLUMNS)


@opt_out.command("remove")
@click.argument("number")
@json_option
@click.pass_obj
def remove_opt_out(app: App, number: str) -> None:
    """They want texts again."""
    from crm.services import opt_outs

    nouns.show(app, app.write(lambda work: opt_outs.remove(work, number)))


def _page(app: App, page: Any, columns: tuple[str, ...]) -> None:
    from crm.records import as_dict

    output.page(app, [as_dict(each) for each in page.items], columns, page.next_cursor)


async def _whose(session: Any, user: str | None, number: str | None) -> dict[str, Any]:
    from crm import phone_numbers
    from crm.services import settings, users

    country = str((await settings.values(session))["default_country"])
    return {
        "user_id": (await users.show(session, user)).id if user else None,
        "customer_number": phone_numbers.parse(number, country).e164 if number else None,
    }


def _brief(text: dict[str, Any]) -> dict[str, Any]:
    return {name: text.get(name) for name in ("id", "state", "customer_number", "segments", "scheduled_us", "reason")}
