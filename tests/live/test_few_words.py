"""What makes calls cheaper in our Asterisk (embedded/patches/speed), each by what it must not change."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pbx.adapters.asterisk.ari import AriError
from tests.live.stage import Rep, Scene


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
    assert kinds.count("StasisStart") == 2 and kinds.count("ChannelDestroyed") == 2
    assert {m["dialstatus"] for m in heard if m["type"] == "Dial"} <= {"PROGRESS"}
    assert [m["channel"]["id"][:4] for m in heard if m["type"] == "ChannelStateChange"] == ["leg_", "leg_"]
    assert not [m for m in heard if m["type"] == "ChannelHangupRequest" and m.get("soft")]
    assert [m for m in heard if m["type"] == "ChannelHangupRequest"], "but who hangs up is heard"
    assert not [m for m in heard if m["type"] == "StasisEnd" and m["channel"]["id"].startswith("leg_")]
    done = [m for m in heard if m["type"] == "RESTResponse" and m["status_code"] < 300]
    asked = [message["uri"] for message in done]
    assert not [uri for uri in asked if "addChannel" in uri or uri.startswith("bridges/")], "asked quietly"
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
