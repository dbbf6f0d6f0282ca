"""Campaigns of A2P 10DLC: what is written, by which numbers, whether carriers let it pass, and how fast (T8)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import and_, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm import fields, ids, tendlc
from crm.errors import Refused, conflict, not_found
from crm.models.texts import Campaign as Row
from crm.models.texts import NumberCampaign, Text
from crm.records import as_dict
from crm.repositories import law, named, raw
from crm.services import numbers, text_brands
from crm.texts import Campaign
from crm.unit_of_work import UnitOfWork

LONGEST_HELD_US = 31 * 24 * 3_600_000_000
"""No text waits longer, from when it was written until it leaves."""
_CHECKS: dict[str, fields.Check] = {
    "name": fields.text(100),
    "brand": fields.text(100),
    "use_case": fields.choice(*tendlc.USE_CASES),
    "message_class": fields.text(20),
    "details": text_brands.mapping,
    "state": fields.choice(*tendlc.CAMPAIGN_STATES),
    "registry_id": fields.text(60, empty=True),
    "note": fields.text(500, empty=True),
    "numbers": fields.list_of(fields.text(40), 10_000),
}


async def add(work: UnitOfWork, values: Mapping[str, Any]) -> Campaign:
    """``name`` and ``brand`` (id or name) are needed. ``numbers`` send through it from now on."""
    given = fields.read(values, _CHECKS, ("name", "brand"))
    await _check_name(work.session, given["name"], "")
    given["brand_id"] = (await text_brands.find(work.session, given.pop("brand"))).id
    given["details"] = tendlc.read(tendlc.CAMPAIGN, given.get("details", {}))
    chosen = given.pop("numbers", [])
    base = {"use_case": "MIXED", "message_class": "T", "state": "draft", "registry_id": "", "note": ""}
    times = {"state_us": work.at_us, "created_us": work.at_us, "updated_us": work.at_us}
    row = Row(id=ids.new(ids.CAMPAIGN, work.at_us), **base | times | given)
    await _check(work, row)
    work.session.add(row)
    await work.flush()
    await _set_numbers(work, row.id, chosen)
    await _look_again(work)
    made = await show(work.session, row.id)
    work.record("text_campaign.add", made.id, None, as_dict(made))
    return made


async def list_all(session: AsyncSession) -> list[Campaign]:
    chosen: dict[str, list[str]] = defaultdict(list)
    for each in await session.scalars(select(NumberCampaign).order_by(NumberCampaign.e164)):
        chosen[each.campaign_id].append(each.e164)
    rows = await session.scalars(select(Row).order_by(Row.name, Row.id))
    return [_campaign(row, chosen[row.id]) for row in rows]


async def show(session: AsyncSession, ref: str) -> Campaign:
    row = await _find(session, ref)
    query = select(NumberCampaign.e164).where(NumberCampaign.campaign_id == row.id).order_by(NumberCampaign.e164)
    return _campaign(row, list(await session.scalars(query)))


async def of_number(session: AsyncSession, e164: str) -> Campaign | None:
    """The campaign that texts from this number belong to."""
    query = select(Row).join(NumberCampaign, NumberCampaign.campaign_id == Row.id).where(NumberCampaign.e164 == e164)
    row = (await session.scalars(query)).one_or_none()
    return _campaign(row, ()) if row is not None else None


async def export(session: AsyncSession) -> list[dict[str, Any]]:
    """Brands with their campaigns and numbers, by the registry's own names of fields."""
    campaigns = await list_all(session)
    return [
        {
            "brandId": brand.registry_id,
            "displayName": brand.name,
            **brand.details,
            "campaigns": [_exported(each) for each in campaigns if each.brand_id == brand.id],
        }
        for brand in await text_brands.list_all(session)
    ]


async def sent_since(session: AsyncSession, brand_id: str, since_us: int) -> int:
    """Segments that left through any campaign of the brand since then; what is in hand counts, whatever comes of it."""
    left = or_(Text.sent_us >= since_us, and_(Text.state == "sending", Text.state_us >= since_us))
    query = select(func.coalesce(func.sum(Text.segments), 0)).where(
        Text.created_us >= since_us - LONGEST_HELD_US,
        Text.direction == "out",
        Text.campaign_id.in_(select(Row.id).where(Row.brand_id == brand_id)),
        left,
    )
    return int(await session.scalar(query) or 0)


