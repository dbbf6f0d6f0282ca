"""What makes calls cheaper in our Asterisk (embedded/patches/speed), each by what it must not change."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from pbx.adapters.asterisk.ari import AriError
from pbx.adapters.asterisk.dialling import APP
from tests.live.stage import Outside, Rep, Scene


async def talking(scene: Scene, rep: Rep) -> Any:
    customer = scene.outside()
    call = await rep.phone.call(customer.number)
    ring = await customer.incoming()
    await ring.answer()
    await call.until_answered()
    return call


async def test_asterisk_tells_the_engine_what_it_wants_to_hear_and_no_more(scene: Scene, monkeypatch):
    heard: list[dict[str, Any]] = []
    client, rep = scene.stack.engine.ari, await scene.rep()
    receive = client._received

    def listen(text: str) -> None:
        heard.append(json.loads(text))
        receive(text)

    monkeypatch.setattr(client, "_received", listen)
    call = await talking(scene, rep)
    await call.hang_up()
    await scene.stack.until_nothing_left()
    kinds = [message["type"] for message in heard]
    assert kinds.count("StasisStart") == 1, "the leg that is dialled joins and dials by itself"
    assert [m["channel"]["id"][:4] for m in heard if m["type"] == "ChannelDestroyed"] == ["leg_"]
    ends = [m["channel"]["id"] for m in heard if m["type"] == "StasisEnd"]
    assert len(ends) == 1 and not ends[0].startswith("leg_"), "of each channel one end"
    assert {m["dialstatus"] for m in heard if m["type"] == "Dial"} <= {"PROGRESS"}
    assert [m["channel"]["id"][:4] for m in heard if m["type"] == "ChannelStateChange"] == ["leg_", "leg_"]
    assert not [m for m in heard if m["type"] == "ChannelHangupRequest" and m.get("soft")]
    assert [m for m in heard if m["type"] == "ChannelHangupRequest"], "but who hangs up is heard"
    done = [m for m in heard if m["type"] == "RESTResponse" and m["status_code"] < 300]
    asked = [message["uri"] for message in done]
    quietly = [uri for uri in asked if "addChannel" in uri or uri.startswith("bridges/") or uri == "channels/create"]
    assert not quietly
    assert [uri for uri in asked if uri.endswith("/answer")], "and the others are answered"


async def test_a_quiet_request_that_is_refused_says_so(scene: Scene):
    refused: list[int] = []
    client = scene.stack.engine.ari
    client.send("DELETE", "channels/none", on_answer=lambda status, content: refused.append(status), quiet=True)
    await client.call("GET", "asterisk/ping")  # Asterisk goes in order
    assert refused == [404]


async def test_a_channel_is_found_by_its_id_and_by_its_name_and_by_no_part_of_them(scene: Scene):
    call = await talking(scene, await scene.rep())
    client = scene.stack.engine.ari
    for channel in await client.call("GET", "channels"):
        for key in (channel["id"], channel["id"].upper(), channel["name"]):
            assert (await client.call("GET", f"channels/{key.replace('/', '%2F')}/rtp_statistics"))["rxcount"] >= 0
        with pytest.raises(AriError, match="404"):
            await client.call("GET", f"channels/{channel['id'][:-1]}/rtp_statistics")
    await call.hang_up()


def by_itself(scene: Scene, leg: str, number: str) -> tuple[dict[str, str], dict[str, Any]]:
    """What asks for a leg that dials in a bridge by itself."""
    query = {"endpoint": f"PJSIP/{number}@{scene.stack.trunk_id}", "app": APP, "appArgs": "dial", "channelId": leg}
    return query, {"dial": {"bridge": f"br_{leg}", "timeout": 20}}


async def nothing_comes(customer: Outside, within: float) -> None:
    await asyncio.sleep(within)
    assert not customer.calls


async def is_gone(scene: Scene, leg: str) -> bool:
    return leg not in [channel["id"] for channel in await scene.stack.engine.ari.call("GET", "channels")]


async def test_a_leg_that_dials_by_itself_waits_for_its_bridge_and_for_somebody_in_it(scene: Scene):
    """The bridge comes over another connection, and what the far end says before the caller is in it would be lost."""
    client, customer = scene.stack.engine.ari, scene.outside()
    query, body = by_itself(scene, "leg_waits", customer.number)
    await client.call("POST", "channels/create", query, body)
    await nothing_comes(customer, 0.4)
    await client.call("POST", "bridges/br_leg_waits", {"type": "mixing"})
    ring = await customer.incoming(within=2)
    [bridge] = [each for each in await client.call("GET", "bridges") if each["id"] == "br_leg_waits"]
    assert bridge["channels"] == ["leg_waits"], "in the end alone: somebody may be on hold elsewhere"
    await client.call("DELETE", "channels/leg_waits")
    await ring.until_ended()
    await client.call("DELETE", "bridges/br_leg_waits")


async def test_a_leg_that_is_hung_up_before_it_dials_rings_nobody(scene: Scene):
    client, customer = scene.stack.engine.ari, scene.outside()
    query, body = by_itself(scene, "leg_gone", customer.number)
    await client.call("POST", "channels/create", query, body)
    await client.call("DELETE", "channels/leg_gone")
    await client.call("POST", "bridges/br_leg_gone", {"type": "mixing"})
    await nothing_comes(customer, 0.8)
    assert await is_gone(scene, "leg_gone")
    await client.call("DELETE", "bridges/br_leg_gone")


async def test_a_leg_without_a_bridge_does_not_stay(scene: Scene):
    client, customer = scene.stack.engine.ari, scene.outside()
    query, body = by_itself(scene, "leg_lost", customer.number)
    await client.call("POST", "channels/create", query, body)
    await nothing_comes(customer, 6)
    assert await is_gone(scene, "leg_lost")


async def test_a_leg_is_dialled_once(scene: Scene):
    """An engine that takes over asks again for what it does not know to be done."""
    call = await talking(scene, await scene.rep())
    client = scene.stack.engine.ari
    [leg] = [each["id"] for each in await client.call("GET", "channels") if each["id"].startswith("leg_")]
    with pytest.raises(AriError, match="409"):
        await client.call("POST", f"channels/{leg}/dial", {"timeout": "5"})
    await call.hang_up()
