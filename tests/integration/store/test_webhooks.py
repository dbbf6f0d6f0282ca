"""Webhooks are told what happened: written down with it, sent in order, with the same id for each repeat (A5)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import update

from bench.figures import at_most
from crm import directory as directories
from crm import ids
from crm.billing import Charge
from crm.errors import Refused
from crm.models.texts import Text
from crm.repositories import journal, money
from crm.services import ledger, people, settings, texts, webhook_outbox, webhooks
from crm.services.texts import NewText
from crm.services.webhooks import NewWebhook
from crm.unit_of_work import Store
from crm.web_addresses import read_nets
from crm.webhooks import EVENTS
from pbx.adapters.clock import LoopClock
from pbx.adapters.public_http import PublicHttp
from pbx.adapters.webhook_post import WebhookPost
from pbx.core.webhooks import Answer
from pbx.services.alert_log import AlertLog
from pbx.services.alerts import Alerts, Kind
from pbx.services.webhooks import Webhooks
from tests.integration.store.makers import call_row
from tests.support.webhook_receiver import Receiver

MINUTE_US = 60_000_000
HOUR_US = 60 * MINUTE_US
NETS = "127.0.0.0/8"
pytestmark = pytest.mark.covers("A5")


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.us = ids.now_us()

    def __call__(self) -> int:
        return self.us


class World:
    """A store whose clock is moved by hand, and an engine's worker on it."""

    def __init__(self, store: Store) -> None:
        self.clock = Clock()
        self.store, store.clock = store, self.clock
        self.alerts = Alerts(LoopClock())
        self.http = PublicHttp(NETS, resolve=_at_home)
        self.worker: Webhooks

    async def begin(self) -> None:
        async with self.store.read() as session:
            directory = await directories.load(session)
        post = WebhookPost(self.http)
        self.worker = Webhooks(self.store, post, lambda: directory, self.alerts, worker="one", jitter=lambda: 1.0)

    async def add(self, receiver: Receiver, *events: str, **values: Any) -> NewWebhook:
        given = {"url": receiver.url, "events": list(events or EVENTS), **values}
        async with self.store.write() as work:
            made = await webhooks.add(work, given, read_nets(NETS))
        receiver.secret = made.secret
        return made

    async def call(self, **values: Any) -> str:
        """It is over when it comes into the store, as short calls are."""
        row = call_row(self.clock.us, answered_us=self.clock.us + 1, **values)
        await self.write(row)
        return str(row["id"])

    async def write(self, row: dict[str, Any]) -> None:
        async with self.store.journal() as batch:
            journal.upsert_calls(batch, [row])

    async def pay(self, cost_micros: int) -> None:
        """For a text, as the outbox does."""
        self.clock.us += 1
        rest = {"call_id": None, "user_id": None, "trunk_id": None, "table_id": None, "number": "+12065550150"}
        numbers = dict.fromkeys(("units", "price_micros", "setup_micros", "first_s", "then_s"), 0)
        times = dict.fromkeys(("began_us", "ended_us", "priced_us"), self.clock.us)
        words = {"direction": "text", "role": "", "prefix": "1", "rate_name": "USA", "currency": "USD"}
        made = Charge(ids.new("txt"), "text", amount_micros=cost_micros, **rest, **numbers, **times, **words)
        async with self.store.write() as work:
            await money.add_charges(work.session, [made])
            await ledger.book_charges(work, [made], await settings.values(work.session))

    async def turns(self, minutes: int = 0, step_us: int = 10_000_000) -> None:
        """Let this time go by, and the worker do what is due meanwhile."""
        until = self.clock.us + minutes * MINUTE_US
        await self.worker.turn()
        await self.worker.turn()
        while self.clock.us < until:
            self.clock.us += step_us
            await self.worker.turn()

    async def deliveries(self, **wanted: Any) -> list[Any]:
        async with self.store.read() as session:
            return (await webhook_outbox.page(session, **wanted, limit=500)).items

    async def shown(self, webhook_id: str) -> Any:
        async with self.store.read() as session:
            return await webhooks.show(session, webhook_id)


