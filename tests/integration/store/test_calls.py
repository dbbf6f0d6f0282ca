"""The log of calls: the journal's writers can be repeated, and listing costs the same however long the log is."""

from __future__ import annotations

import time
from typing import Any

import pytest
from sqlalchemy import text

from crm import ids
from crm.errors import Refused
from crm.repositories import journal
from crm.services import calls, recordings, voicemails
from crm.services.calls import CallFilter
from crm.unit_of_work import Store
from tests.integration.store.makers import call_row
from tests.support.waiting import Stopwatch

START_US = 1_700_000_000_000_000


def leg_row(call: dict[str, Any], number: int, **values: Any) -> dict[str, Any]:
    row = {"id": f"leg_{call['id'][2:]}_{number}", "call_id": call["id"], "role": "customer"}
    return row | {"created_us": call["created_us"]} | values


def event_row(call: dict[str, Any], seq: int, **values: Any) -> dict[str, Any]:
    return {"call_id": call["id"], "seq": seq, "kind": "leg_ringing", "at_us": START_US, "data": {"n": seq}} | values


def participant_row(call: dict[str, Any], number: int, user_id: str | None) -> dict[str, Any]:
    row = {"call_id": call["id"], "number": number, "role": "host", "user_id": user_id}
    return row | {"created_us": call["created_us"]}


@pytest.mark.covers("P3")
async def test_a_batch_that_is_written_again_changes_nothing(store: Store) -> None:
    call = call_row(START_US, matches=[{"type": "lead", "id": "l_1"}], customer_number="+12065550150")
    for _ in range(3):
        async with store.journal() as connection:
            journal.upsert_calls(connection, [call])
            journal.upsert_legs(connection, [leg_row(call, 1), leg_row(call, 2)])
            journal.upsert_participants(connection, [participant_row(call, 1, "u_1")])
            journal.append_events(connection, [event_row(call, seq) for seq in (1, 2, 3)])
    async with store.read() as session:
        shown = await calls.show(session, call["id"])
    assert [leg.id for leg in shown.legs] == [f"leg_{call['id'][2:]}_1", f"leg_{call['id'][2:]}_2"]
    assert [(event.seq, event.data) for event in shown.events] == [(1, {"n": 1}), (2, {"n": 2}), (3, {"n": 3})]
    assert shown.call.matches == [{"type": "lead", "id": "l_1"}] and len(shown.participants) == 1


async def test_an_event_that_stands_is_never_replaced(store: Store) -> None:
    call = call_row(START_US)
    async with store.journal() as connection:
        journal.append_events(connection, [event_row(call, 1)])
        journal.append_events(connection, [event_row(call, 1, kind="forged"), event_row(call, 2, data=None)])
    async with store.read() as session:
        rows = (await session.execute(text("SELECT seq, kind FROM call_events ORDER BY seq"))).all()
    assert [tuple(row) for row in rows] == [(1, "leg_ringing"), (2, "leg_ringing")]


async def test_columns_that_a_row_does_not_name_stay(store: Store) -> None:
    call = call_row(START_US, state="up", ended_us=None, disposition=None)
    async with store.journal() as connection:
        journal.upsert_calls(connection, [call])
    async with store.write() as work:
        await calls.set_notes(work, call["id"], "Wants a quote\nby Friday 見積もり")
        await calls.attach(work, call["id"], "lead", "l_1")
    async with store.journal() as connection:
        journal.upsert_calls(connection, [call | {"state": "ended", "ended_us": START_US + 5}])
    async with store.read() as session:
        kept = (await calls.show(session, call["id"])).call
    assert (kept.state, kept.notes, kept.record_id) == ("ended", "Wants a quote\nby Friday 見積もり", "l_1")


@pytest.mark.covers("TRUST17")
async def test_a_hostile_caller_cannot_keep_a_batch_out_of_the_log(store: Store) -> None:
    raws = ["a\0b", "\ud800", "'; DROP TABLE calls; --", "‮evil", "x" * 100_000, "%00", "\x1b[0m"]
    rows = [call_row(START_US + at, caller_raw=raw) for at, raw in enumerate(raws)]
    async with store.journal() as connection:
        journal.upsert_calls(connection, rows)
        journal.append_events(
            connection, [event_row(row, 1, data={"raw": raw, raw: 1}) for row, raw in zip(rows, raws, strict=True)]
        )
    async with store.read() as session:
        kept = (await calls.list_all(session)).items
        assert len((await calls.show(session, rows[0]["id"])).events) == 1
    assert [call.caller_raw for call in reversed(kept)] == ["a\ufffdb", "\ufffd", *raws[2:]]


