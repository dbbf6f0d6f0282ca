"""Sums of calls, texts and listed calls, kept for reports (R3): by hour, day and month of the organisation's clock.

They are never computed when a report is asked for. A trigger (see the migration) writes a row into ``*_to_sum`` in the
very transaction that changes what a call, a text or a listed call counts for: the new amounts, and the old ones with a
minus. :mod:`crm.services.sums` adds these rows up behind the calls and removes them in one transaction. So it does not
matter who changed what, how often, or where anybody was killed: each change is added exactly once.

``user_id`` is empty for what is nobody's; in the sums ``*`` is everybody together, so that a year of all does not read
the rows of each. ``hour`` and ``day`` count from 1970 on the organisation's clock, ``month`` is year * 12 + month - 1.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from crm.models.base import Base

_SEQ = BigInteger().with_variant(Integer(), "sqlite")  # SQLite numbers rows by itself in an INTEGER and nothing else


class SumsState(Base):
    """The one row that says by which clock the sums are, and up to which moment the past was added up."""

    __tablename__ = "sums_state"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    time_zone: Mapped[str]
    built_until_us: Mapped[int]


class _OfCalls:
    """``answered`` and ``missed`` are calls, too; a call is its user's whose number or phone it was."""

    calls: Mapped[int]
    answered: Mapped[int]
    missed: Mapped[int]
    talk_ms: Mapped[int]
    ring_ms: Mapped[int]


class CallToSum(_OfCalls, Base):
    __tablename__ = "calls_to_sum"

    seq: Mapped[int] = mapped_column(_SEQ, primary_key=True, autoincrement=True)
    at_us: Mapped[int]
    user_id: Mapped[str]
    direction: Mapped[str]
    outcome_id: Mapped[str]


class CallsByHour(_OfCalls, Base):
    __tablename__ = "calls_by_hour"
    __table_args__ = ({"sqlite_with_rowid": False},)

    user_id: Mapped[str] = mapped_column(primary_key=True)
    hour: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    direction: Mapped[str] = mapped_column(primary_key=True)
    outcome_id: Mapped[str] = mapped_column(primary_key=True)


class CallsByDay(_OfCalls, Base):
    __tablename__ = "calls_by_day"
    __table_args__ = (Index("ix_calls_by_day_day", "day"), {"sqlite_with_rowid": False})

    user_id: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    direction: Mapped[str] = mapped_column(primary_key=True)
    outcome_id: Mapped[str] = mapped_column(primary_key=True)


class CallsByMonth(_OfCalls, Base):
    __tablename__ = "calls_by_month"
    __table_args__ = (Index("ix_calls_by_month_user", "user_id", "month"), {"sqlite_with_rowid": False})

    month: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    user_id: Mapped[str] = mapped_column(primary_key=True)
    direction: Mapped[str] = mapped_column(primary_key=True)
    outcome_id: Mapped[str] = mapped_column(primary_key=True)


class CallsByHourOfDay(_OfCalls, Base):
    """``hour_of_day`` from 0 to 23."""

    __tablename__ = "calls_by_hour_of_day"
    __table_args__ = ({"sqlite_with_rowid": False},)

    user_id: Mapped[str] = mapped_column(primary_key=True)
    month: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hour_of_day: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    direction: Mapped[str] = mapped_column(primary_key=True)
    outcome_id: Mapped[str] = mapped_column(primary_key=True)


class CallsByHourOfWeek(_OfCalls, Base):
    """``hour_of_week`` from 0, which is Monday's first, to 167. Without outcomes, which would make it as long as the
    log."""

    __tablename__ = "calls_by_hour_of_week"
    __table_args__ = ({"sqlite_with_rowid": False},)

    user_id: Mapped[str] = mapped_column(primary_key=True)
    month: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hour_of_week: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    direction: Mapped[str] = mapped_column(primary_key=True)


class _OfTexts:
    """``segments`` and ``cost_micros`` are of what left us."""

    sent: Mapped[int]
    received: Mapped[int]
    delivered: Mapped[int]
    failed: Mapped[int]
    segments: Mapped[int]
    cost_micros: Mapped[int]


class TextToSum(_OfTexts, Base):
    __tablename__ = "texts_to_sum"

    seq: Mapped[int] = mapped_column(_SEQ, primary_key=True, autoincrement=True)
    at_us: Mapped[int]
    user_id: Mapped[str]
    currency: Mapped[str]


class TextsByDay(_OfTexts, Base):
    __tablename__ = "texts_by_day"
    __table_args__ = (Index("ix_texts_by_day_day", "day"), {"sqlite_with_rowid": False})

    user_id: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    currency: Mapped[str] = mapped_column(primary_key=True)


class _OfListedCalls:
    """``reached``: somebody answered."""

    calls: Mapped[int]
    reached: Mapped[int]
    talk_ms: Mapped[int]


class ListedCallToSum(_OfListedCalls, Base):
    __tablename__ = "listed_calls_to_sum"

    seq: Mapped[int] = mapped_column(_SEQ, primary_key=True, autoincrement=True)
    at_us: Mapped[int]
    list_id: Mapped[str]
    user_id: Mapped[str]
    result: Mapped[str]


class ListedCallsByDay(_OfListedCalls, Base):
    """``result`` as the rules name it; ``running`` has none yet."""

    __tablename__ = "listed_calls_by_day"
    __table_args__ = (Index("ix_listed_calls_by_day_day", "day"), {"sqlite_with_rowid": False})

    list_id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    result: Mapped[str] = mapped_column(primary_key=True)
