"""From the journal to the store: what one call's rows break must cost no other call, and nothing is thrown away."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from crm.unit_of_work import Store
from pbx.adapters.store import projector as module
from pbx.adapters.store.journal import SET_ASIDE, FileJournal
from pbx.adapters.store.projector import Projector
from pbx.core.commands import Fact
from pbx.core.ids import CallId, Instant
from pbx.services.live_records import LiveRecords

GOOD, BAD = CallId("c_01HZ0000000000000000000001"), CallId("c_01HZ0000000000000000000002")


class PaperStore:
    @asynccontextmanager
    async def journal(self) -> AsyncIterator[None]:
        yield None


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The calls whose rows were taken; the rows of BAD are refused by every store."""
    taken: list[str] = []

    async def calls(connection: object, rows: Sequence[Mapping[str, Any]]) -> None:
        if any(row["id"] == BAD for row in rows):
            raise ValueError("a row that no store takes")
        taken.extend(row["id"] for row in rows)

    async def others(connection: object, rows: Sequence[Mapping[str, Any]]) -> None:
        return

    monkeypatch.setattr(module.writers, "upsert_calls", calls)
    for name in (
        "upsert_legs",
        "upsert_participants",
        "upsert_recordings",
        "upsert_voicemails",
        "append_events",
    ):
        monkeypatch.setattr(module.writers, name, others)
    return taken


@pytest.mark.covers("P3")
async def test_a_call_that_no_store_takes_does_not_keep_the_engine_from_starting_and_is_not_thrown_away(
    tmp_path: Path, stored: list[str]
) -> None:
    records = LiveRecords()
    died = FileJournal(tmp_path)
    for call in (BAD, GOOD):
        facts = [(1, Fact("call.created", Instant(5), {"direction": "inbound"}))]
        died.append(call, facts)
        records.happened(call, facts)
    died.close()
    journal = FileJournal(tmp_path)
    projector = Projector(cast(Store, PaperStore()), journal, records)
    assert await projector.recover() == 2
    assert stored == [GOOD]
    assert len(journal.segments()) == 1, "what was taken is not kept"
    assert BAD in (tmp_path / SET_ASIDE).read_text() and GOOD not in (tmp_path / SET_ASIDE).read_text()
    journal.close()
