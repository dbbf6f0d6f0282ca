"""Sends what waits in the outbox: one worker, each conversation in order, each number no faster than it may (T4, T8).

Before each try the gate is asked once more: an opt-out, a number that has another owner, a campaign that was suspended
since all hold for what was accepted before.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import structlog

from crm.directory import Directory
from crm.errors import Refused as StoreRefused
from crm.law import Law
from crm.services import text_outbox, text_paces
from crm.texts import Campaign, Conversation, Text
from crm.unit_of_work import ENGINE, Store, UnitOfWork
from pbx.core.messaging import gate, pace
from pbx.core.messaging.pace import Bucket
from pbx.services import brand_caps
from pbx.services.ports_texts import Accepted, Media, OutgoingText, Refused, Sent, SmsTransport, Uncertain
from pbx.services.text_files import TextFiles
from pbx.services.text_gate import Intent, Judged, TextGate
from pbx.services.text_transports import TextTransports

log = structlog.get_logger("texts")

AT_ONCE = 32
LOOK_EVERY_S = 5.0
RETRY_S = 1.0
SEND_WITHIN_S = 45.0
FINISH_S = 5.0
SETTLE_EVERY_US = 10_000_000
HOUR_US = 3_600_000_000
LOOK_AGAIN_US = 60_000_000
NOT_READY_US = 2_000_000
PROXY = "G"
"""The class of pooled numbers: its limit is each number's."""
_CAPPED = "The brand has sent what carriers let it send in a day. It goes on at midnight in Los Angeles."
_UNKNOWN = "Nobody knows whether this text was sent: it was in hand when something broke. Ask the receiver."
Told = Callable[[Text, Conversation], None]


