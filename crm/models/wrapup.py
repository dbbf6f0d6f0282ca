"""What follows a call: outcomes to choose from, each user's summary of it, and tasks.

Summaries have no foreign key, as the log of calls has none: they outlive the outcomes, deals and users that they name.
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Index, false, text
from sqlalchemy.orm import Mapped, mapped_column

from crm.models.base import Base, Timed

_OPEN = text("done_us IS NULL")
_TO_REMIND = text("done_us IS NULL AND reminded_us IS NULL AND remind_us IS NOT NULL")
_DRAFT = text("state = 'draft'")
_TOPIC = text("deal_id IS NOT NULL")


class Outcome(Timed, Base):
    """``key`` is the digit that chooses it on the summary page."""

    __tablename__ = "outcomes"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    colour: Mapped[str]
    key: Mapped[int | None] = mapped_column(unique=True)
    position: Mapped[int]
    active: Mapped[bool]
    do_not_text: Mapped[bool] = mapped_column(server_default=false())
    do_not_call: Mapped[bool] = mapped_column(server_default=false())


class CallSummary(Timed, Base):
    """One user's part of the wrap-up of one call (C13).

    The outcome's name and colour are kept, for when it is removed. The call's times are repeated for the indexes and
    so that a draft can be listed without the call.
    """

    __tablename__ = "call_summaries"
    __table_args__ = (
        CheckConstraint("state IN ('draft', 'saved')", name="state"),
        Index("ix_call_summaries_user", "user_id", "created_us", "call_id"),
        Index(
            "ix_call_summaries_drafts",
            "user_id",
            "created_us",
            "call_id",
            sqlite_where=_DRAFT,
            postgresql_where=_DRAFT,
        ),
        Index("ix_call_summaries_outcome", "outcome_id", "call_created_us", "call_id"),
        Index("ix_call_summaries_topic", "call_created_us", sqlite_where=_TOPIC, postgresql_where=_TOPIC),
    )

    call_id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str]  # host | guest
    state: Mapped[str]
    outcome_id: Mapped[str | None]
    outcome_name: Mapped[str | None]
    outcome_colour: Mapped[str | None]
    notes: Mapped[str]
    deal_id: Mapped[str | None]
    record_type: Mapped[str | None]
    record_id: Mapped[str | None]
    call_created_us: Mapped[int]
    call_ended_us: Mapped[int | None]
    saved_us: Mapped[int | None]


class Task(Timed, Base):
    """Something to do by a moment. ``reminded_us`` is when its reminder was given: once for each ``remind_us``."""

    __tablename__ = "tasks"
    __table_args__ = (
        Index("ix_tasks_open", "user_id", "due_us", "id", sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ix_tasks_done", "user_id", "done_us", "id"),
        Index("ix_tasks_due", "due_us", "id", sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ix_tasks_record", "record_id", "due_us", "id"),
        Index("ix_tasks_remind", "remind_us", "id", sqlite_where=_TO_REMIND, postgresql_where=_TO_REMIND),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str]
    author_id: Mapped[str | None]
    title: Mapped[str]
    due_us: Mapped[int]
    remind_us: Mapped[int | None]
    reminded_us: Mapped[int | None]
    record_id: Mapped[str | None] = mapped_column(ForeignKey("records.id", ondelete="SET NULL"))
    deal_id: Mapped[str | None] = mapped_column(ForeignKey("deals.id", ondelete="SET NULL"), index=True)
    call_id: Mapped[str | None] = mapped_column(index=True)
    done_us: Mapped[int | None]
