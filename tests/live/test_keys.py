"""The conference by the keys of a desk phone: every code, by the host and by who becomes host, and the tones that tell
whether it was done (C1 to C11)."""

from __future__ import annotations

import asyncio
import contextlib
import time

import pytest

from pbx.core.call.keys import WITHIN
from tests.live.test_conference import CUSTOMER, EXPERT, GUEST, HOST, MUSIC, Table, everybody_hears, heard, table
from tests.support.sip_call import Call
from tests.support.tones import tone_spans
from tests.support.waiting import Missed, until

__all__ = ["table"]
DONE, REFUSED = (660, 880), (440, 330)


def told_of(call: Call, since: float, tones: tuple[int, int]) -> bool:
    """Both tones, a tenth of a second each, the one right after the other."""
    starts = [
        [span.start for span in tone_spans(call.heard_between(since, time.monotonic()), tone) if span.length > 0.04]
        for tone in tones
    ]
    return any(0.05 < second - first < 0.2 for first in starts[0] for second in starts[1])


async def does(call: Call, keys: str, tones: tuple[int, int] = DONE) -> None:
    """Press, and hear what is said to that."""
    began = time.monotonic()
    await call.press(keys)
    await until(lambda: told_of(call, began, tones), 3, f"the tones {tones} after {keys}", every=0.1)


@pytest.mark.covers("C1", "C2", "C3", "C4", "C6", "C7")
async def test_a_colleague_is_invited_held_taken_back_and_dropped(table: Table) -> None:
    invite = f"**1{table.guest.did[1:]}#"
    await does(table.at_host, invite)
    ring = await table.guest.phone.incoming()
    await does(table.at_host, invite, REFUSED)
    await does(table.at_host, "**4")
    await ring.until_ended()
    assert table.now["last_invite"]["result"] == "cancelled"
    await does(table.at_host, invite)
    at_guest = await table.guest.phone.incoming()
    await at_guest.answer()
    at_guest.say(GUEST)
    table.at_guest = at_guest
    await everybody_hears(table)
    await does(table.at_host, "**3")
    await asyncio.gather(heard(at_guest, *MUSIC), heard(table.at_host, CUSTOMER), heard(table.at_customer, HOST))
    await does(table.at_host, "**2")
    await asyncio.gather(heard(at_guest, *MUSIC), heard(table.at_customer, *MUSIC))
    await does(table.at_host, "**3")
    await asyncio.gather(heard(at_guest, HOST), heard(table.at_customer, *MUSIC))
    await does(table.at_host, "**5")
    await table.at_customer.until_ended()
    await asyncio.gather(heard(at_guest, HOST), heard(table.at_host, GUEST))
    await does(table.at_host, "**2", REFUSED)
    with contextlib.suppress(Missed):  # the call is over before the key is up
        await table.at_host.press("**4")
    await asyncio.gather(table.at_host.until_ended(), at_guest.until_ended())


@pytest.mark.covers("C1", "C4")
@pytest.mark.parametrize("again", range(3))
async def test_a_key_that_brings_a_tone_ends_for_the_others_too(table: Table, again: int) -> None:
    """Asterisk may lose its end where the tone comes at once: the customer was sent that key for ever, and no voice."""
    table.invite(user=table.guest.id)
    ring = await table.guest.phone.incoming()
    await does(table.at_host, "**4")
    await ring.until_ended()
    await does(table.at_host, f"**1{table.guest.did[1:]}#")
    ring = await table.guest.phone.incoming()
    await heard(table.at_customer, HOST)
    await table.at_customer.hang_up()
    await ring.until_ended()


@pytest.mark.covers("C8", "C9", "C10", "C11")
async def test_a_host_leaves_and_the_guest_who_was_refused_before_has_the_keys(table: Table) -> None:
    at_guest = await table.guest_joins()
    await everybody_hears(table)
    for keys in ("**2", "**5", "**99"):
        await does(at_guest, keys, REFUSED)
    await everybody_hears(table)
    with contextlib.suppress(Missed):
        await table.at_host.press("**7")
    await table.at_host.until_ended()
    assert table.now["host_leg"] == table.leg("guest")
    await does(at_guest, "**2")
    await heard(table.at_customer, *MUSIC)
    await does(at_guest, "**2")
    expert = table.scene.outside(tone=EXPERT)
    await does(at_guest, f"**1{expert.number[1:]}#")
    at_expert = await expert.incoming()
    await at_expert.answer()
    await asyncio.gather(heard(at_expert, GUEST, CUSTOMER), heard(table.at_customer, GUEST, EXPERT))
    await does(at_guest, "**7", REFUSED)  # the last user leaves nobody alone with somebody outside
    with contextlib.suppress(Missed):
        await at_guest.press("**99")
    await asyncio.gather(*(call.until_ended() for call in (at_guest, at_expert, table.at_customer)))


@pytest.mark.covers("C1")
async def test_a_code_that_is_left_unfinished_or_names_nobody_is_refused_with_a_tone(table: Table) -> None:
    await does(table.at_host, "**1999#", REFUSED)
    await does(table.at_host, "**3", REFUSED)
    began = time.monotonic()
    await table.at_host.press("**1206")
    await until(
        lambda: told_of(table.at_host, began, REFUSED), 9, "the tones of a code that nobody finished", every=0.2
    )
    assert time.monotonic() - began > WITHIN.total_seconds()
    await heard(table.at_customer, HOST)
    await table.at_host.hang_up()
