"""The phone of a login, and its SIP connection: who gets one, what passes, what ends it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer

from crm.services import sessions, users
from crm.unit_of_work import SYSTEM
from pbx.core.sip_frames import LARGEST
from pbx.web import sip_proxy
from pbx.web.auth import COOKIE, CSRF_HEADER
from pbx.web.housekeeping import forget_expired
from tests.integration.web.world import Someone, World
from tests.support.waiting import in_time, until

WITHIN_S = 5.0
PHONE = "/session/phone"


class PaperAsterisk:
    """A SIP websocket that keeps what comes and sends what a test says."""

    def __init__(self) -> None:
        self.sockets: list[web.WebSocketResponse] = []
        self.came: asyncio.Queue[tuple[WSMsgType, Any]] = asyncio.Queue()
        self.ended = 0

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=("sip",), compress=False)
        await socket.prepare(request)
        assert socket.ws_protocol == "sip" and "Cookie" not in request.headers
        self.sockets.append(socket)
        async for message in socket:
            self.came.put_nowait((message.type, message.data))
        self.ended += 1
        return socket

    async def next(self) -> Any:
        return (await in_time(self.came.get(), WITHIN_S))[1]


@dataclass
class Stage:
    world: World
    asterisk: PaperAsterisk

    @property
    def origin(self) -> dict[str, str]:
        return {"Origin": f"http://{self.world.server.host}:{self.world.server.port}"}

    async def phone(self, who: Someone) -> dict[str, Any]:
        status, phone = await self.world.ask("POST", PHONE, headers=who.browser)
        assert status == 200, phone
        return dict(phone)

    @asynccontextmanager
    async def connected(self, who: Someone, **more: Any) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        headers = {"Cookie": who.browser["Cookie"]} | self.origin | more.pop("headers", {})
        url = self.world.server.make_url("/sip")
        async with self.world.http.ws_connect(url, **({"protocols": ("sip",), "headers": headers} | more)) as socket:
            yield socket

    async def refused(self, **more: Any) -> int:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            async with self.connected(self.world.mio, **more):
                pass
        return refused.value.status


@pytest.fixture
async def stage(world: World) -> AsyncIterator[Stage]:
    asterisk = PaperAsterisk()
    app = web.Application()
    app.router.add_get("/ws", asterisk.serve)
    server = TestServer(app)
    await server.start_server()
    world.engine.config = replace(world.engine.config, ari_host="127.0.0.1", ari_port=server.port)
    world.engine.follow()
    yield Stage(world, asterisk)
    await server.close()


def register(user: str, to: str = "", **more: str) -> str:
    lines = [
        "REGISTER sip:switchhook SIP/2.0",
        "Via: SIP/2.0/WS a.invalid;branch=z9hG4bK1",
        f"From: <sip:{user}@switchhook>;tag=1",
        f"To: <sip:{to or user}@switchhook>",
        *(f"{name}: {value}" for name, value in more.items()),
        "Content-Length: 0",
    ]
    return "\r\n".join(lines) + "\r\n\r\n"


async def closed(socket: aiohttp.ClientWebSocketResponse) -> tuple[int, str]:
    """Code and reason, after whatever was sent before."""
    while True:
        message = await in_time(socket.receive(), WITHIN_S)
        if message.type is WSMsgType.CLOSE:
            return int(message.data), str(message.extra)
        assert message.type is WSMsgType.TEXT, message


async def test_a_login_gets_a_phone_with_a_secret_and_asking_again_renews_it(stage: Stage) -> None:
    world = stage.world
    first, again = await stage.phone(world.mio), await stage.phone(world.mio)
    assert first["device_id"] == again["device_id"] != world.mio.device and not first["device_id"].isdigit()
    assert len(first["secret"]) >= 20 and first["secret"] != again["secret"]
    assert (first["path"], first["domain"], first["realm"]) == ("/sip", "switchhook", "switchhook")
    assert first["ice_servers"] == [] and first["expires_us"] > world.engine.clock.now()
    async with world.engine.store.write(SYSTEM) as work:
        other = await sessions.open(work, world.mio.id, address="", agent="another browser")
    headers = {"Cookie": f"{COOKIE}={other.token}", CSRF_HEADER: other.session.csrf}
    _, elsewhere = await world.ask("POST", PHONE, headers=headers)
    assert elsewhere["device_id"] != first["device_id"]
    _, listed = await world.ask("GET", "/registrations", world.mio)
    assert {first["device_id"], elsewhere["device_id"]} < {each["device_id"] for each in listed["items"]}


async def test_ice_servers_are_those_of_the_setting(stage: Stage) -> None:
    servers = ["stun:stun.example.com", {"urls": "turn:turn.example.com", "username": "u", "credential": "c"}]
    path = "/settings/webrtc.ice_servers"
    assert (await stage.world.ask("PUT", path, stage.world.robin, {"value": servers}))[0] == 200
    await until(lambda: stage.world.engine.directory.settings["webrtc.ice_servers"], WITHIN_S, "the setting")
    found = (await stage.phone(stage.world.mio))["ice_servers"]
    assert [{name: value for name, value in each.items() if value} for each in found] == [
        {"urls": "stun:stun.example.com"},
        servers[1],
    ]


@pytest.mark.covers("TRUST21")
async def test_a_phone_is_for_browsers_that_are_signed_in_not_for_tokens_or_other_sites(stage: Stage) -> None:
    world = stage.world
    assert (await world.ask("POST", PHONE))[0] == 401
    assert (await world.ask("POST", PHONE, world.mio))[1]["code"] == "token_not_allowed"
    assert (await world.ask("POST", PHONE, headers={"Cookie": world.mio.browser["Cookie"]}))[1]["code"] == (
        "csrf_token_missing"
    )
    foreign = world.mio.browser | {"Origin": "https://evil.example"}
    assert (await world.ask("POST", PHONE, headers=foreign))[1]["code"] == "foreign_origin"
    assert not world.engine.directory.browsers()


@pytest.mark.covers("TRUST14", "TRUST21")
async def test_the_connection_is_for_the_own_page_of_a_login_with_a_phone(stage: Stage) -> None:
    world = stage.world
    assert await stage.refused() == 409, "no phone yet"
    await stage.phone(world.mio)
    assert await stage.refused(headers={"Cookie": ""}) == 401
    assert await stage.refused(headers={"Cookie": f"{COOKIE}=guessed"}) == 401
    assert await stage.refused(headers={"Origin": "https://evil.example"}) == 403
    assert await stage.refused(headers={"Origin": "null"}) == 403
    assert await stage.refused(headers=world.mio.bearer) == 403
    assert await stage.refused(protocols=()) == 400
    assert await stage.refused(protocols=("chat",)) == 400
    assert (await world.ask("GET", "sip", headers=world.mio.browser))[0] == 426
    world.engine.linked = False
    assert await stage.refused() == 503
    world.engine.linked = True
    assert not stage.asterisk.sockets
    async with stage.connected(world.mio) as socket:
        assert socket.protocol == "sip"


async def test_an_asterisk_that_does_not_answer_is_said_so(stage: Stage) -> None:
    await stage.phone(stage.world.mio)
    stage.world.engine.config = replace(stage.world.engine.config, ari_port=1)
    assert await stage.refused() == 503


async def test_frames_pass_both_ways_as_they_are(stage: Stage) -> None:
    phone = await stage.phone(stage.world.mio)
    async with stage.connected(stage.world.mio) as socket:
        said = register(phone["device_id"], Subject="☎ 電話")
        await socket.send_str(said)
        assert await stage.asterisk.next() == said
        await socket.send_bytes(said.encode())
        assert await stage.asterisk.next() == said.encode()
        await socket.send_str("\r\n\r\n")
        assert await stage.asterisk.next() == "\r\n\r\n"
        [switch] = stage.asterisk.sockets
        answers = [f"SIP/2.0 {status} x\r\n\r\n" for status in range(100, 200)]
        for answer in answers:
            await switch.send_str(answer)
        assert [(await socket.receive()).data for _ in answers] == answers
        await switch.send_bytes(b"SIP/2.0 200 OK\r\n\r\n")
        assert (await socket.receive()).data == b"SIP/2.0 200 OK\r\n\r\n"
    await until(lambda: stage.asterisk.ended == 1, WITHIN_S, "the other side to be closed, too")


@pytest.mark.covers("TRUST15")
async def test_a_page_that_names_another_phone_is_cut_off_and_nothing_of_it_arrives(stage: Stage) -> None:
    mine, other = await stage.phone(stage.world.mio), await stage.phone(stage.world.sam)
    me, sam = mine["device_id"], other["device_id"]
    digest = f'Digest username="{sam}", realm="switchhook"'
    for said in (
        register(sam),
        register(me, to=sam),
        register(me, Authorization=digest),
        register(stage.world.mio.device),
        register(me) + register(sam),
        "GET / HTTP/1.1\r\n\r\n",
    ):
        async with stage.connected(stage.world.mio) as socket:
            await socket.send_str(said)
            code, reason = await closed(socket)
            assert code == 4403 and reason
    await until(lambda: stage.asterisk.ended == 6, WITHIN_S, "the other sides to be closed")
    assert stage.asterisk.came.empty()


@pytest.mark.covers("TRUST12")
async def test_a_frame_that_is_too_large_ends_the_connection(stage: Stage) -> None:
    phone = await stage.phone(stage.world.mio)
    async with stage.connected(stage.world.mio) as socket:
        await socket.send_str(register(phone["device_id"], Subject="x" * LARGEST))
        assert (await closed(socket))[0] == 1009
    assert stage.asterisk.came.empty()


@pytest.mark.covers("TRUST14")
async def test_one_that_never_reads_is_cut_off_and_asterisk_is_not_kept_waiting_for_ever(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sip_proxy, "TAKES_WITHIN_S", 0.2)
    await stage.phone(stage.world.mio)
    async with stage.connected(stage.world.mio, max_msg_size=0) as socket:
        assert socket._conn is not None and socket._conn.transport is not None
        socket._conn.transport.pause_reading()  # its kernel buffer fills, then ours
        await until(lambda: stage.asterisk.sockets, WITHIN_S, "the connection")
        text, sent = "x" * 50_000, 0
        with pytest.raises((ConnectionError, TimeoutError)):
            async with asyncio.timeout(20):
                while not stage.asterisk.ended:
                    await stage.asterisk.sockets[0].send_str(text)
                    sent += 1
                raise ConnectionError
        assert sent * len(text) < 50_000_000, "what waits is bounded by the buffers of the kernel"
        await until(lambda: len(stage.world.proxies) == 0, WITHIN_S, "the proxy to end")
        socket._conn.transport.abort()


async def test_it_ends_when_asterisk_goes(stage: Stage) -> None:
    await stage.phone(stage.world.mio)
    async with stage.connected(stage.world.mio) as socket:
        await until(lambda: stage.asterisk.sockets, WITHIN_S, "the connection")
        await stage.asterisk.sockets[0].close()
        assert (await closed(socket))[0] == 1012


async def sign_out(world: World) -> None:
    assert (await world.ask("DELETE", "/session", headers=world.mio.browser))[0] == 204


async def other_password(world: World) -> None:
    async with world.engine.store.write(SYSTEM) as work:
        await users.set_password(work, world.mio.id, "a whole new password")


async def switch_off(world: World) -> None:
    assert (await world.ask("PATCH", f"/users/{world.mio.id}", world.robin, {"active": False}))[0] == 200


async def end_every_login(world: World) -> None:
    assert (await world.ask("DELETE", f"/users/{world.mio.id}/sessions", world.robin))[0] == 204


async def remove(world: World) -> None:
    assert (await world.ask("DELETE", f"/users/{world.mio.id}", world.robin))[0] == 204


async def expire(world: World) -> None:
    now = world.engine.store.clock()
    world.engine.store.clock = lambda: now + sessions.LIFETIME_S * 2_000_000
    await forget_expired(world.engine)


@pytest.mark.parametrize("end", [sign_out, other_password, switch_off, end_every_login, remove, expire])
async def test_the_connection_and_the_phone_end_with_the_login(stage: Stage, end: Any) -> None:
    world = stage.world
    phone = await stage.phone(world.mio)
    async with stage.connected(world.mio) as socket:
        await until(lambda: stage.asterisk.sockets, WITHIN_S, "the connection")
        await end(world)
        assert (await closed(socket))[0] == 4401
    assert phone["device_id"] not in world.engine.directory.devices
    await until(lambda: stage.asterisk.ended == 1, WITHIN_S, "the other side to be closed, too")
    assert await stage.refused() == 401


async def test_the_login_is_looked_at_again_while_it_is_used(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """An expired login that housekeeping has not seen yet; every look notes the use of one that holds."""
    monkeypatch.setattr(sip_proxy, "RECHECK_S", 0.05)
    await stage.phone(stage.world.mio)
    async with stage.connected(stage.world.mio) as socket:
        monkeypatch.setattr(sessions, "find", _nobody)
        stage.world.door.forget()
        assert (await closed(socket))[0] == 4401


async def _nobody(*_: object) -> None:
    return None


async def test_one_login_has_a_bounded_number_of_connections_and_the_newest_stay(stage: Stage) -> None:
    phone = await stage.phone(stage.world.mio)
    most = sip_proxy.MOST_PER_LOGIN
    headers = {"Cookie": stage.world.mio.browser["Cookie"]} | stage.origin
    url = stage.world.server.make_url("/sip")
    opened = [await stage.world.http.ws_connect(url, protocols=("sip",), headers=headers) for _ in range(most + 1)]
    assert (await closed(opened[0]))[0] == 4409
    for socket in opened[1:]:
        await socket.send_str(register(phone["device_id"]))
        assert await stage.asterisk.next() == register(phone["device_id"])
        await socket.close()
    await until(lambda: len(stage.world.proxies) == 0, WITHIN_S, "nothing to be left")


async def test_a_stop_of_the_engine_says_goodbye_to_phones(stage: Stage) -> None:
    await stage.phone(stage.world.mio)
    async with stage.connected(stage.world.mio) as socket:
        await until(lambda: stage.asterisk.sockets, WITHIN_S, "the connection")
        closing = asyncio.ensure_future(stage.world.server.close())
        assert (await closed(socket))[0] == 1001
        await closing
