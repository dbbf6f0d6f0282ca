"""The engine dies in the middle of a conference, an invitation or a transfer; the next one goes on with it (P1, C1 to
C13). What was asked of it, what rings, who is held and what is recorded is as if it had been there all the time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from pbx.core.events import Ask, PartyAsk
from tests.live.stage import Scene
from tests.live.test_conference import CUSTOMER, EXPERT, GUEST, HOST, MUSIC, Table, everybody_hears, heard, table
from tests.live.test_restarts import engine_comes_back, engine_dies
from tests.live.test_takeover import another_engine, numbered_without_gaps, unseen
from tests.live.test_transfer import told
from tests.support.sip_call import Call
from tests.support.waiting import until

__all__ = ["table"]
pytestmark = pytest.mark.covers("P1")


@pytest.fixture
async def scene(broken: Scene) -> AsyncIterator[Scene]:
    yield broken


async def joins(table: Table, call: Call, tone: int = GUEST) -> None:
    call.say(tone)
    await until(lambda: table.now["guest_leg"], 6, "the guest to be in the call")


async def ends(table: Table, *calls: Call) -> None:
    """For all, by the host; and the log shows all of it once."""
    table.ask(Ask.HANG_UP)
    await asyncio.gather(*(call.until_ended() for call in (table.at_host, table.at_customer, *calls)))
    await table.scene.stack.until_nothing_left()
    numbered_without_gaps(await table.scene.stack.show(table.call_id))


# -- somebody is invited -----------------------------------------------------------------------------


@pytest.mark.covers("C1", "C4")
async def test_a_colleagues_phone_rings_on_and_its_answer_is_heard_by_the_next_engine(table: Table) -> None:
    table.invite(user=table.guest.id)
    ring = await table.guest.phone.incoming()
    await another_engine(table.scene)
    assert table.now["invite"]["ringing"] and len(table.guest.phone.calls) == 1
    await asyncio.gather(heard(table.at_customer, HOST), heard(table.at_host, CUSTOMER))
    await ring.answer()
    await joins(table, ring)
    table.at_guest = ring
    await everybody_hears(table)
    await ends(table, ring)


@pytest.mark.covers("C4")
async def test_an_invitation_is_cancelled_by_the_next_engine(table: Table) -> None:
    table.invite(user=table.guest.id)
    ring = await table.guest.phone.incoming()
    await another_engine(table.scene)
    table.ask(Ask.CANCEL_INVITE)
    await ring.until_ended()
    assert table.now["last_invite"]["result"] == "cancelled"
    await ends(table)


@pytest.mark.covers("C3", "C4")
async def test_who_picked_up_as_no_engine_was_there_is_rung_again_and_joins(table: Table) -> None:
    table.invite(user=table.guest.id)
    ring = await table.guest.phone.incoming()
    table.guest.phone.obeys_auto_answer = True
    await engine_dies(table.scene.stack)
    await ring.answer()
    await ring.until_ended()
    await engine_comes_back(table.scene.stack)
    again = await table.guest.phone.incoming()
    await until(lambda: again.at.answered, 3, "the phone to answer by itself, as it is asked to")
    await joins(table, again)
    table.at_guest = again
    await everybody_hears(table)
    await ends(table, again)


@pytest.mark.covers("C3", "C13")
async def test_somebody_outside_who_picked_up_as_no_engine_was_there_is_called_back(table: Table) -> None:
    expert = table.scene.outside(tone=EXPERT)
    table.invite(number=expert.number)
    ring = await expert.incoming()
    await engine_dies(table.scene.stack)
    await ring.answer()
    await ring.until_ended()
    await engine_comes_back(table.scene.stack)
    again = await expert.incoming()
    assert again.caller_number == table.host.did and table.scene.stack.engine.gate.held == 1
    await again.answer()
    await asyncio.gather(heard(again, HOST, CUSTOMER), heard(table.at_customer, HOST, EXPERT))
    await again.hang_up()
    await until(lambda: table.scene.stack.engine.gate.held == 0, 2, "the reservation to be released")
    await ends(table)


@pytest.mark.covers("C4")
async def test_a_guest_who_declined_as_no_engine_was_there_has_declined(table: Table) -> None:
    table.invite(user=table.guest.id)
    ring = await table.guest.phone.incoming()
    await engine_dies(table.scene.stack)
    async with unseen(table.scene) as at_that_time:
        ring.reject(603)
    await until(lambda: table.now["last_invite"], 2, "the invitation to be over")
    assert table.now["last_invite"]["result"] == "declined"
    assert at_that_time(table.now["last_invite"]["ended_us"])
    await asyncio.gather(heard(table.at_customer, HOST), heard(table.at_host, CUSTOMER))
    await ends(table)


# -- three ---------------------------------------------------------------------------------------------


@pytest.mark.covers("C9", "C12", "C13")
async def test_a_host_who_left_as_no_engine_was_there_has_handed_over_at_that_time(table: Table) -> None:
    at_guest = await table.guest_joins()
    await everybody_hears(table)
    await engine_dies(table.scene.stack)
    async with unseen(table.scene) as at_that_time:
        await table.at_host.hang_up()
    assert table.now["host_leg"] == table.leg("guest")
    await asyncio.gather(heard(table.at_customer, GUEST), heard(at_guest, CUSTOMER))
    table.party(PartyAsk.HOLD, "customer", table.guest)
    await heard(table.at_customer, *MUSIC)
    await another_engine(table.scene)
    await heard(table.at_customer, *MUSIC)
    table.party(PartyAsk.UNHOLD, "customer", table.guest)
    await asyncio.gather(heard(table.at_customer, GUEST), heard(at_guest, CUSTOMER))
    await at_guest.hang_up()
    await table.at_customer.until_ended()
    logged = await table.scene.logged(table.host)
    numbered_without_gaps(logged)
    people = await table.scene.stack.participants(table.call_id)
    assert at_that_time(next(each.left_us for each in people if each.user_id == table.host.id))
    row, _ = await table.scene.stack.recorded(table.call_id)
    assert row.state == "ready" and abs(row.duration_ms - logged.row.talk_ms) < 600
    assert len(logged.recordings) == 1


@pytest.mark.covers("C6", "C12")
async def test_private_words_and_a_pause_go_on_with_the_next_engine(table: Table) -> None:
    at_guest = await table.guest_joins()
    table.party(PartyAsk.HOLD, "customer")
    await asyncio.gather(heard(table.at_customer, *MUSIC), heard(table.at_host, GUEST))
    table.ask(Ask.PAUSE_RECORDING)
    await another_engine(table.scene)
    await asyncio.gather(heard(table.at_customer, *MUSIC), heard(table.at_host, GUEST), heard(at_guest, HOST))
    table.ask(Ask.RESUME_RECORDING)
    table.party(PartyAsk.UNHOLD, "customer")
    await everybody_hears(table)
    await ends(table, at_guest)
    kinds = (await table.scene.stack.show(table.call_id)).kinds
    for kind in ("recording.private_begins", "recording.private_ends", "recording.paused", "recording.resumed"):
        assert kinds.count(kind) == 1
    row, _ = await table.scene.stack.recorded(table.call_id)
    assert row.state == "ready" and row.tracks_path and row.public_path


# -- a phone hands its call on -------------------------------------------------------------------------


@pytest.mark.covers("C9")
async def test_a_blind_transfer_is_ended_well_by_the_next_engine(table: Table) -> None:
    await table.at_host.transfer(table.guest.did)
    ring = await table.guest.phone.incoming()
    await another_engine(table.scene)
    await ring.answer()
    ring.say(GUEST)
    await asyncio.gather(heard(table.at_customer, GUEST), heard(ring, CUSTOMER))
    await table.at_host.until_ended()
    assert told(table.at_host)[-1] == "200 OK"
    await ring.hang_up()
    await table.at_customer.until_ended()


async def takes_the_call(table: Table, ring: Call) -> None:
    """Whom the customer was handed to answers, both hear each other, and the end of the one is the other's."""
    await ring.answer()
    ring.say(GUEST)
    await asyncio.gather(heard(table.at_customer, GUEST), heard(ring, CUSTOMER))
    await ring.hang_up()
    await table.at_customer.until_ended()


