"""What the use cases need of the world. Adapters fulfil these; tests may stand in for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from pbx.core.commands import Command, Fact
from pbx.core.events import Event, Phone
from pbx.core.ids import CallId, Instant

Deliver = Callable[[CallId, Event], None]


class Clock(Protocol):
    def now(self) -> Instant: ...

    def later(self, delay_s: float, run: Callable[[], None]) -> Callable[[], None]:
        """Run once after the delay; the answer cancels it."""

    def soon(self, run: Callable[[], None]) -> None:
        """Run after what happens now, in this thread."""


class Switch(Protocol):
    """Carries commands out in order, without waiting; what comes of them arrives as events."""

    def adopt(self, call: CallId, leg: str, channel: str) -> None:
        """Bind a leg of ours to a channel that Asterisk named."""

    def carry_out(self, call: CallId, command: Command) -> None: ...

    def forget(self, call: CallId) -> None:
        """The call is over: nothing about it will be asked again."""

    @property
    def ready(self) -> bool: ...


class Presence(Protocol):
    """Which devices are registered now, and where."""

    def phones(self, device_ids: Sequence[str]) -> tuple[Phone, ...]: ...


class Journal(Protocol):
    """Keeps what happened, at once and in order; it reaches the store when the store can take it."""

    def append(self, call: CallId, facts: Sequence[tuple[int, Fact]]) -> None:
        """Write facts with their numbers in the call. Returns when they survive the engine's own death."""


class Observer(Protocol):
    """Hears of every fact after it stands in the journal."""

    def happened(self, call: CallId, facts: Sequence[tuple[int, Fact]]) -> None: ...
