"""Call lists, who works through them, and what came of it (L1 to L5)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from crm.models.base import Base, Timed

_RUNNING = text("ended_us IS NULL")


class CallList(Timed, Base):
    """``filling`` is what a filter still has to bring, with the place where it has come to; ``retry`` are rules of
    :mod:`crm.retry_rules`; ``wrap_up`` required, free or as the organisation's setting says."""

    __tablename__ = "call_lists"
    __table_args__ = (CheckConstraint("wrap_up IN ('setting', 'required', 'free')", name="wrap_up"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    description: Mapped[str]
    owner_id: Mapped[str | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    shared: Mapped[bool]
    group_ids: Mapped[list[str]]
    active: Mapped[bool]
    filling: Mapped[dict[str, Any] | None]
    last_position: Mapped[int]
    preview_s: Mapped[int]
    wrap_up_s: Mapped[int]
    wrap_up: Mapped[str]
    retry: Mapped[list[Any]]
    daily_calls: Mapped[int | None]
    daily_calls_user: Mapped[int | None]
    daily_calls_number: Mapped[int | None]
    drop_outcome_id: Mapped[str | None]


class ListEntry(Base):
    """One person to call. ``due_us``: not before; ``place`` is where that is on the clock; ``reason`` why it waits or
    is out. Who holds it now is a lease, so that it stands unchanged in its place when that ends."""

    __tablename__ = "list_entries"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'done', 'out')", name="state"),
        Index("uq_list_entries_record", "list_id", "record_id", unique=True),
        Index("ix_list_entries_next", "list_id", "state", "place", "due_us", "position"),
        Index("ix_list_entries_order", "list_id", "position"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    list_id: Mapped[str] = mapped_column(ForeignKey("call_lists.id", ondelete="CASCADE"))
    record_id: Mapped[str] = mapped_column(ForeignKey("records.id", ondelete="CASCADE"), index=True)
    position: Mapped[int]
    number: Mapped[str]
    place: Mapped[str]
    state: Mapped[str]
    due_us: Mapped[int]
    reason: Mapped[str]
    calls: Mapped[int]
    result: Mapped[str | None]
    outcome_id: Mapped[str | None]
    last_call_id: Mapped[str | None] = mapped_column(index=True)
    last_call_us: Mapped[int | None]
    changed_us: Mapped[int]


class ListLease(Base):
    """Whose entry this is until a moment. By the number: nobody is called twice at once, through whichever list."""

    __tablename__ = "list_leases"

    number: Mapped[str] = mapped_column(primary_key=True)
    entry_id: Mapped[str] = mapped_column(unique=True)
    run_id: Mapped[str] = mapped_column(index=True)
    user_id: Mapped[str]
    until_us: Mapped[int]


class ListRun(Base):
    """One user works through one list; one at a time. It is the runner's whole state: a page that is reloaded and an
    engine that starts again find it here."""

    __tablename__ = "list_runs"
    __table_args__ = (
        Index("uq_list_runs_user", "user_id", unique=True, sqlite_where=_RUNNING, postgresql_where=_RUNNING),
        Index("ix_list_runs_list", "list_id", "started_us"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    list_id: Mapped[str] = mapped_column(ForeignKey("call_lists.id", ondelete="CASCADE"))
    user_id: Mapped[str]
    phase: Mapped[str]  # idle | preview | calling | wrap_up | stopped
    paused: Mapped[str]  # why; empty where it is not
    reason: Mapped[str]  # why there is nobody to call now
    entry_id: Mapped[str | None]
    call_id: Mapped[str | None]
    due_us: Mapped[int | None]
    held_us: Mapped[int | None]
    via: Mapped[str | None]
    device_id: Mapped[str | None]
    calls: Mapped[int]
    started_us: Mapped[int]
    beat_us: Mapped[int]
    ended_us: Mapped[int | None]


class ListCall(Base):
    """A call that was made through a list. No foreign keys, as with the log: it outlives list and person."""

    __tablename__ = "list_calls"
    __table_args__ = (
        Index("ix_list_calls_list", "list_id", "at_us"),
        Index("ix_list_calls_number", "number", "at_us"),
        Index("ix_list_calls_user", "user_id", "at_us"),
    )

    call_id: Mapped[str] = mapped_column(primary_key=True)
    list_id: Mapped[str]
    entry_id: Mapped[str]
    user_id: Mapped[str]
    number: Mapped[str]
    at_us: Mapped[int]
    ended_us: Mapped[int | None]
    talk_ms: Mapped[int | None]
    result: Mapped[str | None]
    outcome_id: Mapped[str | None]


class VoicemailDrop(Timed, Base):
    """A message that its user recorded for the mailboxes of others. ``sound`` names the file, without suffix."""

    __tablename__ = "voicemail_drops"

    id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    sound: Mapped[str]
    duration_ms: Mapped[int]


class DoNotCallList(Timed, Base):
    """A list of numbers from outside, of millions: their digits are in blocks."""

    __tablename__ = "do_not_call_lists"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    source: Mapped[str]
    numbers: Mapped[int]


class DoNotCallBlock(Base):
    """Some thousands of numbers of a list in order, each the whole number of its digits in eight bytes."""

    __tablename__ = "do_not_call_blocks"

    list_id: Mapped[str] = mapped_column(ForeignKey("do_not_call_lists.id", ondelete="CASCADE"), primary_key=True)
    first: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    packed: Mapped[bytes]
