"""`pbx erase`: destroy what is known of a person, on their request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pbx.cli import output
from pbx.cli.app import App, json_option
from pbx.cli.nouns import plain

if TYPE_CHECKING:
    from crm.services.erasing import Erasure, Plan
    from crm.unit_of_work import Store


@click.command("erase")
@click.argument("record", metavar="RECORD")
@click.option("--really", is_flag=True, help="Do it. Without, it is shown what would be done.")
@click.option("--reason", help="Why, for the report; needed to do it.")
@click.option("--reference", default="", help="Of the request, for example the number of a letter.")
@json_option
@click.pass_obj
def erase_command(app: App, record: str, really: bool, reason: str | None, reference: str) -> None:
    """Show what is known of a lead or contact, what would be destroyed and what must stay, and why; then do it."""
    from crm.services import erasing

    if really and not reason:
        raise click.UsageError("Give --reason: it stands in the report", click.get_current_context())
    if not really:
        return _show(app, app.read(lambda session: erasing.plan(session, record)))
    values = {"record_id": record, "reason": reason, "reference": reference}
    output.show(app, plain(app.with_store(lambda store: _erase(app, store, values))))


async def _erase(app: App, store: Store, values: dict[str, Any]) -> Erasure:
    from crm.unit_of_work import CLI
    from pbx.services.erasure_list import ErasureList
    from pbx.services.retention import Places, Retention

    places = Places(app.config.recordings, app.config.attachments)
    return await Retention(store, places, ErasureList(app.config.erasures), dict).erase(CLI, values)


def _show(app: App, plan: Plan) -> None:
    row = {name: value for name, value in plain(plan).items() if name not in ("recordings", "attachments")}
    if app.as_json:
        return output.dump(row)
    click.echo(f"{plan.name} ({', '.join(plan.numbers) or 'no number of their own'})\n\nWould be destroyed:")
    for each in plan.destroyed:
        click.echo(f"  {each.kind}: {each.count}" + (f" ({each.bytes} bytes)" if each.bytes else ""))
    click.echo("Must stay:")
    for each in plan.kept:
        click.echo(f"  {each.kind}: {each.count}. {each.why}")
    click.echo("\n" + "\n".join(plan.notes) + "\n\nNothing was destroyed. Do it with --really --reason.")
