"""Who is calling: the records that have the caller's number, with what the incoming card shows (I1).

Numbers are compared as E.164, so the notation in which the call brought it does not matter. Several records with the
same number (a couple, a reception desk) are all kept: the person who answers chooses.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crm.phone_numbers import try_parse
from crm.repositories import raw
from crm.unit_of_work import Store


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


async def match_each(store: Store, numbers: Sequence[str], *, limit: int = 10) -> dict[str, list[Match]]:
    """The same for many at once, as calls bring them (E.164), without those that nobody has: most callers are
    strangers, and one look tells which."""
    [found] = await store.rows([(_KNOWN, [[number for number in numbers if _E164.fullmatch(number)]])])
    known = [number for (number,) in found]
    cards = await store.rows([(_CARDS, [number, limit * 20, limit]) for number in known]) if known else []
    return {number: [_match(number, row) for row in rows] for number, rows in zip(known, cards, strict=True)}


_E164 = re.compile(r"\+[0-9]{1,15}")
_KNOWN = "SELECT DISTINCT e164 FROM phones WHERE e164 {in}"
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