async def _at_home(host: str) -> list[str]:
    return ["127.0.0.1"]


@pytest.fixture
async def world(store: Store) -> AsyncIterator[World]:
    made = World(store)
    await made.begin()
    yield made
    await made.http.close()


Make = Callable[[], Awaitable[Receiver]]


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    made: list[Receiver] = []

    async def receiver() -> Receiver:
        made.append(Receiver())
        await made[-1].start()
        return made[-1]

    yield receiver
    for each in made:
        await each.stop()


# -- what is written down --------------------------------------------------------------------------


async def test_a_call_is_told_once_for_each_thing_that_happened_to_it_however_often_it_is_written(
    world: World, make: Make
) -> None:
    receiver = await make()
    await world.add(receiver, "call.created", "call.answered", "call.ended")
    row = call_row(world.clock.us, ended_us=None, state="ringing", disposition=None, answered_us=None)
    answered, ended = {"answered_us": world.clock.us + 2}, {"ended_us": world.clock.us + 3}
    for changes in ({}, {}, answered, answered, ended, {}):
        row = row | changes
        await world.write(row)
    await world.turns()
    assert receiver.types == ["call.created", "call.answered", "call.ended"]
    assert [each["created_us"] for each in receiver.told] == [row["created_us"], row["answered_us"], row["ended_us"]]
    assert receiver.told[-1]["data"]["id"] == row["id"] and "legs" in receiver.told[-1]["data"]


async def test_a_call_that_is_over_when_it_is_written_is_told_in_the_same_order(world: World, make: Make) -> None:
    receiver = await make()
    await world.add(receiver)
    await world.call(customer_number="+12065550150")
    await world.turns()
    assert receiver.types == ["call.created", "call.answered", "call.ended"]
    assert receiver.told[0]["data"]["customer_display"] == "(206) 555-0150"
    assert receiver.forged == 0


async def test_nothing_is_written_of_what_no_webhook_wants(world: World, make: Make) -> None:
    await world.call()
    await world.add(await make(), "text.received")
    await world.call()
    assert await world.store.rows([("SELECT seq FROM webhook_events", ())]) == [[]]


async def test_texts_are_told_as_they_come_and_go_from_state_to_state(world: World, make: Make) -> None:
    receiver = await make()
    await world.add(receiver)
    base = {"did": "+14155550101", "customer_number": "+12065550150", "encoding": "gsm7", "segments": 1}
    async with world.store.write() as work:
        await texts.add(work, NewText(**base, direction="in", author="c", body="Hi", state="received"))
        new = NewText(**base, direction="out", author="u", body="Yes", state="queued", next_us=0)
        text, _ = await texts.add(work, new)
    for state in ("sending", "sent", "sent", "delivered"):
        async with world.store.write() as work:
            await work.session.execute(update(Text).where(Text.id == text.id).values(state=state))
    await world.turns()
    assert receiver.types == ["text.received", "text.accepted", "text.sent", "text.delivered"]
    assert receiver.told[0]["data"]["body"] == "Hi"


async def test_people_are_told_of_by_their_kind_and_what_is_gone_by_its_id(world: World, make: Make) -> None:
    receiver = await make()
    await world.add(receiver)
    async with world.store.write() as work:
        made = await people.add(work, "contact", {"name": "Mio"})
    world.clock.us += 1
    async with world.store.write() as work:
        await people.change(work, made.id, {"name": "Mio Sato"})
    await world.turns()
    async with world.store.write() as work:
        await people.remove(work, made.id)
    await world.turns()
    assert receiver.types == ["contact.added", "contact.changed", "contact.removed"]
    assert [each["data"].get("name") for each in receiver.told] == ["Mio Sato", "Mio Sato", None]
    assert receiver.told[-1]["data"]["id"] == made.id


