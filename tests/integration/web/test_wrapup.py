"""After a call: each user's summary, outcomes, tasks and reminders, through the API and the event stream."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from crm.repositories import journal
from crm.services import outcomes, summaries
from pbx.services.hub import Listener
from pbx.services.wrapup import WrapUp
from tests.integration.store.makers import call_row
from tests.integration.web.test_events import Follower
from tests.integration.web.world import Someone, World
from tests.support.waiting import Deadline, until

WITHIN_S = 5.0
HOUR_US = 3_600_000_000


def told(world: World) -> int:
    """The number of an event that everybody gets, after all that has happened."""
    world.engine.hub.directory_changed()
    return world.engine.hub.number


async def outcome(world: World, name: str = "Connected") -> str:
    async with world.engine.store.write() as work:
        return (await outcomes.add(work, {"name": name, "colour": "#16a34a"})).id


async def lead(world: World, name: str = "Ann") -> str:
    _, made = await world.ask("POST", "/records", world.mio, {"kind": "lead", "name": name})
    return str(made["id"])


async def draft(world: World, who: Someone, call: str) -> dict[str, Any]:
    """As it is given when the call is over."""

    async def given() -> Any:
        async with world.engine.store.read() as session:
            found = await summaries.show(session, call, who.id)
        return found is not None and found.call_ended_us is not None

    deadline = Deadline(WITHIN_S)
    while not await given():
        assert not deadline.over, "no summary was given"
        await asyncio.sleep(0.02)
    return dict((await world.ask("GET", f"/calls/{call}/summary", who))[1])


@pytest.mark.covers("S1", "S2", "S3", "S6", "S7")
async def test_a_call_is_wrapped_up_and_stands_on_the_record(world: World) -> None:
    connected, ann = await outcome(world), await lead(world)
    call = world.talk(world.mio)
    world.end(call)
    begun = await draft(world, world.mio, call)
    assert (begun["state"], begun["role"], begun["outcome"], begun["notes"]) == ("draft", "host", None, "")
    said = {"outcome_id": connected, "notes": "Wants a quote"}
    status, kept = await world.ask("PUT", f"/calls/{call}/summary", world.mio, said)
    assert (status, kept["state"], kept["outcome"]["name"]) == (200, "draft", "Connected")
    _, listed = await world.ask("GET", "/summaries?state=draft", world.mio)
    assert [each["call_id"] for each in listed["items"]] == [call]
    status, saved = await world.ask("POST", f"/calls/{call}/summary/save", world.mio, {"record_id": ann})
    assert (status, saved["state"], saved["record_type"], saved["notes"]) == (200, "saved", "lead", "Wants a quote")
    assert (await world.ask("GET", "/summaries?state=draft", world.mio))[1]["items"] == []
    _, shown = await world.ask("GET", f"/calls/{call}", world.mio)
    assert (shown["record_id"], shown["notes"], shown["outcome"]["id"]) == (ann, "Wants a quote", connected)
    assert [each["user_id"] for each in shown["summaries"]] == [world.mio.id]
    _, page = await world.ask("GET", f"/records/{ann}/notes", world.sam)
    assert [(note["text"], note["call_id"]) for note in page["items"]] == [("Wants a quote", call)]
    await world.stored()
    _, page = await world.ask("GET", f"/records/{ann}/activity", world.mio)
    line = next(each for each in page["items"] if each["kind"] == "call")
    assert (line["object_id"], line["data"]["outcome"]["name"]) == (call, "Connected")


@pytest.mark.covers("S2", "R1")
async def test_the_log_shows_and_finds_what_was_said_of_calls(world: World) -> None:
    connected, other = await outcome(world), await outcome(world, "Wrong number")
    first, second = world.talk(world.mio), world.talk(world.sam)
    for call, who, said in ((first, world.mio, connected), (second, world.sam, other)):
        world.end(call)
        await world.ask("POST", f"/calls/{call}/summary/save", who, {"outcome_id": said})
    await world.stored()
    for who, said, expected in (
        (world.alex, connected, [first]),
        (world.alex, other, [second]),
        (world.mio, connected, [first]),
        (world.mio, other, []),
    ):
        _, page = await world.ask("GET", f"/calls?outcome={said}", who)
        assert [each["id"] for each in page["items"]] == expected
        assert all(each["outcome"]["id"] == said for each in page["items"])
    _, page = await world.ask("GET", "/calls", world.alex)
    assert {each["outcome"]["name"] for each in page["items"]} == {"Connected", "Wrong number"}


@pytest.mark.covers("V11", "C13")
async def test_notes_of_each_user_are_their_own(world: World) -> None:
    call = world.ring(world.mio, "+14155550102", world.sam.id)
    for who, notes in ((world.mio, "of mio"), (world.sam, "of sam 📞")):
        status, shown = await world.ask("PUT", f"/calls/{call}/notes", who, {"notes": notes})
        assert (status, shown["notes"]) == (200, notes)
    for who, notes in ((world.mio, "of mio"), (world.sam, "of sam 📞")):
        assert (await world.ask("GET", f"/calls/{call}", who))[1]["notes"] == notes
        assert (await world.ask("GET", f"/calls/{call}/summary", who))[1]["notes"] == notes
    _, seen = await world.ask("GET", f"/calls/{call}", world.sam)
    assert [each["user_id"] for each in seen["summaries"]] == [world.sam.id], "drafts of others are not shown"
    assert len((await world.ask("GET", f"/calls/{call}", world.alex))[1]["summaries"]) == 2
    world.end(call)


@pytest.mark.covers("S6", "TRUST21")
async def test_a_summary_is_its_users_and_managers_may_read_it(world: World) -> None:
    call = world.talk(world.sam)
    await world.ask("PUT", f"/calls/{call}/summary", world.sam, {"notes": "of sam"})
    for method, path, body in (
        ("GET", f"/calls/{call}/summary", None),
        ("PUT", f"/calls/{call}/summary", {"notes": "of mio"}),
        ("POST", f"/calls/{call}/summary/save", {}),
    ):
        status, problem = await world.ask(method, path, world.mio, body)
        assert (status, problem["code"]) == (403, "forbidden"), (method, path)
    status, problem = await world.ask("PUT", f"/calls/{call}/summary", world.robin, {"notes": "of robin"})
    assert status == 403, "nor does an admin write for others"
    _, read = await world.ask("GET", f"/calls/{call}/summary?user={world.sam.id}", world.alex)
    assert read["notes"] == "of sam"
    for who, path, expected in (
        (world.alex, f"/calls/{call}/summary", 404),
        (world.alex, f"/calls/{call}/summary?user=u_none", 404),
        (world.sam, f"/calls/{call}/summary?user={world.mio.id}", 403),
        (world.sam, "/calls/c_none/summary", 404),
        (world.sam, "/summaries?state=lost", 422),
    ):
        assert (await world.ask("GET", path, who))[0] == expected, path
    status, problem = await world.ask("PUT", f"/calls/{call}/summary", world.sam, {"outcome_id": "out_none"})
    assert (status, problem["field"]) == (422, "outcome_id")


@pytest.mark.covers("P3", "S1")
async def test_a_summary_of_a_call_of_an_earlier_run_is_written_on_and_not_given_again(world: World) -> None:
    call = world.talk(world.mio)
    world.end(call)
    first = await draft(world, world.mio, call)
    async with world.engine.store.write() as work:
        assert await summaries.give_due(work) == (0, [])
    async with Follower(world, world.mio) as mio:
        world.engine.records._records.clear()  # another run
        status, saved = await world.ask("POST", f"/calls/{call}/summary/save", world.mio, {"notes": "late"})
        assert (status, saved["created_us"]) == (200, first["created_us"])
        await mio.follow(told(world))
        assert mio.seen["summaries"] == []
    await world.stored()
    assert (await world.ask("GET", f"/calls/{call}", world.mio))[1]["notes"] == "late"


@pytest.mark.covers("S6", "A5")
async def test_drafts_and_tasks_are_in_the_snapshot_and_followed_and_nobody_elses(world: World) -> None:
    now = world.engine.clock.now()
    async with Follower(world, world.mio) as mio, Follower(world, world.alex) as alex:
        call = world.talk(world.mio)
        world.end(call)
        await draft(world, world.mio, call)
        await world.ask("PUT", f"/calls/{call}/summary", world.mio, {"notes": "typed"})
        for title, due_us in (("Later", now + 2 * HOUR_US), ("Overdue", now - HOUR_US), ("Far", now + 999 * HOUR_US)):
            await world.ask("POST", "/tasks", world.mio, {"title": title, "due_us": due_us})
        await mio.follow(told(world))
        await alex.follow(told(world))
        assert alex.seen["summaries"] == [] and alex.seen["tasks"] == []
        async with Follower(world, world.mio) as fresh:
            assert [each["title"] for each in fresh.seen["tasks"]] == ["Overdue", "Later"]
            assert [each["notes"] for each in fresh.seen["summaries"]] == ["typed"]
            for name in ("summaries", "tasks", "calls"):
                assert mio.seen[name] == fresh.seen[name]
            for task in fresh.seen["tasks"]:
                await world.ask("PATCH", f"/tasks/{task['id']}", world.mio, {"done": True})
            await fresh.follow(told(world))
            assert fresh.seen["tasks"] == []


@pytest.mark.covers("S5")
async def test_a_task_given_to_another_leaves_the_one_and_reaches_the_other(world: World) -> None:
    now = world.engine.clock.now()
    _, task = await world.ask("POST", "/tasks", world.mio, {"title": "Call Ann", "due_us": now})
    async with Follower(world, world.mio) as mio, Follower(world, world.sam) as sam:
        status, _ = await world.ask("PATCH", f"/tasks/{task['id']}", world.alex, {"user_id": world.sam.id})
        assert status == 200
        for each in (mio, sam):
            await each.follow(told(world))
        assert mio.seen["tasks"] == [] and [each["title"] for each in sam.seen["tasks"]] == ["Call Ann"]
    for who, method, expected in ((world.mio, "PATCH", 403), (world.mio, "DELETE", 403), (world.sam, "DELETE", 204)):
        body = {"done": True} if method == "PATCH" else None
        assert (await world.ask(method, f"/tasks/{task['id']}", who, body))[0] == expected
    assert (await world.ask("GET", f"/tasks?user={world.sam.id}", world.mio))[0] == 403
    status, problem = await world.ask(
        "POST", "/tasks", world.mio, {"title": "X", "due_us": now, "user_id": world.sam.id}
    )
    assert (status, problem["field"]) == (403, "user_id")


@pytest.mark.covers("S5")
async def test_a_reminder_comes_at_its_moment_once_to_its_user_alone(world: World) -> None:
    listeners = {who.id: Listener(who.id, who.user.role != "rep", lambda: None) for who in (world.mio, world.alex)}
    for listener in listeners.values():
        world.engine.hub.listen(listener)

    def reminders(who: Someone) -> int:
        return sum(b'"reminder"' in frame for frame in listeners[who.id].frames)

    now = world.engine.clock.now()
    task = {"title": "Call Ann", "due_us": now + HOUR_US, "remind_us": now + 300_000}
    await world.ask("POST", "/tasks", world.mio, task)
    assert reminders(world.mio) == 0
    await until(lambda: reminders(world.mio) == 1, WITHIN_S, "the reminder came")
    world.engine.reminders.changed()  # as after a start
    _, page = await world.ask("GET", "/tasks", world.mio)
    assert page["items"][0]["reminded_us"] >= task["remind_us"]
    assert (reminders(world.mio), reminders(world.alex)) == (1, 0)


@pytest.mark.covers("P3", "S1")
async def test_an_engine_that_starts_gives_the_summaries_that_an_earlier_one_could_not(world: World) -> None:
    row = call_row(1_700_000_000_000_000, user_id=world.mio.id, answered_us=1_700_000_000_000_001, direction="inbound")
    own = {"call_id": row["id"], "created_us": row["created_us"], "number": 1, "role": "host", "user_id": world.mio.id}
    async with world.engine.store.journal() as batch:
        journal.upsert_calls(batch, [row])
        journal.upsert_participants(batch, [own])
    starting = asyncio.ensure_future(WrapUp(world.engine.store, world.engine.hub).run())
    given = await draft(world, world.mio, row["id"])
    assert (given["state"], given["role"]) == ("draft", "host")
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
