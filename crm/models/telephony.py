"""Numbers, phones, ways out, groups: what provisioning and the engine's directory are made from."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from crm.models.base import Base, Timed


class Number(Timed, Base):
    """A DID. ``user_id`` is unique: a user has at most one number and a number at most one user (N1)."""

    __tablename__ = "numbers"
    __table_args__ = (
        CheckConstraint("e164 LIKE '+%'", name="e164"),
        CheckConstraint("voice OR sms", name="capabilities"),
    )

    e164: Mapped[str] = mapped_column(primary_key=True)
    country: Mapped[str]
    voice: Mapped[bool]
    sms: Mapped[bool]
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), unique=True)
    label: Mapped[str]


class Device(Timed, Base):
    """A phone of a user. ``id`` is its SIP user name; of its secret only HA1 is kept (RFC 8760 section 2)."""

    __tablename__ = "devices"

    id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    kind: Mapped[str]
    transport: Mapped[str]
    ha1: Mapped[str]
    enabled: Mapped[bool]


class BrowserPhone(Timed, Base):
    """The phone of one login: there while the login is. Of its secret only HA1 is kept, to tell Asterisk again."""

    __tablename__ = "browser_phones"

    id: Mapped[str] = mapped_column(primary_key=True)
    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), unique=True)
    ha1: Mapped[str]


class Trunk(Timed, Base):
    """A carrier. ``secret`` must be recoverable, as a registration answers a digest with it: it is
    protected by the database file's mode (0600) and leaves the store only towards provisioning."""

    __tablename__ = "trunks"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    mode: Mapped[str]
    host: Mapped[str]
    port: Mapped[int]
    transport: Mapped[str]
    username: Mapped[str]
    secret: Mapped[str]
    priority: Mapped[int]
    number_format: Mapped[str]
    prefix: Mapped[str]
    codecs: Mapped[list[str]]
    max_channels: Mapped[int | None]
    calls_per_second: Mapped[int | None]
    match_addresses: Mapped[list[str]]
    enabled: Mapped[bool]


class Group(Timed, Base):
    """Users who can be invited or rung together, for example Support."""

    __tablename__ = "groups"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    description: Mapped[str]


class GroupMember(Base):
    __tablename__ = "group_members"

    group_id: Mapped[str] = mapped_column(ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True)
    position: Mapped[int]
