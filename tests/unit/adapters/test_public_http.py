"""Addresses that somebody typed in lead outside, or nowhere."""

from __future__ import annotations

import ipaddress
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from crm.web_addresses import NotAllowed, check_url, is_allowed, read_nets
from pbx.adapters.public_http import Failed, PublicHttp

INSIDE = (
    *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1"),
    *("255.255.255.255", "192.0.2.1", "198.18.0.1", "240.0.0.1"),
    *("::1", "::", "fe80::1", "fc00::1", "fd12::1", "ff02::1", "fec0::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1"),
    *("::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::", "2002:a00:1::", "2001:db8::1"),
    "2001:0:4136:e378:8000:63bf:80ff:fffe",  # teredo of 127.0.0.1
)
OUTSIDE = ("1.1.1.1", "93.184.215.14", "2606:4700:4700::1111", "64:ff9b::101:101", "::ffff:1.1.1.1")


@pytest.mark.parametrize("address", INSIDE)
def test_an_inner_address_is_not_allowed_in_whatever_form(address: str) -> None:
    assert not is_allowed(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", OUTSIDE)
def test_a_public_address_is_allowed(address: str) -> None:
    assert is_allowed(ipaddress.ip_address(address))


def test_the_operator_may_name_networks_of_the_house() -> None:
    nets = read_nets("192.168.7.0/24, fd12::/16")
    assert is_allowed(ipaddress.ip_address("192.168.7.9"), nets)
    assert is_allowed(ipaddress.ip_address("fd12::9"), nets)
    assert not is_allowed(ipaddress.ip_address("192.168.8.9"), nets)


@pytest.mark.parametrize(
    "url",
    [
        *("ftp://example.com/", "file:///etc/passwd", "https://", "https://user:secret@example.com/", "no address"),
        *("http://127.0.0.1/", "http://[::1]/", "http://[::ffff:7f00:1]/", "http://169.254.169.254/latest"),
    ],
)
def test_an_address_that_shows_its_fault_is_refused_at_once(url: str) -> None:
    with pytest.raises(NotAllowed):
        check_url(url)


Serve = Callable[[web.Application], Awaitable[TestServer]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    servers: list[TestServer] = []

    async def begin(app: web.Application) -> TestServer:
        server = TestServer(app, host="127.0.0.1")
        await server.start_server()
        servers.append(server)
        return server

    yield begin
    for server in servers:
        await server.close()


def _saying(addresses: list[list[str]]) -> Callable[[str], Awaitable[list[str]]]:
    """A name server that says something else each time."""

    async def look_up(host: str) -> list[str]:
        return addresses.pop(0) if len(addresses) > 1 else addresses[0]

    return look_up


async def test_a_name_that_leads_inside_is_never_connected_to(serve: Serve) -> None:
    asked: list[str] = []

    async def hear(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response()

    app = web.Application()
    app.router.add_get("/{path:.*}", hear)
    server = await serve(app)
    # 2130706433 and 0x7f.1 are names to everybody but the system's own look-up, which reads them as 127.0.0.1.
    for host in ("localhost", "2130706433", "0x7f.1", "rebound.example"):
        http = PublicHttp(resolve=None if host != "rebound.example" else _saying([["127.0.0.1"]]))
        with pytest.raises((NotAllowed, Failed)):
            await http.request("GET", f"http://{host}:{server.port}/secret")
        await http.close()
    assert asked == []


async def test_a_name_with_one_address_outside_and_one_inside_is_refused() -> None:
    http = PublicHttp(resolve=_saying([["1.1.1.1", "127.0.0.1"]]))
    with pytest.raises(NotAllowed, match="private network"):
        await http.request("GET", "http://both.example/")
    await http.close()


async def test_it_connects_to_what_was_judged_and_to_nothing_the_name_says_later(serve: Serve) -> None:
    async def hear(request: web.Request) -> web.Response:
        return web.json_response({"host": request.headers["Host"]})

    app = web.Application()
    app.router.add_get("/", hear)
    server = await serve(app)
    http = PublicHttp("127.0.0.1", resolve=_saying([["127.0.0.1"], ["10.0.0.1"]]))
    reply = await http.request("GET", f"http://once.example:{server.port}/")
    assert (reply.status, b"once.example" in reply.body) == (200, True)
    await http.close()


async def test_a_redirect_inside_is_not_followed_and_a_secret_does_not_go_to_another_host(serve: Serve) -> None:
    seen: list[str | None] = []

    async def away(request: web.Request) -> web.Response:
        raise web.HTTPFound(request.query["to"])

    async def end(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Authorization"))
        return web.Response(text="x" * 100)

    app = web.Application()
    app.router.add_get("/away", away)
    app.router.add_get("/end", end)
    server = await serve(app)
    base = f"http://first.example:{server.port}"

    async def look_up(host: str) -> list[str]:
        return ["10.9.9.9"] if host == "inner.example" else ["127.0.0.1"]

    http = PublicHttp("127.0.0.1", resolve=look_up)
    headers = {"Authorization": "Bearer secret"}
    with pytest.raises(NotAllowed):
        await http.request("GET", f"{base}/away?to=http://inner.example/", headers=headers, redirects=3)
    kept = await http.request("GET", f"{base}/away?to=/end", headers=headers, redirects=3, most_bytes=10)
    other = f"http://second.example:{server.port}/end"
    await http.request("GET", f"{base}/away?to={other}", headers=headers, redirects=3)
    assert seen == ["Bearer secret", None]
    assert (len(kept.body), kept.whole) == (10, False)
    assert (await http.request("GET", f"{base}/away?to=/end")).status == 302
    await http.close()


async def test_where_nobody_listens_nothing_has_left() -> None:
    http = PublicHttp("127.0.0.1")
    with pytest.raises(Failed) as failed:
        await http.request("GET", "http://127.0.0.1:9/")
    assert not failed.value.left
    await http.close()
