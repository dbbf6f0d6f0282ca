"""Users, numbers and phones that are added or changed reach the next call, and touch none that runs (N1 to N3, A2)."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from crm.errors import Refused
from crm.services import devices, numbers, tokens, users
from crm.unit_of_work import SYSTEM
from tests.live.stage import Scene
from tests.support.sip_phone import SipPhone


@pytest.mark.covers("N1", "A1", "A2", "I1")
async def test_what_is_added_while_a_call_runs_reaches_the_next_call_and_leaves_that_one_alone(scene: Scene):
    old = await scene.rep()
    running = await scene.outside().call(old.did)
    ring = await old.phone.incoming()
    await ring.answer()
    await running.until_answered()
    new = await scene.rep(phones=2)  # user, number and phones; each addition reloads Asterisk's endpoints
    second = await scene.outside(tone=900).call(new.did)
    rings = [await phone.incoming() for phone in new.phones]
    await rings[0].answer()
    await second.until_answered()
    await asyncio.gather(second.until_hears(540), rings[0].until_hears(900))
    await asyncio.gather(running.until_hears(540), ring.until_hears(820))
    await running.hang_up()
    await second.hang_up()
    await asyncio.gather(ring.until_ended(), rings[0].until_ended())


@pytest.mark.covers("N1")
async def test_a_number_that_is_taken_stays_with_its_user(scene: Scene):
    first, second = await scene.rep(), await scene.rep(number=False)
    with pytest.raises(Refused):
        await scene.stack.change(
            lambda work: (
                numbers.change(work, first.did, {"user": second.id}) if False else _take(work, first.did, second.id)
            )
        )
    call = await scene.outside().call(first.did)
    ring = await first.phone.incoming()
    await call.cancel()
    await ring.until_ended()


async def _take(work: object, did: str, user: str) -> object:
    return await numbers.add(work, {"number": did, "user": user})  # type: ignore[arg-type]


@pytest.mark.covers("N1", "N2", "A2")
async def test_a_number_that_moves_to_another_user_rings_there_and_calls_from_there(scene: Scene):
    first, second = await scene.rep(), await scene.rep(number=False)

    async def move(work: object) -> None:
        await numbers.change(work, first.did, {"user": None})  # type: ignore[arg-type]
        await numbers.change(work, first.did, {"user": second.id})  # type: ignore[arg-type]

    await scene.stack.change(move)
    call = await scene.outside().call(first.did)
    ring = await second.phone.incoming()
    await call.cancel()
    await ring.until_ended()
    assert not first.phone.calls
    customer = scene.outside()
    out = await second.phone.call(customer.number)
    assert (await customer.incoming()).caller_number == first.did
    await out.cancel()


@pytest.mark.covers("N3", "P5")
async def test_a_number_without_voice_makes_no_calls_and_says_so(scene: Scene):
    rep = await scene.rep()
    await scene.stack.change(lambda work: numbers.change(work, rep.did, {"voice": False, "sms": True}))
    customer = scene.outside()
    call = await rep.phone.call(customer.number)
    await call.until_ended()
    assert call.final_status == 403
    assert (await scene.logged(rep)).row.reason == "number_cannot_call"
    assert not customer.calls


@pytest.mark.covers("A1", "A2")
async def test_a_renewed_secret_and_a_removed_phone_hold_at_once(scene: Scene):
    rep = await scene.rep()
    renewed = await scene.stack.change(lambda work: devices.renew_secret(work, rep.devices[0]))
    old = await SipPhone.start(rep.devices[0], scene.stack.server, rep.secrets[0], register=False)
    assert (await old.try_register()).status in (401, 403)
    await old.stop()
    rep.secrets[0] = renewed.secret
    await scene.phone(rep, tone=660)
    await scene.stack.change(lambda work: devices.remove(work, rep.devices[0]))
    gone = await SipPhone.start(rep.devices[0], scene.stack.server, renewed.secret, register=False)
    assert (await gone.try_register()).status in (401, 403, 404)
    await gone.stop()


@pytest.mark.covers("A2", "I9")
async def test_a_user_who_is_switched_off_neither_rings_nor_calls(scene: Scene):
    rep = await scene.rep()
    await scene.stack.change(lambda work: users.change(work, rep.id, {"active": False}))
    call = await scene.outside().call(rep.did)
    await call.until_ended()
    assert call.final_status == 404
    assert not rep.phone.calls


@pytest.mark.covers("A2")
async def test_the_answer_to_a_change_comes_when_the_next_call_goes_by_it(scene: Scene):
    rep = await scene.rep(phones=0)
    async with scene.stack.engine.store.write(SYSTEM) as work:
        token = await tokens.add(work, rep.id, {"name": "t", "scopes": ["calls:read", "calls:write"]})
    base = f"http://127.0.0.1:{scene.stack.config.http_port}/api/v1"
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token.secret}"}) as http:
        for _ in range(5):
            mobile = scene.outside(900)
            async with http.patch(f"{base}/me", json={"forwarding_number": mobile.number}) as answer:
                assert answer.status == 200
            assert scene.stack.engine.directory.users[rep.id].forwarding_number == mobile.number
            theirs = await scene.outside().call(rep.did)
            await mobile.incoming()
            await theirs.hang_up()
