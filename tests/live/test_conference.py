"""Three in a conversation, by API and by keys: what each of them hears, measured by tones (C1 to C13)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest

from crm.errors import Refused
from crm.services import groups, summaries
from pbx.core.events import Ask, Direction, PartyAsk
from pbx.services.hub import Listener
from prompts.music import MUSIC_TONES
from tests.live.stage import Outside, Rep, Scene, facts
from tests.support.sip_call import Call
from tests.support.tones import describe, read_sound, tone_gaps, tone_level_dbfs, tones_in
from tests.support.waiting import Missed, Signal, Stopwatch, until

HOST, GUEST, CUSTOMER, EXPERT, PRIVATE = 540, 620, 820, 940, 700
KNOWN = [HOST, GUEST, CUSTOMER, EXPERT, *MUSIC_TONES]
MUSIC = set(MUSIC_TONES)
SOUNDING_DBFS = -45.0


@dataclass
class Table:
    """A host and a customer who talk, and a colleague who can be invited."""

    scene: Scene
    host: Rep
    guest: Rep
    outside: Outside
    at_host: Call
    at_customer: Call
    call_id: str
    at_guest: Call | None = None
    others: list[Call] = field(default_factory=list)

    @property
    def control(self) -> Any:
        return self.scene.stack.control

    @property
    def now(self) -> dict[str, Any]:
        return self.scene.stack.engine.records.get(self.call_id).now.view()

    def leg(self, role: str) -> str:
        legs = self.scene.stack.engine.records.get(self.call_id).legs.values()
        return next(leg["id"] for leg in legs if leg["role"] == role and leg["answered_us"] and not leg["ended_us"])

    def invite(self, by: Rep | None = None, **whom: str) -> None:
        self.control.invite(self.call_id, (by or self.host).id, **whom)

    def ask(self, ask: Ask, by: Rep | None = None) -> None:
        self.control.ask(self.call_id, ask, (by or self.host).id)

    def party(self, ask: PartyAsk, role: str, by: Rep | None = None) -> None:
        self.control.ask_party(self.call_id, ask, self.leg(role), (by or self.host).id)

    async def guest_joins(self) -> Call:
        self.invite(user=self.guest.id)
        self.at_guest = await self.guest.phone.incoming()
        await self.at_guest.answer()
        self.at_guest.say(GUEST)
        await until(lambda: self.now["guest_leg"], 6, "the guest to be in the call: its phone has said so before")
        return self.at_guest


async def heard(call: Call, *tones: float, among: list[float] = KNOWN) -> None:
    """These tones and none of the others, soon."""
    wanted = set(tones)
    await Signal().until(
        lambda: _sounding(call, among) == wanted,
        6,
        lambda: f"Should hear {sorted(wanted)}, hears {describe(call.heard(0.5))}",
        every=0.1,
    )


def _sounding(call: Call, among: list[float]) -> set[float]:
    """Cheaper than looking where each begins and ends: the voices are made by the same process."""
    samples = call.heard(0.5)
    return {tone for tone in among if tone_level_dbfs(samples, tone) > SOUNDING_DBFS}


async def everybody_hears(table: Table) -> None:
    assert table.at_guest is not None
    await asyncio.gather(
        heard(table.at_host, CUSTOMER, GUEST),
        heard(table.at_customer, HOST, GUEST),
        heard(table.at_guest, HOST, CUSTOMER),
    )


@pytest.fixture
async def table(scene: Scene) -> AsyncIterator[Table]:
    host, guest = await scene.rep(), await scene.rep(phones=1)
    outside = scene.outside(tone=CUSTOMER)
    at_customer = await outside.call(host.did)
    at_host = await host.phone.incoming()
    await at_host.answer()
    await at_customer.until_answered()
    await asyncio.gather(at_host.until_hears(CUSTOMER), at_customer.until_hears(HOST))
    yield Table(scene, host, guest, outside, at_host, at_customer, await scene.live_call(host))


@pytest.mark.covers("C1", "C3", "C4", "C12", "C13")
async def test_a_colleague_joins_and_all_three_hear_each_other(table: Table) -> None:
    await table.guest_joins()
    await everybody_hears(table)
    assert table.now["guest_leg"] == table.leg("guest")
    table.ask(Ask.HANG_UP)
    await asyncio.gather(*(call.until_ended() for call in (table.at_host, table.at_customer, table.at_guest)))  # type: ignore[union-attr]
    people = await table.scene.stack.participants(table.call_id)
    assert [(each.role, each.user_id) for each in people] == [
        ("host", table.host.id),
        ("customer", None),
        ("guest", table.guest.id),
    ]


@pytest.mark.covers("C1", "C4", "C6")
async def test_ringing_a_guest_interrupts_nobody_and_can_be_cancelled(table: Table) -> None:
    table.invite(user=table.guest.id)
    ringing = await table.guest.phone.incoming()
    assert ringing.caller_number == table.host.did
    await asyncio.gather(heard(table.at_customer, HOST), heard(table.at_host, CUSTOMER))
    with pytest.raises(Refused) as second:
        table.invite(number="+12065550188")
    assert second.value.code == "invite_pending"
    table.ask(Ask.CANCEL_INVITE)
    await ringing.until_ended()
    assert table.now["last_invite"]["result"] == "cancelled"
    table.ask(Ask.HANG_UP)


@pytest.mark.covers("C6")
async def test_each_party_is_held_hears_music_and_is_not_heard(table: Table) -> None:
    await table.guest_joins()
    assert table.at_guest is not None
    table.party(PartyAsk.HOLD, "customer")
    await asyncio.gather(heard(table.at_customer, *MUSIC), heard(table.at_host, GUEST), heard(table.at_guest, HOST))
    table.party(PartyAsk.HOLD, "guest")
    await asyncio.gather(heard(table.at_guest, *MUSIC), heard(table.at_customer, *MUSIC), heard(table.at_host))
    table.party(PartyAsk.UNHOLD, "customer")
    await asyncio.gather(heard(table.at_customer, HOST), heard(table.at_host, CUSTOMER))
    table.party(PartyAsk.UNHOLD, "guest")
    await everybody_hears(table)
    table.ask(Ask.HANG_UP)


@pytest.mark.covers("C6")
async def test_the_customer_waits_with_music_while_the_guest_is_rung(table: Table) -> None:
    table.party(PartyAsk.HOLD, "customer")
    await heard(table.at_customer, *MUSIC)
    await table.guest_joins()
    assert table.at_guest is not None
    await asyncio.gather(heard(table.at_host, GUEST), heard(table.at_guest, HOST), heard(table.at_customer, *MUSIC))
    table.party(PartyAsk.UNHOLD, "customer")
    await everybody_hears(table)
    table.ask(Ask.HANG_UP)


@pytest.mark.covers("C6", "C8")
async def test_who_is_left_with_a_phone_that_holds_hears_music_until_it_is_back(table: Table) -> None:
    """The phone holds while there are three, and the third goes: Asterisk by itself leaves silence."""
    at_guest = await table.guest_joins()
    await everybody_hears(table)
    await table.at_host.hold()
    await asyncio.gather(heard(table.at_customer, GUEST), heard(at_guest, CUSTOMER))
    await at_guest.hang_up()
    await heard(table.at_customer, *MUSIC)
    await table.at_host.resume()
    await asyncio.gather(heard(table.at_customer, HOST), heard(table.at_host, CUSTOMER))
    table.ask(Ask.HANG_UP)


@pytest.mark.covers("C6")
async def test_music_ends_and_begins_as_phones_hold_and_guests_come_and_hold_too(table: Table) -> None:
    await table.at_host.hold()
    await heard(table.at_customer, *MUSIC)
    table.party(PartyAsk.HOLD, "customer")
    await heard(table.at_customer, *MUSIC)
    table.party(PartyAsk.UNHOLD, "customer")
    await heard(table.at_customer, *MUSIC)
    at_guest = await table.guest_joins()
    await asyncio.gather(heard(table.at_customer, GUEST), heard(at_guest, CUSTOMER))
    await at_guest.hold()
    await heard(table.at_customer, *MUSIC)
    await table.at_host.resume()
    await asyncio.gather(heard(table.at_customer, HOST), heard(table.at_host, CUSTOMER))
    table.party(PartyAsk.HOLD, "customer")
    await asyncio.gather(heard(table.at_customer, *MUSIC), heard(table.at_host, *MUSIC))
    await table.at_host.hang_up()
    await heard(table.at_customer, *MUSIC)
    await at_guest.resume()
    table.party(PartyAsk.UNHOLD, "customer", table.guest)
    await asyncio.gather(heard(table.at_customer, GUEST), heard(at_guest, CUSTOMER))
    table.ask(Ask.HANG_UP, table.guest)


@pytest.mark.covers("C7", "C8")
@pytest.mark.parametrize("gone", ["customer", "guest"])
async def test_one_is_dropped_and_the_two_others_talk_on(table: Table, gone: str) -> None:
    await table.guest_joins()
    await everybody_hears(table)
    assert table.at_guest is not None
    table.party(PartyAsk.KICK, gone)
    left, stays, tone = (
        (table.at_customer, table.at_guest, GUEST)
        if gone == "customer"
        else (table.at_guest, table.at_customer, CUSTOMER)
    )
    await left.until_ended()
    await asyncio.gather(heard(stays, HOST), heard(table.at_host, tone))
    await table.at_host.hang_up()
    await stays.until_ended()
    assert (await table.scene.logged(table.host)).row.disposition == "answered"


@pytest.mark.covers("C8", "C9", "C12")
async def test_the_host_hangs_up_and_the_guest_is_host_with_the_hosts_controls(table: Table) -> None:
    await table.guest_joins()
    await everybody_hears(table)
    assert table.at_guest is not None
    await table.at_host.hang_up()
    await asyncio.gather(heard(table.at_customer, GUEST), heard(table.at_guest, CUSTOMER))
    assert table.now["host_leg"] == table.leg("guest") and table.now["guest_leg"] is None
    table.party(PartyAsk.HOLD, "customer", table.guest)
    await heard(table.at_customer, *MUSIC)
    table.party(PartyAsk.UNHOLD, "customer", table.guest)
    await heard(table.at_customer, GUEST)
    await table.at_guest.hang_up()
    await table.at_customer.until_ended()
    logged = await table.scene.logged(table.host)
    assert [change["user_id"] for change in facts(logged, "host.changed")] == [table.guest.id]
    assert len(logged.recordings) == 1 and logged.row.user_id == table.host.id


@pytest.mark.covers("C2", "C3", "C9")
async def test_an_outside_guest_is_called_with_the_hosts_number_and_a_second_after_the_first(table: Table) -> None:
    expert = table.scene.outside(tone=EXPERT)
    table.invite(number=expert.number)
    at_expert = await expert.incoming()
    assert at_expert.caller_number == table.host.did
    await at_expert.answer()
    await asyncio.gather(
        heard(at_expert, HOST, CUSTOMER), heard(table.at_host, CUSTOMER, EXPERT), heard(table.at_customer, HOST, EXPERT)
    )
    assert table.scene.stack.engine.gate.held == 1
    await at_expert.hang_up()
    await heard(table.at_customer, HOST)
    assert table.scene.stack.engine.gate.held == 0
    await table.guest_joins()
    await everybody_hears(table)
    table.ask(Ask.HANG_UP)


@pytest.mark.covers("C9")
async def test_customer_and_outside_guest_go_on_alone_for_as_long_as_the_setting_says(table: Table) -> None:
    expert = table.scene.outside(tone=EXPERT)
    async with table.scene.stack.setting("conference.unattended_max_s", 2):
        table.invite(number=expert.number)
        at_expert = await expert.incoming()
        await at_expert.answer()
        await heard(at_expert, HOST, CUSTOMER)
        table.ask(Ask.LEAVE)
        await table.at_host.until_ended()
        await asyncio.gather(heard(at_expert, CUSTOMER), heard(table.at_customer, EXPERT))
        await asyncio.gather(at_expert.until_ended(), table.at_customer.until_ended())
    assert (await table.scene.logged(table.host)).row.reason == "unattended"


@pytest.mark.covers("C3", "C4")
async def test_a_group_rings_and_its_first_to_answer_is_the_guest(table: Table) -> None:
    second = await table.scene.rep()
    members = [table.guest.user.email, second.user.email, table.host.user.email]
    group = await table.scene.stack.change(
        lambda work: groups.add(work, {"name": f"G{second.did}", "members": members})
    )
    table.invite(group=group.id)
    first_ringing, second_ringing = await asyncio.gather(table.guest.phone.incoming(), second.phone.incoming())
    await second_ringing.answer()
    second_ringing.say(GUEST)
    await first_ringing.until_ended()
    assert "SIP" in (first_ringing.reason_header or "") or first_ringing.cause == 26
    await heard(table.at_customer, HOST, GUEST)
    assert table.scene.stack.engine.persons.of(second.user, Direction.INTERNAL).busy
    table.ask(Ask.HANG_UP)
    await table.at_customer.until_ended()


@pytest.mark.covers("C4", "C5")
@pytest.mark.parametrize(("status", "result"), [(486, "busy"), (603, "declined"), (480, "no_answer")])
async def test_why_a_guest_did_not_come_is_shown(table: Table, status: int, result: str) -> None:
    table.guest.phone.will_reject(status)
    table.invite(user=table.guest.id)
    await table.guest.phone.incoming()
    await until(lambda: table.now["last_invite"], 3, "the end of the invitation")
    assert table.now["last_invite"]["result"] == result
    await heard(table.at_customer, HOST)
    table.ask(Ask.HANG_UP)


@pytest.mark.covers("C11")
async def test_a_guest_may_not_do_what_the_host_may(table: Table) -> None:
    await table.guest_joins()
    await everybody_hears(table)
    for attempt in (
        lambda: table.party(PartyAsk.HOLD, "customer", table.guest),
        lambda: table.party(PartyAsk.KICK, "customer", table.guest),
        lambda: table.ask(Ask.HANG_UP, table.guest),
        lambda: table.invite(table.guest, number="+12065550188"),
        lambda: table.ask(Ask.PAUSE_RECORDING, table.guest),
    ):
        with pytest.raises(Refused) as refused:
            attempt()
        assert refused.value.status == 403
    await everybody_hears(table)
    table.ask(Ask.LEAVE, table.guest)
    assert table.at_guest is not None
    await table.at_guest.until_ended()
    await heard(table.at_customer, HOST)
    table.ask(Ask.HANG_UP)


@pytest.mark.covers("C6", "C7", "C10")
async def test_a_desk_phone_does_it_all_by_keys(table: Table) -> None:
    expert = table.scene.outside(tone=EXPERT)
    await table.at_host.press(f"**1{expert.number[1:]}#")
    at_expert = await expert.incoming()
    await at_expert.answer()
    await heard(at_expert, HOST, CUSTOMER)
    await table.at_host.press("**2")
    await asyncio.gather(heard(table.at_customer, *MUSIC), heard(at_expert, HOST))
    await table.at_host.press("**2")
    await heard(table.at_customer, HOST, EXPERT)
    await table.at_host.press("**4")
    await at_expert.until_ended()
    await table.at_host.press("**9")
    assert table.now["host_leg"], "end for all asks once"
    with contextlib.suppress(Missed):  # the call is over before the key is up
        await table.at_host.press("9")
    await asyncio.gather(table.at_host.until_ended(), table.at_customer.until_ended())


# -- the recording ---------------------------------------------------------------------------------


@pytest.mark.covers("C12")
@pytest.mark.parametrize("kept", [True, False], ids=["private words kept", "private words left out"])
async def test_one_recording_from_the_answer_to_the_end_tells_everybody_apart(table: Table, kept: bool) -> None:
    watch = Stopwatch()
    async with table.scene.stack.setting("recording.private_words", kept):
        second = await table.scene.rep()
        outside = table.scene.outside(tone=CUSTOMER)
        at_customer = await outside.call(second.did)
        at_second = await second.phone.incoming()
        await at_second.answer()
        await at_customer.until_answered()
        at_second.say(HOST)
        mine = Table(
            table.scene, second, table.guest, outside, at_second, at_customer, await table.scene.live_call(second)
        )
        await mine.guest_joins()
        await everybody_hears(mine)
        mine.party(PartyAsk.HOLD, "customer")
        await heard(at_customer, *MUSIC)
        at_second.say(PRIVATE)
        await heard(mine.at_guest, PRIVATE, among=[HOST, PRIVATE, CUSTOMER])  # type: ignore[arg-type]
        at_second.say(HOST)
        await heard(mine.at_guest, HOST, among=[HOST, PRIVATE, CUSTOMER])  # type: ignore[arg-type]
        mine.party(PartyAsk.UNHOLD, "customer")
        await heard(at_customer, HOST, GUEST)
        await at_second.hang_up()
        await heard(at_customer, GUEST)
        await at_customer.hang_up()
        await mine.at_guest.until_ended()  # type: ignore[union-attr]
    row, sound = await table.scene.stack.recorded(mine.call_id)
    talk_ms = (await table.scene.stack.show(mine.call_id)).row.talk_ms
    assert row.state == "ready" and abs(row.duration_ms - talk_ms) < 600 * watch.slowness
    everything = [HOST, GUEST, CUSTOMER, PRIVATE]
    assert tones_in(sound.channel(0), everything, sound.rate) == {CUSTOMER}
    ours = {HOST, GUEST, PRIVATE} if kept else {HOST, GUEST}
    apart = read_sound(table.scene.stack.config.recordings / row.tracks_path)
    assert [tones_in(apart.channel(n), everything, apart.rate) for n in range(apart.count)] == [
        {CUSTOMER},
        ours - {GUEST},
        {GUEST},
    ]
    if kept:
        public = read_sound(table.scene.stack.config.recordings / row.public_path)
        assert PRIVATE not in tones_in(public.mono, everything, public.rate)
        assert abs(public.seconds - sound.seconds) < 0.1
    gaps = [gap for gap in tone_gaps(apart.channel(2), GUEST, apart.rate) if gap.length > 0.06 * watch.slowness]
    assert kept is False or len(gaps) <= 1, gaps  # before the guest came, and nowhere else
    table.ask(Ask.HANG_UP)


# -- afterwards ------------------------------------------------------------------------------------


@pytest.mark.covers("S1", "S6", "C13")
async def test_host_and_guest_are_each_given_a_summary_of_their_own_when_the_call_is_over(table: Table) -> None:
    engine = table.scene.stack.engine
    consoles = {rep.id: Listener(rep.id, False, lambda: None) for rep in (table.host, table.guest)}
    for console in consoles.values():
        engine.hub.listen(console)
    await table.guest_joins()
    table.ask(Ask.LEAVE)
    await table.at_host.until_ended()
    table.ask(Ask.HANG_UP, table.guest)
    await table.at_customer.until_ended()
    for user_id, console in consoles.items():
        await until(lambda console=console: _drafts(console), 4, "the console is told of the summary")
        [draft] = _drafts(console)
        assert (draft["call_id"], draft["user_id"], draft["role"]) == (table.call_id, user_id, "host")
    async with engine.store.read() as session:
        given = (await summaries.of_calls(session, [table.call_id]))[table.call_id]
    assert {each.user_id for each in given} == set(consoles), "the guest became host when the host had left"


def _drafts(console: Listener) -> list[Any]:
    messages = [orjson.loads(frame) for frame in console.frames]
    return [each["summary"] for each in messages if each["type"] == "summary"]
