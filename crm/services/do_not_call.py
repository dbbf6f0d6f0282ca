"""Numbers that nobody here may call, whoever asks; only emergency numbers pass all the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crm import fields, paging
from crm.errors import conflict, not_found
from crm.models.organisation import DoNotCall as Row
from crm.phone_numbers import display, try_parse
from crm.records import DoNotCallEntry, as_dict
from crm.repositories import organisation
from crm.services import settings
from crm.unit_of_work import UnitOfWork

_CHECKS: dict[str, fields.Check] = {
    "reason": fields.text(200, empty=True),
    "source": fields.text(100, empty=True),
}


async def add(work: UnitOfWork, values: Mapping[str, Any]) -> DoNotCallEntry:
    """``number`` is needed; ``source`` says who asked for it, or which list it is from."""
    default = await _default_country(work.session)
    given = fields.read(values, {"number": fields.phone(default), **_CHECKS}, ("number",))
    if await work.session.get(Row, given["number"]) is not None:
        raise conflict("already_listed", f"{display(given['number'])} is on the do-not-call list already.", "number")
    row = Row(
        e164=given["number"],
        reason=given.get("reason", ""),
        source=given.get("source", ""),
        created_us=work.at_us,
    )
    work.session.add(row)
    await work.flush()
    made = _entry(row)
    _record(work, "add", row.e164, None, made)
    return made


async def list_all(
    session: AsyncSession, *, cursor: str | None = None, limit: int = 100
) -> paging.Page[DoNotCallEntry]:
    """Newest first."""
    paging.checked_limit(limit)
    rows = await organisation.do_not_call_page(session, paging.decode(cursor), limit + 1)
    return paging.page_of([_entry(row) for row in rows], limit, lambda entry: (entry.created_us, entry.e164))


async def show(session: AsyncSession, ref: str) -> DoNotCallEntry:
    return _entry(await _find(session, ref))


async def contains(session: AsyncSession, e164: str) -> bool:
    return await session.get(Row, e164) is not None


async def change(work: UnitOfWork, ref: str, values: Mapping[str, Any]) -> DoNotCallEntry:
    row = await _find(work.session, ref)
    before = _entry(row)
    for name, value in fields.read(values, _CHECKS).items():
        setattr(row, name, value)
    await work.flush()
    _record(work, "change", row.e164, before, _entry(row))
    return _entry(row)


async def remove(work: UnitOfWork, ref: str) -> DoNotCallEntry:
    row = await _find(work.session, ref)
    before = _entry(row)
    await work.session.delete(row)
    await work.flush()
    _record(work, "remove", before.e164, before, None)
    return before


def _record(
    work: UnitOfWork, verb: str, e164: str, before: DoNotCallEntry | None, after: DoNotCallEntry | None
) -> None:
    work.record(
        f"do_not_call.{verb}",
        e164,
        as_dict(before) if before else None,
        as_dict(after) if after else None,
        touches_do_not_call=verb != "change",
    )


def _entry(row: Row) -> DoNotCallEntry:
    return DoNotCallEntry(row.e164, row.reason, row.source, row.created_us)


async def _find(session: AsyncSession, ref: str) -> Row:
    number = try_parse(ref, await _default_country(session))
    row = await session.get(Row, number.e164) if number else None
    if row is None:
        raise not_found("entry of the do-not-call list for", str(ref))
    return row


async def _default_country(session: AsyncSession) -> str:
    return str((await settings.values(session))["default_country"])
