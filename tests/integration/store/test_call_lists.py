"""Call lists in the store: what stands in them, who gets what next, and what a call makes of an entry (L1, L3, L5)."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest

from crm.call_lists import CallList, Candidate, Entry, Judged, Nothing
from crm.errors import Refused
from crm.local_time import Place
from crm.models.call_lists import ListEntry
from crm.models.calls import Call
from crm.records import User
from crm.repositories import list_leases as leases
from crm.services import (
    call_lists,
    groups,
    list_entries,
    list_leases,
    list_progress,
    list_runs,
    outcomes,
    people,
    scripts,
    settings,
)
from crm.unit_of_work import Store
from tests.integration.store.makers import add_user, call_row

HOUR_US = 3_600_000_000
LEASE_US = 45_000_000
YES = Judged(True)


def everywhere(place: Place) -> Judged:
    return YES


def everybody(candidate: Candidate) -> Judged:
    return YES


async def add_people(store: Store, count: int, **values: Any) -> list[str]:
    made = []
    async with store.write() as work:
        for number in range(count):
            phones = [{"label": "work", "number": f"+1206555{number:04}"}]
            record = await people.add(work, "lead", {"name": f"Lead {number}", "phones": phones} | values)
            made.append(record.id)
    return made


async def add_list(store: Store, owner: User, record_ids: list[str], **values: Any) -> CallList:
    async with store.write() as work:
        made = await call_lists.add(work, {"name": "Spring", "owner_id": owner.id} | values)
        await list_entries.select(work, made.id, record_ids)
    return made


async def take(
    store: Store, made: CallList, user: User, run_id: str, *, hours: Any = everywhere, judge: Any = everybody
) -> Entry | Nothing:
    async with store.write() as work:
        row = await call_lists.find(work.session, made.id)
        until_us = work.at_us + LEASE_US
        return await list_leases.next_entry(
            work, row, run_id=run_id, user_id=user.id, until_us=until_us, hours=hours, judge=judge
        )


def later(store: Store, by_us: int) -> None:
    clock = store.clock
    store.clock = lambda: clock() + by_us


@pytest.mark.covers("L1")
async def test_a_selection_and_a_filter_make_entries_once_each_and_say_who_has_no_number(store: Store) -> None:
    mio = await add_user(store, "mio@demo.example")
    chosen = await add_people(store, 3)
    async with store.write() as work:
        silent = await people.add(work, "lead", {"name": "Nobody", "phones": []})
        made = await call_lists.add(work, {"name": "Spring", "owner_id": mio.id})
        first = await list_entries.select(work, made.id, [*chosen, silent.id, chosen[0]])
        again = await list_entries.select(work, made.id, chosen)
    assert (first.added, first.already, first.without_number) == (3, 0, 1)
    assert (again.added, again.already) == (0, 3)
    async with store.write() as work:
        await list_entries.fill_by(work, made.id, {"kind": "lead"})
    more = await add_people(store, 5)
    rounds = 0
    while await _fill(store, made.id, 3):
        rounds += 1
    async with store.read() as session:
        found = await list_entries.page(session, made.id, store.clock(), limit=100)
    assert [entry.position for entry in found.items] == list(range(1, 9))
    assert {entry.record_id for entry in found.items} == {*chosen, *more} and rounds == 3


async def _fill(store: Store, list_id: str, limit: int) -> bool:
    async with store.write() as work:
        return await list_entries.fill_some(work, list_id, limit)


@pytest.mark.covers("L3")
async def test_many_who_ask_at_once_never_get_the_same_entry(store: Store) -> None:
    mio = await add_user(store, "mio@demo.example")
    made = await add_list(store, mio, await add_people(store, 20), shared=True)
    other = Store(store.url)
    try:
        found = await asyncio.gather(
            *(take(each, made, mio, f"run_{at}") for at in range(10) for each in (store, other))
        )
    finally:
        await other.close()
    entries = [each for each in found if isinstance(each, Entry)]
    runs = {(each.id, each.number) for each in entries}
    assert len(runs) == len({number for _, number in runs}) and len(runs) >= 10


_PROCESS = """
import asyncio, sys
from crm.services import call_lists, list_leases
from crm.call_lists import Judged
from crm.unit_of_work import Store

