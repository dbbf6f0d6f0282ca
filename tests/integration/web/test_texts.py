"""Texts through the API, with a transport of paper: writing, reading, refusals, STOP (T1 to T8)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from crm.services import ledger, numbers, rate_import, text_transports
from pbx.adapters.sms.media import MediaAddresses
from pbx.core.gate import Reason
from pbx.services.ports_texts import (
    Accepted,
    Delivery,
    DeliveryReport,
    IncomingText,
    ReceivedMedia,
    Refused,
    Uncertain,
)
from tests.integration.web.test_events import Follower
from tests.integration.web.world import Someone, World
from tests.support.outbox_process import any_hour
from tests.support.waiting import until

ANN, BOB = "+12065550150", "+12065550151"
TOKYO = "+819012345678"


async def carried(world: World, *, campaign: bool = True) -> str:
    """Texts are carried at any hour, and US numbers have an approved campaign; the transport's id."""
    world.engine.texting.rules.hours = any_hour
    async with world.engine.store.write() as work:
        made = await text_transports.add(work, {"name": "Paper", "kind": "http"})
    if campaign:
        await approve(world, [f"+1415555010{index}" for index in range(1, 5)])
    await world.engine.reload()
    world.engine.texting.changed()
    await until(lambda: world.engine.texting.transports.get(made.id) is not None, 10, "the transport")
    return made.id


async def approve(world: World, of: list[str], state: str = "approved") -> str:
    details: dict[str, Any] = {
        "entityType": "PRIVATE_PROFIT",
        **dict.fromkeys(("displayName", "companyName"), "Marcom"),
        **dict.fromkeys(("ein", "street", "city", "state", "postalCode"), "1"),
        **dict.fromkeys(("country", "einIssuingCountry"), "US"),
        "email": "a@marcom.example",
        "phone": ANN,
        "vertical": "RETAIL",
    }
    said = dict.fromkeys(
        ("description", "messageFlow", "sample1", "optinMessage", "optoutMessage", "helpMessage"), "Words"
    )
    brand = {"name": "Marcom", "details": details, "state": "verified"}
    campaign = {"name": "Care", "brand": "Marcom", "details": said, "message_class": "A", "numbers": of}
    assert (await world.ask("POST", "/text-brands", world.robin, brand))[0] == 201
    status, made = await world.ask("POST", "/text-campaigns", world.robin, campaign | {"state": state})
    assert status == 201, made
    return str(made["id"])


async def send(world: World, who: Someone, body: str = "Hello", **more: Any) -> dict[str, Any]:
    draft = {"to": ANN, "body": body, **more}
    if "conversation_id" in more:
        del draft["to"]
    status, text = await world.ask("POST", "/texts", who, draft)
    assert status == 201, text
    return dict(text)


async def comes(world: World, did: str, body: str, sender: str = ANN, provider_id: str = "") -> None:
    text = IncomingText("sms_x", provider_id or f"in-{body}-{sender}", sender, did, body, 1)
    await world.engine.texting.inbox.received(text)


async def state(world: World, text_id: str, wanted: str) -> dict[str, Any]:
    async def is_so() -> bool:
        nonlocal found
        _, found = await world.ask("GET", f"/texts/{text_id}", world.robin)
        return bool(found["state"] == wanted)

    found: dict[str, Any] = {}
    for _ in range(600):
        if await is_so():
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(found)


@pytest.mark.covers("T1", "T4", "N2")
async def test_a_text_is_accepted_sent_delivered_and_stands_in_its_conversation(world: World) -> None:
    await carried(world)
    text = await send(world, world.mio, "Hi Ann 👋🏽, see you at “5”")
    assert (text["state"], text["did"], text["encoding"]) == ("queued", "+14155550101", "ucs2")
    sent = await state(world, text["id"], "sent")
    assert world.engine.paper.sent[0].body == "Hi Ann 👋🏽, see you at “5”"
    await world.engine.texting.inbox.reported(
        DeliveryReport(sent["transport_id"], Delivery.DELIVERED, 5, provider_id=sent["provider_id"])
    )
    assert (await state(world, text["id"], "delivered"))["delivered_us"] == 5
    await comes(world, "+14155550101", "Yes please")
    _, page = await world.ask("GET", "/conversations", world.mio)
    [conversation] = page["items"]
    assert (conversation["unread"], conversation["last_body"], conversation["last_direction"]) == (
        1,
        "Yes please",
        "in",
    )
    reply = await send(world, world.mio, "Fine", conversation_id=conversation["id"])
    _, texts = await world.ask("GET", f"/conversations/{conversation['id']}/texts?limit=2", world.mio)
    assert [each["body"] for each in texts["items"]] == ["Fine", "Yes please"]
    _, rest = await world.ask(
        "GET", f"/conversations/{conversation['id']}/texts?limit=2&cursor={texts['next_cursor']}", world.mio
    )
    assert [each["id"] for each in rest["items"]] == [text["id"]] and rest["next_cursor"] is None
    await state(world, reply["id"], "sent")
    _, read = await world.ask("POST", f"/conversations/{conversation['id']}/read", world.mio, {})
    assert read["unread"] == 0


