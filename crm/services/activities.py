"""The feed of a record: what was done with it and the calls with it, newest first.

Calls are not copied into the feed: they are read from the log, where the engine writes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from crm import ids, paging, people
from crm.models.calls import Call
from crm.models.people import Activity
from crm.models.texts import Text
from crm.paging import Page
from crm.records import as_dict
from crm.repositories import summaries
from crm.unit_of_work import UnitOfWork
from crm.wrapup import Summary

PREFIX = "act"
_OF_A_CALL = ("direction", "state", "disposition", "talk_ms", "user_id", "customer_number", "recording_id")
_OF_A_TEXT = (
    *("conversation_id", "direction", "state", "reason", "body", "user_id", "did", "customer_number"),
    *("scheduled_us", "segments"),
)
_OF_A_SUMMARY = ("user_id", "role", "outcome", "notes", "deal_id")


def add(work: UnitOfWork, record_id: str, kind: str, object_id: str | None, data: dict[str, Any] | None = None) -> None:
    """Put a line into the feed; it is written with the transaction."""
    work.session.add(
        Activity(
            id=ids.new(PREFIX, work.at_us),
            record_id=record_id,
            at_us=work.at_us,
            kind=kind,
            actor=str(work.actor),
            object_id=object_id,
            data=data,
        )
    )


async def page(
    session: AsyncSession,
    record_id: str,
    *,
    texts_of: str | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> Page[people.Activity]:
    """Kinds: record.add, record.change, record.import, note.add, note.change, deal.add, deal.change, task.add,
    task.done, task.reopen, text and call: what each user has said of it stands in its ``summaries``. ``texts_of``: only
    this user's texts, as others' are not everybody's to read."""
    more, after = paging.checked_limit(limit) + 1, paging.decode(cursor)
    lines = [*await _written(session, record_id, after, more), *await _calls(session, record_id, after, more)]
    lines += await _texts(session, record_id, texts_of, after, more)
    lines.sort(key=lambda line: (line.at_us, line.id), reverse=True)
    return paging.page_of(lines[:more], limit, lambda line: (line.at_us, line.id))


async def _written(
    session: AsyncSession, record_id: str, after: tuple[int, str] | None, limit: int
) -> list[people.Activity]:
    query = select(Activity).where(Activity.record_id == record_id)
    if after is not None:
        query = query.where(tuple_(Activity.at_us, Activity.id) < after)
    rows = await session.scalars(query.order_by(Activity.at_us.desc(), Activity.id.desc()).limit(limit))
    return [people.Activity(row.id, row.at_us, row.kind, row.actor, row.object_id, row.data) for row in rows]


async def _calls(
    session: AsyncSession, record_id: str, after: tuple[int, str] | None, limit: int
) -> list[people.Activity]:
    query = select(Call).where(Call.record_id == record_id)
    if after is not None:
        query = query.where(tuple_(Call.created_us, Call.id) < after)
    rows = list(await session.scalars(query.order_by(Call.created_us.desc(), Call.id.desc()).limit(limit)))
    said = await summaries.of_calls(session, [row.id for row in rows])
    return [
        people.Activity(
            row.id,
            row.created_us,
            "call",
            f"user:{row.user_id}" if row.user_id else "engine",
            row.id,
            {name: getattr(row, name) for name in _OF_A_CALL} | _said(row, said[row.id]),
        )
        for row in rows
    ]


async def _texts(
    session: AsyncSession, record_id: str, user_id: str | None, after: tuple[int, str] | None, limit: int
) -> list[people.Activity]:
    query = select(Text).where(Text.record_id == record_id)
    if user_id is not None:
        query = query.where(Text.user_id == user_id)
    if after is not None:
        query = query.where(tuple_(Text.created_us, Text.id) < after)
    rows = await session.scalars(query.order_by(Text.created_us.desc(), Text.id.desc()).limit(limit))
    return [
        people.Activity(
            row.id, row.created_us, "text", row.author, row.id, {name: getattr(row, name) for name in _OF_A_TEXT}
        )
        for row in rows
    ]


def _said(call: Call, its: Sequence[Summary]) -> dict[str, Any]:
    """The saved summaries; outcome and notes alone are those of the user whose call it is."""
    saved = [as_dict(summary) for summary in its if summary.state == "saved"]
    own: dict[str, Any] = next((each for each in saved if each["user_id"] == call.user_id), {})
    return {
        "outcome": own.get("outcome"),
        "notes": own.get("notes", call.notes),
        "summaries": [{name: each[name] for name in _OF_A_SUMMARY} for each in saved],
    }
