"""From the journal to the store: what one call's rows break must cost no other call, and nothing is thrown away."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import pytest

from crm.repositories.journal import Batch
from crm.unit_of_work import Store
from pbx.adapters.store.journal import SET_ASIDE, FileJournal
from pbx.adapters.store.projector import Projector
from pbx.core.commands import Fact
from pbx.core.ids import CallId, Instant
from pbx.services.live_records import LiveRecords

GOOD, BAD = CallId("c_01HZ0000000000000000000001"), CallId("c_01HZ0000000000000000000002")


class PaperStore:
    """Takes every batch but those with a row of BAD, which no store takes; ``calls`` are those whose rows it took."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    @asynccontextmanager
    async def journal(self) -> AsyncIterator[Batch]:
        batch = Batch()
        yield batch
        texts = {value for _, rows in batch.for_sqlite() for row in rows for value in row}
        if BAD in texts:
            raise ValueError("a row that no store takes")
        self.calls += [call for call in (GOOD, BAD) if call in texts]


@pytest.mark.covers("P3")
async def test_a_call_that_no_store_takes_does_not_keep_the_engine_from_starting_and_is_not_thrown_away(
    tmp_path: Path,
) -> None:
    records = LiveRecords()
    died = FileJournal(tmp_path)
    for call in (BAD, GOOD):
        facts = [(1, Fact("call.created", Instant(5), {"direction": "inbound"}))]
        died.append(call, facts)
        records.happened(call, facts)
    died.close()
    journal = FileJournal(tmp_path)
    store = PaperStore()
    projector = Projector(cast(Store, store), journal, records)
    assert await projector.recover() == 2
    assert store.calls == [GOOD]
    assert len(journal.segments()) == 1, "what was taken is not kept"
    assert BAD in (tmp_path / SET_ASIDE).read_text() and GOOD not in (tmp_path / SET_ASIDE).read_text()
    journal.close()