@pytest.mark.covers("T2", "TRUST21")
async def test_only_who_has_the_number_replies_and_other_reps_see_nothing(world: World) -> None:
    await carried(world)
    await comes(world, "+14155550102", "For Sam")
    _, page = await world.ask("GET", "/conversations", world.sam)
    conversation = page["items"][0]["id"]
    _, texts = await world.ask("GET", f"/conversations/{conversation}/texts", world.alex)
    assert [each["body"] for each in texts["items"]] == ["For Sam"], "managers read"
    for path in (
        f"/conversations/{conversation}",
        f"/conversations/{conversation}/texts",
        f"/texts/{texts['items'][0]['id']}",
        f"/conversations?user={world.sam.id}",
        f"/texts?user={world.sam.id}",
    ):
        assert (await world.ask("GET", path, world.mio))[0] == 403, path
    assert (await world.ask("GET", "/texts", world.mio))[1]["items"] == []
    for who in (world.mio, world.alex, world.robin):
        status, problem = await world.ask("POST", "/texts", who, {"conversation_id": conversation, "body": "Hi"})
        assert (status, problem["code"]) == (403, "not_your_number")


@pytest.mark.covers("T2")
async def test_a_number_that_somebody_else_has_by_now_shows_them_no_old_texts(world: World) -> None:
    await carried(world)
    await comes(world, "+14155550101", "For Mio alone")
    async with world.engine.store.write() as work:
        await numbers.change(work, "+14155550101", {"user": None})
        await numbers.change(work, "+14155550102", {"user": None})
        await numbers.change(work, "+14155550101", {"user": world.sam.id})
    await world.engine.reload()
    await comes(world, "+14155550101", "For Sam now")
    _, sams = await world.ask("GET", "/conversations", world.sam)
    assert [each["last_body"] for each in sams["items"]] == ["For Sam now"]
    _, mios = await world.ask("GET", "/conversations", world.mio)
    [old] = mios["items"]
    assert old["last_body"] == "For Mio alone" and old["ended_us"] is not None
    status, problem = await world.ask("POST", "/texts", world.mio, {"conversation_id": old["id"], "body": "Hi"})
    assert (status, problem["code"]) == (403, "not_your_number") and "Sam" in problem["detail"]


@pytest.mark.covers("T3", "N4")
async def test_the_composer_is_told_segments_price_and_the_dear_character(world: World, tmp_path: Path) -> None:
    await carried(world)
    file = tmp_path / "rates.csv"
    file.write_text("prefix,price\n1,0.0079\n")
    given = {"name": "Texts", "direction": "text", "valid_from_us": 0}
    await rate_import.run(world.engine.store, file, given)
    body = "It’s " + "x" * 100
    status, shown = await world.ask("POST", "/texts/preview", world.mio, {"to": ANN, "body": body})
    assert status == 200 and shown["allowed"]
    assert (shown["count"]["encoding"], shown["count"]["segments"]) == ("ucs2", 2)
    assert (shown["price_micros"], shown["currency"]) == (15_800, "USD")
    assert shown["count"]["hint"] == {"characters": ["’"], "plain": body.replace("’", "'"), "segments": 1}
    text = await send(world, world.mio, body)
    sent = await state(world, text["id"], "sent")
    assert (sent["price_micros"], sent["currency"]) == (15_800, "USD")
    async with world.engine.store.write() as work:
        held = await ledger.balance(work.session)
        assert held.balance_micros == 10_000_000 - 15_800
        await ledger.adjust(work, -held.balance_micros, "Used elsewhere")
    status, problem = await world.ask("POST", "/texts", world.mio, {"to": ANN, "body": body})
    assert (status, problem["code"]) == (422, "balance_too_low")


