"""What Asterisk has of our calls at a moment: channels, bridges, sound that is written or played.

All questions but the first go out together: 50 calls cost a few round trips, not hundreds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from pbx.adapters.asterisk.ami import MixMonitor, monitor_variable
from pbx.adapters.asterisk.ari import AriClient, AriError, Json
from pbx.adapters.asterisk.endings import Endings
from pbx.adapters.asterisk.switch import AriSwitch
from pbx.core.call import Call
from pbx.core.call.mending import Found, Progress
from pbx.core.call.standing import Standing, standing
from pbx.core.ids import BridgeId, Instant, LegId, PlaybackId, RecordingId, call_of, is_holding

_UNKNOWN = (404, 409)
_FAILED = 500  # a function of the dialplan that could not be read
_STATES = {"Up": Progress.UP, "Ringing": Progress.RINGING}


class Survey:
    """``switch`` and ``monitor`` learn what they did not know, because an earlier engine did it."""

    def __init__(
        self,
        ari: AriClient,
        switch: AriSwitch,
        monitor: MixMonitor,
        endings: Endings,
        lost_at: Callable[[], Instant | None] = lambda: None,
    ) -> None:
        """``lost_at`` tells when Asterisk was lost the last time."""
        self._ari = ari
        self._switch = switch
        self._monitor = monitor
        self._endings = endings
        self._lost_at = lost_at

    async def look(self, calls: Sequence[Call]) -> Found:
        """Raises AriError."""
        wanted = [standing(call) for call in calls]
        info, channels, bridges = await asyncio.gather(
            self._ari.call("GET", "asterisk/info", {"only": "status"}),
            self._ari.call("GET", "channels"),
            self._ari.call("GET", "bridges"),
        )
        held, recordings, playbacks, messages = await asyncio.gather(
            self._held(leg.id for call in calls for leg in call.parties()),
            self._there(self._recorded(each) for each in wanted),
            self._there(self._played(each) for each in wanted),
            self._there(self._spoken(each) for each in wanted),
        )
        return Found(
            up_since=_moment(info["status"]["startup_time"]),
            lost_at=self._lost_at(),
            legs=dict(self._legs(channels)),
            endings=await asyncio.to_thread(self._endings.read),
            held=held,
            bridges={BridgeId(str(bridge["id"])): self._inside(bridge) for bridge in bridges if call_of(bridge["id"])},
            recordings=frozenset(RecordingId(name) for name in recordings),
            playbacks=frozenset(PlaybackId(name) for name in playbacks),
            messages=frozenset(messages),
        )

    def _legs(self, channels: Iterable[Json]) -> Iterable[tuple[LegId, Progress]]:
        """A leg that was originated is of use when it is in Stasis; one that was created is there from the start."""
        for channel in channels:
            leg = self._switch.leg_of(str(channel["id"]))
            if leg is None:
                continue
            progress = _STATES.get(channel["state"], Progress.MADE)
            in_stasis = channel["dialplan"].get("app_name") == "Stasis"
            if in_stasis and str(channel["id"]) == leg:
                self._switch.recall(leg)
            yield leg, progress if in_stasis or progress is not Progress.UP else Progress.RINGING

    def _inside(self, bridge: Json) -> frozenset[LegId]:
        legs = (self._switch.leg_of(str(channel)) for channel in bridge["channels"])
        inside = frozenset(leg for leg in legs if leg is not None)
        if is_holding(BridgeId(str(bridge["id"]))):
            self._switch.recall_music(inside)
        return inside

    async def _held(self, legs: Iterable[LegId]) -> dict[LegId, bool]:
        """By the last session description that the phone has sent. Nothing is known of a channel that has none, or that
        ends meanwhile."""
        asked = list(legs)
        paths = (f"channels/{self._switch.channel_of(leg)}/variable" for leg in asked)
        query = {"variable": "CHANNEL(rtp,hold)"}
        answers = await asyncio.gather(*(self._ask(path, query, (*_UNKNOWN, _FAILED)) for path in paths))
        return {leg: answer["value"] == "1" for leg, answer in zip(asked, answers, strict=True) if answer is not None}

    # -- sound --------------------------------------------------------------------------------------

    async def _there(self, questions: Iterable[Any]) -> list[str]:
        return [name for names in await asyncio.gather(*questions) for name in names]

    async def _recorded(self, wanted: Standing) -> list[str]:
        found: list[str] = []
        for recording, recorded in wanted.recordings.items():
            if self._monitor.knows(recording):
                found.append(recording)
                continue
            channel, name = self._switch.channel_of(recorded.leg), monitor_variable(recording)
            answer = await self._ask(f"channels/{channel}/variable", {"variable": name})
            if answer is not None:
                self._monitor.recall(recording, str(answer["value"]))
                found.append(recording)
        return found

    async def _played(self, wanted: Standing) -> list[str]:
        return [name for name in wanted.playbacks if await self._ask(f"playbacks/{name}") is not None]

    async def _spoken(self, wanted: Standing) -> list[str]:
        found = wanted.message and await self._ask(f"recordings/live/{wanted.message}")
        return [wanted.message] if found else []

    async def _ask(self, uri: str, query: dict[str, str] | None = None, unknown: tuple[int, ...] = _UNKNOWN) -> Any:
        """None for what Asterisk does not know. Raises AriError where it does not answer."""
        try:
            return await self._ari.call("GET", uri, query)
        except AriError as error:
            if error.status in unknown:
                return None
            raise


def _moment(written: str) -> Instant:
    """Asterisk writes its offset without a colon, which ``fromisoformat`` takes from Python 3.11 on."""
    return Instant(int(datetime.fromisoformat(written).timestamp() * 1_000_000))
