"""What stands in a call list: brought by a selection, a filter or an import (L1), shown, taken out.

An entry keeps the number that it will be called at and where that is on the clock; which of a record's numbers it is,
and whether the record is still there, is looked at again before it is called.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import delete, insert, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm import csv_files, fields, ids, local_time, paging, people
from crm.call_lists import ENTRY_STATES, Entry, Judged
from crm.errors import Refused, not_found
from crm.models.call_lists import CallList as ListRow
from crm.models.call_lists import ListEntry, ListLease
from crm.repositories import call_lists as rows
from crm.repositories import people as records
from crm.repositories.people import Filter
from crm.services import call_lists as lists
from crm.unit_of_work import UnitOfWork

AT_ONCE = 500
MOST_SELECTED = 5_000
NO_NUMBER = "This record has no telephone number that could be called."
_EXPORTED = (
    *("position", "name", "company_name", "number", "state", "reason", "due_us", "calls", "result"),
    *("outcome_id", "last_call_us", "last_call_id", "record_id"),
)


@dataclass(frozen=True, slots=True)
class Brought:
    """``already`` stood in the list before; ``without_number`` cannot be called at all."""

    added: int = 0
    already: int = 0
    without_number: int = 0


async def select(work: UnitOfWork, ref: str, record_ids: Sequence[str]) -> Brought:
    """Put chosen records behind what stands there. What is no lead, contact or company any more is left out."""
    if len(record_ids) > MOST_SELECTED:
        raise Refused("too_many", f"Select {MOST_SELECTED:,} records at most, or use a filter.", "record_ids")
    row = await lists.find(work.session, ref)
    wanted = list(dict.fromkeys(record_ids))
    total = Brought()
    for start in range(0, len(wanted), AT_ONCE):
        found = await records.load(work.session, wanted[start : start + AT_ONCE], shown=False)
        total = _sum(total, await append(work, row.id, found))
    work.record("list.select", row.id, None, asdict(total), touches_calls=False)
    return total


async def fill_by(work: UnitOfWork, ref: str, wanted: Mapping[str, Any]) -> None:
    """Have a filter bring all that it finds: a part at once is done by :func:`fill_some`, until nothing is left."""
    row = await lists.find(work.session, ref)
    if row.filling is not None:
        raise Refused("filling", "This list is being filled. Wait until that is done.", status=409)
    text = fields.optional(fields.text(64))
    kind = fields.choice("lead", "contact", "company")
    checks: dict[str, fields.Check] = {"kind": kind, "owner_id": text, "status": text, "company_id": text}
    given = fields.read(wanted, checks, ("kind",))
    row.filling = {"filter": given, "after": "", "added": 0}
    row.updated_us = work.at_us
    work.record("list.fill", row.id, None, {"filter": given}, touches_calls=False)
    await work.flush()


async def fill_some(work: UnitOfWork, list_id: str, limit: int = AT_ONCE) -> bool:
    """Bring the next part; whether more is left. Who is killed between two parts goes on where it was."""
    row = await work.session.get(ListRow, list_id, with_for_update=True)
    if row is None or row.filling is None:
        return False
    filling = dict(row.filling)
    found = await records.page_by_id(work.session, Filter(**filling["filter"]), filling["after"], limit)
    brought = await append(work, list_id, found)
    more = len(found) == limit
    filling |= {"after": found[-1].id if found else "", "added": filling["added"] + brought.added}
    row.filling = filling if more else None
    row.updated_us = work.at_us
    await work.flush()
    return more


async def append(work: UnitOfWork, list_id: str, found: Sequence[people.Record]) -> Brought:
    """Records that stand there already stay where they are. Two that fill a list at once wait for each other."""
    await work.session.get(ListRow, list_id, with_for_update=True, populate_existing=True)
    there = await rows.there_already(work.session, list_id, [record.id for record in found])
    new = [record for record in found if record.id not in there]
    numbers = {record.id: number_of(record) for record in new}
    made = [record for record in new if numbers[record.id]]
    first = await _positions(work.session, list_id, len(made))
    made_rows = [
        _row(list_id, record, numbers[record.id] or "", first + at, work.at_us) for at, record in enumerate(made)
    ]
    if made_rows:
        await work.session.execute(insert(ListEntry), made_rows)
    return Brought(len(made), len(found) - len(new), len(new) - len(made))


def number_of(record: people.Record) -> str | None:
    """The first that is no fax."""
    return next((phone.e164 for phone in record.phones if phone.label != "fax"), None)


def place_of(record: people.Record, number: str) -> local_time.Place:
    address = record.addresses[0] if record.addresses else None
    return local_time.place_of(number, address.country if address else "", address.region if address else "")


async def page(
    session: AsyncSession,
    ref: str,
    at_us: int,
    *,
    state: str | None = None,
    cursor: str | None = None,
    limit: int = 50,
    hours: Callable[[local_time.Place], Judged] | None = None,
) -> paging.Page[Entry]:
    """``hours`` tells whether somebody there may be called now: those who may not say so."""
    paging.checked_limit(limit)
    if state is not None:
        fields.one("state", state, fields.choice(*ENTRY_STATES))
    row = await lists.find(session, ref)
    after = paging.decode(cursor)
    last = after[0] if after else None
    found = await rows.entries(session, row.id, at_us, state=state, after=last, limit=limit + 1, hours=hours)
    return paging.page_of(found, limit, lambda entry: (entry.position, entry.id))


async def show(session: AsyncSession, entry_id: str, at_us: int) -> Entry:
    found = await rows.entry(session, entry_id, at_us)
    if found is None:
        raise not_found("entry of a call list", entry_id)
    return found


async def maybe(session: AsyncSession, entry_id: str, at_us: int) -> Entry | None:
    """As :func:`show`, None for one that is gone with its record."""
    return await rows.entry(session, entry_id, at_us)


async def at_number(session: AsyncSession, entry: Entry, number: str | None) -> tuple[str, local_time.Place]:
    """The number to call, which is one of the record's, and where that is on the clock."""
    record = next(iter(await records.load(session, [entry.record_id], shown=False)), None)
    if record is None:
        raise not_found("lead, contact or company", entry.record_id)
    wanted = number or entry.number
    if all(phone.e164 != wanted for phone in record.phones):
        raise Refused("not_theirs", "This is no number of the person that is shown. Choose one of theirs.", "number")
    return wanted, place_of(record, wanted)


