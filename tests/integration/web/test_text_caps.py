"""What a brand of A2P 10DLC may send in a day, all its campaigns together (T8)."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, select, update

from crm.models.texts import BrandDay, Pace
from crm.reports.calendar import moment_us, today
from crm.services import text_campaigns, text_paces
from pbx.services import brand_caps
from pbx.services.brand_caps import CLOCK
from tests.integration.web.test_texts import carried, send, state
from tests.integration.web.world import World

CLASS_A = {"name": "Top", "use": "standard", "score_from": 75, "score_to": 100, "per_minute": 4500, "per_day": 2}

pytestmark = pytest.mark.covers("T8")


async def test_what_is_more_than_the_brands_day_waits_until_the_next_one_and_says_so(world: World) -> None:
    rule = {"value": CLASS_A, "source": "Carrier", "date": "2026-01-01", "reason": "A small brand"}
    status, said = await world.ask("PUT", "/law/rules/campaigns.A", world.robin, rule)
    assert status == 200, said
    await carried(world)
    for who in (world.mio, world.sam):
        await state(world, (await send(world, who))["id"], "sent")
    waits = await state(world, (await send(world, world.mio, "One more"))["id"], "held")
    assert waits["code"] == "brand_daily_cap" and "midnight in Los Angeles" in waits["reason"]
    assert len(world.engine.paper.sent) == 2


async def test_the_day_is_that_of_the_carriers_clock_and_what_was_sent_before_it_was_counted_counts(
    world: World,
) -> None:
    await carried(world)
    await state(world, (await send(world, world.mio))["id"], "sent")
    store = world.engine.store
    async with store.read() as session:
        [campaign] = await text_campaigns.list_all(session)
    async with store.write() as work:
        await work.session.execute(delete(BrandDay))
        tomorrow_us = moment_us(today(work.at_us, CLOCK) + timedelta(1), CLOCK)
        assert await brand_caps.take(work, campaign.brand_id, 1, 1) == tomorrow_us
        assert await brand_caps.take(work, campaign.brand_id, 2, 1) is None
        assert await brand_caps.take(work, campaign.brand_id, 2, 1) == tomorrow_us
        await brand_caps.give_back(work, campaign.brand_id, 1)
        assert await brand_caps.take(work, campaign.brand_id, 2, 1) is None
        assert await text_campaigns.take_of_day(work, campaign.brand_id, tomorrow_us, 9, 1), "the first of another day"
        assert len(list(await work.session.scalars(select(BrandDay)))) == 1, "days that are over are forgotten"
    assert datetime.fromtimestamp(tomorrow_us / 1e6, ZoneInfo("America/Los_Angeles")).hour == 0


async def test_engines_that_send_for_one_brand_at_once_keep_its_day_together(world: World) -> None:
    async def asks() -> int | None:
        async with world.engine.store.write() as work:
            return await brand_caps.take(work, "tb_1", 5, 1)

    answers = await asyncio.gather(*(asks() for _ in range(12)))
    assert answers.count(None) == 5


@pytest.mark.covers("A8")
async def test_engines_that_send_for_one_campaign_at_once_keep_its_pace_together(world: World) -> None:
    async def asks() -> tuple[bool, int]:
        async with world.engine.store.write() as work:
            return await text_paces.take(work, "tc_1", 60_000_000)

    answers = await asyncio.gather(*(asks() for _ in range(8)))
    assert [may_go for may_go, _ in answers].count(True) == 1
    assert len({level_us for _, level_us in answers}) == 1, "the others are told how long to wait"


@pytest.mark.covers("A8")
async def test_what_another_engine_has_sent_for_a_campaign_is_waited_for(world: World) -> None:
    await carried(world)
    await state(world, (await send(world, world.mio))["id"], "sent")
    store = world.engine.store
    async with store.write() as work:
        [campaign] = await text_campaigns.list_all(work.session)
        later_us = work.at_us + 4_000_000
        await work.session.execute(update(Pace).where(Pace.name == campaign.id).values(level_us=later_us))
    waits = await send(world, world.mio, "One more")
    waits = await state(world, waits["id"], "sent")
    assert waits["state_us"] >= later_us
