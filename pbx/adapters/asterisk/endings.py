"""How and when legs ended while nobody listened, from what the dialplan wrote down (P1).

Every channel of a call runs ``[leg-ended]`` in dialplans/legs.conf when it is hung up: one that we make by a hangup
handler, which is run though the channel never sees a dialplan, answered or not (measured); one that came to us by the
extension h of its context. Not by a handler that ARI sets: such a request waits until the channel has played its
prompts, and every other call's requests wait behind it (measured: 1.8 s). Lines in ``ended.log``:
``ended|channel|seconds.milliseconds|cause|state``, and for one that came to us ``|in or out|endpoint|called|caller``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Container
from dataclasses import replace
from pathlib import Path

import structlog

from pbx.adapters.asterisk.fallback_log import FallbackCall
from pbx.core.call.mending import Ending
from pbx.core.ids import Instant, LegId

log = structlog.get_logger("endings")

HANDLER = {"CHANNEL(hangup_handler_push)": "leg-ended,s,1"}
LARGEST = 1024 * 1024
_LINE = re.compile(rb"ended\|([\w.-]+)\|(\d+)\.(\d{3})\|(\d*)\|(\w*)(?:\|(in|out)\|(\w*)\|([\d+*#]*)\|([\d+]*))?")


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

    def unheard(
        self, since: Instant, until: Instant, known: Container[str], heard_until: Instant
    ) -> list[FallbackCall]:
        """Calls that came and were given up before an engine had heard of them: Asterisk had told one that was dead.

        ``known`` are the channels of which an engine has heard between the two moments. What ended after
        ``heard_until`` may have come to us, who have not read it yet, and would stand in the log twice: it counts as
        one that has not ended.
        """
        try:
            text = self._path.read_bytes()
        except FileNotFoundError:
            return []
        came = [match for match in _LINE.finditer(text) if match[6] and match[1].decode() not in known]
        gave_up = [(_ending(match).at, _gave_up(match)) for match in came]
        return [
            call if at < heard_until else replace(call, ended_at_s=None) for at, call in gave_up if since < at < until
        ]

    def trim(self) -> None:
        """What an engine has heard needs no line. Asterisk appends, so cutting it leaves no hole."""
        try:
            if self._path.stat().st_size > LARGEST:
                os.truncate(self._path, 0)
        except OSError as error:
            log.debug("endings.not_trimmed", why=str(error))


def _gave_up(match: re.Match[bytes]) -> FallbackCall:
    """Asterisk's name of a channel begins with the second in which it came, behind the name of its node."""
    channel, ended_s, _, cause, _, way, endpoint, called, caller = [(each or b"").decode() for each in match.groups()]
    return FallbackCall(
        channel,
        "in" if way == "in" else "out",
        endpoint,
        called or "!",
        caller,
        began_at_s=int(channel.rpartition("-")[2].split(".", 1)[0]),
        ended_at_s=int(ended_s),
        result="CANCEL",
        cause=int(cause) if cause else None,
    )


def _ending(match: re.Match[bytes]) -> Ending:
    at = Instant(int(match[2]) * 1_000_000 + int(match[3]) * 1000)
    return Ending(at, int(match[4] or 16) or 16, match[5] == b"Up")
