"""`pbx rate`: what calls and texts cost, by prefix (R2, A1)."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from pbx.cli import output, spoken
from pbx.cli.app import App, json_option
from pbx.cli.progress import bar

_COLUMNS = ("name", "direction", "trunk_id", "currency", "prefixes", "valid_from_us", "valid_until_us", "id")
_LINES = ("prefix", "name", "price", "setup", "first_s", "then_s")
_DIRECTIONS = click.Choice(("outbound", "inbound", "internal", "text"))


@click.group("rate")
def rate_command() -> None:
    """Rates: tables by prefix, brought in from CSV, and what a number costs."""


@rate_command.command("list")
@json_option
@click.pass_obj
def list_all(app: App) -> None:
    """List the rate tables, the one that begins last first."""
    from crm.records import as_dict
    from crm.services import rates

    output.table(app, [as_dict(table) for table in app.read(rates.list_all)], _COLUMNS)


@rate_command.command("show")
@click.argument("table")
@click.option("--begins", default="", help="Only prefixes that begin with these digits.")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
@click.option("--cursor", help="Where the page before ended.")
@json_option
@click.pass_obj
def show(app: App, table: str, begins: str, limit: int, cursor: str | None) -> None:
    """Show what stands in TABLE (id or name)."""
    from crm.records import as_dict
    from crm.services import bills, rates

    page = app.read(lambda session: rates.lines(session, table, begins=begins, cursor=cursor, limit=limit))
    rows = [
        {**as_dict(line), "price": bills.decimal(line.price_micros), "setup": bills.decimal(line.setup_micros)}
        for line in page.items
    ]
    output.page(app, rows, _LINES, page.next_cursor)


def _moment(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """Local time, as it is shown."""
    if value is None:
        return None
    try:
        return int(datetime.fromisoformat(value).astimezone().timestamp() * 1_000_000)
    except ValueError:
        raise click.BadParameter("write it like 2026-12-01 or 2026-12-01T09:00", ctx, param) from None


@rate_command.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--name", required=True, help="Of the new table.")
@click.option("--direction", type=_DIRECTIONS, default="outbound", show_default=True, help="What it is for.")
@click.option("--trunk", help="For calls by this trunk (id or name) alone.")
@click.option("--currency", help="That of the account.")
@click.option("--from", "since", callback=_moment, help="When it begins; else now.")
@click.option("--until", callback=_moment, help="When it ends; else when another one begins.")
@click.option("--map", "mapping", multiple=True, help="HEADER=FIELD (prefix, price, name, setup, increments, media).")
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="Where refused lines go.")
@json_option
@click.pass_obj
def import_table(
    app: App,
    file: Path,
    name: str,
    direction: str,
    trunk: str | None,
    currency: str | None,
    since: int | None,
    until: int | None,
    mapping: tuple[str, ...],
    report: Path | None,
) -> None:
    """Read a table of rates from FILE (CSV with a header): prefix and price, and if there is: name, setup, increments.

    Prices are in the currency's unit per minute (per segment for texts); increments are written 60/60, 30/6 or 1/1. The
    column media is what a text with pictures or files costs, whole; without it its segments are charged.
    """
    given = {"currency": currency, "valid_from_us": since, "valid_until_us": until}
    values = {"name": name, "direction": direction} | {key: value for key, value in given.items() if value is not None}
    pairs = [text.partition("=") for text in mapping]
    fields = {header: field for header, _, field in pairs}
    with bar(f"Importing {file.name}") as tell:
        result = asyncio.run(_import(app, file, values, trunk, fields, report, tell))
    shown = {field: getattr(result, field) for field in ("table", "lines", "added", "unchanged", "refused")}
    shown |= {"report": str(result.report) if result.report else None, "seconds": round(result.seconds, 1)}
    output.show(app, shown)


async def _import(
    app: App,
    file: Path,
    values: dict[str, Any],
    trunk: str | None,
    mapping: dict[str, str],
    report: Path | None,
    tell: Any,
) -> Any:
    from crm.services import rate_import, trunks

    def progress(done: int, total: int, lines: int) -> None:
        tell(done / total if total else 1.0, f"{lines:,} lines")

    async with app.store() as store:
        if trunk is not None:
            async with store.read() as session:
                values |= {"trunk_id": (await trunks.show(session, trunk)).id}
        return await rate_import.run(
            store, file, values, mapping=mapping, report=report, progress=progress, language=spoken.language()
        )


@rate_command.command("change")
@click.argument("table")
@click.option("--name")
@click.option("--from", "since", callback=_moment, help="When it begins.")
@click.option("--until", callback=_moment, help="When it ends.")
@json_option
@click.pass_obj
def change(app: App, table: str, name: str | None, since: int | None, until: int | None) -> None:
    """Change a table's name, or when it holds. What was charged stays charged."""
    from crm.records import as_dict
    from crm.services import rates

    given = {"name": name, "valid_from_us": since, "valid_until_us": until}
    values = {key: value for key, value in given.items() if value is not None}
    if not values:
        raise click.UsageError("Nothing to change was given", click.get_current_context())
    output.show(app, as_dict(app.write(lambda work: rates.change(work, table, values))))


@rate_command.command("remove")
@click.argument("table")
@json_option
@click.pass_obj
def remove(app: App, table: str) -> None:
    """Remove a table: the one before it holds again. What was charged stays charged."""
    from crm.records import as_dict
    from crm.services import rates

    gone = app.write(lambda work: rates.remove(work, table))
    if app.as_json:
        return output.dump(as_dict(gone))
    click.echo(f"Removed {gone.name}.")


@rate_command.command("price")
@click.argument("number")
@click.option("--direction", type=_DIRECTIONS, default="outbound", show_default=True)
@click.option("--trunk", help="By this trunk (id).")
@json_option
@click.pass_obj
def price(app: App, number: str, direction: str, trunk: str | None) -> None:
    """What a call (or a segment of a text) to NUMBER costs now, in any notation."""
    output.show(app, app.read(lambda session: _price(session, number, direction, trunk)))


async def _price(session: Any, number: str, direction: str, trunk: str | None) -> dict[str, Any]:
    from crm import ids, phone_numbers
    from crm.services import bills, rates, settings

    country = str((await settings.values(session))["default_country"])
    e164 = phone_numbers.parse(number, country).e164
    rate = await rates.price(session, e164, direction=direction, trunk_id=trunk, at_us=ids.now_us())
    if rate is None:
        return {"number": e164, "price": None}
    return {
        "number": e164,
        "price": bills.decimal(rate.price_micros),
        "setup": bills.decimal(rate.setup_micros),
        "currency": rate.currency,
        "increments": f"{rate.first_s}/{rate.then_s}",
        "name": rate.name,
        "prefix": rate.prefix,
    }
