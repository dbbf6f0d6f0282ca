"""Addresses that are kept out."""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from crm.models.base import Base


class Block(Base):
    """An address or network that may not speak SIP to us nor sign in.

    ``until_us`` None holds until somebody takes it away. A row stays for a while after its end: ``times`` counts how
    often the address was blocked lately, and each time lasts longer. ``source`` is sip, web or hand.
    """

    __tablename__ = "blocks"

    address: Mapped[str] = mapped_column(primary_key=True)
    since_us: Mapped[int]
    until_us: Mapped[int | None]
    times: Mapped[int]
    source: Mapped[str]
    reason: Mapped[str]