async def test_an_alert_is_told_when_it_begins_and_when_it_is_over_also_one_that_its_engine_left_open(
    world: World, make: Make
) -> None:
    receiver = await make()
    await world.add(receiver, "alert.raised", "alert.over")
    log = AlertLog(world.store, "one")
    world.alerts.watchers.append(log.changed)
    world.alerts.raised(Kind.TRUNK_DOWN, "tr_1", "The trunk is down.", trunk="tr_1")
    world.alerts.raised(Kind.DISK_LOW, "recordings", "There is little room.")
    world.clock.us += MINUTE_US
    world.alerts.over(Kind.TRUNK_DOWN, "tr_1")
    await log.write()
    await world.turns()
    assert receiver.types == ["alert.raised", "alert.raised", "alert.over"]
    told = receiver.told[-1]["data"]
    assert (told["id"], told["data"]) == ("trunk_down:tr_1", {"trunk": "tr_1"}) and told["over_us"]
    await AlertLog(world.store, "another")._begin()
    await AlertLog(world.store, "one")._begin()
    await world.turns()
    assert [each["data"]["id"] for each in receiver.told[3:]] == ["disk_low:recordings"]


@pytest.mark.covers("A5", "N4")
async def test_charges_and_postings_are_told_and_a_balance_that_gets_low_or_empty_once(
    world: World, make: Make
) -> None:
    receiver = await make()
    await world.add(receiver, "charge.added", "ledger.posted", "balance.low", "balance.empty")
    for cost in (1_000_000, 7_500_000, 100_000, 2_000_000, 1):
        await world.pay(cost)
    await world.turns()
    assert receiver.types == [
        *("charge.added", "ledger.posted", "ledger.posted"),
        *("charge.added", "ledger.posted", "balance.low"),
        *("charge.added", "ledger.posted"),
        *("charge.added", "ledger.posted", "balance.empty"),
        *("charge.added", "ledger.posted"),
    ]
    low = next(each["data"] for each in receiver.told if each["type"] == "balance.low")
    assert (low["balance_micros"], low["low_micros"]) == (1_500_000, 2_000_000)
    assert receiver.told[3]["data"]["amount_micros"] == 7_500_000


# -- how it is sent ----------------------------------------------------------------------------------


async def test_while_the_receiver_refuses_one_event_the_others_go_on(world: World, make: Make) -> None:
    receiver = await make()
    receiver.refuses = {"call.answered"}
    made = await world.add(receiver)
    await world.call()
    await world.turns()
    assert receiver.types == ["call.created", "call.ended"]
    receiver.refuses = set()
    await world.turns(1)
    assert receiver.types == ["call.created", "call.ended", "call.answered"]
    assert (await world.shown(made.webhook.id)).state == "on"


async def test_one_event_that_the_receiver_always_fails_at_is_not_in_the_way_for_long(world: World, make: Make) -> None:
    receiver = await make()
    await world.add(receiver)
    await world.call()
    poison = True

    async def post(url: str, headers: Any, body: bytes) -> Any:
        if poison and b"call.created" in body:
            return Answer(500)
        return await WebhookPost(world.http)(url, headers, body)

    world.worker._post = post
    await world.turns(4)
    assert receiver.types == ["call.answered", "call.ended"]
    poison = False
    await world.turns(60, step_us=MINUTE_US)
    assert receiver.types[-1] == "call.created"


async def test_a_receiver_that_is_slow_or_away_holds_nobody_else_up(world: World, make: Make) -> None:
    slow, away, quick = await make(), await make(), await make()
    for each in (slow, away, quick):
        await world.add(each)
    slow.goes_on.clear()
    await away.stop()
    await world.call()
    await world.worker._round()
    await world.worker._round()
    while len(quick.taken) < 3:
        await _a_moment()
    assert slow.taken == [] and quick.types == ["call.created", "call.answered", "call.ended"]
    slow.goes_on.set()
    await world.turns()
    assert len(slow.taken) == 3


