"""What the use cases need of the world. Adapters fulfil these; tests may stand in for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from pbx.core.call import Call
from pbx.core.commands import Command, Fact
from pbx.core.events import Event, Phone
from pbx.core.ids import CallId, Instant, LegId

Deliver = Callable[[CallId, Event], None]
Channels = Mapping[LegId, str]
"""The names in the switch of legs that came to us or over from another call; every other leg's is its own."""


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

    def channel_of(self, leg: LegId) -> str:
        """What Asterisk calls it."""

    def prepare(self, call: CallId, command: Command) -> None:
        """Begin what nobody outside notices of a command that follows in this turn, and that takes long."""

    def carry_out(self, call: CallId, command: Command) -> None:
        """It may go out together with those that follow, until :meth:`flush`."""

    def flush(self) -> None:
        """Nothing more follows for now."""

    def forget(self, call: CallId) -> None:
        """The call is over: nothing about it will be asked again."""

    @property
    def ready(self) -> bool: ...


class Placement(Protocol):
    """On which of several switches each call lives. With one there is nothing to ask."""

    def place(self, call: CallId, channel: str, dial: str) -> str:
        """Choose where a call lives that begins, by the channel that it came on, or by the phone that it rings first;
        both may be empty. The answer is to be kept with the call."""

    def again(self, call: CallId, node: str) -> None:
        """It lives where an earlier engine put it."""

    def away(self, call: CallId) -> bool:
        """Whether its switch cannot be told anything now."""


class Presence(Protocol):
    """Which devices are registered now, and where."""

    def phones(self, device_ids: Sequence[str]) -> tuple[Phone, ...]: ...


class Journal(Protocol):
    """Keeps what happened, at once and in order; it reaches the store when the store can take it."""

    def append(self, call: CallId, facts: Sequence[tuple[int, Fact]]) -> None:
        """Write facts with their numbers in the call. Returns when they survive the engine's own death."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A live call as its last step left it.

    ``facts`` is all that happened to it, with numbers, of which ``fresh`` may not stand in the journal yet; ``todo``
    what the last step wanted done, which may not have been. ``node`` is where it lives, see :class:`Placement`.
    """

    call: Call
    seq: int
    channels: Channels
    facts: Sequence[tuple[int, Fact]]
    todo: Sequence[Command] = ()
    fresh: Sequence[tuple[int, Fact]] = ()
    node: str = ""


class Keeper(Protocol):
    """Keeps live calls, so that an engine that comes after this one takes them over."""

    def keep(
        self,
        call: Call,
        seq: int,
        channels: Channels,
        facts: Sequence[tuple[int, Fact]],
        todo: Sequence[Command],
        node: str = "",
    ) -> None:
        """After a step, before anything of it goes out. Returns when it survives the engine's own death."""

    def drop(self, call: CallId) -> None:
        """The call is over."""


class Observer(Protocol):
    """Hears of every fact after it stands in the journal."""

    def happened(self, call: CallId, facts: Sequence[tuple[int, Fact]]) -> None: ...
