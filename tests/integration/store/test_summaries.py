"""Each user's summary of a call: given once, kept while it is typed, saved onto the record (S1 to S6, C13)."""

from __future__ import annotations

from typing import Any

import pytest

from crm import wrapup
from crm.errors import Refused
from crm.repositories import journal
from crm.repositories.calls import CallFilter
from crm.services import activities, calls, deals, notes, outcomes, people, summaries
from crm.unit_of_work import Actor, Store
from tests.integration.store.makers import call_row

START_US = 1_700_000_000_000_000
MIO = Actor("user", "u_mio", role="rep")


async def call_that_ended(store: Store, at: int = 0, users: tuple[tuple[str, str], ...] = (), **values: Any) -> str:
    """``users`` talked in it: each with a role."""
    talked = {"direction": "inbound", "user_id": "u_mio", "answered_us": START_US + at + 1 if users else None}
    row = call_row(START_US + at, **talked | {"ended_us": START_US + at + 2} | values)
    own = {"call_id": row["id"], "created_us": row["created_us"]}
    async with store.journal() as batch:
        journal.upsert_calls(batch, [row])
        people_in = [own | {"number": n, "role": role, "user_id": user} for n, (user, role) in enumerate(users, 1)]
        journal.upsert_participants(batch, people_in)
        journal.upsert_legs(batch, [own | {"id": f"leg_{row['id'][2:]}_1", "role": "customer"}])
    return str(row["id"])


async def given(store: Store) -> list[tuple[str, str]]:
    async with store.write() as work:
        _, made = await summaries.give_due(work)
    return [(summary.user_id, summary.role) for summary in made]


def beginning(call_id: str, user_id: str = "u_mio", **values: Any) -> wrapup.Summary:
    blank: dict[str, Any] = {"record_type": None, "record_id": None, "call_created_us": START_US}
    return wrapup.blank(call_id, user_id, "host", **blank | {"call_ended_us": None, "at_us": START_US} | values)


async def lead(store: Store, name: str = "Ann") -> str:
    async with store.write(MIO) as work:
        return (await people.add(work, "lead", {"name": name})).id


@pytest.mark.covers("S1", "C13")
async def test_each_user_who_talked_is_given_one_draft_once(store: Store) -> None:
    both = (("u_mio", "guest"), ("", "customer"), ("u_sam", "guest"), ("u_mio", "host"))
    call_id = await call_that_ended(store, users=tuple((user or None, role) for user, role in both))  # type: ignore[misc]
    assert sorted(await given(store)) == [("u_mio", "host"), ("u_sam", "guest")]
    assert await given(store) == []
    async with store.read() as session:
        found = (await summaries.of_calls(session, [call_id]))[call_id]
        assert [(each.user_id, each.state, each.call_ended_us) for each in found] == [
            ("u_mio", "draft", START_US + 2),
            ("u_sam", "draft", START_US + 2),
        ]


@pytest.mark.covers("S1")
async def test_a_call_that_nobody_answered_is_for_its_user_only_where_it_went_out(store: Store) -> None:
    out = await call_that_ended(store, direction="outbound")
    await call_that_ended(store, 10)  # missed
    await call_that_ended(store, 20, direction="outbound", ended_us=None)
    refused = call_row(START_US + 30, direction="outbound", user_id="u_mio", ended_us=START_US + 31, answered_us=None)
    async with store.journal() as batch:
        journal.upsert_calls(batch, [refused])
    assert await given(store) == [("u_mio", "host")]
    async with store.read() as session:
        assert await summaries.show(session, out, "u_mio") is not None
        assert await summaries.show(session, refused["id"], "u_mio") is None


@pytest.mark.covers("V11", "S6")
async def test_what_is_typed_during_the_call_is_in_the_draft_after_it(store: Store) -> None:
    record_id = await lead(store)
    call_id = await call_that_ended(store, users=(("u_mio", "host"),), record_type="lead", record_id=record_id)
    for typed in ("W", "Wants a quote\n見積もり"):
        async with store.write(MIO) as work:
            kept = await summaries.keep(work, beginning(call_id), {"notes": typed})
    assert (kept.state, kept.call_ended_us, kept.record_id) == ("draft", None, None)
    assert await given(store) == [("u_mio", "host")]
    async with store.read() as session:
        draft = (await summaries.page(session, "u_mio", state="draft")).items[0]
        assert (draft.notes, draft.call_ended_us, draft.record_id) == (typed, START_US + 2, record_id)
        assert (await summaries.page(session, "u_sam")).items == []


