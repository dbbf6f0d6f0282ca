"""`pbx user`: people with a login."""

from __future__ import annotations

from typing import Any, TextIO

import click

from pbx.cli import output
from pbx.cli.app import App, json_option
from pbx.cli.fields import Field, read_secret
from pbx.cli.nouns import Noun, group, plain

_ROLES = ("rep", "manager", "admin")
_NAMES = (Field("email", "E-mail address, for signing in.", required=True), Field("name", "Full name.", required=True))
_FIELDS = (
    Field("role", "What the user may do.", choices=_ROLES),
    Field("language", "Language of prompts and pages: en or ja."),
    Field("time-zone", "For example Asia/Tokyo."),
    Field("country", "Two letters; numbers without a country code are read as of it."),
    Field("active", "A user who is switched off can neither sign in nor call.", "flag"),
    Field("available", "The phones of who is away are not rung; the forwarding number is.", "flag"),
    Field("forwarding-number", "Rung when no phone answers; none for no forwarding."),
    Field("ring-time", "Seconds the user's phones ring.", "number", "ring_time_s"),
    Field("voicemail", "Take messages for the user.", "flag", "voicemail_enabled"),
    Field("forward-accept", "Must a key be pressed on the forwarding phone?", choices=("inherit", "any_key", "none")),
    Field("recording", "Record this user's calls?", name="recording_policy", choices=("inherit", "on", "off")),
    Field("may-call", "May make outside calls.", "flag"),
    Field("max-calls", "Outside calls at once; none for the organisation's limit.", "number", "max_concurrent"),
    Field("spend-cap", "In micro-units of the currency; none for the organisation's.", "number", "spend_cap_micros"),
    Field("password-file", "The password.", "secret", "password"),
)


def _forget_greeting(app: App, user: Any) -> None:
    from pbx.services.greetings import file_of

    if greeting := file_of(app.config.greetings, user):
        greeting.unlink(missing_ok=True)


NOUN = Noun(
    "user",
    "People with a login. A user is named by e-mail address or id.",
    "users",
    "USER",
    ("name", "email", "role", "number", "forwarding_number", "active", "id"),
    add=(*_NAMES, *_FIELDS),
    change=(*_NAMES, *_FIELDS),
    notice="recording",
    removed=_forget_greeting,
    filters=(
        Field("role", "Only this role.", choices=_ROLES),
        Field("active", "Only active ones, or only not.", "flag"),
    ),
)
user_command = group(NOUN)


@user_command.command("password")
@click.argument("user", metavar="USER")
@click.option(
    "--file", "source", type=click.File("r"), help="Read it from this file (- for input) instead of making one."
)
@json_option
@click.pass_obj
def password(app: App, user: str, source: TextIO | None) -> None:
    """Set a password: a new generated one that is shown once, or one from a file. All logins of the user end."""
    from crm import passwords
    from crm.services import users

    secret = read_secret(source) if source else passwords.new_secret()

    async def change(work: Any) -> Any:
        return await users.set_password(work, user, secret)

    row = plain(app.write(change))
    shown = {"email": row["email"], **({} if source else {"password": secret})}
    output.show(app, shown, secret=None if source else "The password is shown this once. Keep it now.")


@user_command.command("sign-out")
@click.argument("user", metavar="USER")
@json_option
@click.pass_obj
def sign_out(app: App, user: str) -> None:
    """End every login of USER; calls in their browsers end."""
    from crm.services import sessions, users

    async def end(work: Any) -> int:
        return await sessions.close_all(work, (await users.show(work.session, user)).id)

    output.show(app, {"ended": app.write(end)})
