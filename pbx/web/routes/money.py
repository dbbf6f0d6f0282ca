"""The account, bills, and what a call has cost (N4, R2)."""

from __future__ import annotations

import re
from typing import Any

from aiohttp import web

from crm import paging
from crm.services import bills, ledger
from pbx.services import costs
from pbx.web import call_log, csv_replies
from pbx.web.context import Ctx
from pbx.web.declare import Right, Table
from pbx.web.wire.base import Listed, Paged
from pbx.web.wire.money import (
    Adjustment,
    BalanceView,
    BillChargesQuery,
    BillMonthView,
    BillView,
    CallCost,
    ChargeView,
    LedgerQuery,
    PostingView,
    TopUp,
)

table = Table("money")


@table.route("GET", "/balance", right=Right.MANAGER, scope="admin:read", answer=BalanceView)
async def show_balance(ctx: Ctx) -> Any:
    """What is left on the account, and whether that is much. The event stream tells each change (`balance`)."""
    async with ctx.engine.store.read() as session:
        return await ledger.balance(session)


@table.route("GET", "/balance/ledger", right=Right.MANAGER, scope="admin:read", answer=Paged[PostingView])  # type: ignore[valid-type]
async def list_ledger(ctx: Ctx, query: LedgerQuery) -> Any:
    """The account's statement, newest first. Nothing in it is ever changed: a mistake is put right by an adjustment."""
    kinds = [query.kind] if query.kind else []
    async with ctx.engine.store.read() as session:
        return await ledger.page(session, kinds=kinds, cursor=query.cursor, limit=query.limit)


@table.route(
    "POST",
    "/balance/top-ups",
    right=Right.ADMIN,
    scope="admin:write",
    answer=PostingView,
    status=201,
    errors=(409, 422),
)
async def add_top_up(ctx: Ctx, body: TopUp) -> Any:
    """Add what was paid in. Calls may be made again at once."""
    async with ctx.engine.store.write(ctx.actor) as work:
        booked = await ledger.top_up(work, body.amount_micros, body.memo, body.name)
    await ctx.engine.billing.refresh()
    return booked


@table.route(
    "POST",
    "/balance/adjustments",
    right=Right.ADMIN,
    scope="admin:write",
    answer=PostingView,
    status=201,
    errors=(409, 422),
)
async def add_adjustment(ctx: Ctx, body: Adjustment) -> Any:
    """Put something right: add, or with a minus take away. It must say why."""
    async with ctx.engine.store.write(ctx.actor) as work:
        booked = await ledger.adjust(work, body.amount_micros, body.memo, body.name)
    await ctx.engine.billing.refresh()
    return booked


@table.route("GET", "/bills", right=Right.MANAGER, scope="admin:read", answer=Listed[BillMonthView])  # type: ignore[valid-type]
async def list_bills(ctx: Ctx) -> Any:
    """The months of which there is a bill, newest first."""
    async with ctx.engine.store.read() as session:
        return {"items": await bills.months(session)}


@table.route("GET", "/bills/{month}", right=Right.MANAGER, scope="admin:read", answer=BillView, errors=(404,))
async def show_bill(ctx: Ctx) -> Any:
    """The sums of a month (2026-11): by user, destination and direction, and what they did to the balance."""
    async with ctx.engine.store.read() as session:
        return await bills.bill(session, ctx.path("month"))


@table.route(
    "GET",
    "/bills/{month}/charges",
    right=Right.MANAGER,
    scope="admin:read",
    answer=Paged[ChargeView],  # type: ignore[valid-type]
    errors=(404,),
)
async def list_charges(ctx: Ctx, query: BillChargesQuery) -> Any:
    """Each leg and text of a month with its rate and price, what ended last first."""
    paging.checked_limit(query.limit)
    async with ctx.engine.store.read() as session:
        return await bills.page(session, ctx.path("month"), user_id=query.user, cursor=query.cursor, limit=query.limit)


@table.route("GET", "/bills/{month}/csv", right=Right.MANAGER, scope="admin:read", raw="text/csv", errors=(404,))
async def export_bill(ctx: Ctx) -> web.StreamResponse:
    """Every charge of the month as CSV."""
    async with ctx.engine.store.read() as session:
        bill = await bills.bill(session, ctx.path("month"))
        return await csv_replies.stream(ctx.request, bills.as_csv(session, bill), f"bill-{bill.month}")


@table.route(
    "GET", "/bills/{month}/pdf", right=Right.MANAGER, scope="admin:read", raw="application/pdf", errors=(404, 503)
)
async def print_bill(ctx: Ctx) -> web.StreamResponse:
    """The bill of the month as PDF, in the language of who asks."""
    month = ctx.path("month")
    pdf = await ctx.engine.bill_printer(month, ctx.language())
    name = re.sub(r"[^0-9-]", "", month)
    headers = {"Content-Disposition": f'attachment; filename="bill-{name}.pdf"', "Cache-Control": "private, no-store"}
    return web.Response(body=pdf, content_type="application/pdf", headers=headers)


@table.route("GET", "/calls/{call}/cost", right=Right.REP, scope="calls:read", answer=CallCost, errors=(403, 404))
async def show_cost(ctx: Ctx) -> Any:
    """What a call costs while it runs (rate and answered time of each leg), and has cost once its legs are priced."""
    found = await call_log.find(ctx, ctx.path("call"))
    call_log.check_may_see(ctx, found)
    async with ctx.engine.store.read() as session:
        charges = await costs.charges_of(session, found.view["id"])
    return costs.cost_view(found.view, charges, ctx.engine.billing.prices, ctx.engine.directory)
