"""A year's reports and the log's first page over many calls: ``python -m bench reports`` (R3, R4).

1,000,000 calls of 100 users on SQLite and 10,000,000 of 1,000 on PostgreSQL; BENCH_REPORT_CALLS is another number for
both. The stores are filled once, straight into the tables, and kept under build/bench-cache; their sums are then made
as a database that is brought up to date makes them, beside somebody who writes; how long that took, and how long the
writer waited, is kept with the store. Each report is asked for as the API asks, in a transaction of its
own; what counts is the slowest of all that can be asked, each with the year before beside it.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import orjson
from sqlalchemy import text

from bench.figures import Figure, at_most, shown
from bench.search import CACHE, alone, finish_postgres, finish_sqlite
from crm.migrations import head, migrate
from crm.repositories.calls import CallFilter
from crm.services import calls, groups, reports, sums, users
from crm.unit_of_work import Store
from tests.support import postgres

REPORT_MS, PAGE_MS = 300.0, 50.0
ON_SQLITE, ON_POSTGRES = 1_000_000, 10_000_000
CALLS_A_USER = 10_000
ROUNDS = 5
_AT_ONCE = 250_000
_MONDAY_US = 1_735_516_800_000_000  # 30 December 2024: 260 working days follow
_YEAR = ("2025-01-01", "2025-12-31")
_CHANGED = 1_000
_OUTCOMES = 6
_CALL = """
INSERT INTO calls (id, direction, state, source, user_id, customer_number, created_us, ringing_us, answered_us,
                   ended_us, disposition, ring_ms, talk_ms, summarised_us)
SELECT 'c_' || (100000000 + n), CASE WHEN h % 10 < 3 THEN 'inbound' ELSE 'outbound' END, 'ended', 'engine',
       'u_' || (h / 10 % {users}), '+1206555' || (n % 10000), at, at + 1000000,
       CASE WHEN h / 7 % 10 < 6 THEN at + 6000000 END, at + 200000000,
       CASE WHEN h / 7 % 10 < 6 THEN 'answered' ELSE 'no_answer' END, 5000,
       CASE WHEN h / 7 % 10 < 6 THEN h % 600000 END, at + 200000001
FROM ({some}) AS some_calls
"""
_SUMMARY = """
INSERT INTO call_summaries (call_id, user_id, role, state, outcome_id, notes, call_created_us, created_us, updated_us)
SELECT 'c_' || (100000000 + n), 'u_' || (h / 10 % {users}), 'host', 'saved', 'out_' || (h / 3 % {outcomes}), '',
       at, at, at
FROM ({some}) AS some_calls
"""
_SOME = f"""
SELECT n, h, {_MONDAY_US} + (day / 5 * 7 + day % 5) * 86400000000
             + ((9 + h / 11 % 9) * 3600 + h / 13 % 3600) * 1000000 AS at
FROM (SELECT n, n * 260 / {{count}} AS day, n * 2654435761 % 4294967291 AS h FROM ({{numbers}}) AS numbers) AS mixed
"""
"""Each call's number, what is random about it, and when it began: in the order of days, at work, from nine to six."""
NUMBERS = {
    "postgresql": "SELECT generate_series(CAST({first} AS BIGINT), {last}) AS n",
    "sqlite": "WITH RECURSIVE each(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM each WHERE n < {last}) "
    "SELECT n FROM each",
}
_INDEXES = {
    "postgresql": "SELECT indexname, indexdef FROM pg_indexes WHERE tablename IN ('calls', 'call_summaries') "
    "AND indexname LIKE 'ix_%'",
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name IN ('calls', 'call_summaries') "
    "AND sql IS NOT NULL",
}


async def figures() -> list[Figure]:
    count = int(os.environ.get("BENCH_REPORT_CALLS", "0"))
    found = await _on_sqlite(count or ON_SQLITE)
    try:
        async with _postgres_url(count or ON_POSTGRES) as (url, done):
            found += [*await _measured("postgresql", url), *_of_rebuild("postgresql", done)]
    except postgres.NoPostgres as error:
        print(error)
    return found


