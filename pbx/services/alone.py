"""What an engine goes by that stands alone: no other one comes after it, and it has one switch."""

from __future__ import annotations

from collections.abc import Sequence

from pbx.core.call import Call
from pbx.core.commands import Command, Fact
from pbx.core.ids import CallId
from pbx.services.ports import Channels


class NoKeeper:
    """No other engine will come."""

    def keep(
        self,
        call: Call,
        seq: int,
        channels: Channels,
        facts: Sequence[tuple[int, Fact]],
        todo: Sequence[Command],
        node: str = "",
    ) -> None: ...

    def drop(self, call: CallId) -> None: ...


class OneSwitch:
    """Every call lives on it."""

    def place(self, call: CallId, channel: str, dial: str) -> str:
        return ""

    def again(self, call: CallId, node: str) -> None: ...

    def away(self, call: CallId) -> bool:
        return False
