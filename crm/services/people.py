"""Leads, contacts and companies: added, listed, shown, changed and removed by the same rules for CLI, API and console.

What search finds is written in the same transaction. Numbers, e-mails and addresses are replaced whole: whoever changes
one sends the list as it shall be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, insert, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm import fields, ids, paging, people
from crm.errors import Refused, not_found
from crm.models.people import Deal, EmailAddress, Phone, PostalAddress, Record
from crm.models.users import User
from crm.paging import Page
from crm.phone_numbers import national_digits, search_digits, variants
from crm.repositories import people as repository
from crm.repositories.people import Filter
from crm.search import index
from crm.search.text import body, fold
from crm.services import activities
from crm.services.settings import values as settings
from crm.unit_of_work import UnitOfWork

PREFIXES = {"lead": ids.LEAD, "contact": ids.PERSON, "company": ids.COMPANY}
SORTS = ("newest", "name", "updated")
_OWN_TABLES: dict[str, Any] = {"phones": Phone, "emails": EmailAddress, "addresses": PostalAddress}
_REINDEX_AT_ONCE = 500


async def add(work: UnitOfWork, kind: str, values: Mapping[str, Any], *, country: str | None = None) -> people.Record:
    """``country`` is where national notation of numbers is from; the organisation's, when it is not given."""
    fields.one("kind", kind, fields.choice(*people.KINDS))
    checked = fields.read(values, checks(kind, country or await _home(work.session)), ["name"])
    await _resolve(work, kind, checked, None)
    record_id = ids.new(PREFIXES[kind], work.at_us)
    row = blank(record_id, kind, work.at_us) | {key: checked[key] for key in checked if key not in _OWN_TABLES}
    await work.session.execute(insert(Record), [row])
    await _replace_lists(work.session, record_id, checked)
    record = await _index(work.session, record_id)
    activities.add(work, record_id, "record.add", record_id)
    work.record(f"{kind}.add", record_id, None, summary(record), touches_calls=False)
    return record


async def show(session: AsyncSession, record_id: str) -> people.Record:
    found = await repository.load(session, [record_id])
    if not found:
        raise not_found("lead, contact or company", record_id)
    return found[0]


async def page(
    session: AsyncSession,
    *,
    kind: str | None = None,
    owner_id: str | None = None,
    status: str | None = None,
    company_id: str | None = None,
    sort: str = "newest",
    cursor: str | None = None,
    limit: int = 50,
) -> Page[people.Record]:
    if kind is not None:
        fields.one("kind", kind, fields.choice(*people.KINDS))
    fields.one("sort", sort, fields.choice(*SORTS))
    wanted, more = Filter(kind, owner_id, status, company_id), paging.checked_limit(limit) + 1
    after = paging.decode(cursor)
    if sort == "name":
        place = None
        if after is not None:
            place = (await repository.name_key(session, after[1]) or "", after[1])
        rows = await repository.page_by_name(session, wanted, place, more)
    elif sort == "updated":
        rows = await repository.page_updated(session, wanted, after, more)
    else:
        rows = await repository.page_newest(session, wanted, after, more)
    return paging.page_of(rows, limit, lambda record: (record.updated_us, record.id))


async def change(
    work: UnitOfWork, record_id: str, values: Mapping[str, Any], *, country: str | None = None
) -> people.Record:
    """Fields that are not given stay as they are."""
    before = await show(work.session, record_id)
    checked = fields.read(values, checks(before.kind, country or await _home(work.session)))
    if "name" in checked and not checked["name"]:
        raise Refused("missing", "“name” is missing. Give it.", "name")
    await _resolve(work, before.kind, checked, record_id)
    columns = {key: checked[key] for key in checked if key not in _OWN_TABLES} | {"updated_us": work.at_us}
    await work.session.execute(update(Record).where(Record.id == record_id).values(columns))
    await _replace_lists(work.session, record_id, checked)
    after = await _index(work.session, record_id)
    if before.kind == "company" and before.name != after.name:
        await _reindex_employees(work.session, record_id)
    was, now = summary(before), summary(after)
    changed = sorted(key for key in now if now[key] != was[key])
    if changed:
        activities.add(work, record_id, "record.change", record_id, {"fields": changed})
        work.record(
            f"{before.kind}.change",
            record_id,
            {key: was[key] for key in changed},
            {key: now[key] for key in changed},
            touches_calls=False,
        )
    return after


