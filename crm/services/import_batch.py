"""Writing a batch of checked lines in one transaction: what is new is added in bulk, what is known is completed.

A line never empties a field: cells that are empty say nothing. Numbers and e-mails are added to those that are there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm import ids, people
from crm.models.people import Activity, EmailAddress, Note, Phone, PostalAddress, Record
from crm.phone_numbers import variants
from crm.repositories import bulk
from crm.repositories import people as repository
from crm.search import index
from crm.search.text import fold
from crm.services import activities
from crm.services import people as records
from crm.services.import_rows import Prepared, completed, key_of, new_record
from crm.unit_of_work import UnitOfWork

_LISTS: dict[str, Any] = {"phones": Phone, "emails": EmailAddress, "addresses": PostalAddress}


@dataclass
class Tally:
    """How many records a run made or completed."""

    added: int = 0
    changed: int = 0


@dataclass
class _Draft:
    """A record as it is becoming; ``before`` is None for one that is new, ``body`` empty where it is to be made."""

    record: people.Record
    before: people.Record | None
    notes: list[str] = field(default_factory=list)
    body: str = ""


@dataclass
class Batches:
    """What stays the same over a run. ``owners`` are user ids by their folded e-mail."""

    kind: str
    owner_id: str | None
    owners: Mapping[str, str]
    tally: Tally = field(default_factory=Tally)
    _companies: dict[str, str] = field(default_factory=dict)
    _national: dict[str, str] = field(default_factory=dict)

    async def write(self, work: UnitOfWork, lines: Sequence[Prepared]) -> list[people.Record]:
        """What each line has become, or was already."""
        self._national = {e164: digits for line in lines for e164, digits in line.national.items()}
        if self.kind == "contact":
            await self._find_companies(work, {line.company for line in lines if line.company})
        known = await self._known(work.session, lines)
        drafts: dict[str, _Draft] = {}
        became = []
        for line in lines:
            draft = _find(known, line)
            if draft is None:
                draft = self._new(work, line)
            else:
                self._complete(draft, line)
            drafts[draft.record.id] = draft
            _remember(known, draft)
            became.append(draft.record.id)
        await self._save(work, list(drafts.values()))
        return [drafts[record_id].record for record_id in became]

    def _new(self, work: UnitOfWork, line: Prepared) -> _Draft:
        assert line.record is not None
        record = replace(
            line.record,
            id=ids.new(records.PREFIXES[self.kind], work.at_us),
            created_us=work.at_us,
            updated_us=work.at_us,
            owner_id=self._owner(line) or self.owner_id,
            company_id=self._company(line),
        )
        return _Draft(record, None, [line.note] if line.note else [], line.body)

    def _owner(self, line: Prepared) -> str | None:
        return self.owners.get(fold(line.owner)) if line.owner else None

    def _company(self, line: Prepared) -> str | None:
        return self._companies.get(fold(line.company)) if line.company else None

    def _complete(self, draft: _Draft, line: Prepared) -> None:
        was = draft.record
        company_id = self._company(line)
        stays = company_id is not None and company_id == was.company_id  # under the name that it has
        draft.record = replace(
            completed(was, line.values, "" if stays else line.company),
            owner_id=self._owner(line) or was.owner_id,
            company_id=company_id or was.company_id,
        )
        if line.body != draft.body:
            draft.body = ""
        if line.note and draft.before is None:
            draft.notes.append(line.note)

    async def _known(self, session: AsyncSession, lines: Sequence[Prepared]) -> dict[str, _Draft]:
        found = await repository.like(
            session,
            self.kind,
            externals=[line.values["external_id"] for line in lines if line.values.get("external_id")],
            emails=[email.address.lower() for line in lines for email in line.values.get("emails", ())],
            numbers=[phone.e164 for line in lines for phone in line.values.get("phones", ())],
            names=[fold(line.values["name"]) for line in lines if line.key.startswith("name ")],
        )
        known: dict[str, _Draft] = {}
        for record in await repository.load(session, sorted(found), shown=False):
            _remember(known, _Draft(record, record))
        return known

    async def _find_companies(self, work: UnitOfWork, names: Iterable[str]) -> None:
        wanted = {fold(name): name for name in names if fold(name) not in self._companies}
        if not wanted:
            return
        self._companies |= await repository.companies_named(work.session, list(wanted))
        missing = [name for key, name in sorted(wanted.items()) if key not in self._companies]
        made = [new_record(ids.new(ids.COMPANY, work.at_us), "company", name, work.at_us) for name in missing]
        await _insert(work, [_Draft(record, None) for record in made], {})
        self._companies |= {fold(record.name): record.id for record in made}

    async def _save(self, work: UnitOfWork, drafts: Sequence[_Draft]) -> None:
        new = [draft for draft in drafts if draft.before is None]
        changed = [draft for draft in drafts if draft.before is not None and draft.before != draft.record]
        await _insert(work, new, self._national)
        for draft in changed:
            await _update(work, draft)
        await index.put(work.session, [records.entry(draft.record) for draft in changed])
        await _tell(work, [*new, *changed])
        await _keep_notes(work, new)
        self.tally.added += len(new)
        self.tally.changed += len(changed)


def _find(known: Mapping[str, _Draft], line: Prepared) -> _Draft | None:
    """By the line's key; a record without an external id may also be the one that now gets it."""
    draft = known.get(line.key)
    if draft is None and line.values.get("external_id"):
        without = {name: value for name, value in line.values.items() if name != "external_id"}
        draft = known.get(key_of(without, line.company))
        if draft is not None and draft.record.external_id is not None:
            return None
    return draft


