"""The law: rules with source and date, legal holds, what retention destroyed, and persons erased (P5)."""

from __future__ import annotations

from typing import Any

from crm.services import erasing, holds, law, retention
from pbx.web.context import Ctx
from pbx.web.declare import Right, Table
from pbx.web.wire.base import Listed, Paged, PageQuery
from pbx.web.wire.law import (
    DestructionView,
    ErasurePlan,
    ErasureQuestion,
    ErasureView,
    HoldRelease,
    HoldsQuery,
    HoldView,
    NewErasure,
    NewHold,
    RuleChange,
    RulesQuery,
    RuleView,
)

table = Table("law")


@table.route("GET", "/law/rules", right=Right.MANAGER, scope="admin:read", answer=Listed[RuleView], errors=(422,))  # type: ignore[valid-type]
async def list_rules(ctx: Ctx, query: RulesQuery) -> Any:
    """The rules in force: calling hours, recording, refusals, STOP words, classes of campaigns; with their sources."""
    async with ctx.engine.store.read() as session:
        return {"items": await law.list_all(session, kind=query.kind, language=ctx.language(query.language))}


@table.route("GET", "/law/rules/{rule}", right=Right.MANAGER, scope="admin:read", answer=RuleView, errors=(404,))
async def show_rule(ctx: Ctx) -> Any:
    """One rule, by its key, such as hours.US-FL."""
    async with ctx.engine.store.read() as session:
        return await law.show(session, ctx.path("rule"), language=ctx.language())


@table.route(
    "PUT", "/law/rules/{rule}", right=Right.ADMIN, scope="admin:write", answer=RuleView, errors=(404, 409, 422)
)
async def change_rule(ctx: Ctx, body: RuleChange) -> Any:
    """Change a rule, or add one for a place that has none; it holds from the next call and text on."""
    given = {name: value for name, value in body.given().items() if value is not None}
    async with ctx.engine.store.write(ctx.actor) as work:
        return await law.change(work, ctx.path("rule"), given)


@table.route("DELETE", "/law/rules/{rule}", right=Right.ADMIN, scope="admin:write", status=204, errors=(404, 409))
async def reset_rule(ctx: Ctx) -> None:
    """Back to how the rule came; one that was added is taken out."""
    async with ctx.engine.store.write(ctx.actor) as work:
        await law.remove(work, ctx.path("rule"))


@table.route("GET", "/law/holds", right=Right.MANAGER, scope="admin:read", answer=Paged[HoldView])  # type: ignore[valid-type]
async def list_holds(ctx: Ctx, query: HoldsQuery) -> Any:
    """Legal holds, newest first."""
    async with ctx.engine.store.read() as session:
        return await holds.list_all(session, standing=query.standing, cursor=query.cursor, limit=query.limit)


@table.route(
    "POST",
    "/law/holds",
    right=Right.ADMIN,
    scope="admin:write",
    answer=HoldView,
    status=201,
    errors=(404, 409, 422),
)
async def place_hold(ctx: Ctx, body: NewHold) -> Any:
    """Keep something from being destroyed, until the hold is released."""
    async with ctx.engine.store.write(ctx.actor) as work:
        return await holds.add(work, body.given())


@table.route(
    "POST",
    "/law/holds/{hold}/release",
    right=Right.ADMIN,
    scope="admin:write",
    answer=HoldView,
    errors=(404, 409, 422),
)
async def release_hold(ctx: Ctx, body: HoldRelease) -> Any:
    """Let it be destroyed again when its time is over."""
    async with ctx.engine.store.write(ctx.actor) as work:
        return await holds.release(work, ctx.path("hold"), body.given())


@table.route("GET", "/law/destructions", right=Right.MANAGER, scope="admin:read", answer=Paged[DestructionView])  # type: ignore[valid-type]
async def list_destructions(ctx: Ctx, query: PageQuery) -> Any:
    """What was destroyed because its time was over, newest first."""
    async with ctx.engine.store.read() as session:
        return await retention.list_all(session, cursor=query.cursor, limit=query.limit)


@table.route(
    "POST",
    "/law/erasures/plan",
    right=Right.ADMIN,
    scope="admin:read",
    answer=ErasurePlan,
    errors=(404, 409, 422),
)
async def plan_erasure(ctx: Ctx, body: ErasureQuestion) -> Any:
    """What is known of a person, what an erasure would destroy, and what must stay and why. Nothing is destroyed."""
    async with ctx.engine.store.read() as session:
        plan = await erasing.plan(session, body.record_id)
    return {name: getattr(plan, name) for name in ErasurePlan.model_fields}


@table.route(
    "POST",
    "/law/erasures",
    right=Right.ADMIN,
    scope="admin:write",
    answer=ErasureView,
    status=201,
    errors=(404, 409, 422),
)
async def erase_person(ctx: Ctx, body: NewErasure) -> Any:
    """Destroy what is known of a person, for good; leaves a report."""
    return await ctx.engine.retention.erase(ctx.actor, body.given())


@table.route("GET", "/law/erasures", right=Right.ADMIN, scope="admin:read", answer=Paged[ErasureView])  # type: ignore[valid-type]
async def list_erasures(ctx: Ctx, query: PageQuery) -> Any:
    """Reports of persons who were erased, newest first."""
    async with ctx.engine.store.read() as session:
        return await erasing.list_all(session, cursor=query.cursor, limit=query.limit)
