"""The operator accepts what the law asks before calls are made and recorded (N5, S8)."""

from __future__ import annotations

import pytest

from crm.services import trunks
from crm.unit_of_work import SYSTEM
from tests.integration.web.world import World

TRUNK = {"name": "Second", "host": "sip.example.com"}


async def accepted(world: World) -> dict[str, object]:
    _, listed = await world.ask("GET", "/notices", world.mio)
    return {each["key"]: each["accepted"] for each in listed["items"]}


@pytest.mark.covers("N5", "S8")
async def test_recording_waits_until_an_admin_has_accepted_its_notice(world: World) -> None:
    await world.ask("PUT", "/settings/recording.enabled", world.robin, {"value": False})
    for method, path, body in (
        ("PUT", "/settings/recording.enabled", {"value": True}),
        ("PATCH", f"/users/{world.mio.id}", {"recording_policy": "on"}),
        ("POST", "/users", {"email": "new@x.example", "name": "New", "recording_policy": "on"}),
    ):
        status, problem = await world.ask(method, path, world.robin, body)
        assert (status, problem["code"]) == (409, "notice_not_accepted"), path
    assert await accepted(world) == {"voice": None, "recording": None}
    status, _ = await world.ask("POST", "/notices/recording/accept", headers=world.alex.browser)
    assert status == 403, "only admins accept"
    status, problem = await world.ask("POST", "/notices/recording/accept", world.robin)
    assert (status, problem["code"]) == (403, "token_not_allowed"), "a program accepts nothing"
    status, notice = await world.ask("POST", "/notices/recording/accept", headers=world.robin.browser)
    assert (status, notice["accepted"]["user_id"], notice["accepted"]["user_name"]) == (200, world.robin.id, "Robin")
    assert (await world.ask("PUT", "/settings/recording.enabled", world.robin, {"value": True}))[0] == 200
    assert (await world.ask("PATCH", f"/users/{world.mio.id}", world.robin, {"recording_policy": "on"}))[0] == 200
    _, audit = await world.ask("GET", "/audit?object_id=recording", world.robin)
    assert (audit["items"][0]["action"], audit["items"][0]["actor"]) == ("notice.accept", f"user:{world.robin.id}")


@pytest.mark.covers("N5")
async def test_the_first_trunk_waits_for_the_notice_about_calls(world: World) -> None:
    async with world.engine.store.write(SYSTEM) as work:
        for trunk in await trunks.list_all(work.session):
            await trunks.remove(work, trunk.id)
    status, problem = await world.ask("POST", "/trunks", world.robin, TRUNK)
    assert (status, problem["code"]) == (409, "notice_not_accepted")
    assert (await world.ask("POST", "/notices/voice/accept", headers=world.robin.browser))[0] == 200
    assert (await world.ask("POST", "/trunks", world.robin, TRUNK))[0] == 201


@pytest.mark.covers("N5", "A7")
async def test_notices_speak_the_language_that_is_asked_for(world: World) -> None:
    asked = [
        await world.ask("GET", "/notices", world.mio),
        await world.ask("GET", "/notices?language=ja", world.mio),
        await world.ask("GET", "/notices", world.mio, headers={"Accept-Language": "fr, ja;q=0.8"}),
        await world.ask("GET", "/notices?language=xx", world.mio, headers={"Accept-Language": "ja"}),
    ]
    titles = [listed["items"][1]["title"] for _, listed in asked]
    assert titles[0] == titles[3] == "You are responsible for the consent to recordings"
    assert titles[1] == titles[2] == "録音への同意を得る責任は運用者にあります"
    assert (await world.ask("POST", "/notices/none/accept", headers=world.robin.browser))[0] == 404


async def test_whoever_accepted_first_stays(world: World) -> None:
    await world.ask("POST", "/notices/voice/accept", headers=world.robin.browser)
    first = (await accepted(world))["voice"]
    await world.ask("PATCH", f"/users/{world.mio.id}", world.robin, {"role": "admin"})
    await world.ask("POST", "/notices/voice/accept", headers=world.mio.browser)
    assert (await accepted(world))["voice"] == first
