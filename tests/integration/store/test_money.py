"""Rates, prices and the account on both databases (R2, N4)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from crm import ids
from crm.errors import Refused
from crm.repositories import journal, money
from crm.services import bills, ledger, pricing, rate_import, rates, settings
from crm.unit_of_work import Store
from tests.integration.store.makers import call_row

START_US = 1_700_000_000_000_000
MINUTE_US = 60_000_000
RATES = "Prefix,Destination,Price,Setup fee,Increments\n1,USA,0.01,,60/60\n1415,San Francisco,0.02,0.005,30/6\n"


async def import_rates(store: Store, path: Path, content: str = RATES, **values: Any) -> rate_import.Result:
    file = path / f"{ids.ulid()}.csv"
    file.write_text(content)
    given = {"name": f"Table {ids.ulid()}", "direction": "outbound", "valid_from_us": 0} | values
    return await rate_import.run(store, file, given)


async def add_call(store: Store, *legs: dict[str, Any], at: int = 0, **values: Any) -> list[str]:
    """A call that is over; each leg talked for ``talked`` microseconds, if at all. Gives the legs' ids."""
    row = call_row(START_US + at, **{"direction": "outbound", "user_id": "u_mio", "did": "+12065550100"} | values)
    made = []
    for number, leg in enumerate(legs, 1):
        talked = leg.pop("talked", None)
        began = START_US + at if talked is not None else None
        times = {"answered_us": began, "ended_us": (began or START_US + at) + (talked or 0)}
        own = {"id": f"leg_{row['id'][2:]}_{number}", "call_id": row["id"], "created_us": row["created_us"]}
        made.append(own | {"role": "customer", "trunk_id": "tr_a", "user_id": None} | times | leg)
    async with store.journal() as batch:
        journal.upsert_calls(batch, [row])
        journal.upsert_legs(batch, made)
    return [leg["id"] for leg in made]


async def price_all(store: Store) -> list[Any]:
    found: list[Any] = []
    while True:
        async with store.write() as work:
            done = await pricing.price_due(work)
        if not done.legs:
            return found
        found += done.charges


async def left(store: Store) -> int:
    async with store.read() as session:
        return (await ledger.balance(session)).balance_micros


@pytest.mark.covers("R2", "C13")
async def test_each_leg_is_priced_from_its_own_times_and_a_conference_is_two_calls(
    store: Store, tmp_path: Path
) -> None:
    await import_rates(store, tmp_path)
    legs = await add_call(
        store,
        {"number": "+12065550150", "talked": 61_000_000},
        {"role": "user", "device_id": "d_1", "trunk_id": None, "talked": 61_000_000},
        {"role": "guest", "number": "+14155550199", "talked": 31_000_000},
        {"role": "customer", "number": "+12065550151"},
    )
    charges = {charge.id: charge for charge in await price_all(store)}
    assert set(charges) == {legs[0], legs[2]}, "what never talked or never left costs nothing"
    assert (charges[legs[0]].amount_micros, charges[legs[0]].units) == (20_000, 120)
    guest = charges[legs[2]]
    assert (guest.amount_micros, guest.units, guest.rate_name) == (5_000 + 12_000, 36, "San Francisco")
    assert guest.user_id == "u_mio"
    assert await left(store) == 10_000_000 - 37_000


@pytest.mark.covers("R2", "C13")
async def test_a_colleague_who_was_invited_is_a_call_of_their_own_that_costs_what_the_house_says(store: Store) -> None:
    guest = {"role": "guest", "user_id": "u_sam", "device_id": "d_2", "trunk_id": None, "talked": MINUTE_US}
    await add_call(store, {"number": "+1206", "talked": MINUTE_US}, guest)
    found = await price_all(store)
    assert sorted((charge.user_id, charge.direction, charge.amount_micros) for charge in found) == [
        ("u_mio", "outbound", 0),
        ("u_sam", "internal", 0),
    ]


@pytest.mark.covers("R2")
async def test_a_call_that_came_in_is_priced_by_our_number_and_its_forwarding_by_the_number_called(
    store: Store, tmp_path: Path
) -> None:
    await import_rates(store, tmp_path)
    await import_rates(store, tmp_path, "prefix,price\n1206,0.001\n", direction="inbound")
    legs = await add_call(
        store,
        {"number": "+819012345678", "talked": MINUTE_US},
        {"role": "forward", "number": "+14155550130", "user_id": "u_sam", "talked": MINUTE_US},
        direction="inbound",
    )
    found = {charge.id: charge for charge in await price_all(store)}
    assert [(found[leg].direction, found[leg].amount_micros, found[leg].user_id) for leg in legs] == [
        ("inbound", 1_000, "u_mio"),
        ("outbound", 25_000, "u_sam"),
    ]


