"""Search over a million people, at the level of the store: ``python -m bench.search [--people N]``.

The stores are built once and kept under build/bench-cache. The queries are what people type: beginnings of names,
companies and places of somebody who is there, numbers in several notations, and the worst there are (one letter, words
that everybody has, words that never stand together). Each is asked as the API asks: in a transaction of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import itertools
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from random import Random

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from bench.figures import Figure, at_most, report, shown
from crm import ids
from crm.engine import make_engine
from crm.migrations import head, migrate
from crm.models.people import EmailAddress, Phone, PostalAddress, Record
from crm.repositories import bulk
from crm.search import index, search
from crm.search.text import body, fold
from crm.services import people as records
from crm.services.matching import match
from crm.unit_of_work import Store
from tests.support import postgres
from tests.support.people import Made, people

CACHE = Path(__file__).parent.parent / "build" / "bench-cache"
PEOPLE = 1_000_000
LIMIT_MS = 6.0
MATCH_LIMIT_MS = 1.0
WORST = (
    "a", "m", "s", "e", "0", "1", "+", "田", "東", "山", "ma", "jo", "st", "03", "09", "+81", "+1", "inc",
    "株式会社", "東京", "東京都", "road", "street", "example", "com", "example com", "zzzz", "mar 東京", "田 m",
    "a b", "a b c", "o o", "0 1",
    "street lane", "mar 0312", "smith 東京", "john smith", "an er",
    "ann street", "1-2-3", "株式 inc", "oad", "user", "区 a",
)  # fmt: skip


async def figures(count: int = PEOPLE) -> list[Figure]:
    """What ``make bench`` shows of search below the API."""
    found: list[Figure] = []
    queries = typed(count)
    async with sqlite_url(count) as url:
        found += await _measured("sqlite", url, queries, count)
    try:
        async with postgres_url(count) as url:
            found += await _measured("postgresql", url, queries, count)
    except postgres.NoPostgres as error:
        print(error)
    return found


@asynccontextmanager
async def sqlite_url(count: int = PEOPLE) -> AsyncIterator[str]:
    """The URL of a SQLite store with so many people; built when it is not there."""
    path = CACHE / f"people-{count}-{head()}.db"
    with alone("sqlite"):
        if not path.exists():
            partial = path.with_suffix(".part")
            for leftover in CACHE.glob(f"{partial.name}*"):
                leftover.unlink()
            await build(f"sqlite:///{partial}", count)
            partial.replace(path)
    yield f"sqlite+aiosqlite:///{path}"


@asynccontextmanager
async def postgres_url(count: int = PEOPLE) -> AsyncIterator[str]:
    """As :func:`sqlite_url`; the server runs within the block. Raises NoPostgres."""
    directory, name = CACHE / "postgresql", f"people_{count}_{head()}"
    with alone("postgresql"):
        async with _running(directory, name, count) as url:
            yield url


@contextmanager
def alone(name: str) -> Iterator[None]:
    """Of two who measure at the same time the second waits: neither sees a store that is half built."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@asynccontextmanager
async def _running(directory: Path, name: str, count: int) -> AsyncIterator[str]:
    cluster = postgres.start(directory, "-c shared_buffers=1GB -c maintenance_work_mem=512MB")
    try:
        done = directory / f"{name}.done"
        if not done.exists():
            cluster.drop_database(name)
            await build(cluster.create_database(name), count)
            done.touch()
        yield cluster.url(name)
    finally:
        cluster.rest()


async def build(url: str, count: int) -> None:
    """Fill a new store with people who could exist, straight into the tables."""
    await migrate(url)
    store = Store(url)
    started = time.monotonic()
    on_postgres = store.engine.dialect.name == "postgresql"
    indexes = await _drop_gin(store) if on_postgres else []  # faster made over the whole, at the end
    at_us, done = ids.now_us(), 0
    for made in _batched(people(count), 5000):
        async with store.write() as work:
            await _add(work.session, made, at_us)
        done += len(made)
        print(f"\r{done:,} of {count:,} people, {time.monotonic() - started:.0f} s", end="", flush=True)
    await store.close()
    await (finish_postgres(url, indexes) if on_postgres else asyncio.to_thread(finish_sqlite, url))
    print(f"\r{count:,} people built in {time.monotonic() - started:.0f} s", flush=True)


