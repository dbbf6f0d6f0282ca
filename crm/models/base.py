"""What every table shares: naming of constraints, column types, times.

Times are integer microseconds since the epoch (``*_us``) and money is integer micro-units (``*_micros``), so that
SQLite and PostgreSQL hold exactly the same values. JSON is PostgreSQL's ``json``, not ``jsonb``: the latter refuses
``\\u0000``, which a hostile caller may send and the log must keep.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, MetaData, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """The one registry of tables; the names of constraints are what :mod:`crm.constraints` looks up."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {  # noqa: RUF012 — read by SQLAlchemy on the class
        int: BigInteger(),
        str: Text(),
        bool: Boolean(),
        dict[str, Any]: JSON(none_as_null=True),
        list[Any]: JSON(none_as_null=True),
        list[str]: JSON(none_as_null=True),
    }


class Timed:
    """When a row was made and last changed."""

    created_us: Mapped[int] = mapped_column(BigInteger)
    updated_us: Mapped[int] = mapped_column(BigInteger)
