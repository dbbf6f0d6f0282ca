"""From the journal into a real store: piece by piece as it happens, through an outage, each fact once."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from crm import engine
from crm.migrations import migrate
from crm.services import calls
from crm.unit_of_work import Store
from pbx.adapters.store.journal import FileJournal
from pbx.adapters.store.projector import Projector
from pbx.core.commands import Fact
from pbx.core.events import LegAnswered, LegEnded, LegRinging
from pbx.services.live_records import LiveRecords
from tests.unit.core.story import CALL, RECORDED, Story, goes_out, leg, mio


class Engine:
    """The journal and what follows it, fed with the facts of a story."""

    def __init__(self, store: Store, home: Path) -> None:
        self.journal, self.records = FileJournal(home / "journal"), LiveRecords()
        self.projector = Projector(store, self.journal, self.records)
        self._taken = 0

    def hears(self, story: Story, *later: Fact) -> None:
        fresh = list(enumerate([*story.facts, *later], 1))[self._taken :]
        self._taken += len(fresh)
        self.records.happened(CALL, fresh)
        self.journal.append(CALL, fresh)


@asynccontextmanager
async def running(store: Store, home: Path) -> AsyncIterator[Engine]:
    made = Engine(store, home)
    task = asyncio.ensure_future(made.projector.run())
    yield made
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    made.journal.close()


def matched(at: int) -> Fact:
    return Fact("call.matched", at, {"matches": [{"type": "lead", "id": "l_1"}]})  # type: ignore[arg-type]


@pytest.mark.covers("P3")
async def test_a_call_that_is_written_as_it_goes_on_stands_as_its_record_says(store: Store, tmp_path: Path) -> None:
    async with running(store, tmp_path) as made:
        story = goes_out(mio(recording=RECORDED))
        made.hears(story)
        await made.projector.flush()
        for event in (LegRinging(leg(2)), LegAnswered(leg(2)), LegEnded(leg(1), 16), LegEnded(leg(2), 16)):
            made.hears(story.then(event))
            await made.projector.flush()
        made.hears(story, matched(story.now))
        await made.projector.flush()
    record = made.records.get(CALL)
    assert record is not None and record.ended and len(record.recordings) == 1
    async with store.read() as session:
        detail = await calls.show(session, CALL)
    assert {name: getattr(detail.call, name) for name in record.call} == record.call
    for rows, kept in (
        (record.legs.values(), detail.legs),
        (record.participants.values(), detail.participants),
        (record.recordings.values(), detail.recordings),
    ):
        assert [{name: getattr(each, name) for name in row} for row, each in zip(rows, kept, strict=True)] == [*rows]
    assert [(event.seq, event.kind) for event in detail.events] == list(
        enumerate([fact.kind for fact in [*story.facts, matched(0)]], 1)
    )


@pytest.mark.covers("TRUST5", "P3")
async def test_what_happens_while_the_database_is_locked_is_written_once_when_it_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    await migrate(url)
    monkeypatch.setattr(engine.connect_sqlite, "__defaults__", (0.05,))
    store = Store(url)
    blocker = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    async with running(store, tmp_path) as made:
        story = goes_out()
        blocker.execute("BEGIN IMMEDIATE")
        made.hears(story)
        waiting = asyncio.ensure_future(made.projector.flush())
        made.hears(story.then(LegRinging(leg(2))))
        done, _ = await asyncio.wait({waiting}, timeout=0.5)
        assert not done and made.projector.lag == len(story.facts)
        blocker.execute("ROLLBACK")
        async with asyncio.timeout(10):
            await waiting
    async with store.read() as session:
        kept = await calls.show(session, CALL)
    assert [event.seq for event in kept.events] == list(range(1, len(story.facts) + 1))
    assert [row.ringing_us for row in kept.legs] == [None, story.now]
    blocker.close()
    await store.close()
