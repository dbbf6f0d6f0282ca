"""What is done with many calls of the log at once (R1, R4)."""

from __future__ import annotations

import asyncio
import csv
import io
import json

import pytest

from pbx.cli import main
from tests.integration.web.world import CUSTOMER, World


async def exported(world: World, who: str, **body: object) -> list[dict[str, str]]:
    someone = getattr(world, who)
    async with world.http.post(
        world.server.make_url("/api/v1/calls/export"), json=body, headers=someone.bearer
    ) as response:
        assert response.status == 200, await response.text()
        assert "calls.csv" in response.headers["Content-Disposition"]
        return list(csv.DictReader(io.StringIO((await response.read()).decode("utf-8-sig"))))


async def two_calls(world: World) -> tuple[str, str]:
    """One of Mio's and one of Sam's, both over."""
    made = []
    for someone in (world.mio, world.sam):
        call = world.talk(someone)
        world.end(call)
        made.append(str(call))
    await world.stored()
    return made[0], made[1]


@pytest.mark.covers("R1", "R4")
async def test_calls_are_exported_by_the_filter_or_by_name_each_user_their_own(world: World) -> None:
    mios, sams = await two_calls(world)
    [mine] = await exported(world, "mio")
    assert (mine["id"], mine["number"], mine["user"], mine["result"]) == (mios, CUSTOMER, "Mio", "answered")
    assert {row["id"] for row in await exported(world, "robin")} == {mios, sams}
    assert [row["id"] for row in await exported(world, "robin", call_ids=[sams])] == [sams]
    assert await exported(world, "mio", call_ids=[sams]) == []
    assert await exported(world, "robin", filter={"direction": "outbound"}) == []
    status, _ = await world.ask("POST", "/calls/export", world.mio, {"filter": {"user": world.sam.id}})
    assert status == 403


@pytest.mark.covers("R1", "L1")
async def test_the_people_of_calls_go_into_a_call_list_each_once(world: World) -> None:
    values = {"kind": "contact", "name": "Ann Lee", "phones": [{"label": "work", "number": CUSTOMER}]}
    _, person = await world.ask("POST", "/records", world.mio, values)
    mios, sams = await two_calls(world)
    for call in (mios, sams):
        link = {"record_id": person["id"]}
        status, said = await world.ask("PUT", f"/calls/{call}/record", world.robin, link)
        assert status in (200, 204), said
    await world.stored()
    _, made = await world.ask("POST", "/lists", world.mio, {"name": "Again"})
    path = f"/lists/{made['id']}/entries"
    status, filled = await world.ask("POST", path, world.mio, {"calls": {"filter": {"direction": "inbound"}}})
    assert (status, filled["brought"]["added"]) == (200, 1)
    status, filled = await world.ask("POST", path, world.mio, {"calls": {"call_ids": [mios]}})
    assert (filled["brought"]["added"], filled["brought"]["already"]) == (0, 1)
    status, problem = await world.ask("POST", path, world.mio, {"calls": {}, "record_ids": []})
    assert (status, problem["code"]) == (422, "invalid")


@pytest.mark.covers("V10", "R1")
async def test_recordings_of_chosen_calls_are_destroyed_by_who_may_and_what_is_held_stays(world: World) -> None:
    (mios, mine), (sams, other) = [await world.recorded(who, b"sound") for who in (world.mio, world.sam)]
    await world.ask("POST", "/law/holds", world.robin, {"kind": "recording", "object": other, "reason": "Case 7"})
    path, chosen = "/calls/recordings/erase", {"call_ids": [mios, sams]}
    status, found = await world.ask("POST", path, world.robin, chosen | {"dry_run": True})
    assert (status, found["calls"], found["recordings"], found["held"], found["bytes"]) == (200, 2, 1, 1, 5)
    assert (await world.ask("GET", f"/recordings/{mine}/sound", world.mio))[0] == 200, "nothing was destroyed yet"
    _, found = await world.ask("POST", path, world.alex, chosen)
    assert (found["recordings"], found["not_yours"]) == (0, 2), "a manager had no part in them"
    _, found = await world.ask("POST", path, world.sam, {"filter": {}})
    assert (found["calls"], found["recordings"], found["held"]) == (1, 0, 1), "a rep asks for their own"
    _, found = await world.ask("POST", path, world.mio, chosen)
    assert (found["calls"], found["recordings"]) == (1, 1)
    assert not (world.engine.recordings_dir / f"{mine}.opus").exists()
    assert (world.engine.recordings_dir / f"{other}.opus").exists()
    await world.stored()
    status, _ = await world.ask("GET", f"/recordings/{mine}/sound", world.mio)
    _, shown = await world.ask("GET", f"/calls/{mios}", world.mio)
    assert (status, shown["recording_state"]) == (410, "erased")
    assert [fact["data"]["by"] for fact in shown["timeline"] if fact["kind"] == "recording.erased"] == [world.mio.id]
    _, audit = await world.ask("GET", f"/audit?object_id={mine}", world.robin)
    assert [each["action"] for each in audit["items"]] == ["recording.erase"]
    _, found = await world.ask("POST", path, world.robin, chosen)
    assert found["recordings"] == 0, "once is enough"


@pytest.mark.covers("V10", "A1")
async def test_the_command_line_destroys_recordings_by_the_same_rule(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (_, mine), (sams, other) = [await world.recorded(who, b"sound") for who in (world.mio, world.sam)]
    monkeypatch.setenv("SWITCHHOOK_HOME", str(world.engine.config.home))
    monkeypatch.setenv("SWITCHHOOK_HTTP_PORT", str(world.server.port))
    monkeypatch.setenv("SWITCHHOOK_DATABASE_URL", world.engine.store.url.render_as_string(hide_password=False))

    async def erased(who: str, *words: str) -> dict[str, int]:
        command = ["recordings", "erase", "--as", getattr(world, who).id, "--json", *words]
        code = await asyncio.to_thread(main.run, command)
        told = capsys.readouterr()
        assert code == 0, told.err
        found: dict[str, int] = json.loads(told.out)
        return found

    found = await erased("robin", "--direction", "inbound")
    assert (found["calls"], found["recordings"], found["bytes"]) == (2, 2, 10), "only counted"
    assert (await erased("mio", sams, "--really"))["recordings"] == 0, "it is Sam's"
    assert (await erased("robin", "--user", world.sam.id, "--really"))["recordings"] == 1
    assert not (world.engine.recordings_dir / f"{other}.opus").exists()
    assert (world.engine.recordings_dir / f"{mine}.opus").exists()
