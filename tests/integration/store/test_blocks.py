"""Blocks in the store: by hand and by the engine, growing, kept over a restart, and never the wrong ones (TRUST 16)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence

import pytest

from crm import directory as directories
from crm.errors import Refused
from crm.records import Block
from crm.services import audit, blocks, settings, trunks
from crm.unit_of_work import Store
from pbx.services.alerts import Alerts, Kind
from pbx.services.blocking import Blocking, Seen
from tests.support.waiting import until
from tests.unit.services.standins import HandClock

pytestmark = pytest.mark.covers("TRUST16")

BAD, OFFICE, EDGE = "192.0.2.7", "198.51.100.9", "203.0.113.77"
MINUTE_S = 60


class HandFence:
    """Notes whom it keeps out; ``away`` as while there is no Asterisk."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self.at_once_out: list[str] = []
        self.away = False

    def at_once(self, address: str) -> None:
        self.at_once_out.append(address)

    async def keep_out(self, addresses: Iterable[str]) -> None:
        if self.away:
            raise ConnectionError("no Asterisk")
        self.out = sorted(addresses)


class House:
    """A Blocking on a store, as one run of the engine has it."""

    def __init__(self, store: Store, clock: HandClock) -> None:
        self.store, self.clock, self.fence = store, clock, HandFence()
        self.alerts = Alerts(clock)
        self.names = {"sip.example.net": ["203.0.113.5"]}

    async def start(self) -> None:
        async with self.store.read() as session:
            self.directory = await directories.load(session)
        self.blocking = Blocking(
            self.store, lambda: self.directory, self.alerts, self.clock, self.fence, self._resolve, [EDGE]
        )
        self.task = asyncio.ensure_future(self.blocking.run())
        await until(lambda: self.blocking._read_us is not None and self.blocking._told is not None, 2, "the first look")

    async def _resolve(self, host: str) -> Sequence[str]:
        return self.names.get(host, [])

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    async def reread(self) -> None:
        async with self.store.read() as session:
            self.directory = await directories.load(session)
        self.blocking.changed()

    def guess(self, address: str, times: int = 5, account: str = "d1") -> None:
        for _ in range(times):
            self.blocking.seen(Seen("wrong", address, account))

    async def until_out(self, *addresses: str) -> None:
        await until(lambda: self.fence.out == sorted(addresses), 3, f"{addresses} to be out, not {self.fence.out}")

    async def stored(self) -> list[Block]:
        async with self.store.read() as session:
            return await blocks.list_all(session, self.clock.us)


@pytest.fixture
async def house(store: Store) -> AsyncIterator[House]:
    store.clock = lambda: made.clock.us
    made = House(store, HandClock())
    await made.start()
    yield made
    await made.stop()


async def test_who_guesses_is_kept_out_alerted_and_kept_over_a_restart(house: House) -> None:
    house.guess(BAD)
    await house.until_out(BAD)
    (alert,) = house.alerts.standing
    assert alert.kind is Kind.ADDRESS_BLOCKED and BAD in alert.sentence and "pbx block remove" in alert.sentence
    await until(lambda: not house.blocking._unwritten, 2, "the block to be written")
    await house.stop()
    again = House(house.store, house.clock)
    await again.start()
    await again.until_out(BAD)
    assert again.blocking.blocked(BAD) is not None and again.alerts.standing
    await again.stop()


async def test_blocks_end_by_themselves_and_the_next_one_lasts_longer(house: House) -> None:
    lasted = []
    for _ in range(3):
        house.guess(BAD)
        await house.until_out(BAD)
        await until(lambda: not house.blocking._unwritten, 2, "the block to be written")
        (block,) = await house.stored()
        lasted.append(((block.until_us or 0) - block.since_us) // 60_000_000)
        house.clock.pass_(lasted[-1] * MINUTE_S + 1)
        await house.until_out()
        assert house.blocking.blocked(BAD) is None and not house.alerts.standing
    assert lasted == [10, 20, 40]
    house.clock.pass_(8 * 24 * 3600)
    house.guess(BAD)
    await until(lambda: not house.blocking._unwritten, 2, "the block to be written")
    assert (await house.stored())[0].times == 1, "a week later it begins anew"


async def test_trunks_trusted_networks_and_the_engine_itself_are_never_blocked(house: House) -> None:
    async with house.store.write() as work:
        values = {"name": "a", "host": "sip.example.net", "match_addresses": ["203.0.113.64/28", "203.0.113.9:5062"]}
        await trunks.add(work, values)
        await settings.change(work, "block.trusted_networks", ["198.51.100.0/24"])
    await house.reread()
    await until(lambda: house.blocking._read_us is not None, 2, "the change")
    await asyncio.sleep(0)
    for address in ("127.0.0.1", "::1", EDGE, OFFICE, "203.0.113.5", "203.0.113.70", "203.0.113.9"):
        house.guess(address, 500)
        house.blocking.guessed(address)
    house.guess(BAD)
    await house.until_out(BAD)
    for address in ("127.0.0.0/8", OFFICE, "203.0.113.9", "203.0.113.0/24"):
        with pytest.raises(Refused) as refused:
            async with house.store.write() as work:
                await blocks.add(work, {"address": address})
        assert refused.value.code == "never_blocked"


async def test_blocks_are_made_and_taken_away_by_hand_with_the_audit_log(house: House) -> None:
    async with house.store.write() as work:
        await blocks.add(work, {"address": "192.0.2.64/26", "reason": "scanners"})
        timed = await blocks.add(work, {"address": BAD, "minutes": 5})
        with pytest.raises(Refused, match="already"):
            await blocks.add(work, {"address": BAD})
    assert timed.until_us == timed.since_us + 300_000_000
    await house.reread()
    await house.until_out("192.0.2.64/26", BAD)
    assert house.blocking.blocked("192.0.2.70") is not None and not house.alerts.standing
    async with house.store.write() as work:
        await blocks.remove(work, BAD)
        with pytest.raises(Refused, match="no block"):
            await blocks.remove(work, BAD)
    await house.reread()
    await house.until_out("192.0.2.64/26")
    async with house.store.write() as work:
        assert await blocks.remove_all(work) == 1
    await house.reread()
    await house.until_out()
    async with house.store.read() as session:
        actions = [entry.action for entry in (await audit.list_all(session)).items]
    assert actions.count("block.add") == 2 and actions.count("block.remove") == 2


@pytest.mark.parametrize("address", ["", "192.0.2", "192.0.2.1:5060", "0.0.0.0/0", "10.0.0.0/7", "::/0", None, "x\0"])
async def test_what_is_no_address_or_half_of_the_world_is_no_block(store: Store, address: object) -> None:
    with pytest.raises(Refused):
        async with store.write() as work:
            await blocks.add(work, {"address": address})


async def test_without_asterisk_the_block_is_told_when_it_is_back(house: House) -> None:
    house.fence.away = True
    house.guess(BAD)
    await until(lambda: not house.blocking._unwritten, 2, "the block to be written")
    assert house.blocking.blocked(BAD) is not None and house.fence.out == []
    house.fence.away = False
    house.blocking.asterisk_is_new()
    await house.until_out(BAD)
