"""How fast texts leave: token buckets, and the waits between tries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(hours=1)
GIVE_UP_AFTER = timedelta(hours=24)


def wait_before(next_try: int) -> timedelta:
    """Before the second try (2) and those after it: 5 seconds, 15, 45, and so on up to an hour."""
    return min(FIRST_WAIT * int(3 ** min(next_try - 2, 12)), LONGEST_WAIT)


@dataclass(slots=True)
class Bucket:
    """So many a minute. What this engine knows of it: it is kept in the database, for all engines together."""

    per_minute: float
    level_us: int = 0  # the moment from which on the next one may go

    def wait_us(self, now_us: int) -> int:
        """0: one may go now."""
        return max(0, self.level_us - now_us)

    def cost_us(self, segments: int = 1) -> int:
        """How long nothing goes after it: each segment is a message to carriers."""
        return int(segments * 60_000_000 / self.per_minute)
