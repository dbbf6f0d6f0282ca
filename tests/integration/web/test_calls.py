"""Calls through the API: started, listed, shown, steered."""

from __future__ import annotations

import asyncio

import pytest

from bench.figures import at_most
from crm.services import devices
from crm.unit_of_work import SYSTEM
from pbx.core.commands import DialOut, HangUp, RingPhone, SendDigits
from pbx.core.events import LegAnswered, LegEnded
from pbx.services.erasure_list import ErasureList
from tests.integration.web.world import CUSTOMER, World
from tests.support.trust import Measured


@pytest.mark.covers("V5", "A5")
async def test_a_call_rings_the_users_phone_first_and_then_the_customer(world: World) -> None:
    status, dialled = await world.ask("POST", "/calls", world.mio, {"to": "(206) 555-0150"})
    assert status == 201
    assert dialled["call"]["customer_number"] == CUSTOMER
    assert dialled["call"]["state"] == "preparing"
    leg = world.leg(dialled["id"], RingPhone)
    world.engine.calls.deliver(dialled["id"], LegAnswered(leg))
    out = next(each for each in world.engine.switch.commands if isinstance(each, DialOut))
    assert out.caller_id == "+14155550101", "the customer sees the user's own number (V6)"


@pytest.mark.covers("V5", "I1")
async def test_a_colleagues_number_is_rung_inside_and_belongs_to_both(world: World) -> None:
    status, dialled = await world.ask("POST", "/calls", world.mio, {"to": "415 555 0102"})
    assert (status, dialled["call"]["direction"], dialled["call"]["state"]) == (201, "internal", "preparing")
    call = dialled["id"]
    assert (await world.ask("POST", f"/calls/{call}/answer", world.sam))[0] == 409, "it does not ring there yet"
    world.engine.calls.deliver(call, LegAnswered(world.leg(call, RingPhone)))
    own, ring = [each for each in world.engine.switch.commands if isinstance(each, RingPhone)]
    assert (own.dial, ring.dial) == (f"PJSIP/{world.mio.device}", f"PJSIP/{world.sam.device}")
    assert (own.caller_id, ring.caller_id) == ("+14155550102", "+14155550101")
    _, presence = await world.ask("GET", "/presence", world.mio)
    states = {each["user_id"]: each["state"] for each in presence["items"]}
    assert (states[world.mio.id], states[world.sam.id]) == ("on_call", "available")
    assert (await world.ask("POST", f"/calls/{call}/ignore", world.mio))[0] == 403, "that is the called user's"
    world.engine.calls.deliver(call, LegAnswered(ring.leg))
    assert not [each for each in world.engine.switch.commands if isinstance(each, DialOut)]
    for who in (world.mio, world.sam):
        _, shown = await world.ask("GET", f"/calls/{call}", who)
        assert (shown["state"], shown["user_id"], shown["did"]) == ("talking", world.sam.id, "+14155550102")
    status, ended = await world.ask("POST", f"/calls/{call}/hangup", world.mio)
    assert (status, ended["disposition"]) == (200, "answered")
    world.end(call)
    await world.stored()
    world.engine.records._records.clear()  # as after a restart
    for who in (world.mio, world.sam):
        assert [item["id"] for item in (await world.ask("GET", "/calls", who))[1]["items"]] == [call]


@pytest.mark.covers("V5")
async def test_through_the_forwarding_phone_the_caller_of_a_colleague_may_end_the_call(world: World) -> None:
    await world.ask("PATCH", "/me", world.mio, {"forwarding_number": "206 555 0130"})
    await world.engine.reload()
    _, dialled = await world.ask("POST", "/calls", world.mio, {"to": "+14155550102", "via": "forwarding"})
    call = dialled["id"]
    [out] = [each for each in world.engine.switch.commands if isinstance(each, DialOut)]
    world.engine.calls.deliver(call, LegAnswered(out.leg))
    assert (await world.ask("GET", f"/calls/{call}", world.mio))[1]["state"] == "ringing"
    status, ended = await world.ask("POST", f"/calls/{call}/hangup", world.mio)
    assert (status, ended["disposition"]) == (200, "missed")
    world.end(call)


async def test_an_overloaded_engine_rings_nobody_inside_either(world: World) -> None:
    world.engine.overloaded = True
    status, problem = await world.ask("POST", "/calls", world.mio, {"to": "+14155550102"})
    assert (status, problem["code"]) == (503, "overloaded")
    assert not [each for each in world.engine.switch.commands if isinstance(each, RingPhone)]


