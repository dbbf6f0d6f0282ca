"""Toll fraud is told within two seconds, whichever way the call would have left (TRUST 18)."""

from __future__ import annotations

import asyncio
import contextlib
import time

import pytest

from bench.figures import at_most
from crm.errors import Refused
from pbx.services.alerts import Kind
from tests.live.stage import Scene
from tests.live.test_conference import CUSTOMER, HOST, Table, table
from tests.support.trust import Measured
from tests.support.waiting import until

__all__ = ["table"]

PREMIUM = "+19005551234"


def told(scene: Scene, user: str, what: str) -> bool:
    alerts = scene.stack.engine.alerts.standing
    return any(alert.kind is Kind.TOLL_FRAUD and alert.subject == f"{user}:{what}" for alert in alerts)


@pytest.mark.alone
@pytest.mark.trust(18)
@pytest.mark.covers("TRUST18")
@pytest.mark.parametrize("way", ["phone", "API", "forwarding"])
async def test_a_premium_number_is_neither_dialled_nor_kept_quiet(scene: Scene, way: str, measured: Measured):
    there = scene.outside(number=PREMIUM)
    rep = await scene.rep(phones=0 if way == "forwarding" else 1)
    if way == "forwarding":
        await scene.change(rep, forwarding_number=PREMIUM)
    began = time.monotonic()
    if way == "phone":
        await rep.phone.call(PREMIUM)
    elif way == "API":
        with pytest.raises(Refused):
            scene.stack.control.dial(rep.id, PREMIUM, by=rep.id)
    else:
        call = await scene.outside().call(rep.did)
    await until(lambda: told(scene, rep.id, "premium_denied"), 2, "the alert")
    measured(at_most(f"by {way}: until a premium attempt is told", time.monotonic() - began, "s", 2))
    if way == "forwarding":
        await call.until_ended(15)
    measured(at_most(f"by {way}: premium calls that left", len(there.calls), "calls", 0))


@pytest.mark.alone
@pytest.mark.trust(18)
@pytest.mark.covers("TRUST18")
@pytest.mark.parametrize("way", ["invite", "transfer"])
async def test_out_of_a_conversation_neither(table: Table, way: str, measured: Measured):
    scene, there = table.scene, table.scene.outside(number=PREMIUM)
    async with scene.stack.setting("conference.unattended_max_s", 60):  # else no call is handed on to outside at all
        began = time.monotonic()
        if way == "invite":
            with contextlib.suppress(Refused):
                table.invite(number=PREMIUM)
        else:
            await table.at_host.transfer(PREMIUM)
        await until(lambda: told(scene, table.host.id, "premium_denied"), 2, "the alert")
    measured(at_most(f"by {way}: until a premium attempt is told", time.monotonic() - began, "s", 2))
    await asyncio.gather(table.at_host.until_hears(CUSTOMER), table.at_customer.until_hears(HOST))
    measured(at_most(f"by {way}: premium calls that left", len(there.calls), "calls", 0))
    await table.at_host.hang_up()
    await table.at_customer.until_ended()


@pytest.mark.alone
@pytest.mark.trust(18)
@pytest.mark.covers("TRUST18")
async def test_a_burst_of_calls_abroad_is_told_and_stopped_at_the_cap(scene: Scene, measured: Measured):
    rep = await scene.rep(max_concurrent=12)
    people = [scene.outside(number=f"+4420794600{number:02}") for number in range(40)]
    began = time.monotonic()
    calls = await asyncio.gather(*(rep.phone.call(person.number) for person in people))
    await until(
        lambda: told(scene, rep.id, "many_international") and told(scene, rep.id, "user_concurrency_cap"), 4, "alerts"
    )
    measured(at_most("until a burst abroad is told", time.monotonic() - began, "s", 2))
    await until(lambda: sum(1 for call in calls if call.at.ended) == 28, 6, "the others to be refused")
    left = sum(len(person.calls) for person in people)
    measured(at_most("live burst of 40: calls that left beyond the cap", abs(left - 12), "calls", 0))
    await asyncio.gather(*(call.cancel() for call in calls if not call.at.ended))
