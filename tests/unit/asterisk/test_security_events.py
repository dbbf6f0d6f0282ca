"""Reading Asterisk's security events: whole or in pieces, of SIP alone."""

from __future__ import annotations

import asyncio

import pytest

from pbx.adapters.asterisk.security_events import SecurityEvents
from tests.support.waiting import until

pytestmark = pytest.mark.covers("TRUST16")


def event(name: str, *, service: str = "PJSIP", account: str = "d1", remote: str = "IPV4/UDP/192.0.2.7/5060") -> str:
    return (
        f"Event: {name}\r\nPrivilege: security,all\r\nEventTV: 2026-11-25T17:45:28.079+0000\r\nSeverity: Error\r\n"
        f"Service: {service}\r\nEventVersion: 1\r\nAccountID: {account}\r\nSessionID: x\r\n"
        f"LocalAddress: IPV4/UDP/192.0.2.1/5060\r\nRemoteAddress: {remote}\r\nChallenge: \r\n\r\n"
    )


def heard(text: str) -> list[tuple[str, str, str]]:
    found: list[tuple[str, str, str]] = []
    SecurityEvents(1, "", "", lambda *seen: found.append(seen)).read(text.encode())
    return found


def test_each_kind_of_event_says_what_happened_and_whence() -> None:
    names = ("ChallengeSent", "SuccessfulAuth", "ChallengeResponseFailed", "InvalidPassword", "InvalidAccountID")
    text = "Response: Success\r\n\r\n" + "".join(event(name) for name in names)
    assert [what for what, _, _ in heard(text)] == ["challenged", "right", "wrong", "wrong", "wrong"]
    assert {(address, account) for _, address, account in heard(text)} == {("192.0.2.7", "d1")}


def test_other_services_and_other_events_are_left_alone() -> None:
    text = event("SuccessfulAuth", service="AMI") + event("FailedACL") + event("ChallengeSent", account="d2")
    assert heard(text) == [("challenged", "192.0.2.7", "d2")]


def test_addresses_of_ipv6_and_odd_accounts_are_read_as_they_are() -> None:
    text = event("ChallengeSent", account="a b/c: ü\x01", remote="IPV6/TLS/2001:db8::7/5061") + event(
        "InvalidPassword", account=""
    )
    assert heard(text) == [("challenged", "2001:db8::7", "a b/c: ü\x01"), ("wrong", "192.0.2.7", "")]


def test_one_that_cannot_be_taken_keeps_no_other_back() -> None:
    found: list[str] = []

    def hear(what: str, address: str, account: str) -> None:
        if account == "bad":
            raise RuntimeError("broken")
        found.append(account)

    text = event("ChallengeSent", account="bad") + event("ChallengeSent", account="good")
    SecurityEvents(1, "", "", hear).read(text.encode())
    assert found == ["good"]


async def test_on_a_quiet_day_events_are_read_together_and_after_a_wrong_password_each_at_once() -> None:
    """Who is woken for each call's challenge and password does less else; who guesses must not guess on meanwhile."""
    heard: list[str] = []

    async def asterisk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"Asterisk Call Manager/11.0.0\r\n")
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"Response: Success\r\n\r\n")
        told.set_result(writer)

    told: asyncio.Future[asyncio.StreamWriter] = asyncio.get_running_loop().create_future()
    server = await asyncio.start_server(asterisk, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    events = SecurityEvents(port, "", "", lambda what, address, account: heard.append(account))
    chunks: list[int] = []
    read = events.read
    events.read = lambda text: bool(chunks.append(text.count(b"Event:"))) or read(text)  # type: ignore[method-assign]
    listening = asyncio.ensure_future(events.run())
    writer = await told

    async def send(kind: str, accounts: list[str]) -> None:
        chunks.clear()
        for account in accounts:
            writer.write(event(kind, account=account).encode())
            await asyncio.sleep(0.002)
        await until(lambda: heard[-len(accounts) :] == accounts, 2, "all events")

    many = [str(number) for number in range(50)]
    await send("SuccessfulAuth", many)
    assert len([size for size in chunks if size]) < 25
    await send("InvalidPassword", ["thief"])
    await send("SuccessfulAuth", many)
    assert len([size for size in chunks if size]) > 25
    listening.cancel()
    writer.close()
    server.close()
