"""Practising with the carrier that plays the public network."""

from __future__ import annotations

from tests.integration.web.world import World
from tests.support.waiting import until


async def test_the_practice_numbers_are_told_in_the_readers_language(world: World) -> None:
    status, shown = await world.ask("GET", "/practice?language=en", world.mio)
    assert (status, shown["available"]) == (200, False)
    first = {"number": "+12065550150", "display": "(206) 555-0150", "what": "answers and speaks"}
    assert shown["numbers"][0] == first
    _, shown = await world.ask("GET", "/practice", world.mio, headers={"Accept-Language": "ja-JP,ja;q=0.9"})
    assert shown["numbers"][1]["what"] == "話し中です"


async def test_without_a_practice_carrier_the_call_is_refused_with_what_to_do(world: World) -> None:
    status, problem = await world.ask("POST", "/practice/call", world.mio)
    assert (status, problem["code"]) == (409, "no_practice_carrier")
    assert "make up" in problem["detail"]


async def test_ones_own_number_is_called_once_at_a_time(world: World) -> None:
    carrier = world.engine.carrier
    carrier.running = True
    status, made = await world.ask("POST", "/practice/call", world.mio, {"from": "(206) 555-0161"})
    assert (status, made["number"], made["did_display"]) == (202, "+12065550161", "(415) 555-0101")
    await until(lambda: bool(carrier.calls), within=5, what="the call")
    assert carrier.calls == [("+12065550161", "+14155550101")]
    status, problem = await world.ask("POST", "/practice/call", world.mio)
    assert (status, problem["code"]) == (409, "already_called")
    assert (await world.ask("POST", "/practice/call", world.sam))[0] == 202, "another's"
    carrier.answered.set()
    await until(lambda: not world.engine.practice._calls, within=5, what="the end of the calls")
    assert (await world.ask("POST", "/practice/call", world.mio))[0] == 202


async def test_only_practice_numbers_call_and_only_who_has_a_number_is_called(world: World) -> None:
    world.engine.carrier.running = True
    for wrong in ("+14155550102", "110", "abc"):
        status, problem = await world.ask("POST", "/practice/call", world.mio, {"from": wrong})
        assert (status, problem["field"]) == (422, "from"), wrong
    await world.ask("PATCH", "/numbers/+14155550101", world.robin, {"user": None})
    await world.engine.reload()
    status, problem = await world.ask("POST", "/practice/call", world.mio)
    assert (status, problem["code"]) == (409, "no_number")
