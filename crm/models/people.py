"""The people we talk to: leads, contacts and companies, how they are reached, deals, notes and what happened.

Leads, contacts and companies share one table, as they share everything that matters here: a name, numbers, addresses,
notes, calls, an owner. A contact belongs to a company by its id; a lead names its company as text.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, func
from sqlalchemy.orm import Mapped, mapped_column

from crm.models.base import Base, Timed

BYTEWISE = Text().with_variant(Text(collation="C"), "postgresql")
"""Text that is compared byte by byte on both databases, so that a range of it is a prefix."""


class Record(Timed, Base):
    """``external_id`` is the key that an import found it under; ``name_key`` the folded name, by which it sorts."""

    __tablename__ = "records"
    __table_args__ = (
        CheckConstraint("kind IN ('lead', 'contact', 'company')", name="kind"),
        Index("ix_records_kind_id", "kind", "id"),
        Index("ix_records_kind_name", "kind", "name_key", "id"),
        Index("ix_records_updated", "updated_us", "id"),
        Index("ix_records_owner", "owner_id", "id"),
        Index("uq_records_external_id", "kind", "external_id", unique=True),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name: Mapped[str]
    name_key: Mapped[str] = mapped_column(BYTEWISE)
    reading: Mapped[str]
    title: Mapped[str]
    company_id: Mapped[str | None] = mapped_column(ForeignKey("records.id", ondelete="SET NULL"), index=True)
    company_name: Mapped[str]
    website: Mapped[str]
    status: Mapped[str]
    source: Mapped[str]
    owner_id: Mapped[str | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    external_id: Mapped[str | None]


class Phone(Base):
    """``national`` are the digits as dialled within the number's own country: what people remember."""

    __tablename__ = "phones"

    record_id: Mapped[str] = mapped_column(ForeignKey("records.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    label: Mapped[str]
    e164: Mapped[str] = mapped_column(BYTEWISE, index=True)
    national: Mapped[str] = mapped_column(BYTEWISE, index=True)


class EmailAddress(Base):
    __tablename__ = "emails"

    record_id: Mapped[str] = mapped_column(ForeignKey("records.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    label: Mapped[str]
    address: Mapped[str]


Index("ix_emails_address", func.lower(EmailAddress.address))


class PostalAddress(Base):
    __tablename__ = "addresses"

    record_id: Mapped[str] = mapped_column(ForeignKey("records.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    label: Mapped[str]
    street: Mapped[str]
    city: Mapped[str]
    region: Mapped[str]
    postcode: Mapped[str]
    country: Mapped[str]


class Deal(Timed, Base):
    """``record_id`` is the lead or contact that it is made with; it outlives them."""

    __tablename__ = "deals"
    __table_args__ = (
        CheckConstraint("status IN ('open', 'won', 'lost')", name="status"),
        Index("ix_deals_record", "record_id", "updated_us", "id"),
        Index("ix_deals_company", "company_id", "updated_us", "id"),
        Index("ix_deals_owner", "owner_id", "updated_us", "id"),
        Index("ix_deals_updated", "updated_us", "id"),
        Index("ix_deals_created", "created_us"),
        Index("ix_deals_closes", "closes_us"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    record_id: Mapped[str | None] = mapped_column(ForeignKey("records.id", ondelete="SET NULL"))
    company_id: Mapped[str | None] = mapped_column(ForeignKey("records.id", ondelete="SET NULL"))
    owner_id: Mapped[str | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    stage: Mapped[str]
    status: Mapped[str]
    value_micros: Mapped[int | None]
    currency: Mapped[str]
    closes_us: Mapped[int | None]
    external_id: Mapped[str | None] = mapped_column(unique=True)


class Note(Timed, Base):
    """What somebody wrote about a record, during a call (``call_id``) or at any time."""

    __tablename__ = "notes"
    __table_args__ = (Index("ix_notes_record", "record_id", "created_us", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    record_id: Mapped[str] = mapped_column(ForeignKey("records.id", ondelete="CASCADE"))
    deal_id: Mapped[str | None] = mapped_column(ForeignKey("deals.id", ondelete="SET NULL"), index=True)
    call_id: Mapped[str | None] = mapped_column(index=True)
    author_id: Mapped[str | None]
    text: Mapped[str]


class Activity(Base):
    """One line of a record's feed, except calls, which the feed takes from the log of calls."""

    __tablename__ = "activities"
    __table_args__ = (Index("ix_activities_record", "record_id", "at_us", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    record_id: Mapped[str] = mapped_column(ForeignKey("records.id", ondelete="CASCADE"))
    at_us: Mapped[int]
    kind: Mapped[str]
    actor: Mapped[str]
    object_id: Mapped[str | None]
    data: Mapped[dict[str, Any] | None]
