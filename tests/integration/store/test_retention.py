"""What is destroyed when its time is over, what a legal hold keeps, and a person who asks to be erased."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from crm.errors import Refused
from crm.models.calls import Call, CallEvent, Recording, Voicemail
from crm.models.people import Note, Record
from crm.models.search import SearchDocument
from crm.models.texts import Text
from crm.models.wrapup import CallSummary
from crm.repositories import journal
from crm.services import audit, deals, do_not_call, erasing, holds, notes, people, retention, settings
from crm.unit_of_work import Actor, Store
from pbx.services import retention as worker
from pbx.services.erasure_list import ErasureList
from tests.integration.store.makers import add_user

DAY = 86_400_000_000
ANN, BOB = "+12065550150", "+12065550151"
ADMIN = Actor("user", "u_1", "Ada Admin")


class World:
    """A store with files beside it, and its clock in hand."""

    def __init__(self, store: Store, home: Path) -> None:
        self.store, self.recordings = store, home / "recordings"
        self.recordings.mkdir()
        self.now = 1_000 * DAY
        store.clock = lambda: self.now
        self.settings: dict[str, Any] = {f"retention.{kind}_days": None for kind in retention.KINDS}
        places = worker.Places(self.recordings, home / "attachments")
        self.list = home / "erasures.jsonl"
        self.worker = worker.Retention(store, places, ErasureList(self.list), lambda: self.settings)

    async def call(self, name: str, days_ago: int, number: str = ANN, record: str | None = None) -> str:
        """A recorded call with a timeline, that many days ago."""
        at, call = self.now - days_ago * DAY, f"c_{name}"
        recording, path = f"rec_{name}_1", f"{name}.opus"
        (self.recordings / path).write_bytes(b"sound")
        async with self.store.journal() as batch:
            row = {"id": call, "direction": "inbound", "state": "ended", "source": "engine", "created_us": at}
            row |= {"customer_number": number, "ended_us": at + 1, "record_id": record, "notes": "said a lot"}
            journal.upsert_calls(batch, [row | {"matches": [{"name": "Ann"}], "caller_raw": number}])
            events = [{"call_id": call, "seq": 1, "kind": "call.created", "at_us": at, "data": {"customer": number}}]
            journal.append_events(batch, events)
            sound = {"id": recording, "call_id": call, "state": "ready", "started_us": at, "path": path, "bytes": 5}
            journal.upsert_recordings(batch, [sound])
        return call

    async def voicemail(self, name: str, days_ago: int, user: str, number: str = ANN) -> str:
        (self.recordings / f"{name}.wav").write_bytes(b"message")
        row = {"id": f"vm_{name}", "user_id": user, "state": "ready", "created_us": self.now - days_ago * DAY}
        async with self.store.journal() as batch:
            journal.upsert_voicemails(batch, [row | {"path": f"{name}.wav", "caller_number": number}])
        return f"vm_{name}"

    def files(self) -> list[str]:
        return sorted(path.name for path in self.recordings.iterdir())

    async def count(self, table: Any, *which: Any) -> int:
        async with self.store.read() as session:
            return int((await session.scalars(select(func.count()).select_from(table).where(*which))).one())


@pytest.fixture
def world(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(worker, "REST_S", 0)
    return World(store, tmp_path)


async def test_nothing_is_destroyed_unless_an_admin_says_after_how_long(world: World) -> None:
    await world.call("old", 900)
    assert await world.worker.destroy_due() == [] and world.files() == ["old.opus"]
    async with world.store.read() as session:
        values = await settings.values(session)
    assert all(values[f"retention.{kind}_days"] is None for kind in retention.KINDS)


@pytest.mark.covers("P3", "S8")
async def test_recordings_go_from_the_disk_when_their_time_is_over_and_the_report_says_so(world: World) -> None:
    await world.call("old", 31)
    await world.call("new", 29)
    world.settings["retention.recordings_days"] = 30
    (report,) = await world.worker.destroy_due()
    assert (report.kind, report.destroyed, report.files, report.bytes) == ("recordings", 1, 1, 5)
    assert world.files() == ["new.opus"]
    assert await world.count(Recording, Recording.state == "erased", Recording.path.is_(None)) == 1
    assert await world.count(CallEvent) == 2, "the call itself stays"
    async with world.store.read() as session:
        assert (await retention.list_all(session)).items == [report]
        assert (await audit.list_all(session)).items[0].action == "retention.destroy"
    assert await world.worker.destroy_due() == []


async def test_calls_go_with_all_that_belongs_to_them_in_batches(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention.due, "__defaults__", (2,))
    for number in range(5):
        await world.call(f"old{number}", 400 + number)
    await world.call("new", 1)
    world.settings["retention.calls_days"] = 365
    (report,) = await world.worker.destroy_due()
    assert (report.destroyed, report.files) == (5, 5) and world.files() == ["new.opus"]
    assert [await world.count(table) for table in (Call, CallEvent, Recording)] == [1, 1, 1]


async def test_timelines_and_messages_have_times_of_their_own(world: World) -> None:
    user = await add_user(world.store, "mio@demo.example")
    await world.call("old", 40)
    await world.voicemail("old", 40, user.id)
    world.settings |= {"retention.timelines_days": 30, "retention.voicemails_days": 30}
    assert {report.kind for report in await world.worker.destroy_due()} == {"timelines", "voicemails"}
    assert await world.count(CallEvent) == 0 and await world.count(Call) == 1
    assert await world.count(Voicemail, Voicemail.path.is_(None), Voicemail.caller_number.is_(None)) == 1
    assert world.files() == ["old.opus"]


@pytest.mark.parametrize("kind", ["call", "recording", "number", "record"])
async def test_what_is_held_is_not_destroyed_until_the_hold_is_released(world: World, kind: str) -> None:
    record = await _lead(world, "Ann", ANN)
    await world.call("held", 400)
    await world.call("free", 400, BOB)
    named = {"call": "c_held", "recording": "rec_held_1", "number": ANN, "record": record}[kind]
    async with world.store.write(ADMIN) as work:
        hold = await holds.add(work, {"kind": kind, "object": named, "reason": "Case 7"})
    assert (hold.placed_by, hold.reason) == ("Ada Admin", "Case 7")
    world.settings |= {"retention.calls_days": 365, "retention.recordings_days": 30}
    reports = await world.worker.destroy_due()
    assert world.files() == ["held.opus"] and {report.held for report in reports} == {1}
    assert await world.count(Call) == 1
    async with world.store.write(ADMIN) as work:
        await holds.release(work, hold.id, {"reason": "closed"})
    await world.worker.destroy_due()
    assert world.files() == [] and await world.count(Call) == 0


async def test_a_hold_says_what_it_is_on_and_is_placed_once(world: World) -> None:
    async with world.store.write() as work:
        with pytest.raises(Refused, match="There is no call"):
            await holds.add(work, {"kind": "call", "object": "c_none", "reason": "x"})
        held = await holds.add(work, {"kind": "number", "object": "+1 206 555 0150", "reason": "x"})
        assert held.object_id == ANN
        with pytest.raises(Refused, match="held already"):
            await holds.add(work, {"kind": "number", "object": ANN, "reason": "y"})
        await holds.release(work, held.id, {"reason": "over"})
        with pytest.raises(Refused, match="released before"):
            await holds.release(work, held.id, {"reason": "over"})
    async with world.store.read() as session:
        assert (await holds.list_all(session, standing=True)).items == []
        assert [each.released_reason for each in (await holds.list_all(session)).items] == ["over"]


async def test_an_erasure_is_shown_first_then_done_and_leaves_a_report_without_the_person(world: World) -> None:
    user = await add_user(world.store, "mio@demo.example")
    record, call = await _full_person(world, user.id)
    async with world.store.read() as session:
        plan = await erasing.plan(session, record)
    assert (plan.name, plan.numbers) == ("Ann Lee", [ANN])
    found = {each.kind: each.count for each in plan.destroyed}
    assert found.pop("activities") > 0
    assert found == dict.fromkeys(("record", "search", "notes", "recordings", "voicemails", "timelines"), 1)
    assert {each.kind for each in plan.kept} == {"calls", "deals", "refusals", "audit"}
    assert all(each.why for each in plan.kept) and any("Backups" in note for note in plan.notes)
    assert world.files() == ["ann.opus", "ann.wav", "bob.opus"], "nothing is destroyed yet"
    done = await world.worker.erase(ADMIN, {"record_id": record, "reason": "Asked by letter", "reference": "L-7"})
    assert (done.state, done.requested_by, done.reference) == ("done", "Ada Admin", "L-7")
    assert "Ann" not in str(done.report) and ANN not in str(done.report)
    assert world.files() == ["bob.opus"]
    await _nothing_left(world, record, call)
    with pytest.raises(Refused, match="There is no"):
        await world.worker.erase(ADMIN, {"record_id": record, "reason": "again"})


async def test_a_person_who_is_held_is_not_erased_and_a_held_call_stays_whole(world: World) -> None:
    record = await _lead(world, "Ann Lee", ANN)
    await world.call("held", 1, record=record)
    await world.call("free", 1, record=record)
    async with world.store.write() as work:
        await holds.add(work, {"kind": "call", "object": "c_held", "reason": "x"})
        whole = await holds.add(work, {"kind": "record", "object": record, "reason": "x"})
    with pytest.raises(Refused, match="legal hold"):
        await world.worker.erase(ADMIN, {"record_id": record, "reason": "asked"})
    async with world.store.write() as work:
        await holds.release(work, whole.id, {"reason": "over"})
    done = await world.worker.erase(ADMIN, {"record_id": record, "reason": "asked"})
    assert done.report is not None and "held" in {each["kind"] for each in done.report["kept"]}
    assert world.files() == ["held.opus"]
    assert await world.count(CallEvent) == 1


async def test_an_erasure_that_was_broken_off_is_finished(world: World) -> None:
    record = await _lead(world, "Ann Lee", ANN)
    await world.call("ann", 1, record=record)
    async with world.store.write(ADMIN) as work:
        await erasing.begin(work, {"record_id": record, "reason": "asked"})
    await world.worker.finish_erasures()
    async with world.store.read() as session:
        (done,) = (await erasing.list_all(session)).items
        assert await erasing.unfinished(session) == []
    assert done.state == "done" and world.files() == [] and await world.count(Record) == 0


async def test_what_was_destroyed_on_request_does_not_come_back_with_a_database_from_before(world: World) -> None:
    """The database knows nothing of an erasure that the list beside it has: as after an older backup was restored."""
    record, held = await _lead(world, "Ann Lee", ANN), await _lead(world, "Bob Lee", BOB)
    for name, of in (("ann", record), ("loud", held), ("quiet", held)):
        await world.call(name, 1, ANN if of == record else BOB, record=of)
    async with world.store.write() as work:
        await holds.add(work, {"kind": "record", "object": held, "reason": "x"})
    line = '{{"kind":"{}","id":"{}","of":"{}","at_us":1}}\n'
    world.list.write_text(
        line.format("person", "erase_1", record)
        + line.format("person", "erase_2", held)
        + line.format("person", "erase_3", "l_never")
        + line.format("recording", "rec_quiet_1", "c_quiet")
        + '{"kind":"person","id":"era'
    )
    assert await world.worker.repeat_erasures() == 1
    assert world.files() == ["loud.opus", "quiet.opus"] and await world.count(Record) == 1
    async with world.store.write() as work:
        (done,) = (await erasing.list_all(work.session)).items
        await holds.release(work, (await holds.list_all(work.session)).items[0].id, {"reason": "over"})
    assert (done.id, done.state, done.record_id) == ("erase_1", "done", record) and "backup" in done.reason
    assert await world.worker.repeat_erasures() == 1, "the hold is gone: the person goes, and their calls with them"
    assert world.files() == [] and await world.worker.repeat_erasures() == 0


async def test_an_erasure_is_in_the_list_before_anything_is_destroyed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = await _lead(world, "Ann Lee", ANN)
    await world.call("ann", 1, record=record)
    listed: list[str] = []
    destroy = worker.Places.destroy

    def first(*given: Any) -> int:
        listed.append(world.list.read_text())
        return destroy(*given)

    monkeypatch.setattr(worker.Places, "destroy", first)
    done = await world.worker.erase(ADMIN, {"record_id": record, "reason": "asked"})
    assert done.id in listed[0] and record in listed[0]
    assert "Ann" not in listed[0] and ANN not in listed[0], "ids alone"


async def test_a_number_that_two_people_share_does_not_take_the_others_calls_along(world: World) -> None:
    ann, bob = await _lead(world, "Ann Lee", ANN), await _lead(world, "Bob Lee", ANN)
    await world.call("hers", 1, record=ann)
    await world.call("his", 1, record=bob)
    await world.worker.erase(ADMIN, {"record_id": ann, "reason": "asked"})
    assert world.files() == ["his.opus"]
    assert await world.count(Call, Call.record_id == bob) == 1


def test_a_file_outside_its_folder_is_left_alone(tmp_path: Path) -> None:
    outside = tmp_path / "precious"
    outside.write_text("x")
    (tmp_path / "recordings").mkdir()
    places = worker.Places(tmp_path / "recordings", tmp_path / "attachments")
    assert places.destroy(["../precious", str(outside)], ["../precious", "none"]) == 0 and outside.exists()


async def _lead(world: World, name: str, *numbers: str) -> str:
    async with world.store.write() as work:
        values = {"name": name, "phones": [{"number": number} for number in numbers]}
        return (await people.add(work, "lead", values)).id


async def _full_person(world: World, user: str) -> tuple[str, str]:
    record = await _lead(world, "Ann Lee", ANN)
    call = await world.call("ann", 3, record=record)
    await world.call("bob", 3, BOB)
    await world.voicemail("ann", 2, user)
    async with world.store.write() as work:
        await notes.add(work, record, "Likes tea")
        await deals.add(work, {"name": "Tea for all", "record_id": record})
        await do_not_call.add(work, {"number": ANN, "reason": "asked us"})
    return record, call


async def _nothing_left(world: World, record: str, call: str) -> None:
    nothing: Sequence[tuple[Any, Any]] = (
        (Record, Record.id == record),
        (Note, Note.record_id == record),
        (SearchDocument, SearchDocument.record_id == record),
        (CallEvent, CallEvent.call_id == call),
        (CallSummary, CallSummary.record_id == record),
        (Text, Text.customer_number == ANN),
        (Recording, Recording.path.is_not(None) & (Recording.call_id == call)),
        (Call, Call.notes.is_not(None) & (Call.id == call)),
        (Call, Call.customer_number == ANN),
    )
    assert [await world.count(table, which) for table, which in nothing] == [0] * len(nothing)
    assert await world.count(Call, Call.id == call) == 1
    async with world.store.read() as session:
        assert await do_not_call.contains(session, ANN)
        assert await audit.verify(session) is None
