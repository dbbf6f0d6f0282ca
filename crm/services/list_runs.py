"""A user's way through a call list, as it is kept: what stands survives pages and engines (L2, L5).

What a run does next is decided in :mod:`pbx.core.dialer`; here is what of it is written down, and what a call that was
made through a list means for its entry.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm import ids, retry_rules
from crm.call_lists import Run
from crm.errors import conflict
from crm.models.call_lists import CallList as ListRow
from crm.models.call_lists import ListCall, ListEntry, ListRun
from crm.models.calls import Call, Leg
from crm.repositories import call_lists as lists
from crm.repositories import list_leases as leases
from crm.unit_of_work import UnitOfWork

NOT_CALLED = "not_called"
"""The customer was never rung: the user's own phone did not answer."""


async def current(session: AsyncSession, user_id: str, *, to_change: bool = False) -> Run | None:
    """The run of this user that goes on. ``to_change``: nobody else changes it until this transaction has ended."""
    row = await _of(session, user_id, to_change)
    return to_run(row) if row is not None else None


async def running(session: AsyncSession, list_id: str | None = None) -> list[Run]:
    query = select(ListRun).where(ListRun.ended_us.is_(None)).order_by(ListRun.started_us)
    if list_id is not None:
        query = query.where(ListRun.list_id == list_id)
    return [to_run(row) for row in await session.scalars(query)]


async def begin(work: UnitOfWork, row: ListRow, user_id: str, via: str | None, device_id: str | None) -> Run:
    """Raises Refused (409) while the user works on another list."""
    standing = await _of(work.session, user_id, to_change=True)
    if standing is not None:
        other = await work.session.get(ListRow, standing.list_id)
        raise conflict("run_stands", f"You are working on the list “{other.name if other else ''}”. Stop that first.")
    made = ListRun(
        id=ids.new(ids.LIST_RUN, work.at_us),
        list_id=row.id,
        user_id=user_id,
        phase="idle",
        paused="",
        reason="",
        via=via,
        device_id=device_id,
        calls=0,
        started_us=work.at_us,
        beat_us=work.at_us,
    )
    work.session.add(made)
    await work.flush()
    work.record("list.start", row.id, None, {"run": made.id, "user": user_id}, touches_calls=False)
    return to_run(made)


async def keep(work: UnitOfWork, run_id: str, values: Mapping[str, Any]) -> Run:
    row = await work.session.get(ListRun, run_id)
    assert row is not None
    lists.change(row, values)
    await work.flush()
    return to_run(row)


def to_run(row: ListRun) -> Run:
    return Run(**{name: getattr(row, name) for name in Run.__slots__})


# -- what a call means for its entry ---------------------------------------------------------------


async def called(work: UnitOfWork, run: Run, call_id: str, number: str) -> None:
    """It stands before the first ring."""
    assert run.entry_id is not None
    entry = await leases.locked_entry(work.session, run.entry_id)
    if entry is not None:
        entry.calls, entry.reason = entry.calls + 1, ""
        entry.last_call_id, entry.last_call_us = call_id, work.at_us
    work.session.add(
        ListCall(
            call_id=call_id,
            list_id=run.list_id,
            entry_id=run.entry_id,
            user_id=run.user_id,
            number=number,
            at_us=work.at_us,
        )
    )
    await work.flush()


async def not_called(work: UnitOfWork, call_id: str) -> None:
    """Nobody was rung: the entry is as it was."""
    await work.session.execute(delete(ListCall).where(ListCall.call_id == call_id))
    entry = await _of_call(work.session, call_id)
    if entry is not None:
        entry.calls, entry.last_call_id, entry.last_call_us = entry.calls - 1, None, None
    await work.flush()


async def put_out(work: UnitOfWork, entry_id: str, reason: str) -> None:
    """It is called no more."""
    entry = await leases.locked_entry(work.session, entry_id)
    if entry is not None:
        entry.state, entry.reason, entry.changed_us = "out", reason, work.at_us
        await work.flush()


