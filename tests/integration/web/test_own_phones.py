"""What users keep and learn of themselves: their phones, and whether they are recorded."""

from __future__ import annotations

import pytest

from tests.integration.web.world import World


@pytest.mark.covers("V15", "A1")
async def test_users_keep_their_own_phones(world: World) -> None:
    new = {"user": world.mio.id, "name": "Kitchen"}
    status, made = await world.ask("POST", "/devices", world.mio, new)
    phone = made["device"]["id"]
    assert status == 201 and len(made["secret"]) >= 20
    status, renewed = await world.ask("POST", f"/devices/{phone}/secret", world.mio)
    assert status == 200 and renewed["secret"] != made["secret"]
    status, changed = await world.ask("PATCH", f"/devices/{phone}", world.mio, {"name": "Hall"})
    assert (status, changed["name"]) == (200, "Hall")
    assert (await world.ask("DELETE", f"/devices/{phone}", world.mio))[0] == 204
    assert (await world.ask("GET", f"/devices/{phone}", world.mio))[0] == 404


@pytest.mark.covers("TRUST21")
async def test_nobody_but_admins_keeps_the_phones_of_others(world: World) -> None:
    for someone in (world.mio, world.alex):
        for method, path, body in (
            ("POST", "/devices", {"user": world.sam.id, "name": "Mine now"}),
            ("PATCH", f"/devices/{world.sam.device}", {"name": "Mine now"}),
            ("POST", f"/devices/{world.sam.device}/secret", None),
            ("DELETE", f"/devices/{world.sam.device}", None),
        ):
            status, problem = await world.ask(method, path, someone, body)
            assert (status, problem["code"]) == (403, "forbidden"), (method, path)
    assert (await world.ask("POST", f"/devices/{world.sam.device}/secret", world.robin))[0] == 200


@pytest.mark.covers("S8", "C12")
async def test_users_learn_whether_they_are_recorded(world: World) -> None:
    await world.ask("PUT", "/settings/recording.announcement", world.robin, {"value": True})
    await world.engine.reload()
    _, recorded = await world.ask("GET", "/me/recording", world.mio)
    assert recorded == {"directions": ["inbound", "outbound"], "announcement": True, "private_words": True}
    await world.ask("PATCH", f"/users/{world.mio.id}", world.robin, {"recording_policy": "off"})
    assert (await world.ask("GET", "/me/recording", world.mio))[1]["directions"] == []


@pytest.mark.covers("N3")
async def test_users_learn_what_their_number_carries(world: World) -> None:
    status, number = await world.ask("GET", "/me/number", world.mio)
    assert (status, number["voice"], number["e164"]) == (200, True, world.mio.user.number)
    await world.ask("PATCH", f"/numbers/{number['e164']}", world.robin, {"user": None})
    status, problem = await world.ask("GET", "/me/number", world.mio)
    assert (status, problem["code"]) == (404, "no_number")
