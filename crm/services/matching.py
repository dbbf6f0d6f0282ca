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

from crm.models.people import Phone
from crm.phone_numbers import try_parse
from crm.repositories import raw


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
    rows = await raw.rows(session, _CARDS, [number.e164, limit * 20, limit])
    return [_match(number.e164, row) for row in rows]


async def known(session: AsyncSession, numbers: Sequence[str]) -> set[str]:
    """Which of these numbers (E.164) stand on any record: one cheap look for many, as most callers are strangers."""
    return set((await session.execute(select(Phone.e164).where(Phone.e164.in_(numbers)).distinct())).scalars())


_CARDS = """
SELECT r.id, r.kind, r.name, r.company_id, coalesce(c.name, r.company_name), r.title, p.label, r.owner_id,
       d.id, d.name, d.stage, d.value_micros, d.currency, n.id, n.text, n.author_id, n.created_us
FROM (SELECT record_id, min(label) AS label FROM (SELECT record_id, label FROM phones WHERE e164 = ? LIMIT ?) AS few
      GROUP BY record_id) AS p
JOIN records AS r ON r.id = p.record_id
LEFT JOIN records AS c ON c.id = r.company_id
LEFT JOIN deals AS d ON d.id = (SELECT x.id FROM deals AS x WHERE x.record_id = r.id AND x.status = 'open'
                                ORDER BY x.updated_us DESC, x.id DESC LIMIT 1)
LEFT JOIN notes AS n ON n.id = (SELECT y.id FROM notes AS y WHERE y.record_id = r.id
                                ORDER BY y.created_us DESC, y.id DESC LIMIT 1)
ORDER BY CASE r.kind WHEN 'contact' THEN 0 WHEN 'lead' THEN 1 ELSE 2 END, r.id DESC LIMIT ?
"""
"""In one go, as the phone rings meanwhile. A switchboard's number may be on thousands of records: of those some are
looked at, twenty times as many as are shown."""


def _match(e164: str, row: tuple[Any, ...]) -> Match:
    record_id, kind, name, company_id, company, title, label, owner_id, *rest = row
    deal = DealBrief(*rest[:5]) if rest[0] is not None else None
    note = NoteBrief(*rest[5:]) if rest[5] is not None else None
    return Match(record_id, kind, name, company_id, company, title, e164, label, owner_id, deal, note)