async def main():
    store, taken = Store(sys.argv[1]), []
    for at in range(int(sys.argv[4])):
        if taken and at == int(sys.argv[5]):
            print(taken[-1], flush=True)
        async with store.write() as work:
            row = await call_lists.find(work.session, sys.argv[2])
            found = await list_leases.next_entry(work, row, run_id=f"{sys.argv[3]}_{at}", user_id=sys.argv[3],
                until_us=work.at_us + 60_000_000, hours=lambda place: Judged(True), judge=lambda one: Judged(True))
            if at == int(sys.argv[5]):
                await asyncio.sleep(600)  # killed in the middle of its second transaction
        taken.append(getattr(found, "id", ""))
    await store.close()
    print(" ".join(taken))

asyncio.run(main())
"""


@pytest.mark.covers("L3")
async def test_several_processes_that_take_from_one_list_share_it_without_a_double(store: Store) -> None:
    mio = await add_user(store, "mio@demo.example")
    made = await add_list(store, mio, await add_people(store, 24))
    address = store.url.render_as_string(hide_password=False)
    started = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _PROCESS, address, made.id, f"u_{at}", "8", "-1"), stdout=asyncio.subprocess.PIPE
        )
        for at in range(3)
    ]
    said = [(await asyncio.wait_for(each.communicate(), 60))[0].decode().split() for each in started]
    assert len({name for taken in said for name in taken}) == 24


@pytest.mark.covers("L3", "P3")
async def test_who_is_killed_while_taking_entries_gives_one_back_at_once_and_the_other_when_its_lease_is_over(
    store: Store,
) -> None:
    mio = await add_user(store, "mio@demo.example")
    made = await add_list(store, mio, await add_people(store, 3))
    address = store.url.render_as_string(hide_password=False)
    killed = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _PROCESS, address, made.id, "u_killed", "2", "1"), stdout=asyncio.subprocess.PIPE
    )
    assert killed.stdout is not None
    held = (await asyncio.wait_for(killed.stdout.readline(), 60)).decode().strip()
    killed.kill()
    await killed.wait()
    first, second = await take(store, made, mio, "run_a"), await take(store, made, mio, "run_b")
    assert isinstance(first, Entry) and isinstance(second, Entry) and {first.position, second.position} == {2, 3}
    assert isinstance(await take(store, made, mio, "run_c"), Nothing), "what was taken and written down is held"
    later(store, 2 * LEASE_US)
    again = await take(store, made, mio, "run_d")
    assert isinstance(again, Entry) and (again.id, again.position) == (held, 1)


@pytest.mark.covers("L3")
async def test_a_lease_that_is_not_renewed_ends_and_the_entry_is_back_in_its_place(store: Store) -> None:
    mio = await add_user(store, "mio@demo.example")
    made = await add_list(store, mio, await add_people(store, 3))
    first, second = await take(store, made, mio, "run_a"), await take(store, made, mio, "run_b")
    assert isinstance(first, Entry) and isinstance(second, Entry) and (first.position, second.position) == (1, 2)
    async with store.write() as work:
        assert await leases.renew(work.session, "run_b", work.at_us + 10 * LEASE_US, work.at_us)
    later(store, LEASE_US + 1)
    third = await take(store, made, mio, "run_c")
    assert isinstance(third, Entry) and third.id == first.id
    async with store.write() as work:
        assert not await leases.renew(work.session, "run_a", work.at_us + LEASE_US, work.at_us)


@pytest.mark.covers("L3")
async def test_a_number_that_somebody_calls_through_another_list_is_left_alone(store: Store) -> None:
    mio = await add_user(store, "mio@demo.example")
    chosen = await add_people(store, 1)
    one = await add_list(store, mio, chosen)
    other = await add_list(store, mio, chosen, name="Autumn")
    assert isinstance(await take(store, one, mio, "run_a"), Entry)
    assert isinstance(await take(store, other, mio, "run_b"), Nothing)


@pytest.mark.covers("L4")
async def test_who_is_refused_keeps_the_reason_and_the_moment_from_which_it_may_be_called(store: Store) -> None:
    mio = await add_user(store, "mio@demo.example")
    made = await add_list(store, mio, await add_people(store, 3))
    tomorrow = store.clock() + 24 * HOUR_US

    def judge(candidate: Candidate) -> Judged:
        if candidate.position == 1:
            return Judged(False, "do_not_call")
        return Judged(False, "called_lately", tomorrow) if candidate.position == 2 else YES

    found = await take(store, made, mio, "run_a", judge=judge)
    assert isinstance(found, Entry) and found.position == 3
    async with store.read() as session:
        listed = (await list_entries.page(session, made.id, store.clock())).items
    assert [(each.state, each.reason) for each in listed[:2]] == [("out", "do_not_call"), ("waiting", "called_lately")]
    assert listed[1].due_us == tomorrow


@pytest.mark.covers("L4")
async def test_where_it_is_night_nobody_is_looked_at_and_it_is_said_when_morning_comes(store: Store) -> None:
    mio = await add_user(store, "mio@demo.example")
    west = await add_people(store, 2)
    async with store.write() as work:
        phones = [{"label": "work", "number": "+81312345678"}]
        east = await people.add(work, "lead", {"name": "東京", "phones": phones})
    made = await add_list(store, mio, [*west, east.id])
    morning = store.clock() + 5 * HOUR_US
    asked = list[str]()

    def hours(place: Place) -> Judged:
        return YES if "Asia/Tokyo" in place.zones else Judged(False, "outside_hours", morning)

    def judge(candidate: Candidate) -> Judged:
        asked.append(candidate.number)
        return YES

    found = await take(store, made, mio, "run_a", hours=hours, judge=judge)
    assert isinstance(found, Entry) and found.record_id == east.id and asked == ["+81312345678"]
    later(store, 2 * LEASE_US)
    nothing = await take(store, made, mio, "run_b", hours=lambda place: Judged(False, "outside_hours", morning))
    assert nothing == Nothing("outside_hours", morning)


@pytest.mark.covers("L4")
async def test_who_waits_for_the_hours_of_a_law_is_called_when_that_law_is_another_one(store: Store) -> None:
    mio = await add_user(store, "mio@demo.example")
    made = await add_list(store, mio, await add_people(store, 2))
    morning = store.clock() + 5 * HOUR_US
    closed = Judged(False, "outside_hours", morning)
    for _ in range(2):  # asked again while the law is the same, nothing comes of it
        found = await take(store, made, mio, "run_a", judge=lambda candidate: closed)
        assert found == Nothing("not_due", morning)
    found = await take(store, made, mio, "run_a")
    assert isinstance(found, Entry) and (found.position, found.reason) == (1, "")


@pytest.mark.covers("L5")
async def test_a_call_that_nobody_answers_comes_again_by_the_rules_and_the_users_word_goes_before(store: Store) -> None:
    mio = await add_user(store, "mio@demo.example")
    async with store.write() as work:
        wanted = await outcomes.add(work, {"name": "Call back"})
    rules = [
        {"on": "no_answer", "after_minutes": 120, "calls": 2},
        {"on": wanted.id, "after_minutes": 60 * 24, "calls": 5},
    ]
    made = await add_list(store, mio, await add_people(store, 1), retry=rules)
    due = await _call(store, made, mio, "no_answer", "c_1")
    assert (due.state, due.calls) == ("waiting", 1) and due.due_us == due.changed_us + 2 * HOUR_US
    later(store, 3 * HOUR_US)
    done = await _call(store, made, mio, "no_answer", "c_2")
    assert (done.state, done.calls, done.result) == ("done", 2, "no_answer")
    async with store.write() as work:
        await list_runs.outcome_given(work, "c_2", mio.id, wanted.id)
    again = await _entry(store, made)
    assert again.state == "waiting" and again.due_us > store.clock() + 23 * HOUR_US


@pytest.mark.covers("L3")
async def test_who_was_called_within_the_last_hour_is_skipped(store: Store) -> None:
    mio = await add_user(store, "mio@demo.example")
    made = await add_list(store, mio, await add_people(store, 2))
    called_us = store.clock() - HOUR_US // 2
    row = call_row(called_us, id="c_old", customer_number="+12065550000")
    async with store.write() as work:
        work.session.add(Call(**row))
    found = await take(store, made, mio, "run_a")
    assert isinstance(found, Entry) and found.number == "+12065550001"
    skipped = await _entry(store, made)
    assert (skipped.reason, skipped.due_us) == ("called_lately", called_us + HOUR_US)


@pytest.mark.covers("L5")
async def test_caps_of_a_day_hold_and_progress_counts_what_came_of_it(store: Store) -> None:
    mio = await add_user(store, "mio@demo.example")
    made = await add_list(store, mio, await add_people(store, 3), daily_calls=2)
    for number in (1, 2):
        await _call(store, made, mio, "answered", f"c_{number}", talk_ms=30_000)
    nothing = await take(store, made, mio, "run_a")
    assert isinstance(nothing, Nothing) and nothing.reason == "daily_calls" and nothing.until_us
    async with store.read() as session:
        progress = await list_progress.progress(session, made.id, store.clock())
    assert (progress.counts.done, progress.counts.waiting, progress.calls) == (2, 1, 2)
    assert [(each.key, each.calls) for each in progress.results] == [("answered", 2)]
    assert [(rep.user_id, rep.answered, rep.talk_ms) for rep in progress.reps] == [(mio.id, 2, 60_000)]


async def test_a_call_in_which_the_customer_was_never_rung_is_none(store: Store) -> None:
    mio = await add_user(store, "mio@demo.example")
    made = await add_list(store, mio, await add_people(store, 1))
    entry = await _call(store, made, mio, list_runs.NOT_CALLED, "c_1")
    assert (entry.state, entry.calls, entry.last_call_us) == ("waiting", 0, None)


@pytest.mark.covers("N6")
async def test_lists_and_scripts_are_switched_on_by_role_or_by_team(store: Store) -> None:
    mio, sam = await add_user(store, "mio@demo.example"), await add_user(store, "sam@demo.example")
    made = await add_list(store, mio, [], shared=True)
    async with store.write() as work:
        team = await groups.add(work, {"name": "Outbound", "members": [sam.id]})
        await scripts.add(work, {"name": "Hello", "body": "Hello."})
        for what in ("lists", "scripts"):
            await settings.change(work, f"{what}.roles", ["manager", "admin"])
            await settings.change(work, f"{what}.groups", [team.id])
    async with store.read() as session:
        row = await call_lists.find(session, made.id)
        with pytest.raises(Refused, match="not switched on for you"):
            await call_lists.check_may_use(session, row, mio.id)
        await call_lists.check_may_use(session, row, sam.id)
        assert await scripts.fitting(session, "outbound", mio.id) is None
        assert await scripts.fitting(session, "outbound", sam.id) is not None


async def test_a_list_is_its_owners_or_its_teams(store: Store) -> None:
    mio, sam = await add_user(store, "mio@demo.example"), await add_user(store, "sam@demo.example")
    made = await add_list(store, mio, [])
    async with store.read() as session:
        assert [each.id for each in await call_lists.list_all(session, mio.id)] == [made.id]
        assert await call_lists.list_all(session, sam.id) == []
        with pytest.raises(Refused, match="no call list"):
            await call_lists.check_may_use(session, await call_lists.find(session, made.id), sam.id)
    async with store.write() as work:
        await call_lists.change(work, made.id, {"shared": True})
    async with store.read() as session:
        assert [each.id for each in await call_lists.list_all(session, sam.id)] == [made.id]


async def _call(store: Store, made: CallList, user: User, result: str, call_id: str, *, talk_ms: int = 0) -> Any:
    """The next entry is called, and this comes of it."""
    async with store.write() as work:
        row = await call_lists.find(work.session, made.id)
        run = await list_runs.begin(work, row, user.id, None, None)
    found = await take(store, made, user, run.id)
    assert isinstance(found, Entry)
    async with store.write() as work:
        run = await list_runs.keep(work, run.id, {"entry_id": found.id, "phase": "calling", "call_id": call_id})
        await list_runs.called(work, run, call_id, found.number)
    async with store.write() as work:
        await list_runs.came_of(work, call_id, result, work.at_us, talk_ms)
        await leases.release(work.session, run.id)
        await list_runs.keep(work, run.id, {"phase": "stopped", "ended_us": work.at_us})
        return await work.session.get(ListEntry, found.id)


async def _entry(store: Store, made: CallList) -> Entry:
    async with store.read() as session:
        return (await list_entries.page(session, made.id, store.clock())).items[0]


@pytest.mark.covers("L4")
async def test_who_was_called_as_often_as_is_allowed_waits_until_the_oldest_call_counts_no_more(store: Store) -> None:
    mio = await add_user(store, "mio@demo.example")
    made = await add_list(store, mio, await add_people(store, 1))
    day_us, now = 24 * HOUR_US, store.clock()
    async with store.write() as work:
        for at in (20, 10):
            row = call_row(now - at * HOUR_US, customer_number="+12065550000", direction="outbound")
            work.session.add(Call(**row))
        await work.flush()
        row = await call_lists.find(work.session, made.id)
        found = await list_leases.next_entry(
            work,
            row,
            run_id="run_a",
            user_id=mio.id,
            until_us=now + LEASE_US,
            hours=everywhere,
            judge=everybody,
            limits=lambda place: [(2, day_us)],
        )
    assert found == Nothing("not_due", now - 20 * HOUR_US + day_us)
    assert (await _entry(store, made)).reason == "too_often"
