"""Queries over leads, contacts and companies with their numbers, e-mails and addresses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Select, and_, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from crm import ids, people
from crm.models.people import EmailAddress, Phone, Record
from crm.phone_numbers import display
from crm.repositories import raw

_PREFIXES = {"lead": ids.LEAD, "contact": ids.PERSON, "company": ids.COMPANY}


@dataclass(frozen=True, slots=True)
class Filter:
    kind: str | None = None
    owner_id: str | None = None
    status: str | None = None
    company_id: str | None = None


async def load(session: raw.Session, record_ids: Sequence[str], *, shown: bool = True) -> list[people.Record]:
    """The records in the order of their ids as given; ids of records that are gone are left out. Nobody reads the
    numbers of those that are not ``shown``: they lack their form for people."""
    if not record_ids:
        return []
    rows = await raw.rows(session, _WHOLE, [list(record_ids)] * 4)
    found = {record.id: record for record in _assembled(rows, shown)}
    return [found[record_id] for record_id in record_ids if record_id in found]


def as_shown(record: people.Record) -> people.Record:
    """A record that was loaded without, with its numbers as people write them."""
    return replace(record, phones=tuple(replace(phone, display=display(phone.e164)) for phone in record.phones))


async def page_newest(
    session: AsyncSession, wanted: Filter, after: tuple[int, str] | None, limit: int
) -> list[people.Record]:
    """By id, which begins with the time of making, newest first. Across kinds: by the last change."""
    if wanted.kind is None:
        return await page_updated(session, wanted, after, limit)
    query = _filtered(wanted).order_by(Record.id.desc()).limit(limit)
    if after is not None:
        query = query.where(Record.id < after[1])
    return await _complete(session, query)


async def page_updated(
    session: AsyncSession, wanted: Filter, after: tuple[int, str] | None, limit: int
) -> list[people.Record]:
    query = _filtered(wanted).order_by(Record.updated_us.desc(), Record.id.desc()).limit(limit)
    if after is not None:
        query = query.where(tuple_(Record.updated_us, Record.id) < after)
    return await _complete(session, query)


async def page_by_name(
    session: AsyncSession, wanted: Filter, after: tuple[str, str] | None, limit: int
) -> list[people.Record]:
    """``after`` is the folded name and the id of the last record before."""
    query = _filtered(wanted).order_by(Record.name_key, Record.id).limit(limit)
    if after is not None:
        query = query.where(tuple_(Record.name_key, Record.id) > after)
    return await _complete(session, query)


async def page_by_id(session: AsyncSession, wanted: Filter, after: str, limit: int) -> list[people.Record]:
    """In order of id from the first one: for what goes through all of them."""
    query = _filtered(wanted).where(Record.id > after).order_by(Record.id).limit(limit)
    return await _complete(session, query)


async def name_key(session: AsyncSession, record_id: str) -> str | None:
    return await session.scalar(select(Record.name_key).where(Record.id == record_id))


async def company_named(session: AsyncSession, key: str) -> str | None:
    """The id of the oldest company of this folded name."""
    query = select(Record.id).where(Record.kind == "company", Record.name_key == key).order_by(Record.id).limit(1)
    return await session.scalar(query)


async def by_external_id(session: AsyncSession, kind: str, external_id: str) -> str | None:
    return await session.scalar(select(Record.id).where(Record.kind == kind, Record.external_id == external_id))


async def like(
    session: AsyncSession,
    kind: str,
    *,
    externals: Sequence[str],
    emails: Sequence[str],
    numbers: Sequence[str],
    names: Sequence[str],
) -> set[str]:
    """Ids of records that share an external id, an e-mail, a number or a folded name with any of these."""
    found: set[str] = set()
    of_kind = select(Record.id).where(Record.kind == kind)
    if externals:
        found.update(await session.scalars(of_kind.where(Record.external_id.in_(externals))))
    if names:
        found.update(await session.scalars(of_kind.where(Record.name_key.in_(names))))
    if emails:
        address = func.lower(EmailAddress.address)
        found.update(await session.scalars(select(EmailAddress.record_id).where(address.in_(emails))))
    if numbers:
        found.update(await session.scalars(select(Phone.record_id).where(Phone.e164.in_(numbers))))
    return {record_id for record_id in found if record_id.startswith(f"{_PREFIXES[kind]}_")}


async def companies_named(session: AsyncSession, keys: Sequence[str]) -> dict[str, str]:
    """The oldest company of each of these folded names."""
    query = select(Record.name_key, Record.id).where(Record.kind == "company", Record.name_key.in_(keys))
    return {key: record_id for key, record_id in await session.execute(query.order_by(Record.id.desc()))}


async def person_by_email(session: AsyncSession, address: str) -> str | None:
    """A contact before a lead; the oldest. ``address`` in lower case."""
    query = select(Record.id).join(EmailAddress, EmailAddress.record_id == Record.id)
    query = query.where(func.lower(EmailAddress.address) == address, Record.kind != "company")
    return await session.scalar(query.order_by(Record.kind, Record.id).limit(1))


async def person_named(session: AsyncSession, key: str) -> str | None:
    query = select(Record.id).where(Record.kind.in_(("contact", "lead")), Record.name_key == key)
    return await session.scalar(query.order_by(Record.kind, Record.id).limit(1))


async def employees(session: AsyncSession, company_id: str, after: str, limit: int) -> list[str]:
    query = select(Record.id).where(Record.company_id == company_id, Record.id > after).order_by(Record.id).limit(limit)
    return list(await session.scalars(query))


async def by_number(session: AsyncSession, e164: str, limit: int) -> list[str]:
    query = select(Phone.record_id).where(Phone.e164 == e164).order_by(Phone.record_id.desc()).limit(limit)
    return list(dict.fromkeys(await session.scalars(query)))


async def by_digits(
    session: raw.Session, international: str, national: str, kinds: Sequence[str], limit: int
) -> list[tuple[str, str, str]]:
    """Record, number and national digits of numbers that begin with these; either prefix may be empty."""
    found: list[tuple[str, str, str]] = []
    of_kind = " AND record_id IN (SELECT id FROM records WHERE kind {in})" if kinds else ""
    for column, prefix in (("e164", f"+{international}" if international else ""), ("national", national)):
        if prefix:
            statement = (
                f"SELECT record_id, e164, national FROM phones WHERE {column} >= ? AND {column} < ?{of_kind} "
                f"ORDER BY {column} LIMIT {int(limit)}"
            )
            values = [prefix, prefix + ":", *([list(kinds)] if kinds else [])]  # the colon follows the nine
            found.extend((row[0], row[1], row[2]) for row in await raw.rows(session, statement, values))
    return found


def _select() -> Select[Any]:
    return select(Record.id)


def _filtered(wanted: Filter) -> Select[Any]:
    conditions = []
    if wanted.kind is not None:
        conditions.append(Record.kind == wanted.kind)
    if wanted.owner_id is not None:
        conditions.append(Record.owner_id == wanted.owner_id)
    if wanted.status is not None:
        conditions.append(Record.status == wanted.status)
    if wanted.company_id is not None:
        conditions.append(Record.company_id == wanted.company_id)
    return _select().where(and_(*conditions)) if conditions else _select()


async def _complete(session: AsyncSession, query: Select[Any]) -> list[people.Record]:
    return await load(session, list(await session.scalars(query)))


_WHOLE = """
SELECT 0 AS part, r.id AS id, 0 AS position, r.kind, r.name, r.reading, r.title, r.company_id,
       coalesce(c.name, r.company_name), r.website, r.status, r.source, r.owner_id, r.external_id,
       r.created_us, r.updated_us
