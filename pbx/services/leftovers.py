"""What an earlier run of the engine did not finish: recordings whose sound still lies in the spool."""

from __future__ import annotations

import asyncio
from pathlib import Path

import structlog

from crm.repositories import calls as call_log
from crm.unit_of_work import Store
from pbx.core.ids import CallId, call_of
from pbx.services.recordings import Recordings
from pbx.services.runtime import Calls

log = structlog.get_logger("leftovers")


class Leftovers:
    def __init__(self, store: Store, calls: Calls, recordings: Recordings, spool: Path) -> None:
        self._store = store
        self._calls = calls
        self._recordings = recordings
        self._spool = spool

    async def take_over(self) -> None:
        """Finish recordings of calls that have ended. What is still being written is left to its call."""
        for path in await asyncio.to_thread(lambda: sorted(self._spool.glob("rec_*.raw"))):
            call = call_of(path.stem)
            if call is None or self._calls.get(call) is not None:
                continue
            await self._finish(call, path.stem)

    async def _finish(self, call: CallId, recording: str) -> None:
        async with self._store.read() as session:
            events = await call_log.events(session, call)
        if not events:
            log.warning("leftovers.unknown", recording=recording)
            return
        log.info("leftovers.recording", call=call, recording=recording)
        self._recordings.finish_left_behind(call, recording, after=events[-1].seq)
