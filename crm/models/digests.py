"""Figures by e-mail: who wants them, and for which periods they were sent."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from crm.models.base import Base


class DigestWish(Base):
    """``since_us``: nothing is sent of what was over before."""

    __tablename__ = "digest_wishes"
    __table_args__ = (CheckConstraint("every IN ('day', 'week')", name="every"),)

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    every: Mapped[str]
    since_us: Mapped[int]


class Digest(Base):
    """One period of one user. It is written down before it is sent: one whose engine died meanwhile may have arrived,
    and is not sent again."""

    __tablename__ = "digests"
    __table_args__ = (CheckConstraint("state IN ('sending', 'waiting', 'sent', 'failed')", name="state"),)

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    every: Mapped[str] = mapped_column(primary_key=True)
    from_us: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    state: Mapped[str]
    tries: Mapped[int]
    next_us: Mapped[int]
    sent_us: Mapped[int | None]
    error: Mapped[str | None]
