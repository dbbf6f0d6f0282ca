"""Texts: conversations, messages with their files, who wants none, templates, and what carries them.

Conversations and texts have no foreign key to people: like the log of calls they outlive the users, numbers and records
that they name.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from crm.models.base import Base, Timed

_STANDING = text("ended_us IS NULL")
_UNREAD = text("unread > 0")
_WAITING = text("state IN ('scheduled', 'held', 'queued', 'sending')")
_INCOMING = text("direction = 'in'")


class Conversation(Timed, Base):
    """One customer number and one DID while one user has it: who gets the DID next begins another one.

    ``last_seq`` numbers its texts; the ``last_*`` columns repeat the newest text for lists.
    """

    __tablename__ = "conversations"
    __table_args__ = (
        Index(
            "uq_conversations_standing",
            "did",
            "customer_number",
            unique=True,
            sqlite_where=_STANDING,
            postgresql_where=_STANDING,
        ),
        Index("ix_conversations_user", "user_id", "last_us", "id"),
        Index("ix_conversations_last", "last_us", "id"),
        Index("ix_conversations_customer", "customer_number", "last_us", "id"),
        Index("ix_conversations_record", "record_id", "last_us", "id"),
        Index("ix_conversations_unread", "user_id", "last_us", "id", sqlite_where=_UNREAD, postgresql_where=_UNREAD),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    did: Mapped[str]
    customer_number: Mapped[str]
    user_id: Mapped[str | None]
    record_id: Mapped[str | None]
    ended_us: Mapped[int | None]
    last_seq: Mapped[int]
    last_us: Mapped[int]
    last_direction: Mapped[str]
    last_body: Mapped[str]
    last_state: Mapped[str]
    unread: Mapped[int]


class Text(Timed, Base):
    """A text. ``next_us`` is when the outbox looks at it next; ``leased_by`` has it in hand until ``leased_until_us``.
    ``provider_id`` is the other side's name for it, that of its first part where it has several."""

    __tablename__ = "texts"
    __table_args__ = (
        CheckConstraint("direction IN ('in', 'out')", name="direction"),
        Index("ix_texts_conversation", "conversation_id", "seq", unique=True),
        Index("ix_texts_due", "next_us", "id", sqlite_where=_WAITING, postgresql_where=_WAITING),
        Index("ix_texts_waiting", "conversation_id", "seq", sqlite_where=_WAITING, postgresql_where=_WAITING),
        Index(
            "uq_texts_incoming",
            "transport_id",
            "provider_id",
            unique=True,
            sqlite_where=_INCOMING,
            postgresql_where=_INCOMING,
        ),
        Index("ix_texts_created", "created_us", "id"),
        Index("ix_texts_user", "user_id", "created_us", "id"),
        Index("ix_texts_record", "record_id", "created_us", "id"),
        Index("ix_texts_customer", "customer_number", "created_us", "id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    conversation_id: Mapped[str]
    seq: Mapped[int]
    direction: Mapped[str]
    did: Mapped[str]
    customer_number: Mapped[str]
    user_id: Mapped[str | None]  # whose conversation it is
    author: Mapped[str]  # user:…, token:…, or auto:stop and the like
    record_id: Mapped[str | None]
    body: Mapped[str]
    encoding: Mapped[str]
    segments: Mapped[int]
    state: Mapped[str]
    state_us: Mapped[int]
    code: Mapped[str | None]
    reason: Mapped[str | None]
    price_micros: Mapped[int | None]
    currency: Mapped[str | None]
    scheduled_us: Mapped[int | None]
    next_us: Mapped[int | None]
    tries: Mapped[int]
    leased_by: Mapped[str | None]
    leased_until_us: Mapped[int | None]
    transport_id: Mapped[str | None]
    provider_id: Mapped[str | None]
    campaign_id: Mapped[str | None]
    sent_us: Mapped[int | None]
    delivered_us: Mapped[int | None]


class TextPart(Base):
    """What the other side calls the parts of a text that went out; delivered when all of them are."""

    __tablename__ = "text_parts"

    transport_id: Mapped[str] = mapped_column(primary_key=True)
    provider_id: Mapped[str] = mapped_column(primary_key=True)
    text_id: Mapped[str] = mapped_column(index=True)
    delivered_us: Mapped[int | None]


class EarlyReport(Base):
    """A report of which we do not know the text yet: it came before the answer to our sending was noted."""

    __tablename__ = "early_text_reports"

    transport_id: Mapped[str] = mapped_column(primary_key=True)
    provider_id: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str]
    sentence: Mapped[str]
    at_us: Mapped[int] = mapped_column(index=True)


class Attachment(Base):
    """A file of a text; ``path`` is relative to the attachments' directory. One without a text was uploaded to be
    sent by its user."""

    __tablename__ = "text_attachments"

    id: Mapped[str] = mapped_column(primary_key=True)
    text_id: Mapped[str | None] = mapped_column(index=True)
    user_id: Mapped[str | None]
    content_type: Mapped[str]
    name: Mapped[str]
    bytes: Mapped[int]
    sha256: Mapped[str]
    path: Mapped[str]
    created_us: Mapped[int]


class OptOut(Base):
    """Nobody of the organisation texts this number (T7)."""

    __tablename__ = "text_opt_outs"
    __table_args__ = (Index("ix_text_opt_outs_created", "created_us", "e164"),)

    e164: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str]
    detail: Mapped[str]
    actor: Mapped[str]
    created_us: Mapped[int]


