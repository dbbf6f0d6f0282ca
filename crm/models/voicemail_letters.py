"""Voicemail by e-mail: which messages were sent to their users."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from crm.models.base import Base


class VoicemailLetter(Base):
    """Written down before it is sent: from ``next_us`` on it may be sent again, as its engine has died or the mail
    server did not take it. A letter that came twice is better than one that never came."""

    __tablename__ = "voicemail_letters"
    __table_args__ = (CheckConstraint("state IN ('waiting', 'sent', 'failed')", name="state"),)

    voicemail_id: Mapped[str] = mapped_column(ForeignKey("voicemails.id", ondelete="CASCADE"), primary_key=True)
    state: Mapped[str]
    tries: Mapped[int]
    next_us: Mapped[int]
    sent_us: Mapped[int | None]
    error: Mapped[str | None]