async def skip(work: UnitOfWork, entry_id: str, reason: str, minutes: int | None) -> None:
    """For so many minutes, or for good."""
    if minutes is None:
        return await put_out(work, entry_id, reason)
    entry = await leases.locked_entry(work.session, entry_id)
    if entry is not None:
        entry.due_us, entry.reason = work.at_us + minutes * retry_rules.MINUTE_US, reason
        entry.changed_us = work.at_us
        await work.flush()


async def came_of(work: UnitOfWork, call_id: str, result: str, ended_us: int, talk_ms: int) -> None:
    """The call is over: when its entry comes again is known from the list's rules."""
    call = await work.session.get(ListCall, call_id)
    if call is None or call.ended_us is not None:
        return
    if result == NOT_CALLED:
        await not_called(work, call_id)
        return
    call.ended_us, call.result, call.talk_ms = ended_us, result, talk_ms
    entry = await _of_call(work.session, call_id)
    if entry is not None and entry.state != "out":
        entry.result = result
        await _place(work, entry, ended_us)
    await work.flush()


async def outcome_given(work: UnitOfWork, call_id: str, user_id: str, outcome_id: str | None) -> None:
    """What its user said of the call, which goes before what the switch did."""
    call = await work.session.get(ListCall, call_id)
    if call is None or call.user_id != user_id or call.outcome_id == outcome_id:
        return
    call.outcome_id = outcome_id
    entry = await _of_call(work.session, call_id)
    if entry is not None and entry.state != "out":
        entry.outcome_id = outcome_id
        await _place(work, entry, call.ended_us or work.at_us)
    await work.flush()


async def _place(work: UnitOfWork, entry: ListEntry, at_us: int) -> None:
    row = await work.session.get(ListRow, entry.list_id)
    rules = row.retry if row is not None else []
    again = retry_rules.again_us(rules, (entry.outcome_id, entry.result), entry.calls, at_us)
    entry.state = "done" if again is None else "waiting"
    entry.due_us, entry.changed_us = again or 0, work.at_us
    entry.reason = "" if again is None else "retry"


async def unfinished(session: AsyncSession) -> list[ListCall]:
    """Calls of lists of which nobody has said what came of them."""
    return list(await session.scalars(select(ListCall).where(ListCall.ended_us.is_(None))))


async def listed_call(session: AsyncSession, call_id: str) -> ListCall | None:
    return await session.get(ListCall, call_id)


async def ended(session: AsyncSession, call_id: str) -> tuple[str, int, int] | None:
    """What the log says of a call that is over: result, end and time of talk."""
    call = await session.get(Call, call_id)
    if call is None or call.ended_us is None:
        return None
    rung = await session.scalar(select(Leg.id).where(Leg.call_id == call_id, Leg.role == "customer").limit(1))
    return result_of(call.disposition, call.reason, rung is not None), call.ended_us, call.talk_ms or 0


def result_of(disposition: str | None, reason: str | None, customer_rung: bool) -> str:
    """As the rules name it. A call in which only the user's own phone rang is none."""
    if reason == "voicemail_drop":
        return "voicemail_drop"
    if disposition == "refused" or (disposition == "cancelled" and not customer_rung):
        return NOT_CALLED
    return disposition if disposition in retry_rules.RESULTS else "failed"


async def _of(session: AsyncSession, user_id: str, to_change: bool) -> ListRun | None:
    query = select(ListRun).where(ListRun.user_id == user_id, ListRun.ended_us.is_(None))
    if to_change:
        query = query.with_for_update().execution_options(populate_existing=True)
    return (await session.scalars(query)).one_or_none()


async def _of_call(session: AsyncSession, call_id: str) -> ListEntry | None:
    query = select(ListEntry).where(ListEntry.last_call_id == call_id).with_for_update()
    return (await session.scalars(query.execution_options(populate_existing=True))).first()
