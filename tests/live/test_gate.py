"""No call leaves without passing the gate, and it says why not: by SIP, by API and in the log (P5)."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from crm.errors import Refused
from crm.services import do_not_call
from pbx.adapters.asterisk.switch import REFUSAL_VARIABLE
from pbx.core.commands import Explanation
from pbx.core.gate import SENTENCES, Reason
from pbx.core.ids import LegId
from tests.live.stage import Scene, facts

REFUSALS = [
    ("+19005551234", "premium_denied", {}),
    ("+881612345678", "satellite_denied", {}),
    ("+5352345678", "country_denied", {"gate.deny_countries": ["CU"]}),
    ("+442079460000", "country_denied", {"gate.allow_countries": ["US"]}),
    ("+12065550042", "prefix_denied", {"gate.deny_prefixes": ["+12065550"]}),
]


@pytest.mark.covers("P5", "TRUST18")
@pytest.mark.parametrize(("number", "reason", "changed"), REFUSALS, ids=[f"{r[1]}-{r[0]}" for r in REFUSALS])
async def test_a_refused_destination_is_not_dialled_and_every_side_says_why(
    scene: Scene, number: str, reason: str, changed: dict[str, list[str]]
):
    rep = await scene.rep()
    there = scene.outside(number=number)
    async with AsyncExitStack() as settings:
        for key, value in changed.items():
            await settings.enter_async_context(scene.stack.setting(key, value))
        call = await rep.phone.call(number)
        await call.until_ended()
        with pytest.raises(Refused) as refused:
            scene.stack.control.dial(rep.id, number, by=rep.id)
        assert scene.stack.engine.gate.check(rep.id, number).reason == reason
    assert call.final_status == 403
    assert call.cause == 21, call.reason_header
    assert f'SIP;cause=403;text="{SENTENCES[Reason(reason)]}"' in call.ending.all("Reason")
    assert call.ending.header("Retry-After") is None, "it may call other numbers at once"
    assert (refused.value.code, refused.value.status) == (reason, 403)
    logged = await scene.logged(rep, nth=2)
    assert (logged.row.disposition, logged.row.reason) == ("refused", reason)
    assert facts(logged, "call.refused")[0]["sentence"]
    assert not there.calls and not rep.phone.live_calls


async def test_an_overloaded_system_says_so_and_when_to_try_again(scene: Scene, monkeypatch: pytest.MonkeyPatch):
    rep, there = await scene.rep(), scene.outside()
    monkeypatch.setattr(scene.stack.engine.nodes.one.admission, "_lag", lambda: 1.0)
    monkeypatch.setattr(scene.stack.engine.nodes.one.admission, "_calls", lambda: 1)
    calls = [
        await rep.phone.call(there.number),
        await scene.outside().call(rep.did),
        await rep.phone.call((await scene.rep()).did),
    ]
    for call in calls:
        await call.until_ended()
        assert call.final_status == 503
        assert call.ending.all("Retry-After") == ["5"]
        assert f'SIP;cause=503;text="{SENTENCES[Reason.OVERLOADED]}"' in call.ending.all("Reason")
    assert not there.calls and not rep.phone.live_calls


ODD = [
    ('|say "no" \\ so', 'text="say \\"no\\" \\\\ so"', None),
    ("7|a\r\nX-Evil: 1\n\x7f", 'text="a  X-Evil: 1  "', "7"),
    ("12|", "", "12"),
    ("5\r\nX-Evil: 1|x", 'text="x"', None),
    ("-1|", "", None),
    ("999999|x", 'text="x"', None),
    ("||x|", 'text="|x|"', None),
    ("no bar", "", None),
    ("", "", None),
    ("|" + "あ" * 100, 'text="' + "あ" * 79 + '"', None),
    ("|" + "x" * 1000, 'text="' + "x" * 239 + '"', None),
    ("|" + "x" * 239 + '"' * 9, 'text="' + "x" * 239 + '"', None),
]


@pytest.mark.covers("TRUST17")
@pytest.mark.parametrize(("value", "text", "seconds"), ODD)
async def test_whatever_stands_in_the_explanation_the_answer_is_whole(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, value: str, text: str, seconds: str | None
):
    def explain(leg: LegId, because: Explanation) -> None:
        switch._channel("POST", leg, "variable", {"variable": REFUSAL_VARIABLE, "value": value})

    switch = scene.stack.engine.switch
    monkeypatch.setattr(switch, "_explain", explain)
    rep = await scene.rep()
    call = await rep.phone.call("+19005551234")
    await call.until_ended()
    assert (call.final_status, call.cause) == (403, 21)
    assert [word for word in call.ending.all("Reason") if word.startswith("SIP")] == (
        [f"SIP;cause=403;{text}"] if text else []
    )
    assert call.ending.header("Retry-After") == seconds and call.ending.header("X-Evil") is None


@pytest.mark.covers("P5")
async def test_an_allowed_prefix_opens_a_premium_number(scene: Scene):
    rep = await scene.rep()
    there = scene.outside(number="+19005557777")
    async with scene.stack.setting("gate.allow_prefixes", ["+1900555"]):
        call = await rep.phone.call(there.number)
        ring = await there.incoming()
        await call.cancel()
        await ring.until_ended()


@pytest.mark.covers("P5", "TRUST23")
async def test_a_number_on_the_do_not_call_list_is_refused_within_a_second(scene: Scene):
    rep = await scene.rep()
    there = scene.outside()
    await scene.stack.change(lambda work: do_not_call.add(work, {"number": there.number, "reason": "asked"}))
    call = await rep.phone.call(there.number)
    await call.until_ended()
    assert call.final_status == 403
    assert (await scene.logged(rep)).row.reason == "do_not_call"
    assert not there.calls


@pytest.mark.covers("P5", "N3")
async def test_users_without_the_right_or_a_number_do_not_call(scene: Scene):
    there = scene.outside()
    for rep, reason in (
        (await scene.rep(may_call=False), "no_right"),
        (await scene.rep(number=False), "no_number"),
    ):
        call = await rep.phone.call(there.number)
        await call.until_ended()
        assert call.final_status == 403
        assert (await scene.logged(rep)).row.reason == reason
    assert not there.calls


@pytest.mark.covers("P5")
async def test_what_is_no_number_gets_484_and_is_logged(scene: Scene):
    rep = await scene.rep()
    call = await rep.phone.call("12")
    await call.until_ended()
    assert call.final_status == 484
    assert (await scene.logged(rep)).row.reason == "invalid_number"


@pytest.mark.covers("P5", "TRUST18")
async def test_the_cap_is_exact_under_fifty_calls_at_once(scene: Scene):
    rep = await scene.rep(max_concurrent=7)
    people = [scene.outside() for _ in range(50)]
    calls = await asyncio.gather(*(rep.phone.call(person.number) for person in people))
    await asyncio.sleep(0)
    for _ in range(100):
        if sum(1 for call in calls if call.at.ended) == 43 and sum(len(person.calls) for person in people) == 7:
            break
        await asyncio.sleep(0.05)
    assert sum(len(person.calls) for person in people) == 7
    refused = [call for call in calls if call.at.ended]
    assert len(refused) == 43 and {call.final_status for call in refused} == {403}
    await asyncio.gather(*(call.cancel() for call in calls if not call.at.ended))
    await scene.stack.until_nothing_left()
    again = await rep.phone.call(people[0].number)  # the places are free again
    await again.until_ringing()
    await again.cancel()


@pytest.mark.covers("P5", "TRUST18")
async def test_the_organisations_cap_and_spend_caps_hold(scene: Scene):
    first, second = await scene.rep(), await scene.rep(spend_cap_micros=500_000)
    there = scene.outside()
    async with scene.stack.setting("gate.max_concurrent_org", 1):
        call = await first.phone.call(there.number)
        await call.until_ringing()
        other = await second.phone.call(there.number)
        await other.until_ended()
        assert other.final_status == 503
        assert (await scene.logged(second)).row.reason == "organisation_concurrency_cap"
        await call.cancel()
    async with scene.stack.setting("gate.minute_price_micros", 400_000):
        held = [await second.phone.call(there.number) for _ in range(2)]
        for one in held:
            await one.until_ringing()
        third = await second.phone.call(there.number)
        await third.until_ended()
        assert third.final_status == 403
        assert (await scene.logged(second, nth=2)).row.reason == "user_spend_cap"
        for one in held:
            await one.cancel()


@pytest.mark.covers("P5", "TRUST24", "V6")
async def test_emergency_numbers_pass_with_every_cap_hit_and_show_the_users_number(scene: Scene):
    rep = await scene.rep(may_call=False, max_concurrent=1, spend_cap_micros=0)
    help_ = scene.outside(number="911")
    async with scene.stack.setting("gate.max_concurrent_org", 1), scene.stack.setting("gate.allow_countries", ["JP"]):
        call = await rep.phone.call("911")
        ring = await help_.incoming()
        assert ring.caller_number == rep.did
        await ring.answer()
        await call.until_answered()
        await call.until_hears(820)
        await call.hang_up()
        await ring.until_ended()
    logged = await scene.logged(rep)
    assert facts(logged, "gate.verdict")[0]["reason"] == "emergency"


@pytest.mark.covers("P5", "TRUST24")
async def test_an_emergency_call_of_a_user_without_a_number_shows_the_organisations(scene: Scene):
    rep = await scene.rep(number=False)
    help_ = scene.outside(number="112")
    async with scene.stack.setting("emergency.caller_id", "+14155550100"):
        call = await rep.phone.call("112")
        ring = await help_.incoming()
        assert ring.caller_number == "+14155550100"
        await call.cancel()
        await ring.until_ended()
