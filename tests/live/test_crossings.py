"""What crosses on its way: an answer and a cancel, two holds at once, a transfer and a hang-up; and what UDP loses.

Whoever wins, nobody is left alone or in silence, no leg and no reservation stays, and the log says what was (C1 to
C11)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import pytest

from crm.errors import Refused
from pbx.core.events import Ask, PartyAsk
from tests.live.stage import facts
from tests.live.test_conference import CUSTOMER, EXPERT, GUEST, HOST, MUSIC, Table, everybody_hears, heard, table
from tests.live.test_transfer import _replacing as replacing
from tests.live.test_transfer import told
from tests.support.lossy import losing, request, response
from tests.support.sip_call import Call, CallState
from tests.support.waiting import Missed, until

__all__ = ["table"]
LATER_MS = (0, 2, 6)


async def settled(table: Table, *calls: Call) -> list[Call]:
    """Nothing is on its way any more; who is still there."""
    await asyncio.sleep(0.6)
    return [call for call in (table.at_host, table.at_customer, *calls) if call.state is CallState.ANSWERED]


async def crosses(call: Call, later_ms: int, ask: Callable[[], object]) -> str:
    """The phone is picked up, and in that moment something is asked; the code of its refusal, where it is refused."""
    answering = asyncio.create_task(call.answer())
    await asyncio.sleep(later_ms / 1000)
    refused = ""
    try:
        ask()
    except Refused as error:
        refused = error.code
    with contextlib.suppress(Missed):
        await answering
    return refused


@pytest.mark.covers("C4")
@pytest.mark.parametrize("later_ms", LATER_MS)
async def test_an_answer_crosses_the_hosts_cancel(table: Table, later_ms: int) -> None:
    table.invite(user=table.guest.id)
    ring = await table.guest.phone.incoming()
    refused = await crosses(ring, later_ms, lambda: table.ask(Ask.CANCEL_INVITE))
    there = await settled(table, ring)
    assert (ring in there) is bool(refused) is bool(table.now["guest_leg"])
    if not refused:
        assert table.now["last_invite"]["result"] == "cancelled"
        await asyncio.gather(heard(table.at_host, CUSTOMER), heard(table.at_customer, HOST))
    table.ask(Ask.HANG_UP)
    await asyncio.gather(*(call.until_ended() for call in there))


@pytest.mark.covers("C8", "C9", "C10")
@pytest.mark.parametrize("what", ["leaves", "hangs up", "ends", "drops the customer", "customer hangs up"])
@pytest.mark.parametrize("later_ms", LATER_MS)
async def test_an_answer_crosses_the_end_of_somebody_else(table: Table, what: str, later_ms: int) -> None:
    hang_ups: list[asyncio.Task[None]] = []
    ways: dict[str, Callable[[], object]] = {
        "leaves": lambda: table.ask(Ask.LEAVE),
        "hangs up": lambda: hang_ups.append(asyncio.create_task(table.at_host.hang_up())),
        "ends": lambda: table.ask(Ask.HANG_UP),
        "drops the customer": lambda: table.party(PartyAsk.KICK, "customer"),
        "customer hangs up": lambda: hang_ups.append(asyncio.create_task(table.at_customer.hang_up())),
    }
    table.invite(user=table.guest.id)
    ring = await table.guest.phone.incoming()
    await crosses(ring, later_ms, ways[what])
    await asyncio.gather(*hang_ups)
    there = await settled(table, ring)
    assert len(there) in (0, 2), there
    if there:
        ring.say(GUEST)
        first, second = there
        tones = {table.at_host: HOST, table.at_customer: CUSTOMER, ring: GUEST}
        await asyncio.gather(heard(first, tones[second]), heard(second, tones[first]))
        await ring.hang_up()
        await asyncio.gather(*(call.until_ended() for call in there))
    await table.scene.stack.until_nothing_left()


@pytest.mark.covers("C3")
async def test_two_phones_of_a_guest_are_picked_up_at_once(table: Table) -> None:
    second = await table.scene.phone(table.guest)
    table.invite(user=table.guest.id)
    rings = await asyncio.gather(table.guest.phone.incoming(), second.incoming())
    await asyncio.gather(*(ring.answer() for ring in rings), return_exceptions=True)
    there = await settled(table, *rings)
    assert len(there) == 3
    there[-1].say(GUEST)
    await asyncio.gather(heard(table.at_host, CUSTOMER, GUEST), heard(there[-1], HOST, CUSTOMER))
    table.ask(Ask.HANG_UP)
    await asyncio.gather(*(call.until_ended() for call in there))


# -- holds -------------------------------------------------------------------------------------------


@pytest.mark.covers("C6")
@pytest.mark.parametrize("later_ms", LATER_MS)
async def test_a_phone_holds_as_its_party_is_held(table: Table, later_ms: int) -> None:
    at_guest = await table.guest_joins()
    await everybody_hears(table)
    holding = asyncio.create_task(at_guest.hold())
    await asyncio.sleep(later_ms / 1000)
    table.party(PartyAsk.HOLD, "guest")
    await holding
    await asyncio.gather(heard(table.at_host, CUSTOMER), heard(table.at_customer, HOST))
    back = asyncio.create_task(at_guest.resume())
    await asyncio.sleep(later_ms / 1000)
    table.party(PartyAsk.UNHOLD, "guest")
    await back
    await everybody_hears(table)
    assert table.now["held"] == []
    table.ask(Ask.HANG_UP)
    await at_guest.until_ended()


@pytest.mark.covers("C6", "C11")
async def test_keys_and_the_api_ask_at_once(table: Table) -> None:
    at_guest = await table.guest_joins()
    await table.at_host.press("**")
    pressing = asyncio.create_task(table.at_host.press("2"))
    for ask in (PartyAsk.HOLD, PartyAsk.HOLD, PartyAsk.UNHOLD, PartyAsk.HOLD):
        table.party(ask, "customer")
        await asyncio.sleep(0.05)
    await pressing
    await asyncio.sleep(0.5)
    held = bool(table.now["held"])
    await asyncio.gather(
        heard(table.at_customer, *(MUSIC if held else {HOST, GUEST})),
        heard(at_guest, *({HOST} if held else {HOST, CUSTOMER})),
    )
    table.ask(Ask.HANG_UP)
    await at_guest.until_ended()


# -- transfers ---------------------------------------------------------------------------------------


@pytest.mark.covers("C9", "C11")
async def test_a_transfer_is_refused_while_somebody_is_invited(table: Table) -> None:
    table.invite(user=table.guest.id)
    ring = await table.guest.phone.incoming()
    await table.at_host.transfer("+12065550188")
    await until(lambda: told(table.at_host)[-1:] == ["603 Decline"], 3, "the phone to be told")
    await ring.answer()
    ring.say(GUEST)
    await heard(table.at_customer, HOST, GUEST)
    table.ask(Ask.HANG_UP)
    await ring.until_ended()


@pytest.mark.covers("C9", "C11")
async def test_a_transfer_before_the_answer_is_refused_to_the_phone(table: Table) -> None:
    expert = table.scene.outside(tone=EXPERT)
    call = await table.guest.phone.call(expert.number)
    ring = await expert.incoming()
    await call.until_ringing()
    answer = await call.transfer("+12065550188")
    if answer.status < 300:
        await until(lambda: told(call)[-1:] == ["603 Decline"], 3, "the phone to be told")
    await ring.answer()
    await call.until_answered()
    await call.hang_up()
    table.ask(Ask.HANG_UP)


@pytest.mark.covers("C9", "C13")
@pytest.mark.parametrize("later_ms", [-8, 0, 8])
async def test_who_was_consulted_hangs_up_as_the_transfer_is_asked_for(table: Table, later_ms: int) -> None:
    await table.at_host.hold()
    second = await table.host.phone.call(table.guest.did, tone=HOST)
    at_guest = await table.guest.phone.incoming()
    await at_guest.answer()
    await second.until_answered()
    await second.until_hears(table.guest.phone.tone or 0)

    async def hang_up() -> None:
        await asyncio.sleep(max(0, later_ms) / 1000)
        await at_guest.hang_up()

    async def refer() -> None:
        await asyncio.sleep(max(0, -later_ms) / 1000)
        with contextlib.suppress(Missed):
            await table.at_host.transfer(replacing(second, table))

    await asyncio.gather(hang_up(), refer())
    there = await settled(table, second, at_guest)
    assert told(table.at_host)[-1] == ("603 Decline" if there else "200 OK")
    assert len(table.guest.phone.calls) == 1, "who has hung up is not rung again"
    if there:
        assert table.at_host in there and table.at_customer in there
        assert second not in there
        await table.at_host.resume()
        await asyncio.gather(heard(table.at_host, CUSTOMER), heard(table.at_customer, HOST))
        await table.at_host.hang_up()
        await table.at_customer.until_ended()
    await table.scene.stack.until_nothing_left()


# -- what is lost ------------------------------------------------------------------------------------


@pytest.mark.covers("C1", "C4")
async def test_a_guests_answer_that_is_lost_is_sent_again(table: Table) -> None:
    table.invite(user=table.guest.id)
    ring = await table.guest.phone.incoming()
    with losing(table.guest.phone, response(200, "INVITE"), sent=True) as lost:
        await ring.answer()
    assert lost
    ring.say(GUEST)
    table.at_guest = ring
    await everybody_hears(table)
    with losing(table.guest.phone, request("BYE"), sent=False) as lost:
        table.party(PartyAsk.KICK, "guest")
        await ring.until_ended()
    assert lost
    await heard(table.at_customer, HOST)
    table.ask(Ask.HANG_UP)


@pytest.mark.covers("C4")
async def test_a_cancel_that_is_lost_is_sent_again(table: Table) -> None:
    table.invite(user=table.guest.id)
    ring = await table.guest.phone.incoming()
    with losing(table.guest.phone, request("CANCEL"), sent=False) as lost:
        table.ask(Ask.CANCEL_INVITE)
        await ring.until_ended()
    assert lost
    table.ask(Ask.HANG_UP)


@pytest.mark.covers("C6", "C8")
async def test_answers_to_holds_and_hang_ups_that_are_lost_change_nothing(table: Table) -> None:
    at_guest = await table.guest_joins()
    with losing(table.guest.phone, response(200, "INVITE"), sent=False) as lost:
        await at_guest.hold()
    assert lost
    await asyncio.gather(heard(table.at_host, CUSTOMER), heard(table.at_customer, HOST))
    with losing(table.guest.phone, request("ACK"), sent=True) as lost:
        await at_guest.resume()
        await everybody_hears(table)
    assert lost
    with losing(table.guest.phone, response(200, "BYE"), sent=False) as lost:
        await at_guest.hang_up()
    assert lost
    await heard(table.at_customer, HOST)
    with losing(table.host.phone, request("BYE"), sent=True) as lost:
        await table.at_host.hang_up()
    assert lost
    await table.at_customer.until_ended()
    logged = await table.scene.logged(table.host)
    assert len(facts(logged, "party.left")) == 2 and logged.kinds.count("guest.joined") == 1
