"""Adding up what reports are made of. How it stays exact is said in :mod:`crm.models.reports`.

The same statements add up what has changed (``*_to_sum``) and the past (the log itself): all of it in the database, as
a busy year has more rows than should pass through here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.engine import from_json
from crm.models.reports import SumsState
from crm.reports.buckets import FROM_MONDAY, HOURS_A_WEEK
from crm.reports.calendar import FOR_EVER_US, HOUR_US, Stretch
from crm.repositories import raw

EVERYBODY = "*"
FORGETTING = -1
"""Stands for the moment up to which the past is added up while sums of before are still there."""
_LEFT_US = """CASE WHEN direction = 'out' AND (state IN ('sent', 'delivered', 'unknown')
    OR (state = 'failed' AND sent_us IS NOT NULL)) THEN 1 ELSE 0 END"""


@dataclass(frozen=True, slots=True)
class Target:
    """A table of sums by ``units`` of time, the first of which can be asked for between two. ``everybody``: it has rows
    of all users together, too. ``without`` are keys that it does not tell apart."""

    table: str
    units: tuple[str, ...]
    everybody: bool
    without: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Family:
    """What is summed together. ``log`` are the columns and conditions by which the log itself tells what the triggers
    write into ``changes``; ``at`` is its column of time."""

    changes: str
    keys: tuple[str, ...]
    amounts: tuple[str, ...]
    targets: tuple[Target, ...]
    log: str
    table: str
    at: str


FAMILIES = (
    Family(
        "calls_to_sum",
        ("user_id", "direction", "outcome_id"),
        ("calls", "answered", "missed", "talk_ms", "ring_ms"),
        (
            Target("calls_by_hour", ("hour",), everybody=True),
            Target("calls_by_day", ("day",), everybody=True),
            Target("calls_by_month", ("month",), everybody=False),
            Target("calls_by_hour_of_day", ("month", "hour_of_day"), everybody=True),
            Target("calls_by_hour_of_week", ("month", "hour_of_week"), everybody=True, without=("outcome_id",)),
        ),
        """SELECT c.created_us AS at_us, COALESCE(c.user_id, '') AS user_id, c.direction AS direction,
            COALESCE((SELECT outcome_id FROM call_summaries s WHERE s.call_id = c.id AND s.user_id = c.user_id), '')
                AS outcome_id, 1 AS calls,
            CASE WHEN c.answered_us IS NULL THEN 0 ELSE 1 END AS answered,
            CASE WHEN c.direction = 'inbound' AND c.answered_us IS NULL
                AND COALESCE(c.disposition, '') <> 'refused' THEN 1 ELSE 0 END AS missed,
            COALESCE(c.talk_ms, 0) AS talk_ms, COALESCE(c.ring_ms, 0) AS ring_ms
        FROM calls c WHERE c.created_us >= ? AND c.created_us < ? AND c.summarised_us IS NOT NULL""",
        "calls",
        "created_us",
    ),
    Family(
        "texts_to_sum",
        ("user_id", "currency"),
        ("sent", "received", "delivered", "failed", "segments", "cost_micros"),
        (Target("texts_by_day", ("day",), everybody=True),),
        f"""SELECT created_us AS at_us, COALESCE(user_id, '') AS user_id, COALESCE(currency, '') AS currency,
            {_LEFT_US} AS sent, CASE WHEN direction = 'in' THEN 1 ELSE 0 END AS received,
            CASE WHEN state = 'delivered' THEN 1 ELSE 0 END AS delivered,
            CASE WHEN state = 'failed' THEN 1 ELSE 0 END AS failed,
            {_LEFT_US} * segments AS segments, {_LEFT_US} * COALESCE(price_micros, 0) AS cost_micros
        FROM texts WHERE created_us >= ? AND created_us < ?
            AND (direction = 'in' OR state IN ('sent', 'delivered', 'unknown', 'failed'))""",
        "texts",
        "created_us",
    ),
    Family(
        "listed_calls_to_sum",
        ("list_id", "user_id", "result"),
        ("calls", "reached", "talk_ms"),
        (Target("listed_calls_by_day", ("day",), everybody=False),),
        """SELECT at_us, list_id, user_id, COALESCE(result, 'running') AS result, 1 AS calls,
            CASE WHEN talk_ms > 0 THEN 1 ELSE 0 END AS reached, COALESCE(talk_ms, 0) AS talk_ms
        FROM list_calls WHERE at_us >= ? AND at_us < ?""",
        "list_calls",
        "at_us",
    ),
    Family(
        "charges_to_sum",
        ("user_id", "rate_name", "direction", "kind"),
        ("charges", "units", "amount_micros"),
        (Target("charges_by_month", ("month",), everybody=False),),
        """SELECT ended_us AS at_us, COALESCE(user_id, '') AS user_id, rate_name, direction, kind, 1 AS charges,
            units, amount_micros
        FROM charges WHERE ended_us >= ? AND ended_us < ?""",
        "charges",
        "ended_us",
    ),
    Family(
        "postings_to_sum",
        ("kind",),
        ("in_micros", "out_micros"),
        (Target("postings_by_month", ("month",), everybody=False),),
        """SELECT at_us, kind, CASE WHEN debit = 'balance' THEN amount_micros ELSE 0 END AS in_micros,
            CASE WHEN debit = 'balance' THEN 0 ELSE amount_micros END AS out_micros
        FROM ledger WHERE at_us >= ? AND at_us < ?""",
        "ledger",
        "at_us",
    ),
)


async def begin(session: AsyncSession) -> None:
    """Before anything else in a transaction that adds up: nobody else does, and it sees one state throughout, so that
    what it adds is exactly what it takes away."""
    if not raw.is_on_sqlite(session):
        await session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        await session.execute(text("LOCK TABLE sums_state IN EXCLUSIVE MODE"))


async def state(session: AsyncSession) -> SumsState | None:
    return await session.get(SumsState, 1)


async def restart(session: AsyncSession, time_zone: str) -> None:
    """Everything is added up anew, by this clock, once what there is has been forgotten: see :func:`forget_some`."""
    row = await state(session)
    if row is None:
        session.add(SumsState(id=1, time_zone=time_zone, built_until_us=FORGETTING))
    else:
        row.time_zone, row.built_until_us = time_zone, FORGETTING
    await session.flush()


async def forget_some(session: AsyncSession, limit: int) -> bool:
    """Forget so many sums, on PostgreSQL all, where it keeps nobody waiting; whether there are more."""
    for table in (target.table for family in FAMILIES for target in family.targets):
        names = ", ".join(SumsState.metadata.tables[table].primary_key.columns.keys())
        next_one = f"SELECT {names} FROM {table} ORDER BY {names} LIMIT 1 OFFSET {limit}"
        if raw.is_on_sqlite(session) and (found := await raw.rows(session, next_one, [])):
            places = ", ".join("?" * len(found[0]))
            await raw.run(session, f"DELETE FROM {table} WHERE ({names}) < ({places})", found[0])
            return True
        await session.execute(text(f"DELETE FROM {table}"))
    return False


async def waiting(session: AsyncSession, family: Family, until_us: int, limit: int) -> tuple[int, int, int, int] | None:
    """Of the next changes of what was before ``until_us``: how many, the last one's number, the earliest and the latest
    moment that they are about. None: there are none."""
    some = f"SELECT seq, at_us FROM {family.changes} WHERE at_us < ? ORDER BY seq LIMIT ?"
    found = await raw.rows(
        session, f"SELECT COUNT(*), MAX(seq), MIN(at_us), MAX(at_us) FROM ({some}) AS due", [until_us, limit]
    )
    count, seq, first, last = found[0]
    return (count, seq, first, last) if count else None


async def add_changes(session: AsyncSession, family: Family, seq: int, stretch: Stretch) -> None:
    """Those up to this number that are about a moment of this stretch."""
    source = _with_hours(family, f"{family.changes} WHERE seq <= ? AND at_us >= ? AND at_us < ?")
    await _add(session, family, source, [stretch.offset_us, seq, stretch.since_us, stretch.until_us], stretch)


async def forget_changes(session: AsyncSession, family: Family, seq: int, until_us: int) -> None:
    await raw.run(session, f"DELETE FROM {family.changes} WHERE seq <= ? AND at_us < ?", [seq, until_us])


async def add_log(session: AsyncSession, family: Family, stretch: Stretch) -> None:
    """What the log itself says of a stretch that was not added up yet: read once, and added up by hours in a table that
    this connection alone sees; all sums are made from that."""
    table, group = f"hours_of_{family.table}", ", ".join(("hour", *family.keys))
    await session.execute(text(_table_of_hours(family, table, on_sqlite=raw.is_on_sqlite(session))))
    source = _with_hours(family, f"({family.log}) AS entries")
    sums = ", ".join(f"CAST(SUM({name}) AS BIGINT)" for name in family.amounts)
    added = f"INSERT INTO {table} SELECT {group}, {sums} FROM {source} GROUP BY {group}"
    await raw.run(session, added, [stretch.offset_us, stretch.since_us, stretch.until_us])
    await _add(session, family, table, [], stretch)
    await session.execute(text(f"DELETE FROM {table}"))


async def forget_changes_about(session: AsyncSession, since_us: int, until_us: int) -> None:
    """Of a time that the log itself is asked about: it knows them already."""
    for family in FAMILIES:
        await raw.run(session, f"DELETE FROM {family.changes} WHERE at_us >= ? AND at_us < ?", [since_us, until_us])


async def next_moments(session: AsyncSession, since_us: int, limit: int) -> tuple[int, int] | None:
    """Of the first entry of any log from then on, and of the last one that should be added with it: none of the logs
    has many more than ``limit`` entries in between. None: there is no entry."""
    found = []
    for family in FAMILIES:
        some = f"SELECT {family.at} AS at FROM {family.table} WHERE {family.at} >= ? ORDER BY {family.at} LIMIT ?"
        [row] = await raw.rows(session, f"SELECT COUNT(*), MIN(at), MAX(at) FROM ({some}) AS due", [since_us, limit])
        found += [row] if row[0] else []
    if not found:
        return None
    full = [last for count, _, last in found if count == limit]
    return min(first for _, first, _ in found), min(full) if full else max(last for _, _, last in found)


async def first_moment(session: AsyncSession) -> int | None:
    """Of the earliest entry of any log."""
    found = [(await raw.rows(session, f"SELECT MIN({family.at}) FROM {family.table}", []))[0][0] for family in FAMILIES]
    return min((at for at in found if at is not None), default=None)


async def is_due(session: raw.Session, clock: str) -> bool:
    """Whether there is anything to add, or it was added by another clock; ``clock`` is the one where none was set.
    Asked all day long."""
    parts = [f"EXISTS (SELECT 1 FROM {each.changes})" for each in FAMILIES]
    found = await raw.rows(session, f"SELECT {' OR '.join(parts)}", [])
    state = await raw.rows(session, "SELECT time_zone, built_until_us FROM sums_state", [])
    chosen = await raw.rows(session, "SELECT CAST(value AS TEXT) FROM settings WHERE key = 'default_time_zone'", [])
    wanted = from_json(chosen[0][0]) if chosen else clock
    return bool(found[0][0]) or state != [(wanted, FOR_EVER_US)]


async def clear_empty(session: AsyncSession, family: Family, seq: int, stretch: Stretch) -> None:
    """Take out what nothing is left of, of whom and in the time that these changes are about: most calls have no
    outcome at first, and another one a minute later."""
    whose = family.keys[0]
    between = f"seq <= ? AND at_us >= ? AND at_us < ? GROUP BY {whose}"
    values = [seq, stretch.since_us, stretch.until_us]
    found = await raw.rows(session, f"SELECT {whose} FROM {family.changes} WHERE {between}", values)
    names = [*(name for (name,) in found), EVERYBODY]
    nothing = " AND ".join(f"{amount} = 0" for amount in family.amounts)
    first, last = stretch.since_us, stretch.until_us - 1  # no further than the changes go
    for target in family.targets:
        unit = target.units[0]
        statement = f"DELETE FROM {target.table} WHERE {whose} {raw.IN} AND {unit} BETWEEN ? AND ? AND {nothing}"
        await raw.run(session, statement, [names, _unit(unit, first, stretch), _unit(unit, last, stretch)])


async def _add(session: AsyncSession, family: Family, source: str, values: Sequence[Any], stretch: Stretch) -> None:
    for target in family.targets:
        at = [stretch.month for unit in target.units if unit == "month"]
        for everybody in (False, True) if target.everybody else (False,):
            await raw.run(session, _statement(family, target, source, everybody), [*at, *values])


@lru_cache(maxsize=64)
def _statement(family: Family, target: Target, source: str, everybody: bool) -> str:
    """Its first value is the month, where it takes one: so there are a few statements only, which drivers keep
    prepared."""
    keys = [name for name in family.keys if name not in target.without]
    taken = [f"'{EVERYBODY}'" if everybody and name == "user_id" else name for name in keys]
    at = ", ".join(_UNITS[unit] for unit in target.units)
    sums = ", ".join(f"CAST(SUM({name}) AS BIGINT)" for name in family.amounts)
    names = ", ".join((*target.units, *keys))
    added = ", ".join(f"{name} = {target.table}.{name} + excluded.{name}" for name in family.amounts)
    grouped = ", ".join(str(place) for place in range(1, len(target.units) + len(keys) + 1))
    return f"""INSERT INTO {target.table} ({names}, {", ".join(family.amounts)})
        SELECT {at}, {", ".join(taken)}, {sums} FROM {source} WHERE true GROUP BY {grouped}
        ON CONFLICT ({names}) DO UPDATE SET {added}"""


_UNITS = {
    "hour": "hour",
    "day": "hour / 24",
    "month": "CAST(? AS BIGINT)",
    "hour_of_day": "hour % 24",
    "hour_of_week": f"(hour + {FROM_MONDAY}) % {HOURS_A_WEEK}",
}


def _with_hours(family: Family, source: str) -> str:
    """Its first value is by how much the clock is later than UTC: within a stretch the hour tells every other unit."""
    columns = ", ".join((*family.keys, *family.amounts))
    return f"(SELECT (at_us + CAST(? AS BIGINT)) / {HOUR_US} AS hour, {columns} FROM {source}) AS source"


def _table_of_hours(family: Family, name: str, *, on_sqlite: bool) -> str:
    """It stays for as long as the connection does, and is empty between transactions."""
    numbers = ", ".join(f"{each} BIGINT" for each in family.amounts)
    words = ", ".join(f"{each} TEXT" for each in family.keys)
    emptied = "" if on_sqlite else "ON COMMIT DELETE ROWS"
    return f"CREATE TEMPORARY TABLE IF NOT EXISTS {name} (hour BIGINT, {words}, {numbers}) {emptied}"


def _unit(unit: str, at_us: int, stretch: Stretch) -> int:
    if unit == "month":
        return stretch.month
    return (at_us + stretch.offset_us) // (HOUR_US if unit == "hour" else 24 * HOUR_US)
