"""What admins change through the API: users, numbers, phones, ways out, groups, settings, people."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.web.world import World


@pytest.mark.covers("A1", "A5", "N1", "N3")
async def test_a_user_gets_a_number_and_a_phone_whose_secret_is_shown_once(world: World) -> None:
    status, user = await world.ask("POST", "/users", world.robin, {"email": "new@demo.example", "name": "New"})
    assert (status, user["role"], user["number"]) == (201, "rep", None)
    number = {"number": "+1 415 555 0199", "user": user["id"], "sms": False}
    status, made = await world.ask("POST", "/numbers", world.robin, number)
    assert (status, made["e164"], made["country"], made["sms"]) == (201, "+14155550199", "US", False)
    second = {"number": "+14155550198", "user": "new@demo.example"}
    status, problem = await world.ask("POST", "/numbers", world.robin, second)
    assert (status, problem["field"]) == (409, "user"), "at most one number for a user"
    status, phone = await world.ask("POST", "/devices", world.robin, {"user": user["id"], "name": "Kitchen"})
    assert status == 201 and len(phone["secret"]) >= 20 and phone["sip"]["user"] == phone["device"]["id"]
    _, shown = await world.ask("GET", f"/devices/{phone['device']['id']}", world.robin)
    assert phone["secret"] not in str(shown) and "ha1" not in shown
    _, renewed = await world.ask("POST", f"/devices/{phone['device']['id']}/secret", world.robin)
    assert renewed["secret"] != phone["secret"]
    status, changed = await world.ask("PATCH", f"/users/{user['id']}", world.robin, {"role": "manager"})
    assert (status, changed["role"], changed["email"]) == (200, "manager", "new@demo.example")
    assert (await world.ask("DELETE", f"/users/{user['id']}", world.robin))[0] == 204
    _, free = await world.ask("GET", "/numbers?free=true", world.robin)
    assert [each["e164"] for each in free["items"]] == ["+14155550199"]


@pytest.mark.covers("V15")
async def test_a_phone_shows_how_it_is_set_up_to_its_owner_without_the_secret(world: World) -> None:
    status, shown = await world.ask("GET", f"/devices/{world.mio.device}/setup", world.mio)
    assert (status, shown["user"], shown["sip_server"], shown["transport"]) == (
        200,
        world.mio.device,
        "127.0.0.1",
        "udp",
    )
    assert shown["uri"] == f"sip:{world.mio.device}@127.0.0.1:{shown['port']};transport=udp"
    assert shown["qr_svg"].startswith("<svg") and "script" not in shown["qr_svg"]
    assert (await world.ask("GET", f"/devices/{world.mio.device}/setup", world.sam))[0] == 403
    assert (await world.ask("GET", "/devices/none/setup", world.mio))[0] == 404


@pytest.mark.parametrize(
    ("path", "new", "change"),
    [
        ("/trunks", {"name": "Second", "host": "sip.example.com", "priority": 20}, {"enabled": False}),
        ("/groups", {"name": "Support", "members": ["mio@demo.example"]}, {"description": "Ask them"}),
        ("/do-not-call", {"number": "+12065550177", "reason": "asked us"}, {"reason": "asked twice"}),
    ],
)
@pytest.mark.covers("A1")
async def test_a_thing_is_added_listed_shown_changed_and_removed(
    world: World, path: str, new: dict[str, Any], change: dict[str, Any]
) -> None:
    status, made = await world.ask("POST", path, world.robin, new)
    assert status == 201, made
    name = made.get("id") or made["e164"]
    _, page = await world.ask("GET", path, world.robin)
    assert name in [each.get("id") or each["e164"] for each in page["items"]]
    status, shown = await world.ask("GET", f"{path}/{name}", world.robin)
    assert (status, shown) == (200, made)
    status, changed = await world.ask("PATCH", f"{path}/{name}", world.robin, change)
    assert status == 200 and {key: changed[key] for key in change} == change
    assert (await world.ask("DELETE", f"{path}/{name}", world.robin))[0] == 204
    assert (await world.ask("GET", f"{path}/{name}", world.robin))[0] == 404


@pytest.mark.covers("A2")
async def test_a_setting_holds_from_the_next_call_on(world: World) -> None:
    status, problem = await world.ask("PUT", "/settings/gate.deny_countries", world.robin, {"value": ["Narnia"]})
    assert (status, problem["field"]) == (422, "gate.deny_countries")
    assert (await world.ask("PUT", "/settings/gate.deny_countries", world.robin, {"value": ["US"]}))[0] == 200
    await world.engine.reload()
    status, problem = await world.ask("POST", "/calls", world.mio, {"to": "+12065550150"})
    assert (status, problem["code"]) == (403, "country_denied")
    assert (await world.ask("DELETE", "/settings/gate.deny_countries", world.robin))[0] == 200
    await world.engine.reload()
    assert (await world.ask("POST", "/calls", world.mio, {"to": "+12065550150"}))[0] == 201


async def test_every_change_stands_in_the_audit_log_with_who_made_it(world: World) -> None:
    await world.ask("PATCH", f"/users/{world.sam.id}", headers=world.robin.browser, body={"name": "Sam C"})
    _, page = await world.ask("GET", f"/audit?object_id={world.sam.id}", world.robin)
    entry = page["items"][0]
    assert (entry["actor"], entry["action"]) == (f"user:{world.robin.id}", "user.change")
    assert (entry["before"]["name"], entry["after"]["name"]) == ("Sam", "Sam C")
    assert (await world.ask("POST", "/audit/verify", world.robin))[1] == {"intact": True, "broken_at": None}


async def test_reps_change_their_own_settings_and_nothing_else_of_themselves(world: World) -> None:
    status, problem = await world.ask("PATCH", "/me", world.mio, {"role": "admin"})
    assert (status, problem["code"]) == (422, "unknown_field")
    status, me = await world.ask("PATCH", "/me", world.mio, {"ring_time_s": 40, "voicemail_enabled": True})
    assert (status, me["ring_time_s"], me["voicemail_enabled"]) == (200, 40, True)


@pytest.mark.covers("V2", "V3", "I1")
async def test_people_are_added_found_matched_and_noted(world: World) -> None:
    company = {"kind": "company", "name": "Marcom"}
    contact = {
        "kind": "contact",
        "name": "Margaret Smith",
        "company": "Marcom",
        "phones": [{"label": "mobile", "number": "(206) 555-0150"}, {"label": "work", "number": "+81 3-1234-5678"}],
    }
    assert (await world.ask("POST", "/records", world.mio, company))[0] == 201
    status, made = await world.ask("POST", "/records", world.mio, contact)
    assert (status, [each["e164"] for each in made["phones"]]) == (201, ["+12065550150", "+81312345678"])
    for text in ("Mar", "smith", "0312", "+81 3-12", "206555"):
        status, found = await world.ask("GET", "/search", world.sam, params={"q": text})
        assert made["id"] in [hit["record"]["id"] for hit in found["items"]], text
    _, matched = await world.ask("GET", "/match", world.mio, params={"number": "2065550150"})
    assert [each["record_id"] for each in matched["items"]] == [made["id"]]
    status, note = await world.ask("POST", f"/records/{made['id']}/notes", world.mio, {"text": "Likes tea"})
    assert (status, note["author_id"]) == (201, world.mio.id)
    assert (await world.ask("PATCH", f"/notes/{note['id']}", world.sam, {"text": "Likes coffee"}))[0] == 403
    status, _ = await world.ask("POST", "/deals", world.mio, {"name": "Tea", "record_id": made["id"]})
    assert status == 201
    call = world.talk(world.mio)
    status, linked = await world.ask("PUT", f"/calls/{call}/record", world.mio, {"record_id": made["id"]})
    assert (status, linked["record_id"], linked["record_type"]) == (200, made["id"], "contact")
    world.end(call)
    await world.stored()
    _, feed = await world.ask("GET", f"/records/{made['id']}/activity", world.mio)
    kinds = {each["kind"] for each in feed["items"]}
    assert kinds >= {"record.add", "note.add", "deal.add", "call"}
    assert (await world.ask("DELETE", f"/records/{made['id']}", world.mio))[0] == 403
    assert (await world.ask("DELETE", f"/records/{made['id']}", world.alex))[0] == 204


@pytest.mark.covers("A4")
async def test_metrics_tell_calls_by_state_and_ending_and_what_was_waited_for(world: World) -> None:
    world.end(world.talk(world.mio))
    world.ring(world.sam)
    status, raw = await world.ask("GET", "metrics")
    text = raw.decode()
    assert status == 200
    for line in (
        'switchhook_calls{direction="inbound",state="ringing"} 1.0',
        'switchhook_calls_ended_total{direction="inbound",disposition="answered"} 1.0',
        'switchhook_call_setup_seconds_count{direction="inbound"} 1.0',
        'switchhook_call_ring_seconds_count{direction="inbound"} 1.0',
        "switchhook_engine_ready 1.0",
        "switchhook_event_loop_lag_seconds",
        "switchhook_event_loop_tasks",
        "process_open_fds",
        "process_resident_memory_bytes",
    ):
        assert line in text, line
    assert "+1" not in text, "no numbers in figures"
    status, ready = await world.ask("GET", "readyz")
    assert (status, ready["store"], ready["ready"]) == (200, True, True)
    world.engine.linked = False
    assert (await world.ask("GET", "readyz"))[0] == 503


async def test_an_admin_drains_the_engine_and_readiness_says_so(world: World) -> None:
    assert (await world.ask("POST", "/engine/drain", world.alex, {"on": True}))[0] == 403
    call = world.talk(world.mio)
    status, state = await world.ask("POST", "/engine/drain", world.robin, {"on": True, "refuse": True})
    assert (status, state["draining"], state["refuse"], state["calls"]) == (200, True, True, 1)
    status, problem = await world.ask("POST", "/calls", world.mio, {"to": "+12065550150"})
    assert (status, problem["code"]) == (503, "draining")
    world.end(call)
    assert (await world.ask("GET", "/engine/drain", world.robin))[1]["calls"] == 0
    state = (await world.ask("POST", "/engine/drain", world.robin, {"on": False}))[1]
    assert state["draining"] is False and state["since_us"] is None
    assert (await world.ask("POST", "/calls", world.mio, {"to": "+12065550150"}))[0] == 201