@pytest.mark.covers("T6", "N3")
async def test_refusals_say_why_and_which_number_would_do(world: World) -> None:
    await carried(world)
    async with world.engine.store.write() as work:
        await numbers.change(work, "+14155550102", {"user": None})
        await numbers.add(work, {"number": "+819011112222", "user": world.sam.id})
    await world.engine.reload()
    status, problem = await world.ask("POST", "/texts", world.mio, {"to": TOKYO, "body": "Hi"})
    assert (status, problem["code"]) == (422, "country_pair")
    assert "JP" in problem["detail"] and "Sam" in problem["detail"] and problem["would_do"] == ["+819011112222"]
    for to, code in (("+81312345678", "receiver_cannot_sms"), ("12", "no_campaign"), ("+1", "invalid_number")):
        _, shown = await world.ask("POST", "/texts/preview", world.mio, {"to": to, "body": "Hi"})
        assert code == "no_campaign" or shown["reason"] == code, (to, shown)
    async with world.engine.store.write() as work:
        await numbers.change(work, "+14155550101", {"sms": False})
    await world.engine.reload()
    status, problem = await world.ask("POST", "/texts", world.mio, {"to": ANN, "body": "Hi"})
    assert (status, problem["code"]) == (422, "number_cannot_sms")
    assert world.engine.paper.sent == []


@pytest.mark.covers("T7", "TRUST23")
async def test_stop_holds_for_every_user_at_once_is_confirmed_once_and_start_ends_it(world: World) -> None:
    await carried(world)
    await comes(world, "+14155550101", " Stop. ")
    status, problem = await world.ask("POST", "/texts", world.sam, {"to": ANN, "body": "Hi"})
    assert (status, problem["code"]) == (422, "opted_out")
    await comes(world, "+14155550101", "STOP", provider_id="again")
    await until(lambda: len(world.engine.paper.sent) == 1, 10, "the confirmation")
    assert "no more texts" in world.engine.paper.sent[0].body
    _, out = await world.ask("GET", f"/opt-outs/{ANN}", world.mio)
    assert (out["source"], out["detail"]) == ("keyword", "Stop.")
    await comes(world, "+14155550102", "start")
    await until(lambda: len(world.engine.paper.sent) == 2, 10, "the second confirmation")
    await send(world, world.sam)
    await comes(world, "+14155550102", "Please stop by at five")
    assert (await world.ask("GET", f"/opt-outs/{ANN}", world.mio))[0] == 404


@pytest.mark.covers("T7", "TRUST23")
async def test_a_text_that_waits_when_its_receiver_says_stop_is_not_sent(world: World) -> None:
    await carried(world)
    world.engine.paper.open.clear()
    first = await send(world, world.mio, "one")
    await until(lambda: len(world.engine.paper.sent) == 1, 10, "the first in hand")
    second = await send(world, world.mio, "two")
    status, _ = await world.ask("POST", "/opt-outs", world.sam, {"number": "206 555 0150", "detail": "told me"})
    assert status == 201
    world.engine.paper.open.set()
    await state(world, first["id"], "sent")
    failed = await state(world, second["id"], "failed")
    assert failed["code"] == "opted_out" and world.engine.paper.bodies() == ["one"]


@pytest.mark.covers("T8")
async def test_a_us_text_without_an_approved_campaign_is_held_and_goes_when_it_is_approved(world: World) -> None:
    await carried(world, campaign=False)
    text = await send(world, world.mio)
    assert (text["state"], text["code"]) == ("held", "no_campaign") and "campaign" in text["reason"]
    campaign = await approve(world, ["+14155550101"], "submitted")
    async with asyncio.timeout(30):
        while text["code"] != "campaign_not_approved":  # looked at again, and not under way any more
            await asyncio.sleep(0.05)
            _, text = await world.ask("GET", f"/texts/{text['id']}", world.mio)
    assert world.engine.paper.sent == []
    await world.ask("PATCH", f"/text-campaigns/{campaign}", world.robin, {"state": "approved", "registry_id": "C123"})
    await state(world, text["id"], "sent")
    assert world.engine.paper.sent[0].campaign == "C123"


