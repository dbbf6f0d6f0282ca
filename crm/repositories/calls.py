"""Reading the log of calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from sqlalchemy import Select, Subquery, exists, or_, select, tuple_, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from crm import records
from crm.models.calls import Call, CallEvent, Leg, Participant, Recording, Voicemail

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class CallFilter:
    """What to list; None means any. ``user_id`` finds the calls that a user had a part in. ``open``: still going on.
    ``since_us`` is included, ``until_us`` is not."""

    user_id: str | None = None
    customer_number: str | None = None
    did: str | None = None
    direction: str | None = None
    disposition: str | None = None
    state: str | None = None
    record_id: str | None = None
    since_us: int | None = None
    until_us: int | None = None
    open: bool | None = None


def to_record(kind: type[Record], row: Any) -> Record:
    """A row as the record whose fields have its columns' names."""
    return kind(**{field.name: getattr(row, field.name) for field in fields(kind)})  # type: ignore[arg-type]


async def page(
    session: AsyncSession, wanted: CallFilter, after: tuple[int, str] | None, limit: int
) -> list[records.Call]:
    """Newest first."""
    query = _newest(_matching(wanted, after), limit)
    if wanted.user_id is not None:
        mine = _of_user(wanted, after, limit)
        query = _newest(select(Call).where(Call.id.in_(select(mine.c.id))), limit)
    return [to_record(records.Call, row) for row in await session.scalars(query)]


def _of_user(wanted: CallFilter, after: tuple[int, str] | None, limit: int) -> Subquery:
    """The user's newest calls by either index, own ones and those taken part in: two short scans, however many calls
    there are, where one condition with OR would read them all."""
    own = _newest(_matching(wanted, after).where(Call.user_id == wanted.user_id), limit).with_only_columns(Call.id)
    part = (
        _matching(wanted, after)
        .join(Participant, Participant.call_id == Call.id)
        .where(Participant.user_id == wanted.user_id)
        .order_by(Participant.created_us.desc(), Participant.call_id.desc())
        .limit(limit)
    )
    if after is not None:
        part = part.where(tuple_(Participant.created_us, Participant.call_id) < tuple_(*after))
    part_ids = part.with_only_columns(Participant.call_id.label("id"))
    return union_all(select(own.subquery().c.id), select(part_ids.subquery().c.id)).subquery()


def _newest(query: Select[Call], limit: int) -> Select[Call]:
    return query.order_by(Call.created_us.desc(), Call.id.desc()).limit(limit)


def _matching(wanted: CallFilter, after: tuple[int, str] | None) -> Select[Call]:
    """Everything but the user."""
    query = select(Call)
    for name in ("customer_number", "did", "direction", "disposition", "state", "record_id"):
        value = getattr(wanted, name)
        if value is not None:
            query = query.where(getattr(Call, name) == value)
    if wanted.since_us is not None:
        query = query.where(Call.created_us >= wanted.since_us)
    if wanted.until_us is not None:
        query = query.where(Call.created_us < wanted.until_us)
    if wanted.open is not None:
        query = query.where(Call.ended_us.is_(None) if wanted.open else Call.ended_us.is_not(None))
    if after is not None:
        query = query.where(tuple_(Call.created_us, Call.id) < tuple_(*after))
    return query


async def row(session: AsyncSession, call_id: str) -> Call | None:
    return await session.get(Call, call_id)


async def open_calls(session: AsyncSession) -> list[records.Call]:
    """Those that have not ended, oldest first: what a restart has to look after."""
    query = select(Call).where(Call.ended_us.is_(None)).order_by(Call.created_us, Call.id)
    return [to_record(records.Call, found) for found in await session.scalars(query)]


async def legs(session: AsyncSession, call_id: str) -> list[records.Leg]:
    query = select(Leg).where(Leg.call_id == call_id).order_by(Leg.created_us, Leg.id)
    return [to_record(records.Leg, found) for found in await session.scalars(query)]


async def participants(session: AsyncSession, call_id: str) -> list[records.Participant]:
    query = select(Participant).where(Participant.call_id == call_id).order_by(Participant.number)
    return [to_record(records.Participant, found) for found in await session.scalars(query)]


async def events(session: AsyncSession, call_id: str) -> list[records.CallEvent]:
    query = select(CallEvent).where(CallEvent.call_id == call_id).order_by(CallEvent.seq)
    return [to_record(records.CallEvent, found) for found in await session.scalars(query)]


async def last_event(session: AsyncSession, call_id: str) -> int:
    """The highest sequence number of a call's events; 0 where there are none."""
    query = select(CallEvent.seq).where(CallEvent.call_id == call_id).order_by(CallEvent.seq.desc()).limit(1)
    return (await session.scalars(query)).one_or_none() or 0


async def involves(session: AsyncSession, call_id: str, user_id: str) -> bool:
    """Whether the user owns the call, takes part in it, or had a phone in it."""
    return bool(
        await session.scalar(
            select(
                or_(
                    exists().where(Call.id == call_id, Call.user_id == user_id),
                    exists().where(Participant.call_id == call_id, Participant.user_id == user_id),
                    exists().where(Leg.call_id == call_id, Leg.user_id == user_id),
                )
            )
        )
    )


async def recordings(session: AsyncSession, call_id: str) -> list[records.Recording]:
    query = select(Recording).where(Recording.call_id == call_id).order_by(Recording.started_us, Recording.id)
    return [to_record(records.Recording, found) for found in await session.scalars(query)]


async def unfinished_recordings(session: AsyncSession) -> list[records.Recording]:
    """Those whose file is not in place yet: what a restart has to repair."""
    query = select(Recording).where(Recording.state.in_(("recording", "paused", "processing")))
    return [to_record(records.Recording, found) for found in await session.scalars(query.order_by(Recording.id))]


async def voicemails(
    session: AsyncSession, user_id: str, *, heard: bool | None, after: tuple[int, str] | None, limit: int
) -> Sequence[records.Voicemail]:
    """Newest first, only those that can be played and were not removed."""
    query = select(Voicemail).where(Voicemail.user_id == user_id, Voicemail.state == "ready")
    query = query.where(Voicemail.removed_us.is_(None))
    if heard is not None:
        query = query.where(Voicemail.heard_us.is_not(None) if heard else Voicemail.heard_us.is_(None))
    if after is not None:
        query = query.where(tuple_(Voicemail.created_us, Voicemail.id) < tuple_(*after))
    query = query.order_by(Voicemail.created_us.desc(), Voicemail.id.desc()).limit(limit)
    return [to_record(records.Voicemail, found) for found in await session.scalars(query)]
