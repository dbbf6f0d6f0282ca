"""The engine is killed at random moments under calls in every state (P1, TRUST 1)."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import select

from bench.figures import at_most
from crm.models.calls import Call as CallRow
from crm.models.calls import CallEvent, Leg
from pbx import bootstrap
from tests.live.stage import PROMPTS, Outside, Rep, Scene, Stack
from tests.support.killable_engine import KillableEngine, with_patience
from tests.support.sip_call import Call, CallState
from tests.support.tones import tone_gaps
from tests.support.trust import Measured
from tests.support.waiting import Deadline, Missed, Stopwatch, until

pytestmark = [pytest.mark.covers("P1", "TRUST1"), pytest.mark.timeout(240)]

DEATHS = 20
LONGEST_GAP_S = 0.06
CONTROL_WITHIN_S = 3.0


@dataclass
class Talk:
    """Two people who talk while engines come and go."""

    rep: Rep
    customer: Outside
    theirs: Call
    ours: Call
    since: float = field(default_factory=time.monotonic)

    @property
    def ears(self) -> tuple[tuple[Call, float], tuple[Call, float]]:
        return (self.ours, self.customer.tone), (self.theirs, 540.0)

    def gaps(self, deaths: Sequence[float], ended: float, metronome: Metronome) -> Iterator[float]:
        """How long the tone was missing in either ear, around each death of an engine."""
        for call, tone in self.ears:
            for died in deaths:
                start, end = died - 0.3, min(died + 2.5, ended)
                for gap in tone_gaps(call.heard_between(start, end), tone, at_least=0.02):
                    if not metronome.stood_still(start + gap.start, start + gap.end):
                        yield gap.length

    @property
    def stands(self) -> bool:
        return self.theirs.state is self.ours.state is CallState.ANSWERED


@pytest.fixture
async def scene(broken: Scene) -> AsyncIterator[Scene]:
    yield broken


@contextlib.asynccontextmanager
async def outside_process(scene: Scene, *, forked: bool) -> AsyncIterator[KillableEngine]:
    """The stage's own engine hands over to one that can be killed, and takes over again at the end."""
    stack = scene.stack
    admin = await scene.rep(phones=0, number=False, role="admin")
    secret = await KillableEngine.token(stack.change, admin.id)
    engine = KillableEngine(stack.config, secret, forked=forked)
    await stack.engine.stop()
    await engine.start()
    try:
        yield engine
    finally:
        await engine.stop()
        stack.engine = await bootstrap.open_engine(stack.config)
        await stack.engine.start()
        await stack.engine.until_linked()


async def talk(scene: Scene, rep: Rep, number: int) -> Talk:
    customer = scene.outside(tone=800 + 20 * (number % 10))
    rep.phone.will_answer()
    theirs = await customer.call(rep.did)
    ours = await rep.phone.incoming()
    await theirs.until_answered()
    return Talk(rep, customer, theirs, ours)


async def hears(call: Call, tone: float, within: float) -> None:
    """As :meth:`Call.until_hears`, looking less often: many listen here at once."""
    await until(lambda: call.hears(tone), within, f"{call.phone.user} to hear {tone:g} Hz", every=0.2)


class Metronome:
    """Knows when this very process stood still: what was not said then was nobody else's fault."""

    def __init__(self) -> None:
        self.stalls: list[tuple[float, float]] = []

    async def __aenter__(self) -> Metronome:
        self._task = asyncio.create_task(self._beat())
        return self

    async def __aexit__(self, *error: object) -> None:
        self._task.cancel()

    @property
    def stood(self) -> float:
        return sum(until - since for since, until in self.stalls)

    async def _beat(self) -> None:
        before = time.monotonic()
        while True:
            await asyncio.sleep(0.01)
            now = time.monotonic()
            if now - before > 0.05:
                self.stalls.append((before, now))
            before = now

    def stood_still(self, start: float, end: float) -> bool:
        return any(start - 0.3 < until and since < end + 0.3 for since, until in self.stalls)


# -- people who come and go meanwhile -------------------------------------------------------------------