@pytest.mark.covers("C9")
async def test_who_waits_for_the_other_hears_ringing_until_the_call_is_taken_with_the_next_engine(
    table: Table,
) -> None:
    await table.at_host.transfer(table.guest.did)
    ring = await table.guest.phone.incoming()
    await table.at_host.hang_up()
    await table.at_customer.until_hears(440)
    await another_engine(table.scene)
    await table.at_customer.until_hears(440)
    await takes_the_call(table, ring)


@pytest.mark.covers("C9")
async def test_who_transfers_and_hangs_up_as_no_engine_is_there_has_handed_on(table: Table) -> None:
    await table.at_host.transfer(table.guest.did)
    ring = await table.guest.phone.incoming()
    await engine_dies(table.scene.stack)
    async with unseen(table.scene):
        await table.at_host.hang_up()
    await table.at_customer.until_hears(440)
    await takes_the_call(table, ring)


@pytest.mark.covers("C9")
async def test_a_phone_that_asks_for_a_transfer_as_no_engine_is_there_is_told_that_it_may_not_and_can_ask_again(
    table: Table,
) -> None:
    await engine_dies(table.scene.stack)
    assert (await table.at_host.transfer(table.guest.did)).status == 202
    await engine_comes_back(table.scene.stack)
    await until(lambda: told(table.at_host)[-1:] == ["603 Decline"], 3, "the phone to be told")
    assert told(table.at_customer) == [] and table.guest.phone.calls == []
    await asyncio.gather(heard(table.at_customer, HOST), heard(table.at_host, CUSTOMER))
    await table.at_host.transfer(table.guest.did)
    ring = await table.guest.phone.incoming()
    await takes_the_call(table, ring)
