"""What a brand of A2P 10DLC may send in a day, all its campaigns together: T-Mobile's cap (T8).

Nobody but the carrier knows whose subscriber a number is, so every text counts. The day is that of the carrier's clock.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from crm.reports.calendar import moment_us, today
from crm.services import text_campaigns

CLOCK = ZoneInfo("America/Los_Angeles")


class BrandCaps:
    """Counted in the store once a day, and when an engine starts; in between what is taken in hand is added."""

    def __init__(self) -> None:
        self._since_us = 0
        self._sent: dict[str, int] = {}

    async def full_until(self, session: Any, brand_id: str, per_day: int, segments: int, now_us: int) -> int | None:
        """When the brand may send again where this text is too much for today. A single text that is more than a whole
        day goes as the first of one."""
        day = today(now_us, CLOCK)
        since_us = moment_us(day, CLOCK)
        if since_us != self._since_us:
            self._since_us, self._sent = since_us, {}
        if brand_id not in self._sent:
            self._sent[brand_id] = await text_campaigns.sent_since(session, brand_id, since_us)
        sent = self._sent[brand_id]
        return moment_us(day + timedelta(1), CLOCK) if sent and sent + segments > per_day else None

    def took(self, brand_id: str, segments: int) -> None:
        self._sent[brand_id] = self._sent.get(brand_id, 0) + segments
