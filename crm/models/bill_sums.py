"""Sums of charges and of the ledger, kept for bills (R2): by month of the organisation's clock.

They are kept in the way of :mod:`crm.models.reports`. As charges and postings are only ever added, nothing is ever
taken away again. What waits in ``*_to_sum`` is counted too when a bill is asked for: a bill is exact at any moment.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Integer
from sqlalchemy.orm import Mapped, mapped_column

from crm.models.base import Base

_SEQ = BigInteger().with_variant(Integer(), "sqlite")  # SQLite numbers rows by itself in an INTEGER and nothing else


class _OfCharges:
    """``charges`` are those of which the amount is nothing, too; ``units`` are seconds, or segments."""

    charges: Mapped[int]
    units: Mapped[int]
    amount_micros: Mapped[int]


class ChargeToSum(_OfCharges, Base):
    __tablename__ = "charges_to_sum"

    seq: Mapped[int] = mapped_column(_SEQ, primary_key=True, autoincrement=True)
    at_us: Mapped[int]
    user_id: Mapped[str]
    rate_name: Mapped[str]
    direction: Mapped[str]
    kind: Mapped[str]


class ChargesByMonth(_OfCharges, Base):
    """``user_id`` is empty for what is nobody's."""

    __tablename__ = "charges_by_month"
    __table_args__ = ({"sqlite_with_rowid": False},)

    month: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    user_id: Mapped[str] = mapped_column(primary_key=True)
    rate_name: Mapped[str] = mapped_column(primary_key=True)
    direction: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)


class _OfPostings:
    """What went into the account ``balance``, and what out of it."""

    in_micros: Mapped[int]
    out_micros: Mapped[int]


class PostingToSum(_OfPostings, Base):
    __tablename__ = "postings_to_sum"

    seq: Mapped[int] = mapped_column(_SEQ, primary_key=True, autoincrement=True)
    at_us: Mapped[int]
    kind: Mapped[str]


class PostingsByMonth(_OfPostings, Base):
    __tablename__ = "postings_by_month"
    __table_args__ = ({"sqlite_with_rowid": False},)

    month: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(primary_key=True)
