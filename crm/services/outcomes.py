"""Outcomes of calls, as the organisation names them (S2): everybody chooses from them, admins define them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm import fields, ids
from crm.errors import conflict, not_found
from crm.models.wrapup import Outcome as Row
from crm.records import as_dict
from crm.repositories.calls import to_record
from crm.unit_of_work import UnitOfWork
from crm.wrapup import Outcome

GREY = "#6b7280"
_CHECKS: dict[str, fields.Check] = {
    "name": fields.text(60),
    "colour": fields.matching(r"#[0-9a-fA-F]{6}", "A colour is written as # and six digits, for example #2563eb."),
    "key": fields.optional(fields.integer(1, 9)),
    "position": fields.integer(0, 10_000),
    "active": fields.boolean,
    "do_not_text": fields.boolean,
    "do_not_call": fields.boolean,
}


async def add(work: UnitOfWork, values: Mapping[str, Any]) -> Outcome:
    """``name`` is needed; without ``position`` it comes last."""
    given = fields.read(values, _CHECKS, ("name",))
    await _check_free(work.session, given, "")
    defaults = {"colour": GREY, "key": None, "position": await _after_all(work.session), "active": True}
    defaults |= {"do_not_text": False, "do_not_call": False}
    made_at = {"created_us": work.at_us, "updated_us": work.at_us}
    row = Row(id=ids.new(ids.OUTCOME, work.at_us), **made_at, **defaults | given)
    work.session.add(row)
    await work.flush()
    work.record("outcome.add", row.id, None, as_dict(to_record(Outcome, row)))
    return to_record(Outcome, row)


async def list_all(session: AsyncSession) -> list[Outcome]:
    """In the order in which they are offered."""
    rows = await session.scalars(select(Row).order_by(Row.position, Row.id))
    return [to_record(Outcome, row) for row in rows]


async def show(session: AsyncSession, ref: str) -> Outcome:
    """``ref`` is the id or the name."""
    return to_record(Outcome, await _find(session, ref))


async def change(work: UnitOfWork, ref: str, values: Mapping[str, Any]) -> Outcome:
    row = await _find(work.session, ref)
    before = as_dict(to_record(Outcome, row))
    given = fields.read(values, _CHECKS)
    await _check_free(work.session, given, row.id)
    for name, value in given.items():
        setattr(row, name, value)
    row.updated_us = work.at_us
    await work.flush()
    after = to_record(Outcome, row)
    work.record("outcome.change", row.id, before, as_dict(after))
    return after


async def remove(work: UnitOfWork, ref: str) -> Outcome:
    """Summaries that have it keep its name and colour."""
    row = await _find(work.session, ref)
    before = to_record(Outcome, row)
    await work.session.delete(row)
    await work.flush()
    work.record("outcome.remove", before.id, as_dict(before), None)
    return before


async def _after_all(session: AsyncSession) -> int:
    last = await session.scalar(select(func.max(Row.position)))
    return 0 if last is None else min(last + 1, 10_000)


async def _check_free(session: AsyncSession, given: Mapping[str, Any], own_id: str) -> None:
    for name, sentence in (
        ("name", "Another outcome has this name. Choose another one."),
        ("key", "Another outcome has this key. Choose another digit, or take it from that one first."),
    ):
        if given.get(name) is None:
            continue
        query = select(Row.id).where(getattr(Row, name) == given[name], Row.id != own_id)
        if await session.scalar(query) is not None:
            raise conflict(f"{name}_taken", sentence, name)


async def _find(session: AsyncSession, ref: str) -> Row:
    may_be = isinstance(ref, str) and ref.isprintable()
    query = select(Row).where(or_(Row.id == ref, Row.name == ref)).order_by(Row.id != ref).limit(1)
    row = (await session.scalars(query)).first() if may_be else None
    if row is None:
        raise not_found("outcome", str(ref))
    return row
