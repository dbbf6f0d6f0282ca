"""Who is calling: the records that have the caller's number, with what the incoming card shows (I1).

Numbers are compared as E.164, so the notation in which the call brought it does not matter. Several records with the
same number (a couple, a reception desk) are all kept: the person who answers chooses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from crm.models.people import Deal, Note, Phone, Record
from crm.phone_numbers import try_parse

_ORDER = {"contact": 0, "lead": 1, "company": 2}
_COMPANY = aliased(Record)


@dataclass(frozen=True, slots=True)
class DealBrief:
    id: str
    name: str
    stage: str
    value_micros: int | None
    currency: str


@dataclass(frozen=True, slots=True)
class NoteBrief:
    id: str
    text: str
    author_id: str | None
    created_us: int


@dataclass(frozen=True, slots=True)
class Match:
    """``number`` is the caller's, ``label`` what it is on this record; ``deal`` the open one changed last."""

    record_id: str
    kind: str
    name: str
    company_id: str | None
    company_name: str
    title: str
    number: str
    label: str
    owner_id: str | None
    deal: DealBrief | None
    last_note: NoteBrief | None


async def match(session: AsyncSession, raw_number: str, *, country: str = "US", limit: int = 10) -> list[Match]:
    """Contacts, then leads, then companies, the newest of each first. A number that cannot be read matches nothing."""
    number = try_parse(raw_number, country)
    if number is None:
        return []
    rows = await _records(session, number.e164, limit)
    if not rows:
        return []
    deals = await _deals(session, [row.id for row in rows])
    notes = await _notes(session, [row.id for row in rows])
    return [
        Match(
            row.id,
            row.kind,
            row.name,
            row.company_id,
            row.of_company or row.company_name,
            row.title,
            number.e164,
            row.label,
            row.owner_id,
            deals.get(row.id),
            notes.get(row.id),
        )
        for row in rows
    ]


async def known(session: AsyncSession, numbers: Sequence[str]) -> set[str]:
    """Which of these numbers (E.164) stand on any record: one cheap look for many, as most callers are strangers."""
    return set((await session.execute(select(Phone.e164).where(Phone.e164.in_(numbers)).distinct())).scalars())


async def _records(session: AsyncSession, e164: str, limit: int) -> list[Any]:
    """A switchboard's number may be on thousands of records: only as many as are needed twice over are looked at."""
    query = (
        select(
            Record.id,
            Record.kind,
            Record.name,
            Record.company_id,
            Record.company_name,
            Record.title,
            Record.owner_id,
            Phone.label,
            _COMPANY.name.label("of_company"),
        )
        .join(Record, Record.id == Phone.record_id)
        .outerjoin(_COMPANY, _COMPANY.id == Record.company_id)
        .where(Phone.e164 == e164)
        .limit(limit * 20)
    )
    rows = {row.id: row for row in (await session.execute(query)).all()}
    newest = sorted(rows.values(), key=lambda row: str(row.id), reverse=True)
    return sorted(newest, key=lambda row: _ORDER[row.kind])[:limit]


async def _deals(session: AsyncSession, record_ids: Sequence[str]) -> dict[str, DealBrief]:
    query = (
        select(Deal.record_id, Deal.id, Deal.name, Deal.stage, Deal.value_micros, Deal.currency)
        .where(Deal.record_id.in_(record_ids), Deal.status == "open")
        .order_by(Deal.updated_us, Deal.id)
    )
    return {str(row[0]): DealBrief(*row[1:]) for row in await session.execute(query)}  # the last one stays


async def _notes(session: AsyncSession, record_ids: Sequence[str]) -> dict[str, NoteBrief]:
    last = select(Note.id).where(Note.record_id == Record.id).order_by(Note.created_us.desc(), Note.id.desc()).limit(1)
    query = (
        select(Note.record_id, Note.id, Note.text, Note.author_id, Note.created_us)
        .join(Record, Note.id == last.correlate(Record).scalar_subquery())
        .where(Record.id.in_(record_ids))
    )
    return {row[0]: NoteBrief(*row[1:]) for row in await session.execute(query)}
