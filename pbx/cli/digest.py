"""`pbx digest`: who gets the figures of calls and texts by e-mail."""

from __future__ import annotations

import click

from crm.digests import EVERY
from pbx.cli.app import App, json_option
from pbx.cli.nouns import show


@click.group("digest", help="Figures by e-mail, for managers and admins. A user is named by e-mail address or id.")
def digest_command() -> None: ...


@digest_command.command("show")
@click.argument("user")
@json_option
@click.pass_obj
def show_one(app: App, user: str) -> None:
    """Whether this user gets them."""
    from crm.services import digests

    show(app, app.read(lambda session: digests.show(session, user)))


@digest_command.command("set")
@click.argument("user")
@click.option("--every", type=click.Choice(EVERY), required=True, help="Of each day or week; none for no more.")
@json_option
@click.pass_obj
def change(app: App, user: str, every: str) -> None:
    """Send them to this user from now on, or no more."""
    from crm.services import digests

    show(app, app.write(lambda work: digests.change(work, user, {"every": every})))
