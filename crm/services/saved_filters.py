"""Filters of the log, of people, deals and texts that users keep under a name, for themselves or for everybody (R1).

What is kept is the query of the page's address, so that a filter is a link, and a link that somebody sends is a filter.
What it asks is checked where it is asked, by the rights of whoever opens it: sharing a filter shows nobody more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm import fields, ids
from crm.errors import Refused, conflict, not_found
from crm.models.filters import SavedFilter as Row
from crm.models.users import User
from crm.records import as_dict
from crm.repositories.calls import to_record
from crm.services import users
from crm.unit_of_work import UnitOfWork

PAGES = ("calls", "people", "deals", "texts")
MOST = 100
_LONGEST = 2_000
_MOST_ASKED = 30
_PLACE = frozenset({"cursor", "conversation"})
"""Where somebody stood in the list is no part of its filter."""


@dataclass(frozen=True, slots=True)
class SavedFilter:
    """``user_id`` is whose it is; ``query`` as in the address of the page, without the question mark."""

    id: str
    user_id: str
    page: str
    name: str
    query: str
    shared: bool
    created_us: int
    updated_us: int


def _query(value: Any) -> str:
    """Written in one way, so that the same filter is the same text."""
    given = str(fields.text(_LONGEST, empty=True)(value)).removeprefix("?")
    try:
        pairs = parse_qsl(given, keep_blank_values=False, strict_parsing=bool(given), max_num_fields=_MOST_ASKED)
    except ValueError:
        raise Refused("invalid", "This is no filter of a list: copy what stands behind “?” in its address.") from None
    kept = urlencode([(name, text) for name, text in pairs if name not in _PLACE])
    if not kept:
        raise Refused("empty_filter", "This filter leaves everything in the list. Choose something first.")
    return kept


_CHANGES: dict[str, fields.Check] = {"name": fields.text(80), "query": _query, "shared": fields.boolean}


async def add(work: UnitOfWork, values: Mapping[str, Any]) -> SavedFilter:
    """``user`` (id or e-mail address), ``page``, ``name`` and ``query`` are needed."""
    known = _CHANGES | {"page": fields.choice(*PAGES), "user": fields.text(200)}
    given = {"shared": False} | fields.read(values, known, ("user", "page", "name", "query"))
    given["user_id"] = (await users.find(work.session, given.pop("user"))).id
    own = select(Row.id).where(Row.user_id == given["user_id"])
    if len(list(await work.session.scalars(own.limit(MOST)))) >= MOST:
        raise conflict("too_many", f"There are {MOST} filters already. Remove one that is not needed any more.")
    row = Row(id=ids.new(ids.FILTER, work.at_us), created_us=work.at_us, updated_us=work.at_us, **given)
    await _check_free(work.session, row)
    work.session.add(row)
    await work.flush()
    made = to_record(SavedFilter, row)
    work.record("filter.add", made.id, None, as_dict(made), touches_calls=False)
    return made


async def list_all(session: AsyncSession, *, user: str | None = None, page: str | None = None) -> list[SavedFilter]:
    """By name: all, or those that this user (id or e-mail address) has and is shown; of one page, or of all."""
    query = select(Row)
    if user is not None:
        query = query.where(or_(Row.user_id == (await users.find(session, user)).id, Row.shared))
    if page is not None:
        query = query.where(Row.page == fields.one("page", page, fields.choice(*PAGES)))
    found = [to_record(SavedFilter, row) for row in await session.scalars(query)]
    return sorted(found, key=lambda each: (each.page, each.name.casefold(), each.id))


async def show(session: AsyncSession, filter_id: str) -> SavedFilter:
    return to_record(SavedFilter, await _find(session, filter_id))


async def change(work: UnitOfWork, filter_id: str, values: Mapping[str, Any]) -> SavedFilter:
    row = await _find(work.session, filter_id)
    before = to_record(SavedFilter, row)
    given = fields.read(values, _CHANGES)
    await _check_free(work.session, row, given.get("name"))
    for name, value in given.items():
        setattr(row, name, value)
    row.updated_us = work.at_us
    await work.flush()
    after = to_record(SavedFilter, row)
    work.record("filter.change", row.id, as_dict(before), as_dict(after), touches_calls=False)
    return after


async def remove(work: UnitOfWork, filter_id: str) -> SavedFilter:
    row = await _find(work.session, filter_id)
    gone = to_record(SavedFilter, row)
    await work.session.delete(row)
    await work.flush()
    work.record("filter.remove", gone.id, as_dict(gone), None, touches_calls=False)
    return gone


async def check_may_change(session: AsyncSession, filter_id: str, user_id: str) -> None:
    """Its user, and for what everybody sees managers and admins; what is somebody else's own is not there at all."""
    found, user = await show(session, filter_id), await session.get(User, user_id)
    if found.user_id == user_id:
        return
    if not found.shared:
        raise not_found("saved filter", filter_id)
    if user is None or user.role == "rep":
        raise Refused(
            "not_yours", "This filter is somebody else's. Save one of your own, or ask a manager.", status=403
        )


async def _check_free(session: AsyncSession, row: Row, name: str | None = None) -> None:
    query = select(Row.id).where(Row.user_id == row.user_id, Row.page == row.page, Row.name == (name or row.name))
    if await session.scalar(query.where(Row.id != row.id)) is not None:
        raise conflict("name_taken", "You have another filter of this name there. Choose another name.", "name")


async def _find(session: AsyncSession, filter_id: str) -> Row:
    row = await session.get(Row, filter_id) if isinstance(filter_id, str) and filter_id.isprintable() else None
    if row is None:
        raise not_found("saved filter", str(filter_id))
    return row
