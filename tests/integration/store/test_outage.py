"""The database locked or away: a sentence with 503, never another error, and nothing acknowledged is lost."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from bench.figures import at_most
from crm import engine
from crm.errors import Refused
from crm.migrations import migrate
from crm.repositories import journal
from crm.services import calls, users
from crm.unit_of_work import Store
from tests.integration.store.makers import call_row
from tests.support import postgres
from tests.support.trust import Measured

_WRITER = """
import asyncio, sys
from crm.repositories import journal
from crm.unit_of_work import Store
async def main():
    store = Store(sys.argv[1])
    for at in range(1_000_000):
        async with store.journal() as connection:
            row = {"id": f"c_{at:08}", "direction": "inbound", "state": "up", "source": "engine", "created_us": at}
            journal.upsert_calls(connection, [row])
        print(at, flush=True)
asyncio.run(main())
"""


@pytest.mark.covers("TRUST5")
async def test_a_locked_database_is_a_sentence_and_readers_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    await migrate(url)
    monkeypatch.setattr(engine.make_engine, "__kwdefaults__", {"busy_timeout_s": 0.2, "pool_size": 8})
    store = Store(url)
    blocker = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    with pytest.raises(Refused, match="database is locked") as refused:
        async with store.write() as work:
            await users.add(work, {"email": "sam@example.com", "name": "Sam"})
    assert (refused.value.code, refused.value.status) == ("store_unavailable", 503)
    async with store.read() as session:
        assert await users.list_all(session) == []
    blocker.execute("ROLLBACK")
    blocker.close()
    async with store.write() as work:
        await users.add(work, {"email": "sam@example.com", "name": "Sam"})
    await store.close()


@pytest.mark.covers("TRUST5")
async def test_a_connection_that_is_closed_in_a_transaction_ends_it(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store = Store(f"sqlite:///{path}")
    async with store.engine.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        await driver.execute("BEGIN IMMEDIATE")
        await driver.execute("CREATE TABLE things (name TEXT)")
        unread = await driver.execute("SELECT name FROM sqlite_master")
        await driver.stop()  # as the pool gives up one whose task was cancelled, while a traceback holds its statements
        other = sqlite3.connect(path, isolation_level=None, timeout=1)
        other.execute("BEGIN IMMEDIATE")
        assert other.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
        other.close()
        del unread
    await store.close()


@pytest.mark.covers("TRUST5")
async def test_a_server_that_goes_away_is_a_sentence_and_comes_back() -> None:
    try:
        cluster = postgres.start()
    except postgres.NoPostgres as error:
        pytest.skip(str(error))
    try:
        url = cluster.create_database("outage")
        await migrate(url)
        store = Store(url)
        async with store.journal() as connection:
            journal.upsert_calls(connection, [call_row(1)])
        cluster.halt()
        for _ in range(3):
            with pytest.raises(Refused) as refused:
                async with store.journal() as connection:
                    journal.upsert_calls(connection, [call_row(2)])
            assert (refused.value.code, refused.value.status) == ("store_unavailable", 503)
        cluster.resume()
        async with asyncio.timeout(10), store.read() as session:
            assert len((await calls.list_all(session)).items) == 1
        await store.close()
    finally:
        cluster.stop()


@pytest.mark.trust(4)
@pytest.mark.covers("TRUST4")
async def test_no_acknowledged_row_is_lost_when_the_writer_is_killed_again_and_again(
    tmp_path: Path, measured: Measured
) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    await migrate(url)
    acknowledged = -1
    for round_ in range(5):
        writer = await asyncio.create_subprocess_exec(sys.executable, "-c", _WRITER, url, stdout=subprocess.PIPE)
        assert writer.stdout is not None
        for _ in range(20 + 7 * round_):
            line = await asyncio.wait_for(writer.stdout.readline(), 20)
            acknowledged = max(acknowledged, int(line))
        writer.kill()
        for line in (await writer.stdout.read()).splitlines():
            acknowledged = max(acknowledged, int(line)) if line.isdigit() else acknowledged
        await writer.wait()
    check = sqlite3.connect(tmp_path / "store.db")
    assert check.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    kept = {name for (name,) in check.execute("SELECT id FROM calls")}
    check.close()
    lost = {f"c_{at:08}" for at in range(acknowledged + 1)} - kept
    measured(
        at_most(f"rows lost, of {acknowledged + 1} acknowledged by writers that were killed", len(lost), "rows", 0)
    )


async def test_a_fault_of_ours_is_not_hidden_as_an_outage(store: Store) -> None:
    with pytest.raises(Exception, match="no_such_table") as fault:
        async with store.read() as session:
            await session.execute(text("SELECT * FROM no_such_table"))
    assert not isinstance(fault.value, Refused)
