"""Things to do: a title, a moment by which it is due, and a reminder (S5). Reps have their own, managers see all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm import fields, ids, paging
from crm.errors import Refused, not_found
from crm.models.people import Deal, Record
from crm.models.users import User
from crm.models.wrapup import Task as Row
from crm.repositories.calls import to_record
from crm.services import activities
from crm.unit_of_work import UnitOfWork
from crm.wrapup import Task

_ID = fields.optional(fields.text(64))
_CHECKS: dict[str, fields.Check] = {
    "title": fields.text(500),
    "user_id": fields.text(64),
    "due_us": fields.integer(),
    "remind_us": fields.optional(fields.integer()),
    "record_id": _ID,
    "deal_id": _ID,
    "call_id": _ID,
    "done": fields.boolean,
}


async def add(work: UnitOfWork, values: Mapping[str, Any]) -> Task:
    """``title`` and ``due_us`` are needed; without ``user_id`` whoever asks does it. A deal brings its record along."""
    given = fields.read({"user_id": work.actor.id} | dict(values), _CHECKS, ("title", "due_us"))
    await _check(work, given)
    done = given.pop("done", False)
    blank = dict.fromkeys(("remind_us", "reminded_us", "record_id", "deal_id", "call_id", "done_us"))
    made = {"author_id": work.actor.id or None, "created_us": work.at_us, "updated_us": work.at_us}
    row = Row(id=ids.new(ids.TASK, work.at_us), **blank | made | given)
    row.done_us = work.at_us if done else None
    if row.record_id is None and row.deal_id is not None:
        row.record_id = await work.session.scalar(select(Deal.record_id).where(Deal.id == row.deal_id))
    work.session.add(row)
    await work.flush()
    _tell(work, row, "task.add")
    return to_record(Task, row)


async def show(session: AsyncSession, task_id: str) -> Task:
    return to_record(Task, await _find(session, task_id))


async def change(work: UnitOfWork, task_id: str, values: Mapping[str, Any]) -> Task:
    """``done`` true or false; the reminder is given again where its moment changes."""
    row = await _own(work, task_id)
    given = fields.read(values, _CHECKS)
    await _check(work, given)
    done = given.pop("done", row.done_us is not None)
    if given.get("remind_us", row.remind_us) != row.remind_us:
        row.reminded_us = None
    for name, value in given.items():
        setattr(row, name, value)
    row.updated_us = work.at_us
    if done is not (row.done_us is not None):
        row.done_us = work.at_us if done else None
        _tell(work, row, "task.done" if done else "task.reopen")
    await work.flush()
    return to_record(Task, row)


async def remove(work: UnitOfWork, task_id: str) -> Task:
    row = await _own(work, task_id)
    gone = to_record(Task, row)
    await work.session.delete(row)
    await work.flush()
    work.record("task.remove", gone.id, {"title": gone.title, "user_id": gone.user_id}, None, touches_calls=False)
    return gone


async def page(
    session: AsyncSession,
    *,
    state: str = "open",
    user_id: str | None = None,
    record_id: str | None = None,
    due_before_us: int | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> paging.Page[Task]:
    """Open ones: what is due next first. Done ones: what was done last first."""
    more, after = paging.checked_limit(limit) + 1, paging.decode(cursor)
    is_open = state == "open"
    query = select(Row).where(Row.done_us.is_(None) if is_open else Row.done_us.is_not(None))
    for column, value in ((Row.user_id, user_id), (Row.record_id, record_id)):
        if value is not None:
            query = query.where(column == value)
    if due_before_us is not None:
        query = query.where(Row.due_us < due_before_us)
    at = Row.due_us if is_open else Row.done_us
    if after is not None:
        place = tuple_(at, Row.id)
        query = query.where(place > tuple_(*after) if is_open else place < tuple_(*after))
    query = query.order_by(at, Row.id) if is_open else query.order_by(at.desc(), Row.id.desc())
    found = [to_record(Task, row) for row in await session.scalars(query.limit(more))]
    return paging.page_of(found, limit, lambda task: (task.due_us if is_open else task.done_us or 0, task.id))


# -- reminders -------------------------------------------------------------------------------------


async def next_reminder(session: AsyncSession) -> int | None:
    """When the next one is to be given."""
    return await session.scalar(select(Row.remind_us).where(*_to_remind()).order_by(Row.remind_us).limit(1))


async def take_reminders(work: UnitOfWork, limit: int = 100) -> list[Task]:
    """Those whose moment has come; each is given to one who asks, and never again."""
    due = select(Row.id).where(*_to_remind(), Row.remind_us <= work.at_us).order_by(Row.remind_us, Row.id).limit(limit)
    names = list(await work.session.scalars(due))
    taking = update(Row).where(Row.id.in_(names), *_to_remind()).values(reminded_us=work.at_us).returning(Row)
    return [to_record(Task, row) for row in await work.session.scalars(taking)] if names else []


def _to_remind() -> tuple[Any, ...]:
    return Row.remind_us.is_not(None), Row.reminded_us.is_(None), Row.done_us.is_(None)


# -- rules -----------------------------------------------------------------------------------------


async def _check(work: UnitOfWork, given: Mapping[str, Any]) -> None:
    user_id = given.get("user_id", work.actor.id)
    if work.actor.role == "rep" and user_id != work.actor.id:
        raise Refused(
            "not_your_task",
            "You make tasks for yourself. Ask a manager to give one to a colleague.",
            "user_id",
            403,
        )
    for name, table in (("user_id", User), ("record_id", Record), ("deal_id", Deal)):
        if given.get(name) is not None and await work.session.get(table, given[name]) is None:
            raise Refused("not_there", "There is nothing with this id. Choose one from the list.", name)


async def _own(work: UnitOfWork, task_id: str) -> Row:
    row = await _find(work.session, task_id)
    if work.actor.role == "rep" and row.user_id != work.actor.id:
        raise Refused("not_your_task", "This task is somebody else's. Ask them, or a manager.", status=403)
    return row


async def _find(session: AsyncSession, task_id: str) -> Row:
    row = await session.get(Row, task_id) if isinstance(task_id, str) and task_id.isprintable() else None
    if row is None:
        raise not_found("task", str(task_id))
    return row


def _tell(work: UnitOfWork, row: Row, kind: str) -> None:
    """The feed of whom it is about says so."""
    if row.record_id is not None:
        data = {"title": row.title, "due_us": row.due_us, "user_id": row.user_id}
        activities.add(work, row.record_id, kind, row.id, data)
