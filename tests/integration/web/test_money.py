"""Rates, prices, the account and bills over the API (R2, N4, V7)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pbx.core.call import State
from tests.integration.web.world import CUSTOMER, World

RATES = "prefix,destination,price,setup,increments\n1,USA,0.01,0.002,60/60\n81,Japan,0.05,,30/6\n"


async def until(ask: Any, wanted: Any = bool, within_s: float = 60.0) -> Any:
    async with asyncio.timeout(within_s):
        while True:
            found = await ask()
            if wanted(found):
                return found
            await asyncio.sleep(0.05)


async def import_rates(world: World, content: str = RATES, **values: Any) -> dict[str, Any]:
    world.engine.follow()
    headers = {"Content-Type": "text/csv", **world.robin.bearer}
    url = world.server.make_url("/api/v1/imports?name=rates.csv")
    async with world.http.post(url, data=content.encode(), headers=headers) as response:
        uploaded = await response.json()
    body = {"import_id": uploaded["id"], "name": "Carrier A", "direction": "outbound", "valid_from_us": 1} | values
    status, begun = await world.ask("POST", "/rate-tables", world.robin, body)
    assert status == 201, begun

    async def state() -> Any:
        return (await world.ask("GET", f"/imports/{uploaded['id']}", world.robin))[1]

    done = await until(state, lambda found: found["state"] != "running")
    await world.engine.billing.refresh()
    return dict(done)


@pytest.mark.covers("R2", "A6", "A1", "A5")
async def test_a_rate_table_is_imported_shown_changed_and_removed(world: World) -> None:
    done = await import_rates(world, RATES + "x,y,z,,\n")
    assert (done["state"], done["kind"], done["added"], done["refused"]) == ("done", "rates", 2, 1)
    status, report = await world.ask("GET", f"/imports/{done['id']}/report", world.robin)
    assert status == 200 and b"is not a price" in report
    [table] = (await world.ask("GET", "/rate-tables", world.robin))[1]["items"]
    assert (table["name"], table["prefixes"], table["currency"]) == ("Carrier A", 2, "USD")
    lines = (await world.ask("GET", f"/rate-tables/{table['id']}/rates?begins=8", world.robin))[1]["items"]
    assert [(line["prefix"], line["price_micros"], line["first_s"]) for line in lines] == [("81", 50_000, 30)]
    status, changed = await world.ask("PATCH", f"/rate-tables/{table['id']}", world.robin, {"name": "Carrier B"})
    assert (status, changed["name"]) == (200, "Carrier B")
    assert (await world.ask("DELETE", f"/rate-tables/{table['id']}", world.robin))[0] == 204
    assert (await world.ask("GET", "/rate-tables", world.robin))[1]["items"] == []
    assert (await world.ask("GET", "/rate-tables", world.mio))[0] == 403


@pytest.mark.covers("N4", "V2")
async def test_the_price_is_there_before_anybody_dials(world: World) -> None:
    status, price = await world.ask("GET", "/price?to=206-555-0150", world.mio)
    assert (status, price["number"], price["rate"]) == (200, CUSTOMER, None)
    await import_rates(world)
    price = (await world.ask("GET", "/price?to=206-555-0150", world.mio))[1]
    assert (price["rate"]["price_micros"], price["rate"]["setup_micros"], price["rate"]["name"]) == (
        10_000,
        2_000,
        "USA",
    )
    assert (await world.ask("GET", "/price?to=nobody", world.mio))[0] == 422
    await world.ask("POST", "/records", world.mio, {"kind": "lead", "name": "Ann", "phones": [{"number": CUSTOMER}]})
    [hit] = (await world.ask("GET", "/search?q=Ann", world.mio))[1]["items"]
    assert hit["prices"][CUSTOMER]["price_micros"] == 10_000


@pytest.mark.covers("R2", "V7", "C13")
async def test_a_call_says_what_it_costs_while_it_runs_and_what_it_has_cost_when_it_is_over(world: World) -> None:
    await import_rates(world, "prefix,price\n1,0.03\n", direction="inbound")
    call = world.talk(world.mio)
    cost = (await world.ask("GET", f"/calls/{call}/cost", world.mio))[1]
    [leg] = cost["legs"]
    assert (leg["direction"], leg["rate"]["price_micros"], cost["charges"]) == ("inbound", 30_000, [])
    assert leg["answered_us"] is not None
    assert (await world.ask("GET", f"/calls/{call}/cost", world.sam))[0] == 403
    world.end(call)
    await world.stored()

    async def detail() -> Any:
        return (await world.ask("GET", f"/calls/{call}", world.mio))[1]

    found = await until(detail, lambda found: found["cost"])
    assert found["cost"] == {"amount_micros": 30_000, "currency": "USD", "legs": 1}
    [row] = [row for row in (await world.ask("GET", "/calls", world.mio))[1]["items"] if row["id"] == call]
    assert row["cost"]["amount_micros"] == 30_000
    cost = (await world.ask("GET", f"/calls/{call}/cost", world.mio))[1]
    assert (cost["legs"], cost["amount_micros"], cost["charges"][0]["units"]) == ([], 30_000, 60)
    balance = (await world.ask("GET", "/balance", world.robin))[1]
    assert (balance["balance_micros"], balance["currency"]) == (10_000_000 - 30_000, "USD")


@pytest.mark.covers("N4")
async def test_without_credit_new_calls_are_refused_a_running_one_goes_on_and_a_top_up_lets_them_pass(
    world: World,
) -> None:
    await import_rates(world)
    running = world.talk(world.mio)
    used_up = {"amount_micros": -10_000_000, "memo": "Used elsewhere"}
    assert (await world.ask("POST", "/balance/adjustments", world.robin, used_up))[0] == 201
    alerts = (await world.ask("GET", "/alerts", world.robin))[1]["items"]
    assert [alert["kind"] for alert in alerts] == ["credit_empty"]
    status, answer = await world.ask("POST", "/gate/check", world.sam, {"to": CUSTOMER})
    assert (status, answer["allowed"], answer["reason"]) == (200, False, "no_credit")
    call = world.engine.calls.get(running)
    assert call is not None and call.state is State.TALKING
    top_up = {"amount_micros": 1_000_000, "memo": "Invoice 7", "name": "invoice-7"}
    for _ in range(2):
        assert (await world.ask("POST", "/balance/top-ups", world.robin, top_up))[0] == 201
    balance = (await world.ask("GET", "/balance", world.robin))[1]
    assert (balance["balance_micros"], balance["state"]) == (1_000_000, "low")
    assert [alert["kind"] for alert in (await world.ask("GET", "/alerts", world.robin))[1]["items"]] == ["credit_low"]
    assert (await world.ask("POST", "/gate/check", world.sam, {"to": CUSTOMER}))[1]["allowed"]
    emergency = (await world.ask("POST", "/gate/check", world.sam, {"to": "911"}))[1]
    assert emergency["allowed"]
    assert (await world.ask("POST", "/balance/top-ups", world.mio, top_up))[0] == 403
    assert (await world.ask("GET", "/balance", world.mio))[0] == 403
    kinds = [each["kind"] for each in (await world.ask("GET", "/balance/ledger", world.robin))[1]["items"]]
    assert kinds == ["top_up", "adjustment", "complimentary"]


@pytest.mark.covers("R2", "R4", "A5")
async def test_the_bill_of_a_month_is_shown_and_comes_as_csv_and_as_pdf(world: World) -> None:
    await import_rates(world, "prefix,price\n1,0.03\n", direction="inbound")
    call = world.talk(world.mio)
    world.end(call)
    await world.stored()

    async def months() -> Any:
        return (await world.ask("GET", "/bills", world.robin))[1]["items"]

    [month] = await until(months)
    assert month["open"]
    bill = (await world.ask("GET", f"/bills/{month['month']}", world.robin))[1]
    assert (bill["calls_micros"], bill["charges"], bill["closing_micros"]) == (30_000, 1, 9_970_000)
    assert bill["users"][0]["name"] == world.mio.id
    charges = (await world.ask("GET", f"/bills/{month['month']}/charges", world.robin))[1]["items"]
    assert [(charge["call_id"], charge["amount_micros"]) for charge in charges] == [(call, 30_000)]
    status, text = await world.ask("GET", f"/bills/{month['month']}/csv", world.robin)
    assert status == 200 and call.encode() in text
    for language in ("en", "ja"):
        headers = {"Accept-Language": language}
        status, pdf = await world.ask("GET", f"/bills/{month['month']}/pdf", world.robin, headers=headers)
        assert (status, pdf[:5]) == (200, b"%PDF-")
    assert (await world.ask("GET", "/bills/2026-13/pdf", world.robin))[0] == 404
    assert (await world.ask("GET", "/bills", world.mio))[0] == 403


@pytest.mark.covers("N4", "A4")
async def test_what_is_charged_and_what_is_left_are_told_live_and_counted(world: World) -> None:
    await import_rates(world, "prefix,price\n1,0.03\n", direction="inbound")
    hub = world.engine.hub
    before = hub.number
    call = world.talk(world.mio)
    world.end(call)
    await world.stored()

    async def told() -> Any:
        return [event.make() for event in hub.since(before, hub.epoch) or []]

    events = await until(told, lambda found: {"charges", "balance"} <= {event["type"] for event in found})
    [charged] = [event for event in events if event["type"] == "charges"]
    assert (charged["call_id"], charged["charges"][0]["amount_micros"]) == (call, 30_000)
    assert hub.snapshot(world.robin.id, True)["balance"]["balance_micros"] == 9_970_000
    assert hub.snapshot(world.mio.id, False)["balance"] is None
    text = world.engine.metrics.text().decode()
    assert 'switchhook_charged_micros_total{direction="inbound",kind="call"} 30000.0' in text
    assert 'switchhook_balance_micros{currency="USD"} 9.97e+06' in text
