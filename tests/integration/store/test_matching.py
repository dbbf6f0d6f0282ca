"""Who is calling: what the incoming card shows, on both databases."""

from __future__ import annotations

from typing import Any

import pytest

from crm.services import deals, notes, people
from crm.services.matching import match, match_each
from crm.unit_of_work import Store


async def add(store: Store, kind: str, name: str, **values: Any) -> str:
    async with store.write() as work:
        phones = [{"label": "mobile", "number": "+81 90-1234-5678"}]
        return (await people.add(work, kind, {"name": name, "phones": phones, **values}, country="JP")).id


@pytest.mark.covers("I1")
@pytest.mark.parametrize(
    ("raw", "country"),
    [
        ("+819012345678", "US"),
        ("090-1234-5678", "JP"),
        ("０９０１２３４５６７８", "JP"),
        ("+81 (0)90-1234-5678", "US"),
        ("tel:+819012345678", "US"),
    ],
)
async def test_a_caller_is_known_in_any_notation(store: Store, raw: str, country: str) -> None:
    record_id = await add(store, "lead", "田中 太郎", company="マルコム")
    async with store.read() as session:
        (found,) = await match(session, raw, country=country)
    assert (found.record_id, found.name, found.company_name) == (record_id, "田中 太郎", "マルコム")
    assert (found.number, found.label, found.deal, found.last_note) == ("+819012345678", "mobile", None, None)


@pytest.mark.covers("I1")
async def test_several_with_the_same_number_are_all_kept_contacts_first(store: Store) -> None:
    lead = await add(store, "lead", "Ann")
    company = await add(store, "company", "Home Ltd")
    contact = await add(store, "contact", "Bob", company="Acme")
    async with store.read() as session:
        found = await match(session, "+819012345678")
    assert [each.record_id for each in found] == [contact, lead, company]
    assert found[0].company_name == "Acme"


@pytest.mark.covers("I1")
async def test_the_card_has_the_open_deal_changed_last_and_the_last_note(store: Store) -> None:
    record_id = await add(store, "contact", "Ann")
    for name, status in (("Old", "open"), ("Newest", "open"), ("Gone", "lost")):
        async with store.write() as work:
            await deals.add(work, {"name": name, "record_id": record_id, "status": status})
            await notes.add(work, record_id, f"About {name}")
    async with store.read() as session:
        (found,) = await match(session, "+819012345678")
    assert found.deal is not None and found.deal.name == "Newest"
    assert found.last_note is not None and found.last_note.text == "About Gone"


@pytest.mark.covers("I1", "TRUST17")
@pytest.mark.parametrize(
    "raw", ["", "anonymous", "Restricted", "+", "12", "&Local/9", "' OR 1=1 --", "\x00", "9" * 500]
)
async def test_what_is_no_number_matches_nobody(store: Store, raw: str) -> None:
    await add(store, "lead", "Ann")
    async with store.read() as session:
        assert await match(session, raw) == []


async def test_a_switchboards_number_gives_the_card_no_more_than_it_can_show(store: Store) -> None:
    for number in range(15):
        await add(store, "lead", f"Person {number}")
    async with store.read() as session:
        assert len(await match(session, "+819012345678", limit=10)) == 10


@pytest.mark.covers("I1", "TRUST17")
async def test_many_callers_are_looked_up_at_once_and_strangers_left_out(store: Store) -> None:
    lead = await add(store, "lead", "Ann")
    contact = await add(store, "contact", "Bob", phones=[{"number": "+12065550150"}])
    asked = ["+819012345678", "+12065550150", "+12065550151", "", "anonymous", "+1\x00", "\ud800", "' OR 1=1 --"]
    found = await match_each(store, asked)
    assert {number: [each.record_id for each in cards] for number, cards in found.items()} == {
        "+819012345678": [lead],
        "+12065550150": [contact],
    }
    async with store.read() as session:
        assert found["+819012345678"] == await match(session, "+819012345678")
    assert await match_each(store, []) == {}
