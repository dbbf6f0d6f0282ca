"""Reports on calls, texts, deals and call lists, each also as CSV (R3)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from crm.errors import Refused
from crm.services import reports, reports_more
from crm.services.reports import Asked, Report
from crm.services.reports_csv import as_csv
from pbx.web import csv_replies
from pbx.web.context import Ctx
from pbx.web.declare import Right, Table
from pbx.web.principal import forbidden
from pbx.web.wire.reports import (
    CallsQuery,
    CallsReport,
    DealsQuery,
    DealsReport,
    ListsReport,
    PeriodQuery,
    TextsQuery,
    TextsReport,
)

table = Table("reports")
_REFUSALS = (403, 404, 422, 503)
Made = Callable[[Any, Asked, int], Awaitable[Report]]


@table.route("GET", "/reports/calls", right=Right.REP, scope="calls:read", answer=CallsReport, errors=_REFUSALS)
async def report_calls(ctx: Ctx, query: CallsQuery) -> Any:
    """Number, time and outcome of calls, by the organisation's clock. Reps see their own.

    A call counts once: for the user whose call it is, on the day and in the hour in which it began."""
    return await _made(ctx, query, reports.calls)


@table.route("GET", "/reports/calls/csv", right=Right.REP, scope="calls:read", raw="text/csv", errors=_REFUSALS)
async def export_report_of_calls(ctx: Ctx, query: CallsQuery) -> web.StreamResponse:
    """The same as CSV."""
    return await _sent(ctx, query, reports.calls, "report-calls")


@table.route("GET", "/reports/texts", right=Right.REP, scope="texts:read", answer=TextsReport, errors=_REFUSALS)
async def report_texts(ctx: Ctx, query: TextsQuery) -> Any:
    """Texts by what became of them, their segments and their cost. Reps see their own."""
    return await _made(ctx, query, reports.texts)


@table.route("GET", "/reports/texts/csv", right=Right.REP, scope="texts:read", raw="text/csv", errors=_REFUSALS)
async def export_report_of_texts(ctx: Ctx, query: TextsQuery) -> web.StreamResponse:
    """The same as CSV."""
    return await _sent(ctx, query, reports.texts, "report-texts")


@table.route("GET", "/reports/deals", right=Right.REP, scope="people:read", answer=DealsReport, errors=_REFUSALS)
async def report_deals(ctx: Ctx, query: DealsQuery) -> Any:
    """Call volume against deal value: calls beside the deals made, won and lost in the same time. Reps see their own.

    Only values in the account's currency are added up."""
    return await _made(ctx, query, reports_more.deals)


@table.route("GET", "/reports/deals/csv", right=Right.REP, scope="people:read", raw="text/csv", errors=_REFUSALS)
async def export_report_of_deals(ctx: Ctx, query: DealsQuery) -> web.StreamResponse:
    """The same as CSV."""
    return await _sent(ctx, query, reports_more.deals, "report-deals")


@table.route("GET", "/reports/lists", right=Right.REP, scope="people:read", answer=ListsReport, errors=_REFUSALS)
async def report_lists(ctx: Ctx, query: PeriodQuery) -> Any:
    """What came of each call list that was worked on. Reps see their own calls."""
    return await _made(ctx, query, reports_more.lists)


@table.route("GET", "/reports/lists/csv", right=Right.REP, scope="people:read", raw="text/csv", errors=_REFUSALS)
async def export_report_of_lists(ctx: Ctx, query: PeriodQuery) -> web.StreamResponse:
    """The same as CSV."""
    return await _sent(ctx, query, reports_more.lists, "report-lists")


async def _made(ctx: Ctx, query: PeriodQuery, made: Made) -> Report:
    async with ctx.engine.store.read() as session:
        asked = query.asked(await _whose(ctx, session, query))
        return await made(session, asked, ctx.engine.store.clock())


async def _sent(ctx: Ctx, query: PeriodQuery, made: Made, name: str) -> web.StreamResponse:
    report = await _made(ctx, query, made)
    return await csv_replies.stream(ctx.request, as_csv(report), f"{name}-{report['from']}-{report['to']}")


async def _whose(ctx: Ctx, session: Any, query: PeriodQuery) -> list[str] | None:
    """The users whose calls are asked for; None: everybody's."""
    if not ctx.who.sees_all:
        if query.user_id not in (None, ctx.who.id) or query.group_id is not None:
            raise forbidden("You may see your own figures. Leave “user_id” and “group_id” out.")
        return [ctx.who.id]
    if query.user_id is not None and query.group_id is not None:
        raise Refused("invalid", "Give either “user_id” or “group_id”.", "group_id")
    if query.group_id is not None:
        return await reports.members(session, query.group_id)
    return [query.user_id] if query.user_id is not None else None
