"""Every part of the API. What is not listed here is not served."""

from __future__ import annotations

from pbx.web.declare import Table
from pbx.web.routes import (
    alerts,
    blocks,
    calls,
    deals,
    description,
    devices,
    do_not_call,
    engine,
    events,
    front,
    groups,
    health,
    notices,
    numbers,
    outcomes,
    people,
    phone,
    phones_now,
    practice,
    recordings,
    scripts,
    session,
    settings,
    summaries,
    tasks,
    system,
    trunks,
    users,
)

TABLES: tuple[Table, ...] = tuple(
    part.table
    for part in (
        session,
        users,
        numbers,
        devices,
        trunks,
        groups,
        outcomes,
        settings,
        notices,
        do_not_call,
        blocks,
        alerts,
        people,
        deals,
        calls,
        summaries,
        tasks,
        recordings,
        scripts,
        phone,
        phones_now,
        practice,
        events,
        engine,
        system,
        description,
        health,
        front,
    )
)
