"""Working through call lists: what users ask of their runs, and the loop that counts down (L2 to L5, V12).

Nothing of a run is in memory but when it is due, so that a page that is reloaded and an engine that starts again find
it where it stood. What the calls of lists come to is heard from the calls themselves; what was missed while no engine
ran is read from the log at the start.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from crm import wrapup
from crm.call_lists import Entry
from crm.call_lists import Run as Kept
from crm.errors import Refused, conflict
from crm.models.call_lists import CallList as ListRow
from crm.records import as_dict
from crm.services import call_lists, list_entries, list_progress, list_runs, summaries
from crm.unit_of_work import ENGINE, Actor, Store, UnitOfWork
from pbx.core.call.record import CallRecord
from pbx.core.commands import Fact
from pbx.core.dialer import Phase
from pbx.core.dialer.events import Away, CallOver, Due, Event, MessageLeft, NotDialled, Skipped, SummarySaved
from pbx.core.ids import CallId
from pbx.services.dialer_steps import LEASE_US, S_US, Steps
from pbx.services.hub import Hub

log = structlog.get_logger("dialer")

BUSY_AGAIN_US = 3 * S_US
LOOK_EVERY_S = 5.0
RETRY_S = 2.0


class Records(Protocol):
    def get(self, call_id: str) -> CallRecord | None: ...


@dataclass(frozen=True, slots=True)
class ListBrief:
    """Of a list that is worked on. ``wrap_up_required``: a call's summary must be saved before the next one."""

    id: str
    name: str
    preview_s: int
    wrap_up_s: int
    wrap_up_required: bool


@dataclass(frozen=True, slots=True)
class RunView:
    """A run as its user sees it. ``now_us`` is the engine's clock, by which countdowns are shown."""

    run: Kept
    list: ListBrief
    entry: Entry | None
    now_us: int


