"""Who calls whom next: entries of a list are leased to one run at a time (L3, L4).

A lease ends by itself where it is not renewed: the entry then stands where it stood, for the next who asks. It is held
by the number, so that nobody is called twice at once through two lists either. The gate's word is asked for each
candidate; one that is refused keeps the reason, and the moment from which it may be called.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from crm import local_time
from crm.call_lists import Candidate, Entry, Judged, Nothing
from crm.local_time import Place
from crm.models.call_lists import CallList as ListRow
from crm.models.call_lists import ListEntry
from crm.repositories import call_lists as lists
from crm.repositories import list_leases as rows
from crm.repositories import people as records
from crm.services import list_entries, settings
from crm.unit_of_work import UnitOfWork

MINUTE_US, DAY_US = 60_000_000, 86_400_000_000
AT_ONCE = 25
MOST_ROUNDS = 20
AGAIN_AFTER_US = 1_000_000
"""After so many candidates that were all refused, others get their turn at the store."""

OUTSIDE_HOURS, CALLED_LATELY, TOO_OFTEN = "outside_hours", "called_lately", "too_often"
NO_NUMBER, HELD, NOT_DUE, DONE, LOOKING = "no_number", "held", "not_due", "done", "looking"
Hours = Callable[[Place], Judged]
Judge = Callable[[Candidate], Judged]
Limit = tuple[int, int]
"""So many calls within so many microseconds."""
Limits = Callable[[Place], Sequence[Limit]]
LONGEST_LIMIT_US = 7 * DAY_US


def _no_limits(place: Place) -> tuple[Limit, ...]:
    return ()


async def next_entry(
    work: UnitOfWork,
    row: ListRow,
    *,
    run_id: str,
    user_id: str,
    until_us: int,
    hours: Hours,
    judge: Judge,
    limits: Limits = _no_limits,
) -> Entry | Nothing:
    """Lease the next entry that may be called now; else why there is none, and when to look again."""
    session, now_us = work.session, work.at_us
    if not row.active:
        return Nothing("inactive", None)
    if (capped := await _over_its_cap(session, row, user_id, now_us)) is not None:
        return capped
    places = {written: hours(local_time.read(written)) for written in await rows.places(session, row.id)}
    open_now = [written for written, word in places.items() if word.allowed]
    for _ in range(MOST_ROUNDS):
        found = await rows.candidates(session, row.id, open_now, now_us, AT_ONCE)
        if not found and await _open_by_now(work, row.id, open_now, judge):
            continue
        if not found:
            return await _nothing(session, row.id, places, now_us)
        words = await _words(session, row, found, judge, limits, now_us)
        for candidate, word in zip(found, words, strict=True):
            if not word.allowed:
                await _refuse(work, candidate.id, word)
            elif await rows.lease(session, candidate, run_id=run_id, user_id=user_id, until_us=until_us, now_us=now_us):
                if await _still_so(work, candidate):
                    return await list_entries.show(session, candidate.id, now_us)
                await rows.release(session, run_id)
    return Nothing(LOOKING, now_us + AGAIN_AFTER_US)


async def _open_by_now(work: UnitOfWork, list_id: str, open_now: Sequence[str], judge: Judge) -> bool:
    """Whether there are any that waited for their hours, which are others by now: the law or the policy was changed."""
    waiting = await rows.postponed(work.session, list_id, open_now, OUTSIDE_HOURS, work.at_us, AT_ONCE)
    free = [candidate.id for candidate in waiting if judge(candidate).reason != OUTSIDE_HOURS]
    for entry_id in free:
        entry = await rows.locked_entry(work.session, entry_id)
        if entry is not None and entry.reason == OUTSIDE_HOURS:
            entry.due_us, entry.reason, entry.changed_us = work.at_us, "", work.at_us
    await work.flush()
    return bool(free)


async def _over_its_cap(session: AsyncSession, row: ListRow, user_id: str, now_us: int) -> Nothing | None:
    if row.daily_calls is None and row.daily_calls_user is None:
        return None
    zone = str((await settings.values(session))["default_time_zone"])
    today, tomorrow = _day(now_us, zone)
    caps = (("daily_calls", row.daily_calls, None), ("daily_calls_user", row.daily_calls_user, user_id))
    for name, cap, of_user in caps:
        if cap is not None and await rows.calls_since(session, row.id, today, of_user) >= cap:
            return Nothing(name, tomorrow)
    return None


def _day(now_us: int, zone: str) -> tuple[int, int]:
    """When this day began there, and when the next one does."""
    here = datetime.fromtimestamp(now_us / 1e6, ZoneInfo(zone))
    midnights = (datetime.combine(here.date() + timedelta(days=days), time(), here.tzinfo) for days in (0, 1))
    began, ends = (int(each.timestamp() * 1e6) for each in midnights)
    return began, ends


async def _words(
    session: AsyncSession, row: ListRow, found: Sequence[Candidate], judge: Judge, limits: Limits, now_us: int
) -> list[Judged]:
    """Whether each was called lately (L3) or too often, then the gate's word."""
    numbers = [candidate.number for candidate in found]
    gap_us = int((await settings.values(session))["lists.called_lately_minutes"]) * MINUTE_US
    lately = await rows.last_calls(session, numbers, now_us - gap_us) if gap_us else {}
    made = await rows.calls_out(session, numbers, now_us - LONGEST_LIMIT_US)
    words = []
    for candidate in found:
        last = max(lately.get(candidate.number, 0), candidate.last_call_us or 0)
        own = ((row.daily_calls_number, DAY_US),) if row.daily_calls_number else ()
        word = _often(made.get(candidate.number, []), (*limits(local_time.read(candidate.place)), *own), now_us)
        if gap_us and last > now_us - gap_us:
            word = Judged(False, CALLED_LATELY, last + gap_us)
        words.append(word or judge(candidate))
    return words


