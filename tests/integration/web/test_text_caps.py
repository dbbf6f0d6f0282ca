"""What a brand of A2P 10DLC may send in a day, all its campaigns together (T8)."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from crm.reports.calendar import moment_us, today
from crm.services import text_campaigns
from pbx.services.brand_caps import CLOCK, BrandCaps
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


async def test_the_day_is_that_of_the_carriers_clock_and_is_counted_again_after_a_start(world: World) -> None:
    await carried(world)
    await state(world, (await send(world, world.mio))["id"], "sent")
    async with world.engine.store.read() as session:
        [campaign] = await text_campaigns.list_all(session)
        now_us = world.engine.store.clock()
        tomorrow_us = moment_us(today(now_us, CLOCK) + timedelta(1), CLOCK)
        fresh = BrandCaps()
        assert await fresh.full_until(session, campaign.brand_id, 1, 1, now_us) == tomorrow_us
        assert await fresh.full_until(session, campaign.brand_id, 2, 1, now_us) is None
        fresh.took(campaign.brand_id, 1)
        assert await fresh.full_until(session, campaign.brand_id, 2, 1, now_us) == tomorrow_us
        assert await fresh.full_until(session, campaign.brand_id, 1, 1, tomorrow_us) is None, "another day"
    assert datetime.fromtimestamp(tomorrow_us / 1e6, ZoneInfo("America/Los_Angeles")).hour == 0
