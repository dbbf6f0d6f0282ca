"""What search looks into: for each record one text, and the words of its names in order.

Written by :mod:`crm.search.index` in the transaction that writes the record. The engines' own indexes over ``body``
(FTS5 on SQLite, GIN on PostgreSQL) differ by database and stand in the migration alone.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Integer
from sqlalchemy.orm import Mapped, mapped_column

from crm.models.base import Base
from crm.models.people import BYTEWISE

_ENGINE_NAMES = ("search_fts", "ix_search_documents_body")
_SIZES = BigInteger().with_variant(Integer(), "sqlite")  # SQLite's row numbers are INTEGER and nothing else


class SearchDocument(Base):
    """``body`` is made by :func:`crm.search.text.body`."""

    __tablename__ = "search_documents"

    doc: Mapped[int] = mapped_column(_SIZES, primary_key=True, autoincrement=False)
    record_id: Mapped[str] = mapped_column(ForeignKey("records.id"), unique=True)
    kind: Mapped[str]
    body: Mapped[str]


class SearchWord(Base):
    """One word of a record's names. The key's order answers "begins with" without looking at the rest."""

    __tablename__ = "search_words"
    __table_args__ = ({"sqlite_with_rowid": False},)

    word: Mapped[str] = mapped_column(BYTEWISE, primary_key=True)
    doc: Mapped[int] = mapped_column(_SIZES, primary_key=True, autoincrement=False)


def is_everywhere(name: str | None, _kind: str, _parents: object) -> bool:
    """Alembic's ``include_name``: whether a table or index is in every database, and so in the models."""
    return not (name or "").startswith(_ENGINE_NAMES)
