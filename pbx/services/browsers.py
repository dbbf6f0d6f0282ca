"""Phones of browsers as the running engine has them: who waits for one to be known, who must hear that one is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from crm.directory import Directory
from crm.errors import Refused
from crm.records import Device

KNOWN_WITHIN_S = 5.0


class BrowserPhones:
    """``changed`` is called after the switch was told and the engine goes by another directory."""

    def __init__(self, directory: Callable[[], Directory], linked: Callable[[], bool]) -> None:
        self._directory = directory
        self._linked = linked
        self._next = asyncio.Event()
        self.watchers: list[Callable[[], None]] = []

    @property
    def reachable(self) -> bool:
        """Whether the switch is there and was told of every phone."""
        return self._linked()

    def changed(self) -> None:
        done, self._next = self._next, asyncio.Event()
        done.set()
        for watch in self.watchers:
            watch()

    def of_login(self, session_id: str) -> Device | None:
        return self._directory().browser_of(session_id)

    async def until_known(self, device: Device, within_s: float = KNOWN_WITHIN_S) -> None:
        """Return once the switch takes this phone with this secret, or with a newer one. Raises Refused (503)."""
        try:
            async with asyncio.timeout(within_s):
                while not self._knows(device):
                    await self._next.wait()
        except TimeoutError:
            raise Refused(
                "phone_not_ready", "The telephone system did not take the phone in yet. Ask again.", status=503
            ) from None

    def _knows(self, device: Device) -> bool:
        known = self._directory().devices.get(device.id)
        return known is not None and known.updated_us >= device.updated_us
