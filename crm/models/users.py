"""People of the organisation who log in, and what they log in with."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Index, func, true
from sqlalchemy.orm import Mapped, mapped_column

from crm.models.base import Base, Timed


class User(Timed, Base):
    """A rep, manager or admin. E-mail addresses are unique without regard to case, held by the database."""

    __tablename__ = "users"
    __table_args__ = (CheckConstraint("role IN ('rep', 'manager', 'admin')", name="role"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    email: Mapped[str]
    name: Mapped[str]
    role: Mapped[str]
    password_hash: Mapped[str | None]
    language: Mapped[str]
    time_zone: Mapped[str]
    country: Mapped[str]
    active: Mapped[bool]
    forwarding_number: Mapped[str | None]
    ring_time_s: Mapped[int]
    voicemail_enabled: Mapped[bool]
    forward_accept: Mapped[str]
    recording_policy: Mapped[str]
    may_call: Mapped[bool]
    max_concurrent: Mapped[int | None]
    spend_cap_micros: Mapped[int | None]
    available: Mapped[bool] = mapped_column(server_default=true())
    greeting: Mapped[str | None]  # the name of the sound that the user recorded, without its suffix


Index("uq_users_email", func.lower(User.email), unique=True)


class LoginSession(Base):
    """A login of the console. Only the hash of its cookie is kept."""

    __tablename__ = "sessions"

    id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    csrf: Mapped[str]
    address: Mapped[str]
    agent: Mapped[str]
    created_us: Mapped[int]
    seen_us: Mapped[int]
    expires_us: Mapped[int] = mapped_column(index=True)


class ApiToken(Base):
    """A key of a program, acting for a user with no more than its scopes. Only its hash is kept."""

    __tablename__ = "api_tokens"

    id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    token_hash: Mapped[str] = mapped_column(unique=True)
    scopes: Mapped[list[str]]
    created_us: Mapped[int]
    expires_us: Mapped[int | None]
    used_us: Mapped[int | None]


class IdempotencyKey(Base):
    """A request that was made once: a repeat with the same key gets the first answer (TRUST 10)."""

    __tablename__ = "idempotency_keys"

    owner: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[str]
    object_id: Mapped[str]
    status: Mapped[int | None]
    response: Mapped[str | None]
    created_us: Mapped[int] = mapped_column(index=True)
