"""The bill of a month with a million charges: ``python -m bench bills`` (R2).

All of them lie in one month, of 100 users to 200 destinations, in the ledger too. It is asked for as the API asks, once
from the sums that are kept and once from the charges themselves, as while the sums are being made anew. What is filled
lies in a store of its own, which is thrown away.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import text

from bench.figures import Figure, at_most, shown
from bench.reports import NUMBERS, REPORT_MS, best
from bench.search import CACHE, alone, finish_postgres, finish_sqlite
from crm.migrations import migrate
from crm.services import bills, sums
from crm.unit_of_work import Store
from tests.support import postgres

CHARGES = 1_000_000
MONTH = "2025-03"
_BEGAN_US = 1_740_873_600_000_000  # 2 March 2025
_APART_US = 2_400_000
_FREE_SEQ = 1_000_000_000
_CHARGES = f"""
INSERT INTO charges (id, kind, user_id, direction, role, number, began_us, ended_us, units, prefix, rate_name,
                     price_micros, setup_micros, first_s, then_s, amount_micros, currency, priced_us)
SELECT 'l_' || (100000000 + n), 'call', 'u_' || (n % 100), 'outbound', 'customer', '+1206555' || (n % 10000), at, at,
       60, '1206', 'Destination ' || (n * 7919 % 200), 10000, 0, 60, 60, 10000, 'USD', at
FROM (SELECT n, {_BEGAN_US} + n * {_APART_US} AS at FROM ({{numbers}}) AS numbers) AS moments
"""
_LEDGER = f"""
INSERT INTO ledger (seq, id, kind, debit, credit, amount_micros, balance_micros, currency, memo, actor, at_us,
                    booked_us)
SELECT {_FREE_SEQ} + n, 'l_' || (100000000 + n), 'call', 'calls', 'balance', 10000, 0, 'USD', '', 'engine', at, at
FROM (SELECT n, {_BEGAN_US} + n * {_APART_US} AS at FROM ({{numbers}}) AS numbers) AS moments
"""


async def figures() -> list[Figure]:
    with tempfile.TemporaryDirectory(dir=_cache()) as folder:
        url = f"sqlite+aiosqlite:///{Path(folder) / 'bills.db'}"
        found = await _measured("sqlite", url)
    try:
        async with _postgres_url() as url:
            found += await _measured("postgresql", url)
    except postgres.NoPostgres as error:
        print(error)
    return found


def _cache() -> Path:
    CACHE.mkdir(parents=True, exist_ok=True)
    return CACHE


@asynccontextmanager
async def _postgres_url() -> AsyncIterator[str]:
    with alone("postgresql"):
        cluster = postgres.start(CACHE / "postgresql", "-c shared_buffers=1GB -c maintenance_work_mem=512MB")
        try:
            cluster.drop_database("bills")
            yield cluster.create_database("bills")
        finally:
            cluster.drop_database("bills")
            cluster.rest()


async def _measured(name: str, url: str) -> list[Figure]:
    await migrate(url)
    store = Store(url)
    try:
        numbers = NUMBERS[store.engine.dialect.name].format(first=0, last=CHARGES - 1)
        for statement in (_CHARGES, _LEDGER):
            await _run(store, statement.format(numbers=numbers))
        for table in ("charges_to_sum", "postings_to_sum"):  # as if the sums had not been there yet
            await _run(store, f"DELETE FROM {table}")
        on_postgres = name == "postgresql"
        await (
            finish_postgres(url, ()) if on_postgres else asyncio.to_thread(finish_sqlite, url.replace("+aiosqlite", ""))
        )
        unsummed = await best(lambda: _bill(store), 1)
        await sums.rebuild(store)
        summed = await best(lambda: _bill(store))
    finally:
        await store.close()
    return [
        at_most(f"bills.{name}.month", summed, "ms", REPORT_MS),
        shown(f"bills.{name}.month_without_sums", unsummed, "ms"),
    ]


async def _bill(store: Store) -> None:
    async with store.read() as session:
        bill = await bills.bill(session, MONTH)
    assert bill.charges == CHARGES and bill.calls_micros == CHARGES * 10_000


async def _run(store: Store, statement: str) -> None:
    async with store.write() as work:
        await work.session.execute(text(statement))


if __name__ == "__main__":
    from bench.figures import report

    report(asyncio.run(figures()))
