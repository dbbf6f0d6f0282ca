"""Brings what the journal holds into the store, in batches, behind the calls.

The rows of a call are those that :mod:`pbx.core.call.record` folded. A batch is one transaction; the store
being locked or away only makes the batches later and larger (TRUST 5). Every write may be repeated.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import structlog

from crm.errors import Refused
from crm.repositories import calls as call_log
from crm.repositories import journal as writers
from crm.unit_of_work import Store
from pbx.adapters.store.journal import FileJournal, Line
from pbx.core.call.record import CallRecord
from pbx.services.live_records import LiveRecords
from pbx.services.store_watch import StoreWatch

log = structlog.get_logger("projector")

GATHER_S = 0.4
RETRY_S = (0.2, 0.5, 1.0, 2.0)
BATCH_LINES = 2000
REMEMBERED = 2000  # calls whose rows are compared with what was written last

Row = dict[str, Any]
Values = dict[str, tuple[Any, ...]]


class Projector:
    """One task per engine. ``lag`` is the number of facts that the store does not have yet."""

    def __init__(
        self, store: Store, journal: FileJournal, records: LiveRecords, watch: StoreWatch | None = None
    ) -> None:
        self._store = store
        self._journal = journal
        self._records = records
        self._watch = watch
        self._pending: list[Line] = []
        self._idle = asyncio.Event()
        self._hurry = asyncio.Event()
        self._stood = _Stood()
        self.on_stored: Callable[[Sequence[Line]], None] = lambda lines: None
        """Told of lines whose rows stand in the store now."""

    @property
    def lag(self) -> int:
        return len(self._pending) + len(self._journal.fresh)

    async def recover(self) -> int:
        """Apply what an earlier run left in the journal; gives the number of facts.

        A call that no store would take must not keep the engine from starting, again and again.
        """
        segments = self._journal.segments()
        lines = list(self._journal.left_behind())
        for start in range(0, len(lines), BATCH_LINES):
            await self._write_each(lines[start : start + BATCH_LINES])
        self._delete(segments)
        return len(lines)

    async def run(self) -> None:
        """Write batches until cancelled; then what is left, once."""
        try:
            while True:
                await self._journal.wake.wait()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(GATHER_S):
                        await self._hurry.wait()
                self._hurry.clear()
                await self._flush()
        finally:
            with contextlib.suppress(Refused):
                self._pending += self._journal.take()
                await self._write(self._pending)
                self._pending = []

    async def flush(self) -> None:
        """Wait until all that happened so far stands in the store; nothing more is gathered meanwhile."""
        while self.lag:
            self._hurry.set()
            self._idle.clear()
            await self._idle.wait()

    async def _flush(self) -> None:
        self._pending += self._journal.take()
        for attempt in range(1_000_000):
            try:
                while self._pending:
                    batch = self._pending[:BATCH_LINES]
                    await self._write_each(batch)
                    del self._pending[: len(batch)]
                if self._watch is not None:
                    self._watch.back("writing")
                break
            except Refused as error:
                if self._watch is not None:
                    self._watch.away("writing", error.message)
                wait = RETRY_S[min(attempt, len(RETRY_S) - 1)]
                log.warning("store.away", why=error.message, lag=self.lag, retry_s=wait)
                await asyncio.sleep(wait)
        self._delete(self._journal.rotate())
        self._idle.set()

    async def _write_each(self, batch: list[Line]) -> None:
        """A call whose rows no store would take must not keep the others out: it is left out, and said so."""
        try:
            await self._write(batch)
            return
        except Refused:
            raise
        except Exception:
            log.exception("store.batch_failed", lines=len(batch))
        for call in dict.fromkeys(line.call for line in batch):
            its = [line for line in batch if line.call == call]
            try:
                await self._write(its)
            except Refused:
                raise
            except Exception:
                log.exception("store.call_left_out", call=call)
                self._journal.set_aside(its)

    async def _write(self, lines: list[Line]) -> None:
        if not lines:
            return
        records = [await self._record(call, lines) for call in dict.fromkeys(line.call for line in lines)]
        written: list[tuple[str, Values]] = []
        async with self._store.journal() as batch:
            for record in records:
                values = {}
                for key, table, row in _rows(record):
                    changed = self._stood.changed(record.call_id, key, row)
                    if changed:
                        batch.add(table, row, changed)
                        values[key] = tuple(row.values())
                written.append((record.call_id, values))
            writers.append_events(batch, [_event(line) for line in lines])
        self._stood.keep(written)
        self.on_stored(lines)

    async def _record(self, call_id: str, lines: list[Line]) -> CallRecord:
        """The call's rows: from memory, or folded again from what the store has and these lines."""
        known = self._records.get(call_id)
        if known is not None:
            return known
        record = CallRecord(call_id)
        async with self._store.read() as session:
            earlier = await call_log.events(session, call_id)
        for event in earlier:
            record.fold(event.seq, event.kind, event.at_us, event.data or {})
        for line in lines:
            if line.call == call_id:
                record.fold(line.seq, line.kind, line.at_us, line.data)
        return record

    def _delete(self, segments: Iterable[Path]) -> None:
        """Only segments all of whose lines stand in the store, and never the one that is written now."""
        current = self._journal.segments()[-1:]
        for segment in segments:
            if segment not in current:
                segment.unlink(missing_ok=True)


class _Stood:
    """The rows of the last calls as the store has them: only what is other is written. Whose rows are not remembered is
    written whole, which changes nothing."""

    def __init__(self) -> None:
        self._calls: OrderedDict[str, Values] = OrderedDict()

    def changed(self, call_id: str, key: str, row: Row) -> tuple[str, ...]:
        """The columns to be written; none where the row stands as it is."""
        stood = self._calls.get(call_id, {}).get(key)
        if stood is None:
            return tuple(row)
        if stood == tuple(row.values()):
            return ()
        return tuple([name for (name, value), was in zip(row.items(), stood, strict=True) if value != was])

    def keep(self, written: Iterable[tuple[str, Values]]) -> None:
        for call_id, values in written:
            self._calls.setdefault(call_id, {}).update(values)
            self._calls.move_to_end(call_id)
        while len(self._calls) > REMEMBERED:
            self._calls.popitem(last=False)


def _rows(record: CallRecord) -> Iterator[tuple[str, str, Row]]:
    """Every row of a call: a name for it, its table, and what is in it."""
    yield "", writers.CALLS, record.call
    for key, leg in record.legs.items():
        yield key, writers.LEGS, leg
    for key, participant in record.participants.items():
        yield f"of {key}", writers.PARTICIPANTS, {**participant, "created_us": record.call["created_us"]}
    for key, recording in record.recordings.items():
        yield key, writers.RECORDINGS, recording
    for key, voicemail in record.voicemails.items():
        yield key, writers.VOICEMAILS, voicemail


def _event(line: Line) -> Row:
    data = line.data if line.text is None else line.text
    return {"call_id": line.call, "seq": line.seq, "kind": line.kind, "at_us": line.at_us, "data": data}
