"""Working through a call list over the API: preview, call, summary, next; and who sees what of it (L1 to L5, N6)."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from crm.services import opt_outs, outcomes, people, settings
from pbx.core.commands import DialOut, RingPhone
from pbx.core.events import LegAnswered, LegEnded, LegRinging
from pbx.core.ids import CallId
from tests.integration.web.test_events import Follower
from tests.integration.web.test_greeting import tone
from tests.integration.web.test_imports import ended, upload
from tests.integration.web.world import Someone, World
from tests.support.waiting import Deadline

Run = dict[str, Any]
WITHIN_S = 8.0


async def make_list(world: World, who: Someone, count: int = 3, **values: Any) -> dict[str, Any]:
    records = []
    async with world.engine.store.write() as work:
        for number in range(count):
            numbers = {"work": f"+1206555{number:04}", "mobile": f"+1206444{number:04}"}
            phones = [{"label": label, "number": each} for label, each in numbers.items()]
            records.append((await people.add(work, "lead", {"name": f"Lead {number}", "phones": phones})).id)
    status, made = await world.ask("POST", "/lists", who, {"name": "Spring", "preview_s": 0, "wrap_up_s": 0} | values)
    assert status == 201, made
    status, filled = await world.ask("POST", f"/lists/{made['id']}/entries", who, {"record_ids": records})
    assert status == 200 and filled["brought"] == {"added": count, "already": 0, "without_number": 0}
    return filled["list"]


async def act(world: World, who: Someone, what: str, body: Any = None, *, status: int = 200) -> Any:
    got, answer = await world.ask("POST", f"/list-run{what}", who, body)
    assert got == status, answer
    return answer


async def now(world: World, who: Someone) -> Any:
    return (await world.ask("GET", "/list-run", who))[1]["list_run"]


async def until(condition: Callable[[], Awaitable[bool]], what: str) -> None:
    """The work beside the requests is done within moments."""
    deadline = Deadline(WITHIN_S)
    while not await condition():
        assert not deadline.over, f"Not within {WITHIN_S:g} s: {what}"
        await asyncio.sleep(0.02)


def pass_by(world: World, seconds: int) -> None:
    clock = world.engine.store.clock
    world.engine.store.clock = lambda: clock() + seconds * 1_000_000


async def phase(world: World, who: Someone, wanted: str) -> Run:
    """The run once it is in this phase."""
    found: list[Run] = []

    async def there() -> bool:
        found[:] = [await now(world, who)]
        return bool(found[0] and found[0]["run"]["phase"] == wanted)

    await until(there, f"the run in the phase {wanted}, but {found}")
    return found[0]


def answer(world: World, call: CallId) -> None:
    """The user's phone picks up by itself, then the customer answers."""
    own = world.leg(call, RingPhone)
    world.engine.calls.deliver(call, LegRinging(own))
    world.engine.calls.deliver(call, LegAnswered(own))
    far = world.leg(call, DialOut)
    world.engine.calls.deliver(call, LegRinging(far))
    world.engine.calls.deliver(call, LegAnswered(far))


@pytest.mark.covers("L2", "L5")
async def test_a_list_is_worked_through_preview_call_summary_next_and_goes_on_where_it_stood(world: World) -> None:
    made = await make_list(world, world.mio)
    shown = await act(world, world.mio, "", {"list_id": made["id"]}, status=200)
    assert (shown["run"]["phase"], shown["entry"]["name"], shown["entry"]["display"]) == (
        "preview",
        "Lead 0",
        "(206) 555-0000",
    )
    calling = await act(world, world.mio, "/dial", {})
    call = CallId(calling["run"]["call_id"])
    answer(world, call)
    world.end(call)
    await phase(world, world.mio, "wrap_up")
    status, found = await world.ask("GET", f"/calls/{call}", world.mio)
    assert status == 200 and found["record_id"] == shown["entry"]["record_id"]
    status, _ = await world.ask("POST", f"/calls/{call}/summary/save", world.mio, {"notes": "Fine."})
    assert status == 200
    second = await phase(world, world.mio, "preview")
    assert second["entry"]["name"] == "Lead 1"
    await act(world, world.mio, "/stop")
    assert await now(world, world.mio) is None
    again = await act(world, world.mio, "", {"list_id": made["id"]})
    assert again["entry"]["name"] == "Lead 1"
    entries = (await world.ask("GET", f"/lists/{made['id']}/entries", world.mio))[1]["items"]
    assert [(each["state"], each["result"], each["held_by"]) for each in entries] == [
        ("done", "answered", None),
        ("waiting", None, world.mio.id),
        ("waiting", None, None),
    ]