async def finish_postgres(url: str, indexes: Sequence[str]) -> None:
    engine = make_engine(url).execution_options(isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        for statement in (*indexes, "VACUUM ANALYZE"):
            await connection.execute(text(statement))
    await engine.dispose()


def finish_sqlite(url: str) -> None:
    connection = sqlite3.connect(url.removeprefix("sqlite:///"))
    connection.execute("ANALYZE")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


async def _drop_gin(store: Store) -> list[str]:
    """Gives the statements that make them again."""
    query = "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'search_documents' AND indexdef LIKE '%gin%'"
    async with store.write() as work:
        found = (await work.session.execute(text(query))).all()
        for name, _ in found:
            await work.session.execute(text(f"DROP INDEX {name}"))
    return [definition for _, definition in found]


async def _add(session: AsyncSession, made: Sequence[Made], at_us: int) -> None:
    rows = [
        records.blank(ids.new(records.PREFIXES[each.kind]), each.kind, at_us)
        | {"name": each.name, "name_key": fold(each.name), "reading": each.reading, "company_name": each.company}
        for each in made
    ]
    numbered = list(zip(rows, made, strict=True))
    await bulk.add(session, Record, rows)
    phones = [
        {"record_id": row["id"], "position": at, "label": label, "e164": e164, "national": _national(e164)}
        for row, each in numbered
        for at, (label, e164) in enumerate(each.phones, 1)
    ]
    await bulk.add(session, Phone, phones)
    first = {"position": 1, "label": "work"}
    await bulk.add(
        session, EmailAddress, [{"record_id": row["id"], **first, "address": each.email} for row, each in numbered]
    )
    names = ("street", "city", "region", "postcode", "country")
    places = [
        {"record_id": row["id"], **first, **{name: getattr(each, name) for name in names}} for row, each in numbered
    ]
    await bulk.add(session, PostalAddress, places)
    await index.add(session, [_entry(row["id"], each) for row, each in numbered])


def _entry(record_id: str, each: Made) -> index.Entry:
    others = (each.company, each.email, each.street, each.city, each.region, each.postcode)
    digits = [written for _, e164 in each.phones for written in (e164[1:], _national(e164))]
    return index.Entry(record_id, each.kind, body((each.name, each.reading), others, digits))


def _national(e164: str) -> str:
    return "0" + e164[3:] if e164.startswith("+81") else e164[2:]


def _batched(made: Iterator[Made], size: int) -> Iterator[list[Made]]:
    while batch := list(itertools.islice(made, size)):
        yield batch


def typed(count: int, queries: int = 2000, seed: int = 9) -> list[str]:
    """What is typed: nine of ten begin something of somebody who is there, the others are the worst there are."""
    random = Random(seed)
    sample = list(itertools.islice(people(count), 5000))
    return [
        random.choice(WORST) if random.random() < 0.1 else _typed(random, random.choice(sample)) for _ in range(queries)
    ]


def _typed(random: Random, person: Made) -> str:
    number = random.choice(person.phones)[1]
    national = _national(number)
    whole = random.choice(
        [
            person.name,
            person.name,
            person.name.split()[-1],
            person.company or person.name,
            f"{person.name.split()[0]} {person.company.split()[0] if person.company else ''}",
            f"{person.name.split()[-1]} {person.city}",
            person.street,
            person.email,
            number,
            national,
            f"{national[:3]}-{national[3:6]}-{national[6:]}",
            national[-4:],
        ]
    )
    return whole[: random.randint(1, len(whole))]


async def _measured(name: str, url: str, queries: Sequence[str], count: int) -> list[Figure]:
    store = Store(url)
    try:
        for query in typed(count, 3000, seed=10):  # others have searched before: see bench.search_http
            await _ask(store, query)
        times = sorted([await _ask(store, query) for query in queries])
        worst = {query: min([await _ask(store, query) for _ in range(3)]) for query in WORST}
        known = [made.phones[0][1] for made in itertools.islice(people(count), 2000)]
        for number in known[:50]:
            await _recognise(store, number)
        matches = sorted([await _recognise(store, number) for number in known])
    finally:
        await store.close()
    slowest = max(worst, key=lambda query: worst[query])
    print(f"{name}: slowest query of the worst: {slowest!r} {worst[slowest]:.1f} ms")
    return [
        shown(f"search.store.{name}.p50", _at(times, 0.50), "ms"),
        at_most(f"search.store.{name}.p95", _at(times, 0.95), "ms", LIMIT_MS),
        shown(f"search.store.{name}.p99", _at(times, 0.99), "ms"),
        shown(f"search.store.{name}.max", times[-1], "ms"),
        shown(f"match.store.{name}.p50", _at(matches, 0.50), "ms"),
        shown(f"match.store.{name}.p95", _at(matches, 0.95), "ms"),
    ]


async def _ask(store: Store, query: str) -> float:
    started = time.perf_counter()
    await store.look(lambda session: search(session, query))
    return (time.perf_counter() - started) * 1000


async def _recognise(store: Store, number: str) -> float:
    started = time.perf_counter()
    async with store.read() as session:
        await match(session, number)
    return (time.perf_counter() - started) * 1000


def _at(times: Sequence[float], share: float) -> float:
    return times[min(len(times) - 1, int(len(times) * share))]


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description="Measure search over many people.")
    arguments.add_argument("--people", type=int, default=PEOPLE)
    report(asyncio.run(figures(arguments.parse_args().people)))