@pytest.mark.covers("R2", "P3")
async def test_a_leg_is_priced_once_however_often_it_is_looked_at_and_by_the_rate_of_its_moment(
    store: Store, tmp_path: Path
) -> None:
    await import_rates(store, tmp_path, "prefix,price\n1,0.01\n")
    await import_rates(store, tmp_path, "prefix,price\n1,9\n", valid_from_us=START_US + MINUTE_US)
    await add_call(store, {"number": "+1206", "talked": MINUTE_US})
    first = await price_all(store)
    async with store.write() as work:
        await work.session.execute(text("UPDATE legs SET priced_us = NULL"))
    assert ([charge.amount_micros for charge in first], await price_all(store)) == ([10_000], [])
    assert await left(store) == 10_000_000 - 10_000


@pytest.mark.covers("N4")
async def test_the_account_starts_with_complimentary_credit_and_is_topped_up_and_put_right(store: Store) -> None:
    assert await left(store) == 10_000_000
    async with store.write() as work:
        await settings.change(work, "billing.complimentary_micros", 3_000_000)
    assert await left(store) == 3_000_000, "until something is booked it may still be chosen"
    for _ in range(2):
        async with store.write() as work:
            await ledger.top_up(work, 5_000_000, "Invoice 7", name="invoice-7")
    async with store.write() as work:
        await ledger.adjust(work, -1_000_000, "Counted twice")
        await settings.change(work, "billing.complimentary_micros", 9_000_000)
    assert await left(store) == 7_000_000, "a payment of the same name is booked once"
    async with store.read() as session:
        found = (await ledger.page(session)).items
        assert [(each.kind, each.debit, each.credit, each.balance_micros) for each in found] == [
            ("adjustment", "adjustments", "balance", 7_000_000),
            ("top_up", "balance", "payments", 8_000_000),
            ("complimentary", "balance", "complimentary", 3_000_000),
        ]
        assert await ledger.verify(session) is None


@pytest.mark.covers("N4")
async def test_what_is_booked_is_refused_to_be_changed_by_the_database_itself(store: Store) -> None:
    await add_call(store, {"number": "+1206", "talked": 1})
    await price_all(store)
    async with store.write() as work:
        await ledger.top_up(work, 1)
    for table in ("ledger", "charges"):
        for statement in (f"UPDATE {table} SET amount_micros = 7", f"DELETE FROM {table}"):
            with pytest.raises(Refused):
                async with store.write() as work:
                    await work.session.execute(text(statement))
    assert await left(store) == 10_000_001


@pytest.mark.covers("N4")
@pytest.mark.parametrize("amount", [0, -1, 10**16, True])
async def test_a_top_up_of_nothing_is_refused(store: Store, amount: Any) -> None:
    with pytest.raises(Refused):
        async with store.write() as work:
            await ledger.top_up(work, amount)


@pytest.mark.covers("R2", "T3")
async def test_a_text_with_pictures_costs_its_own_price_whole_where_there_is_one(store: Store, tmp_path: Path) -> None:
    lines = "prefix,price,setup,mms\n1,0.008,0.001,0.02\n81,0.03,,\n"
    await import_rates(store, tmp_path, lines, direction="text")
    async with store.read() as session:
        prices = [
            (await pricing.price_of_text(session, to, 3, media=media, at_us=START_US)).amount_micros
            for to, media in (("+12065550150", True), ("+12065550150", False), ("+819012345678", True))
        ]
    assert prices == [21_000, 25_000, 90_000], "where there is none, its segments are charged"
    async with store.write() as work:
        charge = await pricing.charge_text(work, "msg_1", to="+12065550150", segments=3, user_id="u_mio", media=True)
    assert charge is not None
    assert (charge.amount_micros, charge.units, charge.price_micros, charge.setup_micros) == (21_000, 1, 20_000, 1_000)
    assert await left(store) == 10_000_000 - 21_000


@pytest.mark.covers("N4", "T3", "T6")
async def test_a_text_has_a_price_is_charged_once_and_needs_a_balance(store: Store, tmp_path: Path) -> None:
    await import_rates(store, tmp_path, "prefix,price\n1,0.008\n", direction="text")
    async with store.read() as session:
        price = await pricing.price_of_text(session, "+12065550150", 3, at_us=START_US)
        await pricing.check_text_credit(session, price)
    assert (price.amount_micros, price.currency) == (24_000, "USD")
    given = {"to": "+12065550150", "segments": 3, "user_id": "u_mio"}
    for _ in range(2):
        async with store.write() as work:
            await pricing.charge_text(work, "msg_1", **given)
    assert await left(store) == 10_000_000 - 24_000
    async with store.write() as work:
        await ledger.adjust(work, -9_900_000, "Used elsewhere")
    async with store.read() as session:
        with pytest.raises(Refused, match="too low"):
            await pricing.check_text_credit(session, price)