FROM records AS r LEFT JOIN records AS c ON c.id = r.company_id WHERE r.id {in}
UNION ALL SELECT 1, record_id, position, label, e164, '', '', NULL, '', '', '', '', NULL, NULL, 0, 0
FROM phones WHERE record_id {in}
UNION ALL SELECT 2, record_id, position, label, address, '', '', NULL, '', '', '', '', NULL, NULL, 0, 0
FROM emails WHERE record_id {in}
UNION ALL SELECT 3, record_id, position, label, street, city, region, NULL, postcode, country, '', '', NULL, NULL, 0, 0
FROM addresses WHERE record_id {in}
ORDER BY part, id, position
"""
"""Records with all that hangs on them in one go, as each statement costs more than its rows."""


def _assembled(rows: Iterable[tuple[Any, ...]], shown: bool) -> Iterable[people.Record]:
    heads: dict[str, tuple[Any, ...]] = {}
    phones: dict[str, list[people.Phone]] = defaultdict(list)
    emails: dict[str, list[people.Email]] = defaultdict(list)
    addresses: dict[str, list[people.Address]] = defaultdict(list)
    for part, record_id, _, *values in rows:
        label, text, *more = values
        if part == 0:
            heads[record_id] = tuple(values)
        elif part == 1:
            phones[record_id].append(people.Phone(label, text, display(text) if shown else ""))
        elif part == 2:
            emails[record_id].append(people.Email(label, text))
        else:
            city, region, _, postcode, country, *_ = more
            addresses[record_id].append(people.Address(label, text, city, region, postcode, country))
    for record_id, head in heads.items():
        lists = (tuple(phones[record_id]), tuple(emails[record_id]), tuple(addresses[record_id]))
        columns = (record_id, *head[:11], *lists, *head[11:])
        yield people.Record(*columns)
