"""Tells webhooks what happened: each in order, none held up by another, until it was taken or three days are over (A5).

What happened was written down with the fact itself. This worker works out what is told of it, sends it, and notes what
came of it; it may die at any point: what was sent and not noted is sent again, with the same id.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import structlog

from crm import ids
from crm.directory import Directory
from crm.errors import Refused
from crm.services import webhook_outbox as outbox
from crm.unit_of_work import ENGINE, Store
from crm.web_addresses import host_of
from crm.webhooks import Batch, Letter, Try
from pbx.core.webhooks import Answer, fault, is_its_own, signed, waits
from pbx.services.alerts import Alerts, Kind
from pbx.services.displays import home_of
from pbx.services.webhook_bodies import body_of

log = structlog.get_logger("webhooks")

LOOK_EVERY_S = 1.0
RETRY_S = 1.0
FINISH_S = 5.0
NOTE_EVERY_US = 1_000_000
TIDY_EVERY_US = 600_000_000
ALERT_AFTER_US = 300_000_000
Post = Callable[[str, Mapping[str, str], bytes], Awaitable[Answer]]


class Webhooks:
    def __init__(
        self,
        store: Store,
        post: Post,
        directory: Callable[[], Directory],
        alerts: Alerts,
        *,
        worker: str,
        jitter: Callable[[], float] = lambda: random.uniform(0.8, 1.2),
    ) -> None:
        """``worker`` names this engine: what an earlier run of the same name had leased is its own again."""
        self._store = store
        self._post = post
        self._directory = directory
        self._alerts = alerts
        self._worker = worker
        self._jitter = jitter
        self._due = asyncio.Event()
        self._in_hand: dict[str, asyncio.Task[None]] = {}
        self._tidied_us = 0
        self._ends = False

    def due(self) -> None:
        """There may be something to do."""
        self._due.set()

    def stored(self, facts: Iterable[object]) -> None:
        """Facts of calls stand in the store: what webhooks are told of them was written down with them."""
        self._due.set()

    async def run(self) -> None:
        """For as long as the engine runs; what is in hand at the end is finished."""
        begun: asyncio.Future[Any] = asyncio.ensure_future(asyncio.sleep(0))
        try:
            while True:
                self._due.clear()
                begun = asyncio.ensure_future(self._round())
                wait_s = await asyncio.shield(begun)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait_s):
                        await self._due.wait()
        finally:
            self._ends = True
            await self._finish(begun)

    async def turn(self) -> None:
        """One round, and what it began, to its end."""
        await self._round()
        while self._in_hand:
            await asyncio.wait(set(self._in_hand.values()))
            await asyncio.sleep(0)

    async def _finish(self, begun: asyncio.Future[Any]) -> None:
        left: set[asyncio.Future[Any]] = {begun, *self._in_hand.values()}
        await asyncio.wait(left, timeout=FINISH_S)
        for each in left:
            each.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _round(self) -> float:
        """The seconds until the next look."""
        try:
            now = self._store.clock()
            if now - self._tidied_us > TIDY_EVERY_US:
                await self._tidy()
            new, free = await outbox.anything_to_do(self._store, now)
            more = new and await self._prepare()
            if free:
                await self._take()
        except Refused as refused:
            log.warning("webhooks.store_away", why=refused.message)
            return RETRY_S
        except Exception:
            log.exception("webhooks.round_failed")
            return RETRY_S
        return 0.0 if more else LOOK_EVERY_S

    # -- what is told -------------------------------------------------------------------------------

    async def _prepare(self) -> bool:
        """Give what happened its body; whether there may be more. Worked out without holding the store's lock."""
        home = home_of(self._directory())
        async with self._store.read() as session:
            found = await outbox.happened(session, self._store.clock())
            names = [ids.new(ids.WEBHOOK_EVENT, event.at_us) for event in found]
            bodies = [await body_of(session, event, name, home) for event, name in zip(found, names, strict=True)]
        async with self._store.write(ENGINE) as work:
            for event, name, body in zip(found, names, bodies, strict=True):
                await outbox.prepare(work, event, name, body)
        return len(found) >= outbox.AT_ONCE

    # -- sending ------------------------------------------------------------------------------------

    async def _take(self) -> None:
        in_hand = list(self._in_hand)
        async with self._store.read() as session:
            if self._ends or not await outbox.is_due(session, self._store.clock(), in_hand):
                return
        async with self._store.write(ENGINE) as work:
            batches = await outbox.due(work, self._worker, in_hand)
        for batch in batches:
            task = asyncio.ensure_future(self._carry(batch))
            self._in_hand[batch.webhook_id] = task
            task.add_done_callback(lambda done, name=batch.webhook_id: self._done(name))  # type: ignore[misc]

    def _done(self, webhook_id: str) -> None:
        self._in_hand.pop(webhook_id, None)
        self._due.set()

    async def _carry(self, batch: Batch) -> None:
        """One after the other; where the receiver is away, no further. There is one such task for each webhook."""
        tries: list[Try] = []
        noted_us, goes_on = self._store.clock(), True
        for letter in batch.letters:
            tries.append(await self._send(batch, letter))
            goes_on = not self._ends and (tries[-1].error is None or tries[-1].alone)
            if goes_on and self._store.clock() - noted_us > NOTE_EVERY_US:
                goes_on = await self._note(batch, tries, done=False)
                tries, noted_us = [], self._store.clock()
            if not goes_on:
                break
        await self._note(batch, tries, done=True)

    async def _send(self, batch: Batch, letter: Letter) -> Try:
        begun_us, body = self._store.clock(), letter.body.encode()
        headers = signed(letter.event_id, begun_us // 1_000_000, body, batch.secrets)
        try:
            answer = await self._post(batch.url, headers, body)
        except Exception:
            log.exception("webhooks.post_failed", webhook=batch.webhook_id)
            answer = Answer(error="broken_off")
        now = self._store.clock()
        wait = waits(letter.attempts + 1, batch.failures + 1, answer, self._jitter())
        return Try(
            letter.delivery_id,
            begun_us,
            (now - begun_us) // 1000,
            answer.status,
            fault(answer),
            is_its_own(answer),
            now + int(wait.event.total_seconds() * 1e6),
            now + int(wait.webhook.total_seconds() * 1e6),
        )

    async def _note(self, batch: Batch, tries: list[Try], *, done: bool) -> bool:
        """However long the store is away; whether this webhook is still as it was."""
        while True:
            try:
                async with self._store.write(ENGINE) as work:
                    row = await outbox.note(work, batch.webhook_id, self._worker, tries, done=done)
                    failing_us = row.failing_us if row is not None else None
                    same = row is not None and row.enabled and row.url == batch.url
                break
            except Refused as refused:
                log.warning("webhooks.not_noted", webhook=batch.webhook_id, why=refused.message)
                await asyncio.sleep(RETRY_S)
        self._tell(batch.webhook_id, batch.url, failing_us)
        return same

    # -- what goes wrong, and what is over -----------------------------------------------------------

    def _tell(self, webhook_id: str, url: str, failing_us: int | None) -> None:
        if failing_us is None:
            self._alerts.over(Kind.WEBHOOK_FAILING, webhook_id)
        elif self._store.clock() - failing_us >= ALERT_AFTER_US:
            sentence = (
                f"{host_of(url)} does not take what its webhook is told. It is tried again for three days. See "
                "Webhooks in the admin pages for the reason."
            )
            self._alerts.raised(Kind.WEBHOOK_FAILING, webhook_id, sentence, url=url)

    async def _tidy(self) -> None:
        """What has waited for three days is marked as failed; what is over for two weeks goes."""
        self._tidied_us = self._store.clock()
        async with self._store.write(ENGINE) as work:
            await outbox.give_up(work)
            await outbox.forget(work)
            given_up = await outbox.given_up(work.session, work.at_us)
            standing = await outbox.addresses(work.session)
        for alert in self._alerts.standing:
            if alert.kind is Kind.WEBHOOK_FAILING and alert.subject not in standing:
                self._alerts.over(alert.kind, alert.subject)
            if alert.kind is Kind.WEBHOOK_GIVEN_UP and alert.subject not in given_up:
                self._alerts.over(alert.kind, alert.subject)
        for webhook_id, count in given_up.items():
            self._alerts.raised(
                Kind.WEBHOOK_GIVEN_UP,
                webhook_id,
                "A webhook was not told of events that had waited for three days. Mend it, then send them again from "
                "the admin pages.",
                events=count,
            )
