"""What reports read of deals and call lists: these are few beside calls, so they are counted when it is asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.models.call_lists import CallList, ListEntry, ListRun
from crm.models.calls import Call
from crm.models.people import Deal
from crm.models.wrapup import CallSummary

Users = Sequence[str] | None


async def opened(session: AsyncSession, between: tuple[int, int], users: Users) -> list[tuple[Any, ...]]:
    """Owner, stage, moment, value and currency of the deals that were made in this time."""
    since, until = between
    query = select(Deal.owner_id, Deal.stage, Deal.created_us, Deal.value_micros, Deal.currency)
    query = query.where(Deal.created_us >= since, Deal.created_us < until, *_of(users))
    return [tuple(row) for row in await session.execute(query)]


async def closed(session: AsyncSession, between: tuple[int, int], users: Users) -> list[tuple[Any, ...]]:
    """Owner, stage, moment, value, currency and status of those that were won or lost in this time: on the day of
    closing that they name, else when they were last changed."""
    since, until = between
    at = func.coalesce(Deal.closes_us, Deal.updated_us)
    named = and_(Deal.closes_us >= since, Deal.closes_us < until)
    changed = and_(Deal.closes_us.is_(None), Deal.updated_us >= since, Deal.updated_us < until)
    query = select(Deal.owner_id, Deal.stage, at, Deal.value_micros, Deal.currency, Deal.status)
    query = query.where(Deal.status != "open", or_(named, changed), *_of(users))
    return [tuple(row) for row in await session.execute(query)]


async def calls_by_stage(session: AsyncSession, between: tuple[int, int], users: Users) -> list[tuple[Any, ...]]:
    """Calls whose topic is a deal, by its stage: their number, those that were answered, and talk time."""
    since, until = between
    talk = func.coalesce(func.sum(Call.talk_ms), 0)
    query = select(Deal.stage, func.count(), func.count(Call.answered_us), talk)
    query = query.join(CallSummary, CallSummary.deal_id == Deal.id)
    query = query.join(Call, and_(Call.id == CallSummary.call_id, Call.user_id == CallSummary.user_id))
    query = query.where(
        CallSummary.deal_id.is_not(None),
        CallSummary.call_created_us >= since,
        CallSummary.call_created_us < until,
        Call.summarised_us.is_not(None),
    )
    if users is not None:
        query = query.where(CallSummary.user_id.in_(users))
    return [(row[0], row[1], row[2], int(row[3] or 0)) for row in await session.execute(query.group_by(Deal.stage))]


async def lists(session: AsyncSession) -> dict[str, str]:
    """Each list's name."""
    return {list_id: name for list_id, name in await session.execute(select(CallList.id, CallList.name))}


async def entries(session: AsyncSession) -> dict[str, int]:
    query = select(ListEntry.list_id, func.count()).group_by(ListEntry.list_id)
    return {list_id: count for list_id, count in await session.execute(query)}


async def worked_us(session: AsyncSession, between: tuple[int, int], users: Users, now_us: int) -> dict[str, int]:
    """For how long each list was worked on in this time, by all of them together."""
    since, until = between
    ended = func.coalesce(ListRun.ended_us, ListRun.beat_us)
    begins = case((ListRun.started_us > since, ListRun.started_us), else_=since)
    latest = min(until, now_us)
    ends = case((ended < latest, ended), else_=latest)
    query = select(ListRun.list_id, func.sum(ends - begins))
    query = query.where(ListRun.started_us < latest, ended > since)
    if users is not None:
        query = query.where(ListRun.user_id.in_(users))
    return {list_id: int(worked) for list_id, worked in await session.execute(query.group_by(ListRun.list_id))}


def _of(users: Users) -> list[ColumnElement[bool]]:
    return [] if users is None else [Deal.owner_id.in_(users)]
