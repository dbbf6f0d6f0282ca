"""Texts over the wire."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from crm import tendlc, texts
from crm.script_fields import FIELDS
from pbx.web.wire.base import Answer, Body, PageQuery, Query, view

ConversationView = view(texts.Conversation)
TextView = view(texts.Text)
AttachmentView = view(texts.Attachment)
OptOutView = view(texts.OptOut)
TemplateView = view(texts.Template, "TextTemplate")
TransportView = view(texts.Transport, "TextTransport")
BrandView = view(texts.Brand, "TextBrand")
CampaignView = view(texts.Campaign, "TextCampaign")

State = Literal[
    "scheduled", "held", "queued", "sending", "sent", "delivered", "failed", "unknown", "canceled", "received"
]
_NAMES = ", ".join(f"{{{{{name}}}}}" for name in FIELDS)


class ConversationQuery(PageQuery):
    user: str | None = Field(None, description="Whose (id); reps see their own only.")
    did: str | None = None
    customer_number: str | None = None
    record_id: str | None = None
    unread: bool | None = None
    ended: bool | None = Field(None, description="True: those of numbers that somebody else has by now.")
    since_us: int | None = Field(None, ge=0, le=2**62)
    until_us: int | None = Field(None, ge=0, le=2**62)


class TextQuery(PageQuery):
    user: str | None = Field(None, description="Whose conversations (user id); reps see their own only.")
    did: str | None = None
    customer_number: str | None = None
    record_id: str | None = None
    direction: Literal["in", "out"] | None = None
    state: State | None = None
    since_us: int | None = Field(None, ge=0, le=2**62)
    until_us: int | None = Field(None, ge=0, le=2**62)


class TextDraft(Body):
    """Into a conversation, or to a number from your own."""

    body: str = Field("", max_length=10_000)
    to: str = Field("", max_length=100, description="A number in any notation; instead of a conversation.")
    conversation_id: str = Field("", max_length=64)
    at_us: int | None = Field(None, description="When to send it; null for now.")
    record_id: str | None = Field(None, max_length=64, description="Files a new conversation under this record.")
    attachment_ids: list[str] = Field([], max_length=10)


class Hint(Answer):
    """Without these characters the text is cheaper; `plain` says the same without them."""

    characters: list[str]
    plain: str
    segments: int


class Count(Answer):
    encoding: Literal["gsm7", "ucs2"]
    characters: int
    units: int = Field(description="Septets (gsm7) or UTF-16 units (ucs2).")
    segments: int
    per_segment: int
    left: int = Field(description="Units that still fit into the last segment.")
    hint: Hint | None


class Able(Answer):
    """A number of the organisation that could send it."""

    number: str
    shown: str
    owner: str


class Preview(Answer):
    """`reason` is a stable word. `holds`: it would be accepted and wait. `would_do`: numbers that can where yours
    cannot. `opens_us`: from when on it may be sent."""

    count: Count
    price_micros: int | None
    currency: str | None
    allowed: bool
    holds: bool
    reason: str
    sentence: str
    would_do: list[Able]
    opens_us: int | None


class Reading(Body):
    read: bool = Field(True, description="False: as if the newest text had not been read.")


class Filing(Body):
    record_id: str | None = Field(max_length=64, description="Of a lead, contact or company; null takes it away.")


class NewOptOut(Body):
    number: str = Field(max_length=100)
    source: Literal["api", "console", "disposition"] = "api"
    detail: str = Field("", max_length=200, description="Who said so, and how.")


class TemplateChange(Body):
    name: str = ""
    body: str = Field("", description=f"The text. Fields: {_NAMES}.")
    group_ids: list[str] = Field([], description="Ids or names of groups who see it; empty: everybody.")
    position: int = 0
    active: bool = True


class NewTemplate(TemplateChange):
    name: str
    body: str


class TemplateQuery(Query):
    all: bool = Field(False, description="Also those that are not offered to you.")


class FillQuery(Query):
    conversation_id: str | None = None
    record_id: str | None = None
    number: str | None = None


class FilledTemplate(Answer):
    body: str = Field(description="With the fields filled; what is not known is “…”.")


class TransportChange(Body):
    name: str = ""
    priority: int = 10
    options: dict[str, Any] = Field({}, description="By kind; see GET /text-transport-kinds. Null takes one away.")
    secrets: dict[str, Any] = Field({}, description="Write only; those that are not named stay.")
    numbers: list[str] = Field([], description="Of ours, that go by this one alone; empty: all without their own.")
    enabled: bool = True


class NewTransport(TransportChange):
    name: str
    kind: Literal["sip_message", "http", "smpp"]


class OptionView(Answer):
    name: str
    description: str
    default: Any
    required: bool
    secret: bool
    choices: list[str]


class KindView(Answer):
    kind: str
    options: list[OptionView]


class Condition(Answer):
    """How a transport fares now."""

    id: str
    name: str
    ready: bool
    condition: str
    waiting: int = Field(description="Texts that wait for it.")


class BrandChange(Body):
    name: str = ""
    details: dict[str, Any] = Field({}, description="The registry's fields; see GET /text-registration/form.")
    state: Literal["draft", "submitted", "verified", "unverified", "rejected"] = "draft"
    registry_id: str = ""
    score: int | None = None
    note: str = ""


class NewBrand(BrandChange):
    name: str


UseCase = Literal[tendlc.USE_CASES]  # type: ignore[valid-type]


class CampaignChange(Body):
    name: str = ""
    brand: str = Field("", description="Id or name.")
    use_case: UseCase = "MIXED"
    message_class: str = Field("T", max_length=20, description="See GET /text-registration/form.")
    details: dict[str, Any] = Field({}, description="The registry's fields; see GET /text-registration/form.")
    state: Literal["draft", "submitted", "approved", "rejected", "suspended", "expired"] = "draft"
    registry_id: str = ""
    note: str = ""
    numbers: list[str] = Field([], description="Of ours, that send through it.")


class NewCampaign(CampaignChange):
    name: str
    brand: str


class AskedView(Answer):
    """A field that the registry asks for; `only_for`: of these kinds of entity, empty: of all."""

    name: str
    kind: str
    required: bool
    choices: list[str]
    only_for: list[str]


class ClassView(Answer):
    message_class: str
    name: str
    per_minute: int = Field(description="Segments.")


class RegistrationForm(Answer):
    brand: list[AskedView]
    campaign: list[AskedView]
    use_cases: list[str]
    classes: list[ClassView]


class TextRegistration(Answer):
    """Everything that the carrier or the registry wants, by its own names of fields."""

    brands: list[dict[str, Any]]
