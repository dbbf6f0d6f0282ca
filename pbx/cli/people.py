"""`pbx search`, `pbx import`, `pbx export`: leads, contacts, companies and deals (V2, A6)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import click

from pbx.cli import output, spoken
from pbx.cli.app import App, json_option
from pbx.cli.progress import Tell, bar

_KINDS = click.Choice(("lead", "contact", "company", "deal"))


@click.command("search")
@click.argument("text", nargs=-1, required=True)
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True)
@json_option
@click.pass_obj
def search_command(app: App, text: tuple[str, ...], limit: int) -> None:
    """Find people and companies by any word of name, company or address, or by a number in any notation."""
    from crm import search
    from crm.records import as_dict
    from crm.services import settings

    async def find(session: Any) -> Any:
        country = (await settings.values(session))["default_country"]
        return await search.search(session, " ".join(text), country=country, limit=limit)

    rows = []
    for hit in app.read(find):
        record = as_dict(hit.record)
        numbers = [f"{phone.label} {phone.display or phone.e164}" for phone in hit.record.phones]
        rows.append({**record, "matched": hit.matched, "number": hit.number, "numbers": numbers})
    output.table(app, rows, ("name", "company_name", "kind", "numbers", "id"))


def _mapping(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> dict[str, str] | None:
    pairs = [text.partition("=") for text in value]
    if any(not found or not header or not field for header, found, field in pairs):
        raise click.BadParameter("write it as HEADER=FIELD, for example Tel=phone", ctx, param)
    return {header: field for header, _, field in pairs} or None


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--kind", type=_KINDS, default="lead", show_default=True, help="What the lines are.")
@click.option("--map", "mapping", multiple=True, callback=_mapping, help="HEADER=FIELD, where the header is not known.")
@click.option("--country", help="Two letters: how national numbers are read; else the organisation's.")
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="Where refused lines go.")
@click.option("--list", "list_ref", help="A call list (name or id) that gets what the lines become.")
@json_option
@click.pass_obj
def import_command(
    app: App,
    file: Path,
    kind: str,
    mapping: dict[str, str] | None,
    country: str | None,
    report: Path | None,
    list_ref: str | None,
) -> None:
    """Read FILE (CSV with a header). Safe to repeat: lines that are there already change nothing."""
    with bar(f"Importing {file.name}") as tell:
        result = asyncio.run(_import(app, file, kind, mapping, country, report, list_ref, tell))
    shown = {
        "lines": result.lines,
        "added": result.added,
        "changed": result.changed,
        "unchanged": result.unchanged,
        "refused": result.refused,
        "report": str(result.report) if result.report else None,
        "seconds": round(result.seconds, 1),
    }
    output.show(app, shown)


async def _import(
    app: App,
    file: Path,
    kind: str,
    mapping: dict[str, str] | None,
    country: str | None,
    report: Path | None,
    list_ref: str | None,
    tell: Tell,
) -> Any:
    from crm.services import importing, settings

    def progress(done: int, total: int, lines: int) -> None:
        tell(done / total if total else 1.0, f"{lines:,} lines")

    async with app.store() as store:
        if country is None:
            async with store.read() as session:
                country = str((await settings.values(session))["default_country"])
        return await importing.run(
            store,
            file,
            kind=kind,
            mapping=mapping,
            country=country,
            report=report,
            progress=progress,
            list_id=list_ref,
            language=spoken.language(),
        )


@click.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path, allow_dash=True))
@click.option("--kind", type=_KINDS, default="lead", show_default=True)
@json_option
@click.pass_obj
def export_command(app: App, file: Path, kind: str) -> None:
    """Write everything of a kind to FILE as CSV (- for standard output); it can be imported again."""
    lines = asyncio.run(_export(app, file, kind))
    if str(file) != "-":
        output.show(app, {"file": str(file), "lines": lines})


async def _export(app: App, file: Path, kind: str) -> int:
    from crm.services import exporting

    async with app.store() as store, store.read() as session:
        if str(file) == "-":
            async for text in exporting.export(session, kind):
                click.echo(text, nl=False)
            return 0
        return int(await exporting.write(session, kind, file))
