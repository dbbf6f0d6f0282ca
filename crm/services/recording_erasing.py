"""Recordings of calls that are over, destroyed because somebody asks for it: what may go, and what stays and why (V10).

What is held for a court stays whole, and what is still being recorded has its own way to be erased.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.models.calls import Call, Leg, Participant, Recording
from crm.services import holds, retention
from crm.unit_of_work import UnitOfWork

GONE = (retention.ERASED, "failed")
_BEING_MADE = ("recording", "paused", "processing")


@dataclass(frozen=True, slots=True)
class Found:
    """A recording that there is something of. ``why`` is empty where it may go: held, or being_made."""

    id: str
    call_id: str
    bytes: int
    why: str = ""


async def of_calls(session: AsyncSession, call_ids: Collection[str]) -> list[Found]:
    held = (await holds.standing(session)).recording().label("held")
    query = select(Recording.id, Recording.call_id, Recording.bytes, Recording.state, held)
    query = query.outerjoin(Call, Call.id == Recording.call_id)
    query = query.where(Recording.call_id.in_(call_ids), Recording.state.not_in(GONE)).order_by(Recording.id)
    return [
        Found(row.id, row.call_id, row.bytes or 0, "being_made" if row.state in _BEING_MADE else _held(row.held))
        for row in await session.execute(query)
    ]


def _held(held: bool) -> str:
    return "held" if held else ""


async def users_in(session: AsyncSession, call_ids: Collection[str]) -> dict[str, frozenset[str]]:
    """Who took part in these calls."""
    found: dict[str, set[str]] = {call_id: set() for call_id in call_ids}
    for call_id, user_id in (
        *await session.execute(select(Call.id, Call.user_id).where(Call.id.in_(call_ids))),
        *await session.execute(
            select(Participant.call_id, Participant.user_id).where(Participant.call_id.in_(call_ids))
        ),
        *await session.execute(select(Leg.call_id, Leg.user_id).where(Leg.call_id.in_(call_ids))),
    ):
        if user_id is not None:
            found[call_id].add(user_id)
    return {call_id: frozenset(users) for call_id, users in found.items()}


async def files(session: AsyncSession, recordings: Sequence[str]) -> list[str]:
    return await retention.recording_files(session, Recording.id.in_(recordings))


async def erase(work: UnitOfWork, recordings: Sequence[Found]) -> None:
    """The rows, once the files are gone; each stands in the audit log."""
    await retention.erase_recordings(work.session, Recording.id.in_([each.id for each in recordings]))
    for each in recordings:
        work.record("recording.erase", each.id, None, {"call": each.call_id}, touches_calls=False)
