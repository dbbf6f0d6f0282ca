"""REFER from a desk phone: blind and attended, refused to a guest, and back where it comes to nothing (C5, C9, C11)."""

from __future__ import annotations

import asyncio

import pytest

from tests.live.stage import facts
from tests.live.test_conference import CUSTOMER, EXPERT, GUEST, HOST, Table, everybody_hears, heard, table
from tests.support.sip_call import Call
from tests.support.waiting import Signal, until

__all__ = ["table"]


def told(call: Call) -> list[str]:
    """What the NOTIFYs of a transfer said, in order."""
    return [notify.body.decode().strip().split(" ", 1)[1] for notify in call.notifies if notify.body]


@pytest.mark.covers("C9")
async def test_blind_to_a_colleague_who_takes_the_customer_over(table: Table) -> None:
    answer = await table.at_host.transfer(table.guest.did)
    assert answer.status == 202
    at_guest = await table.guest.phone.incoming()
    await at_guest.answer()
    at_guest.say(GUEST)
    await asyncio.gather(heard(table.at_customer, GUEST), heard(at_guest, CUSTOMER))
    await table.at_host.until_ended()
    assert told(table.at_host)[-1] == "200 OK"
    await at_guest.hang_up()
    await table.at_customer.until_ended()
    logged = await table.scene.logged(table.host)
    assert [change["user_id"] for change in facts(logged, "host.changed")] == [table.guest.id]
    assert len(logged.recordings) == 1


@pytest.mark.covers("C9")
async def test_a_phone_that_hangs_up_at_once_leaves_no_silence(table: Table) -> None:
    await table.at_host.transfer(table.guest.did)
    at_guest = await table.guest.phone.incoming()
    await table.at_host.hang_up()
    await table.at_customer.until_stops_hearing(HOST)
    await table.at_customer.until_hears(440)  # ringing, as the tone zone has it
    await at_guest.answer()
    at_guest.say(GUEST)
    await asyncio.gather(heard(table.at_customer, GUEST), heard(at_guest, CUSTOMER))
    await at_guest.hang_up()


@pytest.mark.covers("C9")
async def test_a_busy_colleague_gives_the_call_back(table: Table) -> None:
    table.guest.phone.will_reject(486)
    await table.at_host.transfer(table.guest.did)
    await Signal().until(
        lambda: told(table.at_host)[-1:] == ["503 Service Unavailable"], 3, lambda: f"told {told(table.at_host)}"
    )
    await asyncio.gather(heard(table.at_customer, HOST), heard(table.at_host, CUSTOMER))
    await table.at_host.hang_up()


@pytest.mark.covers("C9")
async def test_who_hung_up_is_rung_again_when_nobody_takes_it(table: Table) -> None:
    table.guest.phone.will_ignore()
    await table.at_host.transfer(table.guest.did)
    await table.guest.phone.incoming()
    await table.at_host.hang_up()
    back = await table.host.phone.incoming(within=9)
    await back.answer()
    back.say(HOST)
    await asyncio.gather(heard(table.at_customer, HOST), heard(back, CUSTOMER))
    await back.hang_up()


@pytest.mark.covers("C5", "C11")
async def test_a_guests_transfer_is_refused_and_nobody_notices(table: Table) -> None:
    at_guest = await table.guest_joins()
    await everybody_hears(table)
    await at_guest.transfer("+12065550188")
    await until(lambda: told(at_guest)[-1:] == ["603 Decline"], 3, "the phone to be told")
    await everybody_hears(table)
    await at_guest.transfer(table.host.did)
    await everybody_hears(table)
    await table.at_host.hang_up()
    await at_guest.hang_up()


@pytest.mark.covers("C9", "C13")
async def test_attended_to_a_colleague(table: Table) -> None:
    await table.at_host.hold()
    second = await table.host.phone.call(table.guest.did, tone=HOST)
    at_guest = await table.guest.phone.incoming()
    await at_guest.answer()
    at_guest.say(GUEST)
    await second.until_answered()
    await asyncio.gather(heard(second, GUEST), heard(at_guest, HOST))
    answer = await table.at_host.transfer(_replacing(second, table))
    assert answer.status == 202
    await asyncio.gather(heard(table.at_customer, GUEST), heard(at_guest, CUSTOMER))
    await asyncio.gather(table.at_host.until_ended(), second.until_ended())
    await at_guest.hang_up()
    await table.at_customer.until_ended()
    assert len(facts(await table.scene.stack.show(table.call_id), "transfer.done")) == 1
    consulted = await table.scene.logged(table.host)
    assert consulted.row.reason == "transferred" and consulted.row.id != table.call_id


@pytest.mark.covers("C9", "C13")
async def test_attended_to_an_outside_number_where_that_may_go_on_alone(table: Table) -> None:
    expert = table.scene.outside(tone=EXPERT)
    expert.will_answer()
    second = await table.host.phone.call(expert.number, tone=HOST)
    at_expert = await expert.incoming()
    await second.until_answered()
    await table.at_host.transfer(_replacing(second, table))
    await until(lambda: told(table.at_host)[-1:] == ["603 Decline"], 3, "the phone to be told")
    async with table.scene.stack.setting("conference.unattended_max_s", 60):
        await table.at_host.transfer(_replacing(second, table))
        await asyncio.gather(heard(table.at_customer, EXPERT), heard(at_expert, CUSTOMER))
    await at_expert.hang_up()
    await table.at_customer.until_ended()


@pytest.mark.covers("C5")
async def test_a_transfer_without_notifications_harms_nobody(table: Table) -> None:
    """RFC 4488; Asterisk 22.10.1 by itself crashes on it."""
    target = [("Refer-To", f"<sip:{table.guest.did}@x>"), ("Refer-Sub", "false")]
    await table.at_host.request("REFER", [*target, *table.at_host.phone.contact_headers()])
    at_guest = await table.guest.phone.incoming()
    await at_guest.answer()
    at_guest.say(GUEST)
    await heard(table.at_customer, GUEST)
    await at_guest.hang_up()


def _replacing(call: Call, table: Table) -> str:
    """A Refer-To that replaces this dialog (RFC 3891)."""
    dialog = call.dialog
    replaces = f"{dialog.call_id}%3Bto-tag%3D{dialog.remote_tag}%3Bfrom-tag%3D{dialog.local_tag}"
    return f"<sip:{call.called_number or table.guest.did}@{table.host.phone.domain}?Replaces={replaces}>"
