"""The API's description: whole, true, and the source of requests that must not break anything (TRUST 20)."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError
from yarl import URL

from bench.figures import at_most
from pbx.web.declare import Route
from pbx.web.routes import TABLES
from tests.integration.web.fuzzing import Fuzzer
from tests.integration.web.test_problems import check_problem
from tests.integration.web.world import World
from tests.support.trust import Measured

ROUTES = {(route.method.lower(), route.path): route for table in TABLES for route in table if route.described}
ENDS_THE_LOGIN = {"sign_out", "close_my_other_sessions", "follow_events"}
TIMES = 12


@pytest.mark.covers("A5")
async def test_every_route_is_described_and_every_reference_leads_somewhere(world: World) -> None:
    status, document = await world.ask("GET", "/openapi.json")
    assert (status, document["openapi"]) == (200, "3.1.0")
    described = {(method, path) for path, operations in document["paths"].items() for method in operations}
    assert described == set(ROUTES)
    operations = [each for path in document["paths"].values() for each in path.values()]
    assert len({each["operationId"] for each in operations}) == len(operations)
    for reference in re.findall(r'"\$ref": ?"#/([^"]+)"', json.dumps(document)):
        found: Any = document
        for part in reference.split("/"):
            found = found[part]
        assert found
    for each in operations:
        assert each["summary"] and each["x-right"]
    assert not [name for name in document["components"]["schemas"] if "__" in name], "two models have one name"
    text = json.dumps(document["components"]["schemas"]["User"])
    assert "password_hash" not in text and "ha1" not in json.dumps(document["components"]["schemas"]["Device"])


@pytest.mark.trust(20)
@pytest.mark.covers("TRUST20")
@pytest.mark.parametrize("seed", [1, 2])
async def test_requests_made_from_the_description_get_only_answers_that_it_names(
    world: World, seed: int, measured: Measured
) -> None:
    _, document = await world.ask("GET", "/openapi.json")
    call, recording = await world.recorded(world.mio, b"sound")
    world.engine.follow()
    known = {
        "user": [world.mio.id, world.sam.user.email],
        "call": [call, world.ring(world.sam)],
        "recording": [recording],
        "device": [world.mio.device],
        "number": ["+14155550101", "+12065550150"],
        "outcome": [await _made(world, "/outcomes", {"name": "Connected"})],
        "task": [await _made(world, "/tasks", {"title": "Call back", "due_us": 1})],
        "key": ["gate.deny_prefixes", "recording.enabled", "emergency.numbers"],
    }
    fuzzer = Fuzzer(document, seed, known)
    seen: dict[int, int] = {}
    for (method, path), route in ROUTES.items():
        if route.name in ENDS_THE_LOGIN:
            continue
        operation = document["paths"][path][method]
        for _ in range(TIMES):
            status = await _ask(world, fuzzer, route, operation)
            seen[status] = seen.get(status, 0) + 1
    assert seen[200] > 100 and seen[422] > 100, seen
    broken = sum(count for status, count in seen.items() if status >= 500)
    measured(at_most(f"answers 5xx, of {sum(seen.values())} requests made from seed {seed}", broken, "answers", 0))


async def _made(world: World, path: str, body: dict[str, Any]) -> str:
    return str((await world.ask("POST", path, world.robin, body))[1]["id"])


async def _ask(world: World, fuzzer: Fuzzer, route: Route, operation: dict[str, Any]) -> int:
    parameters = operation["parameters"]
    path = route.path
    for each in parameters:
        if each["in"] == "path":
            value = fuzzer.parameter(each["name"], each["schema"]).encode("utf-8", "surrogatepass")
            path = path.replace(f"{{{each['name']}}}", quote(value, safe="") or "%20")
    query = [
        (each["name"], fuzzer.parameter(each["name"], each["schema"]).encode("utf-8", "surrogatepass"))
        for each in parameters
        if each["in"] == "query" and fuzzer.random.random() < 0.4
    ]
    body = fuzzer.value(operation["requestBody"]["content"]["application/json"]["schema"]) if route.body else None
    url = URL(f"http://{world.server.host}:{world.server.port}{path}?{urlencode(query)}", encoded=True)
    headers = {**world.robin.browser, "Content-Type": "application/json"}
    raw = json.dumps(body).encode() if route.body else b""
    async with world.http.request(route.method, url, data=raw, headers=headers) as response:
        content = await response.read()
        told = (route.method, str(url)[:300], str(body)[:500], response.status, content[:300])
        assert response.status < 500, told
        assert str(response.status) in operation["responses"], told
        if response.status >= 400:
            assert response.content_type == "application/problem+json", told
            check_problem(response.status, json.loads(content))
        elif _is_model(route.answer):
            _check_shape(route.answer, content, told)
    return response.status


def _check_shape(answer: type[BaseModel], content: bytes, told: object) -> None:
    """What came is what was described: no field is missing or of another kind."""
    try:
        TypeAdapter(answer).validate_json(content)
    except ValidationError as error:
        raise AssertionError(f"{told}: {error}") from error


def _is_model(answer: Any) -> bool:
    return isinstance(answer, type) and issubclass(answer, BaseModel)
