"""The live event stream over a real websocket."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest

from crm.billing import Charge
from crm.records import as_dict
from crm.services import ledger
from pbx.core.commands import Fact
from pbx.core.ids import CallId, Instant
from pbx.services.alerts import Alert, Kind
from pbx.services.hub import apply
from pbx.web.routes import events
from pbx.web.sockets import SOCKETS
from tests.integration.web.described import KINDS, difference
from tests.integration.web.world import CUSTOMER, Someone, World
from tests.support.waiting import in_time, until

WITHIN_S = 5.0
ELSEWHERE = {"text", "conversation", "list", "list_run", "charges", "balance"}  # seen where these are tried


def charge(call: str) -> dict[str, Any]:
    kinds = {"kind": "call", "direction": "inbound", "role": "customer", "prefix": "1", "rate_name": "USA"}
    texts = {name: None for name in ("call_id", "user_id", "number", "trunk_id", "table_id")}
    numbers = dict.fromkeys(("began_us", "ended_us", "units", "price_micros", "setup_micros", "first_s", "then_s"), 1)
    amount = {"amount_micros": 1, "currency": "USD", "priced_us": 1}
    return as_dict(Charge(id="leg_1", **kinds | texts | numbers | amount | {"call_id": call}))


class Follower:
    """A client of the stream that keeps what it sees."""

    def __init__(self, world: World, who: Someone, **query: str) -> None:
        self.world, self.who, self.query = world, who, query
        self.seen: dict[str, Any] = {}
        self.messages: list[dict[str, Any]] = []

    async def __aenter__(self) -> Follower:
        url = self.world.server.make_url("/api/v1/events")
        self.socket = await self.world.http.ws_connect(url, headers=self.who.bearer, params=self.query)
        self.hello = await self.next()
        if self.hello["type"] == "snapshot":
            self.seen = self.hello
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.socket.close()

    async def next(self) -> dict[str, Any]:
        message = await in_time(self.socket.receive(), WITHIN_S)
        assert message.type is aiohttp.WSMsgType.TEXT, message
        told = dict(message.json())
        assert not difference(told)
        return told

    async def follow(self, until_number: int) -> None:
        while self.seen["n"] < until_number:
            event = await self.next()
            self.messages.append(event)
            self.seen = apply(self.seen, event)


async def settled(world: World) -> int:
    world.engine.hub.catch_up()
    return world.engine.hub.number


@pytest.mark.covers("A5")
async def test_a_call_is_followed_from_ringing_to_its_end(world: World) -> None:
    async with Follower(world, world.mio) as mio:
        assert mio.seen["calls"] == [] and mio.seen["voicemails"] == []
        call = world.talk(world.mio)
        await mio.follow(await settled(world))
        assert [each["state"] for each in mio.seen["calls"]] == ["talking"]
        assert next(each for each in mio.seen["presence"] if each["user_id"] == world.mio.id)["state"] == "on_call"
        world.end(call)
        await mio.follow(await settled(world))
        assert mio.seen["calls"] == []
        kinds = [fact["kind"] for message in mio.messages for fact in message.get("facts", [])]
        assert kinds.index("call.created") < kinds.index("call.answered") < kinds.index("call.ended")


async def test_events_of_a_call_reach_its_user_and_managers_and_nobody_else(world: World) -> None:
    async with Follower(world, world.mio) as mio, Follower(world, world.alex) as alex:
        call = world.ring(world.sam)
        mine = world.ring(world.mio)
        number = await settled(world)
        await alex.follow(number)
        await mio.follow(number)
        assert {each["id"] for each in alex.seen["calls"]} == {call, mine}
        assert {each["id"] for each in mio.seen["calls"]} == {mine}
        assert call not in str(mio.messages)


@pytest.mark.covers("A5")
async def test_every_message_of_calls_and_their_people_is_sent_as_described(world: World) -> None:
    hub, disk = world.engine.hub, Alert(Kind.DISK_LOW, "disk", "Make room.", Instant(1))
    voicemail = {"id": "vm_1", "call_id": None, "caller_number": CUSTOMER, "duration_ms": 900, "created_us": 1}
    async with Follower(world, world.alex) as alex:
        call = world.talk(world.alex)
        await world.ask("PUT", f"/calls/{call}/summary", world.alex, {"notes": "Wants a quote"})
        _, task = await world.ask("POST", "/tasks", world.alex, {"title": "Call back", "due_us": 1})
        hub.remind(world.alex.id, task)
        await world.ask("DELETE", f"/tasks/{task['id']}", world.alex)
        hub.happened(CallId("c_of_an_earlier_run"), [(7, Fact("note.saved", Instant(1), {"text": "late"}))])
        for stands in (True, False):
            hub.alert_changed(disk, stands)
            hub.voicemail_changed(world.alex.id, voicemail if stands else None, "vm_1")
        hub.directory_changed()
        _, made = await world.ask("POST", "/lists", world.alex, {"name": "Spring"})
        _, progress = await world.ask("GET", f"/lists/{made['id']}/progress", world.alex)
        hub.list_changed(world.alex.id, made, progress)
        hub.list_run_changed(world.alex.id, None)
        hub.charged(call, frozenset({world.alex.id}), [charge(call)])
        async with world.engine.store.read() as session:
            hub.balance_changed(as_dict(await ledger.balance(session)))
        await alex.follow(await settled(world))
    sent = {each["type"] for each in alex.messages}
    assert sent | {"snapshot", "resumed"} >= KINDS - ELSEWHERE


@pytest.mark.covers("P4")
async def test_a_console_that_lost_its_connection_goes_on_where_it_stopped(world: World) -> None:
    async with Follower(world, world.mio) as before:
        call = world.ring(world.mio)
        await before.follow(await settled(world))
    number, epoch = before.seen["n"], before.hello["epoch"]
    world.end(call)
    await settled(world)
    async with Follower(world, world.mio, after=str(number), epoch=epoch) as back:
        assert (back.hello["type"], back.hello["epoch"]) == ("resumed", epoch)
        back.seen = before.seen
        await back.follow(back.hello["n"])
        assert back.seen["calls"] == []
    async with Follower(world, world.mio, after=str(number), epoch="another run") as fresh:
        assert fresh.hello["type"] == "snapshot"


@pytest.fixture
def no_collection() -> Iterator[None]:
    """What thousands of tests before have left is no stream's: looking through it may take a second."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.alone