@pytest.mark.covers("T4")
async def test_refused_for_now_is_tried_again_refused_for_good_fails_with_the_reason(world: World) -> None:
    await carried(world)
    answers = iter((Refused("busy", "Try later.", False, 0.0), Accepted("p1")))
    world.engine.paper.answer = lambda text: next(answers)
    text = await send(world, world.mio)
    waiting = await state(world, text["id"], "queued")
    assert waiting["tries"] <= 1
    world.engine.paper.answer = lambda text: Refused("blocked", "The carrier blocks this text.", True)
    other = await send(world, world.sam, to=BOB)
    failed = await state(world, other["id"], "failed")
    assert (failed["code"], failed["reason"]) == ("blocked", "The carrier blocks this text.")


@pytest.mark.covers("T4", "P3")
async def test_what_may_have_been_sent_is_unknown_and_not_sent_twice(world: World) -> None:
    await carried(world)
    world.engine.paper.answer = lambda text: Uncertain("timeout", "No answer came.")
    text = await send(world, world.mio)
    unknown = await state(world, text["id"], "unknown")
    assert unknown["reason"].startswith("No answer came.") and len(world.engine.paper.sent) == 1
    report = DeliveryReport(unknown["transport_id"], Delivery.DELIVERED, 9, message_id=text["id"])
    await world.engine.texting.inbox.reported(report)
    await state(world, text["id"], "delivered")


@pytest.mark.covers("TRUST10")
async def test_the_same_idempotency_key_many_times_at_once_makes_one_text(world: World) -> None:
    await carried(world)
    asked = [
        world.ask("POST", "/texts", world.mio, {"to": ANN, "body": "once"}, headers={"Idempotency-Key": "k1"})
        for _ in range(20)
    ]
    ids = {answer["id"] for _, answer in await asyncio.gather(*asked)}
    assert len(ids) == 1
    await state(world, ids.pop(), "sent")
    assert world.engine.paper.bodies() == ["once"]


@pytest.mark.covers("T1")
async def test_a_scheduled_text_waits_and_can_be_taken_back(world: World) -> None:
    await carried(world)
    soon = world.engine.store.clock() + 3_600_000_000
    text = await send(world, world.mio, at_us=soon)
    assert (text["state"], text["scheduled_us"]) == ("scheduled", soon)
    assert (await world.ask("POST", f"/texts/{text['id']}/cancel", world.sam))[0] == 403
    _, gone = await world.ask("POST", f"/texts/{text['id']}/cancel", world.mio)
    assert gone["state"] == "canceled"
    assert (await world.ask("POST", f"/texts/{text['id']}/cancel", world.mio))[0] == 409
    _, problem = await world.ask("POST", "/texts", world.mio, {"to": ANN, "body": "x", "at_us": 1})
    assert problem["code"] == "bad_moment"


@pytest.mark.covers("T4")
async def test_a_text_that_comes_twice_is_kept_once_and_a_report_that_comes_early_is_not_lost(world: World) -> None:
    transport = await carried(world)
    await comes(world, "+14155550101", "Hello", provider_id="same")
    await comes(world, "+14155550101", "Hello", provider_id="same")
    _, page = await world.ask("GET", "/texts?direction=in", world.mio)
    assert len(page["items"]) == 1
    world.engine.paper.answer = lambda text: Accepted("early")
    await world.engine.texting.inbox.reported(DeliveryReport(transport, Delivery.DELIVERED, 7, provider_id="early"))
    text = await send(world, world.mio)
    assert (await state(world, text["id"], "delivered"))["delivered_us"] == 7


@pytest.mark.covers("T3")
async def test_a_text_in_parts_is_delivered_with_its_last_part(world: World) -> None:
    transport = await carried(world)
    world.engine.paper.answer = lambda text: Accepted("a", ("a", "b"))
    text = await send(world, world.mio, "x" * 200)
    await state(world, text["id"], "sent")
    inbox = world.engine.texting.inbox
    await inbox.reported(DeliveryReport(transport, Delivery.DELIVERED, 7, provider_id="b"))
    await state(world, text["id"], "sent")
    await inbox.reported(DeliveryReport(transport, Delivery.DELIVERED, 8, provider_id="a"))
    await state(world, text["id"], "delivered")


