"""Two hundred hostile strings in every number field, from a trunk and from a phone (TRUST 17)."""

from __future__ import annotations

import asyncio
from urllib.parse import quote

import pytest

from bench.figures import at_most
from tests.live.stage import Scene
from tests.support.hostile import HOSTILE_NUMBERS
from tests.support.sip_phone import SipPhone
from tests.support.trust import Measured

DIALPLAN = [
    f"{head}{middle}{tail}"
    for head in ("14155550101", "911", "")
    for middle in (
        "&Local/100@from-endpoint",
        "%26Local%2F100%40from-trunk",
        "${SHELL(id)}",
        "$[1+1]",
        ",1)Dial(",
        "^|",
    )
    for tail in ("", "/n", ";ob", "%00", "@127.0.0.1", "%0d%0aContact:%20evil", "\\", "'")
]
STRINGS = [*dict.fromkeys([*(text[:400] for text in HOSTILE_NUMBERS), *DIALPLAN])][:220]

CLEAN = "+14155550101"  # what "14155550101;ext=5" asks for: parameters are not part of the number


def on_the_wire(text: str) -> str:
    """As a hostile client can send it: what would end the line or is no character at all is escaped."""
    raw = text.encode("utf-8", "surrogatepass")
    return quote(raw, safe="!$&'()*+,;=:@/${}[]|^\\~`\"<>%#")


async def throw(phone: SipPhone, field: str, text: str, good: str) -> None:
    """One INVITE with the text in a field; it must come to an end. A URI that is none may get no answer at all."""
    written = on_the_wire(text)
    fields = {
        "request": {"request_uri": f"sip:{written}@127.0.0.1"},
        "to": {"to": f"<sip:{written}@127.0.0.1>"},
        "from": {"from_": f"<sip:{written}@127.0.0.1>"},
        "name": {"name": written.replace('"', "")},
    }[field]
    call = await phone.call(good, **fields)
    try:
        await asyncio.wait_for(call.until_ended(), 0.6)
    except TimeoutError:
        if call.provisional or call.at.answered:
            await call.hang_up(within=2)
        else:
            call.finish(by_us=True)


@pytest.mark.timeout(100)
@pytest.mark.trust(17)
@pytest.mark.covers("TRUST17", "TRUST12")
@pytest.mark.parametrize("side", ["trunk", "phone"])
async def test_two_hundred_hostile_strings_dial_nobody(scene: Scene, side: str, measured: Measured):
    assert len(STRINGS) >= 200
    rep, bystander = await scene.rep(), await scene.rep()
    phone = scene.stack.carrier.phone if side == "trunk" else rep.phone
    strangers = len(scene.stack.carrier.strangers)
    people = sum(len(person.calls) for person in scene.stack.carrier.people.values())
    wanted = "+14155559999" if side == "trunk" else "+19005550000"  # nobody's number, or one that is refused
    pending = [(field, text) for field in ("request", "to", "from", "name") for text in STRINGS]
    for start in range(0, len(pending), 40):
        await asyncio.gather(*(throw(phone, field, text, wanted) for field, text in pending[start : start + 40]))
    assert not bystander.phone.calls
    if side == "trunk":  # nothing at all may be dialled for a caller from outside
        assert not rep.phone.calls
    dialled = {call.called_number for call in scene.stack.carrier.strangers[strangers:]}
    extra = len(dialled - ({CLEAN} if side == "phone" else set()))  # no leg but to a number that was really dialled
    extra += sum(len(person.calls) for person in scene.stack.carrier.people.values()) - people
    measured(at_most(f"extra legs of {len(pending)} hostile numbers from a {side}", extra, "legs", 0))
    await scene.stack.until_nothing_left(8)
    assert scene.stack.asterisk.running
    assert (await rep.phone.options()).status in (200, 404)
    call = await scene.outside().call(bystander.did)  # and both still take calls
    ring = await bystander.phone.incoming()
    await ring.answer()
    await call.until_answered()
    await asyncio.gather(call.until_hears(540), ring.until_hears(820))
    await call.hang_up()
    await ring.until_ended()


@pytest.mark.covers("TRUST17", "I9")
@pytest.mark.parametrize("text", ["1" * 78 + "é", "1" * 77 + "電話", "1é\udce9"])
async def test_what_is_no_text_any_more_where_the_switch_cuts_it_is_refused(scene: Scene, text: str):
    """Asterisk cuts what is dialled after 79 bytes, and tells nobody of a channel that is in the middle of a letter."""
    rep = await scene.rep()
    for phone in (scene.stack.carrier.phone, rep.phone):
        written = quote(text.encode("utf-8", "surrogateescape"))
        for odd in ({"request_uri": f"sip:{written}@127.0.0.1"}, {"from_": f'"{written}" <sip:{written}@127.0.0.1>'}):
            call = await phone.call("+14155559999" if phone is not rep.phone else "+19005550000", **odd)
            await call.until_ended()
            assert call.final_status in (403, 404, 484)
