"""Calls that somebody has chosen out of the log: some by their ids, or all that a filter leaves (R1, R4)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm import paging
from crm.errors import Refused
from crm.models.calls import Call as Row
from crm.models.people import Record
from crm.records import Call
from crm.repositories import calls as repository
from crm.repositories.calls import CallFilter
from crm.services import calls

AT_ONCE = 500
MOST_NAMED = 1_000
MOST_PEOPLE = 5_000
MOST_CALLS = 5_000


async def portion(
    session: AsyncSession, wanted: CallFilter, call_ids: Sequence[str] | None = None, cursor: str | None = None
) -> paging.Page[Call]:
    """Newest first. With ``call_ids`` those alone, as far as the user of the filter had a part in them."""
    if call_ids is not None:
        return paging.Page(await _named(session, call_ids, wanted.user_id), None)
    return await calls.list_all(session, wanted, cursor=cursor, limit=AT_ONCE)


async def names_of(session: AsyncSession, wanted: CallFilter, call_ids: Sequence[str] | None = None) -> list[list[str]]:
    """Ids of these calls, in parts that one question can take."""
    parts: list[list[str]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await portion(session, wanted, call_ids, cursor or None)
        parts.append([call.id for call in page.items])
        if sum(map(len, parts)) > MOST_CALLS:
            raise Refused("too_many", f"These are more than {MOST_CALLS:,} calls. Choose a shorter time.", "filter")
        cursor = page.next_cursor
    return parts


async def people(session: AsyncSession, wanted: CallFilter, call_ids: Sequence[str] | None = None) -> list[str]:
    """Ids of the leads, contacts and companies of these calls, each once, who was called last first."""
    found: dict[str, None] = {}
    cursor: str | None = ""
    while cursor is not None:
        page = await portion(session, wanted, call_ids, cursor or None)
        found |= dict.fromkeys(call.record_id for call in page.items if call.record_id and call.record_type != "deal")
        if len(found) > MOST_PEOPLE:
            raise Refused("too_many", f"These are more than {MOST_PEOPLE:,} people. Choose a shorter time.", "calls")
        cursor = page.next_cursor
    return list(found)


async def names(session: AsyncSession, found: Sequence[Call]) -> dict[str, str]:
    """What the records of these calls are called, by their ids."""
    wanted = {call.record_id for call in found if call.record_id}
    return {
        key: name for key, name in await session.execute(select(Record.id, Record.name).where(Record.id.in_(wanted)))
    }


async def _named(session: AsyncSession, call_ids: Sequence[str], user_id: str | None) -> list[Call]:
    if len(call_ids) > MOST_NAMED:
        raise Refused("too_many", f"Select {MOST_NAMED:,} calls at most, or use a filter.", "call_ids")
    query = select(Row).where(Row.id.in_(call_ids)).order_by(Row.created_us.desc(), Row.id.desc())
    found = [repository.to_record(Call, row) for row in await session.scalars(query)]
    if user_id is None:
        return found
    return [call for call in found if await repository.involves(session, call.id, user_id)]