async def open_deal(store: Store, record_id: str, name: str) -> str:
    async with store.write(MIO) as work:
        return (await deals.add(work, {"name": name, "record_id": record_id})).id


@pytest.mark.covers("S4")
async def test_a_summary_begins_with_the_deal_that_the_callers_card_shows(store: Store) -> None:
    ann, bob = await lead(store), await lead(store, "Bob")
    [_, newer] = [await open_deal(store, ann, name) for name in ("Tea", "Cups")]
    filed = {"users": (("u_mio", "host"),), "record_type": "lead", "record_id": ann}
    after, during = await call_that_ended(store, **filed), await call_that_ended(store, 10, **filed)  # type: ignore[arg-type]
    async with store.write(MIO) as work:
        await summaries.keep(work, beginning(during), {"notes": "begun before it was known who calls"})
    about_none = await call_that_ended(store, 20, **filed)  # type: ignore[arg-type]
    async with store.write(MIO) as work:
        ours = beginning(about_none, record_type="lead", record_id=ann)
        assert (await summaries.begin(work.session, ours)).deal_id == newer, "before anything is kept, too"
        assert (await summaries.keep(work, ours, {"notes": "x"})).deal_id == newer
        await summaries.keep(work, ours, {"deal_id": None})
    await given(store)
    about: dict[str, str | None] = {}
    async with store.read() as session:
        for call_id, of_it in (await summaries.of_calls(session, [after, during, about_none])).items():
            about[call_id] = of_it[0].deal_id
    assert about == {after: newer, during: newer, about_none: None}
    cups = await open_deal(store, bob, "Cups for Bob")
    async with store.write(MIO) as work:
        moved = await summaries.refile(work, after, "u_mio", "lead", bob)
        of_deal = await summaries.begin(work.session, beginning("c_1", record_type="deal", record_id=newer))
    assert (moved and moved.deal_id, of_deal.deal_id) == (cups, newer)


@pytest.mark.covers("S2", "S3", "S4", "S6", "S7")
async def test_a_saved_summary_stands_on_the_record_with_its_outcome_and_its_note(store: Store) -> None:
    record_id = await lead(store)
    async with store.write(MIO) as work:
        outcome = await outcomes.add(work, {"name": "Connected", "colour": "#16a34a"})
        deal = await deals.add(work, {"name": "Tea for all", "record_id": record_id})
    call_id = await call_that_ended(store, users=(("u_mio", "host"),), record_type="lead", record_id=record_id)
    await given(store)
    said = {"outcome_id": outcome.id, "notes": "Wants a quote", "deal_id": deal.id, "record_id": record_id}
    async with store.write(MIO) as work:
        saved = await summaries.save(work, beginning(call_id), said)
    assert (saved.state, saved.record_type, saved.outcome) == (
        "saved",
        "lead",
        wrapup.OutcomeBrief(outcome.id, "Connected", "#16a34a"),
    )
    async with store.write(MIO) as work:
        assert (await summaries.keep(work, beginning(call_id), said)).state == "saved", "the same again is no change"
    async with store.read() as session:
        [note] = (await notes.page(session, record_id)).items
        assert (note.text, note.call_id, note.deal_id, note.author_id) == ("Wants a quote", call_id, deal.id, "u_mio")
        feed = (await activities.page(session, record_id)).items
    line = next(each for each in feed if each.kind == "call")
    assert line.data is not None
    assert (line.data["notes"], line.data["outcome"]["name"]) == ("Wants a quote", "Connected")
    async with store.write(MIO) as work:
        assert (await summaries.keep(work, beginning(call_id), {"notes": ""})).state == "draft"
        await summaries.save(work, beginning(call_id), {})
    async with store.read() as session:
        assert (await notes.page(session, record_id)).items == []


