"""When, and how often, somebody may be called by a list: as the law in force says, by every clock that they may go by
(L4)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Protocol

from crm.call_lists import Judged
from crm.directory import Directory
from crm.law import Allowed, NotBefore
from crm.local_time import Place
from crm.services.list_leases import OUTSIDE_HOURS, Limit

UNKNOWN_ZONE = "unknown_zone"
_OPEN = Judged(True)


class CallingHours(Protocol):
    def look(self, place: Place, at_us: int) -> Judged:
        """Whether somebody there may be called at this moment; else why not, and from when on."""

    def limits(self, place: Place) -> tuple[Limit, ...]:
        """How many calls somebody there may get, and within how many microseconds."""


class LawfulHours:
    """``directory`` gives the newest one, with the law as admins have changed it."""

    def __init__(self, directory: Callable[[], Directory]) -> None:
        self._directory = directory

    def look(self, place: Place, at_us: int) -> Judged:
        if self._directory().settings["gate.calling_hours"] == "off":
            return _OPEN
        word = self._directory().law.schedule("call", place.there, place.home).at(at_us)
        match word:
            case Allowed():
                return _OPEN
            case NotBefore():
                return Judged(False, OUTSIDE_HOURS, word.at_us)
            case _:
                return Judged(False, UNKNOWN_ZONE)

    def limits(self, place: Place) -> tuple[Limit, ...]:
        law = self._directory().law
        found = [each for one in (place.there, place.home) if one is not None for each in law.attempts(one)]
        return tuple((each.calls, each.within // timedelta(microseconds=1)) for each in found)
