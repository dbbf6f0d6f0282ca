"""What somebody had to look at: when it began, and when it was over.

What stands is known to the engine that raised it; these rows are what programs elsewhere are told of it (A5).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from crm.models.base import Base


class AlertLine(Base):
    """``engine`` raised it; what a run of that name left open is over when the next one begins."""

    __tablename__ = "alerts"
    __table_args__ = (Index("ix_alerts_over", "over_us"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    subject: Mapped[str]
    sentence: Mapped[str]
    data: Mapped[dict[str, Any]]
    engine: Mapped[str]
    raised_us: Mapped[int]
    over_us: Mapped[int | None]
