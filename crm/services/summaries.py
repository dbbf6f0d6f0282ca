"""What each user says of a call after it: outcome, notes, topic, and where it is filed (S1 to S6, C13).

A summary is a draft from the moment somebody types, or from the end of the call, until its user saves it; whoever
changes it afterwards has a draft again. Only its user writes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crm import fields, paging
from crm.errors import Refused
from crm.models.people import Deal, Record
from crm.models.wrapup import CallSummary as Row
from crm.models.wrapup import Outcome
from crm.repositories import summaries as rows
from crm.services import list_runs, notes
from crm.unit_of_work import UnitOfWork
from crm.wrapup import Summary

of_calls = rows.of_calls
_ID = fields.optional(fields.text(64))
_CHECKS: dict[str, fields.Check] = {
    "outcome_id": _ID,
    "notes": fields.text(20_000, empty=True, lines=True),
    "deal_id": _ID,
    "record_id": _ID,
}


AT_ONCE = 100

# -- given by the end of a call --------------------------------------------------------------------


async def give_due(work: UnitOfWork, limit: int = AT_ONCE) -> tuple[int, list[Summary]]:
    """Give each user of the calls that have ended a draft, once: how many calls those were, and what is new.

    Who talked in a call gets one, and who called out without reaching anybody; what was typed during the call is
    there already.
    """
    names = await rows.calls_to_summarise(work.session, limit)
    if not names:
        return 0, []
    await rows.give(work.session, names, work.at_us)
    found = await rows.of_calls(work.session, names)
    return len(names), [summary for name in names for summary in found[name]]


# -- written by its user ---------------------------------------------------------------------------


async def begin(session: AsyncSession, blank: Summary) -> Summary:
    """What is shown as long as nothing is kept: about the deal that the caller's card shows (S4)."""
    return replace(blank, deal_id=await rows.topic_of(session, blank.record_id))


async def show(session: AsyncSession, call_id: str, user_id: str) -> Summary | None:
    row = await rows.row(session, call_id, user_id)
    return await rows.shown(session, row) if row is not None else None


async def page(
    session: AsyncSession, user_id: str, *, state: str | None = None, cursor: str | None = None, limit: int = 50
) -> paging.Page[Summary]:
    """A user's own, newest first."""
    paging.checked_limit(limit)
    found = await rows.page(session, user_id, state, paging.decode(cursor), limit + 1)
    return paging.page_of(found, limit, lambda summary: (summary.created_us, summary.call_id))


async def keep(work: UnitOfWork, beginning: Summary, values: Mapping[str, Any]) -> Summary:
    """Keep what was typed so far, as often as it is typed. ``beginning`` is the summary as it begins, where there is
    none; what changes nothing leaves it as it stands, also saved."""
    row = await _changed(work, beginning, values)
    await work.flush()
    return await rows.shown(work.session, row)


async def save(work: UnitOfWork, beginning: Summary, values: Mapping[str, Any]) -> Summary:
    """Done: its notes stand on the record from now on (S3)."""
    row = await _changed(work, beginning, values)
    row.state, row.saved_us, row.updated_us = "saved", work.at_us, work.at_us
    await work.flush()
    await _write_note(work, row)
    await list_runs.outcome_given(work, row.call_id, row.user_id, row.outcome_id)
    return await rows.shown(work.session, row)


async def refile(work: UnitOfWork, call_id: str, user_id: str, record_type: str, record_id: str) -> Summary | None:
    """The call was put on another record: its user's summary goes along, and so do the notes that are saved."""
    row = await rows.row(work.session, call_id, user_id, to_change=True)
    if row is None or row.record_id == record_id:
        return None
    row.record_type, row.record_id, row.updated_us = record_type, record_id, work.at_us
    if row.deal_id is not None and not await _is_of(work.session, row.deal_id, record_type, record_id):
        row.deal_id = None
    if row.deal_id is None and row.state == "draft":
        row.deal_id = await rows.topic_of(work.session, record_id)
    await work.flush()
    if row.state == "saved":
        await _write_note(work, row)
    return await rows.shown(work.session, row)


