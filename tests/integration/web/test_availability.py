"""Users say whether their phones are to be rung."""

from __future__ import annotations

import pytest

from pbx.core.commands import RingPhone
from pbx.core.events import Direction
from pbx.services.provisioning import provisioning
from tests.integration.web.world import World


async def presence(world: World) -> dict[str, str]:
    _, listed = await world.ask("GET", "/presence", world.sam)
    return {each["user_id"]: each["state"] for each in listed["items"]}


async def away(world: World) -> None:
    status, me = await world.ask("PATCH", "/me", world.mio, {"available": False})
    assert (status, me["available"]) == (200, False)
    await world.engine.reload()


@pytest.mark.covers("I3", "I6", "A2")
async def test_who_is_away_is_shown_so_and_not_rung_until_back(world: World) -> None:
    assert (await presence(world))[world.mio.id] == "available"
    await away(world)
    assert (await presence(world))[world.mio.id] == "away"
    world.ring(world.mio)
    assert not [each for each in world.engine.switch.commands if isinstance(each, RingPhone)]
    await world.ask("PATCH", f"/users/{world.mio.id}", world.robin, {"available": True})
    await world.engine.reload()
    world.ring(world.mio)
    assert [each for each in world.engine.switch.commands if isinstance(each, RingPhone)]


async def test_who_is_away_is_no_guest_and_not_rung_by_the_dialplan_either(world: World) -> None:
    _, group = await world.ask(
        "POST", "/groups", world.robin, {"name": "Both", "members": [world.mio.id, world.sam.id]}
    )
    await away(world)
    guests = world.engine.control._guests
    inviter = world.alex.user
    assert guests.named(inviter, user=world.mio.id, group=None, number=None).phones == ()
    rung = guests.named(inviter, user=None, group=group["id"], number=None).phones
    assert {each.user_id for each in rung} == {world.sam.id}
    fallback = {each.did: each.devices for each in provisioning(world.engine.directory).fallback}
    assert fallback["+14155550101"] == () and fallback["+14155550102"] == (world.sam.device,)
    person = world.engine.persons.of(world.engine.directory.users[world.mio.id], Direction.OUTBOUND)
    assert person.phones, "their own calls out ring their phones as ever"
