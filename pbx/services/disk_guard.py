"""Room for recordings: none is begun on a disk that is nearly full, and one that is full is told of (TRUST 6).

A call is never refused for want of room. Recordings that run go on until the disk takes no more, and are then called
incomplete; new ones begin again by themselves once there is a little more room than the least.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pbx.services.alerts import Alerts, Kind

LOOK_EVERY_S = 2.0
MB = 1_000_000
SUBJECT = "recordings"
AGAIN = 1.1  # so much of the least must be free for recordings to begin again


@dataclass(frozen=True, slots=True)
class Room:
    """``writable`` is False where a small file could not be written."""

    place: str
    free_bytes: int
    writable: bool = True


class Withheld(StrEnum):
    """Why no recording begins now, as the call's history has it."""

    LOW = "disk_low"
    FULL = "disk_full"


class DiskGuard:
    """``look`` may block: it is asked in a thread. ``lowest_mb`` is the setting, 0 for no least."""

    def __init__(self, look: Callable[[], Room], lowest_mb: Callable[[], int], alerts: Alerts) -> None:
        self._look = look
        self._lowest_mb = lowest_mb
        self._alerts = alerts
        self.room = Room("", 0)
        self.withheld: Withheld | None = None

    async def run(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> Room:
        """Look now, rather than when it is time."""
        self.room = await asyncio.to_thread(self._look)
        self._judge(self.room)
        return self.room

    def fits(self, size: int) -> bool:
        """As far as was seen at the last look."""
        return self.room.writable and self.room.free_bytes >= size

    async def until_fits(self, size: int) -> None:
        while not self.fits(size):
            await asyncio.sleep(LOOK_EVERY_S)
            await self.look()

    def _judge(self, room: Room) -> None:
        least = self._lowest_mb() * MB * (AGAIN if self.withheld else 1)
        if not room.writable:
            self.withheld = Withheld.FULL
        else:
            self.withheld = Withheld.LOW if room.free_bytes < least else None
        self._tell(room)

    def _tell(self, room: Room) -> None:
        """What is full is low, too, and is told of once."""
        figures: dict[str, Any] = {
            "place": room.place,
            "free_mb": room.free_bytes // MB,
            "lowest_free_mb": self._lowest_mb(),
        }
        if self.withheld is Withheld.FULL:
            self._alerts.raised(Kind.DISK_FULL, SUBJECT, _FULL.format(**figures), **figures)
        else:
            self._alerts.over(Kind.DISK_FULL, SUBJECT)
        if self.withheld is Withheld.LOW:
            self._alerts.raised(Kind.DISK_LOW, SUBJECT, _LOW.format(**figures), **figures)
        elif self.withheld is None:
            self._alerts.over(Kind.DISK_LOW, SUBJECT)


_FULL = (
    "The disk that holds {place} takes no more. Calls go on, but what was to be recorded of them is lost: make room at "
    "once, and recordings begin again by themselves."
)
_LOW = (
    "The disk that holds {place} has {free_mb} MB left, and no recording is begun below {lowest_free_mb} MB: make "
    "room, or lower the setting recording.lowest_free_mb."
)
