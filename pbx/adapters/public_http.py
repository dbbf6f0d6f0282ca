"""Requests to addresses that somebody typed in: webhooks, SMS providers, files of texts (TRUST 22).

They reach public addresses only, and what the operator names in the configuration (``outgoing_nets``). A name is looked
up once, what it says is judged, and the connection goes to what was judged: a name that says something else the next
time (rebinding) gains nothing. A redirect is a new address and judged like one. Proxies of the environment are not
used: they would look names up by themselves.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from crm.web_addresses import Network, NotAllowed, check_url, host_of, inside, is_allowed, read_nets

CONNECT_S = 5.0
IN_ALL_S = 15.0
MOST_BYTES = 1_000_000
_REDIRECTS = {301, 302, 303, 307, 308}
_TELLING = {"authorization", "cookie", "proxy-authorization"}


class Failed(Exception):
    """No answer. ``left`` tells whether the request may have reached the other side, ``late`` that time was over."""

    def __init__(self, sentence: str, *, left: bool, late: bool = False) -> None:
        super().__init__(sentence)
        self.left = left
        self.late = late


@dataclass(frozen=True, slots=True)
class Reply:
    """``body`` is cut at what was asked for as the most; ``whole`` tells whether it was."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes
    whole: bool = True


class PublicHttp:
    """One client for all of it. ``resolve`` gives the addresses of a name; tests stand in for it."""

    def __init__(self, nets: str = "", resolve: Callable[[str], Any] | None = None) -> None:
        self._nets = read_nets(nets)
        self._resolver = _Judging(self._nets, resolve or _look_up)
        self._session: aiohttp.ClientSession | None = None

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        in_all_s: float = IN_ALL_S,
        most_bytes: int = MOST_BYTES,
        redirects: int = 0,
    ) -> Reply:
        """Raises NotAllowed before anything is sent there, or Failed."""
        sent = dict(headers or {})
        try:
            async with asyncio.timeout(in_all_s):
                reply = await self._once(method, url, sent, body, most_bytes)
                for _ in range(redirects):
                    if reply.status not in _REDIRECTS or "location" not in reply.headers:
                        break
                    url, sent = _next(url, reply.headers["location"], sent)
                    reply = await self._once("GET", url, sent, None, most_bytes)
                return reply
        except TimeoutError as error:
            raise Failed(f"{_host(url)} did not answer within {in_all_s:g} s.", left=True, late=True) from error

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _once(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, most: int) -> Reply:
        check_url(url, self._nets)
        try:
            async with self._client().request(
                method, URL(url, encoded=True), headers=headers, data=body, allow_redirects=False
            ) as answer:
                names = {name.lower(): value for name, value in answer.headers.items()}
                content, whole = await _read(answer, most)
                return Reply(answer.status, names, content, whole)
        except aiohttp.ClientConnectorError as error:
            if (refusal := _refusal(error)) is not None:
                raise refusal from error
            raise Failed(f"{_host(url)} cannot be reached.", left=False) from error
        except aiohttp.ConnectionTimeoutError as error:
            raise Failed(f"{_host(url)} cannot be reached.", left=False) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise Failed(f"{_host(url)} broke off the connection.", left=True) from error

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(resolver=self._resolver, use_dns_cache=False),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=True,
            )
        return self._session


class _Judging(AbstractResolver):
    """Gives the connector those addresses of a name that may be reached; it connects to nothing else."""

    def __init__(self, nets: Sequence[Network], look_up: Callable[[str], Any]) -> None:
        self._nets, self._look_up = nets, look_up

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._look_up(host)
        judged = [(text, ipaddress.ip_address(text.partition("%")[0])) for text in found]
        allowed = [text for text, address in judged if is_allowed(address, self._nets)]
        if not found:
            raise OSError(f"{host} has no address.")
        if len(allowed) < len(found):  # a name that leads both ways is a trick, or a mistake
            raise _Refusal(inside(host))
        return [_result(host, port, text) for text in allowed]

    async def close(self) -> None:
        return None


class _Refusal(OSError):
    """On its way through the connector, which takes only errors of the system."""


def _refusal(error: BaseException) -> NotAllowed | None:
    at: BaseException | None = error
    while at is not None:
        if isinstance(at, _Refusal):
            return NotAllowed(str(at))
        within = getattr(at, "os_error", None)
        at = within if within is not None and within is not at else at.__cause__
    return None


def _result(host: str, port: int, address: str) -> ResolveResult:
    return ResolveResult(
        hostname=host,
        host=address,
        port=port,
        family=socket.AF_INET6 if ":" in address else socket.AF_INET,
        proto=0,
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )


async def _look_up(host: str) -> list[str]:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


async def _read(answer: aiohttp.ClientResponse, most: int) -> tuple[bytes, bool]:
    content = bytearray()
    async for piece in answer.content.iter_chunked(1 << 16):
        content += piece
        if len(content) > most:
            answer.close()
            return bytes(content[:most]), False
    return bytes(content), True


def _next(url: str, location: str, headers: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """What proves who we are does not go along to another host."""
    target = urljoin(url, location)
    same = _host(target) == _host(url)
    return target, {name: value for name, value in headers.items() if same or name.lower() not in _TELLING}


def _host(url: str) -> str:
    return host_of(url) or "The address"
