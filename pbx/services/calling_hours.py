"""When somebody may be called by a list, by the clocks of every zone that they may be in (L4).

These are the plain hours of business, for where no rule of the law is nearer. An unknown zone is never open.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from crm.call_lists import Judged
from crm.local_time import Place
from crm.services.list_leases import OUTSIDE_HOURS

UNKNOWN_ZONE = "unknown_zone"
FIRST, LAST = time(9), time(20)
SUNDAY = 6
DAYS_AHEAD = 15
_OPEN = Judged(True)


class CallingHours(Protocol):
    def look(self, place: Place, at_us: int) -> Judged:
        """Whether somebody there may be called at this moment; else why not, and from when on."""


class BusinessHours:
    """From nine to eight, not on Sundays."""

    def look(self, place: Place, at_us: int) -> Judged:
        if not place.zones:
            return Judged(False, UNKNOWN_ZONE)
        asked = moment = datetime.fromtimestamp(at_us / 1e6, ZoneInfo("UTC"))
        while moment < asked + timedelta(days=DAYS_AHEAD):
            later = max(_open_from(moment.astimezone(ZoneInfo(zone))) for zone in place.zones)
            if later <= moment:
                break
            moment = later
        if moment == asked:
            return _OPEN
        return Judged(False, OUTSIDE_HOURS, int(moment.timestamp() * 1e6))


def _open_from(here: datetime) -> datetime:
    """This moment where it is inside the hours there, else when they begin next."""
    day = here.date()
    if here.time() >= LAST:
        day += timedelta(days=1)
    if day.weekday() == SUNDAY:
        day += timedelta(days=1)
    return max(here, datetime.combine(day, FIRST, here.tzinfo))
