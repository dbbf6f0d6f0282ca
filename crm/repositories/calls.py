"""Reading the log of calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, ColumnElement, Select, case, exists, literal, or_, select, tuple_, union_all
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from crm import records
from crm.models.calls import Call, CallEvent, Leg, Participant, Recording, Voicemail
from crm.models.wrapup import CallSummary
from crm.reports.calendar import HOUR_US, Stretch, stretches

Record = TypeVar("Record")
DAY_US = 24 * HOUR_US


@dataclass(frozen=True, slots=True)
class CallFilter:
    """What to list; None means any. ``user_id`` finds the calls that a user had a part in. ``open``: still going on.
    ``since_us`` is included, ``until_us`` is not. ``outcome_id``: what the user, or without one anybody, said of it.
    ``owner_ids``: whose call it is, as reports count it. ``hour`` and ``weekday`` (1 is Monday) are by the
    clock of ``zone``, within a stretch that both moments bound."""

    user_id: str | None = None
    customer_number: str | None = None
    did: str | None = None
    direction: str | None = None
    disposition: str | None = None
    state: str | None = None
    record_id: str | None = None
    outcome_id: str | None = None
    since_us: int | None = None
    until_us: int | None = None
    open: bool | None = None
    owner_ids: tuple[str, ...] | None = None
    hour: int | None = None
    weekday: int | None = None
    zone: str | None = None

    @property
    def by_the_clock(self) -> bool:
        return self.hour is not None or self.weekday is not None


def to_record(kind: type[Record], row: Any) -> Record:
    """A row as the record whose fields have its columns' names."""
    return kind(**{field.name: getattr(row, field.name) for field in fields(kind)})  # type: ignore[arg-type]


async def page(
    session: AsyncSession, wanted: CallFilter, after: tuple[int, str] | None, limit: int
) -> list[records.Call]:
    """Newest first."""
    query = _matching(wanted, after)
    if wanted.outcome_id is not None:
        query = select(Call).where(Call.id.in_(_with_outcome(wanted, after, limit)))
    elif wanted.user_id is not None:
        mine = union_all(_own(wanted, after, limit), _taken_part_in(wanted, after, limit)).subquery()
        query = select(Call).where(Call.id.in_(select(mine.c.id)))
    return [to_record(records.Call, found) for found in await session.scalars(_newest(query, limit))]


def _own(wanted: CallFilter, after: tuple[int, str] | None, limit: int) -> Select[str]:
    """The newest calls that the user owns. With :func:`_taken_part_in` two short scans of an index each, however many
    calls there are, where one condition with OR would read them all."""
    query = _newest(_matching(wanted, after).where(Call.user_id == wanted.user_id), limit)
    return select(query.with_only_columns(Call.id).subquery().c.id)


def _taken_part_in(wanted: CallFilter, after: tuple[int, str] | None, limit: int) -> Select[str]:
    """The newest calls in which the user had a part. Each call is looked up by its key: where PostgreSQL may choose,
    as in a join or with EXISTS, it reads every busy call there is as long as it has no statistics."""
    at = Participant.created_us
    query = select(Participant.call_id).where(Participant.user_id == wanted.user_id, *_within(wanted, at))
    if conditions := _conditions(wanted):
        fits = select(literal(1)).where(Call.id == Participant.call_id, *conditions)
        query = query.where(fits.correlate(Participant).scalar_subquery() == 1)
    if after is not None:
        query = query.where(tuple_(at, Participant.call_id) < tuple_(*after))
    query = query.order_by(at.desc(), Participant.call_id.desc()).limit(limit)
    return select(query.subquery().c.call_id.label("id"))