class Traffic:
    """Calls of every kind, one after another, until they shall stop; whoever talks may not be cut off."""

    def __init__(self, scene: Scene, seed: int) -> None:
        self.scene = scene
        self.random = random.Random(seed)
        self.over = False
        self.dropped: list[str] = []
        self.numbers: list[str] = []
        self.rang: list[str] = []
        self.answered = 0

    def person(self, tone: float | None = 900) -> Outside:
        person = self.scene.outside(tone=tone)  # type: ignore[arg-type]
        self.numbers.append(person.number)
        return person

    async def run(self, story: Callable[[Rep], Awaitable[None]], rep: Rep) -> None:
        """An engine that is away may disappoint a caller, but must not lose what has been answered."""
        while not self.over:
            with contextlib.suppress(Missed):
                await story(rep)
            await asyncio.sleep(self.random.uniform(0.05, 0.5))

    async def talk(self, what: str, *calls: Call) -> None:
        self.answered += 1
        await asyncio.sleep(self.random.uniform(0.3, 2.5))
        if not all(call.state is CallState.ANSWERED for call in calls):
            self.dropped.append(what)
        await self.random.choice(calls).hang_up()
        await asyncio.gather(*(call.until_ended(8) for call in calls))

    async def rings(self, rep: Rep, call: Call) -> Call:
        """The user's phone rings for this call, not late for one before it."""
        ring = await rep.phone.incoming(4)
        while ring.caller_number != call.caller.user:
            ring = await rep.phone.incoming(4)
        self.rang.append(call.caller.user)
        return ring

    async def answers(self, rep: Rep) -> None:
        call = await self.person().call(rep.did)
        try:
            ring = await self.rings(rep, call)
            await asyncio.sleep(self.random.uniform(0, 1))
            await ring.answer()
            await call.until_answered(6)
            await hears(call, 540, 4)
            await self.talk(f"inbound {call.dialog.call_id}", call, ring)
        finally:
            await call.hang_up()

    async def gives_up(self, rep: Rep) -> None:
        call = await self.person().call(rep.did)
        try:
            await self.rings(rep, call)
            await asyncio.sleep(self.random.uniform(0, 2))
        finally:
            await call.hang_up()

    async def dials(self, rep: Rep) -> None:
        customer = self.person()
        customer.will_answer(self.random.uniform(0.1, 1))
        call = await rep.phone.call(customer.number)
        try:
            theirs = await customer.incoming(3)
            self.rang.append(customer.number)
            await hears(theirs, 540, 6)
            await self.talk(f"outbound {call.dialog.call_id}", call, theirs)
        finally:
            await call.hang_up()

    async def is_forwarded(self, rep: Rep) -> None:
        mobile = self.scene.stack.carrier.people[rep.user.forwarding_number or ""]
        call = await self.person().call(rep.did)
        try:
            ring = await mobile.incoming(4)
            await asyncio.sleep(self.random.uniform(0, 1))
            await ring.answer()
            await hears(ring, PROMPTS["accept-forward"], 6)
            await ring.press("1")
            await hears(call, mobile.tone, 6)
            await self.talk(f"forwarded {call.dialog.call_id}", call, ring)
        finally:
            await call.hang_up()

    async def leaves_a_message(self, rep: Rep) -> None:
        call = await self.person(None).call(rep.did)
        try:
            await hears(call, PROMPTS["beep"], 6)
            call.say(940)
            await asyncio.sleep(self.random.uniform(1.2, 2.5))
        finally:
            await call.hang_up()


async def people(scene: Scene, traffic: Traffic) -> list[asyncio.Task[None]]:
    mobile = scene.outside(tone=900, number="+12065550199")
    reps = [await scene.rep(ring_time_s=15) for _ in range(3)]
    forwarded = await scene.rep(phones=0, forwarding_number=mobile.number)
    voicemail = await scene.rep(phones=0, voicemail_enabled=True)
    stories = [traffic.answers, traffic.gives_up, traffic.dials]
    pairs = [*zip(stories, reps, strict=True), (traffic.is_forwarded, forwarded), (traffic.leaves_a_message, voicemail)]
    return [asyncio.create_task(traffic.run(story, rep)) for story, rep in pairs]


# -- the rows ------------------------------------------------------------------------------------------------


async def rows_of(stack: Stack, number: str) -> Sequence[Any]:
    async with stack.engine.store.read() as session:
        found = await session.execute(select(CallRow).where(CallRow.customer_number == number))
        return list(found.scalars())


async def check_rows(stack: Stack, numbers: Sequence[str], perhaps: Sequence[str]) -> int:
    """Each call stands in the log once, has ended with all its legs, and its events are numbered without gaps. Gives
    the number of rows that were lost or doubled.

    ``perhaps`` are callers of whom some were gone before any engine had heard of them.
    """
    deadline = Deadline(15)
    wrong: Any = numbers
    while wrong and not deadline.over:
        await stack.engine.projector.flush()
        counted = {number: len(await rows_of(stack, number)) for number in numbers}
        wrong = {number: count for number, count in counted.items() if count != 1}
        await asyncio.sleep(0.2)
    counted = {number: len(await rows_of(stack, number)) for number in perhaps}
    faults = len(wrong) + sum(count > 1 for count in counted.values())
    assert not faults, (wrong, counted)
    print(f"{len(counted)} calls, of {list(counted.values()).count(0)} no engine ever heard")
    async with stack.engine.store.read() as session:
        assert not list((await session.execute(select(CallRow.id).where(CallRow.ended_us.is_(None)))).scalars())
        assert not list((await session.execute(select(Leg.id).where(Leg.ended_us.is_(None)))).scalars())
        events = (await session.execute(select(CallEvent.call_id, CallEvent.seq, CallEvent.kind))).all()
    by_call: dict[str, list[tuple[int, str]]] = {}
    for call, seq, kind in events:
        by_call.setdefault(call, []).append((seq, kind))
    for call, its in by_call.items():
        assert sorted(seq for seq, _ in its) == list(range(1, len(its) + 1)), call
        kinds = [kind for _, kind in its]
        assert kinds.count("call.created") == kinds.count("call.ended") == 1, (call, kinds)
    return faults


