"""Deals: what is being sold to whom, for how much, and how it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from crm import fields, ids, paging, people
from crm.errors import Refused, not_found
from crm.models.people import Deal, Record
from crm.models.users import User
from crm.paging import Page
from crm.services import activities
from crm.unit_of_work import UnitOfWork

_ID = fields.optional(fields.text(40))
_CHECKS: dict[str, fields.Check] = {
    "name": fields.text(200),
    "record_id": _ID,
    "company_id": _ID,
    "owner_id": _ID,
    "stage": fields.text(100, empty=True),
    "status": fields.choice(*people.DEAL_STATUSES),
    "value_micros": fields.optional(fields.integer(0, unit="millionths of the currency's unit")),
    "currency": fields.matching(r"[A-Z]{3}", "A currency has three capital letters, for example USD or JPY."),
    "closes_us": fields.optional(fields.integer()),
    "external_id": fields.optional(fields.text(200)),
}


async def add(work: UnitOfWork, values: Mapping[str, Any]) -> people.Deal:
    checked = fields.read(values, _CHECKS, ["name"])
    await _check_references(work, checked, None)
    blank = dict.fromkeys(("record_id", "company_id", "owner_id", "value_micros", "closes_us", "external_id"))
    base = blank | {"stage": "", "status": "open", "currency": "USD"} | checked
    row = Deal(id=ids.new(ids.DEAL, work.at_us), created_us=work.at_us, updated_us=work.at_us, **base)
    work.session.add(row)
    await work.flush()
    _tell(work, row, "deal.add")
    work.record("deal.add", row.id, None, _plain(row), touches_calls=False)
    return await _named(work.session, row)


async def show(session: AsyncSession, deal_id: str) -> people.Deal:
    return await _named(session, await _row(session, deal_id))


async def change(work: UnitOfWork, deal_id: str, values: Mapping[str, Any]) -> people.Deal:
    row = await _row(work.session, deal_id)
    checked = fields.read(values, _CHECKS)
    await _check_references(work, checked, deal_id)
    before = _plain(row)
    for name, value in checked.items():
        setattr(row, name, value)
    after = _plain(row)
    if before != after:
        row.updated_us = work.at_us
        await work.flush()
        _tell(work, row, "deal.change")
        work.record("deal.change", row.id, before, after, touches_calls=False)
    return await _named(work.session, row)


async def remove(work: UnitOfWork, deal_id: str) -> None:
    row = await _row(work.session, deal_id)
    work.record("deal.remove", row.id, _plain(row), None, touches_calls=False)
    await work.session.delete(row)
    await work.flush()


async def page(
    session: AsyncSession,
    *,
    record_id: str | None = None,
    company_id: str | None = None,
    owner_id: str | None = None,
    status: str | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> Page[people.Deal]:
    """Changed last, first."""
    more, after = paging.checked_limit(limit) + 1, paging.decode(cursor)
    query = select(Deal)
    wanted = {"record_id": record_id, "company_id": company_id, "owner_id": owner_id, "status": status}
    for name, value in wanted.items():
        if value is not None:
            query = query.where(getattr(Deal, name) == value)
    if after is not None:
        query = query.where(tuple_(Deal.updated_us, Deal.id) < after)
    rows = list(await session.scalars(query.order_by(Deal.updated_us.desc(), Deal.id.desc()).limit(more)))
    return paging.page_of(await _with_names(session, rows), limit, lambda deal: (deal.updated_us, deal.id))


async def _row(session: AsyncSession, deal_id: str) -> Deal:
    row = await session.get(Deal, deal_id)
    if row is None:
        raise not_found("deal", deal_id)
    return row


async def _check_references(work: UnitOfWork, checked: Mapping[str, Any], deal_id: str | None) -> None:
    tables = {"record_id": Record, "company_id": Record, "owner_id": User}
    for name, table in tables.items():
        if checked.get(name) is not None and await work.session.get(table, checked[name]) is None:
            raise Refused("not_there", "There is nothing with this id. Choose one from the list.", name)
    external = checked.get("external_id")
    if external is not None:
        holder = await work.session.scalar(select(Deal.id).where(Deal.external_id == external))
        if holder not in (None, deal_id):
            raise Refused(
                "external_id_taken", "Another deal has this external id. Change that one instead.", "external_id", 409
            )


def _tell(work: UnitOfWork, row: Deal, kind: str) -> None:
    """The feed of whom the deal is with says so."""
    for record_id in dict.fromkeys((row.record_id, row.company_id)):
        if record_id is not None:
            data = {"name": row.name, "stage": row.stage, "status": row.status, "value_micros": row.value_micros}
            activities.add(work, record_id, kind, row.id, data | {"currency": row.currency})


def _plain(row: Deal) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _CHECKS}


async def _named(session: AsyncSession, row: Deal) -> people.Deal:
    return (await _with_names(session, [row]))[0]


async def _with_names(session: AsyncSession, rows: Sequence[Deal]) -> list[people.Deal]:
    """One look for the names of all whom these deals are with."""
    linked = {link for row in rows for link in (row.record_id, row.company_id) if link}
    names: dict[str, str] = {}
    if linked:
        query = select(Record.id, Record.name).where(Record.id.in_(linked))
        names = {record_id: name for record_id, name in await session.execute(query)}
    return [_deal(row, names) for row in rows]


def _deal(row: Deal, names: Mapping[str, str]) -> people.Deal:
    own: dict[str, Any] = {name: getattr(row, name) for name in people.Deal.__slots__ if not name.endswith("_name")}
    own |= {"record_name": names.get(row.record_id or "", ""), "company_name": names.get(row.company_id or "", "")}
    return people.Deal(**own)
