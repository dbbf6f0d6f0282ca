"""Statements by which entries of call lists are found and leased: the same for both databases.

What is open to be called is found place by place through the index, however many entries there are for which it is
night now: they are not looked at.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.call_lists import Candidate
from crm.models.call_lists import ListCall, ListEntry, ListLease
from crm.models.calls import Call
from crm.repositories import raw

_PLACES = """
WITH RECURSIVE places(place) AS (
  SELECT min(place) FROM list_entries WHERE list_id = ? AND state = 'waiting'
  UNION ALL
  SELECT (SELECT min(place) FROM list_entries WHERE list_id = ? AND state = 'waiting' AND place > places.place)
  FROM places WHERE places.place IS NOT NULL
)
SELECT place FROM places WHERE place IS NOT NULL
"""
_OF_A_PLACE = """
SELECT * FROM (
  SELECT id, number, place, due_us, position, last_call_us FROM list_entries
  WHERE list_id = ? AND state = 'waiting' AND place = ? AND due_us {due}
    AND number NOT IN (SELECT number FROM list_leases WHERE until_us > ?)
  ORDER BY due_us, position LIMIT {limit}
) AS found
"""
_AGAIN, _FRESH = "> 0 AND due_us <= ?", "= 0"
PLACES_AT_ONCE = 100  # two queries each, of the 500 that SQLite takes
_LEASE = text("""
INSERT INTO list_leases (number, entry_id, run_id, user_id, until_us)
VALUES (:number, :entry_id, :run_id, :user_id, :until_us)
ON CONFLICT (number) DO UPDATE SET entry_id = excluded.entry_id, run_id = excluded.run_id,
  user_id = excluded.user_id, until_us = excluded.until_us
WHERE list_leases.until_us <= :now_us
""")


async def places(session: AsyncSession, list_id: str) -> list[str]:
    """Where entries that wait are on the clock, each once."""
    return [row[0] for row in await raw.rows(session, _PLACES, [list_id, list_id])]


async def candidates(
    session: AsyncSession, list_id: str, open_places: Sequence[str], now_us: int, limit: int
) -> list[Candidate]:
    """Those that are due and nobody holds: who is to be called again goes before who was never called."""
    again = _OF_A_PLACE.format(due=_AGAIN, limit=limit)
    fresh = _OF_A_PLACE.format(due=_FRESH, limit=limit)
    found: list[Candidate] = []
    for start in range(0, len(open_places), PLACES_AT_ONCE):
        some = open_places[start : start + PLACES_AT_ONCE]
        of_one = [[list_id, place, now_us, now_us, list_id, place, now_us] for place in some]
        statement = " UNION ALL ".join([again, fresh] * len(some))
        found += [
            Candidate(*row) for row in await raw.rows(session, statement, [each for one in of_one for each in one])
        ]
    found.sort(key=lambda each: (each.due_us == 0, each.due_us, each.position))
    return found[:limit]


async def postponed(
    session: AsyncSession, list_id: str, open_places: Sequence[str], reason: str, now_us: int, limit: int
) -> list[Candidate]:
    """Those that wait for a later moment for this reason alone, at places that are open now."""
    query = select(
        ListEntry.id, ListEntry.number, ListEntry.place, ListEntry.due_us, ListEntry.position, ListEntry.last_call_us
    ).where(
        ListEntry.list_id == list_id,
        ListEntry.state == "waiting",
        ListEntry.place.in_(open_places[:PLACES_AT_ONCE]),
        ListEntry.due_us > now_us,
        ListEntry.reason == reason,
    )
    rows = await session.execute(query.order_by(ListEntry.due_us, ListEntry.position).limit(limit))
    return [Candidate(*row) for row in rows]


async def lease(
    session: AsyncSession, candidate: Candidate, *, run_id: str, user_id: str, until_us: int, now_us: int
) -> bool:
    """Whether it is this run's until then. Of two that try at once one gets it."""
    await session.execute(delete(ListLease).where(ListLease.entry_id == candidate.id, ListLease.until_us <= now_us))
    values = {"number": candidate.number, "entry_id": candidate.id, "run_id": run_id, "user_id": user_id}
    result = await session.execute(_LEASE, values | {"until_us": until_us, "now_us": now_us})
    return bool(result.rowcount == 1)  # type: ignore[attr-defined]


async def renew(session: AsyncSession, run_id: str, until_us: int, now_us: int) -> bool:
    """Whether the run still had a lease: one that has ended may be another's by now."""
    mine = update(ListLease).where(ListLease.run_id == run_id, ListLease.until_us > now_us)
    result = await session.execute(mine.values(until_us=until_us))
    return bool(result.rowcount)  # type: ignore[attr-defined]


async def release(session: AsyncSession, run_id: str) -> None:
    await session.execute(delete(ListLease).where(ListLease.run_id == run_id))


async def locked_entry(session: AsyncSession, entry_id: str) -> ListEntry | None:
    """As it is at this moment; nobody else changes it until this transaction has ended."""
    return await session.get(ListEntry, entry_id, with_for_update=True, populate_existing=True)


async def last_calls(session: AsyncSession, numbers: Sequence[str], since_us: int) -> dict[str, int]:
    """When these numbers were in a call last, in whichever direction."""
    query = select(Call.customer_number, func.max(Call.created_us)).where(
        Call.customer_number.in_(numbers), Call.created_us > since_us
    )
    rows = await session.execute(query.group_by(Call.customer_number))
    return {str(number): at_us for number, at_us in rows}


async def calls_out(session: AsyncSession, numbers: Sequence[str], since_us: int) -> dict[str, list[int]]:
    """When these numbers were called, through lists or not, the oldest first."""
    query = select(Call.customer_number, Call.created_us).where(
        Call.customer_number.in_(numbers), Call.created_us > since_us, Call.direction == "outbound"
    )
    found: dict[str, list[int]] = {}
    for number, at_us in await session.execute(query.order_by(Call.created_us)):
        found.setdefault(str(number), []).append(at_us)
    return found


async def calls_since(session: AsyncSession, list_id: str, since_us: int, user_id: str | None = None) -> int:
    query = select(func.count()).where(ListCall.list_id == list_id, ListCall.at_us >= since_us)
    if user_id is not None:
        query = query.where(ListCall.user_id == user_id)
    return int(await session.scalar(query) or 0)


async def next_due(session: AsyncSession, list_id: str, places: Sequence[str], now_us: int) -> int | None:
    """When one of those that wait for their time is due, of places that are open now."""
    query = select(func.min(ListEntry.due_us)).where(
        ListEntry.list_id == list_id,
        ListEntry.state == "waiting",
        ListEntry.place.in_(places),
        ListEntry.due_us > now_us,
    )
    found: int | None = await session.scalar(query)
    return found


async def next_free(session: AsyncSession, list_id: str, now_us: int) -> int | None:
    """When the first lease of others ends."""
    query = select(func.min(ListLease.until_us)).join(ListEntry, ListEntry.id == ListLease.entry_id)
    found: int | None = await session.scalar(query.where(ListEntry.list_id == list_id, ListLease.until_us > now_us))
    return found
