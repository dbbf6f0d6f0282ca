"""Two browsers and somebody outside in one call: what is shown to whom, and what each of them hears (C1 to C13)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from playwright.async_api import expect

from crm.services import groups
from prompts.music import MUSIC_TONES
from tests.live.console.page import Console, Consoles
from tests.live.console.test_calling import talk
from tests.live.stage import Scene
from tests.support.sip_call import Call

HOST, GUEST, CUSTOMER, EXPERT = 620, 700, 820, 940
VOICES = [HOST, GUEST, CUSTOMER, EXPERT, *MUSIC_TONES]
MUSIC = set(MUSIC_TONES)


@dataclass
class Three:
    host: Console
    guest: Console
    theirs: Call
    guests_name: str
    hosts_name: str
    number: str

    @property
    def customer(self) -> str:
        """How the panels call somebody whom nobody knows."""
        return f"555-{self.number[-4:]}"


@pytest.fixture
async def three(scene: Scene, consoles: Consoles) -> AsyncIterator[Three]:
    """A host who talks with a customer, and a colleague whose shift has started."""
    mine, other = await asyncio.gather(scene.rep(phones=0), scene.rep(phones=0))
    host, guest = await asyncio.gather(consoles.open(mine, tone=HOST), consoles.open(other, tone=GUEST))
    customer = scene.outside(CUSTOMER)
    theirs = await talk(host, customer)
    yield Three(host, guest, theirs, other.user.name, mine.user.name, customer.number)


async def hears(one: Console | Call, *tones: float) -> None:
    """These of the voices and no other."""
    wanted = set(tones)
    if isinstance(one, Console):
        await one.until(lambda: exactly(one, wanted), 5, f"exactly {sorted(wanted)}")
    else:
        await one._until(lambda: one.tones(VOICES, 0.5) == wanted or None, 5, f"exactly {sorted(wanted)}")


async def exactly(console: Console, wanted: set[float]) -> bool:
    return await console.tones(VOICES) == wanted


async def all_hear_each_other(three: Three) -> None:
    await asyncio.gather(
        hears(three.host, GUEST, CUSTOMER), hears(three.guest, HOST, CUSTOMER), hears(three.theirs, HOST, GUEST)
    )


async def joins(three: Three) -> None:
    await three.host.invite(three.guests_name)
    await expect(three.guest.invitation).to_be_visible()
    await three.guest.press("Answer", three.guest.invitation)
    await three.guest.until_talking()
    await expect(three.host.party(three.guests_name)).to_contain_text("Connected")


async def hold(three: Three, who: str) -> None:
    await three.host.party(who).get_by_role("button", name="Hold").click()


async def take_back(three: Three, who: str) -> None:
    await three.host.party(who).get_by_role("button", name="Take").click()


async def end_for_all(console: Console) -> None:
    await console.press("End for all")
    await console.press("End for all", console.page.get_by_role("dialog", name="End the call for everybody?"))


@pytest.mark.covers("C1", "C2", "C4", "C5", "C11", "C10")
async def test_a_colleague_is_invited_answers_and_all_three_hear_each_other(three: Three) -> None:
    await three.host.invite(three.guests_name)
    await expect(three.host.bar).to_contain_text("Ringing…")
    card = three.guest.invitation
    await expect(card.get_by_role("alert")).to_have_text(f"{three.hosts_name} invites you to a call")
    await expect(card.get_by_role("button", name="Forward")).to_have_count(0)
    await expect(three.host.panel.get_by_role("combobox")).to_have_count(0)
    await three.guest.key("Alt+A")
    await all_hear_each_other(three)
    await expect(three.host.panel).to_contain_text("One guest at a time.")
    await expect(three.host.party(three.hosts_name)).to_contain_text("Host")
    await three.guest.press("People in the call")
    await expect(three.guest.panel).to_contain_text("You are a guest")
    for name in ("Hold", "Disconnect"):
        await expect(three.host.panel.get_by_role("button", name=name)).to_have_count(2)
        await expect(three.guest.panel.get_by_role("button", name=name)).to_have_count(0)
    await expect(three.guest.bar.get_by_role("button", name="Leave", exact=True)).to_be_visible()
    await expect(three.guest.bar.get_by_role("button", name="End")).to_have_count(0)
    await end_for_all(three.host)
    await three.theirs.until_ended()
    await asyncio.gather(three.host.until_free(), three.guest.until_free())


@pytest.mark.covers("C2", "C4")
async def test_an_invitation_is_cancelled_and_one_that_is_declined_says_so(three: Three) -> None:
    await three.host.invite(three.guests_name)
    await expect(three.guest.invitation).to_be_visible()
    await three.host.press("Cancel", three.host.panel)
    await expect(three.guest.invitation).to_have_count(0)
    await expect(three.host.party(three.guests_name)).to_contain_text("Cancelled")
    await three.host.press("Invite again", three.host.panel)
    await expect(three.guest.invitation).to_be_visible()
    await three.guest.press("Decline", three.guest.invitation)
    await expect(three.host.party(three.guests_name)).to_contain_text("Declined")
    await hears(three.theirs, HOST)
    await three.host.press("End")
    await three.theirs.until_ended()


@pytest.mark.covers("C3", "V6")
async def test_somebody_outside_is_invited_by_number_and_sees_the_hosts(scene: Scene, three: Three) -> None:
    expert = scene.outside(EXPERT)
    await three.host.press("Invite")
    await three.host.panel.get_by_role("combobox").fill(expert.number)
    await three.host.key("Enter")
    at_expert = await expert.incoming()
    assert at_expert.caller_number == three.host.rep.did
    await at_expert.answer()
    await asyncio.gather(hears(three.host, CUSTOMER, EXPERT), hears(at_expert, HOST, CUSTOMER))
    await hears(three.theirs, HOST, EXPERT)
    await end_for_all(three.host)
    await asyncio.gather(three.theirs.until_ended(), at_expert.until_ended())


@pytest.mark.covers("C1", "C3")
async def test_a_group_is_invited_by_its_name_and_whoever_answers_is_in(scene: Scene, three: Three) -> None:
    name = f"Night shift {three.number[-4:]}"
    members = {"name": name, "members": [three.guest.rep.id]}
    await scene.stack.change(lambda work: groups.add(work, members))
    await three.host.press("Invite")
    await three.host.panel.get_by_role("combobox").fill(name)
    await three.host.panel.get_by_role("option").filter(has_text=name).click()
    await expect(three.guest.invitation).to_be_visible()
    await three.guest.press("Answer", three.guest.invitation)
    await all_hear_each_other(three)
    await expect(three.host.party(three.guests_name)).to_contain_text("Connected")
    await end_for_all(three.host)
    await three.theirs.until_ended()


@pytest.mark.covers("C8", "C9")
async def test_the_last_user_is_told_why_two_outside_cannot_be_left_alone(scene: Scene, three: Three) -> None:
    expert = scene.outside(EXPERT)
    await three.host.press("Invite")
    await three.host.panel.get_by_role("combobox").fill(expert.number)
    await three.host.key("Enter")
    at_expert = await expert.incoming()
    await at_expert.answer()
    await hears(three.host, CUSTOMER, EXPERT)
    await three.host.press("Leave")
    await expect(three.host.toast("You are the last user in this call.")).to_be_visible()
    await end_for_all(three.host)
    await asyncio.gather(three.theirs.until_ended(), at_expert.until_ended())


@pytest.mark.covers("C8", "C9")
async def test_the_last_user_may_leave_two_outside_alone_where_a_setting_says_so(scene: Scene, three: Three) -> None:
    expert = scene.outside(EXPERT)
    async with scene.stack.setting("conference.unattended_max_s", 30):
        await three.host.press("Invite")
        await three.host.panel.get_by_role("combobox").fill(expert.number)
        await three.host.key("Enter")
        at_expert = await expert.incoming()
        await at_expert.answer()
        await hears(three.host, CUSTOMER, EXPERT)
        await three.host.press("Leave")
        await three.host.until_free()
        await asyncio.gather(hears(three.theirs, EXPERT), hears(at_expert, CUSTOMER))
        await three.theirs.hang_up()
        await at_expert.until_ended()


@pytest.mark.covers("C6")
async def test_each_is_held_by_the_host_hears_music_and_is_taken_back(three: Three) -> None:
    await joins(three)
    await hold(three, three.customer)
    await asyncio.gather(hears(three.theirs, *MUSIC), hears(three.host, GUEST), hears(three.guest, HOST))
    await expect(three.host.party(three.customer)).to_contain_text("On hold")
    await take_back(three, three.customer)
    await hold(three, three.guests_name)
    await asyncio.gather(hears(three.guest, *MUSIC), hears(three.host, CUSTOMER), hears(three.theirs, HOST))
    await expect(three.guest.bar).to_contain_text("You are on hold")
    await take_back(three, three.guests_name)
    await all_hear_each_other(three)
    await end_for_all(three.host)
    await three.theirs.until_ended()


@pytest.mark.covers("C7", "C8")
async def test_the_guest_is_disconnected_and_the_two_others_talk_on(three: Three) -> None:
    await joins(three)
    await three.host.press(f"Disconnect {three.guests_name}", three.host.panel)
    await three.guest.until_free()
    await asyncio.gather(hears(three.host, CUSTOMER), hears(three.theirs, HOST))
    await three.host.press("End")
    await three.theirs.until_ended()


@pytest.mark.covers("C8", "C9", "C12", "C13")
async def test_the_host_leaves_and_the_guest_has_the_hosts_controls_and_both_write_a_summary(
    scene: Scene, three: Three
) -> None:
    await joins(three)
    await all_hear_each_other(three)
    call_id = await scene.live_call(three.host.rep)
    await three.host.press("Leave")
    await three.host.until_free()
    await asyncio.gather(hears(three.guest, CUSTOMER), hears(three.theirs, GUEST))
    await expect(three.host.page.get_by_role("heading", name="Summary", level=1)).to_be_visible()
    await expect(three.guest.bar.get_by_role("button", name="End", exact=True)).to_be_visible()
    await three.guest.key("Alt+H")
    await hears(three.theirs, *MUSIC)
    await three.guest.press("Resume")
    await hears(three.theirs, GUEST)
    await three.guest.press("End")
    await three.theirs.until_ended()
    for console, said in ((three.host, "Handed over."), (three.guest, "Closed the deal.")):
        await expect(console.page.get_by_role("heading", name="Summary", level=1)).to_be_visible()
        await console.page.get_by_role("textbox", name="Notes").fill(said)
        await console.press("Save", console.page.get_by_role("main"))
        await expect(console.toast("Saved.")).to_be_visible()
    logged = await scene.stack.show(call_id)
    assert len(logged.recordings) == 1 and logged.row.user_id == three.host.rep.id