async def remove(work: UnitOfWork, list_id: str, entry_id: str) -> None:
    entry = await show(work.session, entry_id, work.at_us)
    if entry.list_id != list_id:
        raise not_found("entry of this list", entry_id)
    if entry.held_by is not None:
        raise Refused("held", "Somebody is calling this entry now. Take it out afterwards.", status=409)
    await work.session.execute(delete(ListLease).where(ListLease.entry_id == entry_id))
    await work.session.execute(delete(ListEntry).where(ListEntry.id == entry_id))
    work.record("list.take_out", list_id, {"entry": entry_id, "record": entry.record_id}, None, touches_calls=False)


async def put_back(work: UnitOfWork, list_id: str, entry_id: str) -> Entry:
    """One that is done or out waits again, as if it had just been put in."""
    row = await work.session.get(ListEntry, entry_id)
    if row is None or row.list_id != list_id:
        raise not_found("entry of this list", entry_id)
    row.state, row.reason, row.due_us, row.changed_us = "waiting", "", 0, work.at_us
    await work.flush()
    work.record("list.put_back", list_id, None, {"entry": entry_id}, touches_calls=False)
    return await show(work.session, entry_id, work.at_us)


async def export(session: AsyncSession, ref: str, at_us: int) -> AsyncIterator[str]:
    """All of it as CSV, in its order (A6)."""
    row = await lists.find(session, ref)
    yield csv_files.row(_EXPORTED)
    last: int | None = None
    while found := await rows.entries(session, row.id, at_us, after=last, limit=AT_ONCE):
        last = found[-1].position
        yield "".join(csv_files.row([_cell(getattr(entry, name)) for name in _EXPORTED]) for entry in found)


def _cell(value: Any) -> str:
    return "" if value is None else str(value)


async def _positions(session: AsyncSession, list_id: str, count: int) -> int:
    """The first of so many places at the list's end. Two that fill it at once get different ones."""
    statement = update(ListRow).where(ListRow.id == list_id)
    statement = statement.values(last_position=ListRow.last_position + count).returning(ListRow.last_position)
    last: int | None = await session.scalar(statement)
    if last is None:
        raise not_found("call list", list_id)
    return int(last) - count + 1


def _row(list_id: str, record: people.Record, number: str, position: int, at_us: int) -> dict[str, Any]:
    return {
        "id": ids.new(ids.LIST_ENTRY, at_us),
        "list_id": list_id,
        "record_id": record.id,
        "position": position,
        "number": number,
        "place": place_of(record, number).written(),
        "state": "waiting",
        "due_us": 0,
        "reason": "",
        "calls": 0,
        "changed_us": at_us,
    }


def _sum(one: Brought, other: Brought) -> Brought:
    return Brought(one.added + other.added, one.already + other.already, one.without_number + other.without_number)