@pytest.mark.covers("R2", "A6")
async def test_lines_of_a_rate_file_that_cannot_be_kept_are_reported_and_the_others_hold(
    store: Store, tmp_path: Path
) -> None:
    content = (
        "プレフィックス;宛先;料金;課金単位\n+81;日本;0,02;60/60\n8190 8180;携帯;0,15;30/6\n81;日本;0,02;60/60\n"
        "81;日本;0,03;60/60\nabc;x;1;\n44;UK;viel;\n49;DE;0,01;x/y\n"
    )
    result = await import_rates(store, tmp_path, content, name="Japan")
    assert (result.lines, result.added, result.unchanged, result.refused) == (7, 3, 1, 4)
    assert result.report is not None and result.report.read_text("utf-8-sig").count("\n") == 5
    async with store.read() as session:
        [table] = await rates.list_all(session)
        page = await rates.lines(session, "Japan", begins="+81", limit=2)
        assert [(line.prefix, line.price_micros, line.first_s, line.then_s) for line in page.items] == [
            ("81", 20_000, 60, 60),
            ("8180", 150_000, 30, 6),
        ]
        assert [line.prefix for line in (await rates.lines(session, "Japan", cursor=page.next_cursor)).items] == [
            "8190"
        ]
        found = await rates.price(session, "+818012345678", at_us=START_US)
    assert found is not None and (found.table_id, table.prefixes) == (table.id, 3)


@pytest.mark.covers("R2")
async def test_a_rate_file_that_says_nothing_or_is_in_another_currency_is_refused(store: Store, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="is the price"):
        await import_rates(store, tmp_path, "prefix,remark\n1,x\n")
    with pytest.raises(Refused, match="in USD"):
        await import_rates(store, tmp_path, currency="JPY")
    await import_rates(store, tmp_path, name="One")
    with pytest.raises(Refused, match="has this name"):
        await import_rates(store, tmp_path, name="One")
    with pytest.raises(Refused, match="another currency"):
        async with store.write() as work:
            await settings.change(work, "billing.currency", "JPY")
    async with store.write() as work:
        await rates.remove(work, "One")
        await settings.change(work, "billing.currency", "JPY")
    async with store.read() as session:
        assert (await rates.list_all(session), (await ledger.balance(session)).currency) == ([], "JPY")


async def test_what_a_killed_import_has_left_is_never_used_and_goes_with_the_next(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "rates.csv"
    file.write_text(RATES)
    values = {"name": "Mine", "direction": "outbound", "valid_from_us": 0}
    async with store.write() as work:
        await rate_import._begin(work, values)
    async with store.read() as session:
        assert await rates.price(session, "+1206", at_us=START_US) is None
        assert await rates.list_all(session) == []
    await rate_import.run(store, file, values)
    async with store.read() as session:
        assert len(await rates.list_all(session)) == len(await money.tables(session, active_only=False)) == 1


@pytest.mark.covers("R2", "R4")
async def test_a_months_bill_adds_up_and_says_where_the_money_went(store: Store, tmp_path: Path) -> None:
    async with store.write() as work:
        await settings.change(work, "default_time_zone", "Asia/Tokyo")
    await import_rates(store, tmp_path)
    await add_call(store, {"number": "+1206", "talked": MINUTE_US}, user_id="u_mio")
    await add_call(store, {"number": "+1415", "talked": MINUTE_US}, at=MINUTE_US, user_id="u_sam")
    await add_call(store, {"number": "+1206", "talked": MINUTE_US}, at=40 * 86_400_000_000)
    await price_all(store)
    async with store.read() as session:
        bill = await bills.bill(session, "2023-11")
        text = "".join([piece async for piece in bills.as_csv(session, bill)])
    assert bill.calls_micros == 10_000 + 25_000 and bill.charges == 2
    assert bill.closing_micros == bill.opening_micros + bill.paid_in_micros + bill.adjusted_micros - 35_000
    assert [(line.name, line.amount_micros) for line in bill.users] == [("u_sam", 25_000), ("u_mio", 10_000)]
    assert [(line.name, line.amount_micros) for line in bill.destinations] == [
        ("San Francisco", 25_000),
        ("USA", 10_000),
    ]
    assert text.count("\r\n") == 3 and "0.025" in text
    async with store.read() as session:
        assert [month.month for month in await bills.months(session)][-2:] == ["2023-12", "2023-11"]
        for wrong in ("2023-13", "2023", "x"):
            with pytest.raises(Refused):
                await bills.bill(session, wrong)