async def _changed(work: UnitOfWork, beginning: Summary, values: Mapping[str, Any]) -> Row:
    given = fields.read(values, _CHECKS)
    await rows.open_draft(work.session, beginning)
    row = await rows.row(work.session, beginning.call_id, beginning.user_id, to_change=True)
    assert row is not None
    if row.record_id is None and row.call_ended_us is None:  # begun before it was known who calls
        row.record_type, row.record_id = beginning.record_type, beginning.record_id
        row.deal_id = await rows.topic_of(work.session, row.record_id)
    row.call_ended_us = row.call_ended_us or beginning.call_ended_us
    before = [getattr(row, name) for name in _CHECKS]
    if "notes" in given:
        row.notes = given["notes"]
    await _choose_outcome(work.session, row, given)
    await _file(work.session, row, given)
    if before != [getattr(row, name) for name in _CHECKS]:
        row.state, row.updated_us = "draft", work.at_us
    return row


async def _choose_outcome(session: AsyncSession, row: Row, given: Mapping[str, Any]) -> None:
    if "outcome_id" not in given or given["outcome_id"] == row.outcome_id:
        return
    wanted = given["outcome_id"]
    outcome = await session.get(Outcome, wanted) if wanted is not None else None
    if wanted is not None and (outcome is None or not outcome.active):
        raise Refused("no_such_outcome", "There is no such outcome any more. Choose one from the list.", "outcome_id")
    row.outcome_id = wanted
    row.outcome_name, row.outcome_colour = (outcome.name, outcome.colour) if outcome else (None, None)


async def _file(session: AsyncSession, row: Row, given: Mapping[str, Any]) -> None:
    """Under a record, and a topic that is one of that record's deals (S4). A deal brings its record along."""
    if "record_id" in given and given["record_id"] != row.record_id:
        row.record_type, row.record_id = await _kind(session, given["record_id"])
        if row.deal_id is not None and not await _is_of(session, row.deal_id, row.record_type, row.record_id):
            row.deal_id = None
    if "deal_id" not in given or given["deal_id"] == row.deal_id:
        return
    row.deal_id = given["deal_id"]
    if row.deal_id is None:
        return
    deal = await session.get(Deal, row.deal_id)
    if deal is None:
        raise Refused("not_there", "There is no such deal any more. Choose one from the list.", "deal_id")
    if row.record_id is None and (deal.record_id or deal.company_id):
        row.record_type, row.record_id = await _kind(session, deal.record_id or deal.company_id)
    if not await _is_of(session, deal.id, row.record_type, row.record_id):
        raise Refused(
            "deal_of_another",
            "This deal is with somebody else. Choose one of this record's deals, or file the call elsewhere.",
            "deal_id",
        )


async def _kind(session: AsyncSession, record_id: str | None) -> tuple[str | None, str | None]:
    if record_id is None:
        return None, None
    if await session.get(Deal, record_id) is not None:
        return "deal", record_id
    record = await session.get(Record, record_id)
    if record is None:
        raise Refused("not_there", "There is no such record any more. Choose one from the list.", "record_id")
    return record.kind, record_id


async def _is_of(session: AsyncSession, deal_id: str, record_type: str | None, record_id: str | None) -> bool:
    """Whether this deal is with this record, or with the company that it belongs to."""
    deal = await session.get(Deal, deal_id)
    if deal is None or record_id is None:
        return deal is not None
    if record_type == "deal":
        return deal_id == record_id
    record = await session.get(Record, record_id)
    ours = {record_id, record.company_id} if record and record.company_id else {record_id}
    return bool(ours & {deal.record_id, deal.company_id})


async def _write_note(work: UnitOfWork, row: Row) -> None:
    """One note of this user on this call: on the record, or on whom the deal is with."""
    record_id, deal_id = row.record_id, row.deal_id
    if row.record_type == "deal" and record_id is not None:
        deal = await work.session.get(Deal, record_id)
        record_id, deal_id = (deal.record_id or deal.company_id, deal.id) if deal else (None, None)
    if record_id is not None and await work.session.get(Record, record_id) is None:
        record_id = None  # removed meanwhile: the summary keeps the notes
    await notes.keep_for_call(work, row.call_id, record_id if row.notes else None, row.notes, deal_id=deal_id)