@pytest.mark.covers("P5")
async def test_a_number_that_the_gate_refuses_says_why_and_stands_in_the_log(world: World) -> None:
    status, problem = await world.ask("POST", "/calls", world.mio, {"to": "+1 900 555 0123"})
    assert (status, problem["code"], problem["field"]) == (403, "premium_denied", "to")
    assert problem["detail"].endswith(".")
    status, call = await world.ask("GET", f"/calls/{problem['call_id']}", world.mio)
    assert (status, call["disposition"], call["reason"]) == (200, "refused", "premium_denied")
    assert not [each for each in world.engine.switch.commands if isinstance(each, RingPhone | DialOut)]


@pytest.mark.covers("P5")
async def test_the_gate_can_be_asked_without_dialling(world: World) -> None:
    status, answer = await world.ask("POST", "/gate/check", world.mio, {"to": CUSTOMER})
    assert (status, answer["allowed"], answer["caller_id"]) == (200, True, "+14155550101")
    _, refused = await world.ask("POST", "/gate/check", world.mio, {"to": "+19005550123"})
    assert (refused["allowed"], refused["reason"]) == (False, "premium_denied")
    _, emergency = await world.ask("POST", "/gate/check", world.mio, {"to": "911"})
    assert emergency["allowed"]
    assert not world.engine.switch.commands


@pytest.mark.trust(10)
@pytest.mark.covers("TRUST10")
async def test_the_same_key_a_hundred_times_at_once_makes_one_call(world: World, measured: Measured) -> None:
    key = {"Idempotency-Key": "one-click"}
    answers = await asyncio.gather(
        *(world.ask("POST", "/calls", world.mio, {"to": CUSTOMER}, headers=key) for _ in range(100))
    )
    assert {status for status, _ in answers} == {201}
    assert len({body["id"] for _, body in answers}) == 1
    measured(at_most("calls made by one key, 100 times at once", len(world.engine.calls), "calls", 1))
    status, later = await world.ask("POST", "/calls", world.mio, {"to": CUSTOMER}, headers=key)
    assert (status, later["id"]) == (201, answers[0][1]["id"])
    status, problem = await world.ask("POST", "/calls", world.mio, {"to": "+12065550151"}, headers=key)
    assert (status, problem["code"]) == (422, "idempotency_key_reused")
    status, other = await world.ask("POST", "/calls", world.sam, {"to": CUSTOMER}, headers=key)
    assert status == 201 and other["id"] != later["id"], "a key is its user's own"


async def test_what_was_refused_before_a_call_stood_may_be_tried_again_with_its_key(world: World) -> None:
    key = {"Idempotency-Key": "again"}
    world.engine.registrations.bindings.clear()
    status, problem = await world.ask("POST", "/calls", world.mio, {"to": CUSTOMER}, headers=key)
    assert (status, problem["code"]) == (409, "no_phone")
    world.engine.registrations.bindings[world.mio.device] = 1
    status, dialled = await world.ask("POST", "/calls", world.mio, {"to": CUSTOMER}, headers=key)
    assert status == 201
    _, again = await world.ask("POST", "/calls", world.mio, {"to": CUSTOMER}, headers=key)
    assert again["id"] == dialled["id"]


async def test_a_key_whose_answer_was_lost_finds_the_call_that_it_made(world: World) -> None:
    key = {"Idempotency-Key": "crashed"}
    _, dialled = await world.ask("POST", "/calls", world.mio, {"to": CUSTOMER}, headers=key)
    await world.stored()
    async with world.engine.store.write() as work:
        from crm.models.users import IdempotencyKey

        token = (await world.ask("GET", "/tokens", None, headers=world.mio.browser))[1]["items"][0]["id"]
        row = await work.session.get(IdempotencyKey, (token, "crashed"))
        assert row is not None
        row.status = row.response = None
    status, again = await world.ask("POST", "/calls", world.mio, {"to": CUSTOMER}, headers=key)
    assert (status, again["id"]) == (201, dialled["id"])
    assert len(world.engine.calls) == 1


async def test_the_list_shows_a_call_at_every_moment_of_its_life(world: World) -> None:
    async def listed(**query: str) -> list[str]:
        _, page = await world.ask("GET", "/calls", world.mio, params=query)
        return [item["id"] for item in page["items"]]

    call = world.talk(world.mio)
    assert await listed() == [call]
    assert await listed(open="true") == [call]
    world.end(call)
    assert await listed() == [call], "over, and perhaps not in the store yet"
    assert await listed(open="true") == []
    await world.stored()
    assert await listed() == [call]
    assert await listed(disposition="answered", direction="inbound", customer_number="206-555-0150") == [call]
    assert await listed(disposition="missed") == []


