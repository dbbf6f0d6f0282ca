"""Leads, contacts, companies, deals, notes and search over the wire."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from crm import people
from pbx.web.wire.base import Answer, Body, PageQuery, Query, view
from pbx.web.wire.money import RateView

Kind = Literal["lead", "contact", "company"]

RecordView = view(people.Record)
DealView = view(people.Deal)
NoteView = view(people.Note)
ActivityView = view(people.Activity)


class PhoneEntry(Body):
    label: str = "mobile"
    number: str = Field(description="In any notation.")


class EmailEntry(Body):
    label: str = "work"
    address: str


class AddressEntry(Body):
    label: str = "work"
    street: str = ""
    city: str = ""
    region: str = ""
    postcode: str = ""
    country: str = ""


class RecordChange(Body):
    """Numbers, e-mail and postal addresses are replaced whole."""

    name: str = ""
    reading: str = Field("", description="Kana, for sorting and finding.")
    title: str = ""
    company: str = Field("", description="A contact's company by name, made if there is none; a lead's as text.")
    company_id: str | None = None
    website: str = ""
    status: str = ""
    source: str = ""
    owner_id: str | None = None
    external_id: str | None = None
    phones: list[PhoneEntry] = Field(default_factory=list)
    emails: list[EmailEntry] = Field(default_factory=list)
    addresses: list[AddressEntry] = Field(default_factory=list)


class NewRecord(RecordChange):
    kind: Kind
    name: str


class RecordQuery(PageQuery):
    kind: Kind | None = None
    owner_id: str | None = None
    status: str | None = None
    company_id: str | None = None
    sort: Literal["newest", "name", "updated"] = "newest"


class ExportQuery(Query):
    kind: Literal["lead", "contact", "company", "deal"] = "lead"
    owner_id: str | None = None
    status: str | None = None
    company_id: str | None = None


class NoteText(Body):
    text: str = Field(max_length=20_000)


class NewNote(NoteText):
    call_id: str | None = None
    deal_id: str | None = None


class DealChange(Body):
    name: str = ""
    record_id: str | None = None
    company_id: str | None = None
    owner_id: str | None = None
    stage: str = ""
    status: Literal["open", "won", "lost"] = "open"
    value_micros: int | None = None
    currency: str = "USD"
    closes_us: int | None = None
    external_id: str | None = None


class NewDeal(DealChange):
    name: str


class DealQuery(PageQuery):
    record_id: str | None = None
    company_id: str | None = None
    owner_id: str | None = None
    status: Literal["open", "won", "lost"] | None = None


class SearchQuery(Query):
    q: str = Field(description="What was typed so far: a name, a company, an address, a number in any notation.")
    kind: Kind | None = None
    limit: int = Field(20, ge=1, le=100)


class HitView(Answer):
    """`matched` says by what; `number` is the one that was found, where a number was looked for."""

    record: RecordView  # type: ignore[valid-type]
    matched: Literal["number", "name", "other"]
    number: str | None
    display: str | None
    prices: dict[str, RateView] = Field(description="What a call to a number costs, by E.164; where there is a price.")


class MatchQuery(Query):
    number: str = Field(description="A caller's number, in any notation.")