async def _on_sqlite(count: int) -> list[Figure]:
    path = CACHE / f"calls-{count}-{head()}.db"
    with alone("calls"):
        if not path.exists():
            partial = path.with_suffix(".part")
            for leftover in CACHE.glob(f"{partial.name}*"):
                leftover.unlink()
            rebuilt = await _build(f"sqlite:///{partial}", count)
            path.with_suffix(".json").write_bytes(orjson.dumps(rebuilt))
            partial.replace(path)
        measured = await _measured("sqlite", f"sqlite+aiosqlite:///{path}")
        return [*measured, *_of_rebuild("sqlite", path.with_suffix(".json"))]


@asynccontextmanager
async def _postgres_url(count: int) -> AsyncIterator[tuple[str, Path]]:
    """The store, and the file of what its sums took."""
    directory, name = CACHE / "postgresql", f"calls_{count}_{head()}"
    with alone("postgresql"):
        cluster = postgres.start(directory, "-c shared_buffers=1GB -c maintenance_work_mem=512MB")
        try:
            done = directory / f"{name}.done"
            if not done.exists():
                cluster.drop_database(name)
                done.write_bytes(orjson.dumps(await _build(cluster.create_database(name), count)))
            yield cluster.url(name), done
        finally:
            cluster.rest()


# -- many calls ------------------------------------------------------------------------------------


