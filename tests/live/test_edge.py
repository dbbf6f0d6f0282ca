"""Phones and carriers reach two nodes through the edge: sound both ways, nobody in a false name, and a node may die."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pbx.adapters import kamailio
from pbx.adapters.asterisk import embedded
from pbx.adapters.asterisk.edge import SOURCE_HEADER
from pbx.config import Config, ConfigError
from tests.live.edge_stage import CARRIER, NODES, PEOPLE, SECRET, EdgeStage, Person, edge_stage
from tests.support import malformed
from tests.support.sip_call import Call
from tests.support.sip_phone import SipPhone
from tests.support.waiting import Missed, until

pytestmark = pytest.mark.covers("A8")


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[EdgeStage]:
    try:
        kamailio.program()
    except ConfigError as error:
        pytest.skip(str(error))
    config = Config.load()
    prefix = await asyncio.to_thread(embedded.ensure, config.cache, config.debian_mirror, lambda *_: None)
    async with edge_stage(tmp_path, prefix) as opened:
        yield opened


async def talk(caller: Call, called: Call, tones: tuple[float, float]) -> None:
    """Answer, hear each other, hang up; ``tones`` are the caller's and the called one's."""
    await called.answer()
    await caller.until_answered()
    await asyncio.gather(caller.until_hears(tones[1]), called.until_hears(tones[0]))
    await caller.hang_up()
    await called.until_ended()


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
async def test_a_phone_registers_calls_and_is_called_with_sound_both_ways(stage: EdgeStage, transport: str) -> None:
    _, (ann, bob), (anns, bobs) = await stage.neighbours(transport=transport)
    call = await anns.call(bob.did)
    await talk(call, await bobs.incoming(), (ann.tone, bob.tone))
    call = await bobs.call(ann.did)
    ring = await anns.incoming()
    await talk(call, ring, (bob.tone, ann.tone))
    assert ";at=" not in ring.invite.uri, "the phone is called by its own address"


async def rings(call: Call, phone: SipPhone) -> Call | None:
    """The phone's side of a call; None where the dialplan of another node tells the caller that nobody is there."""
    await until(lambda: phone.live_calls or call.at.answered or call.at.ended, 4, "the phone or the dialplan")
    return phone.live_calls[0] if phone.live_calls else None


async def test_a_carrier_is_known_by_its_address_and_talks_with_who_is_at_the_node_of_the_number(
    stage: EdgeStage,
) -> None:
    phones = {who: await stage.phone(who) for who in PEOPLE}
    carrier, reached = await stage.carrier(), 0
    for who, phone in phones.items():
        call = await carrier.call(who.did, caller="+12065550100")
        ring = await rings(call, phone)
        assert call.final_status is None or call.final_status == 200, "it is no stranger, whichever node has the number"
        if ring is None:
            await call.hang_up()
            continue
        assert ring.caller_number == "+12065550100"
        await talk(call, ring, (820, who.tone))
        reached += 1
    assert reached, "of five numbers one is at the node of its phone"


async def test_who_gives_another_address_for_its_own_is_taken_for_nobody(stage: EdgeStage) -> None:
    stranger, key = await stage.carrier("127.0.0.22"), stage.config.secrets().edge
    for value in (f"{CARRIER} 5060 guessed", f"{CARRIER} 5060 {key}", f"edge {key}"):
        forged = await stranger.call(PEOPLE[0].did, caller="+12065550100", headers=[(SOURCE_HEADER, value)])
        await forged.until_ended()
        assert forged.final_status == 401


async def test_a_header_with_the_key_is_believed_from_the_edge_only(stage: EdgeStage) -> None:
    """Who knows the key and speaks to a node past the edge is not heard at all."""
    key = stage.config.secrets().edge
    stranger = await SipPhone.start("stranger", (NODES["a"], stage.config.sip_port), None, 820, host="127.0.0.22")
    call = await stranger.call(PEOPLE[0].did, headers=[(SOURCE_HEADER, f"{CARRIER} 5060 {key}")])
    await asyncio.sleep(2)
    assert not stranger.trace.received("INVITE")
    assert not any(entry.message and entry.message.status for entry in stranger.trace.entries if not entry.sent)
    stranger.vanish()
    assert call.final_status is None


async def registers_elsewhere(phone: SipPhone, node: str, stage: EdgeStage, who: Person) -> float:
    """Seconds until the phone, which tries again and again, is registered at another node."""
    began = time.monotonic()
    while node in await stage.registered_at(who) or not await stage.registered_at(who):
        await phone.try_register(within=8)
    return time.monotonic() - began


