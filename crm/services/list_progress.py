"""How a list goes: what is left, what came of its calls, and how fast who works (L5)."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.call_lists import Progress, RepPace, Run, Tally
from crm.models.call_lists import ListCall
from crm.repositories import call_lists as rows
from crm.services import call_lists as lists
from crm.services import list_runs

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
SHORTEST_US = HOUR_US // 12
"""Nobody is said to make 60 calls an hour after the first one."""


async def progress(session: AsyncSession, ref: str, at_us: int, since_us: int | None = None) -> Progress:
    """Without ``since_us`` of the last 24 hours."""
    row = await lists.find(session, ref)
    since_us = at_us - DAY_US if since_us is None else since_us
    counted = (await rows.counts(session, [row.id], at_us))[row.id]
    waiting = await rows.waiting_for(session, row.id, at_us)
    results, outcomes = Counter[str](), Counter[str]()
    query = select(ListCall.result, ListCall.outcome_id, func.count())
    query = query.where(ListCall.list_id == row.id, ListCall.at_us >= since_us)
    for result, outcome, calls in await session.execute(query.group_by(ListCall.result, ListCall.outcome_id)):
        results[result or "running"] += calls
        if outcome:
            outcomes[outcome] += calls
    reps = await _reps(session, row.id, at_us, since_us)
    calls, hours = sum(results.values()), _hours(min((rep.first_us for rep in reps if rep.calls), default=at_us), at_us)
    return Progress(
        row.id,
        at_us,
        since_us,
        counted,
        calls,
        round(calls / hours, 1),
        _tallies(results),
        _tallies(outcomes),
        _tallies(Counter(waiting)),
        tuple(reps),
    )


async def _reps(session: AsyncSession, list_id: str, at_us: int, since_us: int) -> list[RepPace]:
    """Who has called in that time, and who works on it now; the busiest first."""
    query = select(
        ListCall.user_id,
        func.count(),
        func.count(ListCall.talk_ms).filter(ListCall.talk_ms > 0),
        func.coalesce(func.sum(ListCall.talk_ms), 0),
        func.min(ListCall.at_us),
        func.max(ListCall.at_us),
    ).where(ListCall.list_id == list_id, ListCall.at_us >= since_us)
    rows = await session.execute(query.group_by(ListCall.user_id))
    made = {user_id: tuple(int(each or 0) for each in row) for user_id, *row in rows}
    running: dict[str, Run] = {run.user_id: run for run in await list_runs.running(session, list_id)}
    nothing = (0, 0, 0, at_us, at_us)
    found = [_pace(each, made.get(each, nothing), running.get(each), at_us) for each in {*made, *running}]
    return sorted(found, key=lambda rep: (-rep.calls, rep.user_id))


def _pace(user_id: str, made: tuple[int, ...], run: Run | None, at_us: int) -> RepPace:
    """An hour of who has stopped ends with the last call."""
    calls, answered, talk_ms, first_us, last_us = made
    hours = _hours(first_us, at_us if run is not None else last_us)
    return RepPace(
        user_id,
        calls,
        answered,
        talk_ms,
        first_us,
        last_us,
        round(calls / hours, 1),
        run.phase if run else None,
        run.paused if run else None,
    )


def _hours(since_us: int, until_us: int) -> float:
    return max(until_us - since_us, SHORTEST_US) / HOUR_US


def _tallies(counted: Counter[str]) -> tuple[Tally, ...]:
    return tuple(Tally(key, calls) for key, calls in counted.most_common())