async def take_of_day(work: UnitOfWork, brand_id: str, since_us: int, segments: int, per_day: int) -> bool:
    """Whether the brand may send so much more on the day that began then; it is counted if so. Of two engines that ask
    at once the second waits for the first one's transaction."""
    day = (brand_id, since_us)
    if not await raw.rows(work.session, "SELECT 1 FROM text_brand_days WHERE brand_id = ? AND since_us = ?", day):
        sent = await sent_since(work.session, brand_id, since_us)
        statement = "INSERT INTO text_brand_days (brand_id, since_us, segments) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
        await raw.run(work.session, statement, (*day, sent))
        await raw.run(work.session, "DELETE FROM text_brand_days WHERE brand_id = ? AND since_us < ?", day)
    taking = (
        "UPDATE text_brand_days SET segments = segments + ? WHERE brand_id = ? AND since_us = ? "
        "AND (segments = 0 OR segments + ? <= ?) RETURNING segments"
    )
    return bool(await raw.rows(work.session, taking, (segments, *day, segments, per_day)))


async def give_back_of_day(work: UnitOfWork, brand_id: str, since_us: int, segments: int) -> None:
    giving = "UPDATE text_brand_days SET segments = segments - ? WHERE brand_id = ? AND since_us = ?"
    await raw.run(work.session, giving, (segments, brand_id, since_us))


def _exported(campaign: Campaign) -> dict[str, Any]:
    return {
        "campaignId": campaign.registry_id,
        "usecase": campaign.use_case,
        **campaign.details,
        "phoneNumbers": list(campaign.numbers),
    }


async def change(work: UnitOfWork, ref: str, values: Mapping[str, Any]) -> Campaign:
    """Texts that waited for its approval are looked at again."""
    row = await _find(work.session, ref)
    before = await show(work.session, row.id)
    given = fields.read(values, _CHECKS)
    if "name" in given:
        await _check_name(work.session, given["name"], row.id)
    if "brand" in given:
        row.brand_id = (await text_brands.find(work.session, given.pop("brand"))).id
    if "details" in given:
        given["details"] = tendlc.read(tendlc.CAMPAIGN, row.details | given["details"])
    chosen = given.pop("numbers", None)
    if given.get("state", row.state) != row.state:
        row.state_us = work.at_us
    for name, value in given.items():
        setattr(row, name, value)
    await _check(work, row)
    row.updated_us = work.at_us
    await work.flush()
    if chosen is not None:
        await _set_numbers(work, row.id, chosen)
    await _look_again(work)
    after = await show(work.session, row.id)
    work.record("text_campaign.change", row.id, as_dict(before), as_dict(after))
    return after


async def remove(work: UnitOfWork, ref: str) -> Campaign:
    """Its numbers have none from then on."""
    row = await _find(work.session, ref)
    gone = await show(work.session, row.id)
    await work.session.execute(delete(NumberCampaign).where(NumberCampaign.campaign_id == row.id))
    await work.session.delete(row)
    await work.flush()
    work.record("text_campaign.remove", gone.id, as_dict(gone), None)
    return gone


def _campaign(row: Row, chosen: Sequence[str]) -> Campaign:
    return Campaign(
        id=row.id,
        name=row.name,
        brand_id=row.brand_id,
        use_case=row.use_case,
        message_class=row.message_class,
        details=dict(row.details),
        state=row.state,
        registry_id=row.registry_id,
        note=row.note,
        numbers=tuple(chosen),
        state_us=row.state_us,
        created_us=row.created_us,
        updated_us=row.updated_us,
    )


async def _check(work: UnitOfWork, row: Row) -> None:
    classes = [rule.place for rule in (await law.load(work.session)).of_kind("campaigns")]
    if row.message_class not in classes:
        raise Refused("invalid", f"There are these message classes: {', '.join(classes)}.", "message_class")
    if row.state == "draft":
        return
    lacking = tendlc.missing(tendlc.CAMPAIGN, row.details)
    if lacking:
        raise text_brands.incomplete("campaign", lacking)
    brand = await text_brands.find(work.session, row.brand_id)
    if brand.state in ("draft", "rejected"):
        raise Refused("brand_not_submitted", f"The brand is {brand.state}. Submit the brand first.", "state")


async def _set_numbers(work: UnitOfWork, campaign_id: str, refs: Sequence[str]) -> None:
    """A number belongs to one campaign: to this one from now on."""
    found = list(dict.fromkeys([(await numbers.show(work.session, ref)).e164 for ref in refs]))
    await work.session.execute(delete(NumberCampaign).where(NumberCampaign.campaign_id == campaign_id))
    await work.session.execute(delete(NumberCampaign).where(NumberCampaign.e164.in_(found)))
    work.session.add_all([NumberCampaign(e164=each, campaign_id=campaign_id) for each in found])
    await work.flush()


async def _look_again(work: UnitOfWork) -> None:
    """What was held may go now."""
    await work.session.execute(update(Text).where(Text.state == "held").values(next_us=work.at_us))


async def _check_name(session: AsyncSession, name: str, own_id: str) -> None:
    if await named.is_taken(session, Row, name, own_id):
        raise conflict("name_taken", "Another campaign has this name. Choose another one.", "name")


async def _find(session: AsyncSession, ref: str) -> Row:
    row = await named.find(session, Row, ref)
    if row is None:
        raise not_found("campaign", str(ref))
    return row