@pytest.mark.covers("R4")
async def test_every_filter_finds_its_calls_and_pages_have_no_gap_and_no_repeat(store: Store) -> None:
    made = [
        call_row(
            START_US + at // 3,  # several at the same moment
            direction=("inbound", "outbound")[at % 2],
            disposition=("answered", "missed", "busy")[at % 3],
            user_id=("u_1", "u_2")[at % 5 == 0],
            customer_number=f"+1206555015{at % 4}",
        )
        for at in range(60)
    ]
    async with store.journal() as connection:
        journal.upsert_calls(connection, made)
        shared = [row for row in made if row["user_id"] == "u_1"][:7]
        journal.upsert_participants(connection, [participant_row(row, 2, "u_2") for row in shared])
        journal.upsert_participants(connection, [participant_row(row, 1, "u_1") for row in shared])

    async def listed(wanted: CallFilter) -> list[str]:
        seen: list[str] = []
        cursor: str | None = None
        async with store.read() as session:
            while True:
                page = await calls.list_all(session, wanted, cursor=cursor, limit=7)
                seen += [call.id for call in page.items]
                cursor = page.next_cursor
                if cursor is None:
                    return seen

    def expected(wanted: Any) -> list[str]:
        found = [row for row in made if wanted(row)]
        return [row["id"] for row in sorted(found, key=lambda row: (row["created_us"], row["id"]), reverse=True)]

    names = {row["id"] for row in shared}
    assert await listed(CallFilter()) == expected(lambda row: True)
    assert await listed(CallFilter(direction="inbound")) == expected(lambda row: row["direction"] == "inbound")
    assert await listed(CallFilter(disposition="busy")) == expected(lambda row: row["disposition"] == "busy")
    assert await listed(CallFilter(user_id="u_1")) == expected(lambda row: row["user_id"] == "u_1")
    assert await listed(CallFilter(user_id="u_2")) == expected(
        lambda row: row["user_id"] == "u_2" or row["id"] in names
    )
    assert await listed(CallFilter(customer_number="+12065550151", since_us=START_US + 5, until_us=START_US + 9)) == (
        expected(
            lambda row: row["customer_number"] == "+12065550151" and START_US + 5 <= row["created_us"] < START_US + 9
        )
    )
    assert await listed(CallFilter(open=True)) == []


async def test_a_filter_or_cursor_of_any_text_is_refused_or_finds_nothing(store: Store) -> None:
    async with store.read() as session:
        for wanted in (CallFilter(user_id="a\0b"), CallFilter(direction="up"), CallFilter(since_us=2**70)):
            with pytest.raises(Refused):
                await calls.list_all(session, wanted)
        with pytest.raises(Refused, match="cursor"):
            await calls.list_all(session, cursor="' OR 1=1")
        with pytest.raises(Refused) as missing:
            await calls.show(session, "c_none\0")
    assert missing.value.status == 404


@pytest.mark.covers("TRUST21")
async def test_only_those_who_had_a_part_in_a_call_are_involved(store: Store) -> None:
    call = call_row(START_US, user_id="u_owner")
    async with store.journal() as connection:
        journal.upsert_calls(connection, [call])
        journal.upsert_participants(connection, [participant_row(call, 1, "u_guest")])
        journal.upsert_legs(connection, [leg_row(call, 1, user_id="u_phone")])
    async with store.read() as session:
        involved = [await calls.involves(session, call["id"], f"u_{who}") for who in ("owner", "guest", "phone", "b")]
    assert involved == [True, True, True, False]


async def test_recordings_and_voicemails_are_found_again(store: Store) -> None:
    call = call_row(START_US)
    row = {"id": f"rec_{call['id'][2:]}_1", "call_id": call["id"], "state": "recording", "started_us": START_US}
    message = {"id": "vm_1", "user_id": "u_1", "state": "ready", "created_us": START_US, "path": "vm_1.opus"}
    async with store.journal() as connection:
        journal.upsert_calls(connection, [call])
        journal.upsert_recordings(connection, [row])
        journal.upsert_voicemails(connection, [message])
    async with store.read() as session:
        assert [one.id for one in await recordings.unfinished(session)] == [row["id"]]
    async with store.journal() as connection:
        done = {"state": "ready", "path": "a.opus", "sha256": "00", "duration_ms": 1000, "bytes": 4000, "channels": 2}
        journal.upsert_recordings(connection, [row | done])
    async with store.read() as session:
        assert await recordings.unfinished(session) == []
        assert (await recordings.show(session, row["id"])).duration_ms == 1000
        assert (await calls.show(session, call["id"])).recordings == await recordings.of_call(session, call["id"])
        assert [one.id for one in (await voicemails.list_all(session, "u_1", heard=False)).items] == ["vm_1"]
    async with store.write() as work:
        assert (await voicemails.mark_heard(work, "vm_1")).heard_us == work.at_us
        assert (await voicemails.remove(work, "vm_1")).path == "vm_1.opus"
    async with store.journal() as connection:
        journal.upsert_voicemails(connection, [message])
    async with store.read() as session:
        assert (await voicemails.list_all(session, "u_1")).items == []


async def test_calls_that_have_not_ended_are_found_after_a_restart(store: Store) -> None:
    rows = [call_row(START_US + at, ended_us=None if at % 2 else START_US) for at in range(6)]
    async with store.journal() as connection:
        journal.upsert_calls(connection, rows)
    async with store.read() as session:
        assert [call.id for call in await calls.open_calls(session)] == [
            row["id"] for row in rows if not row["ended_us"]
        ]


@pytest.mark.covers("R4")
async def test_a_page_of_a_long_log_is_read_from_its_index(store: Store) -> None:
    rows = [call_row(START_US + at, user_id=f"u_{at % 50}", id=f"c_{ids.ulid(START_US + at)}") for at in range(20_000)]
    async with store.journal() as connection:
        journal.upsert_calls(connection, rows)
    async with store.read() as session:
        for wanted in (CallFilter(), CallFilter(user_id="u_7"), CallFilter(disposition="answered")):
            page = await calls.list_all(session, wanted)
            took, watch = [], Stopwatch()
            for _ in range(5):
                began = time.perf_counter()
                page = await calls.list_all(session, wanted, cursor=page.next_cursor)
                took.append(time.perf_counter() - began)
            assert min(took) < 0.05 * watch.slowness
            assert len(page.items) == 50