async def test_pages_of_the_log_join_without_gaps_or_doubles_while_calls_go_on(world: World) -> None:
    over = []
    for _ in range(5):
        over.append(world.talk(world.mio))
        world.end(over[-1])
    await world.stored()
    live = [world.ring(world.mio) for _ in range(3)]
    seen: list[str] = []
    cursor = None
    for _ in range(10):
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        _, page = await world.ask("GET", "/calls", world.mio, params=query)
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert sorted(seen) == sorted(over + live)
    assert len(set(seen)) == len(seen)


async def test_one_call_is_shown_with_its_timeline(world: World) -> None:
    call = world.talk(world.mio)
    world.end(call)
    await world.stored()
    status, shown = await world.ask("GET", f"/calls/{call}", world.mio)
    assert status == 200
    kinds = [event["kind"] for event in shown["timeline"]]
    assert kinds[0] == "call.created"
    assert kinds.index("call.answered") < kinds.index("call.ended")
    assert {leg["role"] for leg in shown["legs"]} == {"customer", "user"}
    assert {each["role"] for each in shown["participants"]} == {"host", "customer"}
    assert "path" not in shown["recordings"][0]


@pytest.mark.covers("V13")
async def test_hanging_up_ends_it_for_everybody(world: World) -> None:
    call = world.talk(world.mio)
    status, ended = await world.ask("POST", f"/calls/{call}/hangup", world.mio)
    assert (status, ended["state"], ended["disposition"]) == (200, "ended", "answered")
    assert len([each for each in world.engine.switch.commands if isinstance(each, HangUp)]) == 2
    world.end(call)
    status, problem = await world.ask("POST", f"/calls/{call}/hangup", world.mio)
    assert (status, problem["code"]) == (409, "call_over")


@pytest.mark.covers("I2")
async def test_an_incoming_call_can_be_ignored(world: World) -> None:
    call = world.ring(world.mio)
    status, shown = await world.ask("POST", f"/calls/{call}/ignore", world.mio)
    assert (status, shown["state"]) == (200, "announcing")


@pytest.mark.covers("I2", "I4")
async def test_an_incoming_call_can_be_forwarded_to_a_number_set_a_moment_ago(world: World) -> None:
    status, me = await world.ask("PATCH", "/me", world.mio, {"forwarding_number": "206 555 0130"})
    assert (status, me["forwarding_number"]) == (200, "+12065550130")
    await world.engine.reload()
    call = world.ring(world.mio)
    status, shown = await world.ask("POST", f"/calls/{call}/forward", world.mio)
    assert (status, shown["state"]) == (200, "forwarding")
    out = next(each for each in world.engine.switch.commands if isinstance(each, DialOut))
    assert "12065550130" in out.dial


@pytest.mark.covers("I2")
async def test_an_incoming_call_is_answered_on_the_phone_that_is_named(world: World) -> None:
    call = world.ring(world.mio)
    status, shown = await world.ask("POST", f"/calls/{call}/answer", world.mio, {"device_id": world.mio.device})
    assert (status, shown["state"]) == (200, "ringing")
    world.engine.calls.deliver(call, LegEnded(world.leg(call, RingPhone), 26))
    first, again = [each for each in world.engine.switch.commands if isinstance(each, RingPhone)]
    assert (again.dial, first.auto_answer, again.auto_answer) == (first.dial, False, True)
    world.engine.calls.deliver(call, LegAnswered(again.leg))
    await world.stored()
    _, shown = await world.ask("GET", f"/calls/{call}", world.mio)
    [asked] = [event["data"] for event in shown["timeline"] if event["kind"] == "answer.asked"]
    assert asked == {"device_id": world.mio.device, "by": world.mio.id} and shown["state"] == "talking"
    status, problem = await world.ask("POST", f"/calls/{call}/answer", world.mio)
    assert (status, problem["code"]) == (409, "not_ringing")
    world.end(call)


@pytest.mark.covers("I2", "TRUST21")
async def test_a_call_is_answered_by_the_called_user_alone_and_on_no_phone_of_others(world: World) -> None:
    call = world.ring(world.mio, "+14155550102", colleague=world.sam.id)
    for who, body, expected in (
        (world.sam, {}, (403, "forbidden")),
        (world.alex, {}, (403, "forbidden")),
        (world.mio, {"device_id": world.sam.device}, (404, "not_found")),
        (world.robin, {"device_id": world.robin.device}, (404, "not_found")),
        (world.mio, {"device": "x"}, (422, "unknown_field")),
    ):
        status, problem = await world.ask("POST", f"/calls/{call}/answer", who, body)
        assert (status, problem["code"]) == expected
    world.engine.registrations.bindings[world.mio.device] = 0
    for body in ({}, {"device_id": world.mio.device}):
        status, problem = await world.ask("POST", f"/calls/{call}/answer", world.mio, body)
        assert (status, problem["code"]) == (409, "no_phone_registered")
    assert not [each for each in world.engine.switch.commands if isinstance(each, HangUp)], "they ring on"
    world.engine.registrations.bindings[world.mio.device] = 1
    assert (await world.ask("POST", f"/calls/{call}/answer", world.robin))[0] == 200, "an admin may"


