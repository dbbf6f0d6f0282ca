"""Channels whose phone has hung up, and which Asterisk keeps all the same.

A caller who gives up by BYE in an early dialog (RFC 3261, section 15) in the very moment in which the called party
answers: chan_pjsip says "Session already DISCONNECTED", but lets the channel be up, and the hangup that it then asks
for can get lost (seen with Asterisk 22.10.1; after CANCEL it was not). Such a call would stand for ever, with the
called party in silence. So whoever is still there a while after having hung up is hung up again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import structlog

log = structlog.get_logger("switch")

GRACE_S = 2.0
"""By then a channel has long gone, where it goes by itself."""
TRIES = 3


class Timers(Protocol):
    """An event loop's."""

    def call_later(self, delay: float, callback: Callable[..., object], *args: Any) -> object: ...


class Lingering:
    """``hang_up(channel)`` ends one, and may be told of one that is gone already."""

    def __init__(self, timers: Timers, hang_up: Callable[[str], None]) -> None:
        self._timers = timers
        self._hang_up = hang_up
        self._leaving: set[str] = set()

    def asked(self, channel: str) -> None:
        """Its phone, or somebody here, has asked for its end."""
        if channel not in self._leaving:
            self._leaving.add(channel)
            self._timers.call_later(GRACE_S, self._look, channel, TRIES)

    def gone(self, channel: str) -> None:
        self._leaving.discard(channel)

    def forget(self) -> None:
        """The link is lost: nobody tells who goes."""
        self._leaving.clear()

    def _look(self, channel: str, tries: int) -> None:
        if channel not in self._leaving:
            return
        if not tries:
            self.gone(channel)
            log.error("channel.does_not_end", channel=channel)
            return
        log.warning("channel.lingers", channel=channel)
        self._hang_up(channel)
        self._timers.call_later(GRACE_S, self._look, channel, tries - 1)
