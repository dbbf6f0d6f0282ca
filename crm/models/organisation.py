"""What holds for the whole organisation: settings, numbers never to call, the audit log, the revision."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crm.models.base import Base


class Setting(Base):
    """A value that differs from its default; which keys there are says :mod:`crm.settings_registry`."""

    __tablename__ = "settings"

    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[Any] = mapped_column(JSON(none_as_null=False))
    updated_us: Mapped[int]


class DoNotCall(Base):
    """A number that nobody here may call. ``source`` says who asked for it, or which list it is from."""

    __tablename__ = "do_not_call"

    e164: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str]
    source: Mapped[str]
    created_us: Mapped[int] = mapped_column(index=True)


class AcceptedNotice(Base):
    """Who accepted this version of a notice, and when; the name stays when the user goes."""

    __tablename__ = "accepted_notices"

    key: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    user_id: Mapped[str | None]
    user_name: Mapped[str]
    at_us: Mapped[int]


class AuditEntry(Base):
    """One change, chained: ``hash`` covers this entry and the one before it, so that none can be altered or
    taken out unseen."""

    __tablename__ = "audit"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at_us: Mapped[int]
    actor: Mapped[str]
    action: Mapped[str]
    object_id: Mapped[str] = mapped_column(index=True)
    before: Mapped[str | None]
    after: Mapped[str | None]
    hash: Mapped[str]


class ConfigRevision(Base):
    """The one row that every change of anything that calls depend on bumps, in the same transaction (A2).

    The do-not-call list has a revision of its own besides, as it can be long: it is read again only when it changed.
    ``browsers_revision`` counts the changes that were about nothing but phones of browsers: one for every login.
    """

    __tablename__ = "config_revision"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    revision: Mapped[int]
    do_not_call_revision: Mapped[int]
    browsers_revision: Mapped[int] = mapped_column(server_default="0")
