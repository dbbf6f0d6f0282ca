"""Leads, contacts, companies, deals, notes and the feed: the same rules on both databases."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from crm.errors import Refused
from crm.search import search
from crm.services import activities, deals, demo_people, matching, notes, people
from crm.unit_of_work import Actor, Store

TANAKA = {
    "name": "田中 太郎",
    "company": "株式会社マルコム",
    "phones": [{"label": "mobile", "number": "090-1234-5678"}, {"label": "work", "number": "+81 3-1234-5678"}],
    "emails": [{"label": "work", "address": "tanaka@marcom.example"}],
    "addresses": [{"label": "work", "street": "西新宿1-2-3", "city": "新宿区", "region": "東京都", "country": "JP"}],
}


async def add(store: Store, kind: str, **values: Any) -> str:
    async with store.write() as work:
        return (await people.add(work, kind, values, country="JP")).id


@pytest.mark.covers("V3")
async def test_a_person_keeps_every_number_with_its_label_in_the_order_given(store: Store) -> None:
    record_id = await add(store, "lead", **TANAKA)
    async with store.read() as session:
        record = await people.show(session, record_id)
    assert [(phone.label, phone.e164) for phone in record.phones] == [
        ("mobile", "+819012345678"),
        ("work", "+81312345678"),
    ]
    assert (record.emails[0].address, record.addresses[0].city, record.status) == (
        "tanaka@marcom.example",
        "新宿区",
        "new",
    )


async def test_a_contacts_company_is_found_by_name_or_made_and_its_new_name_is_searched_at_once(store: Store) -> None:
    first = await add(store, "contact", name="Ann Lee", company="Acme Foods")
    second = await add(store, "contact", name="Bob Ray", company="ACME FOODS")
    async with store.read() as session:
        company_id = (await people.show(session, first)).company_id
        assert (await people.show(session, second)).company_id == company_id
    assert company_id is not None
    async with store.write() as work:
        await people.change(work, company_id, {"name": "Zebra Foods"})
    async with store.read() as session:
        found = {hit.record.id for hit in await search(session, "zebra")}
        assert found == {first, second, company_id}
        assert await search(session, "acme") == []


async def test_what_is_not_given_stays_and_a_list_is_replaced_whole(store: Store) -> None:
    record_id = await add(store, "lead", **TANAKA)
    async with store.write() as work:
        after = await people.change(
            work, record_id, {"title": "部長", "phones": [{"label": "home", "number": "+14155550123"}]}
        )
    assert (after.name, after.title, [phone.e164 for phone in after.phones]) == ("田中 太郎", "部長", ["+14155550123"])
    async with store.read() as session:
        assert await search(session, "0312345678") == []
        assert [hit.record.id for hit in await search(session, "415 555 0123")] == [record_id]


async def test_removing_takes_all_that_hangs_on_it_and_leaves_nothing_to_be_found(store: Store) -> None:
    record_id = await add(store, "lead", **TANAKA)
    async with store.write() as work:
        await notes.add(work, record_id, "Called back")
    async with store.write() as work:
        await people.remove(work, record_id)
    async with store.read() as session:
        with pytest.raises(Refused, match="There is no lead"):
            await people.show(session, record_id)
        for table in ("phones", "emails", "addresses", "notes", "activities", "search_documents", "search_words"):
            assert await session.scalar(text(f"SELECT count(*) FROM {table}")) == 0
        assert await search(session, "田中") == []


@pytest.mark.parametrize(
    ("values", "field", "sentence"),
    [
        ({}, "name", "missing"),
        ({"name": "  "}, "name", "must not be empty"),
        ({"name": "A", "colour": "red"}, "colour", "no field"),
        ({"name": "A", "phones": [{"number": "12&Local/1"}]}, "phones", "not a telephone number"),
        ({"name": "A", "emails": [{"address": "nobody"}]}, "emails", "not an e-mail address"),
        ({"name": "A", "phones": ["+14155550123"]}, "phones", "with its label"),
        ({"name": "A", "owner_id": "u_none"}, "owner_id", "no user"),
        ({"name": "A", "status": "sold"}, "status", "must be one of"),
        ({"name": "A\x00"}, "name", "control character"),
        ({"name": "A", "addresses": [{"label": "home"}]}, "addresses", "empty"),
    ],
)
async def test_what_cannot_be_kept_is_refused_in_a_sentence(
    store: Store, values: dict[str, Any], field: str, sentence: str
) -> None:
    with pytest.raises(Refused, match=sentence) as refused:
        await add(store, "lead", **values)
    assert refused.value.field == field


async def test_an_external_id_belongs_to_one_record(store: Store) -> None:
    await add(store, "lead", name="A", external_id="7")
    with pytest.raises(Refused, match="Another record") as refused:
        await add(store, "lead", name="B", external_id="7")
    assert refused.value.status == 409


@pytest.mark.parametrize("sort", ["newest", "name", "updated"])
@pytest.mark.covers("R4")
async def test_pages_follow_each_other_without_gap_or_repeat(store: Store, sort: str) -> None:
    names = ["Émile", "adam", "Zoë", "Bo", "bo", "あい", "山", "Carl", "carl", "Dan", "eve"]
    made = [await add(store, "lead", name=name) for name in names]
    seen: list[str] = []
    cursor = None
    async with store.read() as session:
        while True:
            page = await people.page(session, kind="lead", sort=sort, cursor=cursor, limit=3)
            seen += [record.id for record in page.items]
            if (cursor := page.next_cursor) is None:
                break
    assert sorted(seen) == sorted(made)
    if sort == "newest":
        assert seen == sorted(made, reverse=True)
    if sort == "name":
        assert seen[0] == made[1]


async def test_a_foreign_cursor_is_refused(store: Store) -> None:
    async with store.read() as session:
        with pytest.raises(Refused, match="cursor"):
            await people.page(session, kind="lead", cursor="x'; DROP TABLE records")


async def test_the_feed_tells_what_happened_newest_first_with_the_calls(store: Store) -> None:
    record_id = await add(store, "lead", name="Ann")
    async with store.write() as work:
        note = await notes.add(work, record_id, "Wants a quote")
    async with store.write() as work:
        deal = await deals.add(work, {"name": "100 desks", "record_id": record_id, "value_micros": 5_000_000})
        await deals.change(work, deal.id, {"stage": "offer"})
    async with store.write() as work:
        await work.session.execute(
            text(
                "INSERT INTO calls (id, direction, state, source, created_us, record_id) "
                "VALUES ('c_1', 'inbound', 'ended', 'engine', :at, :record)"
            ),
            {"at": work.at_us + 1_000_000, "record": record_id},
        )
    async with store.read() as session:
        kinds = [line.kind for line in (await activities.page(session, record_id)).items]
        first = await activities.page(session, record_id, limit=2)
        rest = await activities.page(session, record_id, limit=9, cursor=first.next_cursor)
        assert (await deals.page(session, record_id=record_id)).items[0].stage == "offer"
    assert kinds[0] == "call" and kinds[-1] == "record.add" and set(kinds[1:3]) == {"deal.add", "deal.change"}
    assert [line.kind for line in (*first.items, *rest.items)] == kinds
    assert rest.items[-2].object_id == note.id


@pytest.mark.covers("V11")
async def test_notes_of_a_call_are_one_note_that_grows_as_it_is_typed(store: Store) -> None:
    record_id = await add(store, "lead", name="Ann")
    rep = Actor("user", "u_1", role="rep")
    for typed in ("W", "Wants", "Wants a quote"):
        async with store.write(rep) as work:
            await notes.keep_for_call(work, "c_9", record_id, typed)
    async with store.read() as session:
        assert [note.text for note in await notes.for_call(session, "c_9")] == ["Wants a quote"]
        assert len((await notes.page(session, record_id)).items) == 1


async def test_only_the_author_or_those_above_change_a_note(store: Store) -> None:
    record_id = await add(store, "lead", name="Ann")
    async with store.write(Actor("user", "u_1", role="rep")) as work:
        note = await notes.add(work, record_id, "Mine")
    with pytest.raises(Refused) as refused:
        async with store.write(Actor("user", "u_2", role="rep")) as work:
            await notes.change(work, note.id, "Yours")
    assert refused.value.status == 403
    async with store.write(Actor("user", "u_3", role="manager")) as work:
        assert (await notes.change(work, note.id, "Checked")).text == "Checked"
        await notes.remove(work, note.id)


@pytest.mark.covers("I1")
async def test_the_demo_has_a_story_for_whom_the_practice_carrier_plays(store: Store) -> None:
    async with store.write() as work:
        assert await demo_people.seed_people(work) == 30
    async with store.write() as work:
        assert await demo_people.seed_people(work) == 0
    async with store.read() as session:
        (caller,) = await matching.match(session, "+12065550150")
    assert (caller.name, caller.company_name) == ("Olivia Park", "Marcom")
    assert caller.deal is not None and caller.last_note is not None
