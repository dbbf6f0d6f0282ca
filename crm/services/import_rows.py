"""From the cells of a line to the checked values of a record. Pure: no store, no clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from crm import fields, people
from crm.csv_files import Line
from crm.errors import Refused
from crm.phone_numbers import variants
from crm.search.text import fold, is_run
from crm.services import people as records

PHONES = {
    "phone": "work",
    "mobile": "mobile",
    "home_phone": "home",
    "work_phone": "work",
    "main_phone": "main",
    "other_phone": "other",
    "fax": "fax",
}
_PLAIN = ("reading", "title", "website", "source", "external_id", "status")
_PLACE = ("street", "city", "region", "postcode")
_COUNTRIES = {
    "japan": "JP", "日本": "JP", "jpn": "JP", "usa": "US", "unitedstates": "US", "unitedstatesofamerica": "US",
    "アメリカ": "US", "米国": "US", "uk": "GB", "unitedkingdom": "GB", "england": "GB", "イギリス": "GB",
    "germany": "DE", "deutschland": "DE", "france": "FR", "canada": "CA", "australia": "AU", "china": "CN",
    "中国": "CN", "korea": "KR", "韓国": "KR", "india": "IN", "singapore": "SG", "spain": "ES",
    "italy": "IT", "netherlands": "NL", "taiwan": "TW",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Prepared:
    """A line that can be kept, or ``problem``, a sentence. ``record`` is what it becomes where nothing like it is
    known, still without an id, ``body`` what search finds of that, and ``national`` the digits of its numbers as
    dialled at home: all that takes time is done here, while the batch before is written."""

    line: Line
    values: Mapping[str, Any]
    key: str = ""
    problem: str = ""
    company: str = ""
    owner: str = ""
    note: str = ""
    national: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    record: people.Record | None = None


def prepare(lines: Sequence[Line], columns: Sequence[str | None], kind: str, country: str) -> list[Prepared]:
    """Check many lines at once; what is wrong with one does not touch another."""
    return [_prepare(line, columns, kind, country) for line in lines]


def cells_by_field(line: Line, columns: Sequence[str | None]) -> dict[str, str]:
    """Only what is filled in."""
    return {name: cell for name, cell in zip(columns, line.cells, strict=False) if name and cell}


def country_of(text: str, default: str) -> str:
    """ISO code of a country as people write it; the default where that is not known."""
    if not text:
        return default
    found = _COUNTRIES.get(fold(text).replace(" ", "").replace(".", ""))
    if found:
        return found
    try:
        return str(fields.country(text))
    except Refused:
        return default


def key_of(values: Mapping[str, Any], company: str) -> str:
    """What a later run knows the same record by: its external id, else its name with an e-mail, a number or a company.

    The name is always part of it, as families and offices share addresses and numbers: a key without it would have
    two lines overwrite each other at every run.
    """
    if values.get("external_id"):
        return f"id {values['external_id']}"
    name = fold(values["name"])
    for email in values.get("emails", ()):
        return f"email {email.address.lower()} {name}"
    for phone in values.get("phones", ()):
        return f"phone {phone.e164} {name}"
    return f"name {name} {fold(company)}"


def _prepare(line: Line, columns: Sequence[str | None], kind: str, country: str) -> Prepared:
    if line.problem:
        return Prepared(line, {}, problem=line.problem)
    if len(line.cells) > len(columns) and any(line.cells[len(columns) :]):
        return Prepared(line, {}, problem="This line has more cells than the header has columns. Check its quotes.")
    cells = cells_by_field(line, columns)
    try:
        home = country_of(cells.get("country", ""), country)
        company = fields.one("company", cells.get("company", ""), _company) if kind != "company" else ""
        note = fields.one("note", cells.get("note", ""), _note)
        values = fields.read(_values(cells, kind, home), _checks(kind, home), ["name"])
        national = {phone.e164: variants(phone.e164)[1] for phone in values.get("phones", ())}
    except Refused as refused:
        column = f" (column {refused.field})" if refused.field else ""
        return Prepared(line, {}, problem=refused.message + column)
    owner = cells.get("owner", "")
    record = completed(_nobody(kind), values, company)
    found = records.entry(record).body
    return Prepared(line, values, key_of(values, company), "", company, owner, note, national, found, record)


def completed(record: people.Record, values: Mapping[str, Any], company: str) -> people.Record:
    """The record with what a line says of it. Cells that are empty say nothing."""
    return replace(
        record,
        **{name: values[name] for name in _PLAIN if values.get(name)},
        name=values["name"],
        company_name=company or record.company_name,
        phones=tuple(merged_phones(record.phones, values.get("phones", ()))),
        emails=tuple(merged_emails(record.emails, values.get("emails", ()))),
        addresses=tuple(merged_addresses(record.addresses, values.get("addresses", ()))),
    )


def new_record(record_id: str, kind: str, name: str, at_us: int) -> people.Record:
    """A record with nothing but a name."""
    row = records.blank(record_id, kind, at_us) | {"name": name}
    del row["name_key"]
    return people.Record(**row, phones=(), emails=(), addresses=())


@lru_cache(maxsize=8)
def _nobody(kind: str) -> people.Record:
    return new_record("", kind, "", 0)


_company = fields.text(200, empty=True)
_note = fields.text(20_000, empty=True, lines=True)


@lru_cache(maxsize=512)
def _checks(kind: str, country: str) -> dict[str, fields.Check]:
    return records.checks(kind, country)


def _values(cells: Mapping[str, str], kind: str, country: str) -> dict[str, Any]:
    values: dict[str, Any] = {name: cells[name] for name in _PLAIN if name in cells}
    if kind == "lead" and "status" in values:
        values["status"] = values["status"].lower()
    values["name"] = _name(cells, kind)
    phones = [
        {"label": label, "number": number} for name, label in PHONES.items() for number in _several(cells.get(name, ""))
    ]
    if phones:
        values["phones"] = phones
    emails = [address for name in ("email", "email2") for address in _several(cells.get(name, ""))]
    if emails:
        values["emails"] = [{"label": "work", "address": address} for address in emails]
    if any(name in cells for name in _PLACE):
        place = {name: cells.get(name, "") for name in _PLACE}
        values["addresses"] = [{"label": "work", **place, "country": country if cells.get("country") else ""}]
    return values


def _several(cell: str) -> list[str]:
    """A cell may hold several, one per line or between semicolons."""
    return [part.strip() for part in cell.replace("\n", ";").split(";") if part.strip()] if cell else []


def _name(cells: Mapping[str, str], kind: str) -> str:
    """The name as one text; given and family name in the order of their script. A company may stand in for it."""
    if "name" in cells:
        return cells["name"]
    family, given = cells.get("family_name", ""), cells.get("given_name", "")
    parts = (family, given) if is_run(family or given or "x") else (given, family)
    return " ".join(filter(None, parts)) or (cells.get("company", "") if kind == "lead" else "")


def merged_phones(old: Sequence[people.Phone], new: Sequence[people.Phone]) -> list[people.Phone]:
    """Numbers that are there keep their place and label; those that are not follow."""
    known = {phone.e164 for phone in old}
    return [*old, *(phone for phone in new if phone.e164 not in known)]


def merged_emails(old: Sequence[people.Email], new: Sequence[people.Email]) -> list[people.Email]:
    known = {email.address.lower() for email in old}
    return [*old, *(email for email in new if email.address.lower() not in known)]


def merged_addresses(old: Sequence[people.Address], new: Sequence[people.Address]) -> list[people.Address]:
    """A new address takes the place of the old one with its label."""
    replaced = {address.label: address for address in new}
    kept = [replaced.pop(address.label, address) for address in old]
    return [*kept, *replaced.values()]
