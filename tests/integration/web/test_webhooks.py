"""Webhooks through the API: added, tried, told, and told again (A5)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from crm.webhooks import EVENTS
from tests.integration.web.world import World
from tests.support.waiting import Deadline, until
from tests.support.webhook_receiver import Receiver

pytestmark = pytest.mark.covers("A5")


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    await made.start()
    yield made
    await made.stop()


async def add(world: World, receiver: Receiver, *events: str) -> Any:
    wanted = {"url": receiver.url, "events": list(events or EVENTS), "description": "CRM of ours"}
    status, made = await world.ask("POST", "/webhooks", world.robin, wanted)
    assert status == 201, made
    receiver.secret = made["secret"]
    return made["webhook"]


async def test_a_webhook_is_told_of_a_call_as_the_api_shows_it(world: World, receiver: Receiver) -> None:
    await add(world, receiver, "call.created", "call.answered", "call.ended")
    call = world.talk(world.mio)
    world.end(call)
    await until(lambda: len(receiver.told) == 3, 20, "the call is told")
    assert receiver.types == ["call.created", "call.answered", "call.ended"]
    assert len(receiver.counted()) == 3 and receiver.forged == 0
    _, shown = await world.ask("GET", f"/calls/{call}", world.robin)
    told = receiver.told[-1]["data"]
    assert told["id"] == call
    assert {name: shown[name] for name in told if name not in ("notes",)} == {
        name: told[name] for name in told if name not in ("notes",)
    }


async def test_its_secret_is_shown_once_and_again_when_it_is_another(world: World, receiver: Receiver) -> None:
    made = await add(world, receiver)
    _, shown = await world.ask("GET", f"/webhooks/{made['id']}", world.robin)
    assert receiver.secret.startswith("whsec_") and receiver.secret not in str(shown)
    status, rotated = await world.ask("POST", f"/webhooks/{made['id']}/secret", world.robin)
    assert status == 200 and rotated["secret"] != receiver.secret and rotated["webhook"]["old_secret_until_us"]
    _, audit = await world.ask("GET", f"/audit?object_id={made['id']}", world.robin)
    assert [each["action"] for each in audit["items"]] == ["webhook.rotate", "webhook.add"]
    assert "whsec_" not in str(audit)


async def test_it_can_be_tried_and_what_came_of_it_is_seen_and_sent_again(world: World, receiver: Receiver) -> None:
    made = await add(world, receiver, "text.received")
    assert (await world.ask("POST", f"/webhooks/{made['id']}/test", world.robin))[0] == 202
    await until(lambda: receiver.types == ["ping"], 20, "the ping comes")

    async def delivered() -> Any:
        _, page = await world.ask("GET", f"/webhook-deliveries?webhook={made['id']}", world.robin)
        return [each for each in page["items"] if each["state"] == "delivered"]

    deadline = Deadline(20)
    while not (found := await delivered()):
        assert not deadline.over, "the delivery is noted"
    _, detail = await world.ask("GET", f"/webhook-deliveries/{found[0]['id']}", world.robin)
    assert f'"id":"{found[0]["event_id"]}"' in detail["body"] and '"type":"ping"' in detail["body"]
    status, again = await world.ask("POST", f"/webhook-deliveries/{found[0]['id']}/redeliver", world.robin)
    assert (status, again["event_id"]) == (202, found[0]["event_id"])
    await until(lambda: receiver.taken == [found[0]["event_id"]] * 2, 20, "it comes again with the same id")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"url": "http://127.0.0.1/", "events": ["call.ended"]}, "url"),
        ({"url": "http://[::ffff:10.0.0.1]/", "events": ["call.ended"]}, "url"),
        ({"url": "ftp://example.com/", "events": ["call.ended"]}, "url"),
        ({"url": "https://example.com/", "events": []}, "events"),
        ({"url": "https://example.com/", "events": ["call.exploded"]}, "events.0"),
        ({"url": "https://example.com/"}, "events"),
    ],
)
async def test_what_cannot_be_is_refused(world: World, body: dict[str, Any], field: str) -> None:
    status, problem = await world.ask("POST", "/webhooks", world.robin, body)
    assert (status, problem["field"]) == (422, field)


@pytest.mark.covers("TRUST21")
async def test_a_token_has_nothing_sent_that_it_may_not_read(world: World, receiver: Receiver) -> None:
    scopes = ["admin:read", "admin:write", "calls:read"]
    new = {"name": "narrow", "scopes": scopes}
    _, made = await world.ask("POST", "/tokens", headers=world.robin.browser, body=new)
    narrow = {"Authorization": f"Bearer {made['secret']}"}
    body = {"url": receiver.url, "events": ["call.ended", "text.received"]}
    status, problem = await world.ask("POST", "/webhooks", headers=narrow, body=body)
    assert (status, problem["code"]) == (403, "scope_missing")
    assert (await world.ask("POST", "/webhooks", headers=narrow, body={**body, "events": ["call.ended"]}))[0] == 201
    wide = await add(world, receiver)
    for method, path, changes in (
        ("PATCH", f"/webhooks/{wide['id']}", {"url": "https://example.com/mine"}),
        ("POST", f"/webhooks/{wide['id']}/secret", None),
    ):
        assert (await world.ask(method, path, headers=narrow, body=changes))[0] == 403


async def test_a_webhook_that_is_removed_is_told_nothing_more(world: World, receiver: Receiver) -> None:
    made = await add(world, receiver)
    assert (await world.ask("DELETE", f"/webhooks/{made['id']}", world.robin))[0] == 204
    world.end(world.talk(world.mio))
    await world.engine.projector.flush()
    assert (await world.ask("GET", f"/webhooks/{made['id']}", world.robin))[0] == 404
    assert await world.engine.store.rows([("SELECT seq FROM webhook_events", ())]) == [[]]
    assert receiver.asked == []