def _remember(known: dict[str, _Draft], draft: _Draft) -> None:
    record = draft.record
    name = fold(record.name)
    keys = [f"id {record.external_id}"] if record.external_id else []
    keys += [f"email {email.address.lower()} {name}" for email in record.emails]
    keys += [f"phone {phone.e164} {name}" for phone in record.phones]
    if not record.emails and not record.phones:
        keys.append(f"name {name} {fold(record.company_name)}")
    for key in keys:
        known.setdefault(key, draft)


def _columns(record: people.Record) -> dict[str, Any]:
    row = {name: getattr(record, name) for name in people.Record.__slots__ if name not in _LISTS}
    row["name_key"] = fold(record.name)
    if record.company_id is not None:
        row["company_name"] = ""
    return row


async def _insert(work: UnitOfWork, made: Sequence[_Draft], national: Mapping[str, str]) -> None:
    await bulk.add(work.session, Record, [_columns(draft.record) for draft in made])
    for name, table in _LISTS.items():
        await bulk.add(work.session, table, [row for draft in made for row in _rows(name, draft.record, national)])
    await index.add(work.session, [_entry(draft) for draft in made])


def _entry(draft: _Draft) -> index.Entry:
    record = draft.record
    return index.Entry(record.id, record.kind, draft.body) if draft.body else records.entry(record)


async def _update(work: UnitOfWork, draft: _Draft) -> None:
    assert draft.before is not None
    record = draft.record
    columns = _columns(record) | {"updated_us": work.at_us}
    await work.session.execute(update(Record).where(Record.id == record.id).values(columns))
    for name, table in _LISTS.items():
        if getattr(record, name) != getattr(draft.before, name):
            await work.session.execute(delete(table).where(table.record_id == record.id))
            await bulk.add(work.session, table, _rows(name, record, {}))


def _rows(name: str, record: people.Record, national: Mapping[str, str]) -> list[dict[str, Any]]:
    values = getattr(record, name)
    if name != "phones":
        return records.list_rows(name, record.id, values)
    return [
        {
            "record_id": record.id,
            "position": at,
            "label": phone.label,
            "e164": phone.e164,
            "national": national.get(phone.e164) or variants(phone.e164)[1],
        }
        for at, phone in enumerate(values, 1)
    ]


async def _tell(work: UnitOfWork, drafts: Sequence[_Draft]) -> None:
    rows = [
        {
            "id": ids.new(activities.PREFIX, work.at_us),
            "record_id": draft.record.id,
            "at_us": work.at_us,
            "kind": "record.import",
            "actor": str(work.actor),
            "object_id": draft.record.id,
            "data": None,
        }
        for draft in drafts
    ]
    await bulk.add(work.session, Activity, rows)


async def _keep_notes(work: UnitOfWork, drafts: Sequence[_Draft]) -> None:
    rows = [
        {
            "id": ids.new(ids.NOTE, work.at_us),
            "record_id": draft.record.id,
            "deal_id": None,
            "call_id": None,
            "author_id": work.actor.id or None,
            "text": text,
            "created_us": work.at_us,
            "updated_us": work.at_us,
        }
        for draft in drafts
        for text in draft.notes
    ]
    await bulk.add(work.session, Note, rows)
