"""Summaries of calls: who is due one, and those there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy import select, text, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.models.calls import Call, Leg, Participant
from crm.models.wrapup import CallSummary as Row
from crm.models.wrapup import Outcome
from crm.wrapup import OutcomeBrief, Summary

_KEPT = tuple(name for name in Summary.__slots__ if name != "outcome")
_OF_A_DRAFT = (
    *("call_id", "user_id", "role", "record_type", "record_id"),
    *("call_created_us", "call_ended_us", "created_us", "updated_us"),
)
_OPEN = text("""
INSERT INTO call_summaries (call_id, user_id, role, state, notes, record_type, record_id, call_created_us,
                            call_ended_us, created_us, updated_us)
VALUES (:call_id, :user_id, :role, 'draft', '', :record_type, :record_id, :call_created_us, :call_ended_us,
        :created_us, :updated_us)
ON CONFLICT (call_id, user_id) DO NOTHING
""")


async def calls_to_summarise(session: AsyncSession, limit: int) -> list[Call]:
    """Calls that have ended and whose users were not given their summaries yet, the oldest first."""
    query = select(Call).where(Call.ended_us.is_not(None), Call.summarised_us.is_(None))
    return list(await session.scalars(query.order_by(Call.ended_us, Call.id).limit(limit)))


async def users_in(session: AsyncSession, call_ids: Sequence[str]) -> dict[str, dict[str, str]]:
    """The users who talked in these calls, each with what they became in it: host or guest."""
    query = select(Participant.call_id, Participant.user_id, Participant.role)
    query = query.where(Participant.call_id.in_(call_ids))
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for call_id, user_id, role in await session.execute(query):
        if user_id is not None:
            is_host = role == "host" or found[call_id].get(user_id) == "host"
            found[call_id][user_id] = "host" if is_host else "guest"
    return found


async def calls_that_went_out(session: AsyncSession, call_ids: Sequence[str]) -> set[str]:
    """Of these calls those in which the customer was rung."""
    query = select(Leg.call_id).where(Leg.call_id.in_(call_ids), Leg.role == "customer")
    return set(await session.scalars(query))


async def mark_summarised(session: AsyncSession, call_ids: Sequence[str], at_us: int) -> None:
    await session.execute(update(Call).where(Call.id.in_(call_ids)).values(summarised_us=at_us))


async def open_draft(session: AsyncSession, blank: Summary) -> None:
    """Make an empty draft; one that stands already stays as it is, also where somebody makes it at the same moment."""
    await session.execute(_OPEN, {name: getattr(blank, name) for name in _OF_A_DRAFT})


async def row(session: AsyncSession, call_id: str, user_id: str, *, to_change: bool = False) -> Row | None:
    """``to_change``: nobody else changes it until this transaction has ended."""
    return await session.get(Row, (call_id, user_id), with_for_update=to_change or None, populate_existing=to_change)


async def of_calls(session: AsyncSession, call_ids: Iterable[str]) -> dict[str, list[Summary]]:
    """Every user's, of each of these calls; the host's first."""
    query = select(Row).where(Row.call_id.in_(list(call_ids))).order_by(Row.role.desc(), Row.created_us, Row.user_id)
    found: dict[str, list[Summary]] = defaultdict(list)
    for summary in await _shown(session, list(await session.scalars(query))):
        found[summary.call_id].append(summary)
    return found


async def page(
    session: AsyncSession, user_id: str, state: str | None, after: tuple[int, str] | None, limit: int
) -> list[Summary]:
    """Newest first."""
    query = select(Row).where(Row.user_id == user_id)
    if state is not None:
        query = query.where(Row.state == state)
    if after is not None:
        query = query.where(tuple_(Row.created_us, Row.call_id) < tuple_(*after))
    rows = await session.scalars(query.order_by(Row.created_us.desc(), Row.call_id.desc()).limit(limit))
    return await _shown(session, list(rows))


async def shown(session: AsyncSession, row: Row) -> Summary:
    return (await _shown(session, [row]))[0]


async def _shown(session: AsyncSession, rows: Sequence[Row]) -> list[Summary]:
    """With their outcomes as they are called now; as they were called then where they are gone."""
    wanted = {row.outcome_id for row in rows if row.outcome_id}
    query = select(Outcome.id, Outcome.name, Outcome.colour).where(Outcome.id.in_(wanted))
    there = {found[0]: OutcomeBrief(*found) for found in await session.execute(query)} if wanted else {}
    return [_summary(row, there.get(row.outcome_id or "")) for row in rows]


def _summary(row: Row, outcome: OutcomeBrief | None) -> Summary:
    if outcome is None and row.outcome_id is not None:
        outcome = OutcomeBrief(row.outcome_id, row.outcome_name or "", row.outcome_colour or "")
    return Summary(outcome=outcome, **{name: getattr(row, name) for name in _KEPT})
