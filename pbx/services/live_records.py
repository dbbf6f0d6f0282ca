"""The log of the calls of this run, in memory: what the event stream and the API show of a call at once.

Each fact is folded here once, in the step in which it was decided; the store follows with the same rows.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence

from pbx.core.call.record import CallRecord
from pbx.core.commands import Fact
from pbx.core.ids import CallId

KEPT = 2_000
"""Seven kilobytes each: minutes of a busy day. What is older, the store has."""


class LiveRecords:
    """Records of live calls, and of the last few thousand that ended."""

    def __init__(self) -> None:
        self._records: OrderedDict[str, CallRecord] = OrderedDict()
        self._last_used: dict[str, int] = {}

    def happened(self, call: CallId, facts: Sequence[tuple[int, Fact]]) -> None:
        record = self._records.get(call)
        if record is None:
            if facts[0][0] != 1:
                return  # a late fact of a call of an earlier run: the store has its record
            record = self._records[call] = CallRecord(call)
            self._trim()
        for seq, fact in facts:
            record.fold(seq, fact.kind, fact.at, fact.data)
            if fact.kind == "call.answered":
                self._used(record, fact.at)

    def _used(self, record: CallRecord, at: int) -> None:
        for leg in record.legs.values():
            if leg["device_id"] and leg["answered_us"] is not None:
                self._last_used[leg["device_id"]] = at

    def last_used(self, device_id: str) -> int:
        """When people began to talk over this phone the last time; 0 where they have not in this run."""
        return self._last_used.get(device_id, 0)

    def get(self, call_id: str) -> CallRecord | None:
        return self._records.get(call_id)

    def live(self) -> Iterator[CallRecord]:
        """Calls that have not ended, oldest first."""
        return (record for record in list(self._records.values()) if not record.ended)

    def newest(self) -> Iterator[CallRecord]:
        """Every call that is remembered, the one that began last first."""
        return reversed(self._records.values())

    def _trim(self) -> None:
        """Forget the oldest that ended; calls that are up are never forgotten."""
        if len(self._records) <= KEPT:
            return
        for call_id, record in list(self._records.items())[: KEPT // 10]:
            if record.ended:
                del self._records[call_id]