def _often(calls: Sequence[int], limits: Sequence[Limit], now_us: int) -> Judged | None:
    """Refused while one of the limits is reached: until the oldest call that counts does so no more."""
    until = 0
    for most, within_us in limits:
        counted = [at_us for at_us in calls if at_us > now_us - within_us]
        if len(counted) >= most:
            until = max(until, counted[-most] + within_us)
    return Judged(False, TOO_OFTEN, until) if until else None


async def _refuse(work: UnitOfWork, entry_id: str, word: Judged) -> None:
    entry = await rows.locked_entry(work.session, entry_id)
    if entry is None or entry.state != "waiting":
        return
    entry.reason, entry.changed_us = word.reason, work.at_us
    if word.again_us is None:
        entry.state = "out"
    else:
        entry.due_us = max(word.again_us, work.at_us + 1)
    await work.flush()


async def _still_so(work: UnitOfWork, candidate: Candidate) -> bool:
    """Whoever held it before may have called it since it was found, and the record may have other numbers by now."""
    entry = await rows.locked_entry(work.session, candidate.id)
    if entry is None or entry.state != "waiting" or entry.due_us > work.at_us:
        return False
    return await _is_reached_there(work, entry)


async def _is_reached_there(work: UnitOfWork, entry: ListEntry) -> bool:
    record = next(iter(await records.load(work.session, [entry.record_id], shown=False)), None)
    number = list_entries.number_of(record) if record is not None else None
    if record is None or number is None:
        await _refuse(work, entry.id, Judged(False, NO_NUMBER))
        return False
    place = list_entries.place_of(record, entry.number).written()
    known = any(phone.e164 == entry.number for phone in record.phones)
    if known and place == entry.place:
        return True
    entry.number = entry.number if known else number
    entry.place, entry.changed_us = list_entries.place_of(record, entry.number).written(), work.at_us
    await work.flush()
    return False


async def _nothing(session: AsyncSession, list_id: str, places: dict[str, Judged], now_us: int) -> Nothing:
    """The soonest of what there is to wait for."""
    open_now = [written for written, word in places.items() if word.allowed]
    waits = [(HELD, await rows.next_free(session, list_id, now_us))]
    waits.append((NOT_DUE, await rows.next_due(session, list_id, open_now, now_us) if open_now else None))
    waits += [(OUTSIDE_HOURS, word.again_us) for word in places.values() if not word.allowed]
    known = [(at_us, reason) for reason, at_us in waits if at_us is not None]
    if known:
        at_us, reason = min(known)
        return Nothing(reason, at_us)
    unknown = next((word.reason for word in places.values() if not word.allowed), None)
    counted = (await lists.counts(session, [list_id], now_us))[list_id]
    return Nothing(unknown or (NOT_DUE if counted.waiting else DONE), None)