@pytest.mark.covers("S2")
async def test_an_outcome_that_is_removed_stays_in_what_was_said_with_it(store: Store) -> None:
    async with store.write(MIO) as work:
        outcome = await outcomes.add(work, {"name": "Conected"})
    call_id = await call_that_ended(store, users=(("u_mio", "host"),))
    async with store.write(MIO) as work:
        await summaries.save(work, beginning(call_id), {"outcome_id": outcome.id})
        renamed = await outcomes.change(work, outcome.id, {"name": "Connected"})
    async with store.read() as session:
        kept = await summaries.show(session, call_id, "u_mio")
    assert kept is not None and kept.outcome is not None and kept.outcome.name == renamed.name
    async with store.write(MIO) as work:
        await outcomes.remove(work, outcome.id)
        kept = await summaries.keep(work, beginning(call_id), {"outcome_id": outcome.id, "notes": "still"})
    assert kept.outcome is not None and kept.outcome.id == outcome.id


@pytest.mark.covers("S2", "S4")
async def test_what_cannot_be_said_of_a_call_is_refused(store: Store) -> None:
    ann, bob = await lead(store), await lead(store, "Bob")
    async with store.write(MIO) as work:
        deal = await deals.add(work, {"name": "Tea", "record_id": bob})
        off = await outcomes.add(work, {"name": "Off", "active": False})
    for values, code in (
        ({"outcome_id": "out_none"}, "no_such_outcome"),
        ({"outcome_id": off.id}, "no_such_outcome"),
        ({"record_id": ann, "deal_id": deal.id}, "deal_of_another"),
        ({"record_id": "l_none"}, "not_there"),
        ({"deal_id": "deal_none"}, "not_there"),
        ({"notes": "x" * 20_001}, "invalid"),
    ):
        with pytest.raises(Refused) as refused:
            async with store.write(MIO) as work:
                await summaries.keep(work, beginning("c_1"), values)
        assert (refused.value.code, refused.value.status) == (code, 422)
    async with store.write(MIO) as work:
        assert (await summaries.keep(work, beginning("c_1"), {"deal_id": deal.id})).record_id == bob
        moved = await summaries.keep(work, beginning("c_1"), {"record_id": ann})
    assert (moved.record_id, moved.deal_id) == (ann, None)


@pytest.mark.covers("S3", "S6")
async def test_a_call_that_is_put_on_another_record_takes_its_saved_notes_along(store: Store) -> None:
    ann, bob = await lead(store), await lead(store, "Bob")
    async with store.write(MIO) as work:
        await summaries.save(work, beginning("c_1"), {"notes": "Likes tea"})
        await summaries.refile(work, "c_1", "u_mio", "lead", ann)
        await summaries.refile(work, "c_1", "u_mio", "lead", bob)
    async with store.read() as session:
        assert (await notes.page(session, ann)).items == []
        assert [note.text for note in (await notes.page(session, bob)).items] == ["Likes tea"]


@pytest.mark.covers("S3", "S6")
async def test_notes_of_a_call_about_a_deal_stand_on_whom_the_deal_is_with(store: Store) -> None:
    ann = await lead(store)
    async with store.write(MIO) as work:
        deal = await deals.add(work, {"name": "Tea", "record_id": ann})
        saved = await summaries.save(work, beginning("c_1"), {"notes": "Signed", "record_id": deal.id})
    assert (saved.record_type, saved.record_id) == ("deal", deal.id)
    async with store.read() as session:
        assert [(note.text, note.deal_id) for note in (await notes.page(session, ann)).items] == [("Signed", deal.id)]


@pytest.mark.covers("S2", "R4")
async def test_calls_are_found_by_what_was_said_of_them_without_gap_or_repeat(store: Store) -> None:
    async with store.write(MIO) as work:
        outcome = await outcomes.add(work, {"name": "Connected"})
    expected = []
    for at in range(12):
        call_id = await call_that_ended(store, at, users=(("u_mio", "host"), ("u_sam", "guest")))
        async with store.write(MIO) as work:
            for user in ("u_mio", "u_sam") if at % 2 else ():
                begun = beginning(call_id, user, call_created_us=START_US + at)
                await summaries.save(work, begun, {"outcome_id": outcome.id})
        expected += [call_id] if at % 2 else []
    for wanted in (CallFilter(outcome_id=outcome.id), CallFilter(outcome_id=outcome.id, user_id="u_sam")):
        seen: list[str] = []
        cursor = None
        async with store.read() as session:
            while not seen or cursor:
                page = await calls.list_all(session, wanted, cursor=cursor, limit=4)
                seen += [call.id for call in page.items]
                cursor = page.next_cursor
        assert seen == expected[::-1]
    async with store.read() as session:
        none = CallFilter(outcome_id=outcome.id, direction="outbound")
        assert (await calls.list_all(session, none)).items == []
