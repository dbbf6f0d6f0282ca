"""Webhooks: who wants to be told of what, what happened, and each telling until it was taken (A5).

``webhook_events`` is filled by triggers of the tables that hold what happened, in the transaction that writes it down:
nobody who writes has to think of it, and where no webhook wants such an event nothing is written.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from crm.models.base import Base, Timed

_NOT_PREPARED = text("prepared_us IS NULL")
_WAITING = text("state = 'waiting'")
_FAILED = text("state = 'failed'")
NUMBER = BigInteger().with_variant(Integer, "sqlite")
"""SQLite counts up a key of exactly this type by itself."""


class Webhook(Timed, Base):
    """``secret`` must be recoverable, as requests are signed with it; the one before it signs beside it until
    ``old_until_us``. ``failures`` counts the tries without success since ``failing_us``; none is made before
    ``next_us``, and none by another engine than ``leased_by`` until ``leased_until_us``."""

    __tablename__ = "webhooks"

    id: Mapped[str] = mapped_column(primary_key=True)
    url: Mapped[str]
    description: Mapped[str]
    enabled: Mapped[bool]
    secret: Mapped[str]
    old_secret: Mapped[str | None]
    old_until_us: Mapped[int | None]
    failures: Mapped[int]
    failing_us: Mapped[int | None]
    delivered_us: Mapped[int | None]
    next_us: Mapped[int]
    leased_by: Mapped[str | None]
    leased_until_us: Mapped[int | None]


class WebhookWant(Base):
    """An event that a webhook wants; the triggers look here."""

    __tablename__ = "webhook_wants"
    __table_args__ = (Index("ix_webhook_wants_type", "type"),)

    webhook_id: Mapped[str] = mapped_column(ForeignKey("webhooks.id", ondelete="CASCADE"), primary_key=True)
    type: Mapped[str] = mapped_column(primary_key=True)


class WebhookEvent(Base):
    """Something that happened. What is told of it is worked out once (``body``, from then on the same for everybody and
    for every repeat), when ``id`` is given. ``webhook_id``: it is for this one alone."""

    __tablename__ = "webhook_events"
    __table_args__ = (
        Index("ix_webhook_events_new", "seq", sqlite_where=_NOT_PREPARED, postgresql_where=_NOT_PREPARED),
        Index("ix_webhook_events_object", "object_id"),
    )

    seq: Mapped[int] = mapped_column(NUMBER, primary_key=True, autoincrement=True)
    id: Mapped[str | None] = mapped_column(unique=True)
    type: Mapped[str]
    object_id: Mapped[str]
    webhook_id: Mapped[str | None]
    body: Mapped[str | None]
    at_us: Mapped[int | None]
    prepared_us: Mapped[int | None]


class WebhookDelivery(Base):
    """The telling of one event to one webhook. ``since_us`` is when it began to wait, ``error`` a word for what came of
    the last try, with the ``status`` that was answered."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'delivered', 'failed')", name="state"),
        Index("ix_webhook_deliveries_list", "webhook_id", "created_us", "id"),
        Index("ix_webhook_deliveries_created", "created_us", "id"),
        Index("ix_webhook_deliveries_event", "event_seq"),
        Index(
            "ix_webhook_deliveries_waiting",
            "webhook_id",
            "event_seq",
            sqlite_where=_WAITING,
            postgresql_where=_WAITING,
        ),
        Index("ix_webhook_deliveries_failed", "webhook_id", sqlite_where=_FAILED, postgresql_where=_FAILED),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    webhook_id: Mapped[str] = mapped_column(ForeignKey("webhooks.id", ondelete="CASCADE"))
    event_seq: Mapped[int] = mapped_column(ForeignKey("webhook_events.seq", ondelete="CASCADE"))
    state: Mapped[str]
    attempts: Mapped[int]
    created_us: Mapped[int]
    since_us: Mapped[int]
    next_us: Mapped[int]
    tried_us: Mapped[int | None]
    took_ms: Mapped[int | None]
    status: Mapped[int | None]
    error: Mapped[str | None]