async def remove(work: UnitOfWork, record_id: str, *, erased: bool = False) -> None:
    """Its numbers, notes and feed go with it; calls and deals stay, contacts of a company stay without it. Of one that
    is ``erased`` the audit log keeps nothing but that."""
    before = await show(work.session, record_id)
    staff = await _all_employees(work.session, record_id) if before.kind == "company" else []
    await index.remove(work.session, [record_id])
    for column in (Deal.record_id, Deal.company_id):
        await work.session.execute(update(Deal).where(column == record_id).values({column.key: None}))
    await work.session.execute(delete(Record).where(Record.id == record_id))
    await reindex(work.session, staff)
    kept = None if erased else summary(before)
    work.record(f"{before.kind}.remove", record_id, kept, None, touches_calls=False)


def checks(kind: str, country: str) -> dict[str, fields.Check]:
    """What each field of a record may hold; ``country`` is where national notation is from."""
    short = fields.text(200, empty=True)
    status = fields.optional(fields.choice(*people.LEAD_STATUSES)) if kind == "lead" else fields.text(50, empty=True)
    known: dict[str, fields.Check] = {
        "name": fields.text(200),
        "reading": short,
        "title": short,
        "company": short,
        "website": short,
        "status": status,
        "source": short,
        "owner_id": fields.optional(fields.text(40)),
        "external_id": fields.optional(fields.text(200)),
        "phones": fields.list_of(_phone(country), 20),
        "emails": fields.list_of(_email, 20),
        "addresses": fields.list_of(_address, 20),
    }
    if kind == "contact":
        known["company_id"] = fields.optional(fields.text(40))
    if kind == "company":
        del known["company"]
    return known


def blank(record_id: str, kind: str, at_us: int) -> dict[str, Any]:
    """A row of a record in which nothing is set."""
    empty = dict.fromkeys(("name", "name_key", "reading", "title", "company_name", "website", "status", "source"), "")
    return {
        "id": record_id,
        "kind": kind,
        **empty,
        "status": "new" if kind == "lead" else "",
        "company_id": None,
        "owner_id": None,
        "external_id": None,
        "created_us": at_us,
        "updated_us": at_us,
    }


def summary(record: people.Record) -> dict[str, Any]:
    """A record as the audit log keeps it."""
    plain = {
        name: getattr(record, name)
        for name in ("name", "reading", "title", "company_id", "company_name", "website", "status", "source")
    }
    return plain | {
        "owner_id": record.owner_id,
        "external_id": record.external_id,
        "phones": [[phone.label, phone.e164] for phone in record.phones],
        "emails": [[email.label, email.address] for email in record.emails],
        "addresses": [[getattr(address, name) for name in address.__slots__] for address in record.addresses],
    }


def entry(record: people.Record) -> index.Entry:
    """What of a record can be found: names, company, title, addresses, numbers as dialled from abroad and at home."""
    places = [
        text
        for address in record.addresses
        for text in (address.street, address.city, address.region, address.postcode)
    ]
    others = [record.company_name, record.title, record.website, *(e.address for e in record.emails), *places]
    digits = [text for phone in record.phones for text in variants(phone.e164)[:2]]
    digits += [search_digits(address.postcode) for address in record.addresses if "-" in address.postcode]
    return index.Entry(record.id, record.kind, body((record.name, record.reading), others, digits))


async def reindex(session: AsyncSession, record_ids: Sequence[str]) -> None:
    for start in range(0, len(record_ids), _REINDEX_AT_ONCE):
        records = await repository.load(session, record_ids[start : start + _REINDEX_AT_ONCE])
        await index.put(session, [entry(record) for record in records])


