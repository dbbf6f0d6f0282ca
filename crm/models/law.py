"""The law's rules that an admin changed, what is held for a court, and what was destroyed and why."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from crm.models.base import Base

_STANDING = text("released_us IS NULL")


class LawRule(Base):
    """A rule that is other than it came with the system, or that did not come with it; see :mod:`crm.law.rules`."""

    __tablename__ = "law_rules"

    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[Any] = mapped_column(JSON(none_as_null=False))
    basis: Mapped[str]
    source: Mapped[str]
    date: Mapped[str]
    text: Mapped[str]
    reason: Mapped[str]
    changed_by: Mapped[str]
    changed_us: Mapped[int]


class LegalHold(Base):
    """What must not be destroyed, whatever retention or an erasure says. ``object_id`` names a record, a call, a
    recording, a voicemail, a user, or a telephone number, as ``kind`` says. The names stay when the users go."""

    __tablename__ = "legal_holds"
    __table_args__ = (
        Index("ix_legal_holds_standing", "kind", "object_id", sqlite_where=_STANDING, postgresql_where=_STANDING),
        Index("ix_legal_holds_created", "created_us", "id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    object_id: Mapped[str]
    reason: Mapped[str]
    placed_by: Mapped[str]
    created_us: Mapped[int]
    released_us: Mapped[int | None]
    released_by: Mapped[str | None]
    released_reason: Mapped[str | None]


class Erasure(Base):
    """A person's data that was destroyed on request: who asked, what went, what stayed and why. It holds neither name
    nor number of the person: ``record_id`` names nothing any more."""

    __tablename__ = "erasures"
    __table_args__ = (Index("ix_erasures_created", "created_us", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    record_id: Mapped[str]
    reference: Mapped[str]
    reason: Mapped[str]
    state: Mapped[str]  # running | done
    requested_by: Mapped[str]
    created_us: Mapped[int]
    done_us: Mapped[int | None]
    report: Mapped[dict[str, Any] | None]


class Destruction(Base):
    """What one run of retention destroyed of one kind; runs that destroyed and held nothing leave none."""

    __tablename__ = "destructions"
    __table_args__ = (Index("ix_destructions_at", "at_us", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    at_us: Mapped[int]
    kind: Mapped[str]
    before_us: Mapped[int]
    destroyed: Mapped[int]
    files: Mapped[int]
    bytes: Mapped[int]
    held: Mapped[int]