@pytest.mark.covers("T4", "S7")
async def test_texts_stand_in_the_feed_of_their_record_for_those_who_may_read_them(world: World) -> None:
    await carried(world)
    contact = {"kind": "contact", "name": "Ann Lee", "phones": [{"label": "mobile", "number": ANN}]}
    _, record = await world.ask("POST", "/records", world.mio, contact)
    text = await send(world, world.mio)
    assert text["record_id"] == record["id"]
    _, feed = await world.ask("GET", f"/records/{record['id']}/activity", world.mio)
    line = next(each for each in feed["items"] if each["kind"] == "text")
    assert (line["object_id"], line["data"]["body"]) == (text["id"], "Hello")
    _, sams = await world.ask("GET", f"/records/{record['id']}/activity", world.sam)
    assert "text" not in {each["kind"] for each in sams["items"]}


@pytest.mark.covers("T7", "S2")
async def test_an_outcome_that_means_no_texts_opts_the_customer_out(world: World) -> None:
    await carried(world)
    _, outcome = await world.ask("POST", "/outcomes", world.robin, {"name": "No texts", "do_not_text": True})
    call = world.talk(world.mio, ANN)
    world.end(call)
    await world.stored()
    status, saved = await world.ask("POST", f"/calls/{call}/summary/save", world.mio, {"outcome_id": outcome["id"]})
    assert status == 200, saved
    _, out = await world.ask("GET", f"/opt-outs/{ANN}", world.sam)
    assert (out["source"], out["detail"]) == ("disposition", "No texts")
    status, problem = await world.ask("POST", "/texts", world.sam, {"to": ANN, "body": "Hi"})
    assert problem["code"] == "opted_out"


@pytest.mark.covers("L4", "P5", "S2")
async def test_an_outcome_that_means_no_calls_puts_the_customer_on_the_do_not_call_list(world: World) -> None:
    _, outcome = await world.ask("POST", "/outcomes", world.robin, {"name": "No calls", "do_not_call": True})
    call = world.talk(world.mio, ANN)
    world.end(call)
    await world.stored()
    for _ in range(2):
        status, saved = await world.ask("POST", f"/calls/{call}/summary/save", world.mio, {"outcome_id": outcome["id"]})
        assert status == 200, saved
    _, listed = await world.ask("GET", f"/do-not-call/{ANN}", world.robin)
    assert (listed["source"], listed["reason"]) == ("disposition", "No calls")
    await world.engine.reload()
    assert world.engine.gate.check(world.sam.id, ANN).reason is Reason.DO_NOT_CALL


@pytest.mark.covers("A5", "T4")
async def test_consoles_follow_texts_and_a_snapshot_with_the_events_after_it_is_a_fresh_snapshot(world: World) -> None:
    await carried(world)
    await comes(world, "+14155550101", "Before")
    async with (
        Follower(world, world.mio) as mio,
        Follower(world, world.sam) as sam,
        Follower(world, world.alex) as alex,
    ):
        assert [each["last_body"] for each in mio.seen["conversations"]] == ["Before"]
        await comes(world, "+14155550101", "After", BOB)
        text = await send(world, world.mio, to=BOB)
        await state(world, text["id"], "sent")
        await world.ask("POST", f"/conversations/{mio.seen['conversations'][0]['id']}/read", world.mio, {})
        world.engine.hub.directory_changed()  # which everybody is told
        number = world.engine.hub.number
        await sam.follow(number)
        await mio.follow(number)
        await alex.follow(number)
        async with Follower(world, world.mio) as fresh:
            assert mio.seen["conversations"] == fresh.seen["conversations"]
        assert [each["last_state"] for each in mio.seen["conversations"]] == ["sent"]
        told = [each["text"]["state"] for each in mio.messages if each["type"] == "text"]
        assert told == ["received", "queued", "sent"]
        assert {each["type"] for each in alex.messages} >= {"text"} and alex.seen["conversations"] == []
        assert "After" not in str(sam.messages)


