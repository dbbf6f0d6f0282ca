"""The log of calls: listing, showing, and what people add to a call later. The engine's journal writes the rest."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from crm import fields, paging
from crm.errors import Refused, not_found
from crm.models.calls import Call as Row
from crm.records import Call, CallEvent, Leg, Participant, Recording
from crm.repositories import calls
from crm.repositories.calls import DAY_US, CallFilter
from crm.unit_of_work import UnitOfWork

NOTES_LONGEST = 20_000
RECORD_TYPES = ("lead", "person", "company", "deal")
DIRECTIONS = ("inbound", "outbound", "internal")
_LATEST_US = 2**63 - 1
_CLOCK_MOST_US = 367 * DAY_US
_CLOCK_LATEST_US = 7_258_118_400_000_000
"""The year 2200: calendars end at some time."""


@dataclass(frozen=True, slots=True)
class CallDetail:
    """A call with everything that belongs to it; ``events`` is its timeline."""

    call: Call
    legs: list[Leg]
    participants: list[Participant]
    events: list[CallEvent]
    recordings: list[Recording]


async def list_all(
    session: AsyncSession, wanted: CallFilter = CallFilter(), *, cursor: str | None = None, limit: int = 50
) -> paging.Page[Call]:
    """Newest first."""
    paging.checked_limit(limit)
    _check(wanted)
    found = await calls.page(session, wanted, paging.decode(cursor), limit + 1)
    return paging.page_of(found, limit, lambda call: (call.created_us, call.id))


async def show(session: AsyncSession, call_id: str) -> CallDetail:
    row = await _find(session, call_id)
    return CallDetail(
        calls.to_record(Call, row),
        await calls.legs(session, row.id),
        await calls.participants(session, row.id),
        await calls.events(session, row.id),
        await calls.recordings(session, row.id),
    )


async def open_calls(session: AsyncSession) -> list[Call]:
    """Those that have not ended, oldest first."""
    return await calls.open_calls(session)


async def involves(session: AsyncSession, call_id: str, user_id: str) -> bool:
    """Whether the user has a part in this call: what a rep may see and hear is decided by it (TRUST 21)."""
    return await calls.involves(session, call_id, user_id)


async def set_notes(work: UnitOfWork, call_id: str, notes: str) -> Call:
    """What is typed during and after the call; saved whole each time, so not in the audit log."""
    row = await _find(work.session, call_id)
    row.notes = fields.one("notes", notes, fields.text(NOTES_LONGEST, empty=True, lines=True))
    await work.flush()
    return calls.to_record(Call, row)


async def attach(work: UnitOfWork, call_id: str, record_type: str | None, record_id: str | None) -> Call:
    """File the call under a lead, person, company or deal; None takes it off again."""
    row = await _find(work.session, call_id)
    before = {"record_type": row.record_type, "record_id": row.record_id}
    row.record_type = fields.one("record_type", record_type, fields.optional(fields.choice(*RECORD_TYPES)))
    row.record_id = fields.one("record_id", record_id, fields.optional(fields.text(60)))
    await work.flush()
    after = {"record_type": row.record_type, "record_id": row.record_id}
    work.record("call.attach", row.id, before, after, touches_calls=False)
    return calls.to_record(Call, row)


async def _find(session: AsyncSession, call_id: str) -> Row:
    row = await calls.row(session, call_id) if isinstance(call_id, str) and call_id.isprintable() else None
    if row is None:
        raise not_found("call", str(call_id))
    return row


def _check(wanted: CallFilter) -> None:
    """Filters come from addresses and command lines: whatever a database driver would refuse is refused here."""
    for name in ("user_id", "customer_number", "did", "disposition", "state", "record_id", "outcome_id"):
        fields.one(name, getattr(wanted, name), fields.optional(fields.text(100)))
    fields.one("direction", wanted.direction, fields.optional(fields.choice(*DIRECTIONS)))
    for name in ("since_us", "until_us"):
        fields.one(name, getattr(wanted, name), fields.optional(fields.integer(0, _LATEST_US)))
    fields.one("hour", wanted.hour, fields.optional(fields.integer(0, 23)))
    fields.one("weekday", wanted.weekday, fields.optional(fields.integer(1, 7)))
    if wanted.by_the_clock:
        _check_clock(wanted)


def _check_clock(wanted: CallFilter) -> None:
    """Every call of the stretch may be looked at, so it has an end: a year, as reports of hours have it."""
    fields.one("time_zone", wanted.zone, fields.optional(fields.time_zone))
    if wanted.since_us is None or wanted.until_us is None:
        raise Refused("missing", "Hours and weekdays are looked for within days. Say from when until when.", "since_us")
    if not 0 < wanted.until_us - wanted.since_us <= _CLOCK_MOST_US or wanted.until_us > _CLOCK_LATEST_US:
        raise Refused("invalid", "Hours and weekdays are looked for within a year. Choose fewer days.", "since_us")