async def _a_moment() -> None:
    await asyncio.sleep(0.01)


async def test_a_paused_webhook_is_told_later_of_what_happened_meanwhile(world: World, make: Make) -> None:
    receiver = await make()
    made = await world.add(receiver, enabled=False)
    await world.call()
    await world.turns(1)
    assert receiver.asked == [] and (await world.shown(made.webhook.id)).waiting == 3
    async with world.store.write() as work:
        await webhooks.change(work, made.webhook.id, {"enabled": True})
    await world.turns()
    assert len(receiver.taken) == 3


async def test_the_secret_before_signs_too_for_a_day(world: World, make: Make) -> None:
    receiver = await make()
    made = await world.add(receiver, "call.ended")
    async with world.store.write() as work:
        other = await webhooks.rotate(work, made.webhook.id)
    await world.call()
    await world.turns()
    assert (len(receiver.taken), receiver.forged) == (1, 0), "the old secret"
    receiver.secret = other.secret
    world.clock.us += 25 * HOUR_US
    await world.call()
    await world.turns()
    assert (len(receiver.taken), receiver.forged) == (2, 0), "the new secret"
    receiver.secret = made.secret
    await world.call()
    await world.turns()
    assert receiver.forged == 1, "a day later the old one signs no more"


async def test_a_ping_goes_to_its_webhook_alone(world: World, make: Make) -> None:
    one, other = await make(), await make()
    made = await world.add(one)
    await world.add(other)
    async with world.store.write() as work:
        await webhooks.ping(work, made.webhook.id)
    await world.turns()
    assert (one.types, other.types) == (["ping"], [])
    [delivery] = await world.deliveries()
    assert (delivery.state, delivery.status, delivery.attempts) == ("delivered", 200, 1)


# -- away for long -----------------------------------------------------------------------------------


@pytest.mark.trust(9)
@pytest.mark.covers("TRUST9")
async def test_a_receiver_that_was_away_ten_minutes_is_told_all_of_it_later_in_order(
    world: World, make: Make, measured: Any
) -> None:
    receiver, beside = await make(), await make()
    made = await world.add(receiver)
    await world.add(beside)
    await world.call()
    await world.turns()
    await receiver.stop()
    calls = [await world.call() for _ in range(20)]
    await world.turns(11)
    assert [alert.kind.value for alert in world.alerts.standing] == ["webhook_failing"]
    assert (await world.shown(made.webhook.id)).state == "failing"
    assert len(beside.taken) == 63, "the one beside was told at once"
    receiver.status = 503
    await receiver.start()
    await world.turns(6)
    repeated = set(receiver.asked)
    receiver.status = 200
    await world.turns(6)
    ended = [each["data"]["id"] for each in receiver.told if each["type"] == "call.ended"][1:]
    measured(
        at_most(
            "events that a receiver away ten minutes was not told later", 63 - len(set(receiver.taken)), "events", 0
        )
    )
    measured(at_most("events that it took twice", len(receiver.taken) - len(set(receiver.taken)), "events", 0))
    measured(at_most("repeats with another id", len(repeated - set(receiver.taken)), "events", 0))
    assert sorted(ended) == sorted(calls)
    assert world.alerts.standing == [] and (await world.shown(made.webhook.id)).state == "on"
    assert {each.state for each in await world.deliveries()} == {"delivered"}


async def test_after_three_days_it_is_given_up_marked_and_told_and_can_be_sent_again(world: World, make: Make) -> None:
    receiver = await make()
    made = await world.add(receiver, "call.ended")
    await receiver.stop()
    await world.call()
    await world.turns(73 * 60, step_us=HOUR_US)
    [delivery] = await world.deliveries(webhook_id=made.webhook.id, state="failed")
    assert (delivery.error, delivery.next_us) == ("given_up", None) and delivery.attempts > 10
    assert {alert.kind.value for alert in world.alerts.standing} == {"webhook_failing", "webhook_given_up"}
    await receiver.start()
    async with world.store.write() as work:
        again = await webhook_outbox.redeliver(work, delivery.id)
    await world.turns(20)
    assert again.state == "waiting" and receiver.taken == [delivery.event_id]
    assert world.alerts.standing == []


