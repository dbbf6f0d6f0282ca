"""Random walks through conferences on the real Asterisk; after every step every ear is checked by tones.

A guest is a colleague or somebody outside; while one is rung, everything else goes on. What a guest or the last user
may not do is tried as well, and changes nothing. A few walks in each test run; ``SWITCHHOOK_WALKS=300`` takes as many
as wanted, ``SWITCHHOOK_WALK_SEED`` begins elsewhere.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from functools import partial
from random import Random
from typing import Any

import pytest

from crm.errors import Refused
from pbx.core.events import Ask, PartyAsk
from tests.live.stage import Outside, Rep, Scene
from tests.live.test_conference import CUSTOMER, EXPERT, GUEST, HOST, MUSIC, heard
from tests.support.sip_call import Call
from tests.support.waiting import until

WALKS, STEPS = int(os.environ.get("SWITCHHOOK_WALKS", "3")), 9
SEED = int(os.environ.get("SWITCHHOOK_WALK_SEED", "1"))
TONES = {"ann": HOST, "ben": GUEST, "customer": CUSTOMER, "expert": EXPERT}
Act = Callable[[], Coroutine[Any, Any, None]]
Step = tuple[str, Act]


class Walk:
    """What should be, beside what is: who is there, who is rung, who is host, who hears music."""

    def __init__(self, scene: Scene, ann: Rep, ben: Rep, random: Random) -> None:
        self.scene, self.random = scene, random
        self.reps = {"ann": ann, "ben": ben}
        self.expert: Outside = scene.outside(tone=EXPERT)
        self.calls: dict[str, Call] = {}
        self.rung: tuple[str, Call] | None = None
        self.held: set[str] = set()  # by the host
        self.holding: set[str] = set()  # whose own phone holds
        self.host = "ann"
        self.call_id = ""
        self.story: list[str] = []

    async def begin(self) -> None:
        customer = self.scene.outside(tone=CUSTOMER)
        self.calls["customer"] = await customer.call(self.reps["ann"].did)
        self.calls["ann"] = await self.reps["ann"].phone.incoming()
        await self.pick_up("ann", self.calls["ann"])
        await self.calls["customer"].until_answered()
        self.call_id = await self.scene.live_call(self.reps["ann"])

    async def pick_up(self, who: str, call: Call) -> None:
        await call.answer()
        call.say(TONES[who])

    @property
    def guest(self) -> str | None:
        return next((who for who in self.calls if who not in (self.host, "customer")), None)

    @property
    def now(self) -> dict[str, Any]:
        return dict(self.scene.stack.engine.records.get(self.call_id).now.view())  # type: ignore[union-attr]

    @property
    def held_by_phone(self) -> set[str]:
        return {each["leg"] for each in self.now["held"] if each["by"] == "phone"}

    def possible(self) -> list[Step]:
        steps: list[Step] = [
            (f"hold or take back {who}", partial(self.hold, who)) for who in self.calls if who != self.host
        ]
        steps += [
            (f"the phone of {who} holds or is back", partial(self.hold_by_phone, who))
            for who in self.calls
            if who not in self.held or who in self.holding
        ]
        if len(self.calls) == 3:
            return steps + self.with_three()
        if self.rung is not None:
            return steps + self.while_ringing(self.rung[0])
        if self.guest is not None:
            return steps
        absent = [who for who in (*self.reps, "expert") if who not in self.calls]
        return steps + [(f"invite {who}", partial(self.invite, who)) for who in absent] * 2

    def with_three(self) -> list[Step]:
        assert self.guest is not None
        steps: list[Step] = [(f"drop {who}", partial(self.drop, who)) for who in self.calls if who != self.host]
        may_leave = [who for who in self.calls if who != self.host or self.guest in self.reps]
        steps += [(f"{who} leaves", partial(self.leave, who)) for who in may_leave]
        return [*steps, (f"{self.guest} or the last user tries what may not be", self.try_in_vain)]

    def while_ringing(self, who: str) -> list[Step]:
        return [
            *[(f"{who} answers", partial(self.answer))] * 2,
            (f"{who} declines", partial(self.decline)),
            (f"the host no longer invites {who}", partial(self.cancel)),
        ]

    async def step(self) -> None:
        name, act = self.random.choice(self.possible())
        self.story.append(name)
        await act()
        await self.every_ear()

    async def every_ear(self) -> None:
        """But of phones that hold: nothing is sent there."""
        ears = self.calls.keys() - self.holding
        await asyncio.gather(*(heard(self.calls[who], *self.should_hear(who)) for who in ears))

    def should_hear(self, who: str) -> set[int]:
        """Who is alone with phones that hold hears music; a conference talks on without them."""
        others = self.calls.keys() - self.held - {who}
        if who in self.held or (others and others <= self.holding):
            return MUSIC
        return {TONES[other] for other in others - self.holding}

    def user(self, who: str) -> str:
        return self.reps[who].id

    def legs(self, who: str) -> list[str]:
        """One, or none."""
        legs = self.scene.stack.engine.records.get(self.call_id).legs.values()  # type: ignore[union-attr]
        there = [leg for leg in legs if leg["answered_us"] and not leg["ended_us"]]
        if who in self.reps:
            return [leg["id"] for leg in there if leg["user_id"] == self.user(who)]
        outside = [leg for leg in there if not leg["user_id"]]
        return [leg["id"] for leg in outside if (leg["role"] == "customer") is (who == "customer")]

    def leg(self, who: str) -> str:
        (leg,) = self.legs(who)
        return leg

    def ask(self, ask: Ask, by: str) -> None:
        self.scene.stack.control.ask(self.call_id, ask, self.user(by))

    def ask_party(self, ask: PartyAsk, who: str, by: str) -> None:
        self.scene.stack.control.ask_party(self.call_id, ask, self.leg(who), self.user(by))

    # -- steps ------------------------------------------------------------------------------------

    async def hold(self, who: str) -> None:
        ask = PartyAsk.UNHOLD if who in self.held else PartyAsk.HOLD
        self.held ^= {who}
        self.ask_party(ask, who, self.host)

    async def drop(self, who: str) -> None:
        self.ask_party(PartyAsk.KICK, who, self.host)
        await self.gone(who)

    async def leave(self, who: str) -> None:
        guest = self.guest
        if who in self.reps and self.random.random() < 0.5:
            self.ask(Ask.LEAVE, who)
        else:
            await self.calls[who].hang_up()
        if who == self.host and guest is not None:
            self.host = guest
            self.held.discard(guest)
        await self.gone(who)

    async def gone(self, who: str) -> None:
        """The engine hears of a phone that hung up a little after the phone has its answer."""
        await self.calls.pop(who).until_ended()
        self.held.discard(who)
        self.holding.discard(who)
        await until(lambda: not self.legs(who), 6, f"the engine to know that {who} has gone")

    async def hold_by_phone(self, who: str) -> None:
        self.holding ^= {who}
        await (self.calls[who].hold() if who in self.holding else self.calls[who].resume())
        await until(
            lambda: (self.leg(who) in self.held_by_phone) is (who in self.holding), 6, "the engine to know of the phone"
        )

    async def try_in_vain(self) -> None:
        guest = self.guest
        by = guest if guest in self.reps else self.host
        attempts: list[Callable[[], Any]] = [lambda: self.ask(Ask.LEAVE, by)]  # the last user would leave two outside
        if guest in self.reps:
            attempts = [
                lambda: self.ask(Ask.HANG_UP, by),
                lambda: self.ask_party(PartyAsk.KICK, "customer", by),
                lambda: self.ask_party(PartyAsk.HOLD, self.host, by),
                lambda: self.scene.stack.control.invite(self.call_id, self.user(by), number=self.expert.number),
            ]
        for attempt in attempts:
            with pytest.raises(Refused):
                attempt()

    async def invite(self, who: str) -> None:
        whom = {"user": self.user(who)} if who in self.reps else {"number": self.expert.number}
        self.scene.stack.control.invite(self.call_id, self.user(self.host), **whom)
        phone = self.reps[who].phone if who in self.reps else self.expert
        self.rung = who, await phone.incoming()

    async def answer(self) -> None:
        (who, call), self.rung = self.rung_now(), None
        await self.pick_up(who, call)
        self.calls[who] = call
        await until(lambda: self.now["guest_leg"], 6, "the guest to be in the call: its phone has said so before")

    async def decline(self) -> None:
        (_, call), self.rung = self.rung_now(), None
        call.reject(603)
        await self.invite_is_over("declined")

    async def cancel(self) -> None:
        self.ask(Ask.CANCEL_INVITE, self.host)
        (_, call), self.rung = self.rung_now(), None
        await call.until_ended()
        await self.invite_is_over("cancelled")

    async def invite_is_over(self, result: str) -> None:
        await until(lambda: not self.now["invite"], 6, "the invitation to be over")
        assert self.now["last_invite"]["result"] == result

    def rung_now(self) -> tuple[str, Call]:
        assert self.rung is not None
        return self.rung

    # -- the end ----------------------------------------------------------------------------------

    async def end(self) -> None:
        """For all by the host, or, where two are left, by either of them; who is still rung then stops ringing."""
        ways: list[Callable[[], Any]] = [partial(self.ask, Ask.HANG_UP, self.host)]
        if len(self.calls) == 2:
            ways += [partial(self.ask, Ask.LEAVE, self.host), *(call.hang_up for call in self.calls.values())]
        ending = self.random.choice(ways)()
        if ending is not None:
            await ending
        rung = [self.rung[1]] if self.rung is not None else []
        await asyncio.gather(*(call.until_ended() for call in (*self.calls.values(), *rung)))


@pytest.mark.covers("C1", "C2", "C3", "C4", "C6", "C7", "C8", "C9", "C10", "C11", "C12")
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
