"""Errors: one form, a sentence with the remedy, and never an error of ours for a request that is wrong."""

from __future__ import annotations

import re
from typing import Any

import orjson
import pytest
from yarl import URL

from crm.errors import unavailable
from pbx.services.alerts import Kind
from tests.integration.web.injections import INJECTIONS
from tests.integration.web.world import World

FORM = {"type", "title", "status", "detail", "code", "field", "instance", "request_id"}


def check_problem(status: int, problem: Any) -> None:
    assert isinstance(problem, dict), problem
    assert set(problem) >= FORM and problem["status"] == status
    assert problem["type"] == f"urn:switchhook:problem:{problem['code']}"
    assert re.fullmatch(r"[a-z][a-z0-9_]*", problem["code"])
    assert problem["detail"][-1] in ".!" and len(problem["detail"]) > 10
    assert "Traceback" not in problem["detail"]


JSON = {"Content-Type": "application/json"}
WRONG: tuple[tuple[str, str, bytes | None, dict[str, str], tuple[int, str]], ...] = (
    ("GET", "/nothing", None, {}, (404, "not_found")),
    ("PUT", "/calls", None, {}, (405, "method_not_allowed")),
    ("POST", "/calls", b"{", JSON, (400, "bad_json")),
    ("POST", "/calls", b"\xff\xfe", JSON, (400, "bad_json")),
    ("POST", "/calls", b'{"to": "\\ud800"}', JSON, (400, "bad_json")),
    ("POST", "/calls", b"to=1", {"Content-Type": "application/x-www-form-urlencoded"}, (415, "not_json")),
    ("POST", "/calls", b"[]", JSON, (422, "invalid")),
    ("POST", "/calls", b"{}", JSON, (422, "missing")),
    ("POST", "/calls", b'{"to": 5}', JSON, (422, "invalid")),
    ("POST", "/calls", b'{"to":"1","x":1}', JSON, (422, "unknown_field")),
    ("POST", "/calls", b"[" * 100_000, JSON, (400, "bad_json")),
    ("POST", "/calls", b'"' + b"x" * 300_000 + b'"', JSON, (413, "too_large")),
    ("GET", "/calls?limit=0", None, {}, (422, "invalid")),
    ("GET", "/calls?limit=1&limit=2", None, {}, (422, "given_twice")),
    ("GET", "/calls?sort=id", None, {}, (422, "unknown_field")),
    ("GET", "/calls?cursor=zzz", None, {}, (422, "bad_cursor")),
    ("GET", "/calls/c_nothing", None, {}, (404, "not_found")),
    ("GET", "/calls/%00", None, {}, (404, "not_found")),
    ("GET", "/calls/%ff%fe", None, {}, (404, "not_found")),
    ("GET", "/recordings/rec_x", None, {}, (404, "not_found")),
)


@pytest.mark.covers("A5")
async def test_every_error_has_the_same_form(world: World) -> None:
    for method, path, body, headers, expected in WRONG:
        url = URL(f"{world.server.make_url('/api/v1')}{path}", encoded=True)
        sent = {**world.mio.bearer, **headers}
        async with world.http.request(method, url, data=body, headers=sent) as response:
            problem = await response.json(content_type=None)
        assert (response.status, problem["code"]) == expected, path
        check_problem(response.status, problem)
        told = response.headers
        assert told["Content-Type"].startswith("application/problem+json")
        assert told["X-Request-Id"] == problem["request_id"]
        assert told["X-Content-Type-Options"] == "nosniff"
        assert "frame-ancestors 'none'" in told["Content-Security-Policy"]
        assert told.get("Allow") == ("GET,POST" if response.status == 405 else None)


@pytest.mark.covers("TRUST5")
async def test_a_database_that_is_away_is_a_503_with_when_to_come_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.ask("GET", "/me", world.mio)
    call = world.talk(world.mio)

    def away(*_: object, **__: object) -> None:
        raise unavailable("it is being restarted")

    for way in ("read", "look", "write"):
        monkeypatch.setattr(world.engine.store, way, away)
    for path in ("/calls", "/search?q=a", "/voicemails", "/records"):
        status, problem = await world.ask("GET", path, world.mio)
        assert status == 503, path
        check_problem(status, problem)
    key = {"Idempotency-Key": "k"}
    assert (await world.ask("POST", "/calls", world.mio, {"to": "+12065550150"}, headers=key))[0] == 503
    assert (await world.ask("GET", f"/calls/{call}", world.mio))[0] == 200, "calls that go on are in memory"
    assert (await world.ask("POST", f"/calls/{call}/hangup", world.mio))[0] == 200
    assert (await world.ask("GET", "readyz"))[0] == 503


