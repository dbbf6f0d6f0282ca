"""Rates, what each leg and text has cost, and the account that it is taken from.

``charges`` and ``ledger`` are only ever added to: the database itself refuses to change or to remove a row (triggers,
see the migration), so that a mistake is put right by another posting, never in place.
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from crm.models.base import Base, Timed


class RateTable(Timed, Base):
    """Prices for one direction, from a moment on. ``trunk_id`` has no foreign key: charges outlive trunks."""

    __tablename__ = "rate_tables"
    __table_args__ = (CheckConstraint("direction IN ('outbound', 'inbound', 'internal', 'text')", name="direction"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    direction: Mapped[str]
    trunk_id: Mapped[str | None]
    currency: Mapped[str]
    valid_from_us: Mapped[int]
    valid_until_us: Mapped[int | None]
    prefixes: Mapped[int]
    active: Mapped[bool]


class Rate(Base):
    """Digits without a plus, and what a minute (or a segment of a text) costs there. ``media_micros``: a text with
    files, whole; where it is empty such a text costs what its segments do."""

    __tablename__ = "rates"
    __table_args__ = ({"sqlite_with_rowid": False},)

    table_id: Mapped[str] = mapped_column(ForeignKey("rate_tables.id", ondelete="CASCADE"), primary_key=True)
    prefix: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    price_micros: Mapped[int]
    setup_micros: Mapped[int]
    first_s: Mapped[int]
    then_s: Mapped[int]
    media_micros: Mapped[int | None]


class Charge(Base):
    """The price of one leg or text, with the rate as it was. ``id`` is the leg's or the message's: priced once."""

    __tablename__ = "charges"
    __table_args__ = (
        CheckConstraint("amount_micros >= 0", name="amount"),
        Index("ix_charges_time", "ended_us", "id"),
        Index("ix_charges_user", "user_id", "ended_us", "id"),
        Index("ix_charges_call", "call_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]  # call | text
    call_id: Mapped[str | None]
    user_id: Mapped[str | None]
    direction: Mapped[str]  # outbound | inbound | internal | text
    role: Mapped[str]  # of the leg
    number: Mapped[str | None]
    trunk_id: Mapped[str | None]
    began_us: Mapped[int]
    ended_us: Mapped[int]
    units: Mapped[int]  # seconds charged, or segments
    table_id: Mapped[str | None]
    prefix: Mapped[str]
    rate_name: Mapped[str]
    price_micros: Mapped[int]
    setup_micros: Mapped[int]
    first_s: Mapped[int]
    then_s: Mapped[int]
    amount_micros: Mapped[int]
    currency: Mapped[str]
    priced_us: Mapped[int]


class Posting(Base):
    """Double entry: an amount goes from one account to another, so that all accounts together are always nothing.

    ``seq`` has no gaps, and ``balance_micros`` is what the account ``balance`` held after it, as on a bank's statement.
    ``id`` says what it is for: the same is never booked twice. ``at_us`` is the moment that it counts for.
    """

    __tablename__ = "ledger"
    __table_args__ = (
        CheckConstraint("amount_micros > 0", name="amount"),
        CheckConstraint("debit <> credit", name="accounts"),
        Index("ix_ledger_time", "at_us", "seq"),
    )

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    id: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]  # complimentary | top_up | adjustment | call | text
    debit: Mapped[str]
    credit: Mapped[str]
    amount_micros: Mapped[int]
    balance_micros: Mapped[int]
    currency: Mapped[str]
    memo: Mapped[str]
    actor: Mapped[str]
    at_us: Mapped[int]
    booked_us: Mapped[int]
