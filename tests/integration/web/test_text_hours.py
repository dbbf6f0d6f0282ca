"""Texts wait for the law's hours (T1), and no longer than the law in force wants it (A2)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pbx.core.messaging.gate import Hours
from pbx.services.text_rules import lawful_hours
from tests.integration.web.test_texts import ANN, carried, comes, send, state
from tests.integration.web.world import World

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US


@pytest.mark.covers("T1", "TRUST23")
async def test_a_text_may_be_scheduled_inside_the_laws_hours_only_and_a_reply_goes_at_any_hour(world: World) -> None:
    await carried(world)
    world.engine.texting.rules.hours = lawful_hours
    tomorrow = (world.engine.store.clock() // DAY_US + 1) * DAY_US
    night = tomorrow + 10 * HOUR_US  # two or three in the morning in Seattle
    status, problem = await world.ask("POST", "/texts", world.mio, {"to": ANN, "body": "Hi", "at_us": night})
    assert (status, problem["code"], problem["field"]) == (422, "outside_hours", "at_us")
    assert night < problem["opens_us"]
    assert (await send(world, world.mio, at_us=problem["opens_us"]))["state"] == "scheduled"
    await comes(world, "+14155550101", "Are you there?")
    _, shown = await world.ask("POST", "/texts/preview", world.mio, {"to": ANN, "body": "Hi"})
    assert shown["allowed"]


@pytest.mark.covers("T1", "A2")
async def test_a_text_that_waits_for_the_morning_goes_when_the_hours_are_switched_off(world: World) -> None:
    await carried(world)

    async def night(session: Any, planned: Any) -> Hours:
        return Hours(False, planned.at_us + 5 * HOUR_US, "It is night there.")

    waits = await send(world, world.mio, at_us=world.engine.store.clock() + 1_500_000)
    world.engine.texting.rules.hours = night
    for _ in range(600):
        if waits["code"] == "outside_hours":
            break
        await asyncio.sleep(0.05)
        _, waits = await world.ask("GET", f"/texts/{waits['id']}", world.mio)
    assert (waits["state"], waits["code"]) == ("scheduled", "outside_hours")
    world.engine.texting.rules.hours = lawful_hours
    assert (await world.ask("PUT", "/settings/texts.calling_hours", world.robin, {"value": "off"}))[0] == 200
    await world.engine.reload()
    await state(world, waits["id"], "sent")