class TextOutbox:
    def __init__(
        self,
        store: Store,
        gate_: TextGate,
        transports: TextTransports,
        files: TextFiles,
        told: Told,
        directory: Callable[[], Directory],
        *,
        worker: str,
    ) -> None:
        """``worker`` names this engine: what an earlier run of the same name had in hand is settled at the start."""
        self._store = store
        self._gate = gate_
        self._transports = transports
        self._files = files
        self._told = told
        self._directory = directory
        self._worker = worker
        self._due = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._in_hand: set[str] = set()
        self._buckets: dict[str, Bucket] = {}
        self._paced_as: dict[str, str] = {}  # number of ours -> its bucket
        self._settled_us = 0
        self._hours: tuple[str, Law] | None = None  # by which texts were put off
        self._ends = False

    def due(self) -> None:
        """There is something to do."""
        self._due.set()

    async def run(self) -> None:
        """Send for as long as the engine runs; what is in hand at the end is finished."""
        begun: asyncio.Future[Any] = asyncio.ensure_future(self._begin())
        try:
            await asyncio.shield(begun)
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

    async def _finish(self, begun: asyncio.Future[Any]) -> None:
        """What is in hand is given some time; what is not done then is settled by the next run."""
        left: set[asyncio.Future[Any]] = {begun, *self._tasks}
        await asyncio.wait(left, timeout=FINISH_S)
        for each in {*left, *self._tasks}:
            each.cancel()
        await asyncio.gather(*left, *self._tasks, return_exceptions=True)

    async def _begin(self) -> None:
        """Settle what an earlier run left, once the transports are there that know whether a repeat is safe."""
        await self._transports.loaded.wait()
        while not self._ends:
            try:
                return await self._settle()
            except StoreRefused as refused:
                log.warning("texts.store_away", why=refused.message)
                await asyncio.sleep(RETRY_S)

    async def _round(self) -> float:
        """Take in hand what may go; the seconds until the next look."""
        try:
            if self._store.clock() - self._settled_us > SETTLE_EVERY_US:
                await self._settle()
            if len(self._tasks) >= AT_ONCE or self._ends:
                return LOOK_EVERY_S
            await self._notice_other_hours()
            if await self._take():
                return 0.0
            async with self._store.read() as session:
                next_us = await text_outbox.next_due(session)
        except StoreRefused as refused:
            log.warning("texts.store_away", why=refused.message)
            return RETRY_S
        except Exception:
            log.exception("texts.round_failed")
            return RETRY_S
        return self._until(next_us)

    async def _notice_other_hours(self) -> None:
        """What waits for the morning is looked at again where the law or the policy is another one."""
        directory = self._directory()
        policy, law = str(directory.settings["texts.calling_hours"]), directory.law
        if self._hours is not None and self._hours[0] == policy and self._hours[1] is law:
            return
        async with self._store.write(ENGINE) as work:
            await text_outbox.look_again(work, str(gate.Reason.HOURS))
        self._hours = policy, law

    def _until(self, next_us: int | None) -> float:
        """Not before a number may go on; a text that waits for the one before it is looked at when that is done."""
        now = self._store.clock()
        waits = [bucket.wait_us(now) for bucket in self._buckets.values()]
        paced = min((each for each in waits if each > 0), default=int(LOOK_EVERY_S * 1e6))
        upcoming = next_us - now if next_us is not None and next_us > now else paced
        return min(max(min(upcoming, paced), 1_000) / 1e6, LOOK_EVERY_S)

    # -- taking in hand ------------------------------------------------------------------------------

    async def _take(self) -> int:
        """How many were looked at."""
        changed: list[tuple[Text, Conversation] | None] = []
        leased: list[tuple[Text, SmsTransport, Judged]] = []
        async with self._store.write(ENGINE) as work:
            found = await text_outbox.due(
                work.session, work.at_us, AT_ONCE - len(self._tasks), without=self._paced(work.at_us)
            )
            judged = [(text, await self._gate.judge(work.session, _intent(text, work.at_us))) for text in found]
            for text, word in sorted(judged, key=self._counted_as):
                changed.append(await self._decide(work, text, word, leased))
        for each in filter(None, changed):
            self._told(*each)
        for text, transport, word in leased:
            self._begin_to_carry(text, transport, word)
        return len(found)

    def _counted_as(self, judged: tuple[Text, Judged]) -> tuple[str, str]:
        """Brand and bucket: engines that take from the same ones do so in one order, and never wait for each other."""
        text, word = judged
        return (word.campaign.brand_id if word.campaign else "", self._bucket(text, word)[0])

    def _begin_to_carry(self, text: Text, transport: SmsTransport, judged: Judged) -> None:
        def done(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            self._in_hand.discard(text.id)
            self._due.set()

        self._in_hand.add(text.id)
        task = asyncio.ensure_future(self._carry(text, transport, judged))
        self._tasks.add(task)
        task.add_done_callback(done)

    async def _decide(
        self, work: UnitOfWork, text: Text, judged: Judged, leased: list[tuple[Text, SmsTransport, Judged]]
    ) -> tuple[Text, Conversation] | None:
        verdict = judged.verdict
        if not verdict.allowed:
            return await self._refused(work, text, verdict)
        transport = self._transports.get(judged.transport_id or "")
        if transport is None or not transport.ready:
            _, why = self._transports.condition(judged.transport_id or "")
            return await self._put_off(work, text, NOT_READY_US, "transport_not_ready", why)
        (name, bucket), segments = self._bucket(text, judged), max(text.segments, 1)
        if bucket.wait_us(work.at_us):
            return None  # the round after this one leaves its number out
        may_go, bucket.level_us = await text_paces.take(work, name, bucket.cost_us(segments))
        if not may_go:
            return None  # another engine has sent meanwhile
        campaign, per_day = judged.campaign, self._per_day(judged.campaign)
        if campaign and per_day:
            until_us = await brand_caps.take(work, campaign.brand_id, per_day, segments)
            if until_us is not None:
                await self._give_back(work, name)
                return await text_outbox.put_off(work, text.id, "held", until_us, "brand_daily_cap", _CAPPED)
        if await text_outbox.lease(
            work, text.id, self._worker, judged.transport_id or "", campaign.id if campaign else None
        ):
            leased.append((text, transport, judged))
            return None
        await self._give_back(work, name)
        if campaign and per_day:
            await brand_caps.give_back(work, campaign.brand_id, segments)
        return None

    async def _give_back(self, work: UnitOfWork, name: str) -> None:
        """It is not sent after all: another of the same pace may go."""
        await text_paces.give_back(work, name)
        self._buckets[name].level_us = work.at_us

    def _per_day(self, campaign: Campaign | None) -> int:
        """What the brand may send in a day; 0: as much as it likes."""
        rule = self._directory().law.campaign(campaign.message_class) if campaign else None
        return int(rule.value["per_day"]) if rule else 0

    async def _refused(self, work: UnitOfWork, text: Text, verdict: gate.Verdict) -> tuple[Text, Conversation] | None:
        """What people can mend is waited for; what nobody can change fails."""
        code = str(verdict.reason)
        waited_us = work.at_us - max(text.created_us, text.scheduled_us or 0)
        if verdict.reason is gate.Reason.HOURS:
            until_us = verdict.opens_us or work.at_us + LOOK_AGAIN_US
            return await text_outbox.put_off(work, text.id, "scheduled", until_us, code, verdict.sentence)
        mendable = verdict.holds or verdict.reason in (gate.Reason.BALANCE, gate.Reason.NO_TRANSPORT)
        if mendable and waited_us < self._directory().settings["texts.hold_hours"] * HOUR_US:
            until_us = work.at_us + LOOK_AGAIN_US
            return await text_outbox.put_off(work, text.id, "held", until_us, code, verdict.sentence)
        return await text_outbox.fail(work, text.id, code, verdict.sentence)

    async def _put_off(
        self, work: UnitOfWork, text: Text, wait_us: int, code: str, reason: str
    ) -> tuple[Text, Conversation] | None:
        """Until the transport is there, for as long as a try makes sense."""
        if work.at_us - max(text.created_us, text.scheduled_us or 0) > pace.GIVE_UP_AFTER.total_seconds() * 1e6:
            return await text_outbox.fail(work, text.id, code, reason)
        return await text_outbox.put_off(work, text.id, "queued", work.at_us + wait_us, code, reason)

    def _bucket(self, text: Text, judged: Judged) -> tuple[str, Bucket]:
        """Of the campaign for all its numbers together, unless its class counts each number; else of the number."""
        campaign = judged.campaign if judged.campaign and judged.campaign.state == "approved" else None
        rule = self._directory().law.campaign(campaign.message_class) if campaign else None
        name = campaign.id if campaign and campaign.message_class != PROXY else text.did
        own = self._directory().settings["texts.per_number_per_minute"]
        per_minute = int(rule.value["per_minute"]) if rule else own
        self._paced_as[text.did] = name
        bucket = self._buckets.setdefault(name, Bucket(per_minute))
        bucket.per_minute = per_minute
        return name, bucket

    def _paced(self, now_us: int) -> list[str]:
        """Numbers of ours that have to wait."""
        return [did for did, name in self._paced_as.items() if self._buckets[name].wait_us(now_us)]

    # -- sending -------------------------------------------------------------------------------------

    async def _carry(self, text: Text, transport: SmsTransport, judged: Judged) -> None:
        came = await self._send(text, transport, judged)
        while True:  # it was sent: what came of it must be noted, however long the store is away
            try:
                async with self._store.write(ENGINE) as work:
                    changed = await self._note(work, text, came, transport.repeatable)
                break
            except StoreRefused as refused:
                log.warning("texts.not_noted", text=text.id, why=refused.message)
                await asyncio.sleep(RETRY_S)
        if changed is not None:
            self._told(*changed)

    async def _send(self, text: Text, transport: SmsTransport, judged: Judged) -> Sent:
        outgoing = OutgoingText(
            message_id=text.id,
            sender=text.did,
            receiver=text.customer_number,
            body=text.body,
            encoding=text.encoding,
            segments=text.segments,
            media=tuple(
                Media(each.content_type, each.name, self._files.path(each), id=each.id) for each in text.attachments
            ),
            campaign=judged.campaign.registry_id if judged.campaign else "",
        )
        if outgoing.media and not transport.carries_media:
            return Refused("no_media", "This transport carries no pictures or files. Send the text without.", True)
        try:
            return await asyncio.wait_for(transport.send(outgoing), SEND_WITHIN_S)
        except Exception as error:
            log.exception("texts.transport_failed", text=text.id)
            return Uncertain("transport_failed", f"The transport broke while it sent: {type(error).__name__}.")

    async def _note(
        self, work: UnitOfWork, text: Text, came: Sent, repeatable: bool
    ) -> tuple[Text, Conversation] | None:
        match came:
            case Accepted(provider_id, part_ids):
                return await text_outbox.sent(work, text.id, provider_id, part_ids)
            case Refused(code, sentence, permanent, retry_after_s):
                if permanent:
                    return await text_outbox.fail(work, text.id, code, sentence)
                return await self._again(work, text, code, sentence, retry_after_s)
            case Uncertain(code, sentence):
                if repeatable:
                    return await self._again(work, text, code, sentence, None)
                return await text_outbox.fail(work, text.id, code, f"{sentence} {_UNKNOWN}", "unknown")

    async def _again(
        self, work: UnitOfWork, text: Text, code: str, sentence: str, retry_after_s: float | None
    ) -> tuple[Text, Conversation] | None:
        """With growing waits; ``text.tries`` is from before this try."""
        wait_us = int(max(pace.wait_before(text.tries + 2).total_seconds(), retry_after_s or 0) * 1e6)
        return await self._put_off(work, text, wait_us, code, sentence)

    # -- after a death -------------------------------------------------------------------------------

    async def _settle(self) -> None:
        """What an earlier run of this name left, also what the store took from it after it had died; and what another
        worker left whose lease is over."""
        self._settled_us = self._store.clock()
        changed, safe = [], self._transports.repeatable()
        async with self._store.write(ENGINE) as work:
            for text in await text_outbox.abandoned(work, self._worker):
                if text.id in self._in_hand:
                    continue
                if text.transport_id in safe:
                    changed.append(await text_outbox.put_off(work, text.id, "queued", work.at_us, None, None))
                else:
                    changed.append(await text_outbox.fail(work, text.id, "outcome_unknown", _UNKNOWN, "unknown"))
        for each in filter(None, changed):
            self._told(*each)


def _intent(text: Text, at_us: int) -> Intent:
    """As it was accepted, at this moment."""
    user_id = "" if text.author.startswith("auto:") else text.user_id or ""
    return Intent(user_id, text.did, text.customer_number, text.body, at_us, bool(text.attachments))
