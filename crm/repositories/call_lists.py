"""Queries over call lists and their entries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm import local_time
from crm.call_lists import CallList, Counts, Entry, Judged
from crm.models.call_lists import CallList as ListRow
from crm.models.call_lists import ListEntry, ListLease
from crm.models.people import Record
from crm.models.telephony import GroupMember

_AS_IT_IS = (
    *("id", "name", "description", "owner_id", "shared", "active", "preview_s", "wrap_up_s", "wrap_up"),
    *("daily_calls", "daily_calls_user", "daily_calls_number", "drop_outcome_id", "created_us", "updated_us"),
)
_OF_AN_ENTRY = (
    *("id", "list_id", "record_id", "position", "number", "state", "due_us", "reason", "calls", "result"),
    *("outcome_id", "last_call_id", "last_call_us"),
)


async def lists(session: AsyncSession, user_id: str | None, at_us: int) -> list[CallList]:
    """Those that this user may work on, by name; all of them where none is named."""
    query = select(ListRow).order_by(func.lower(ListRow.name), ListRow.id)
    rows = list(await session.scalars(query))
    if user_id is not None:
        own = await groups_of(session, user_id)
        rows = [row for row in rows if may_use(row, user_id, own)]
    counted = await counts(session, [row.id for row in rows], at_us)
    return [to_list(row, counted[row.id]) for row in rows]


def may_use(row: ListRow, user_id: str, groups: set[str]) -> bool:
    if row.owner_id == user_id:
        return True
    return row.shared and (not row.group_ids or bool(groups & set(row.group_ids)))


async def groups_of(session: AsyncSession, user_id: str) -> set[str]:
    return set(await session.scalars(select(GroupMember.group_id).where(GroupMember.user_id == user_id)))


async def counts(session: AsyncSession, list_ids: Sequence[str], at_us: int) -> Mapping[str, Counts]:
    found: dict[str, dict[str, int]] = defaultdict(dict)
    query = select(ListEntry.list_id, ListEntry.state, func.count()).where(ListEntry.list_id.in_(list_ids))
    for list_id, state, number in await session.execute(query.group_by(ListEntry.list_id, ListEntry.state)):
        found[list_id][state] = number
    held = select(ListEntry.list_id, func.count()).join(ListLease, ListLease.entry_id == ListEntry.id)
    held = held.where(ListEntry.list_id.in_(list_ids), ListLease.until_us > at_us).group_by(ListEntry.list_id)
    for list_id, number in await session.execute(held):
        found[list_id]["leased"] = number
    return defaultdict(Counts, {list_id: Counts(**numbers) for list_id, numbers in found.items()})


def to_list(row: ListRow, counted: Counts) -> CallList:
    return CallList(
        **{name: getattr(row, name) for name in _AS_IT_IS},
        group_ids=tuple(row.group_ids),
        retry=tuple(row.retry),
        filling=None if row.filling is None else int(row.filling.get("added", 0)),
        counts=counted,
    )


async def named(session: AsyncSession, ref: str) -> ListRow | None:
    """By id, else by a name that only one has."""
    found = await session.get(ListRow, ref)
    if found is not None:
        return found
    rows = list(await session.scalars(select(ListRow).where(ListRow.name == ref).limit(2)))
    return rows[0] if len(rows) == 1 else None


async def entries(
    session: AsyncSession,
    list_id: str,
    at_us: int,
    *,
    state: str | None = None,
    after: int | None = None,
    limit: int = 50,
    entry_ids: Sequence[str] | None = None,
    hours: Callable[[local_time.Place], Judged] | None = None,
) -> list[Entry]:
    """In the list's order; with who holds them now. With ``hours`` those that wait, where nobody may be called now,
    say so and until when: a list that is worked through does not even look at them."""
    held = and_(ListLease.entry_id == ListEntry.id, ListLease.until_us > at_us)
    query = (
        select(ListEntry, Record.kind, Record.name, Record.company_name, Record.company_id, ListLease.user_id)
        .join(Record, Record.id == ListEntry.record_id)
        .outerjoin(ListLease, held)
        .where(ListEntry.list_id == list_id)
        .order_by(ListEntry.position)
        .limit(limit)
    )
    if state is not None:
        query = query.where(ListEntry.state == state)
    if after is not None:
        query = query.where(ListEntry.position > after)
    if entry_ids is not None:
        query = query.where(ListEntry.id.in_(entry_ids))
    rows = list(await session.execute(query))
    companies = await _names(session, {row[4] for row in rows if row[4]})
    found = [_entry(row[0], row[1], row[2], companies.get(row[4] or "") or row[3], row[5]) for row in rows]
    if hours is None:
        return found
    return [
        _by_hours(entry, hours(local_time.read(row[0].place)), at_us) for entry, row in zip(found, rows, strict=True)
    ]


def _by_hours(entry: Entry, word: Judged, at_us: int) -> Entry:
    if word.allowed or entry.state != "waiting" or entry.due_us > max(at_us, word.again_us or 0):
        return entry
    return replace(entry, reason=word.reason, due_us=word.again_us or entry.due_us)


async def entry(session: AsyncSession, entry_id: str, at_us: int) -> Entry | None:
    row = await session.get(ListEntry, entry_id)
    if row is None:
        return None
    return next(iter(await entries(session, row.list_id, at_us, entry_ids=[entry_id])), None)


def _entry(row: ListEntry, kind: str, name: str, company: str, held_by: str | None) -> Entry:
    return Entry(
        **{each: getattr(row, each) for each in _OF_AN_ENTRY},
        record_type=kind,
        name=name,
        company_name=company,
        time_zones=local_time.read(row.place).zones,
        held_by=held_by,
    )


async def _names(session: AsyncSession, record_ids: set[str]) -> dict[str, str]:
    if not record_ids:
        return {}
    rows = await session.execute(select(Record.id, Record.name).where(Record.id.in_(record_ids)))
    return {record_id: name for record_id, name in rows}


async def there_already(session: AsyncSession, list_id: str, record_ids: Sequence[str]) -> set[str]:
    query = select(ListEntry.record_id).where(ListEntry.list_id == list_id, ListEntry.record_id.in_(record_ids))
    return set(await session.scalars(query))


async def to_fill(session: AsyncSession) -> list[str]:
    """Lists into which a filter still has something to bring."""
    query = select(ListRow.id, ListRow.filling).where(ListRow.filling.is_not(None))
    return [list_id for list_id, filling in await session.execute(query) if filling]


async def waiting_for(session: AsyncSession, list_id: str, at_us: int) -> dict[str, int]:
    """Why entries wait or are out, and how many."""
    query = select(ListEntry.reason, func.count()).where(
        ListEntry.list_id == list_id,
        ListEntry.reason != "",
        or_(ListEntry.state == "out", and_(ListEntry.state == "waiting", ListEntry.due_us > at_us)),
    )
    return {reason: number for reason, number in await session.execute(query.group_by(ListEntry.reason))}


def change(row: Any, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(row, name, value)
