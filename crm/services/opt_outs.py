"""Who wants no texts: for the whole organisation, at once (T7). Call lists leave them out, too (L4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from crm import fields, paging
from crm.errors import not_found
from crm.models.texts import OptOut as Row
from crm.phone_numbers import try_parse
from crm.records import as_dict
from crm.repositories.calls import to_record
from crm.services import settings
from crm.texts import OptOut
from crm.unit_of_work import UnitOfWork

SOURCES = ("keyword", "disposition", "api", "console", "cli")


async def add(work: UnitOfWork, values: Mapping[str, Any]) -> OptOut:
    """``number`` is needed, in any notation. A number that is there already stays as it is: who said it first."""
    home = await _home(work.session)
    checks = {"number": fields.phone(home), "source": fields.choice(*SOURCES), "detail": fields.text(200, empty=True)}
    given = fields.read(values, checks, ("number",))
    found = await work.session.get(Row, given["number"])
    if found is None:
        source = given.get("source", "cli" if work.actor.kind == "cli" else "api")
        found = Row(e164=given["number"], source=source, detail=given.get("detail", ""), actor=str(work.actor))
        found.created_us = work.at_us
        work.session.add(found)
        await work.flush()
        _record(work, "add", found.e164, None, to_record(OptOut, found))
    return to_record(OptOut, found)


async def list_all(session: AsyncSession, *, cursor: str | None = None, limit: int = 100) -> paging.Page[OptOut]:
    """Newest first."""
    more, after = paging.checked_limit(limit) + 1, paging.decode(cursor)
    query = select(Row)
    if after is not None:
        query = query.where(tuple_(Row.created_us, Row.e164) < tuple_(*after))
    rows = await session.scalars(query.order_by(Row.created_us.desc(), Row.e164.desc()).limit(more))
    found = [to_record(OptOut, row) for row in rows]
    return paging.page_of(found, limit, lambda each: (each.created_us, each.e164))


async def show(session: AsyncSession, ref: str) -> OptOut:
    return to_record(OptOut, await _find(session, ref))


async def contains(session: AsyncSession, e164: str) -> bool:
    return await session.get(Row, e164) is not None


async def remove(work: UnitOfWork, ref: str) -> OptOut:
    """They want texts again: they wrote START, or said so to somebody."""
    row = await _find(work.session, ref)
    gone = to_record(OptOut, row)
    await work.session.delete(row)
    await work.flush()
    _record(work, "remove", gone.e164, gone, None)
    return gone


def _record(work: UnitOfWork, verb: str, e164: str, before: OptOut | None, after: OptOut | None) -> None:
    dicts = (as_dict(each) if each else None for each in (before, after))
    work.record(f"opt_out.{verb}", e164, *dicts, touches_do_not_call=True)  # call lists leave them out (L4)


async def _find(session: AsyncSession, ref: str) -> Row:
    number = try_parse(ref, await _home(session))
    row = await session.get(Row, number.e164) if number else None
    if row is None:
        raise not_found("number that wants no texts", str(ref))
    return row


async def _home(session: AsyncSession) -> str:
    return str((await settings.values(session))["default_country"])