class Dialer:
    def __init__(
        self,
        store: Store,
        hub: Hub,
        steps: Steps,
        records: Records,
        busy: Callable[[str], bool],
        ready: Callable[[], bool] = lambda: True,
    ) -> None:
        """``busy`` tells who is on a call now, ``ready`` whether there is a switch to call with."""
        self._store, self._hub, self._steps, self._records = store, hub, steps, records
        self._busy, self._ready = busy, ready
        self._runs: dict[str, Kept] = {}
        self._due: dict[str, int] = {}
        self._calls: dict[str, bool] = {}  # to be settled; True: a message plays on without their user
        self._saved: list[tuple[str, str]] = []
        self._dirty: set[str] = set()
        self._wake = asyncio.Event()

    # -- what its user asks ------------------------------------------------------------------------------

    async def current(self, user_id: str) -> RunView | None:
        async with self._store.read() as session:
            kept = await list_runs.current(session, user_id)
        return await self._view(kept) if kept is not None else None

    async def start(self, user_id: str, ref: str, via: str | None, device_id: str | None) -> RunView:
        return await self._told(await self._steps.begin(user_id, ref, via, device_id))

    async def ask(self, user_id: str, event: Event) -> RunView:
        """Raises Refused where the run does not allow it now."""
        return await self._told(await self._steps.step(user_id, event))

    async def dial(self, user_id: str, number: str | None = None) -> RunView:
        if self._busy(user_id):
            raise conflict("on_a_call", "You are on a call. End it first.")
        return await self._told(await self._steps.dial(user_id, number))

    async def skip(self, user_id: str, reason: str, minutes: int | None) -> RunView:
        """Leave the entry that is shown: for so many minutes, or for good."""

        async def note(work: UnitOfWork, kept: Kept) -> None:
            if kept.phase == Phase.PREVIEW and kept.entry_id is not None:
                await list_runs.skip(work, kept.entry_id, reason, minutes)

        return await self._told(await self._steps.step(user_id, Skipped(), note))

    async def beat(self, user_id: str) -> RunView:
        """Its user is there. A run whose lease ended meanwhile says that it is paused."""
        kept = await self._steps.beat(user_id)
        self._remember(kept)
        return await self._view(kept)

    def summary_saved(self, summary: wrapup.Summary) -> None:
        """To be told after it stands in the store."""
        self._saved.append((summary.user_id, summary.call_id))
        self._wake.set()

    def list_changed(self, list_id: str) -> None:
        """Whoever watches its progress is told."""
        self._dirty.add(list_id)
        self._wake.set()

    # -- what happens in calls ---------------------------------------------------------------------------

    def happened(self, call: CallId, facts: Sequence[tuple[int, Fact]]) -> None:
        """On the call path: note it, do the work in the loop. Most calls are no list's: they end here."""
        if call not in self._steps.calls:
            return
        for _, fact in facts:
            if fact.kind in ("call.ended", "drop.started"):
                self._calls[call] = fact.kind == "drop.started"
                self._wake.set()

    # -- the loop ----------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Count down, follow calls and fill lists for as long as the engine runs."""
        while True:
            try:
                await self._catch_up()
                while True:
                    await self._turn()
            except Refused as refused:
                log.warning("dialer.store_away", why=refused.message)
            except Exception:
                log.exception("dialer.broke")
            await asyncio.sleep(RETRY_S)

    async def _catch_up(self) -> None:
        """What an earlier engine left, and what ended while none ran."""
        async with self._store.read() as session:
            runs = await list_runs.running(session)
            unfinished = await list_runs.unfinished(session)
        for kept in runs:
            self._remember(kept)
        for call in unfinished:
            self._steps.calls.add(call.call_id)
            record = self._records.get(call.call_id)
            if record is None or record.ended:
                self._calls.setdefault(call.call_id, False)

    async def _turn(self) -> None:
        while self._calls:
            call_id, message_left = next(iter(self._calls.items()))
            await (self._message_left(call_id) if message_left else self._call_over(call_id))
            if self._calls.get(call_id) is message_left:
                del self._calls[call_id]
                if not message_left:
                    self._steps.calls.discard(call_id)
        while self._saved:
            user_id, call_id = self._saved[0]
            await self._quietly(user_id, SummarySaved(call_id))
            self._saved.pop(0)
        now = self._store.clock()
        for user_id in [user for user, due in self._due.items() if due <= now]:
            await self._is_due(user_id, now)
        filling = await self._fill()
        await self._tell_progress()
        if not filling:
            await self._rest()

    async def _rest(self) -> None:
        soonest = min(self._due.values(), default=None)
        wait_s = LOOK_EVERY_S if soonest is None else (soonest - self._store.clock()) / 1e6
        if not (self._calls or self._saved or self._dirty):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(max(wait_s, 0.01), LOOK_EVERY_S)):
                    await self._wake.wait()
        self._wake.clear()

    async def _is_due(self, user_id: str, now: int) -> None:
        """The countdown is over, the lease of a call that goes on needs to be renewed, or nothing was heard of the
        user for the length of a lease."""
        kept = self._runs[user_id]
        self._due[user_id] = now + BUSY_AGAIN_US
        if kept.phase == Phase.CALLING:
            self._remember(await self._steps.beat(user_id, heard=False))
        elif now - kept.beat_us >= LEASE_US:
            await self._quietly(user_id, Away())
        elif not self._busy(user_id) and self._ready():
            await self._quietly(user_id, Due())

    async def _quietly(self, user_id: str, event: Event) -> None:
        """Nobody has asked: what cannot be done now is left."""
        if user_id not in self._runs:
            return
        try:
            await self.ask(user_id, event)
        except Refused as refused:
            if refused.status == 503:
                raise
            log.info("dialer.not_now", user=user_id, happened=type(event).__name__, why=refused.message)
            if refused.code == "no_run":
                self._forget(user_id)

    async def _call_over(self, call_id: str) -> None:
        async with self._store.write(ENGINE) as work:
            listed = await list_runs.listed_call(work.session, call_id)
            if listed is None or listed.ended_us is not None:
                return
            never = (list_runs.NOT_CALLED, work.at_us, 0)
            result, *times = self._result(call_id) or await list_runs.ended(work.session, call_id) or never
            await list_runs.came_of(work, call_id, result, *times)
            saved = await summaries.show(work.session, call_id, listed.user_id)
            user_id, list_id = listed.user_id, listed.list_id
        self.list_changed(list_id)
        if result == list_runs.NOT_CALLED:
            await self._quietly(user_id, NotDialled(call_id, "own_phone", pauses=True))
        else:
            await self._quietly(user_id, CallOver(call_id, saved is not None and saved.state == "saved"))

    def _result(self, call_id: str) -> tuple[str, int, int] | None:
        record = self._records.get(call_id)
        if record is None:
            return None
        call = record.call
        rung = any(leg["role"] == "customer" for leg in record.legs.values())
        result = list_runs.result_of(call["disposition"], call["reason"], rung)
        return result, call["ended_us"] or self._store.clock(), call["talk_ms"] or 0

    async def _message_left(self, call_id: str) -> None:
        """The user is free: the summary is written without them, and the run goes on at once."""
        async with self._store.read() as session:
            listed = await list_runs.listed_call(session, call_id)
            row = await session.get(ListRow, listed.list_id) if listed is not None else None
        if listed is None or row is None:
            return
        await self._write_summary(call_id, listed.user_id, row.drop_outcome_id)
        await self._quietly(listed.user_id, MessageLeft(call_id))

    async def _write_summary(self, call_id: str, user_id: str, outcome_id: str | None) -> None:
        record = self._records.get(call_id)
        if record is None:
            return
        call = record.call
        blank = wrapup.blank(
            call_id,
            user_id,
            "host",
            record_type=call["record_type"],
            record_id=call["record_id"],
            call_created_us=call["created_us"],
            call_ended_us=call["ended_us"],
            at_us=self._store.clock(),
        )
        async with self._store.write(Actor("user", user_id)) as work:
            summary = await summaries.save(work, blank, {"outcome_id": outcome_id} if outcome_id else {})
        self._hub.summary_changed(user_id, as_dict(summary))

    async def _fill(self) -> bool:
        """Bring one part of what filters still have to bring; whether there was any."""
        async with self._store.read() as session:
            waiting = await call_lists.to_fill(session)
        for list_id in waiting[:1]:
            async with self._store.write(ENGINE) as work:
                await list_entries.fill_some(work, list_id)
            self._dirty.add(list_id)
        return bool(waiting)

    # -- what follows ------------------------------------------------------------------------------------

    def _remember(self, kept: Kept) -> None:
        """And when the loop has to look at this run."""
        if kept.ended_us is not None:
            return self._forget(kept.user_id)
        self._runs[kept.user_id] = kept
        moments = [kept.due_us] if kept.due_us is not None else []
        if kept.phase == Phase.CALLING:
            moments.append(self._store.clock() + LEASE_US // 3)
        elif kept.phase == Phase.PREVIEW or moments:
            moments.append(kept.beat_us + LEASE_US)
        self._due.pop(kept.user_id, None)
        if moments:
            self._due[kept.user_id] = min(moments)
        self._wake.set()

    def _forget(self, user_id: str) -> None:
        self._due.pop(user_id, None)
        self._runs.pop(user_id, None)

    async def _told(self, kept: Kept) -> RunView:
        self._remember(kept)
        self.list_changed(kept.list_id)
        view = await self._view(kept)
        self._hub.list_run_changed(kept.user_id, as_dict(view) if kept.ended_us is None else None)
        return view

    async def _view(self, kept: Kept) -> RunView:
        async with self._store.read() as session:
            row = await call_lists.find(session, kept.list_id)
            required = await call_lists.wrap_up_required(session, row)
            now_us = self._store.clock()
            entry = await list_entries.maybe(session, kept.entry_id, now_us) if kept.entry_id else None
        return RunView(kept, ListBrief(row.id, row.name, row.preview_s, row.wrap_up_s, required), entry, now_us)

    async def _tell_progress(self) -> None:
        dirty, self._dirty = self._dirty, set()
        for list_id in dirty if len(self._hub) else ():
            with contextlib.suppress(Refused):
                async with self._store.read() as session:
                    shown = await call_lists.show(session, list_id, self._store.clock())
                    progress = await list_progress.progress(session, list_id, self._store.clock())
                self._hub.list_changed(shown.owner_id, as_dict(shown), as_dict(progress))