async def test_a_fault_of_ours_tells_nothing_of_itself(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret inner workings")

    monkeypatch.setattr(world.engine.gate, "check", broken)
    status, problem = await world.ask("POST", "/gate/check", world.mio, {"to": "1"})
    assert (status, problem["code"]) == (500, "internal_error")
    assert "inner workings" not in str(problem)


NUMBER_FIELDS: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("POST", "/calls", "to", {}),
    ("POST", "/gate/check", "to", {}),
    ("PATCH", "/me", "forwarding_number", {}),
    ("PATCH", "/users/{user}", "forwarding_number", {}),
    ("POST", "/numbers", "number", {}),
    ("POST", "/do-not-call", "number", {}),
    ("POST", "/records", "phones", {"kind": "lead", "name": "Somebody"}),
    ("PUT", "/settings/emergency.caller_id", "value", {}),
)


@pytest.mark.covers("TRUST17", "P5")
@pytest.mark.parametrize(("method", "path", "field", "rest"), NUMBER_FIELDS)
async def test_hostile_texts_in_number_fields_make_no_leg_and_no_error_of_ours(
    world: World, method: str, path: str, field: str, rest: dict[str, Any]
) -> None:
    path = path.replace("{user}", world.sam.id)
    assert len(INJECTIONS) >= 200
    for text in INJECTIONS:
        value: Any = [{"label": "mobile", "number": text}] if field == "phones" else text
        raw = _encoded({**rest, field: value})
        url = world.server.make_url(f"/api/v1{path}")
        headers = {**world.robin.bearer, "Content-Type": "application/json"}
        async with world.http.request(method, url, data=raw, headers=headers) as response:
            body = await response.json(content_type=None)
        assert response.status < 500, (text[:60], body)
        if response.status >= 400:
            check_problem(response.status, body)
    for command in world.engine.switch.commands:
        dialled = getattr(command, "dial", "")
        assert not set(dialled) & set("&${}`'\"\r\n\0<>| "), dialled
    dialled_out = [each for each in world.engine.switch.commands if type(each).__name__ in ("DialOut", "RingPhone")]
    calls = {each.leg.split("_")[1] for each in dialled_out}
    assert all(set(each.dial) <= set(f"PJSIP/{world.robin.device}") for each in dialled_out), "only the phone itself"
    assert len(dialled_out) == len(calls), "one leg for each call that was let through"


def _encoded(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:
        import json

        return json.dumps(value).encode()


@pytest.mark.covers("A7")
async def test_errors_speak_the_language_that_the_request_asks_for_and_keep_their_code(world: World) -> None:
    sent = {**world.mio.bearer, "Accept-Language": "ja,en;q=0.8"}
    for method, path, body, headers, (status, code) in WRONG:
        url = URL(f"{world.server.make_url('/api/v1')}{path}", encoded=True)
        async with world.http.request(method, url, data=body, headers={**sent, **headers}) as response:
            problem = await response.json(content_type=None)
        assert (response.status, problem["code"]) == (status, code), path
        assert re.search("[ぁ-ん]", problem["detail"]), problem["detail"]


@pytest.mark.covers("A7")
async def test_findings_verdicts_and_alerts_speak_it_too(world: World) -> None:
    ja = {"Accept-Language": "ja"}
    _, told = await world.ask("GET", "/doctor", world.robin, headers=ja)
    assert all(re.search("[ぁ-んァ-ン]", each["message"]) for each in told["items"]), told
    _, verdict = await world.ask("POST", "/gate/check", world.mio, {"to": "+1900"}, headers=ja)
    assert re.search("[ぁ-ん]", verdict["detail"])
    world.engine.alerts.raised(Kind.DISK_LOW, "disk", "No recording is begun.")
    _, alerts = await world.ask("GET", "/alerts", world.robin)
    assert alerts["items"][0]["sentences"] == {"ja": "録音を始められません。"}
