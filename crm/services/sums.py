"""Keeping the sums of reports and bills true (R2, R3): in small transactions behind the calls, each of which is done or
is not.

What has changed is added; the past of a database that had no sums yet, or has them by another clock, is added some
thousand calls at a time. Until that is done reports say that they are not ready, rather than half of a figure.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from crm import ids
from crm.engine import is_sqlite
from crm.errors import Refused
from crm.models.reports import SumsState
from crm.reports.calendar import FOR_EVER_US, stretches
from crm.repositories import raw, sums
from crm.services import settings
from crm.settings_registry import REGISTRY
from crm.unit_of_work import ENGINE, Store, UnitOfWork

AT_ONCE = 500
BUILT_AT_ONCE = 1_000
"""Of the past, on SQLite, where nobody writes meanwhile: a twentieth of a second."""
FORGOTTEN_AT_ONCE = 10_000
MORE_ON_POSTGRESQL = 30
"""So many times more: it keeps nobody waiting there, and the same sums are not written again for every few calls."""
CLOCK = "default_time_zone"
Told = Callable[[int], None]


async def catch_up(store: Store, told: Told | None = None) -> None:
    """Add up all there is to be added. ``told`` hears how much of the past is done, in per cent. Whoever waits for
    SQLite to write gets as long as each part took."""
    while True:
        began = time.monotonic()
        async with store.write(ENGINE) as work:
            more = await step(work)
            done = await share_built(work.session, work.at_us) if told is not None else 0
        if told is not None:
            told(done)
        if not more:
            return
        await asyncio.sleep(time.monotonic() - began if is_sqlite(store.url) else 0)


async def rebuild(store: Store, told: Told | None = None) -> None:
    """Forget the sums and add everything up anew."""
    async with store.write(ENGINE) as work:
        await sums.begin(work.session)
        await sums.restart(work.session, await _time_zone(work.session))
    await catch_up(store, told)


async def step(work: UnitOfWork) -> bool:
    """The next part of it; whether there may be more."""
    session = work.session
    await sums.begin(session)
    state = await sums.state(session)
    time_zone = await _time_zone(session)
    if state is None or state.time_zone != time_zone:
        await sums.restart(session, time_zone)
        state = await sums.state(session)
    assert state is not None
    if state.built_until_us == sums.FORGETTING:
        if not await sums.forget_some(session, FORGOTTEN_AT_ONCE):
            state.built_until_us = 0
        return True
    zone = ZoneInfo(time_zone)
    more = [await _add_changes(session, family, state.built_until_us, zone) for family in sums.FAMILIES]
    if state.built_until_us >= FOR_EVER_US:
        return any(more)
    await _build(session, state, zone)
    return True


async def is_due(session: raw.Session) -> bool:
    """Whether there is anything to add."""
    return await sums.is_due(session, str(REGISTRY[CLOCK].default))


async def built_until(session: AsyncSession) -> int:
    state = await sums.state(session)
    return state.built_until_us if state is not None else 0


async def are_by(session: AsyncSession, zone: ZoneInfo) -> bool:
    """Whether they are all there, by this clock."""
    state = await sums.state(session)
    return state is not None and state.built_until_us >= FOR_EVER_US and state.time_zone == zone.key


async def clock(session: AsyncSession) -> ZoneInfo:
    """The one that the sums are by. Raises Refused while they are being made."""
    state = await sums.state(session)
    if state is None or state.built_until_us < FOR_EVER_US:
        done = await share_built(session, ids.now_us())
        raise Refused(
            "sums_not_ready",
            f"The sums of reports are being made from the log of calls: {done} % are done. Look again in a minute.",
            status=503,
        )
    return ZoneInfo(state.time_zone)


async def share_built(session: AsyncSession, now_us: int) -> int:
    """How much of the past is added up, in whole per cent of its time; 100 is only said where all is."""
    until_us = await built_until(session)
    if until_us >= FOR_EVER_US:
        return 100
    first_us = await sums.first_moment(session)
    if first_us is None or until_us <= first_us:
        return 0
    return min(99, 100 * (until_us - first_us) // max(1, now_us - first_us))


async def _add_changes(session: AsyncSession, family: sums.Family, until_us: int, zone: ZoneInfo) -> bool:
    found = await sums.waiting(session, family, until_us, AT_ONCE)
    if found is None:
        return False
    count, seq, first, last = found
    for stretch in stretches(first, last + 1, zone):
        await sums.add_changes(session, family, seq, stretch)
        await sums.clear_empty(session, family, seq, stretch)
    await sums.forget_changes(session, family, seq, until_us)
    return count == AT_ONCE


async def _build(session: AsyncSession, state: SumsState, zone: ZoneInfo) -> None:
    """Some more of the past. Changes of a time in which nothing stands are of what is there no more."""
    since_us = state.built_until_us
    at_once = BUILT_AT_ONCE * (1 if raw.is_on_sqlite(session) else MORE_ON_POSTGRESQL)
    moments = await sums.next_moments(session, since_us, at_once)
    until_us = FOR_EVER_US if moments is None else moments[1] + 1
    await sums.forget_changes_about(session, since_us, until_us)
    if moments is not None:
        for stretch in stretches(moments[0], until_us, zone):
            for family in sums.FAMILIES:
                await sums.add_log(session, family, stretch)
    state.built_until_us = until_us


async def _time_zone(session: AsyncSession) -> str:
    return str((await settings.values(session))[CLOCK])
