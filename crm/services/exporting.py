"""Export of leads, contacts, companies and deals as CSV: what :mod:`crm.services.importing` reads back unchanged (A6).

The columns are named as the fields of an import. Numbers are E.164; a person's further numbers of the same label stand
in the same cell, with semicolons between.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm import csv_files, fields, people
from crm.errors import Refused, printable
from crm.models.people import Deal
from crm.models.users import User
from crm.repositories import people as repository
from crm.repositories.people import Filter
from crm.services.import_rows import PHONES

_AT_ONCE = 500
_START = {"lead": "l_", "contact": "p_", "company": "co_"}
_COLUMN_OF_LABEL = {label: column for column, label in PHONES.items()}
RECORD_COLUMNS = (
    "external_id", "name", "reading", "company", "title", "email", "work_phone", "mobile", "home_phone", "main_phone",
    "fax", "other_phone", "street", "city", "region", "postcode", "country", "website", "status", "source", "owner",
)  # fmt: skip
DEAL_COLUMNS = (
    "external_id", "name", "company", "contact", "contact_email", "stage", "status", "value", "currency", "closes",
    "owner",
)  # fmt: skip


async def export(session: AsyncSession, kind: str, wanted: Filter | None = None) -> AsyncIterator[str]:
    """The file in pieces: its header first, then some hundred rows at a time. ``wanted`` leaves out all others."""
    fields.one("kind", kind, fields.choice(*people.KINDS, "deal"))
    wanted = replace(wanted or Filter(), kind=kind)
    owners = {user_id: email for user_id, email in await session.execute(select(User.id, User.email))}
    pieces = _deals(session, wanted, owners) if kind == "deal" else _records(session, kind, wanted, owners)
    yield csv_files.row(DEAL_COLUMNS if kind == "deal" else RECORD_COLUMNS)
    async with aclosing(pieces):
        async for rows in pieces:
            yield "".join(csv_files.row(row) for row in rows)


async def write(session: AsyncSession, kind: str, path: Path, progress: Callable[[int], None] | None = None) -> int:
    """Write the file (UTF-8 with its mark, as spreadsheets expect) and give the number of its rows.

    It takes its name only once it is whole. Raises Refused where it cannot be written.
    """
    partial = path.with_name(path.name + ".part")
    lines = -1
    try:
        with partial.open("w", encoding="utf-8-sig", newline="") as file:
            async for text in export(session, kind):
                await asyncio.to_thread(file.write, text)
                lines += text.count("\r\n")
                if progress is not None:
                    progress(max(lines, 0))
        partial.replace(path)
    except OSError as error:
        raise Refused(
            "no_file", f"The file {printable(str(path), 200)} cannot be written ({error.strerror}).", "file"
        ) from error
    return lines


async def _records(
    session: AsyncSession, kind: str, wanted: Filter, owners: dict[str, str]
) -> AsyncGenerator[list[list[str]], None]:
    after = _START[kind]
    while records := await repository.page_by_id(session, wanted, after, _AT_ONCE):
        yield [_record(record, owners) for record in records]
        after = records[-1].id


def _record(record: people.Record, owners: dict[str, str]) -> list[str]:
    address = record.addresses[0] if record.addresses else people.Address("")
    cells = {
        "external_id": record.external_id or "",
        "name": record.name,
        "reading": record.reading,
        "company": record.company_name,
        "title": record.title,
        "email": ";".join(email.address for email in record.emails),
        "website": record.website,
        "status": record.status,
        "source": record.source,
        "owner": owners.get(record.owner_id or "", ""),
        "street": address.street,
        "city": address.city,
        "region": address.region,
        "postcode": address.postcode,
        "country": address.country,
    }
    for phone in record.phones:
        column = _COLUMN_OF_LABEL.get(phone.label, "other_phone")
        cells[column] = f"{cells[column]};{phone.e164}" if column in cells else phone.e164
    return [cells.get(name, "") for name in RECORD_COLUMNS]


async def _deals(
    session: AsyncSession, wanted: Filter, owners: dict[str, str]
) -> AsyncGenerator[list[list[str]], None]:
    query, after = _wanted_deals(wanted), ""
    while rows := list(await session.scalars(query.where(Deal.id > after).order_by(Deal.id).limit(_AT_ONCE))):
        linked = {link for row in rows for link in (row.record_id, row.company_id) if link}
        records = {record.id: record for record in await repository.load(session, sorted(linked))}
        yield [_deal(row, records, owners) for row in rows]
        after = rows[-1].id


def _wanted_deals(wanted: Filter) -> Select[Deal]:
    asked = {Deal.owner_id: wanted.owner_id, Deal.status: wanted.status, Deal.company_id: wanted.company_id}
    return select(Deal).where(*(column == value for column, value in asked.items() if value is not None))


def _deal(row: Deal, records: dict[str, people.Record], owners: dict[str, str]) -> list[str]:
    person, company = records.get(row.record_id or ""), records.get(row.company_id or "")
    return [
        row.external_id or "",
        row.name,
        company.name if company else "",
        person.name if person else "",
        person.emails[0].address if person and person.emails else "",
        row.stage,
        row.status,
        "" if row.value_micros is None else f"{Decimal(row.value_micros) / 1_000_000:f}",
        row.currency,
        "" if row.closes_us is None else f"{datetime.fromtimestamp(row.closes_us / 1e6, UTC):%Y-%m-%d}",
        owners.get(row.owner_id or "", ""),
    ]
