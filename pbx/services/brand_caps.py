"""What a brand of A2P 10DLC may send in a day, all its campaigns and all engines together: T-Mobile's cap (T8).

Nobody but the carrier knows whose subscriber a number is, so every text counts. The day is that of the carrier's clock.
"""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from crm.reports.calendar import moment_us, today
from crm.services import text_campaigns
from crm.unit_of_work import UnitOfWork

CLOCK = ZoneInfo("America/Los_Angeles")


async def take(work: UnitOfWork, brand_id: str, per_day: int, segments: int) -> int | None:
    """Count a text that is about to be sent; when the brand may send again, where it is too much for today. A single
    text that is more than a whole day goes as the first of one."""
    day = today(work.at_us, CLOCK)
    if await text_campaigns.take_of_day(work, brand_id, moment_us(day, CLOCK), segments, per_day):
        return None
    return moment_us(day + timedelta(1), CLOCK)


async def give_back(work: UnitOfWork, brand_id: str, segments: int) -> None:
    """Of a text that was counted in this transaction, and that somebody else has in hand."""
    await text_campaigns.give_back_of_day(work, brand_id, moment_us(today(work.at_us, CLOCK), CLOCK), segments)
