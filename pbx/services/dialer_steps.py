"""One step of a run through a call list: what its state says, the next entry leased, the call written down.

Each is one transaction. A call begins after its commit; that it stands as called before anything rings keeps an engine
that dies in between from calling somebody twice.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from crm import ids, local_time
from crm.call_lists import Candidate, Entry, Judged
from crm.call_lists import Run as Kept
from crm.errors import Refused, conflict
from crm.models.call_lists import CallList as ListRow
from crm.repositories import list_leases as leases
from crm.services import call_lists, list_entries, list_leases, list_runs
from crm.services.list_leases import OUTSIDE_HOURS
from crm.unit_of_work import ENGINE, Store, UnitOfWork
from pbx.core.dialer import Phase, Run, Terms, Want, handle
from pbx.core.dialer.events import Away, Dialled, Due, Event, Found, NotDialled, NothingFound
from pbx.core.events import NotNow
from pbx.core.gate import Reason, Verdict
from pbx.core.ids import CallId, Instant
from pbx.services.calling_hours import CallingHours

S_US = 1_000_000
LEASE_US = 45 * S_US
"""A page beats every 15 seconds: it may miss two."""

OF_THE_ENTRY = frozenset(
    {
        *("invalid_number", "premium_denied", "satellite_denied", "country_denied", "prefix_denied"),
        *("do_not_call", "opted_out", "forward_loop"),
    }
)
"""Refusals of the gate that are about the number: it is out, and the run goes on. All others pause the run."""
_NO_RUN = "You are working on no list now. Start one."
Also = Callable[[UnitOfWork, Kept], Awaitable[None]]


class Control(Protocol):
    def dial(
        self,
        user_id: str,
        to: str,
        *,
        via: str | None = None,
        device_id: str | None = None,
        by: str,
        call_id: str = "",
        listed: bool = False,
        home: str = "",
    ) -> CallId: ...
    def link(self, call_id: str, record_type: str, record_id: str, by: str, *, after: int | None = None) -> None: ...


class GateCheck(Protocol):
    def check(self, user_id: str, number: str, *, listed: bool = False, home: str = "") -> Verdict: ...


@dataclass(frozen=True, slots=True)
class _Call:
    """What is to be dialled once it is written down."""

    id: str
    entry: Entry
    number: str
    home: str


class Steps:
    def __init__(self, store: Store, control: Control, gate: GateCheck, hours: CallingHours) -> None:
        self._store, self._control, self._gate, self._hours = store, control, gate, hours
        self.calls: set[str] = set()
        """That were begun for lists, and of which nobody has said yet what came of them."""

    async def begin(self, user_id: str, ref: str, via: str | None, device_id: str | None) -> Kept:
        """Go on with the list where it stands. Asked again for the same list, the run that stands is given."""
        async with self._store.write(ENGINE) as work:
            row = await call_lists.find(work.session, ref)
            await call_lists.check_may_use(work.session, row, user_id)
            kept = await list_runs.current(work.session, user_id, to_change=True)
            if kept is None or kept.list_id != row.id:
                kept = await list_runs.begin(work, row, user_id, via, device_id)
                return await self._find(work, kept, row)
            return await list_runs.keep(work, kept.id, {"via": via, "device_id": device_id, "beat_us": work.at_us})

    async def step(self, user_id: str, event: Event, also: Also | None = None) -> Kept:
        """``also`` is done first, in the same transaction. Raises Refused where the run does not allow it now."""
        async with self._store.write(ENGINE) as work:
            kept, row, terms = await self._standing(work, user_id)
            if also is not None:
                await also(work, kept)
            run, want = _moved(_run(kept), event, terms, work.at_us)
            if want is Want.DIAL:
                kept, call = await self._to_dial(work, kept, row, terms)
            else:
                call = None
                kept = await _keep(work, kept, run, heard=not isinstance(event, Due | Away))
                if want in (Want.FIND, Want.RELEASE):
                    await leases.release(work.session, kept.id)
                if want is Want.FIND:
                    kept = await self._find(work, kept, row)
        return await self._dial(kept, call) if call is not None else kept

    async def dial(self, user_id: str, number: str | None) -> Kept:
        """The entry that is shown, at its own number or at another one of the same record."""
        async with self._store.write(ENGINE) as work:
            kept, row, terms = await self._standing(work, user_id)
            kept, call = await self._to_dial(work, kept, row, terms, number)
        return await self._dial(kept, call) if call is not None else kept

    async def beat(self, user_id: str, *, heard: bool = True) -> Kept:
        """The lease goes on; ``heard``: because its user is there, not because the call is."""
        async with self._store.write(ENGINE) as work:
            kept, _, _ = await self._standing(work, user_id)
            await leases.renew(work.session, kept.id, work.at_us + LEASE_US, work.at_us)
            return await list_runs.keep(work, kept.id, {"beat_us": work.at_us} if heard else {})

    # -- inside a step -----------------------------------------------------------------------------------

    async def _standing(self, work: UnitOfWork, user_id: str) -> tuple[Kept, ListRow, Terms]:
        kept = await list_runs.current(work.session, user_id, to_change=True)
        row = await work.session.get(ListRow, kept.list_id) if kept is not None else None
        if kept is None or row is None:
            raise conflict("no_run", _NO_RUN)
        required = await call_lists.wrap_up_required(work.session, row)
        return kept, row, Terms(row.preview_s * S_US, row.wrap_up_s * S_US, required)

    async def _find(self, work: UnitOfWork, kept: Kept, row: ListRow) -> Kept:
        found = await list_leases.next_entry(
            work,
            row,
            run_id=kept.id,
            user_id=kept.user_id,
            until_us=work.at_us + LEASE_US,
            hours=lambda place: self._hours.look(place, work.at_us),
            judge=lambda candidate: self._judge(kept.user_id, candidate),
            limits=self._hours.limits,
        )
        event: Event
        if isinstance(found, Entry):
            event = Found(found.id)
        else:
            event = NothingFound(found.reason, Instant(found.until_us) if found.until_us is not None else None)
        _, _, terms = await self._standing(work, kept.user_id)
        return await _keep(work, kept, _moved(_run(kept), event, terms, work.at_us)[0])

    def _judge(self, user_id: str, candidate: Candidate) -> Judged:
        """What is against the user, not the number, is said when it is dialled. The law of the number's own place may
        be stricter than that of the address by which the list gathers: it opens later then."""
        verdict = self._gate.check(user_id, candidate.number, listed=True, home=_home(candidate.place))
        if verdict.reason is Reason.CALLING_HOURS and verdict.untimely is not None:
            return Judged(False, OUTSIDE_HOURS, verdict.untimely.not_before_us)
        against = not verdict.allowed and verdict.reason.value in OF_THE_ENTRY
        return Judged(not against, verdict.reason.value if against else "")

    async def _to_dial(
        self, work: UnitOfWork, kept: Kept, row: ListRow, terms: Terms, number: str | None = None
    ) -> tuple[Kept, _Call | None]:
        """Written down as called. Where the lease has ended, or the day there, the next one is looked for."""
        call_id = ids.new(ids.CALL, work.at_us)
        run, _ = _moved(_run(kept), Dialled(call_id), terms, work.at_us)
        assert kept.entry_id is not None
        entry = await list_entries.show(work.session, kept.entry_id, work.at_us)
        wanted, place = await list_entries.at_number(work.session, entry, number)
        renewed = await leases.renew(work.session, kept.id, work.at_us + LEASE_US, work.at_us)
        if not renewed or not self._hours.look(place, work.at_us).allowed:
            await leases.release(work.session, kept.id)
            return await self._find(work, kept, row), None
        kept = await _keep(work, kept, run)
        await list_runs.called(work, kept, call_id, wanted)
        return kept, _Call(call_id, entry, wanted, _home(place.written()))

    async def _dial(self, kept: Kept, call: _Call) -> Kept:
        user_id, entry = kept.user_id, call.entry
        self.calls.add(call.id)
        try:
            self._control.dial(
                user_id,
                call.number,
                via=kept.via,
                device_id=kept.device_id,
                by=user_id,
                call_id=call.id,
                listed=True,
                home=call.home,
            )
        except Refused as refused:
            return await self._not_dialled(user_id, call, refused)
        with contextlib.suppress(Refused):
            self._control.link(call.id, entry.record_type, entry.record_id, user_id)
        return kept

    async def _not_dialled(self, user_id: str, call: _Call, refused: Refused) -> Kept:
        self.calls.discard(call.id)
        of_entry = refused.code in OF_THE_ENTRY

        async def undo(work: UnitOfWork, kept: Kept) -> None:
            await list_runs.not_called(work, call.id)
            if of_entry:
                await list_runs.put_out(work, call.entry.id, refused.code)

        return await self.step(user_id, NotDialled(call.id, refused.code, pauses=not of_entry), undo)


def _home(place: str) -> str:
    """Where the owner of an entry's number lives, where that is elsewhere, as the gate takes it: JP, US-FL."""
    home = local_time.read(place).home
    if home is None:
        return ""
    return f"{home.country}-{home.region}" if home.region else home.country


def _moved(run: Run, event: Event, terms: Terms, at_us: int) -> tuple[Run, Want]:
    try:
        return handle(run, event, terms, Instant(at_us))
    except NotNow as answer:
        raise conflict(answer.code, answer.sentence) from answer


async def _keep(work: UnitOfWork, kept: Kept, run: Run, *, heard: bool = False) -> Kept:
    values = {
        "phase": run.phase.value,
        "paused": run.paused,
        "reason": run.reason,
        "entry_id": run.entry_id,
        "call_id": run.call_id,
        "due_us": run.due,
        "held_us": run.held,
        "calls": run.calls,
        "ended_us": work.at_us if run.phase is Phase.STOPPED else None,
    }
    return await list_runs.keep(work, kept.id, values | ({"beat_us": work.at_us} if heard else {}))


def _run(kept: Kept) -> Run:
    return Run(
        Phase(kept.phase),
        kept.paused,
        kept.reason,
        kept.entry_id,
        kept.call_id,
        Instant(kept.due_us) if kept.due_us is not None else None,
        kept.held_us,
        kept.calls,
    )
