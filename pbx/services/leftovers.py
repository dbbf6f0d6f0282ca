"""What an earlier run left and nobody has taken over: calls whose rows are open, and sound that lies in the spool.

A call is taken over by the next engine (:mod:`pbx.services.takeover`). Where its copy was lost (a full disk, another
version) its media goes on all the same. One in which people talk is watched until it is over: when one
party has gone, the other is let go too, and the row is closed with the moment at which that was seen. Where nobody
talked yet, the phones that ring for it are let go, and who called from outside comes in again as a new call: nobody
is left with a phone that rings for an engine that knows nothing of it. Calls that are gone are closed as interrupted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import structlog

from crm.errors import Refused
from crm.repositories import calls as call_log
from crm.unit_of_work import Store
from pbx.core.ids import CallId, call_of, recording_of
from pbx.services.recordings import Recordings
from pbx.services.runtime import Calls, UnknownCall

log = structlog.get_logger("leftovers")

LOOK_EVERY_S = 1.0
ARRIVING_S = 0.25
"""A channel that has just come is in the switch a moment before we hear of it."""


class Finish(Protocol):
    def __call__(self, call: CallId, name: str, /, *, after: int) -> None: ...


class Remains(Protocol):
    """What the switch still has. The two questions may raise any error of the link."""

    async def standing(self) -> Mapping[CallId, Sequence[str]]:
        """The channels in the bridge of each call."""

    async def strays(self) -> Mapping[str, bool]:
        """Channels of no call of this run; True where one came from a trunk."""

    def hang_up(self, channel: str) -> None: ...
    def begin_again(self, channel: str) -> None: ...
    def close(self, call: CallId) -> None: ...


class Leftovers:
    def __init__(
        self,
        store: Store,
        calls: Calls,
        recordings: Recordings,
        spool: Path,
        messages: Sequence[Path],
        remains: Remains,
        ours: Callable[[str], bool],
    ) -> None:
        """``spool`` is where calls are recorded, ``messages`` the folders of voicemails; ``ours`` tells of a call
        whether it is of this run, begun or taken over, also where it has ended by now."""
        self._store = store
        self._calls = calls
        self._recordings = recordings
        self._spool = spool
        self._messages = messages
        self._remains = remains
        self._ours = ours
        self._looked = False

    async def run(self, linked: asyncio.Event) -> None:
        """Once, after the first link to the switch: watch what stands until nothing of it does."""
        open_calls: dict[CallId, bool] | None = None
        while open_calls is None or open_calls:
            await linked.wait()
            try:
                if open_calls is None:
                    open_calls = await self._open_calls()
                await self._look(open_calls)
            except Exception as error:  # the link or the store is away: nothing is given up for that
                log.warning("leftovers.later", why=str(error) or type(error).__name__)
                await asyncio.sleep(LOOK_EVERY_S)
                continue
            if open_calls:
                await asyncio.sleep(LOOK_EVERY_S)
        await self._finish_recordings()

    async def _look(self, open_calls: dict[CallId, bool]) -> None:
        standing = await self._remains.standing()
        talking = {call for call, answered in open_calls.items() if answered and len(standing.get(call, ())) >= 2}
        if not self._looked:
            await self._let_go({channel for call in talking for channel in standing[call]})
        for call in [call for call in open_calls if call not in talking]:
            for channel in standing.get(call, ()):
                self._remains.hang_up(channel)
            self._remains.close(call)
            await self._close(call, interrupted=not self._looked)
            del open_calls[call]
        self._looked = True

    async def _let_go(self, talking: set[str]) -> None:
        before = await self._remains.strays()
        await asyncio.sleep(ARRIVING_S)
        strays = {channel: trunk for channel, trunk in (await self._remains.strays()).items() if channel in before}
        for channel, from_trunk in strays.items():
            if channel in talking:
                continue
            log.warning("leftovers.let_go", channel=channel, comes_again=from_trunk)
            if from_trunk:
                self._remains.begin_again(channel)
            else:
                self._remains.hang_up(channel)

    async def _open_calls(self) -> dict[CallId, bool]:
        """Whether people talk in them."""
        async with self._store.read() as session:
            found = await call_log.open_calls(session)
        return {CallId(call.id): call.answered_us is not None for call in found if not self._ours(call.id)}

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
        for path, finish in await asyncio.to_thread(self._found):
            call = call_of(path.stem)
            if call is None or self._ours(call):
                continue
            try:
                async with self._store.read() as session:
                    last = await call_log.last_event(session, call)
            except Refused as error:
                log.warning("leftovers.store_away", why=error.message)
                return
            if last:
                log.info("leftovers.recording", call=call, recording=path.stem)
                finish(call, path.stem, after=last)

    def _found(self) -> list[tuple[Path, Finish]]:
        whole = [path for path in sorted(self._spool.glob("rec_*.sln")) if not recording_of(path.stem)[1]]
        recordings = [(path, self._recordings.finish_left_behind) for path in whole]
        messages = sorted(path for folder in self._messages for path in folder.glob("vm_*.wav"))
        return recordings + [(path, self._recordings.finish_message_left_behind) for path in messages]
