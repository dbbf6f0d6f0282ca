"""`pbx dnc`: numbers that must not be called."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import click

from pbx.cli import output
from pbx.cli.app import App, json_option
from pbx.cli.fields import Field
from pbx.cli.nouns import Noun, group
from pbx.cli.progress import Tell, bar

_FIELDS = (Field("reason", "Why."), Field("source", "Who asked for it, or which list it is from."))

dnc_command = group(
    Noun(
        "dnc",
        "The do-not-call list. The gate refuses calls to these numbers.",
        "do_not_call",
        "NUMBER",
        ("e164", "reason", "source", "created_us"),
        add=(Field("number", "The number, in any notation.", required=True), *_FIELDS),
        change=_FIELDS,
        filters=(Field("cursor", "Where the page before ended."), Field("limit", "How many, 500 at most.", "number")),
        paged=True,
    )
)


@dnc_command.command("lists")
@json_option
@click.pass_obj
def lists_command(app: App) -> None:
    """Show the lists from outside."""
    from crm.records import as_dict
    from crm.services import do_not_call_lists

    found = app.read(do_not_call_lists.list_all)
    output.table(app, [as_dict(each) for each in found], ("name", "source", "numbers", "updated_us", "id"))


@dnc_command.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--name", required=True, help="What the list is called; one of the same name is replaced as a whole.")
@click.option("--source", default="", help="Who keeps it, and as of when.")
@click.option("--country", default="US", show_default=True, help="How numbers without a country code are read.")
@json_option
@click.pass_obj
def import_command(app: App, file: Path, name: str, source: str, country: str) -> None:
    """Read FILE, a number in each line, into a list from outside. Millions are no matter."""
    with bar(f"Importing {file.name}") as tell:
        result = asyncio.run(_import(app, file, max(1, file.stat().st_size), name, source, country, tell))
    report = str(result.report) if result.report else None
    output.show(
        app,
        {
            "name": name,
            "numbers": result.list.numbers,
            "lines": result.lines,
            "refused": result.refused,
            "report": report,
        },
    )


async def _import(app: App, file: Path, size: int, name: str, source: str, country: str, tell: Tell) -> Any:
    from crm.services import do_not_call_lists
    from crm.unit_of_work import CLI

    async with app.store() as store:
        return await do_not_call_lists.import_file(
            store,
            file,
            name=name,
            source=source,
            country=country,
            actor=CLI,
            progress=lambda done, lines: tell(min(1.0, done / size), f"{lines:,} lines"),
        )


@dnc_command.command("remove-list")
@click.argument("ref", metavar="LIST")
@json_option
@click.pass_obj
def remove_list_command(app: App, ref: str) -> None:
    """Remove a list from outside, with all its numbers."""
    from crm.services import do_not_call_lists

    app.write(lambda work: do_not_call_lists.remove(work, ref))
    return output.dump({"removed": ref}) if app.as_json else click.echo("Removed.")