async def test_what_is_over_for_two_weeks_goes(world: World, make: Make) -> None:
    await world.add(await make())
    await world.call()
    await world.turns()
    assert len(await world.deliveries()) == 3
    world.clock.us += 15 * 24 * HOUR_US
    await world.turns()
    assert await world.deliveries() == []


async def test_deliveries_are_paged_newest_first(world: World, make: Make) -> None:
    await world.add(await make())
    for _ in range(3):
        await world.call()
        world.clock.us += 1_000_000
    await world.turns()
    async with world.store.read() as session:
        first = await webhook_outbox.page(session, limit=5)
        second = await webhook_outbox.page(session, cursor=first.next_cursor, limit=5)
    assert (len(first.items), len(second.items), second.next_cursor) == (5, 4, None)
    assert len({each.id for each in [*first.items, *second.items]}) == 9


# -- where it leads ----------------------------------------------------------------------------------

_WRITTEN = ("127.0.0.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost", "[::1]", "[::ffff:7f00:1]")


@pytest.mark.trust(22)
@pytest.mark.covers("TRUST22")
async def test_no_webhook_leads_inside_whatever_its_address_looks_like(world: World, make: Make, measured: Any) -> None:
    receiver = await make()
    made = await world.add(receiver)
    accepted = []
    for host in (
        *_WRITTEN,
        "10.0.0.7",
        "169.254.169.254",
        "0300.0250.0.1",
        "3232235521",
        "[fd00::1]",
        "[64:ff9b::a00:1]",
    ):
        async with world.store.write() as work:
            try:
                await webhooks.change(work, made.webhook.id, {"url": f"http://{host}:{receiver.port}/hook"})
                accepted.append(host)
            except Refused as refused:
                assert refused.code == "bad_address"
    measured(at_most("inner addresses that a webhook may be given", len(accepted), "addresses", 0))
    await world.http.close()
    world.http = PublicHttp(resolve=_saying([["1.1.1.1", "127.0.0.1"], ["127.0.0.1"], ["::1"], ["10.0.0.7"]]))
    await world.begin()
    await world.call()
    await world.turns(5)
    assert {each.error for each in await world.deliveries() if each.attempts} == {"not_allowed"}
    await world.http.close()
    world.http, receiver.status = PublicHttp(NETS, resolve=_at_home), 302
    await world.begin()
    await world.turns(10)
    assert "redirect" in {each.error for each in await world.deliveries()}
    measured(at_most("inner addresses that were fetched", len(receiver.elsewhere), "requests", 0))
    assert receiver.taken == []


def _saying(addresses: list[list[str]]) -> Callable[[str], Awaitable[list[str]]]:
    """A name server that says something else each time."""

    async def look_up(host: str) -> list[str]:
        return addresses.pop(0) if len(addresses) > 1 else addresses[0]

    return look_up


@pytest.mark.covers("N5", "A5")
async def test_what_was_told_of_a_person_who_is_erased_goes_too(world: World, make: Make) -> None:
    await world.add(await make())
    async with world.store.write() as work:
        made = await people.add(work, "contact", {"name": "Mio", "phones": [{"number": "+12065550150"}]})
    await world.call(customer_number="+12065550150")
    await world.call(customer_number="+12065550199")
    await world.turns()
    async with world.store.write() as work:
        await webhook_outbox.forget_person(work.session, (made.id, "+12065550150"))
    assert {each.object_id[:2] for each in await world.deliveries()} == {"c_"}
    assert len(await world.deliveries()) == 3
