"""Summaries of calls: who is due one, and those there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy import select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from crm.models.wrapup import CallSummary as Row
from crm.models.wrapup import Outcome
from crm.repositories import raw
from crm.wrapup import OutcomeBrief, Summary

_KEPT = tuple(name for name in Summary.__slots__ if name != "outcome")
_OF_A_DRAFT = (
    *("call_id", "user_id", "role", "record_type", "record_id"),
    *("call_created_us", "call_ended_us", "created_us", "updated_us"),
)
_TOPIC = """(
    SELECT deals.id FROM deals
    WHERE deals.id = {record} OR (deals.record_id = {record} AND deals.status = 'open')
    ORDER BY deals.updated_us DESC, deals.id DESC LIMIT 1
)"""
"""What a call with this record is about until its user says otherwise: the deal that the caller's card shows."""
_OPEN = text(f"""
INSERT INTO call_summaries (call_id, user_id, role, state, notes, record_type, record_id, deal_id, call_created_us,
                            call_ended_us, created_us, updated_us)
VALUES (:call_id, :user_id, :role, 'draft', '', :record_type, :record_id, {_TOPIC.format(record=":record_id")},
        :call_created_us, :call_ended_us, :created_us, :updated_us)
ON CONFLICT (call_id, user_id) DO NOTHING
""")

_TO_SUMMARISE = """
SELECT id FROM calls WHERE ended_us IS NOT NULL AND summarised_us IS NULL ORDER BY ended_us, id LIMIT ?
"""
_GIVE = f"""
INSERT INTO call_summaries (call_id, user_id, role, state, notes, record_type, record_id, deal_id, call_created_us,
                            call_ended_us, created_us, updated_us)
SELECT calls.id, took_part.user_id, CASE WHEN MAX(took_part.host) = 1 THEN 'host' ELSE 'guest' END, 'draft', '',
       calls.record_type, calls.record_id, {_TOPIC.format(record="calls.record_id")},
       calls.created_us, calls.ended_us, CAST(? AS BIGINT), CAST(? AS BIGINT)
FROM (
    SELECT call_id, user_id, CASE WHEN role = 'host' THEN 1 ELSE 0 END AS host
    FROM participants WHERE call_id {{in}} AND user_id IS NOT NULL
    UNION ALL
    SELECT id, user_id, 1 FROM calls
    WHERE id {{in}} AND direction = 'outbound' AND user_id IS NOT NULL AND answered_us IS NULL
      AND EXISTS (SELECT 1 FROM legs WHERE legs.call_id = calls.id AND legs.role = 'customer')
) AS took_part JOIN calls ON calls.id = took_part.call_id
WHERE true
GROUP BY calls.id, took_part.user_id
ON CONFLICT (call_id, user_id) DO UPDATE SET role = excluded.role WHERE call_summaries.call_ended_us IS NULL
"""
"""Who talked in a call, and who called out without reaching anybody."""
_CLOSE = f"""
UPDATE call_summaries
SET call_ended_us = calls.ended_us, updated_us = ?,
    record_type = CASE WHEN call_summaries.record_id IS NULL THEN calls.record_type ELSE call_summaries.record_type END,
    deal_id = CASE WHEN call_summaries.record_id IS NULL THEN {_TOPIC.format(record="calls.record_id")}
                   ELSE call_summaries.deal_id END,
    record_id = COALESCE(call_summaries.record_id, calls.record_id)
FROM calls
WHERE calls.id = call_summaries.call_id AND call_summaries.call_id {{in}} AND call_summaries.call_ended_us IS NULL
"""
_MARK = "UPDATE calls SET summarised_us = ? WHERE id {in}"


async def calls_to_summarise(session: AsyncSession, limit: int) -> list[str]:
    """Calls that have ended and whose users were not given their summaries yet, the oldest first."""
    return [name for (name,) in await raw.rows(session, _TO_SUMMARISE, [limit])]


async def give(session: AsyncSession, call_ids: Sequence[str], at_us: int) -> None:
    """Each user of these calls has a draft then; those there were are of a call that is over, and of whom the number
    turned out to be."""
    names = list(call_ids)
    await raw.run(session, _GIVE, [at_us, at_us, names, names])
    await raw.run(session, _CLOSE, [at_us, names])
    await raw.run(session, _MARK, [at_us, names])


async def topic_of(session: AsyncSession, record_id: str | None) -> str | None:
    """The deal that a call with this record begins with: itself, or of its open deals the one changed last."""
    if record_id is None:
        return None
    [(topic,)] = await raw.rows(session, f"SELECT {_TOPIC.format(record='?')}", [record_id, record_id])
    return str(topic) if topic is not None else None


async def open_draft(session: AsyncSession, blank: Summary) -> None:
    """Make a draft with nothing in it but what the call is about; one that stands already stays as it is, also where
    somebody makes it at the same moment."""
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