async def _build(url: str, count: int) -> tuple[float, float]:
    """Gives what :func:`_rebuilt` does."""
    await migrate(url)
    store, started = Store(url), time.monotonic()
    people = max(10, count // CALLS_A_USER)
    await _people(store, people)
    indexes = await _drop_indexes(store)
    for first in range(0, count, _AT_ONCE):
        last = min(first + _AT_ONCE, count) - 1
        numbers = NUMBERS[store.engine.dialect.name].format(first=first, last=last)
        for statement in (_CALL, _SUMMARY):
            await _run(
                store,
                statement.format(users=people, outcomes=_OUTCOMES, some=_SOME.format(numbers=numbers, count=count)),
            )
        print(f"\r{last + 1:,} of {count:,} calls, {time.monotonic() - started:.0f} s", end="", flush=True)
    for definition in indexes:
        await _run(store, definition)
    await _triggers(store, "ENABLE")
    await _run(store, "DELETE FROM calls_to_sum")
    rebuilt = await _rebuilt(store)
    print(f"\r{count:,} calls built; their sums took {rebuilt[0]:.0f} s", flush=True)
    await store.close()
    on_postgres = store.engine.dialect.name == "postgresql"
    await (finish_postgres(url, ()) if on_postgres else asyncio.to_thread(finish_sqlite, url))
    return rebuilt


async def _rebuilt(store: Store) -> tuple[float, float]:
    """The seconds that all sums took, and the milliseconds that the unluckiest of those who wrote meanwhile waited."""
    waits = [0.0]

    async def writes() -> None:
        while True:
            began = time.perf_counter()
            await _run(store, "DELETE FROM calls_to_sum WHERE seq < 0")
            waits.append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(0.02)

    writer, began = asyncio.create_task(writes()), time.monotonic()
    try:
        await sums.rebuild(store)
    finally:
        writer.cancel()
        await asyncio.wait([writer])
    return time.monotonic() - began, max(waits)


def _of_rebuild(name: str, kept: Path) -> list[Figure]:
    took_s, waited_ms = orjson.loads(kept.read_bytes())
    return [
        shown(f"reports.{name}.rebuilt", took_s, "s"),
        shown(f"reports.{name}.rebuild_writer_waits", waited_ms, "ms"),
    ]


async def _people(store: Store, count: int) -> None:
    """Users with ids that statements can reckon, and teams of fifty."""
    async with store.write() as work:
        for number in range(count):
            made = await users.add(work, {"email": f"u{number}@x.example", "name": f"User {number}"})
            await work.session.execute(text(f"UPDATE users SET id = 'u_{number}' WHERE id = '{made.id}'"))
        for first in range(0, count, 50):
            members = [f"u_{number}" for number in range(first, min(count, first + 50))]
            await groups.add(work, {"name": f"Team {first}", "members": members})


async def _drop_indexes(store: Store) -> list[str]:
    """Faster made over the whole; gives the statements that make them again."""
    await _triggers(store, "DISABLE")
    async with store.read() as session:
        found = (await session.execute(text(_INDEXES[store.engine.dialect.name]))).all()
    for name, _ in found:
        await _run(store, f"DROP INDEX {name}")
    return [definition for _, definition in found]


async def _triggers(store: Store, how: str) -> None:
    """What fills the tables is no change that anybody made."""
    if store.engine.dialect.name == "postgresql":
        for table in ("calls", "call_summaries"):
            await _run(store, f"ALTER TABLE {table} {how} TRIGGER USER")


async def _run(store: Store, statement: str) -> None:
    async with store.write() as work:
        await work.session.execute(text(statement))


# -- measured --------------------------------------------------------------------------------------


async def _measured(name: str, url: str) -> list[Figure]:
    store = Store(url)
    try:
        async with store.read() as session:
            team = await reports.members(session, (await groups.list_all(session))[0].id)
        asked = {label: _report(store, each) for label, each in _questions(team).items()}
        times = {label: await best(ask) for label, ask in asked.items()}
        pages = {label: await best(_page(store, each)) for label, each in _pages().items()}
        added = await _added(store)
    finally:
        await store.close()
    slowest, slow_page = max(times, key=lambda each: times[each]), max(pages, key=lambda each: pages[each])
    print(f"{name}: slowest report: {slowest} {times[slowest]:.0f} ms; page: {slow_page} {pages[slow_page]:.1f} ms")
    return [
        *(shown(f"reports.{name}.{label}", times[label], "ms") for label in ("day", "heat", "user", "team")),
        at_most(f"reports.{name}.slowest", times[slowest], "ms", REPORT_MS),
        at_most(f"log.{name}.first_page", pages[slow_page], "ms", PAGE_MS),
        shown(f"reports.{name}.added_1000", added, "ms"),
    ]


def _questions(team: Sequence[str]) -> dict[str, reports.Asked]:
    """Of everybody, of one and of a team."""
    first, last = _YEAR
    found = {}
    for by in reports.CALLS_BY:
        for whose, user_ids in (("", None), (" of one", ["u_1"]), (" of a team", team)):
            found[by + whose] = reports.Asked(by, first, last, user_ids, None, compare=True)
    found["user of ragged months"] = reports.Asked("user", "2025-01-16", "2025-12-15")
    return found


def _pages() -> dict[str, CallFilter]:
    return {
        "all": CallFilter(),
        "of one": CallFilter(user_id="u_1"),
        "by outcome": CallFilter(outcome_id="out_1"),
        "inbound": CallFilter(direction="inbound"),
        "not answered": CallFilter(disposition="no_answer"),
    }


def _report(store: Store, asked: reports.Asked) -> Callable[[], Awaitable[object]]:
    async def ask() -> object:
        async with store.read() as session:
            return await reports.calls(session, asked, store.clock())

    return ask


def _page(store: Store, wanted: CallFilter) -> Callable[[], Awaitable[object]]:
    async def ask() -> object:
        async with store.read() as session:
            return await calls.list_all(session, wanted)

    return ask


async def best(ask: Callable[[], Awaitable[object]], rounds: int = ROUNDS) -> float:
    """In milliseconds, of some tries: what else the machine does is not counted."""
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        await ask()
        times.append((time.perf_counter() - started) * 1000)
    return min(times)


async def _added(store: Store) -> float:
    """How long it takes to add up a thousand calls that have changed, behind everybody's back."""
    await _run(store, f"UPDATE calls SET talk_ms = talk_ms + 1 WHERE id IN ({_names()})")
    started = time.perf_counter()
    await sums.catch_up(store)
    return (time.perf_counter() - started) * 1000


def _names() -> str:
    return ", ".join(f"'c_{100_000_000 + number}'" for number in range(_CHANGED))


if __name__ == "__main__":
    from bench.figures import report

    report(asyncio.run(figures()))