@pytest.mark.covers("S6", "L2")
async def test_where_a_summary_is_required_the_next_entry_waits_for_it(world: World) -> None:
    made = await make_list(world, world.mio, wrap_up="required")
    await act(world, world.mio, "", {"list_id": made["id"]})
    call = CallId((await act(world, world.mio, "/dial", {}))["run"]["call_id"])
    answer(world, call)
    world.end(call)
    wrapping = await phase(world, world.mio, "wrap_up")
    assert wrapping["list"]["wrap_up_required"]
    refused = await act(world, world.mio, "/next", status=409)
    assert refused["code"] == "wrap_up_required"
    await world.ask("POST", f"/calls/{call}/summary/save", world.mio, {})
    assert (await phase(world, world.mio, "preview"))["entry"]["name"] == "Lead 1"


@pytest.mark.covers("L2")
async def test_the_countdown_dials_by_itself_and_typing_pauses_it(world: World) -> None:
    made = await make_list(world, world.mio, preview_s=30)
    shown = await act(world, world.mio, "", {"list_id": made["id"]})
    assert shown["run"]["due_us"] > shown["now_us"]
    held = await act(world, world.mio, "/hold", {"held": True})
    assert held["run"]["due_us"] is None and held["run"]["held_us"] > 0
    again = await act(world, world.mio, "/hold", {"held": False})
    assert again["run"]["due_us"] - again["now_us"] <= held["run"]["held_us"]
    pass_by(world, 31)
    await act(world, world.mio, "/beat")
    assert (await phase(world, world.mio, "calling"))["run"]["call_id"]


@pytest.mark.covers("L3")
async def test_two_users_work_on_a_shared_list_without_meeting_and_who_goes_away_gives_back(world: World) -> None:
    made = await make_list(world, world.mio, shared=True)
    first = await act(world, world.mio, "", {"list_id": made["id"]})
    second = await act(world, world.sam, "", {"list_id": made["id"]})
    assert first["entry"]["id"] != second["entry"]["id"]
    pass_by(world, 60)
    await act(world, world.sam, "/beat")
    paused = await phase(world, world.mio, "idle")
    assert paused["run"]["paused"] == "away"
    taken = await act(world, world.sam, "/skip", {"reason": "later", "minutes": 30})
    assert taken["entry"]["id"] == first["entry"]["id"]


@pytest.mark.covers("L4")
async def test_who_may_not_be_called_now_is_left_and_it_is_said_why_and_until_when(world: World) -> None:
    made = await make_list(world, world.mio, 2)
    async with world.engine.store.write() as work:
        await settings.change(work, "gate.deny_prefixes", ["+12065550000"])
    await world.engine.reload()
    shown = await act(world, world.mio, "", {"list_id": made["id"]})
    assert shown["entry"]["name"] == "Lead 1"
    morning = world.engine.clock.now() + 3_600_000_000
    world.engine.hours.closed["US"] = morning
    waiting = await act(world, world.mio, "/dial", {})
    assert (waiting["run"]["phase"], waiting["run"]["reason"], waiting["run"]["due_us"]) == (
        "idle",
        "outside_hours",
        morning,
    )
    entries = (await world.ask("GET", f"/lists/{made['id']}/entries?state=out", world.mio))[1]["items"]
    assert [(each["name"], each["reason"]) for each in entries] == [("Lead 0", "prefix_denied")]
    [night] = (await world.ask("GET", f"/lists/{made['id']}/entries?state=waiting", world.mio))[1]["items"]
    assert (night["reason"], night["due_us"]) == ("outside_hours", morning)


@pytest.mark.covers("L4", "T7")
async def test_who_has_written_stop_is_left_by_lists_at_once_and_may_be_dialled_by_hand(world: World) -> None:
    made = await make_list(world, world.mio, 2)
    status, _ = await world.ask("POST", "/opt-outs", world.sam, {"number": "+12065550000"})
    assert status == 201
    await world.engine.reload()
    shown = await act(world, world.mio, "", {"list_id": made["id"]})
    assert shown["entry"]["name"] == "Lead 1"
    entries = (await world.ask("GET", f"/lists/{made['id']}/entries?state=out", world.mio))[1]["items"]
    assert [(each["name"], each["reason"]) for each in entries] == [("Lead 0", "opted_out")]
    assert world.engine.gate.check(world.mio.id, "+12065550000").allowed
    async with world.engine.store.write() as work:
        await opt_outs.remove(work, "+12065550000")
    await world.engine.reload()
    assert world.engine.gate.check(world.mio.id, "+12065550000", listed=True).allowed


