"""Blocks and alerts through the API, and a blocked address that wants to sign in (TRUST 16)."""

from __future__ import annotations

import pytest

from pbx.services.alerts import Kind
from tests.integration.web.world import PASSWORD, World

pytestmark = pytest.mark.covers("TRUST16", "A1", "A5")


async def test_an_admin_blocks_an_address_lists_it_and_lets_it_in_again(world: World) -> None:
    status, made = await world.ask("POST", "/blocks", world.robin, {"address": "192.0.2.0/24", "reason": "scanners"})
    assert (status, made["address"], made["source"], made["until_us"]) == (201, "192.0.2.0/24", "hand", None)
    status, again = await world.ask("POST", "/blocks", world.robin, {"address": "192.0.2.0/24"})
    assert (status, again["code"]) == (409, "already_blocked")
    status, own = await world.ask("POST", "/blocks", world.robin, {"address": "127.0.0.1"})
    assert (status, own["code"], own["field"]) == (422, "never_blocked", "address")
    await world.ask("POST", "/blocks", world.robin, {"address": "192.0.2.7", "minutes": 5})
    _, listed = await world.ask("GET", "/blocks", world.robin)
    assert {each["address"] for each in listed["items"]} == {"192.0.2.0/24", "192.0.2.7"}
    assert (await world.ask("DELETE", "/blocks/192.0.2.0%2F24", world.robin))[0] == 204
    assert (await world.ask("DELETE", "/blocks/192.0.2.0%2F24", world.robin))[0] == 404
    assert (await world.ask("DELETE", "/blocks", world.robin))[1] == {"removed": 1}


async def test_who_guesses_passwords_of_the_web_is_told_to_the_engine_and_cannot_sign_in(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asking from this machine, which is never blocked but for this test."""
    blocking = world.engine.blocking
    monkeypatch.setattr(blocking, "_harmless", lambda address: False)
    monkeypatch.setattr(blocking, "_protected", lambda address: False)
    statuses = []
    for number in range(31):
        body = {"email": f"nobody{number}@demo.example", "password": "guess"}
        status, problem = await world.ask("POST", "/session", body=body)
        statuses.append((status, problem["code"]))
    assert statuses[0][0] == 401 and statuses[-1] == (429, "address_blocked")
    status, problem = await world.ask("POST", "/session", body={"email": world.mio.user.email, "password": PASSWORD})
    assert (status, problem["code"]) == (429, "address_blocked")
    _, alerts = await world.ask("GET", "/alerts", world.alex)
    (alert,) = alerts["items"]
    assert (alert["kind"], alert["subject"], alert["data"]["source"]) == ("address_blocked", "127.0.0.1", "web")
    assert (await world.ask("GET", "/me", world.mio))[0] == 200, "who is signed in stays so"
    blocking._let_in("127.0.0.1")


async def test_managers_and_admins_see_the_alerts_that_stand(world: World) -> None:
    world.engine.alerts.raised(Kind.DISK_LOW, "recordings", "The disk is nearly full. Make room.")
    for who, wanted in ((world.mio, 403), (world.alex, 200), (world.robin, 200)):
        status, answer = await world.ask("GET", "/alerts", who)
        assert status == wanted
        if status == 200:
            assert [each["id"] for each in answer["items"]] == ["disk_low:recordings"]
            assert answer["items"][0]["sentence"] == "The disk is nearly full. Make room."
