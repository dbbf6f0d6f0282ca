"""`pbx block`: addresses that are kept out of SIP and of signing in (TRUST 16)."""

from __future__ import annotations

import click

from pbx.cli import output
from pbx.cli.app import App, json_option
from pbx.cli.nouns import plain

_COLUMNS = ("address", "since_us", "until_us", "times", "source", "reason")


@click.group("block")
def block_command() -> None:
    """Addresses that are kept out. The engine blocks who guesses passwords; settings block.… say when and how long."""


@block_command.command("list")
@json_option
@click.pass_obj
def list_all(app: App) -> None:
    """List the blocks that hold now, the newest first."""
    from crm import ids
    from crm.services import blocks

    found = app.read(lambda session: blocks.list_all(session, ids.now_us()))
    output.table(app, [plain(each) for each in found], _COLUMNS)


@block_command.command("add")
@click.argument("address")
@click.option("--minutes", type=int, help="For how long; without it until it is removed.")
@click.option("--reason", default="", help="Why.")
@json_option
@click.pass_obj
def add(app: App, address: str, minutes: int | None, reason: str) -> None:
    """Block an address, or a network such as 198.51.100.0/24."""
    from crm.services import blocks

    values = {"address": address, "minutes": minutes, "reason": reason}
    output.show(app, plain(app.write(lambda work: blocks.add(work, values))))


@block_command.command("remove")
@click.argument("address", required=False)
@click.option("--all", "everybody", is_flag=True, help="Let everybody in again.")
@json_option
@click.pass_obj
def remove(app: App, address: str | None, everybody: bool) -> None:
    """Let an address in again, or all of them."""
    from crm.services import blocks

    if (address is None) is not everybody:
        raise click.UsageError("Give an address, or --all", click.get_current_context())
    if address is None:
        count = app.write(blocks.remove_all)
        return output.dump({"removed": count}) if app.as_json else click.echo(f"Removed {count}.")
    gone = app.write(lambda work: blocks.remove(work, address))
    return output.dump(plain(gone)) if app.as_json else click.echo("Removed.")
