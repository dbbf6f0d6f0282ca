"""Of engines that share a home and a PostgreSQL, exactly one has the calls (P1, A8)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from crm.errors import Refused
from pbx.adapters.store import turn as turns
from pbx.adapters.store.live_log import EngineRuns
from pbx.adapters.store.turn import Turn, engine_name, is_shared
from pbx.config import Config
from tests.support import postgres
from tests.support.waiting import until

pytestmark = pytest.mark.covers("P1", "A8")
END_ALL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'switchhook-turn'"


@pytest.fixture
def cluster() -> Iterator[postgres.Cluster]:
    """One of the test's own: here it is taken away."""
    try:
        found = postgres.start()
    except postgres.NoPostgres as error:
        pytest.skip(str(error))
    yield found
    found.stop()


@pytest.fixture
def config(tmp_path: Path, cluster: postgres.Cluster) -> Config:
    return Config.load({}, home=tmp_path, database_url=cluster.url())


async def soon(wanted: Turn) -> float:
    """Seconds until it is lost."""
    began = time.monotonic()
    await asyncio.wait_for(wanted.lost.wait(), 5)
    return time.monotonic() - began


async def test_who_stands_by_has_it_as_soon_as_the_one_before_lets_go(config: Config) -> None:
    first = await Turn.take(config, wait=False)
    with pytest.raises(EngineRuns, match="--standby"):
        await Turn.take(config, wait=False)
    waiting = [asyncio.ensure_future(Turn.take(config, wait=True)) for _ in range(2)]
    await asyncio.sleep(1)
    assert not any(each.done() for each in waiting)
    began = time.monotonic()
    await first.close()
    done, others = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    assert len(done) == 1 and time.monotonic() - began < 1
    await asyncio.sleep(0.5)
    assert not any(each.done() for each in others), "one has it"
    await done.pop().result().close()
    await (await others.pop()).close()


async def test_one_that_is_not_to_wait_says_that_the_database_is_away(
    config: Config, cluster: postgres.Cluster
) -> None:
    await asyncio.to_thread(cluster.halt)
    with pytest.raises(Refused, match="database"):
        await Turn.take(config, wait=False)


async def test_one_whose_session_was_ended_takes_it_again_where_nobody_else_has_it(
    config: Config, cluster: postgres.Cluster
) -> None:
    ours = await Turn.take(config, wait=False)
    keeping = asyncio.ensure_future(ours.keep())
    before = ours.lock._held_by
    await asyncio.to_thread(cluster.run, "postgres", END_ALL)
    await until(lambda: ours.lock._held_by not in (before, None), 3, "another session")
    assert not ours.lost.is_set() and not ours.in_doubt
    with pytest.raises(EngineRuns):
        await Turn.take(config, wait=False)
    keeping.cancel()
    await ours.close()


async def test_one_that_was_cut_off_hears_that_its_turn_is_over(config: Config, cluster: postgres.Cluster) -> None:
    """The server has ended its session and another has the calls before it can ask again."""
    ours = await Turn.take(config, wait=False)
    other = asyncio.ensure_future(Turn.take(config, wait=True))
    await asyncio.sleep(0.5)
    assert ours.lock._held_by is not None
    pid = ours.lock._held_by[0]
    await asyncio.to_thread(cluster.run, "postgres", f"SELECT pg_terminate_backend({pid})")
    theirs = await asyncio.wait_for(other, 2)
    keeping = asyncio.ensure_future(ours.keep())
    await soon(ours)
    assert not theirs.lost.is_set()
    await keeping
    await theirs.close()
    await ours.close()


async def test_while_the_database_is_away_it_is_nobodys_and_then_who_had_it_has_it_again(
    config: Config, cluster: postgres.Cluster
) -> None:
    ours = await Turn.take(config, wait=False)
    keeping = asyncio.ensure_future(ours.keep())
    other = asyncio.ensure_future(Turn.take(config, wait=True))
    await asyncio.sleep(0.5)
    await asyncio.to_thread(cluster.halt)
    await until(lambda: ours.in_doubt, 3, "the doubt")
    await asyncio.sleep(2)
    await asyncio.to_thread(cluster.resume)
    await until(lambda: not ours.in_doubt, 5, "the engine's own again")
    await asyncio.sleep(2 * turns.STAND_BACK_S)
    assert not ours.lost.is_set() and not other.done()
    keeping.cancel()
    await ours.close()
    await (await asyncio.wait_for(other, 3)).close()


async def test_the_server_ends_a_session_of_which_it_hears_nothing_for_five_seconds(config: Config) -> None:
    """The kernel counts for it; what the server shows is what the kernel was told."""
    ours = await Turn.take(config, wait=False)
    names = ("idle", "interval", "count")
    told = [int((await ours.lock.ask(text(f"SELECT current_setting('tcp_keepalives_{name}')")))[0]) for name in names]
    assert told == [2, 1, 3]
    await ours.close()


async def test_another_engine_at_our_asterisk_means_something_only_while_the_lock_is_in_doubt(config: Config) -> None:
    ours = await Turn.take(config, wait=False)
    ours.asterisk_taken()
    assert not ours.lost.is_set()
    ours.in_doubt = True
    ours.asterisk_taken()
    assert ours.lost.is_set()
    await ours.close()


def test_an_engine_has_the_same_name_on_each_machine_that_shares_its_home(tmp_path: Path) -> None:
    url = "postgresql://switchhook@db/switchhook"
    here = Config.load({}, home=tmp_path / "here", database_url=url)
    secrets = here.secrets()
    (tmp_path / "there").mkdir()
    (tmp_path / "there/secrets.json").write_text((tmp_path / "here/secrets.json").read_text())
    there = Config.load({}, home=tmp_path / "there", database_url=url)
    assert there.secrets() == secrets and engine_name(here) == engine_name(there)
    other = Config.load({}, home=tmp_path / "other", database_url=url)
    assert engine_name(other) != engine_name(here)
    alone = Config.load({}, home=tmp_path / "here")
    assert not is_shared(alone) and engine_name(alone).endswith(f":{alone.home}")