@pytest.mark.usefixtures("no_collection")
@pytest.mark.covers("TRUST14")
async def test_one_that_never_reads_is_cut_off_and_the_others_hear_everything_in_time(world: World) -> None:
    url = world.server.make_url("/api/v1/events")
    asleep = await world.http.ws_connect(url, headers=world.alex.bearer, max_msg_size=0)
    assert asleep._conn is not None and asleep._conn.transport is not None
    asleep._conn.transport.pause_reading()  # its kernel buffer fills, then ours
    text = "x" * 19_000
    async with Follower(world, world.robin) as robin:
        call = world.ring(world.mio)
        slowest = 0.0
        loop = asyncio.get_running_loop()
        for number in range(3_000):
            began = loop.time()
            world.engine.control.note(call, f"{number} {text}", "test")
            await robin.follow(await settled(world))
            slowest = max(slowest, loop.time() - began)
            if world.engine.hub.dropped:
                break
        assert world.engine.hub.dropped == 1
        assert slowest < 1.0
        await until(lambda: len(world.engine.hub) == 1, WITHIN_S, "only the one that reads is left")
    asleep._conn.transport.abort()


@pytest.mark.covers("TRUST14")
async def test_one_that_is_asleep_with_news_on_the_way_is_let_go_of(world: World, monkeypatch: Any) -> None:
    """Its end cannot be told behind what it does not take: closed politely, it would be kept for ever."""
    monkeypatch.setattr(events, "HEARTBEAT_S", 1.0)
    url = world.server.make_url("/api/v1/events")
    asleep = await world.http.ws_connect(url, headers=world.alex.bearer, max_msg_size=0)
    assert asleep._conn is not None and asleep._conn.transport is not None
    asleep._conn.transport.pause_reading()
    [served] = world.server.app[SOCKETS]
    transport = served._req.transport
    transport.write(bytes(20_000_000))  # more than the kernel takes
    assert transport.get_write_buffer_size()
    await until(lambda: transport.get_write_buffer_size() == 0, WITHIN_S, "the connection to be cut")
    assert len(world.engine.hub) == 0 and world.engine.hub.dropped == 0
    asleep._conn.transport.abort()


@pytest.mark.covers("TRUST14")
async def test_a_page_of_another_site_gets_no_stream(world: World) -> None:
    url = world.server.make_url("/api/v1/events")
    cookie = {"Cookie": world.mio.browser["Cookie"]}
    for origin in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {}):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await world.http.ws_connect(url, headers=cookie | origin)
        assert refused.value.status == 403
    own = {"Origin": f"http://{world.server.host}:{world.server.port}"}
    async with world.http.ws_connect(url, headers=cookie | own) as socket:
        assert (await in_time(socket.receive(), WITHIN_S)).json()["type"] == "snapshot"


async def test_the_stream_is_a_websocket_and_says_so(world: World) -> None:
    status, problem = await world.ask("GET", "/events", world.mio)
    assert (status, problem["code"]) == (426, "websocket_wanted")


async def test_a_stop_of_the_engine_says_goodbye(world: World) -> None:
    async with Follower(world, world.mio) as mio:
        closing = asyncio.ensure_future(world.server.close())
        message = await in_time(mio.socket.receive(), WITHIN_S)
        assert (message.type, mio.socket.close_code) == (aiohttp.WSMsgType.CLOSE, 1001)
        await closing
