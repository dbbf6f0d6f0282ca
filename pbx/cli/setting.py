"""`pbx setting`: settings of the organisation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pbx.cli import output
from pbx.cli.app import App, json_option
from pbx.cli.nouns import accepting, notice_option, plain

if TYPE_CHECKING:
    from crm.unit_of_work import UnitOfWork

_NOTICE = "recording"
COLUMNS = ("key", "value", "changed", "description")


@click.group("setting")
def setting_command() -> None:
    """Settings of the organisation; each has a default, and a change reaches the next call."""


@setting_command.command("list")
@click.option("--changed", is_flag=True, help="Only those that are not as by default.")
@json_option
@click.pass_obj
def list_all(app: App, changed: bool) -> None:
    """List all settings."""
    from crm.services import settings

    rows = [plain(view) for view in app.read(settings.list_all)]
    output.table(app, [row for row in rows if row["changed"] or not changed], COLUMNS)


@setting_command.command("show")
@click.argument("key")
@json_option
@click.pass_obj
def show(app: App, key: str) -> None:
    """Show one setting and what it means."""
    from crm.services import settings

    output.show(app, plain(app.read(lambda session: settings.show(session, key))))


def _change(app: App, key: str, value: str, **parameters: Any) -> None:
    from crm.services import settings

    parsed = settings.from_text(key, value)

    async def do(work: UnitOfWork) -> Any:
        await accepting(work, _NOTICE, parameters)
        return await settings.change(work, key, parsed)

    output.show(app, plain(app.write(do)))


@setting_command.command("change")
@click.argument("key")
@click.argument("value")
@notice_option(_NOTICE)
@json_option
@click.pass_obj
def change(app: App, key: str, value: str, accept_notice: bool) -> None:
    """Set a value: on or off, a number, a text, or entries with commas between them."""
    _change(app, key, value, accept_notice=accept_notice)


@setting_command.command("add")
@click.argument("key")
@click.argument("value")
@notice_option(_NOTICE)
@json_option
@click.pass_obj
def add(app: App, key: str, value: str, accept_notice: bool) -> None:
    """The same as change."""
    _change(app, key, value, accept_notice=accept_notice)


@setting_command.command("remove")
@click.argument("key")
@json_option
@click.pass_obj
def remove(app: App, key: str) -> None:
    """Back to the default."""
    from crm.services import settings

    output.show(app, plain(app.write(lambda work: settings.remove(work, key))))