class Template(Timed, Base):
    __tablename__ = "text_templates"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    body: Mapped[str]
    group_ids: Mapped[list[str]]
    position: Mapped[int]
    active: Mapped[bool]


class Transport(Timed, Base):
    """``secrets`` must be recoverable, as requests are signed with them; they leave the store only towards the
    transport itself."""

    __tablename__ = "text_transports"
    __table_args__ = (CheckConstraint("kind IN ('sip_message', 'http', 'smpp')", name="kind"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    priority: Mapped[int]
    options: Mapped[dict[str, Any]]
    secrets: Mapped[dict[str, Any]]
    enabled: Mapped[bool]


class NumberTransport(Base):
    """The transport of one number; the others go by the first one that is for every number."""

    __tablename__ = "number_text_transports"

    e164: Mapped[str] = mapped_column(ForeignKey("numbers.e164", ondelete="CASCADE"), primary_key=True)
    transport_id: Mapped[str] = mapped_column(ForeignKey("text_transports.id", ondelete="CASCADE"), index=True)


class Brand(Timed, Base):
    """Who writes, as the registry wants to know it (T8). ``details`` are its fields."""

    __tablename__ = "text_brands"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    details: Mapped[dict[str, Any]]
    state: Mapped[str]
    registry_id: Mapped[str]
    score: Mapped[int | None]
    note: Mapped[str]
    state_us: Mapped[int]


class BrandDay(Base):
    """Segments that a brand has sent on the day of the carrier's clock that began then."""

    __tablename__ = "text_brand_days"
    __table_args__ = ({"sqlite_with_rowid": False},)

    brand_id: Mapped[str] = mapped_column(primary_key=True)
    since_us: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    segments: Mapped[int]


class Pace(Base):
    """From which moment on the next text of a campaign or a number may go, whichever engine sends it. ``name`` is the
    campaign's id or the number."""

    __tablename__ = "text_paces"
    __table_args__ = ({"sqlite_with_rowid": False},)

    name: Mapped[str] = mapped_column(primary_key=True)
    level_us: Mapped[int]


class Campaign(Timed, Base):
    """What is written and to whom, as the registry wants to know it (T8)."""

    __tablename__ = "text_campaigns"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    brand_id: Mapped[str] = mapped_column(ForeignKey("text_brands.id"), index=True)
    use_case: Mapped[str]
    message_class: Mapped[str]
    details: Mapped[dict[str, Any]]
    state: Mapped[str]
    registry_id: Mapped[str]
    note: Mapped[str]
    state_us: Mapped[int]


class NumberCampaign(Base):
    __tablename__ = "number_text_campaigns"

    e164: Mapped[str] = mapped_column(ForeignKey("numbers.e164", ondelete="CASCADE"), primary_key=True)
    campaign_id: Mapped[str] = mapped_column(ForeignKey("text_campaigns.id", ondelete="CASCADE"), index=True)
