"""Brands of A2P 10DLC: who writes, told to the registry, and what it said of them (T8)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm import fields, ids, tendlc
from crm.errors import Refused, conflict, not_found
from crm.models.texts import Brand as Row
from crm.models.texts import Campaign
from crm.records import as_dict
from crm.repositories import named
from crm.repositories.calls import to_record
from crm.texts import Brand
from crm.unit_of_work import UnitOfWork


def mapping(value: Any) -> dict[str, Any]:
    """Details as they were sent."""
    if not isinstance(value, dict):
        raise Refused("invalid", "This must be an object.")
    return {str(name): each for name, each in value.items()}


_CHECKS: dict[str, fields.Check] = {
    "name": fields.text(100),
    "details": mapping,
    "state": fields.choice(*tendlc.BRAND_STATES),
    "registry_id": fields.text(60, empty=True),
    "score": fields.optional(fields.integer(0, 100)),
    "note": fields.text(500, empty=True),
}


async def add(work: UnitOfWork, values: Mapping[str, Any]) -> Brand:
    """``name`` is needed; ``details`` are the registry's fields, all of them before it is submitted."""
    given = fields.read(values, _CHECKS, ("name",))
    await _check_name(work.session, given["name"], "")
    details = tendlc.read(tendlc.BRAND, given.get("details", {}))
    base = {"state": "draft", "registry_id": "", "score": None, "note": "", "state_us": work.at_us}
    row = Row(id=ids.new(ids.BRAND, work.at_us), created_us=work.at_us, updated_us=work.at_us, **base | given)
    row.details = details
    _check_complete(row)
    work.session.add(row)
    await work.flush()
    made = to_record(Brand, row)
    work.record("text_brand.add", made.id, None, as_dict(made), touches_calls=False)
    return made


async def list_all(session: AsyncSession) -> list[Brand]:
    return [to_record(Brand, row) for row in await session.scalars(select(Row).order_by(Row.name, Row.id))]


async def show(session: AsyncSession, ref: str) -> Brand:
    return to_record(Brand, await find(session, ref))


async def change(work: UnitOfWork, ref: str, values: Mapping[str, Any]) -> Brand:
    """Details that are not named stay; null takes one away."""
    row = await find(work.session, ref)
    before = to_record(Brand, row)
    given = fields.read(values, _CHECKS)
    if "name" in given:
        await _check_name(work.session, given["name"], row.id)
    if "details" in given:
        given["details"] = tendlc.read(tendlc.BRAND, row.details | given["details"])
    if given.get("state", row.state) != row.state:
        row.state_us = work.at_us
    for name, value in given.items():
        setattr(row, name, value)
    _check_complete(row)
    row.updated_us = work.at_us
    await work.flush()
    after = to_record(Brand, row)
    work.record("text_brand.change", row.id, as_dict(before), as_dict(after), touches_calls=False)
    return after


async def remove(work: UnitOfWork, ref: str) -> Brand:
    row = await find(work.session, ref)
    if (await work.session.scalars(select(Campaign.id).where(Campaign.brand_id == row.id).limit(1))).first():
        raise conflict("still_used", "Campaigns belong to this brand. Remove them first.")
    gone = to_record(Brand, row)
    await work.session.delete(row)
    await work.flush()
    work.record("text_brand.remove", gone.id, as_dict(gone), None, touches_calls=False)
    return gone


def _check_complete(row: Row) -> None:
    lacking = tendlc.missing(tendlc.BRAND, row.details)
    if row.state != "draft" and lacking:
        raise incomplete("brand", lacking)


def incomplete(what: str, lacking: list[str]) -> Refused:
    return Refused(
        "incomplete",
        f"The registry asks for more before a {what} is submitted: {', '.join(lacking)}. Fill that in, or keep it a "
        "draft.",
        f"details.{lacking[0]}",
    )


async def _check_name(session: AsyncSession, name: str, own_id: str) -> None:
    if await named.is_taken(session, Row, name, own_id):
        raise conflict("name_taken", "Another brand has this name. Choose another one.", "name")


async def find(session: AsyncSession, ref: str) -> Row:
    row = await named.find(session, Row, ref)
    if row is None:
        raise not_found("brand", str(ref))
    return row
