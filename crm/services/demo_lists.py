"""A call list of the demo organisation, half worked through (L1, L5)."""

from __future__ import annotations

from sqlalchemy import select

from crm.models.call_lists import CallList, ListEntry
from crm.models.people import Record
from crm.models.users import User
from crm.models.wrapup import Outcome
from crm.services import call_lists, list_entries
from crm.unit_of_work import UnitOfWork

HOUR_US = 3_600_000_000
_WHO = 12
_CAME_OF_IT: tuple[tuple[str, str, int | None], ...] = (
    ("done", "answered", 1),
    ("done", "answered", 6),
    ("waiting", "no_answer", None),
    ("waiting", "busy", None),
    ("done", "voicemail_drop", 2),
    ("out", "invalid_number", 4),
)
"""Of its first entries: state, result, and the key of what was written down."""


async def seed_list(work: UnitOfWork) -> None:
    """Only where there is none."""
    if await work.session.scalar(select(CallList.id).limit(1)) is not None:
        return
    owner = await work.session.scalar(select(User.id).where(User.email == "rep2@demo.example"))
    values = {
        "name": "Spring offers",
        "description": "Ask whether the offer came in, and when a decision is due.",
        "owner_id": owner,
        "shared": True,
    }
    made = await call_lists.add(work, values)
    named = select(Record.id).where(Record.external_id.like("demo-%"), Record.company_name == "Summit Partners")
    await list_entries.select(work, made.id, list(await work.session.scalars(named.order_by(Record.id).limit(_WHO))))
    await _work_through(work, made.id)


async def _work_through(work: UnitOfWork, list_id: str) -> None:
    keys = select(Outcome.key, Outcome.id).where(Outcome.key.is_not(None))
    outcomes = {key: outcome_id for key, outcome_id in await work.session.execute(keys)}
    entries = select(ListEntry).where(ListEntry.list_id == list_id).order_by(ListEntry.position)
    for number, (row, came) in enumerate(zip(await work.session.scalars(entries), _CAME_OF_IT, strict=False), 1):
        row.state, row.result, key = came
        row.outcome_id = outcomes.get(key)
        row.calls, row.last_call_us, row.changed_us = 1, work.at_us - (24 - number) * HOUR_US, work.at_us
        row.due_us, row.reason = (row.last_call_us + 25 * HOUR_US, "retry") if row.state == "waiting" else (0, "")
    await work.flush()
