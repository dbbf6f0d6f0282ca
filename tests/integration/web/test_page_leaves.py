"""How a page's connection ended is told to its calls: by the page, by accident or by us (P4)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest

from pbx.services.reloads import Ending
from tests.integration.web.test_browser_phone import WITHIN_S, Stage, sign_out, stage
from tests.support.waiting import until

pytestmark = pytest.mark.covers("P4")
LEAVING = "/session/phone/leaving"
__all__ = ["stage"]


@dataclass
class Told:
    """In the place of what tells the calls."""

    connections: list[str] = field(default_factory=list)
    endings: list[tuple[str, Ending]] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)

    def connected(self, device: str) -> None:
        self.connections.append(device)

    def disconnected(self, device: str, ending: Ending) -> None:
        self.endings.append((device, ending))

    def left(self, device: str) -> None:
        self.gone.append(device)


@pytest.fixture
def told(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Told:
    told = Told()
    monkeypatch.setattr(stage.world.engine, "reloads", told)
    return told


async def goes_away(stage: Stage, socket: aiohttp.ClientWebSocketResponse) -> None:
    await socket.close(code=1001)


async def closes(stage: Stage, socket: aiohttp.ClientWebSocketResponse) -> None:
    await socket.close()


async def breaks(stage: Stage, socket: aiohttp.ClientWebSocketResponse) -> None:
    assert socket._conn is not None and socket._conn.transport is not None
    socket._conn.transport.abort()


async def signs_out(stage: Stage, socket: aiohttp.ClientWebSocketResponse) -> None:
    await sign_out(stage.world)
    await socket.receive()


async def asterisk_goes(stage: Stage, socket: aiohttp.ClientWebSocketResponse) -> None:
    await stage.asterisk.sockets[0].close()
    await socket.receive()


async def engine_stops(stage: Stage, socket: aiohttp.ClientWebSocketResponse) -> None:
    closing = asyncio.ensure_future(stage.world.server.close())
    await socket.receive()
    await closing


async def says_nonsense(stage: Stage, socket: aiohttp.ClientWebSocketResponse) -> None:
    await socket.send_str("GET / HTTP/1.1\r\n\r\n")
    await socket.receive()


@pytest.mark.parametrize(
    ("happens", "ending"),
    [
        (goes_away, Ending.LEFT),
        (closes, Ending.CUT),
        (breaks, Ending.CUT),
        (says_nonsense, Ending.CUT),
        (signs_out, Ending.OURS),
        (asterisk_goes, Ending.OURS),
        (engine_stops, Ending.OURS),
    ],
)
async def test_every_end_of_a_connection_is_told_once_and_for_what_it_is(
    stage: Stage,
    told: Told,
    happens: Callable[[Stage, aiohttp.ClientWebSocketResponse], Awaitable[None]],
    ending: Ending,
) -> None:
    device = (await stage.phone(stage.world.mio))["device_id"]
    async with stage.connected(stage.world.mio) as socket:
        await until(lambda: stage.asterisk.sockets, WITHIN_S, "the connection")
        await happens(stage, socket)
        await until(lambda: told.endings, WITHIN_S, "the end to be told")
    assert told.connections == [device] and told.endings == [(device, ending)]


@pytest.mark.covers("TRUST21")
async def test_a_page_says_itself_that_it_leaves_and_nobody_else_can(stage: Stage, told: Told) -> None:
    world = stage.world
    mine: Any = world.mio.browser
    assert (await world.ask("POST", LEAVING, headers=mine))[0] == 204, "a login without a phone leaves nothing"
    device = (await stage.phone(world.mio))["device_id"]
    assert (await world.ask("POST", LEAVING))[0] == 401
    assert (await world.ask("POST", LEAVING, world.mio))[1]["code"] == "token_not_allowed"
    assert (await world.ask("POST", LEAVING, headers={"Cookie": mine["Cookie"]}))[1]["code"] == "csrf_token_missing"
    foreign = mine | {"Origin": "https://evil.example"}
    assert (await world.ask("POST", LEAVING, headers=foreign))[1]["code"] == "foreign_origin"
    assert not told.gone
    assert (await world.ask("POST", LEAVING, headers=mine))[0] == 204
    assert told.gone == [device]
