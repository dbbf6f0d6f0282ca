"""Is everything well, and what is still to be set up (A3)."""

from __future__ import annotations

import pytest

from crm.services import trunks
from crm.unit_of_work import SYSTEM
from tests.integration.web.world import World


@pytest.mark.covers("A3")
async def test_the_doctor_names_layer_state_and_remedy(world: World) -> None:
    status, told = await world.ask("GET", "/doctor", world.robin)
    found = {each["layer"]: each for each in told["items"]}
    assert status == 200 and found["config"]["state"] == "ok"
    database = found["database"]
    assert (database["state"], database["remedy"][:17]) == ("fail", "Run “pbx migrate”"), (
        "the home of this test is bare"
    )
    assert (await world.ask("GET", "/doctor", world.alex))[0] == 200, "managers read what they cannot change"
    assert (await world.ask("GET", "/doctor", world.mio))[0] == 403


async def test_the_steps_of_a_new_organisation_are_ticked_off_as_they_are_done(world: World) -> None:
    async def done() -> dict[str, bool]:
        _, told = await world.ask("GET", "/setup", world.robin)
        return {each["key"]: each["done"] for each in told["items"]}

    before = await done()
    assert list(before) == ["notice", "trunk", "number", "user", "phone", "first_call"]
    assert before == {"notice": False, "trunk": True, "number": True, "user": True, "phone": True, "first_call": False}
    await world.ask("POST", "/notices/voice/accept", headers=world.robin.browser)
    world.end(world.talk(world.mio))
    await world.stored()
    async with world.engine.store.write(SYSTEM) as work:
        for trunk in await trunks.list_all(work.session):
            await trunks.change(work, trunk.id, {"enabled": False})
    assert await done() == before | {"notice": True, "first_call": True, "trunk": False}
