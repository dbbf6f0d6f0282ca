"""Tasks: reps their own, managers all; a reminder is given once (S5)."""

from __future__ import annotations

import pytest

from crm.errors import Refused
from crm.services import activities, deals, people, tasks, users
from crm.unit_of_work import Actor, Store

HOUR_US = 3_600_000_000


async def someone(store: Store, name: str, role: str = "rep") -> Actor:
    async with store.write() as work:
        made = await users.add(work, {"email": f"{name}@x.example", "name": name, "role": role})
    return Actor("user", made.id, made.name, made.role)


@pytest.mark.covers("S5")
async def test_a_task_is_made_listed_by_its_moment_done_and_shown_in_the_feed(store: Store) -> None:
    mio = await someone(store, "mio")
    async with store.write(mio) as work:
        record = await people.add(work, "lead", {"name": "Ann"})
        deal = await deals.add(work, {"name": "Tea", "record_id": record.id})
        later = await tasks.add(work, {"title": "Send quote", "due_us": work.at_us + 2 * HOUR_US, "deal_id": deal.id})
        sooner = await tasks.add(work, {"title": "Call back", "due_us": work.at_us + HOUR_US})
    assert (later.user_id, later.author_id, later.record_id) == (mio.id, mio.id, record.id)
    async with store.read() as session:
        first = await tasks.page(session, user_id=mio.id, limit=1)
        rest = await tasks.page(session, user_id=mio.id, limit=1, cursor=first.next_cursor)
        assert [*first.items, *rest.items] == [sooner, later] and rest.next_cursor is None
        assert (await tasks.page(session, due_before_us=later.due_us)).items == [sooner]
        assert (await tasks.page(session, record_id=record.id)).items == [later]
    async with store.write(mio) as work:
        done = await tasks.change(work, later.id, {"done": True})
        assert (await tasks.change(work, later.id, {"done": True})).done_us == done.done_us
    async with store.read() as session:
        assert [task.id for task in (await tasks.page(session, state="done")).items] == [later.id]
        kinds = {line.kind for line in (await activities.page(session, record.id)).items}
    assert {"task.add", "task.done"} <= kinds
    async with store.write(mio) as work:
        assert (await tasks.change(work, later.id, {"done": False})).done_us is None
        await tasks.remove(work, later.id)
        with pytest.raises(Refused, match="no task"):
            await tasks.change(work, later.id, {"title": "Gone"})


@pytest.mark.covers("S5")
async def test_reps_touch_their_own_tasks_and_managers_everybodys(store: Store) -> None:
    mio, sam = await someone(store, "mio"), await someone(store, "sam")
    alex = await someone(store, "alex", "manager")
    async with store.write(alex) as work:
        task = await tasks.add(work, {"title": "Call Ann", "due_us": 1, "user_id": sam.id})
    assert (task.user_id, task.author_id) == (sam.id, alex.id)
    for attempt in (
        {"title": "Call Ann", "due_us": 1, "user_id": sam.id},
        {"title": "Call Ann", "due_us": 1, "user_id": "u_none"},
    ):
        with pytest.raises(Refused) as refused:
            async with store.write(mio) as work:
                await tasks.add(work, attempt)
        assert refused.value.status == 403
    async with store.write(mio) as work:
        for ask in (tasks.change(work, task.id, {"done": True}), tasks.remove(work, task.id)):
            with pytest.raises(Refused, match="somebody else"):
                await ask
    async with store.write(alex) as work:
        assert (await tasks.change(work, task.id, {"user_id": mio.id})).user_id == mio.id


@pytest.mark.covers("S5")
async def test_a_reminder_is_given_once_and_again_only_where_its_moment_is_moved(store: Store) -> None:
    mio = await someone(store, "mio")
    async with store.write(mio) as work:
        now = work.at_us
        due = await tasks.add(work, {"title": "Now", "due_us": now, "remind_us": now - 1})
        await tasks.add(work, {"title": "Later", "due_us": now, "remind_us": now + HOUR_US})
        await tasks.add(work, {"title": "Never", "due_us": now})
        await tasks.add(work, {"title": "Done", "due_us": now, "remind_us": now - 1, "done": True})
    async with store.write() as work:
        assert [task.id for task in await tasks.take_reminders(work)] == [due.id]
    async with store.write() as work:
        assert await tasks.take_reminders(work) == []
    async with store.read() as session:
        assert await tasks.next_reminder(session) == now + HOUR_US
    async with store.write(mio) as work:
        assert (await tasks.change(work, due.id, {"remind_us": now - 2})).reminded_us is None
    async with store.write() as work:
        assert [task.title for task in await tasks.take_reminders(work)] == ["Now"]


@pytest.mark.covers("S5")
async def test_tasks_outlive_the_record_that_they_are_about(store: Store) -> None:
    mio = await someone(store, "mio")
    async with store.write(mio) as work:
        record = await people.add(work, "lead", {"name": "Ann"})
        task = await tasks.add(work, {"title": "Call back", "due_us": 1, "record_id": record.id})
    async with store.write(mio) as work:
        await people.remove(work, record.id)
    async with store.read() as session:
        assert (await tasks.show(session, task.id)).record_id is None
