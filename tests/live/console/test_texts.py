"""Texts in the console: one that comes is told, read and answered; who wants none is not written to (T1 to T8)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import Locator, expect

from crm.services import demo_texts, opt_outs, settings, text_brands, text_campaigns, text_transports
from tests.live.console.page import Console, Open, known_person
from tests.live.stage import Outside, Rep, Scene
from tests.support.waiting import until

HOUR = "Hello 😀 may I call you at 3 pm? 午後3時"
IMDN = (
    '<?xml version="1.0"?><imdn xmlns="urn:ietf:params:xml:ns:imdn"><message-id>{}</message-id>'
    "<delivery-notification><status><delivered/></status></delivery-notification></imdn>"
)


async def texting_rep(scene: Scene) -> Rep:
    """Whose number texts over the trunk, within an approved campaign, at any hour."""
    rep = await scene.rep(phones=0)

    async def prepare(work: Any) -> None:
        await settings.change(work, "texts.calling_hours", "off")
        if not await text_transports.list_all(work.session):
            options = {"trunk": scene.stack.trunk_id}
            await text_transports.add(work, {"name": "Trunk", "kind": "sip_message", "options": options})
        values = {"name": f"Brand {rep.did}", "details": demo_texts.BRAND, "state": "verified"}
        brand = await text_brands.add(work, values)
        campaign = {"name": f"Care {rep.did}", "brand": brand.id, "use_case": "CUSTOMER_CARE", "message_class": "A"}
        campaign |= {"details": demo_texts.CAMPAIGN, "state": "approved", "numbers": [rep.did]}
        await text_campaigns.add(work, campaign)

    await scene.stack.change(prepare)
    return rep


async def conversation(console: Console, customer: Outside) -> Locator:
    """Opened out of the list."""
    await console.go("/texts")
    await console.page.get_by_role("link").filter(has_text=customer.number[-4:]).first.click()
    return console.page.get_by_role("log")


async def write(console: Console, text: str) -> None:
    await console.page.get_by_label("Text", exact=True).fill(text)


@pytest.mark.covers("T1", "T2", "T3", "T4", "T5", "R1")
async def test_a_text_that_comes_is_told_read_and_answered_until_it_is_delivered(
    scene: Scene, open_console: Open
) -> None:
    rep, customer, line = await texting_rep(scene), scene.outside(), scene.stack.carrier.phone
    console = await open_console(rep, shift=False)
    await line.text(rep.did, HOUR, kind="text/plain;charset=utf-8", caller=customer.number)
    nav = console.page.get_by_role("navigation", name="Main")
    await expect(nav.get_by_label("1 unread text")).to_be_visible()
    await expect(console.toast("Hello 😀 may I call")).to_be_visible()
    texts = await conversation(console, customer)
    await expect(texts).to_contain_text(HOUR)
    await expect(nav.get_by_label("1 unread text")).to_have_count(0)
    await write(console, "Yes 👍")
    await expect(console.page.get_by_text("1 segment", exact=True)).to_be_visible()
    await console.page.get_by_role("button", name="Send", exact=True).click()
    await expect(texts).to_contain_text("Sent")
    mine = [each for each in line.messages if customer.number in each.uri]
    assert [each.body.decode() for each in mine] == ["Yes 👍"]
    report = IMDN.format(mine[0].call_id)
    await line.text(rep.did, report, kind="message/imdn+xml", caller=customer.number)
    await expect(texts).to_contain_text("Delivered")


@pytest.mark.covers("T4")
async def test_a_text_that_the_carrier_does_not_take_now_waits_and_says_why(scene: Scene, open_console: Open) -> None:
    rep, customer, line = await texting_rep(scene), scene.outside(), scene.stack.carrier.phone
    console = await open_console(rep, shift=False)
    await line.text(rep.did, "Are you there?", caller=customer.number)
    texts = await conversation(console, customer)
    line.message_status = 503
    try:
        await write(console, "I am")
        await console.page.get_by_role("button", name="Send", exact=True).click()
        await expect(texts).to_contain_text("Waiting to be sent")
        await expect(texts).to_contain_text("503")
    finally:
        line.message_status = 200
    await console.press("Take back", texts)
    await expect(texts).to_contain_text("Taken back")


@pytest.mark.covers("T6", "T7")
async def test_who_wrote_stop_is_not_written_to_and_the_page_says_why(scene: Scene, open_console: Open) -> None:
    rep, customer = await texting_rep(scene), scene.outside()
    console = await open_console(rep, shift=False)
    await scene.stack.carrier.phone.text(rep.did, "STOP", caller=customer.number)
    await conversation(console, customer)
    await expect(console.page.get_by_text("This number wants no texts since")).to_be_visible()
    await expect(console.page.get_by_label("Text", exact=True)).to_have_count(0)
    async with scene.stack.engine.store.read() as session:
        assert customer.number in {each.e164 for each in (await opt_outs.list_all(session)).items}
    other = await known_person(scene, f"Opal {customer.number[-4:]}", ("mobile", customer.number))
    await console.go(f"/people/{other.id}?tab=conversations")
    await console.page.get_by_role("button", name="Start conversation").click()
    await console.page.get_by_role("button", name="SMS", exact=True).click()
    await write(console, "Hello")
    dialog = console.page.get_by_role("dialog", name="New text")
    await expect(dialog.get_by_text("wants no texts")).to_be_visible()
    await expect(dialog.get_by_role("button", name="Send", exact=True)).to_be_disabled()


@pytest.mark.covers("T1", "T4")
async def test_a_text_is_scheduled_from_a_persons_page_and_taken_back(scene: Scene, open_console: Open) -> None:
    rep, customer = await texting_rep(scene), scene.outside()
    person = await known_person(scene, f"Sylvie {customer.number[-4:]}", ("mobile", customer.number))
    console = await open_console(rep, shift=False)
    await console.go(f"/people/{person.id}?tab=conversations")
    await console.page.get_by_role("button", name="Start conversation").click()
    await console.page.get_by_role("button", name="SMS", exact=True).click()
    await write(console, "Tomorrow then")
    await console.press("Send later", console.page.get_by_role("dialog"))
    await console.page.get_by_label("When?").fill(f"{datetime.now(UTC) + timedelta(days=3):%Y-%m-%dT%H:%M}")
    await console.page.get_by_role("dialog").get_by_role("button", name="Send later").last.click()
    await expect(console.toast("The text is scheduled.")).to_be_visible()
    texts = await conversation(console, customer)
    await expect(texts).to_contain_text("Scheduled")
    await console.press("Take back", texts)
    await expect(texts).to_contain_text("Taken back")
    await until(lambda: not any(customer.number in each.uri for each in scene.stack.carrier.phone.messages), 1, "none")


@pytest.mark.covers("T1", "T2")
async def test_a_text_stands_in_the_feed_as_it_comes_and_is_answered_from_there(
    scene: Scene, open_console: Open
) -> None:
    rep, customer = await texting_rep(scene), scene.outside()
    person = await known_person(scene, f"Flora {customer.number[-4:]}", ("mobile", customer.number))
    console = await open_console(rep, shift=False)
    await console.go(f"/people/{person.id}")
    feed = console.page.get_by_role("tabpanel", name="Activity")
    await expect(feed).to_contain_text("added this record")
    await scene.stack.carrier.phone.text(rep.did, "Is Friday fine?", caller=customer.number)
    await expect(feed).to_contain_text("Is Friday fine?")
    await feed.get_by_role("link", name="Reply").click()
    await expect(console.page.get_by_role("log")).to_contain_text("Is Friday fine?")
    await write(console, "It is")
    await console.page.get_by_role("button", name="Send", exact=True).click()
    await expect(console.page.get_by_role("log")).to_contain_text("Sent")
    await console.page.get_by_role("tab", name="Activity").click()
    await expect(feed.get_by_role("article").filter(has_text="It is")).to_contain_text("You wrote a text")
