"""How and when legs ended while nobody listened, from what the dialplan wrote down (P1).

Every channel of a call runs ``[leg-ended]`` in dialplans/legs.conf when it is hung up: one that we make by a hangup
handler, which is run though the channel never sees a dialplan, answered or not (measured); one that came to us by the
extension h of its context. Not by a handler that ARI sets: such a request waits until the channel has played its
prompts, and every other call's requests wait behind it (measured: 1.8 s). Lines in ``ended.log``:
``ended|channel|seconds.milliseconds|cause|state``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import structlog

from pbx.core.call.mending import Ending
from pbx.core.ids import Instant, LegId

log = structlog.get_logger("endings")

HANDLER = {"CHANNEL(hangup_handler_push)": "leg-ended,s,1"}
LARGEST = 1024 * 1024
_LINE = re.compile(rb"ended\|([\w.-]+)\|(\d+)\.(\d{3})\|(\d*)\|(\w*)")


class Endings:
    """``leg_of`` gives the leg that a channel is."""

    def __init__(self, folder: Path, leg_of: Callable[[str], LegId | None]) -> None:
        self._path = folder / "ended.log"
        self._leg_of = leg_of

    def read(self) -> dict[LegId, Ending]:
        """Of every leg whose end is written down."""
        try:
            text = self._path.read_bytes()
        except FileNotFoundError:
            return {}
        found = ((self._leg_of(match[1].decode()), _ending(match)) for match in _LINE.finditer(text))
        return {leg: ending for leg, ending in found if leg is not None}

    def trim(self) -> None:
        """What an engine has heard needs no line. Asterisk appends, so cutting it leaves no hole."""
        try:
            if self._path.stat().st_size > LARGEST:
                os.truncate(self._path, 0)
        except OSError as error:
            log.debug("endings.not_trimmed", why=str(error))


def _ending(match: re.Match[bytes]) -> Ending:
    at = Instant(int(match[2]) * 1_000_000 + int(match[3]) * 1000)
    return Ending(at, int(match[4] or 16) or 16, match[5] == b"Up")
