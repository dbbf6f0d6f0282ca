"""Queries over leads, contacts and companies with their numbers, e-mails and addresses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Select, Table, and_, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from crm import ids, people
from crm.models.people import EmailAddress, Phone, PostalAddress, Record
from crm.phone_numbers import display

_COMPANY = aliased(Record)
_RECORD = cast(Table, Record.__table__)
_COLUMNS = (*_RECORD.c, _COMPANY.name.label("of_company"))
_PREFIXES = {"lead": ids.LEAD, "contact": ids.PERSON, "company": ids.COMPANY}
HIGHEST = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Filter:
    kind: str | None = None
    owner_id: str | None = None
    status: str | None = None
    company_id: str | None = None


async def load(session: AsyncSession, record_ids: Sequence[str], *, shown: bool = True) -> list[people.Record]:
    """The records in the order of their ids as given; ids of records that are gone are left out. Nobody reads the
    numbers of those that are not ``shown``: they lack their form for people."""
    if not record_ids:
        return []
    rows = (await session.execute(_select().where(Record.id.in_(record_ids)))).all()
    found = {record.id: record for record in await _complete(session, rows, shown)}
    return [found[record_id] for record_id in record_ids if record_id in found]


async def page_newest(
    session: AsyncSession, wanted: Filter, after: tuple[int, str] | None, limit: int
) -> list[people.Record]:
    """By id, which begins with the time of making, newest first. Across kinds: by the last change."""
    if wanted.kind is None:
        return await page_updated(session, wanted, after, limit)
    query = _filtered(wanted).order_by(Record.id.desc()).limit(limit)
    if after is not None:
        query = query.where(Record.id < after[1])
    return await _complete(session, (await session.execute(query)).all())


async def page_updated(
    session: AsyncSession, wanted: Filter, after: tuple[int, str] | None, limit: int
) -> list[people.Record]:
    query = _filtered(wanted).order_by(Record.updated_us.desc(), Record.id.desc()).limit(limit)
    if after is not None:
        query = query.where(tuple_(Record.updated_us, Record.id) < after)
    return await _complete(session, (await session.execute(query)).all())


async def page_by_name(
    session: AsyncSession, wanted: Filter, after: tuple[str, str] | None, limit: int
) -> list[people.Record]:
    """``after`` is the folded name and the id of the last record before."""
    query = _filtered(wanted).order_by(Record.name_key, Record.id).limit(limit)
    if after is not None:
        query = query.where(tuple_(Record.name_key, Record.id) > after)
    return await _complete(session, (await session.execute(query)).all())


async def page_by_id(session: AsyncSession, kind: str, after: str, limit: int) -> list[people.Record]:
    """In order of id from the first one: for what goes through all of them."""
    query = _filtered(Filter(kind=kind)).where(Record.id > after).order_by(Record.id).limit(limit)
    return await _complete(session, (await session.execute(query)).all())


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
    session: AsyncSession, international: str, national: str, kinds: Sequence[str], limit: int
) -> list[tuple[str, str, str]]:
    """Record, number and national digits of numbers that begin with these; either prefix may be empty."""
    found: list[tuple[str, str, str]] = []
    for column, prefix in ((Phone.e164, f"+{international}" if international else ""), (Phone.national, national)):
        if not prefix:
            continue
        query = select(Phone.record_id, Phone.e164, Phone.national).where(column >= prefix, column < prefix + HIGHEST)
        if kinds:
            query = query.join(Record, Record.id == Phone.record_id).where(Record.kind.in_(kinds))
        rows = (await session.execute(query.order_by(column).limit(limit))).all()
        found.extend((row.record_id, row.e164, row.national) for row in rows)
    return found


def _select() -> Select[Any]:
    return select(*_COLUMNS).select_from(Record).outerjoin(_COMPANY, _COMPANY.id == Record.company_id)


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


async def _complete(session: AsyncSession, rows: Iterable[Any], shown: bool = True) -> list[people.Record]:
    """The rows with what hangs on them, in three queries however many there are."""
    rows = list(rows)
    ids = [row.id for row in rows]
    if not ids:
        return []
    phones: dict[str, list[people.Phone]] = defaultdict(list)
    for record_id, label, e164 in await _of(session, Phone, ("label", "e164"), ids):
        phones[record_id].append(people.Phone(label, e164, display(e164) if shown else ""))
    emails: dict[str, list[people.Email]] = defaultdict(list)
    for record_id, *values in await _of(session, EmailAddress, people.Email.__slots__, ids):
        emails[record_id].append(people.Email(*values))
    addresses: dict[str, list[people.Address]] = defaultdict(list)
    for record_id, *values in await _of(session, PostalAddress, people.Address.__slots__, ids):
        addresses[record_id].append(people.Address(*values))
    return [_record(row, phones[row.id], emails[row.id], addresses[row.id]) for row in rows]


async def _of(session: AsyncSession, table: Any, names: Sequence[str], ids: Sequence[str]) -> Sequence[Any]:
    """Rows of a table that hangs on records: the record's id and the named columns, in their order."""
    columns = [getattr(table, name) for name in ("record_id", *names)]
    query = select(*columns).where(table.record_id.in_(ids)).order_by(table.record_id, table.position)
    return (await session.execute(query)).all()


def _record(
    row: Any, phones: list[people.Phone], emails: list[people.Email], addresses: list[people.Address]
) -> people.Record:
    return people.Record(
        row.id,
        row.kind,
        row.name,
        row.reading,
        row.title,
        row.company_id,
        row.of_company or row.company_name,
        row.website,
        row.status,
        row.source,
        row.owner_id,
        row.external_id,
        tuple(phones),
        tuple(emails),
        tuple(addresses),
        row.created_us,
        row.updated_us,
    )
