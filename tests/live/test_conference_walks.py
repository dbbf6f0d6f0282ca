"""Random walks through conferences on the real Asterisk; after every step every ear is checked by tones.

A few walks in each test run; ``SWITCHHOOK_WALKS=300`` takes as many as wanted, ``SWITCHHOOK_WALK_SEED`` begins
elsewhere.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

import pytest

from pbx.core.events import Ask, PartyAsk
from tests.live.stage import Rep, Scene
from tests.live.test_conference import CUSTOMER, GUEST, HOST, MUSIC, heard
from tests.support.sip_call import Call

WALKS, STEPS = int(os.environ.get("SWITCHHOOK_WALKS", "3")), 9
SEED = int(os.environ.get("SWITCHHOOK_WALK_SEED", "1"))
TONES = {"ann": HOST, "ben": GUEST, "customer": CUSTOMER}
Step = tuple[str, Callable[[], Coroutine[Any, Any, None]]]


class Walk:
    """What should be, beside what is: who is there, who is host, who hears music."""

    def __init__(self, scene: Scene, ann: Rep, ben: Rep, random: Random) -> None:
        self.scene, self.random = scene, random
        self.reps = {"ann": ann, "ben": ben}
        self.calls: dict[str, Call] = {}
        self.held: set[str] = set()
        self.host = "ann"
        self.call_id = ""
        self.story: list[str] = []

    async def begin(self) -> None:
        customer = self.scene.outside(tone=CUSTOMER)
        self.calls["customer"] = await customer.call(self.reps["ann"].did)
        self.calls["ann"] = await self.picked_up("ann")
        await self.calls["customer"].until_answered()
        self.call_id = await self.scene.live_call(self.reps["ann"])

    async def picked_up(self, who: str) -> Call:
        call = await self.reps[who].phone.incoming()
        await call.answer()
        call.say(TONES[who])
        return call

    @property
    def guest(self) -> str | None:
        return next((who for who in self.calls if who in self.reps and who != self.host), None)

    def possible(self) -> list[Step]:
        others = [who for who in self.calls if who != self.host]
        steps: list[Step] = []
        for who in others:
            steps.append((f"hold or take back {who}", lambda who=who: self.hold(who)))  # type: ignore[misc]
        if len(self.calls) == 3:
            steps += [(f"drop {who}", lambda who=who: self.drop(who)) for who in others]  # type: ignore[misc]
            steps += [(f"{who} leaves", lambda who=who: self.leave(who)) for who in self.calls]  # type: ignore[misc]
        elif self.guest is None:
            steps += [("invite", self.invite)] * 3
        return steps

    async def step(self) -> None:
        name, act = self.random.choice(self.possible())
        self.story.append(name)
        await act()
        await self.every_ear()

    async def every_ear(self) -> None:
        talking = {who for who in self.calls if who not in self.held}
        hears = {who: MUSIC if who in self.held else {TONES[other] for other in talking - {who}} for who in self.calls}
        await asyncio.gather(*(heard(self.calls[who], *tones) for who, tones in hears.items()))

    def leg(self, who: str) -> str:
        legs = self.scene.stack.engine.records.get(self.call_id).legs.values()  # type: ignore[union-attr]
        user = self.reps[who].id if who in self.reps else None
        return str(
            next(leg["id"] for leg in legs if leg["user_id"] == user and leg["answered_us"] and not leg["ended_us"])
        )

    async def hold(self, who: str) -> None:
        ask = PartyAsk.UNHOLD if who in self.held else PartyAsk.HOLD
        self.held ^= {who}
        self.scene.stack.control.ask_party(self.call_id, ask, self.leg(who), self.reps[self.host].id)

    async def drop(self, who: str) -> None:
        self.scene.stack.control.ask_party(self.call_id, PartyAsk.KICK, self.leg(who), self.reps[self.host].id)
        await self.gone(who)

    async def leave(self, who: str) -> None:
        guest = self.guest
        if who in self.reps and self.random.random() < 0.5:
            self.scene.stack.control.ask(self.call_id, Ask.LEAVE, self.reps[who].id)
        else:
            await self.calls[who].hang_up()
        if who == self.host and guest is not None:
            self.host = guest
            self.held.discard(guest)
        await self.gone(who)

    async def gone(self, who: str) -> None:
        await self.calls.pop(who).until_ended()
        self.held.discard(who)

    async def invite(self) -> None:
        who = "ben" if self.host == "ann" else "ann"
        self.scene.stack.control.invite(self.call_id, self.reps[self.host].id, user=self.reps[who].id)
        self.calls[who] = await self.picked_up(who)

    async def end(self) -> None:
        self.scene.stack.control.ask(self.call_id, Ask.HANG_UP, self.reps[self.host].id)
        await asyncio.gather(*(call.until_ended() for call in self.calls.values()))


@pytest.mark.covers("C1", "C2", "C6", "C7", "C8", "C9", "C10", "C12")
@pytest.mark.parametrize("seed", range(SEED, SEED + WALKS))
async def test_every_ear_hears_who_it_should_wherever_the_walk_goes(scene: Scene, seed: int) -> None:
    ann, ben = await scene.rep(), await scene.rep()
    walk = Walk(scene, ann, ben, Random(seed))
    await walk.begin()
    try:
        await walk.every_ear()
        for _ in range(STEPS):
            await walk.step()
    except Exception as error:
        raise AssertionError(f"seed {seed}, after: {', '.join(walk.story)}") from error
    await walk.end()
    row, sound = await scene.stack.recorded(walk.call_id)
    assert row.state == "ready" and sound.count == 2, row
