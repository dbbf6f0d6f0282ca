"""Prices the legs of calls after they have ended, and keeps an eye on the account (N4, R2).

Behind the log, never in a call's way: the store is asked which legs are due, so that it does not matter who ended the
call, whether an engine ran then, or how often this one starts. Many legs that end together are one transaction.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, Protocol

import structlog

from crm.billing import Balance, Charge
from crm.directory import Directory
from crm.errors import Refused
from crm.rates import Way
from crm.records import as_dict
from crm.repositories import money
from crm.services import ledger, pricing
from crm.services.bills import decimal
from crm.unit_of_work import ENGINE, Store
from pbx.core.ids import CallId
from pbx.services.alerts import Alerts, Kind
from pbx.services.behind import Round
from pbx.services.gatekeeper import INVITE, held_as
from pbx.services.hub import Hub
from pbx.services.metrics import Metrics
from pbx.services.ports import Clock
from pbx.services.prices import Prices
from pbx.services.spending import Spending, month_began_us

log = structlog.get_logger("billing")

GATHER_S = 0.5
LONGEST_REST_S, RETRY_S = 2.0, 2.0
LOOK_AGAIN_S = 60.0
"""What is booked by another process, and a table whose time has come, are noticed by then at the latest."""
ACCOUNT = "account"


class Stored(Protocol):
    """One fact whose rows stand in the store."""

    @property
    def kind(self) -> str: ...


class Billing:
    def __init__(
        self,
        store: Store,
        prices: Prices,
        spending: Spending,
        directory: Callable[[], Directory],
        hub: Hub,
        alerts: Alerts,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self.prices = prices
        self.balance: Balance | None = None
        """None until the store has been asked."""
        self._store, self._spending, self._directory = store, spending, directory
        self._hub, self._alerts, self._metrics, self._clock = hub, alerts, metrics, clock
        self._wake = asyncio.Event()
        self._wake.set()
        self._legs_due, self._rates_due = True, True  # what an earlier run left

    def stored(self, facts: Iterable[Stored]) -> None:
        if any(fact.kind == "leg.ended" for fact in facts):
            self._legs_due = True
            self._wake.set()

    def changed(self) -> None:
        """Rates, settings or the account may be others than before."""
        self._rates_due = True
        self._wake.set()

    async def run(self) -> None:
        """Price what is due, for as long as the engine runs; a store that is away makes it later, not less."""
        await self._until_done(self._begin)
        while True:
            try:
                async with asyncio.timeout(LOOK_AGAIN_S):
                    await self._wake.wait()
                await asyncio.sleep(GATHER_S)
            except TimeoutError:
                self._rates_due = True
            self._wake.clear()
            async with Round(LONGEST_REST_S):
                await self._until_done(self._work)

    async def _until_done(self, work: Callable[[], Any]) -> None:
        while True:
            try:
                return await work()  # type: ignore[no-any-return]
            except Refused as error:
                log.warning("billing.store_away", why=error.message)
            except Exception:
                log.exception("billing.not_done")
            await asyncio.sleep(RETRY_S)

    async def _begin(self) -> None:
        async with self._store.read() as session:
            self._spending.load(await money.spent_by_user(session, month_began_us(self._clock.now())))

    async def _work(self) -> None:
        if self._rates_due:
            self._rates_due = False
            try:
                await self.refresh()
            except BaseException:
                self._rates_due = True
                raise
        while self._legs_due:
            self._legs_due = False
            try:
                self._legs_due = await self._price()
            except BaseException:
                self._legs_due = True
                raise

    async def refresh(self) -> None:
        """Read rates and account again, now."""
        await self.prices.refresh()
        async with self._store.read() as session:
            held = await ledger.balance(session)
        self._stands_at(held)

    async def _price(self) -> bool:
        """Whether there may be more."""
        async with self._store.write(ENGINE) as work:
            done = await pricing.price_due(work)
        self._told(done.charges)
        for call, role in done.legs:
            self._spending.priced(held_as(CallId(call), INVITE if role == "guest" else ""))
        if done.balance_micros is not None and self.balance is not None:
            self._stands_at(ledger.with_left(self.balance, done.balance_micros))
        return len(done.legs) >= pricing.AT_ONCE

    def _told(self, charges: Iterable[Charge]) -> None:
        by_call: dict[str, list[Charge]] = defaultdict(list)
        for charge in charges:
            self._spending.charged(charge.user_id, charge.amount_micros, charge.ended_us)
            self._metrics.charged(charge.kind, charge.direction, charge.amount_micros)
            by_call[charge.call_id or ""].append(charge)
        for call, its in by_call.items():
            users = frozenset(charge.user_id for charge in its if charge.user_id)
            self._hub.charged(call, users, [as_dict(charge) for charge in its])

    def _stands_at(self, held: Balance) -> None:
        priced = self.prices.any(Way.OUTBOUND)
        self._spending.credit = held.balance_micros if held.prepaid and priced else None
        self._metrics.balance_is(held.balance_micros, held.currency)
        if held != self.balance:
            self.balance = held
            self._hub.balance_changed(as_dict(held))
        self._warn(held)

    def _warn(self, held: Balance) -> None:
        """One alert: that it runs low gives way to that there is none left."""
        sentences = {
            "low": f"The balance is down to {decimal(held.balance_micros)} {held.currency}. Top the account up, or no "
            "calls can be made before long.",
            "empty": "The credit is used up: calls that run go on, new ones are refused. Top the account up."
            if held.prepaid
            else "The balance is below nothing. Top the account up.",
        }
        for kind, state in ((Kind.CREDIT_LOW, "low"), (Kind.CREDIT_EMPTY, "empty")):
            if held.state == state:
                self._alerts.raised(kind, ACCOUNT, sentences[state], balance_micros=held.balance_micros)
            else:
                self._alerts.over(kind, ACCOUNT)
