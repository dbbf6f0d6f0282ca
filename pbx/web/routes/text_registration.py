"""A2P 10DLC: brands and campaigns as the registry wants them, their state, and the export for the carrier (T8)."""

from __future__ import annotations

from typing import Any

from crm import tendlc
from crm.services import text_brands, text_campaigns
from pbx.web.context import Ctx
from pbx.web.declare import Right, Table
from pbx.web.wire.base import Listed
from pbx.web.wire.texts import (
    BrandChange,
    BrandView,
    CampaignChange,
    CampaignView,
    NewBrand,
    NewCampaign,
    RegistrationForm,
    TextRegistration,
)

table = Table("text-registration")


@table.route("GET", "/text-registration/form", right=Right.ADMIN, scope="admin:read", answer=RegistrationForm)
async def show_registration_form(ctx: Ctx) -> Any:
    """Every field that the registry asks for, the use cases, and what each message class may send a minute."""
    rules = ctx.engine.directory.law.of_kind("campaigns")
    classes = [
        {"message_class": rule.place, "name": rule.value["name"], "per_minute": rule.value["per_minute"]}
        for rule in rules
    ]
    return {
        "brand": [_asked(each) for each in tendlc.BRAND],
        "campaign": [_asked(each) for each in tendlc.CAMPAIGN],
        "use_cases": list(tendlc.USE_CASES),
        "classes": classes,
    }


@table.route("GET", "/text-registration/export", right=Right.ADMIN, scope="admin:read", answer=TextRegistration)
async def export_registration(ctx: Ctx) -> Any:
    """Brands with their campaigns and numbers, by the registry's own names: what the carrier wants."""
    async with ctx.engine.store.read() as session:
        return {"brands": await text_campaigns.export(session)}


@table.route("GET", "/text-brands", right=Right.ADMIN, scope="admin:read", answer=Listed[BrandView])  # type: ignore[valid-type]
async def list_text_brands(ctx: Ctx) -> Any:
    """All brands."""
    async with ctx.engine.store.read() as session:
        return {"items": await text_brands.list_all(session)}


@table.route(
    "POST", "/text-brands", right=Right.ADMIN, scope="admin:write", answer=BrandView, status=201, errors=(409, 422)
)
async def add_text_brand(ctx: Ctx, body: NewBrand) -> Any:
    """Add a brand; a draft may be incomplete."""
    async with ctx.engine.store.write(ctx.actor) as work:
        return await text_brands.add(work, body.given())


@table.route("GET", "/text-brands/{brand}", right=Right.ADMIN, scope="admin:read", answer=BrandView, errors=(404,))
async def show_text_brand(ctx: Ctx) -> Any:
    """One of them."""
    async with ctx.engine.store.read() as session:
        return await text_brands.show(session, ctx.path("brand"))


@table.route(
    "PATCH", "/text-brands/{brand}", right=Right.ADMIN, scope="admin:write", answer=BrandView, errors=(404, 409, 422)
)
async def change_text_brand(ctx: Ctx, body: BrandChange) -> Any:
    """Change a brand; only the fields and details that are sent."""
    async with ctx.engine.store.write(ctx.actor) as work:
        return await text_brands.change(work, ctx.path("brand"), body.given())


@table.route("DELETE", "/text-brands/{brand}", right=Right.ADMIN, scope="admin:write", status=204, errors=(404, 409))
async def remove_text_brand(ctx: Ctx) -> None:
    """Remove a brand that no campaign belongs to."""
    async with ctx.engine.store.write(ctx.actor) as work:
        await text_brands.remove(work, ctx.path("brand"))


@table.route("GET", "/text-campaigns", right=Right.ADMIN, scope="admin:read", answer=Listed[CampaignView])  # type: ignore[valid-type]
async def list_text_campaigns(ctx: Ctx) -> Any:
    """All campaigns with their numbers."""
    async with ctx.engine.store.read() as session:
        return {"items": await text_campaigns.list_all(session)}


@table.route(
    "POST",
    "/text-campaigns",
    right=Right.ADMIN,
    scope="admin:write",
    answer=CampaignView,
    status=201,
    errors=(404, 409, 422),
)
async def add_text_campaign(ctx: Ctx, body: NewCampaign) -> Any:
    """Add a campaign; a draft may be incomplete."""
    async with ctx.engine.store.write(ctx.actor) as work:
        made = await text_campaigns.add(work, body.given())
    ctx.engine.texting.outbox.due()
    return made


@table.route(
    "GET", "/text-campaigns/{campaign}", right=Right.ADMIN, scope="admin:read", answer=CampaignView, errors=(404,)
)
async def show_text_campaign(ctx: Ctx) -> Any:
    """One of them."""
    async with ctx.engine.store.read() as session:
        return await text_campaigns.show(session, ctx.path("campaign"))


@table.route(
    "PATCH",
    "/text-campaigns/{campaign}",
    right=Right.ADMIN,
    scope="admin:write",
    answer=CampaignView,
    errors=(404, 409, 422),
)
async def change_text_campaign(ctx: Ctx, body: CampaignChange) -> Any:
    """Change a campaign, its state or its numbers. With its approval the texts that waited for it go out."""
    async with ctx.engine.store.write(ctx.actor) as work:
        changed = await text_campaigns.change(work, ctx.path("campaign"), body.given())
    ctx.engine.texting.outbox.due()
    return changed


@table.route("DELETE", "/text-campaigns/{campaign}", right=Right.ADMIN, scope="admin:write", status=204, errors=(404,))
async def remove_text_campaign(ctx: Ctx) -> None:
    """Remove a campaign; its numbers have none then."""
    async with ctx.engine.store.write(ctx.actor) as work:
        await text_campaigns.remove(work, ctx.path("campaign"))


def _asked(each: tendlc.Asked) -> dict[str, Any]:
    return {
        "name": each.name,
        "kind": each.kind,
        "required": each.required,
        "choices": list(each.choices),
        "only_for": list(each.only_for),
    }