async def test_when_a_node_dies_its_phones_register_and_call_at_the_other_within_seconds(stage: EdgeStage) -> None:
    node, (ann, bob), (anns, bobs) = await stage.neighbours()
    other = next(name for name in NODES if name != node)
    dead = stage.nodes[node]
    assert dead.pid is not None
    os.kill(dead.pid, signal.SIGKILL)
    await dead.wait()
    took = await registers_elsewhere(anns, node, stage, ann)
    assert took < 4, f"{took:.1f} s"
    await registers_elsewhere(bobs, node, stage, bob)
    call = await anns.call(bob.did)
    await talk(call, await bobs.incoming(), (ann.tone, bob.tone))
    await stage.until_nodes(other)
    await dead.start()
    await stage.until_nodes(node, other)
    await anns.register()
    assert node in await stage.registered_at(ann), "it is there again"


async def test_nobody_has_anything_sent_elsewhere_through_the_edge(stage: EdgeStage) -> None:
    victim = await stage.carrier("127.0.0.30")
    stranger = await stage.carrier("127.0.0.22")
    host, port = victim.address
    edge = f"<sip:{stage.server[0]}:{stage.server[1]};lr>"
    there = f"sip:victim@{host}:{port}"
    call = await stranger.call("victim", request_uri=there)
    await call.until_ended()
    assert call.final_status == 401, "a node was asked, whatever host it was for"
    call = await stranger.call("victim", request_uri=there, headers=[("Route", edge), ("Route", f"<{there};lr>")])
    await call.until_ended()
    at = f"sip:victim@{stage.server[0]}:{stage.server[1]};at={host}~{port}~udp"
    call = await stranger.call("victim", request_uri=at)
    await call.until_ended()
    for uri, routes in ((there, [edge]), (at, [edge]), (at, [edge, f"<{there};lr>"]), (there, [])):
        request = stranger._outside(uri, "BYE", [("Route", route) for route in routes])
        answer = await stranger.transact(request.with_header("To", f"<{there}>;tag=made-up"), 3)
        assert answer.status in (403, 481)
    assert not [entry for entry in victim.trace.entries if not entry.sent]


async def test_a_phone_cannot_say_itself_where_it_is(stage: EdgeStage) -> None:
    """The edge alone writes whither calls to it go."""
    phone = await SipPhone.start(PEOPLE[0].device, stage.server, SECRET, register=False)
    contact = f"<sip:{PEOPLE[0].device}@{stage.server[0]}:{stage.server[1]};at=127.0.0.30~5060~udp>"
    phone.contact_headers = lambda: [("Contact", contact)]  # type: ignore[method-assign]
    assert (await phone.try_register()).status == 403
    phone.vanish()


async def test_who_guesses_or_floods_is_not_answered_and_others_are(stage: EdgeStage) -> None:
    guesser = await SipPhone.start(PEOPLE[0].device, stage.server, "wrong", register=False, host="127.0.0.23")
    answered = 0
    with pytest.raises(Missed):
        for _ in range(40):
            await guesser.try_register(within=1)
            answered += 1
    assert 5 <= answered <= 20
    flood = await stage.carrier("127.0.0.24")
    for _ in range(300):
        flood.send_raw(flood._outside(f"sip:{stage.server[0]}", "OPTIONS", []).encode())
    with pytest.raises(Missed):
        await flood.options(within=1)
    assert len(flood.trace.received("OPTIONS", 401)) < 150
    _, (ann, bob), (anns, bobs) = await stage.neighbours()
    call = await anns.call(bob.did)
    await talk(call, await bobs.incoming(), (ann.tone, bob.tone))
    guesser.vanish()


async def test_what_is_no_sip_harms_neither_the_edge_nor_others(stage: EdgeStage) -> None:
    _, (ann, bob), (anns, bobs) = await stage.neighbours()
    carrier = await stage.carrier()
    call = await carrier.call(ann.did, caller="+12065550100")  # as one that is known it may send what it likes
    await rings(call, anns)
    await (call.hang_up() if call.at.answered else call.cancel())
    for raw in malformed.messages("UDP", 400):
        carrier.wire.send(raw[:60_000], stage.server)
        await asyncio.sleep(0.002)
    call = await anns.call(bob.did)
    await talk(call, await bobs.incoming(), (ann.tone, bob.tone))
    assert stage.edge.poll() is None
