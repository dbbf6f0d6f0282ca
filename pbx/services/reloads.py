"""Calls over the phones of pages that go and come (P4): whose page is gone, and whose is back.

A page that goes says so: with the code of its websocket (1001, going away) or by a request of its own; its calls are
told at once. A websocket that breaks by itself says nothing of the page, whose sound may go on without it: then the
sound decides, which is listened for until it has stopped for a while or the page has connected again. Calls that ring
there, or are being answered, are over with the websocket in any case: nothing could be said about them any more.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Container, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto

import structlog

from crm.directory import Directory
from pbx.core.call import Call, Leg, State
from pbx.core.events import PhoneBack, PhoneLost
from pbx.core.ids import LegId
from pbx.services.ports import Presence
from pbx.services.runtime import Calls

log = structlog.get_logger("reloads")

LOOK_EVERY_S = 0.5
SILENT_S = 2.0
"""Without a connection and without sound for so long, a page is gone. Muted, too, a browser sends sound."""
CONNECTED_SILENT_S = 5.0
"""A page that has connected again has so long to bring its sound back by itself (an ICE restart)."""
ON_HOLD_SILENT_S = 10.0
"""A page that holds by itself need not send anything."""


class Ending(Enum):
    """How a page's connection ended, as far as the page is concerned."""

    LEFT = auto()  # the browser said that it goes away
    CUT = auto()  # the page may be there
    OURS = auto()  # we end, or the login, or the switch: that has consequences of its own


@dataclass(slots=True)
class _Heard:
    """What has come from one leg: how many packets, since when no more, and whether there were more since we listen."""

    packets: int | None
    since_s: float
    moved: bool = False


class Reloads:
    """``packets`` asks the switch how many a leg has sent, None where it cannot say."""

    def __init__(
        self,
        calls: Calls,
        directory: Callable[[], Directory],
        presence: Presence,
        packets: Callable[[LegId], Awaitable[int | None]],
    ) -> None:
        self._calls = calls
        self._directory = directory
        self._presence = presence
        self._packets = packets
        self._connections: Counter[str] = Counter()
        self._watching: dict[str, asyncio.Task[None]] = {}

    def stop(self) -> None:
        for task in self._watching.values():
            task.cancel()

    # -- what is heard of pages ------------------------------------------------------------------------

    def connected(self, device: str) -> None:
        """A page has opened the connection of its phone. Sound of an earlier one may be gone."""
        self._connections[device] += 1
        self._watch(device)

    def disconnected(self, device: str, ending: Ending) -> None:
        """Before the switch hears of it, so that the calls know why what rings there ends."""
        self._connections[device] -= 1
        if ending is Ending.OURS:
            return
        if self._connections[device] > 0:  # a newer page has the phone: which of the two speaks, the sound tells
            self._watch(device)
            return
        if ending is Ending.LEFT:
            self.left(device)
        else:
            self._lose(device, "cut", answered=False)
        self._watch(device)

    def left(self, device: str) -> None:
        """The page has said that it goes."""
        self._lose(device, "left")

    def registered(self, device: str) -> None:
        """A page's phone can be rung: at once, for the call that its user is in, or that rings at its user's."""
        known = self._directory().devices.get(device)
        phones = self._presence.phones([device])
        if known is None or not phones:
            return
        for call in list(self._calls):
            if _concerns(call, known.user_id):
                self._calls.deliver(call.id, PhoneBack(known.user_id, phones[-1]))

    def taken_over(self) -> None:
        """Nobody listened for a while, to pages least of all."""
        browsers = self._directory().browsers()
        for device in browsers:
            if next(self._legs(device.id), None) is not None:
                self._watch(device.id)
        for device in browsers:
            self.registered(device.id)

    # -- what calls are told ---------------------------------------------------------------------------

    def _legs(self, device: str) -> Iterator[tuple[Call, Leg]]:
        for call in list(self._calls):
            for leg in call.live_legs():
                if leg.device_id == device:
                    yield call, leg

    def _lose(self, device: str, how: str, *, of: Container[LegId] | None = None, answered: bool = True) -> None:
        """Its legs, or those ``of`` them; without those that are ``answered``, perhaps."""
        for call, leg in list(self._legs(device)):
            if (of is None or leg.id in of) and (answered or not leg.answered):
                log.info("reloads.page_lost", call=call.id, leg=leg.id, device=device, how=how)
                self._calls.deliver(call.id, self._event(leg, how))

    def _event(self, leg: Leg, how: str) -> PhoneLost:
        directory = self._directory()
        user_id = leg.user_id
        others = [each.id for each in directory.devices_of(user_id) if each.enabled and each.id != leg.device_id]
        return PhoneLost(
            leg.id,
            how,
            timedelta(seconds=directory.settings["reload.wait_s"]),
            self._presence.phones(others),
            timedelta(seconds=directory.settings["reload.others_after_s"]),
        )

    # -- listening -------------------------------------------------------------------------------------

    def _watch(self, device: str) -> None:
        """From the beginning: what was heard before says nothing of what has just happened."""
        earlier = self._watching.pop(device, None)
        if earlier is not None:
            earlier.cancel()
        if next(self._legs(device), None) is None:
            return
        task = self._watching[device] = asyncio.ensure_future(self._listen(device))
        task.add_done_callback(lambda done: self._listened(device, done))

    def _listened(self, device: str, done: asyncio.Task[None]) -> None:
        if self._watching.get(device) is done:
            del self._watching[device]
        if not done.cancelled() and done.exception() is not None:
            log.error("reloads.broke", device=device, exc_info=done.exception())

    async def _listen(self, device: str) -> None:
        """Until no call is left there, or all of them sound over a page that is connected."""
        heard: dict[LegId, _Heard] = {}
        while all_legs := [leg for _, leg in self._legs(device)]:
            legs = [leg for leg in all_legs if leg.answered]
            for leg in legs:
                await self._hear(leg, heard)
            silent = {leg.id for leg in legs if self._is_silent(device, leg, heard[leg.id])}
            if silent:
                self._lose(device, "silent", of=silent)
                if self._connections[device] > 0:
                    self.registered(device)
            elif self._connections[device] > 0 and all(heard[leg.id].moved for leg in legs):
                return
            await asyncio.sleep(LOOK_EVERY_S)

    async def _hear(self, leg: Leg, heard: dict[LegId, _Heard]) -> None:
        packets, now = await self._packets(leg.id), asyncio.get_running_loop().time()
        before = heard.get(leg.id)
        if before is None:
            heard[leg.id] = _Heard(packets, now)
        elif packets is None or packets != before.packets:
            heard[leg.id] = _Heard(packets, now, moved=before.moved or packets is not None)

    def _is_silent(self, device: str, leg: Leg, heard: _Heard) -> bool:
        longest = CONNECTED_SILENT_S if self._connections[device] > 0 else SILENT_S
        if leg.held:
            longest = ON_HOLD_SILENT_S
        return asyncio.get_running_loop().time() - heard.since_s >= longest


def _concerns(call: Call, user_id: str) -> bool:
    if call.state is State.RINGING:
        return call.person is not None and call.person.user_id == user_id
    return call.state is State.TALKING and (bool(call.away) or call.invite is not None)