def _with_outcome(wanted: CallFilter, after: tuple[int, str] | None, limit: int) -> Select[str]:
    """The newest calls of which this was said, each once; looked up as in :func:`_taken_part_in`."""
    at = CallSummary.call_created_us
    query = select(CallSummary.call_id, at).where(CallSummary.outcome_id == wanted.outcome_id, *_within(wanted, at))
    if wanted.user_id is not None:
        query = query.where(CallSummary.user_id == wanted.user_id)
    if conditions := _conditions(wanted):
        fits = select(literal(1)).where(Call.id == CallSummary.call_id, *conditions)
        query = query.where(fits.correlate(CallSummary).scalar_subquery() == 1)
    if after is not None:
        query = query.where(tuple_(at, CallSummary.call_id) < tuple_(*after))
    query = query.distinct().order_by(at.desc(), CallSummary.call_id.desc()).limit(limit)
    return select(query.subquery().c.call_id)


def _newest(query: Select[Call], limit: int) -> Select[Call]:
    return query.order_by(Call.created_us.desc(), Call.id.desc()).limit(limit)


def _matching(wanted: CallFilter, after: tuple[int, str] | None) -> Select[Call]:
    """Everything but the user."""
    query = select(Call).where(*_within(wanted, Call.created_us), *_conditions(wanted))
    if after is not None:
        query = query.where(tuple_(Call.created_us, Call.id) < tuple_(*after))
    return query


def _within(wanted: CallFilter, at: InstrumentedAttribute[int]) -> list[ColumnElement[bool]]:
    found = [] if wanted.since_us is None else [at >= wanted.since_us]
    found += [] if wanted.until_us is None else [at < wanted.until_us]
    return [*found, *_by_the_clock(wanted, at)] if wanted.by_the_clock else found


def _by_the_clock(wanted: CallFilter, at: InstrumentedAttribute[int]) -> list[ColumnElement[bool]]:
    local = at + _ahead_us(wanted, at)
    found = [] if wanted.hour is None else [(local // HOUR_US) % 24 == wanted.hour]
    return found if wanted.weekday is None else [*found, (local // DAY_US + 3) % 7 + 1 == wanted.weekday]


def _ahead_us(wanted: CallFilter, at: InstrumentedAttribute[int]) -> ColumnElement[int]:
    """How much later than UTC it is there; where the clock is changed within the stretch, by the moment."""
    even: list[Stretch] = []
    for each in stretches(wanted.since_us or 0, wanted.until_us or 0, ZoneInfo(wanted.zone or "UTC")):
        if even and even[-1].offset_us == each.offset_us:
            even.pop()
        even.append(each)
    *earlier, last = [(each.until_us, literal(each.offset_us, BigInteger)) for each in even]
    if not earlier:
        return last[1]
    return case(*[(at < until_us, offset_us) for until_us, offset_us in earlier], else_=last[1])


def is_at_that_hour(wanted: CallFilter, at_us: int) -> bool:
    """The same question of a call in memory."""
    local = datetime.fromtimestamp(at_us // 1_000_000, ZoneInfo(wanted.zone or "UTC"))
    return wanted.hour in (None, local.hour) and wanted.weekday in (None, local.isoweekday())


def _conditions(wanted: CallFilter) -> list[ColumnElement[bool]]:
    """What is asked of the call besides its user and its time."""
    names = ("customer_number", "did", "direction", "disposition", "state", "record_id")
    asked = [(getattr(Call, name), getattr(wanted, name)) for name in names]
    conditions = [column == value for column, value in asked if value is not None]
    if wanted.open is not None:
        conditions.append(Call.ended_us.is_(None) if wanted.open else Call.ended_us.is_not(None))
    if wanted.owner_ids is not None:
        conditions.append(Call.user_id.in_(wanted.owner_ids))
    return conditions


async def row(session: AsyncSession, call_id: str) -> Call | None:
    return await session.get(Call, call_id)


async def open_calls(session: AsyncSession) -> list[records.Call]:
    """Those that have not ended, oldest first: what a restart has to look after."""
    query = select(Call).where(Call.ended_us.is_(None)).order_by(Call.created_us, Call.id)
    return [to_record(records.Call, found) for found in await session.scalars(query)]


async def any_answered(session: AsyncSession) -> bool:
    """Whether people have ever talked here."""
    query = select(Call.id).where(Call.answered_us.is_not(None)).limit(1)
    return (await session.scalars(query)).first() is not None


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
