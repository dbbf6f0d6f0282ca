"""`pbx token`: API tokens. The secret is shown once, when it is made."""

from __future__ import annotations

import click

from pbx.cli.app import App, json_option
from pbx.cli.fields import Field, given, options
from pbx.cli.nouns import Noun, group, show

_CHANGE = (
    Field("name", "What it is for.", required=True),
    Field("scope", "What it may do, for example calls:read.", "list", "scopes"),
)
_ADD = (*_CHANGE, Field("expires-in-days", "Days it holds; none for ever.", "number"))

token_command = group(
    Noun(
        "token",
        "API tokens. A token acts for its user, within its scopes.",
        "tokens",
        "TOKEN",
        ("id", "name", "user_id", "scopes", "created_us", "expires_us", "used_us"),
        add=(),
        change=_CHANGE,
        filters=(Field("user", "Only this user's."),),
    )
)


@token_command.command("add")
@click.option("--user", required=True, help="For whom it acts (e-mail address or id).")
@options(_ADD, adding=True)
@json_option
@click.pass_obj
def add(app: App, /, user: str, **parameters: object) -> None:
    """Make a token; its secret is shown this once."""
    from crm.services import tokens

    values = given(_ADD, parameters)
    show(app, app.write(lambda work: tokens.add(work, user, values)))