@pytest.mark.trust(1)
async def test_twenty_engines_die_at_random_moments_and_nobody_notices(scene: Scene, measured: Measured) -> None:
    traffic = Traffic(scene, seed := random.randrange(10**6))
    print(f"seed {seed}")
    reps = [await scene.rep() for _ in range(3)]
    talks = [await talk(scene, rep, number) for number, rep in enumerate(reps)]
    running = await people(scene, traffic)
    deaths: list[float] = []
    async with outside_process(scene, forked=True) as engine, Metronome() as metronome:
        took, watch = [], Stopwatch()
        for _ in range(DEATHS):
            await asyncio.sleep(traffic.random.uniform(0.02, 2))
            deaths.append(time.monotonic())
            took.append(await engine.die())
        traffic.over = True
        await asyncio.wait(running)
        assert all(each.stands for each in talks), "people who talked were cut off"
        ended = time.monotonic()
        for each in talks[:2]:
            await controlled(engine, each)
    print(f"control again after {sorted(round(each, 2) for each in took)} s, {traffic.answered} answered meanwhile")
    gaps = [gap for each in talks for gap in each.gaps(deaths, ended, metronome)]
    print(f"longest gaps {sorted(gaps)[-8:]}, own stalls {metronome.stood:.1f} s of {ended - deaths[0]:.0f}")
    assert max(gaps, default=0) <= LONGEST_GAP_S * watch.slowness
    assert not traffic.dropped
    await asyncio.gather(*(each.theirs.hang_up() for each in talks[2:]))
    await scene.stack.until_nothing_left(25)  # the dialplan asks a forwarding number three times to press a key
    certain = [*traffic.rang, *(each.customer.number for each in talks)]
    faults = await check_rows(scene.stack, certain, traffic.numbers)
    measured(at_most(f"calls dropped by {len(deaths)} kills", len(traffic.dropped), "calls", 0))
    measured(at_most(f"rows lost or doubled, of {len(traffic.numbers)} calls", faults, "rows", 0))


async def controlled(engine: KillableEngine, each: Talk) -> None:
    """Muted, unmuted, paused, resumed and hung up by API, as any call."""
    answer = await with_patience(lambda: engine.ask("GET", f"/calls?user={each.rep.id}"))
    call_id = answer["items"][0]["id"]
    for word in ("mute", "unmute", "recording/pause", "recording/resume"):
        await with_patience(lambda word=word: engine.ask("POST", f"/calls/{call_id}/{word}"))  # type: ignore[misc]
        if word == "mute":
            await each.theirs.until_stops_hearing(540)
    await each.theirs.until_hears(540)
    await with_patience(lambda: engine.ask("POST", f"/calls/{call_id}/hangup"))
    await asyncio.gather(each.theirs.until_ended(), each.ours.until_ended())


MANY = 50


@pytest.mark.alone
@pytest.mark.trust(1)
async def test_the_next_engine_is_in_control_of_fifty_calls_within_three_seconds(
    scene: Scene, measured: Measured
) -> None:
    """One that stands by, as the supervisor has it. Five of the calls are listened to."""
    reps = [await scene.rep() for _ in range(MANY)]
    talks = [await talk(scene, rep, number) for number, rep in enumerate(reps)]
    for each in talks[5:]:
        each.theirs.say(None)
        each.ours.say(None)
    async with outside_process(scene, forked=False) as engine, Metronome() as metronome:
        await engine.until_one_stands_by()
        died, watch = time.monotonic(), Stopwatch()
        took = await engine.die()
        await asyncio.sleep(max(0.0, died + 2.5 - time.monotonic()))
        assert all(each.stands for each in talks), "people who talked were cut off"
        gaps = [gap for each in talks[:5] for gap in each.gaps([died], time.monotonic(), metronome)]
        await controlled(engine, talks[0])
        print(
            f"control again after {took:.2f} s, longest gap {max(gaps, default=0):.2f} s, stalls {metronome.stood:.0f}"
        )
    measured(at_most(f"control again, {len(talks)} calls", took, "s", CONTROL_WITHIN_S))
    assert max(gaps, default=0) <= LONGEST_GAP_S * watch.slowness
    assert len(scene.stack.engine.calls) == len(talks) - 1
    for each in talks[1:]:
        await each.theirs.hang_up()
    await scene.stack.until_nothing_left(10)
    await check_rows(scene.stack, [each.customer.number for each in talks], [])
