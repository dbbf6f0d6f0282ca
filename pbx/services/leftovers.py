"""What an earlier run of the engine did not finish: calls whose rows are open, and sound that lies in the spool.

The media of a call goes on without the engine. Such a call is watched until it is over: when one party has gone, the
other is let go too, and the row is closed with the moment at which that was seen. Calls that are gone already are
closed as interrupted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import structlog

from crm.errors import Refused
from crm.repositories import calls as call_log
from crm.unit_of_work import Store
from pbx.core.ids import CallId, call_of
from pbx.services.recordings import Recordings
from pbx.services.runtime import Calls, UnknownCall

log = structlog.get_logger("leftovers")

LOOK_EVERY_S = 1.0
Standing = Callable[[], Awaitable[Mapping[CallId, Sequence[str]]]]
"""The channels in the bridge of each call that the switch still has."""


class Leftovers:
    """``hang_up`` lets go of one channel."""

    def __init__(
        self,
        store: Store,
        calls: Calls,
        recordings: Recordings,
        spool: Path,
        standing: Standing,
        hang_up: Callable[[str], None],
    ) -> None:
        self._store = store
        self._calls = calls
        self._recordings = recordings
        self._spool = spool
        self._standing = standing
        self._hang_up = hang_up
        self._looked = False

    async def run(self, linked: asyncio.Event) -> None:
        """Once, after the first link to the switch: watch what stands until nothing of it does."""
        await linked.wait()
        open_calls = await self._open_calls()
        while open_calls:
            standing = await self._standing()
            for call in list(open_calls):
                channels = standing.get(call, ())
                if len(channels) >= 2:
                    continue
                for channel in channels:
                    self._hang_up(channel)
                await self._close(call, interrupted=not self._looked)
                open_calls.remove(call)
            self._looked = True
            if open_calls:
                await asyncio.sleep(LOOK_EVERY_S)
        await self._finish_recordings()

    async def _open_calls(self) -> list[CallId]:
        async with self._store.read() as session:
            found = await call_log.open_calls(session)
        return [CallId(call.id) for call in found if self._calls.get(call.id) is None]

    async def _close(self, call: CallId, *, interrupted: bool) -> None:
        """``interrupted``: it had ended before we looked, nobody knows when."""
        async with self._store.read() as session:
            row = await call_log.row(session, call)
            legs = await call_log.legs(session, call)
            last = await call_log.last_event(session, call)
        answered = row is not None and row.answered_us is not None
        disposition = "answered" if answered and not interrupted else "interrupted"
        ending = {"disposition": disposition, "cause": 41, "reason": "engine_restarted", "ended_by": "system"}
        log.warning("leftovers.closed", call=call, disposition=disposition)
        try:
            for leg in legs:
                if leg.ended_us is None:
                    result = "answered" if leg.answered_us else "failed"
                    self._calls.annotate(call, "leg.ended", {"leg": leg.id, "result": result, "cause": 41}, after=last)
            self._calls.annotate(call, "call.ended", dict(ending), after=last)
        except UnknownCall:
            log.exception("leftovers.unknown", call=call)

    async def _finish_recordings(self) -> None:
        """Sound of calls that are over and of no call of this run."""
        for path in await asyncio.to_thread(lambda: sorted(self._spool.glob("rec_*.raw"))):
            call = call_of(path.stem)
            if call is None or self._calls.get(call) is not None:
                continue
            try:
                async with self._store.read() as session:
                    last = await call_log.last_event(session, call)
            except Refused as error:
                log.warning("leftovers.store_away", why=error.message)
                return
            if last:
                log.info("leftovers.recording", call=call, recording=path.stem)
                self._recordings.finish_left_behind(call, path.stem, after=last)
