"""Every number stands beside its written form, in answers and in events alike."""

from __future__ import annotations

from tests.integration.web.world import API, CUSTOMER, World

WRITTEN = "(206) 555-0150"


async def test_calls_people_users_and_numbers_are_shown_with_their_written_numbers(world: World) -> None:
    contact = {"kind": "contact", "name": "Margaret", "phones": [{"label": "work", "number": CUSTOMER}]}
    _, record = await world.ask("POST", "/records", world.mio, contact)
    assert [each["display"] for each in record["phones"]] == [WRITTEN]
    call = world.talk(world.mio)
    _, shown = await world.ask("GET", f"/calls/{call}", world.mio)
    assert (shown["customer_display"], shown["did_display"]) == (WRITTEN, "(415) 555-0101")
    assert WRITTEN in [leg["display"] for leg in shown["legs"]]
    assert WRITTEN in [each["display"] for each in shown["participants"]]
    _, page = await world.ask("GET", "/calls", world.mio)
    assert page["items"][0]["customer_display"] == WRITTEN
    _, found = await world.ask("GET", "/search", world.mio, params={"q": "206555"})
    assert found["items"][0]["display"] == WRITTEN
    _, me = await world.ask("PATCH", "/me", world.mio, {"forwarding_number": "+81312345678"})
    assert (me["display"], me["forwarding_display"]) == ("(415) 555-0101", "+81 3-1234-5678")
    _, listed = await world.ask("GET", "/numbers", world.robin)
    assert listed["items"][0]["display"] == "(415) 555-0101"
    _, colleagues = await world.ask("GET", "/colleagues", world.mio)
    assert {each["display"] for each in colleagues["items"]} >= {"(415) 555-0102"}


async def test_the_event_stream_writes_numbers_as_the_answers_do(world: World) -> None:
    call = world.talk(world.mio)
    async with world.http.ws_connect(world.server.make_url(f"{API}/events"), headers=world.mio.bearer) as socket:
        snapshot = await socket.receive_json(timeout=5)
        assert snapshot["calls"][0]["customer_display"] == WRITTEN
        world.end(call)
        event = await socket.receive_json(timeout=5)
        while event["type"] != "call":
            event = await socket.receive_json(timeout=5)
        assert event["call"]["customer_display"] == WRITTEN


async def test_the_organisations_own_country_says_what_is_written_as_at_home(world: World) -> None:
    await world.ask("PUT", "/settings/default_country", world.robin, {"value": "JP"})
    await world.engine.reload()
    _, listed = await world.ask("GET", "/numbers", world.robin)
    assert listed["items"][0]["display"] == "+1 415-555-0101"