async def _index(session: AsyncSession, record_id: str) -> people.Record:
    record = await show(session, record_id)
    await index.put(session, [entry(record)])
    return record


async def _reindex_employees(session: AsyncSession, company_id: str) -> None:
    await reindex(session, await _all_employees(session, company_id))


async def _all_employees(session: AsyncSession, company_id: str) -> list[str]:
    found: list[str] = []
    while part := await repository.employees(session, company_id, found[-1] if found else "", 5000):
        found.extend(part)
    return found


async def _home(session: AsyncSession) -> str:
    return str((await settings(session))["default_country"])


async def _resolve(work: UnitOfWork, kind: str, checked: dict[str, Any], record_id: str | None) -> None:
    """Turn what was checked into columns: folded name, company by name or id, owner and external id that hold."""
    if "name" in checked:
        checked["name_key"] = fold(checked["name"])
    if "status" in checked and checked["status"] is None:
        checked["status"] = "new"
    company = checked.pop("company", None)
    if kind == "lead" and company is not None:
        checked["company_name"] = company
    if kind == "contact" and company is not None and checked.get("company_id") is None:
        checked["company_id"] = await company_id_for(work, company) if company else None
    if checked.get("company_id") is not None:
        employer = await repository.load(work.session, [checked["company_id"]])
        if not employer or employer[0].kind != "company":
            raise Refused("no_company", "There is no company with this id. Choose one from the list.", "company_id")
    if checked.get("owner_id") is not None and await work.session.get(User, checked["owner_id"]) is None:
        raise Refused("no_owner", "There is no user with this id. Choose an owner from the list.", "owner_id")
    if checked.get("external_id") is not None:
        holder = await repository.by_external_id(work.session, kind, checked["external_id"])
        if holder not in (None, record_id):
            raise Refused(
                "external_id_taken", "Another record has this external id. Change that one instead.", "external_id", 409
            )


async def company_id_for(work: UnitOfWork, name: str) -> str:
    """The company of this name, made if there is none."""
    found = await repository.company_named(work.session, fold(name))
    return found or (await add(work, "company", {"name": name}, country="US")).id


async def _replace_lists(session: AsyncSession, record_id: str, checked: Mapping[str, Any]) -> None:
    for name, table in _OWN_TABLES.items():
        if name not in checked:
            continue
        await session.execute(delete(table).where(table.record_id == record_id))
        if rows := list_rows(name, record_id, checked[name]):
            await session.execute(insert(table), rows)


def list_rows(name: str, record_id: str, values: Sequence[Any]) -> list[dict[str, Any]]:
    """Rows of phones, emails or addresses, as their checks gave them."""
    rows = []
    for position, value in enumerate(values, 1):
        row = {name: getattr(value, name) for name in value.__slots__}
        if name == "phones":
            row["national"] = national_digits(row["e164"])
            del row["display"]
        rows.append(row | {"record_id": record_id, "position": position})
    return rows


_label = fields.text(30)


def _phone(country: str) -> fields.Check:
    number = fields.phone(country)

    def check(value: Any) -> people.Phone:
        parts = _object(value, ("label", "number"), "a number with its label")
        return people.Phone(_label(parts.get("label") or "work"), number(parts.get("number")), "")

    return check


def _email(value: Any) -> people.Email:
    parts = _object(value, ("label", "address"), "an e-mail address with its label")
    return people.Email(_label(parts.get("label") or "work"), fields.email(parts.get("address")))


def _address(value: Any) -> people.Address:
    parts = _object(value, people.Address.__slots__, "an address with its label")
    short = fields.text(200, empty=True)
    rest = {name: short(parts.get(name) or "") for name in people.Address.__slots__[1:]}
    if not any(rest.values()):
        raise Refused("invalid", "This address is empty. Fill in at least one line, or leave it out.")
    return people.Address(_label(parts.get("label") or "work"), **rest)


def _object(value: Any, names: Sequence[str], what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or any(name not in names for name in value):
        raise Refused("invalid", f"Each entry must be {what}: an object with {', '.join(names)}.")
    return value
