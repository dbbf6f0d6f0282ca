"""A receiver of webhooks: keeps what it is sent, checks each signature, and answers what a test wants it to."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer


def verify(secret: str, headers: Any, body: bytes) -> bool:
    """As the README tells receivers to do it."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    wanted = base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
    given = (each.partition(",")[2] for each in headers["webhook-signature"].split(" "))
    return any(hmac.compare_digest(wanted, each) for each in given)


@dataclass
class Receiver:
    """``taken`` are ids in the order in which they were answered with 2xx, ``asked`` all of them."""

    secret: str = ""
    status: int = 200
    refuses: set[str] = field(default_factory=set)
    """Types that it answers with 400."""
    port: int = 0
    asked: list[str] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    told: list[dict[str, Any]] = field(default_factory=list)
    forged: int = 0
    elsewhere: list[str] = field(default_factory=list)
    goes_on: asyncio.Event = field(default_factory=asyncio.Event)
    _server: TestServer | None = None

    async def start(self) -> None:
        """On the port that it had before, where it had one."""
        app = web.Application()
        app.router.add_post("/hook", self._hear)
        app.router.add_route("*", "/{path:.*}", self._elsewhere)
        self._server = TestServer(app, host="127.0.0.1", port=self.port or None)
        await self._server.start_server()
        self.port = self._server.port or 0
        self.goes_on.set()

    async def stop(self) -> None:
        if self._server is not None:
            await self._server.close()
            self._server = None

    @property
    def url(self) -> str:
        return f"http://receiver.example:{self.port}/hook"

    @property
    def types(self) -> list[str]:
        return [each["type"] for each in self.told]

    def counted(self) -> Counter[str]:
        return Counter(self.taken)

    async def _hear(self, request: web.Request) -> web.Response:
        body = await request.read()
        await self.goes_on.wait()
        if not verify(self.secret, request.headers, body):
            self.forged += 1
            return web.Response(status=401)
        told = json.loads(body)
        self.asked.append(told["id"])
        if told["type"] in self.refuses:
            return web.Response(status=400)
        if self.status != 200:
            return web.Response(status=self.status, headers={"Location": "/inside"})
        self.taken.append(told["id"])
        self.told.append(told)
        return web.Response(text="x" * 100_000)

    async def _elsewhere(self, request: web.Request) -> web.Response:
        self.elsewhere.append(request.path)
        return web.Response()