@pytest.mark.covers("T1")
async def test_a_picture_goes_along_and_only_who_may_read_the_conversation_sees_it(world: World) -> None:
    carrier = await carried(world)
    url = world.server.make_url("/api/v1/text-attachments?name=cat.png")
    headers = {**world.mio.bearer, "Content-Type": "image/png"}
    async with world.http.post(url, data=b"a cat", headers=headers) as answer:
        file = await answer.json()
        assert (answer.status, file["bytes"], file["content_type"]) == (201, 5, "image/png")
    status, problem = await world.ask("POST", "/texts", world.sam, {"to": ANN, "attachment_ids": [file["id"]]})
    assert (status, problem["code"]) == (422, "no_such_attachment")
    text = await send(world, world.mio, "", attachment_ids=[file["id"]])
    await state(world, text["id"], "sent")
    [media] = world.engine.paper.sent[0].media
    assert (media.content_type, media.name, media.path.read_bytes()) == ("image/png", "cat.png", b"a cat")
    assert (await world.ask("GET", f"/text-attachments/{file['id']}", world.mio)) == (200, b"a cat")
    assert (await world.ask("GET", f"/text-attachments/{file['id']}", world.sam))[0] == 403
    now, base = [1_000.0], str(world.server.make_url("")).rstrip("/")
    world.engine.paper.media = MediaAddresses(base, carrier, "secret", lambda: now[0])
    address = world.engine.paper.media.of(file["id"])
    async with world.http.get(address) as fetched:
        assert (fetched.status, await fetched.read()) == (200, b"a cat"), "by the provider, without a login"
    async with world.http.get(address[:-2] + "xx") as fetched:
        assert fetched.status == 404
    now[0] += 25 * 3600
    async with world.http.get(address) as fetched:
        assert fetched.status == 404, "it holds for a day"
    picture = ReceivedMedia("text/html", "page.html", b"<script>")
    await world.engine.texting.inbox.received(
        IncomingText("sms_x", "mms", ANN, world.mio.user.number or "", "Look", 1, (picture,))
    )
    _, log = await world.ask("GET", "/texts?direction=in", world.mio)
    [came] = log["items"][0]["attachments"]
    async with world.http.get(
        world.server.make_url(f"/api/v1/text-attachments/{came['id']}"), headers=world.mio.bearer
    ) as answer:
        assert answer.headers["Content-Disposition"] == "attachment", "a page that somebody sent is never shown"


@pytest.mark.covers("T1")
async def test_a_template_is_filled_from_the_conversation(world: World) -> None:
    await carried(world)
    contact = {"kind": "contact", "name": "Ann Lee", "phones": [{"label": "mobile", "number": ANN}]}
    await world.ask("POST", "/records", world.mio, contact)
    body = {"name": "Hello", "body": "Hi {{contact.name}}, it is {{user.name}}"}
    _, made = await world.ask("POST", "/text-templates", world.robin, body)
    assert (await world.ask("POST", "/text-templates", world.mio, body))[0] == 403
    text = await send(world, world.mio)
    path = f"/text-templates/{made['id']}/filled?conversation_id={text['conversation_id']}"
    assert (await world.ask("GET", path, world.mio))[1] == {"body": "Hi Ann Lee, it is Mio"}
    assert (await world.ask("GET", path, world.sam))[0] == 403
    _, listed = await world.ask("GET", "/text-templates", world.sam)
    assert [each["name"] for each in listed["items"]] == ["Hello"]


@pytest.mark.covers("T5", "T8", "A1")
async def test_admins_see_transports_with_their_condition_and_the_registrys_form(world: World) -> None:
    transport = await carried(world)
    _, conditions = await world.ask("GET", "/text-transports/conditions", world.alex)
    assert conditions["items"] == [
        {"id": transport, "name": "Paper", "ready": True, "condition": "Connected.", "waiting": 0}
    ]
    _, form = await world.ask("GET", "/text-registration/form", world.robin)
    assert {"companyName", "ein", "vertical"} <= {each["name"] for each in form["brand"]}
    assert {"message_class": "A", "per_minute": 4500}.items() <= form["classes"][0].items()
    _, kinds = await world.ask("GET", "/text-transport-kinds", world.robin)
    assert {each["kind"] for each in kinds["items"]} == {"sip_message", "http", "smpp"}
    await world.ask("PATCH", f"/text-transports/{transport}", world.robin, {"enabled": False})
    status, problem = await world.ask("POST", "/texts", world.mio, {"to": ANN, "body": "Hi"})
    assert (status, problem["code"]) == (422, "no_text_transport")
