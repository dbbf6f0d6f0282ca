"""`pbx balance` and `pbx bill`: the account, and what a month has cost (N4, R2, A1)."""

from __future__ import annotations

import asyncio
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import click

from pbx.cli import output
from pbx.cli.app import App, json_option

_STATEMENT = ("seq", "at_us", "kind", "amount", "balance", "currency", "memo", "actor")
_SUMS = ("name", "kind", "count", "units", "amount")


class _Amount(click.ParamType[int]):
    """A decimal number of the currency's units, as micro-units."""

    name = "amount"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            micros = Decimal(str(value)) * 1_000_000
        except InvalidOperation:
            micros = Decimal("NaN")
        if not micros.is_finite() or micros != micros.to_integral_value():
            self.fail(f"“{value}” is not an amount. Write it like 50 or 12.50", param, ctx)
        return int(micros)


@click.group("balance")
def balance_command() -> None:
    """The account: what is left, what was paid in, what it went for."""


@balance_command.command("show")
@json_option
@click.pass_obj
def show(app: App) -> None:
    """Show what is left."""
    from crm.records import as_dict
    from crm.services import bills, ledger

    held = app.read(ledger.balance)
    if app.as_json:
        return output.dump(as_dict(held))
    output.show(app, {"balance": f"{bills.decimal(held.balance_micros)} {held.currency}", "state": held.state})


@balance_command.command("top-up")
@click.argument("amount", type=_Amount())
@click.option("--memo", default="", help="What it was, for example the invoice.")
@click.option("--name", default="", help="Your own for this payment: the same again is booked once.")
@json_option
@click.pass_obj
def top_up(app: App, amount: int, memo: str, name: str) -> None:
    """Add AMOUNT (in the currency's units). Calls may be made again at once."""
    from crm.services import ledger

    _booked(app, app.write(lambda work: ledger.top_up(work, amount, memo, name)))


@balance_command.command("adjust", context_settings={"ignore_unknown_options": True})
@click.argument("amount", type=_Amount())
@click.option("--memo", required=True, help="Why.")
@click.option("--name", default="", help="Your own for this adjustment: the same again is booked once.")
@json_option
@click.pass_obj
def adjust(app: App, amount: int, memo: str, name: str) -> None:
    """Put something right: add AMOUNT, or take it away where it has a minus."""
    from crm.services import ledger

    _booked(app, app.write(lambda work: ledger.adjust(work, amount, memo, name)))


@balance_command.command("ledger")
@click.option("--kind", type=click.Choice(("complimentary", "top_up", "adjustment", "call", "text")))
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
@click.option("--cursor", help="Where the page before ended.")
@json_option
@click.pass_obj
def statement(app: App, kind: str | None, limit: int, cursor: str | None) -> None:
    """Show the account's statement, newest first."""
    from crm.services import ledger

    kinds = [kind] if kind else []
    page = app.read(lambda session: ledger.page(session, kinds=kinds, cursor=cursor, limit=limit))
    output.page(app, [_posting(each) for each in page.items], _STATEMENT, page.next_cursor)


@balance_command.command("verify")
@json_option
@click.pass_obj
def verify(app: App) -> int:
    """Add the whole ledger up again. Exit code 1: it does not add up."""
    from crm.services import ledger

    broken_at = app.read(ledger.verify)
    output.show(app, {"intact": broken_at is None, "broken_at": broken_at})
    return 0 if broken_at is None else 1


def _posting(posting: Any) -> dict[str, Any]:
    from crm.records import as_dict
    from crm.services import bills

    amount = posting.amount_micros if posting.debit == "balance" else -posting.amount_micros
    return {
        **as_dict(posting),
        "amount": bills.decimal(amount),
        "balance": bills.decimal(posting.balance_micros),
    }


def _booked(app: App, posting: Any) -> None:
    row = _posting(posting)
    if app.as_json:
        return output.dump(row)
    output.show(app, {name: row[name] for name in ("kind", "amount", "balance", "currency", "memo")})


@click.group("bill")
def bill_command() -> None:
    """What a month has cost."""


@bill_command.command("list")
@json_option
@click.pass_obj
def months(app: App) -> None:
    """List the months of which there is a bill."""
    from crm.records import as_dict
    from crm.services import bills

    output.table(app, [as_dict(month) for month in app.read(bills.months)], ("month", "open"))


@bill_command.command("show")
@click.argument("month")
@json_option
@click.pass_obj
def show_bill(app: App, month: str) -> None:
    """Show the sums of MONTH (for example 2026-11)."""
    from crm.records import as_dict
    from crm.services import bills

    row = as_dict(app.read(lambda session: bills.bill(session, month)))
    if app.as_json:
        return output.dump(row)
    sums = ("opening", "paid_in", "adjusted", "calls", "texts", "closing")
    shown = {name: bills.decimal(row[f"{name}_micros"]) for name in sums}
    output.show(app, {"month": row["month"], "currency": row["currency"], **shown, "charges": row["charges"]})
    for name in ("users", "destinations", "directions"):
        if row[name]:
            click.echo(f"\n{name}")
            lines = [{**line, "amount": bills.decimal(line["amount_micros"])} for line in row[name]]
            output.table(app, lines, _SUMS)


@bill_command.command("export")
@click.argument("month")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--language", type=click.Choice(("en", "ja")), default="en", show_default=True, help="Of a PDF.")
@json_option
@click.pass_obj
def export(app: App, month: str, file: Path, language: str) -> None:
    """Write the bill of MONTH to FILE: every charge where it ends in .csv, the bill on paper where it ends in .pdf."""
    if file.suffix.lower() not in (".csv", ".pdf"):
        raise click.UsageError("A bill is written as .csv or .pdf", click.get_current_context())
    made = asyncio.run(_made(app, month, file.suffix.lower(), language))
    file.write_bytes(made)
    output.show(app, {"file": str(file), "bytes": len(made)})


async def _made(app: App, month: str, suffix: str, language: str) -> bytes:
    from crm.services import bills
    from pbx.adapters.bill_pdf import BillPrinter

    if suffix == ".pdf":
        return await BillPrinter(app.config.database_url, app.config.paper_font)(month, language)
    async with app.store() as store, store.read() as session:
        bill = await bills.bill(session, month)
        return "".join([piece async for piece in bills.as_csv(session, bill)]).encode("utf-8-sig")