@pytest.mark.covers("I2")
async def test_without_a_name_the_phone_that_was_talked_over_last_answers(world: World) -> None:
    async with world.engine.store.write(SYSTEM) as work:
        other = (await devices.add(work, {"user": world.mio.id, "name": "Soft phone"})).device.id
    await world.engine.reload()
    world.engine.registrations.bindings[other] = 1

    async def answers_on() -> str:
        call = world.ring(world.mio)
        assert (await world.ask("POST", f"/calls/{call}/answer", world.mio))[0] == 200
        for leg in list(world.engine.calls.get(call).legs.values()):
            if leg.ending:
                world.engine.calls.deliver(call, LegEnded(leg.id, 26))
        again = [each for each in world.engine.switch.commands if isinstance(each, RingPhone)][-1]
        world.end(call)
        return again.dial.removeprefix("PJSIP/")

    assert await answers_on() == world.mio.device, "the first"
    for device in (other, world.mio.device, other):
        call = world.ring(world.mio)
        leg = next(leg for leg in world.engine.calls.get(call).legs.values() if leg.device_id == device)
        world.engine.calls.deliver(call, LegAnswered(leg.id))
        world.end(call)
        assert await answers_on() == device


@pytest.mark.covers("V8")
async def test_digits_go_to_the_customers_side_only_when_they_are_keys(world: World) -> None:
    call = world.talk(world.mio)
    assert (await world.ask("POST", f"/calls/{call}/digits", world.mio, {"digits": "12#"}))[0] == 204
    assert [each.digits for each in world.engine.switch.commands if isinstance(each, SendDigits)] == ["12#"]
    status, problem = await world.ask("POST", f"/calls/{call}/digits", world.mio, {"digits": "12&Local/1"})
    assert (status, problem["code"]) == (422, "invalid_digits")


@pytest.mark.covers("TRUST21", "I2")
async def test_a_colleague_who_calls_decides_nothing_for_the_one_who_is_called(world: World) -> None:
    call = world.ring(world.mio, "+14155550102", colleague=world.sam.id)
    for what in ("forward", "ignore", "recording/pause", "recording/erase"):
        status, problem = await world.ask("POST", f"/calls/{call}/{what}", world.sam)
        assert (status, problem["code"]) == (403, "forbidden")
    assert (await world.ask("POST", f"/calls/{call}/ignore", world.mio))[0] == 200


@pytest.mark.covers("V10", "N5")
async def test_the_recording_is_paused_resumed_and_erased(world: World) -> None:
    call = world.talk(world.mio)
    for word, state in (("pause", "paused"), ("resume", "recording")):
        status, shown = await world.ask("POST", f"/calls/{call}/recording/{word}", world.mio)
        assert (status, shown["recording_state"]) == (200, state)
    first = shown["recording_id"]
    status, shown = await world.ask("POST", f"/calls/{call}/recording/erase", world.mio)
    assert status == 200 and shown["recording_id"] != first
    listed = ErasureList(world.engine.config.erasures).read()
    assert [(each.id, each.of) for each in listed] == [(first, call)], "a restored backup does not bring it back"
    status, problem = await world.ask("GET", f"/recordings/{first}/sound", world.mio)
    assert (status, problem["code"]) == (410, "erased")


@pytest.mark.covers("V11")
async def test_notes_are_kept_during_the_call_and_after_it_in_another_run(world: World) -> None:
    call = world.talk(world.mio)
    assert (await world.ask("PUT", f"/calls/{call}/notes", world.mio, {"notes": "wants a quote"}))[0] == 200
    world.end(call)
    await world.stored()
    assert (await world.ask("GET", f"/calls/{call}", world.mio))[1]["notes"] == "wants a quote"
    world.engine.records._records.clear()  # as after a restart
    world.engine.calls._last_seq.clear()
    status, shown = await world.ask("PUT", f"/calls/{call}/notes", world.mio, {"notes": "次回 🎉"})
    assert (status, shown["notes"]) == (200, "次回 🎉")
    await world.stored()
    assert (await world.ask("GET", f"/calls/{call}", world.mio))[1]["notes"] == "次回 🎉"
