"""Reading Asterisk's security events: whole or in pieces, of SIP alone."""

from __future__ import annotations

import pytest

from pbx.adapters.asterisk.security_events import SecurityEvents

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
