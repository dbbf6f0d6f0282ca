"""`pbx report`: the figures of reports, and their sums made anew (R3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from pbx.cli import output
from pbx.cli.app import App, json_option

F = TypeVar("F", bound=Callable[..., Any])
_ROW = {
    "calls": ("key", "label", "calls", "answered", "missed", "talk_s", "ring_s"),
    "texts": ("key", "label", "sent", "received", "delivered", "failed", "segments", "cost"),
    "deals": ("key", "label", "calls", "answered", "talk_s", "deals", "value", "won", "won_value", "lost"),
    "lists": ("key", "label", "entries", "called", "reached", "talk_s", "calls_per_hour"),
}
_CALLS_BY = ("day", "week", "month", "hour", "weekday", "heat", "user", "team", "outcome", "direction")


@click.group("report")
def report_command() -> None:
    """Calls, texts, deals and call lists in figures, by the organisation's clock."""


def _of_a_period(command: F) -> F:
    """What every report takes."""
    for option in (
        click.option("--csv", "as_csv", is_flag=True, help="Print CSV."),
        click.option("--compare", is_flag=True, help="Beside it the period before, of the same length."),
        click.option("--group", metavar="GROUP", help="Only this team's (name or id)."),
        click.option("--user", metavar="USER", help="Only this user's (e-mail address or id)."),
        click.option("--to", "last", metavar="DAY", help="The last day, included; without it today."),
        click.option("--from", "first", metavar="DAY", help="The first day, like 2026-11-01; without it 30 days."),
    ):
        command = option(command)
    return json_option(command)


@report_command.command("calls")
@click.option("--by", type=click.Choice(_CALLS_BY), default="day", show_default=True)
@click.option("--direction", type=click.Choice(("in", "out", "internal")))
@_of_a_period
@click.pass_obj
def calls(app: App, /, by: str, direction: str | None, **asked: Any) -> None:
    """Number, time and outcome of calls."""
    _report(app, "calls", by, direction, **asked)


@report_command.command("texts")
@click.option("--by", type=click.Choice(("day", "week", "month", "user")), default="day", show_default=True)
@_of_a_period
@click.pass_obj
def texts(app: App, /, by: str, **asked: Any) -> None:
    """Texts by what became of them, segments and cost."""
    _report(app, "texts", by, None, **asked)


@report_command.command("deals")
@click.option("--by", type=click.Choice(("user", "month", "stage")), default="user", show_default=True)
@_of_a_period
@click.pass_obj
def deals(app: App, /, by: str, **asked: Any) -> None:
    """Call volume against deal value."""
    _report(app, "deals", by, None, **asked)


@report_command.command("lists")
@_of_a_period
@click.pass_obj
def lists(app: App, /, **asked: Any) -> None:
    """What came of each call list."""
    _report(app, "lists", "list", None, **asked)


@report_command.command("rebuild")
@json_option
@click.pass_obj
def rebuild(app: App) -> None:
    """Make the sums of all reports anew from the log; calls go on meanwhile, reports wait."""
    from crm.services import sums

    def told(done: int) -> None:
        if not app.as_json:
            click.echo(f"\r{done:3} %", nl=False, err=True)

    app.with_store(lambda store: sums.rebuild(store, told))
    if not app.as_json:
        click.echo(err=True)
    output.show(app, {"rebuilt": True})


def _report(
    app: App,
    kind: str,
    by: str,
    direction: str | None,
    first: str | None,
    last: str | None,
    user: str | None,
    group: str | None,
    compare: bool,
    as_csv: bool,
) -> None:
    from crm.services.reports import Asked

    async def made(store: Any) -> dict[str, Any]:
        from crm.services import reports, reports_more, sums

        more = {"deals": reports_more.deals, "lists": reports_more.lists}
        make = {"calls": reports.calls, "texts": reports.texts} | more
        await sums.catch_up(store)
        async with store.read() as session:
            asked = Asked(by, first, last, await _whose(session, user, group), direction, compare)
            return await make[kind](session, asked, store.clock())

    report = app.with_store(made)
    if app.as_json:
        output.dump(report)
    elif as_csv:
        _print_csv(report)
    else:
        _print(app, kind, report)


async def _whose(session: Any, user: str | None, group: str | None) -> list[str] | None:
    from crm.services import groups, reports, users

    if user and group:
        raise click.UsageError("Give either --user or --group.")
    if group:
        return await reports.members(session, (await groups.show(session, group)).id)
    return [(await users.show(session, user)).id] if user else None


def _print(app: App, kind: str, report: dict[str, Any]) -> None:
    parts = [("", report), *([("before: ", report["before"])] if report["before"] else [])]
    for before, part in parts:
        click.echo(f"{before}{part['from']} to {part['to']} ({report['time_zone']})", err=True)
        rows = [*part["rows"], {"key": "total", "label": "", **part["total"]}]
        output.table(app, [_readable(row) for row in rows], _ROW[kind])


def _readable(row: dict[str, Any]) -> dict[str, Any]:
    from crm.services.bills import decimal

    money = {"cost_micros": "cost", "value_micros": "value", "won_micros": "won_value"}
    return row | {money[name]: decimal(value) for name, value in row.items() if name in money}


def _print_csv(report: dict[str, Any]) -> None:
    import asyncio

    from crm.services.reports_csv import as_csv

    async def pieces() -> list[str]:
        return [piece async for piece in as_csv(report)]

    click.echo("".join(asyncio.run(pieces())), nl=False)
