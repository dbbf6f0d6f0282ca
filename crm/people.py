"""What the store gives out about people: frozen values, safe to keep after the transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

KINDS = ("lead", "contact", "company")
PHONE_LABELS = ("mobile", "home", "work", "main", "fax", "other")
LEAD_STATUSES = ("new", "contacted", "qualified", "unqualified")
DEAL_STATUSES = ("open", "won", "lost")


@dataclass(frozen=True, slots=True)
class Phone:
    """``display`` is how people write the number: with its country code, in groups."""

    label: str
    e164: str
    display: str


@dataclass(frozen=True, slots=True)
class Email:
    label: str
    address: str


@dataclass(frozen=True, slots=True)
class Address:
    label: str
    street: str = ""
    city: str = ""
    region: str = ""
    postcode: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """A lead, a contact or a company. ``company_name`` is a lead's own text, or the name of a contact's company."""

    id: str
    kind: str
    name: str
    reading: str
    title: str
    company_id: str | None
    company_name: str
    website: str
    status: str
    source: str
    owner_id: str | None
    external_id: str | None
    phones: tuple[Phone, ...]
    emails: tuple[Email, ...]
    addresses: tuple[Address, ...]
    created_us: int
    updated_us: int


@dataclass(frozen=True, slots=True)
class Deal:
    """``record_name`` and ``company_name`` are of those whom it is with, empty where there is nobody."""

    id: str
    name: str
    record_id: str | None
    record_name: str
    company_id: str | None
    company_name: str
    owner_id: str | None
    stage: str
    status: str
    value_micros: int | None
    currency: str
    closes_us: int | None
    external_id: str | None
    created_us: int
    updated_us: int


@dataclass(frozen=True, slots=True)
class Note:
    id: str
    record_id: str
    deal_id: str | None
    call_id: str | None
    author_id: str | None
    text: str
    created_us: int
    updated_us: int


@dataclass(frozen=True, slots=True)
class Activity:
    """``object_id`` is the note, deal or call that the line is about; ``data`` what a feed shows of it."""

    id: str
    at_us: int
    kind: str
    actor: str
    object_id: str | None
    data: dict[str, Any] | None