async def test_a_call_that_cannot_be_made_pauses_the_run_and_the_entry_is_as_it_was(world: World) -> None:
    made = await make_list(world, world.mio, 1)
    world.engine.registrations.bindings[world.mio.device] = 0
    await act(world, world.mio, "", {"list_id": made["id"]})
    paused = await act(world, world.mio, "/dial", {})
    assert (paused["run"]["phase"], paused["run"]["paused"]) == ("preview", "no_phone")
    assert (paused["entry"]["calls"], paused["entry"]["last_call_us"]) == (0, None)
    call = await _dial_after_resume(world)
    world.engine.calls.deliver(call, LegEnded(world.leg(call, RingPhone), 19))
    again = await phase(world, world.mio, "preview")
    assert (again["run"]["paused"], again["entry"]["calls"]) == ("own_phone", 0)


async def _dial_after_resume(world: World) -> CallId:
    world.engine.registrations.bindings[world.mio.device] = 1
    await act(world, world.mio, "/resume")
    return CallId((await act(world, world.mio, "/dial", {"number": "+12064440000"}))["run"]["call_id"])


@pytest.mark.covers("L5")
async def test_the_owner_and_managers_see_how_it_goes_and_are_told_live(world: World) -> None:
    made = await make_list(world, world.mio, shared=True)
    async with Follower(world, world.alex) as stream:
        await act(world, world.sam, "", {"list_id": made["id"]})
        while (event := await stream.next())["type"] != "list" or not event["progress"]["reps"]:
            pass
    assert event["progress"]["reps"][0]["user_id"] == world.sam.id
    assert event["progress"]["counts"] == {"waiting": 3, "leased": 1, "done": 0, "out": 0}
    status, refused = await world.ask("GET", f"/lists/{made['id']}/progress", world.sam)
    assert (status, refused["code"]) == (403, "not_yours")
    assert (await world.ask("GET", f"/lists/{made['id']}/progress", world.mio))[0] == 200


@pytest.mark.covers("A6")
async def test_a_list_is_written_as_csv_in_its_order(world: World) -> None:
    made = await make_list(world, world.mio)
    status, raw = await world.ask("GET", f"/lists/{made['id']}/export", world.mio)
    lines = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"))))
    assert status == 200 and [line["name"] for line in lines] == ["Lead 0", "Lead 1", "Lead 2"]


async def test_a_filter_fills_a_list_beside_everything_else(world: World) -> None:
    made = await make_list(world, world.mio, 1)
    async with world.engine.store.write() as work:
        for number in range(3):
            await people.add(work, "contact", {"name": f"P {number}", "phones": [{"number": f"+1206777{number:04}"}]})
    status, filled = await world.ask("POST", f"/lists/{made['id']}/entries", world.mio, {"filter": {"kind": "contact"}})
    assert status == 200 and filled["brought"] is None and filled["list"]["filling"] == 0

    async def full() -> bool:
        found = (await world.ask("GET", f"/lists/{made['id']}", world.mio))[1]
        return bool(found["filling"] is None and found["counts"]["waiting"] == 4)

    await until(full, "a full list")


@pytest.mark.covers("N6")
async def test_who_has_no_call_lists_is_told_whom_to_ask(world: World) -> None:
    async with world.engine.store.write() as work:
        await settings.change(work, "lists.roles", ["manager", "admin"])
    status, refused = await world.ask("POST", "/lists", world.mio, {"name": "Mine"})
    assert (status, refused["code"]) == (403, "lists_off")
    assert (await world.ask("POST", "/lists", world.alex, {"name": "Mine"}))[0] == 201


@pytest.mark.covers("L2")
async def test_a_message_is_left_by_one_request_and_the_next_entry_follows_at_once(world: World) -> None:
    async with world.engine.store.write() as work:
        left = await outcomes.add(work, {"name": "Message left"})
    made = await make_list(world, world.mio, drop_outcome_id=left.id, wrap_up="required")
    url = world.server.make_url("/api/v1/me/drops?name=Short")
    headers = {**world.mio.bearer, "Content-Type": "audio/wav"}
    async with world.http.post(url, data=tone(1), headers=headers) as response:
        drop = await response.json()
        assert response.status == 201 and drop["duration_ms"] == pytest.approx(1000, abs=20)
    status, _ = await world.ask("GET", f"/me/drops/{drop['id']}/sound", world.sam)
    assert status == 404
    await act(world, world.mio, "", {"list_id": made["id"]})
    call = CallId((await act(world, world.mio, "/dial", {}))["run"]["call_id"])
    answer(world, call)
    status, gone_on = await world.ask("POST", f"/calls/{call}/drop", world.mio, {"drop_id": drop["id"]})
    assert (status, gone_on["state"]) == (200, "dropping")
    assert (await phase(world, world.mio, "preview"))["entry"]["name"] == "Lead 1"
    status, summary = await world.ask("GET", f"/calls/{call}/summary", world.mio)
    assert (summary["state"], summary["outcome"]["name"]) == ("saved", "Message left")
    world.end(call)

    async def told() -> bool:
        entries = (await world.ask("GET", f"/lists/{made['id']}/entries", world.mio))[1]["items"]
        return bool(entries[0]["result"] == "voicemail_drop" and entries[0]["outcome_id"] == left.id)

    await until(told, "what came of it")


