"""What users say, as the admin wrote it."""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from crm.models.base import Base, Timed


class Script(Timed, Base):
    """``direction`` is inbound, outbound or any; ``group_ids`` are those who see it, empty for everybody. Of those
    that fit a call the first by ``position`` is shown."""

    __tablename__ = "scripts"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    body: Mapped[str]
    direction: Mapped[str]
    group_ids: Mapped[list[str]]
    position: Mapped[int]
    active: Mapped[bool]
