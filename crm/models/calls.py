"""The log: calls, their legs, participants and events, recordings and voicemails.

None of these tables has a foreign key to users, devices or trunks, nor among each other: the log outlives whom it
names, and the journal that writes it (also from a spool after an outage) must never be refused a row.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from crm.models.base import Base

_OPEN = text("ended_us IS NULL")
_TO_PRICE = text("ended_us IS NOT NULL AND priced_us IS NULL AND (trunk_id IS NOT NULL OR role = 'guest')")
_TO_SUMMARISE = text("ended_us IS NOT NULL AND summarised_us IS NULL")


class Call(Base):
    __tablename__ = "calls"
    __table_args__ = (
        Index("ix_calls_created", "created_us", "id"),
        Index("ix_calls_user", "user_id", "created_us", "id"),
        Index("ix_calls_customer", "customer_number", "created_us", "id"),
        Index("ix_calls_disposition", "disposition", "created_us", "id"),
        Index("ix_calls_direction", "direction", "created_us", "id"),
        Index("ix_calls_record", "record_id", "created_us", "id"),
        Index("ix_calls_open", "created_us", "id", sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ix_calls_to_summarise", "ended_us", "id", sqlite_where=_TO_SUMMARISE, postgresql_where=_TO_SUMMARISE),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    direction: Mapped[str]  # inbound | outbound | internal
    state: Mapped[str]
    user_id: Mapped[str | None]
    device_id: Mapped[str | None]
    trunk_id: Mapped[str | None]
    did: Mapped[str | None]
    customer_number: Mapped[str | None]
    caller_raw: Mapped[str | None]
    source: Mapped[str]  # engine | fallback
    via: Mapped[str | None]  # phone | forward | voicemail …: how the user was reached, or dialled
    created_us: Mapped[int]
    ringing_us: Mapped[int | None]
    answered_us: Mapped[int | None]
    ended_us: Mapped[int | None]
    disposition: Mapped[str | None]
    cause_q850: Mapped[int | None]
    sip_status: Mapped[int | None]
    reason: Mapped[str | None]
    ended_by: Mapped[str | None]
    ring_ms: Mapped[int | None]
    talk_ms: Mapped[int | None]
    record_type: Mapped[str | None]
    record_id: Mapped[str | None]
    matches: Mapped[list[Any] | None]
    recording_id: Mapped[str | None]
    recording_state: Mapped[str | None]
    notes: Mapped[str | None]
    summarised_us: Mapped[int | None]  # when its users were given their summaries: not the journal's, see wrapup


class Leg(Base):
    __tablename__ = "legs"
    __table_args__ = (Index("ix_legs_to_price", "ended_us", "id", sqlite_where=_TO_PRICE, postgresql_where=_TO_PRICE),)

    id: Mapped[str] = mapped_column(primary_key=True)
    call_id: Mapped[str] = mapped_column(index=True)
    role: Mapped[str]  # customer | user | forward | guest
    user_id: Mapped[str | None]
    device_id: Mapped[str | None]
    trunk_id: Mapped[str | None]
    number: Mapped[str | None]
    endpoint: Mapped[str | None]
    created_us: Mapped[int]
    ringing_us: Mapped[int | None]
    answered_us: Mapped[int | None]
    ended_us: Mapped[int | None]
    result: Mapped[str | None]
    cause: Mapped[int | None]
    sip_status: Mapped[int | None]
    priced_us: Mapped[int | None]  # when its price was looked at: not the journal's, see money


class Participant(Base):
    """One person's part in a call: the log keeps one record per user (C13). ``number`` counts from 1."""

    __tablename__ = "participants"
    __table_args__ = (Index("ix_participants_user", "user_id", "created_us", "call_id"),)

    call_id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    role: Mapped[str]  # host | guest | customer
    leg_id: Mapped[str | None]
    user_id: Mapped[str | None]
    phone_number: Mapped[str | None]
    name: Mapped[str | None]
    joined_us: Mapped[int | None]
    left_us: Mapped[int | None]
    created_us: Mapped[int]  # of the call, so that a user's part in calls is paged from here


class CallEvent(Base):
    """What happened, in the order in which it was decided; never changed once written."""

    __tablename__ = "call_events"
    __table_args__ = ({"sqlite_with_rowid": False},)

    call_id: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    at_us: Mapped[int]
    data: Mapped[dict[str, Any] | None]


class Recording(Base):
    """The sound of a call. ``path`` is relative to the recordings directory, once the file stands there whole."""

    __tablename__ = "recordings"

    id: Mapped[str] = mapped_column(primary_key=True)
    call_id: Mapped[str] = mapped_column(index=True)
    user_id: Mapped[str | None] = mapped_column(index=True)
    state: Mapped[str]  # recording | paused | processing | ready | erased | failed
    path: Mapped[str | None]
    peaks_path: Mapped[str | None]
    sha256: Mapped[str | None]
    codec: Mapped[str | None]
    channels: Mapped[int | None]
    duration_ms: Mapped[int | None]
    bytes: Mapped[int | None]
    started_us: Mapped[int]
    ended_us: Mapped[int | None]
    problem: Mapped[str | None]
    tracks: Mapped[list[Any] | None]  # each party's own voice: leg, user, where it begins, its channel
    private: Mapped[list[Any] | None]  # parts that only users may hear, or that were left out
    tracks_path: Mapped[str | None]
    public_path: Mapped[str | None]


class Voicemail(Base):
    __tablename__ = "voicemails"
    __table_args__ = (
        Index("ix_voicemails_user", "user_id", "created_us", "id"),
        Index("ix_voicemails_created", "created_us"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str]
    call_id: Mapped[str | None] = mapped_column(index=True)
    caller_number: Mapped[str | None]
    state: Mapped[str]  # recording | ready | failed
    path: Mapped[str | None]
    sha256: Mapped[str | None]
    codec: Mapped[str | None]
    duration_ms: Mapped[int | None]
    bytes: Mapped[int | None]
    heard_us: Mapped[int | None]
    created_us: Mapped[int]
    removed_us: Mapped[int | None]  # kept as a row: the journal, replayed after an outage, must not bring it back