@pytest.mark.covers("L1", "A6")
async def test_a_csv_file_becomes_entries_in_its_order_and_says_whose_lines_cannot_be_called(world: World) -> None:
    made = await make_list(world, world.alex, 0)
    status, uploaded = await upload(
        world, "name,phone\nAnn,+1 415 555 0150\nBob,\nCem,nonsense\nDee,+81 90-1234-5678\n"
    )
    assert status == 201
    body = {"kind": "lead", "list_id": made["id"]}
    status, begun = await world.ask("POST", f"/imports/{uploaded['id']}/start", world.alex, body)
    assert status == 200, begun
    end = await ended(world, uploaded)
    assert [end[each] for each in ("lines", "added", "unchanged", "refused")] == [4, 3, 0, 2]
    entries = (await world.ask("GET", f"/lists/{made['id']}/entries", world.alex))[1]["items"]
    assert [(each["name"], each["time_zones"]) for each in entries] == [
        ("Ann", ["America/Los_Angeles"]),
        ("Dee", ["Asia/Tokyo"]),
    ]
    _, report = await world.ask("GET", f"/imports/{uploaded['id']}/report", world.alex)
    assert "no telephone number that could be called" in report.decode()


@pytest.mark.covers("L1", "A6")
async def test_a_rep_imports_people_into_a_list_of_their_own_alone_and_they_are_theirs(world: World) -> None:
    mine, other = (
        await make_list(world, world.mio, 0),
        await make_list(world, world.alex, 0, name="Autumn", shared=True),
    )
    _, uploaded = await upload(world, "name,phone\nAnn,+1 415 555 0150\nCem,nonsense\n", by=world.mio)
    path = f"/imports/{uploaded['id']}"
    for body in (
        {"kind": "lead"},
        {"kind": "lead", "list_id": other["id"]},
        {"kind": "lead", "list_id": mine["id"], "owner_id": world.sam.id},
    ):
        assert (await world.ask("POST", f"{path}/start", world.mio, body))[0] == 403, body
    for method, what in (("GET", path), ("GET", f"{path}/report"), ("DELETE", path)):
        assert (await world.ask(method, what, world.sam))[0] == 404, "another rep sees nothing of it"
    status, _ = await world.ask("POST", f"{path}/start", world.mio, {"kind": "lead", "list_id": mine["id"]})
    assert status == 200
    await ended(world, uploaded)
    _, report = await world.ask("GET", f"{path}/report", world.mio)
    assert "Cem" in report.decode()
    [entry] = (await world.ask("GET", f"/lists/{mine['id']}/entries", world.mio))[1]["items"]
    _, record = await world.ask("GET", f"/records/{entry['record_id']}", world.mio)
    assert (record["name"], record["owner_id"]) == ("Ann", world.mio.id)


@pytest.mark.covers("L4")
async def test_a_do_not_call_list_from_outside_is_uploaded_and_the_gate_refuses_its_numbers(world: World) -> None:
    world.engine.follow()
    _, uploaded = await upload(world, "number\n+12065550000\n+12065550777\n")
    body = {"import_id": uploaded["id"], "name": "Register", "source": "Somebody"}
    status, _ = await world.ask("POST", "/do-not-call-lists", world.robin, body)
    assert status == 200
    end = await ended(world, uploaded)
    assert (end["kind"], end["added"], end["refused"]) == ("do_not_call", 2, 0)
    listed = (await world.ask("GET", "/do-not-call-lists", world.alex))[1]["items"]
    assert [(each["name"], each["numbers"]) for each in listed] == [("Register", 2)]
    await world.engine.reload()  # the import was another process's
    made = await make_list(world, world.mio, 2)
    shown = await act(world, world.mio, "", {"list_id": made["id"]})
    assert shown["entry"]["name"] == "Lead 1"
