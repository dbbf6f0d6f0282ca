"""The bill always adds up: the sum of the legs is the ledger is the balance, whatever happens (R2, N4).

Random calls, texts, payments and rate tables on the real store; the pricing is killed before its commit, or after it
without anybody knowing, the journal writes legs again, and an engine forgets that it priced anything. The sums by
month, of which bills are made, are added up now and then, killed before their commit, and made anew by another clock:
each bill is what its charges and postings say, at any moment.
"""

from __future__ import annotations

import random
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select, text

from crm.models.money import Charge, Posting
from crm.repositories import journal
from crm.services import bills, ledger, pricing, settings, sums
from crm.unit_of_work import Store
from tests.integration.store.makers import call_row
from tests.integration.store.test_money import START_US, import_rates

STEPS = 40
ZONES = ("America/New_York", "Asia/Tokyo", "Australia/Lord_Howe", "UTC")
NUMBERS = ("+12065550150", "+14155550199", "+819012345678", "+442079460000", "110")


class Killed(Exception):
    """The engine dies here."""


class Life:
    """What happened, and what it must have cost, reckoned apart from the code that is tried."""

    def __init__(self, store: Store, path: Path, seed: int) -> None:
        self.store, self.path, self.random = store, path, random.Random(seed)
        self.now = START_US
        self.tables: list[tuple[int, dict[str, tuple[int, int, int, int]]]] = []
        self.rows: list[dict[str, Any]] = []
        self.expected: dict[str, int] = {}
        self.paid_in = 10_000_000
        self.texts = 0

    async def step(self) -> None:
        self.now += self.random.randrange(1, 600_000_000) * self.random.choice((1, 1, 1, 1_500))
        happens = (self.calls, self.calls, self.calls, self.text, self.pay, self.rates, self.again, self.forget)
        await self.random.choice(happens)()
        await self.random.choice((self.price, self.price, self.killed, self.killed_after))()
        await self.random.choice((self.sum, self.sum, self.sum_some, self.sum_killed, self.clock))()

    async def rates(self) -> None:
        """A new table, from now, from a while ago or from later on."""
        table = {}
        for prefix in self.random.sample(("1", "1206", "1415", "81", "8190", "44"), 4):
            steps = self.random.choice(((60, 60), (30, 6), (1, 1)))
            table[prefix] = (self.random.randrange(0, 90_000), self.random.choice((0, 2_500)), *steps)
        since = self.now + self.random.choice((-900_000_000, 0, 900_000_000))
        lines = [f"{p},{price / 1e6:.6f},{setup / 1e6:.6f},{f}/{t}" for p, (price, setup, f, t) in table.items()]
        content = "prefix,price,setup,increments\n" + "\n".join(lines) + "\n"
        await import_rates(self.store, self.path, content, valid_from_us=since)
        self.tables.append((since, table))

    async def calls(self) -> None:
        row = call_row(self.now, direction="outbound", user_id=self.random.choice(("u_mio", "u_sam")))
        legs = []
        for number in range(1, self.random.randrange(2, 5)):
            talked = self.random.choice((None, 0, 1, 59_999_999, 60_000_000, self.random.randrange(1, 4_000_000_000)))
            began = None if talked is None else self.now + self.random.randrange(0, 30_000_000)
            legs.append(
                {
                    "id": f"leg_{row['id'][2:]}_{number}",
                    "call_id": row["id"],
                    "created_us": self.now,
                    "role": self.random.choice(("customer", "guest", "forward")),
                    "trunk_id": "tr_a",
                    "number": self.random.choice(NUMBERS),
                    "user_id": None,
                    "answered_us": began,
                    "ended_us": self.now if began is None else began + (talked or 0),
                }
            )
        await self.write(row, legs)
        self.rows.append({"row": row, "legs": legs})

    async def write(self, row: dict[str, Any], legs: list[dict[str, Any]]) -> None:
        async with self.store.journal() as batch:
            journal.upsert_calls(batch, [row])
            journal.upsert_legs(batch, legs)

    async def again(self) -> None:
        """The journal is applied once more: nobody knew that it had been."""
        if self.rows:
            call = self.random.choice(self.rows)
            await self.write(call["row"], call["legs"])

    async def forget(self) -> None:
        """That legs were priced is forgotten; the charges are not."""
        async with self.store.write() as work:
            await work.session.execute(text("UPDATE legs SET priced_us = NULL"))

    async def text(self) -> None:
        self.texts += 1
        for _ in range(self.random.choice((1, 2))):
            async with self.store.write() as work:
                await pricing.charge_text(
                    work, f"msg_{self.texts}", to=self.random.choice(NUMBERS), segments=2, user_id="u_mio"
                )

    async def pay(self) -> None:
        amount = self.random.randrange(1, 5_000_000)
        name = f"p{self.now}"
        for _ in range(self.random.choice((1, 2))):
            async with self.store.write() as work:
                await ledger.top_up(work, amount, name=name)
        self.paid_in += amount

    async def price(self) -> None:
        while True:
            async with self.store.write() as work:
                if not (await pricing.price_due(work, 3)).legs:
                    return

    async def killed(self) -> None:
        """In the middle: nothing of it stands."""
        with pytest.raises(Killed):
            async with self.store.write() as work:
                await pricing.price_due(work, self.random.choice((1, 500)))
                raise Killed

    async def killed_after(self) -> None:
        """Some are priced, the rest is not, and nobody is told."""
        async with self.store.write() as work:
            await pricing.price_due(work, 2)

    async def sum(self) -> None:
        await sums.catch_up(self.store)

    async def sum_some(self) -> None:
        async with self.store.write() as work:
            await sums.step(work)

    async def sum_killed(self) -> None:
        with pytest.raises(Killed):
            async with self.store.write() as work:
                await sums.step(work)
                raise Killed

    async def clock(self) -> None:
        """Another one; seldom, as all sums are made anew then."""
        if self.random.random() < 0.3:
            async with self.store.write() as work:
                await settings.change(work, "default_time_zone", self.random.choice(ZONES))

    def charged(self, found: dict[str, int]) -> None:
        """Priced by the table that holds when the leg is looked at first: what comes later changes nothing."""
        legs = {leg["id"]: leg for call in self.rows for leg in call["legs"]}
        for leg in found.keys() - self.expected.keys():
            self.expected[leg] = self.reckoned(legs[leg])
        assert found == self.expected

    def talked(self) -> set[str]:
        return {leg["id"] for call in self.rows for leg in call["legs"] if leg["answered_us"] is not None}

    def reckoned(self, leg: dict[str, Any]) -> int:
        began = [table for table in self.tables if table[0] <= leg["answered_us"]]
        if not began or not leg["number"].startswith("+"):
            return 0
        newest = max(began, key=lambda table: table[0])[1]
        fitting = [prefix for prefix in newest if leg["number"][1:].startswith(prefix)]
        if not fitting:
            return 0
        price, setup, first, then = newest[max(fitting, key=len)]
        seconds = -(-(leg["ended_us"] - leg["answered_us"]) // 1_000_000)
        steps = max(0, -(-(seconds - first) // then))
        return setup + -(-price * (first + steps * then) // 60)


@pytest.mark.covers("R2", "N4", "P3", "C13")
@pytest.mark.parametrize("seed", [1, 2])
async def test_the_sum_of_the_legs_is_the_ledger_is_the_balance(
    store: Store, tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    life = Life(store, tmp_path, seed)
    monkeypatch.setattr(sums, "AT_ONCE", 7)
    monkeypatch.setattr(sums, "BUILT_AT_ONCE", 9)
    monkeypatch.setattr(sums, "MORE_ON_POSTGRESQL", 1)
    for step in range(STEPS):
        await life.step()
        await check(life)
        if step % 5 == 0:
            await check_bills(store)
    await life.price()
    await life.sum()
    await check(life)
    await check_bills(store)
    assert life.expected.keys() == life.talked(), "each leg that talked has one price"
    async with store.read() as session:
        total = [await bills.bill(session, month.month) for month in await bills.months(session)]
        legs = await session.scalar(select(func.sum(Charge.amount_micros)))
        assert sum(bill.calls_micros + bill.texts_micros for bill in total) == legs
        assert total[0].closing_micros == (await ledger.balance(session)).balance_micros
        assert all(
            bill.closing_micros
            == bill.opening_micros + bill.paid_in_micros + bill.adjusted_micros - bill.calls_micros - bill.texts_micros
            for bill in total
        )


async def check(life: Life) -> None:
    """After every step, whatever it was."""
    async with life.store.read() as session:
        legs = int(await session.scalar(select(func.sum(Charge.amount_micros))) or 0)
        spent = select(func.sum(Posting.amount_micros)).where(Posting.kind.in_(("call", "text")))
        booked = int(await session.scalar(spent) or 0)
        balance = (await ledger.balance(session)).balance_micros
        of_calls = select(Charge.id, Charge.amount_micros).where(Charge.kind == "call")
        charged = {leg: amount for leg, amount in await session.execute(of_calls)}
        assert await ledger.verify(session) is None
    assert legs == booked
    assert balance == life.paid_in - booked
    life.charged(charged)


async def check_bills(store: Store) -> None:
    """Each as its charges say, reckoned apart: by the clock that is set, whatever the sums are by."""
    async with store.read() as session:
        zone = ZoneInfo(str((await settings.values(session))["default_time_zone"]))
        found = [await bills.bill(session, month.month) for month in await bills.months(session)]
        charges = list(await session.scalars(select(Charge)))
        postings = list(await session.scalars(select(Posting)))
    by_user: Counter[tuple[str, str, str]] = Counter()
    for charge in charges:
        by_user[month_of(charge.ended_us, zone), charge.user_id or "", charge.kind] += charge.amount_micros
    assert +by_user == +Counter(
        {(b.month, line.name, line.kind): line.amount_micros for b in found for line in b.users}
    )
    assert sum(bill.charges for bill in found) == len(charges)
    changes: Counter[str] = Counter()
    for posting in postings:
        into = posting.debit == "balance"
        changes[month_of(posting.at_us, zone)] += posting.amount_micros if into else -posting.amount_micros
    assert all(bill.closing_micros - bill.opening_micros == changes[bill.month] for bill in found)


def month_of(at_us: int, zone: ZoneInfo) -> str:
    return f"{datetime.fromtimestamp(at_us / 1e6, zone):%Y-%m}"
