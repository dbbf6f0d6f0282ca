"""Rates: tables by prefix, brought in from CSV, and what a number costs (R2, N4)."""

from __future__ import annotations

from typing import Any

from crm import phone_numbers
from crm.errors import Refused
from crm.services import rate_import, rates
from pbx.services.prices import rate_view
from pbx.web.context import Ctx
from pbx.web.declare import Right, Table
from pbx.web.wire.base import Listed, Paged
from pbx.web.wire.imports import ImportView
from pbx.web.wire.money import (
    NewRateTable,
    PriceQuery,
    PriceView,
    RateLineView,
    RateQuery,
    RateTableChange,
    RateTableView,
)

table = Table("money")


@table.route("GET", "/rate-tables", right=Right.MANAGER, scope="admin:read", answer=Listed[RateTableView])  # type: ignore[valid-type]
async def list_rate_tables(ctx: Ctx) -> Any:
    """Every rate table, the one that begins last first."""
    async with ctx.engine.store.read() as session:
        return {"items": await rates.list_all(session)}


@table.route(
    "POST",
    "/rate-tables",
    right=Right.ADMIN,
    scope="admin:write",
    answer=ImportView,
    status=201,
    errors=(404, 409, 422),
)
async def add_rate_table(ctx: Ctx, body: NewRateTable) -> Any:
    """Bring in a table from an uploaded CSV file. Watch it with GET /imports/{import}; refused lines are reported."""
    values = {name: value for name, value in body.given().items() if name not in ("import_id", "mapping") and value}
    async with ctx.engine.store.read() as session:
        checked = await rate_import.check(session, values, ctx.engine.clock.now())
    return await ctx.engine.imports.start_rates(body.import_id, ctx.actor, checked, body.mapping, ctx.reader)


@table.route(
    "GET", "/rate-tables/{table}", right=Right.MANAGER, scope="admin:read", answer=RateTableView, errors=(404,)
)
async def show_rate_table(ctx: Ctx) -> Any:
    """One of them."""
    async with ctx.engine.store.read() as session:
        return await rates.show(session, ctx.path("table"))


@table.route(
    "PATCH",
    "/rate-tables/{table}",
    right=Right.ADMIN,
    scope="admin:write",
    answer=RateTableView,
    errors=(404, 409, 422),
)
async def change_rate_table(ctx: Ctx, body: RateTableChange) -> Any:
    """Change its name or when it holds; only the fields that are sent. What was charged stays charged."""
    async with ctx.engine.store.write(ctx.actor) as work:
        return await rates.change(work, ctx.path("table"), body.given())


@table.route("DELETE", "/rate-tables/{table}", right=Right.ADMIN, scope="admin:write", status=204, errors=(404, 409))
async def remove_rate_table(ctx: Ctx) -> None:
    """Remove a table: the one before it holds again. What was charged stays charged."""
    async with ctx.engine.store.write(ctx.actor) as work:
        await rates.remove(work, ctx.path("table"))


@table.route(
    "GET",
    "/rate-tables/{table}/rates",
    right=Right.MANAGER,
    scope="admin:read",
    answer=Paged[RateLineView],  # type: ignore[valid-type]
    errors=(404,),
)
async def list_rates(ctx: Ctx, query: RateQuery) -> Any:
    """What stands in a table, by prefix."""
    async with ctx.engine.store.read() as session:
        return await rates.lines(
            session, ctx.path("table"), begins=query.begins, cursor=query.cursor, limit=query.limit
        )


@table.route("GET", "/price", right=Right.REP, scope="calls:read", answer=PriceView, errors=(422,))
async def show_price(ctx: Ctx, query: PriceQuery) -> Any:
    """What a call or text to this number costs now: shown before anybody dials."""
    parsed = phone_numbers.try_parse(query.to, ctx.who.user.country)
    if parsed is None:
        raise Refused("invalid_number", "This is not a telephone number. Check the digits.", "to")
    trunk = query.trunk_id or ctx.engine.gate.trunk_for(ctx.who.id, parsed.e164)
    rate = ctx.engine.billing.prices.call(parsed.e164, trunk, query.direction)
    return {"number": parsed.e164, "rate": rate_view(rate)}
