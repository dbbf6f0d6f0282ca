"""Engines die in the middle of any step of any conference, and what happens until the next one is there nobody hears.

The conferences are those of the property test of the core, with the same rules; here the calls run as they do in an
engine. It dies before a step is written down, or after any number of its commands; then legs end, phones are picked
up in vain, hold or come back; then the next engine looks, and everything must stand as it should (P1, C1 to C13).
"""

from __future__ import annotations

import copy
import os
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule, run_state_machine_as_test

from pbx.core.call import Call, State
from pbx.core.call.mending import Ending, Found, Progress
from pbx.core.commands import (
    Answer,
    CloseBridge,
    Command,
    DialOut,
    Fact,
    FindRoute,
    HangUp,
    OpenBridge,
    OpenHolding,
    PauseRecording,
    Ring,
    RingPhone,
    StopRecording,
    StopRinging,
)
from pbx.core.events import (
    Asking,
    Event,
    GuestFound,
    LegEnded,
    LegHeld,
    NotNow,
    RecordingPlan,
    Route,
    RouteDecided,
)
from pbx.core.ids import CallId, Instant, LegId
from pbx.services.ports import Channels, Kept
from pbx.services.runtime import Calls, UnknownCall
from pbx.services.takeover import LOOKS
from tests.unit.core.model_switch import ModelSwitch
from tests.unit.core.test_any_conference import CALL, AnyConference, AnyConferenceOfColleagues, AnyConferenceThatWeBegan
from tests.unit.services.standins import HandClock

EXAMPLES, STEPS = int(os.environ.get("SWITCHHOOK_STORIES", "300")), 30
BEFORE_IT_IS_WRITTEN = -1
numbers = st.integers(min_value=0, max_value=12)
at_most_one = st.lists(numbers, max_size=1)


class LastingSwitch(ModelSwitch):
    """It outlives engines, and takes what is sent twice as Asterisk does: all names are ours."""

    def __init__(self) -> None:
        super().__init__()
        self.hear_ringing: set[str] = set()
        self.endings: dict[LegId, Ending] = {}
        self.holding: set[str] = set()

    def carry_out(self, command: Command) -> None:
        match command:
            case RingPhone() | DialOut() if command.leg in self.dialled:
                assert self.live(command.leg), "one that has rung and is gone is not dialled again"
            case Answer() if command.leg in self.answered:
                pass
            case OpenBridge() | OpenHolding():
                self.bridges.add(command.bridge)
            case CloseBridge():
                self.bridges.discard(command.bridge)
            case HangUp():
                self.hung_up.add(command.leg)
            case PauseRecording():
                self.recordings[command.recording] = command.paused
            case StopRecording():
                self.recordings.pop(command.recording, None)
            case Ring() if command.leg in self.answered:
                self.rung.add(command.leg)
                self.hear_ringing.add(command.leg)
            case StopRinging():
                self.hear_ringing.discard(command.leg)
            case _:
                super().carry_out(command)

    def found(self, call: Call, now: Instant) -> Found:
        there = [leg for leg in call.legs if self.live(leg) and self._made(leg, call)]
        gone = [leg for leg in call.legs if not self.live(leg)]
        return Found(
            up_since=Instant(0),
            legs={leg: Progress.UP if leg in self.answered else Progress.RINGING for leg in there},
            endings={leg: self.endings.get(leg) or Ending(now, 16, leg in self.answered) for leg in gone},
            held={leg: leg in self.holding for leg in there if call.legs[leg].joined},
            bridges={
                bridge: frozenset(leg for leg in there if self.where.get(leg) == bridge)  # type: ignore[misc]
                for bridge in self.bridges
            },
            recordings=frozenset(self.still_recording()),  # type: ignore[arg-type]
            playbacks=frozenset(
                name for name, target in self.playing.items() if target in self.bridges or self.live(target)
            ),  # type: ignore[arg-type]
        )

    def _made(self, leg: LegId, call: Call) -> bool:
        return leg in self.dialled or leg in self.answered or leg == call.first_leg


class Mortal:
    """One engine's share of the world: its disk, its gate, its way to the switch, until it is dead."""

    ready = True

    def __init__(self, story: DyingEngines) -> None:
        self.story = story
        self.left: int | None = None  # commands that still go out; None: it lives
        self.clock = HandClock()
        self.clock.us = story.now
        self.calls = Calls(
            self, self, self.clock, self, keeper=self, find_guest=lambda digits, user_id: GuestFound(story.meant)
        )

    # -- keeper and journal: what is written survives

    def keep(
        self,
        call: Call,
        seq: int,
        channels: Channels,
        facts: Sequence[tuple[int, Fact]],
        todo: Sequence[Command],
        node: str = "",
    ) -> None:
        if self.left != BEFORE_IT_IS_WRITTEN:
            self.story.facts += [fact for _, fact in facts]
            self.story.switch.answered |= channels.keys()  # such as came over from another call
            kept = self.story.facts_numbered
            self.story.kept = Kept(copy.deepcopy(call), seq, dict(channels), kept, list(todo))

    def drop(self, call: CallId) -> None: ...

    def append(self, call: CallId, facts: Sequence[tuple[int, Fact]]) -> None: ...

    # -- switch

    def adopt(self, call: CallId, leg: str, channel: str) -> None: ...

    def channel_of(self, leg: LegId) -> str:
        return leg

    def prepare(self, call: CallId, command: Command) -> None: ...

    def flush(self) -> None: ...

    def forget(self, call: CallId) -> None: ...

    def carry_out(self, call: CallId, command: Command) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                self.left = BEFORE_IT_IS_WRITTEN  # dead: nothing of it goes anywhere
                return
        self.story.switch.carry_out(command)

    # -- gate

    def decide(self, call: Call, request: FindRoute) -> RouteDecided:
        ways = tuple(Route(f"tr_{n}", f"PJSIP/x@tr_{n}") for n in range(self.story.trunks))
        verdict = self.story.verdict
        return RouteDecided(request.purpose, verdict, ways if verdict.allowed else (), request.number)

    def give_back(self, call: Call, purpose: str) -> None: ...

    def release(self, call: Call) -> None: ...


class DyingEngines(AnyConference):
    def __init__(self) -> None:
        super().__init__()
        self.switch: LastingSwitch = LastingSwitch()
        self.kept: Kept | None = None
        self.dies_after: int | None = None
        self.engine = Mortal(self)

    @property
    def facts_numbered(self) -> list[tuple[int, Fact]]:
        return list(enumerate(self.facts, 1))

    @initialize(recorded=st.booleans(), kept=st.booleans(), announce=st.booleans())
    def two_talk(self, recorded: bool, kept: bool, announce: bool) -> None:
        self.call = self.engine.calls.begin(CALL, self.beginning(RecordingPlan(recorded, announce, kept)))
        self.answer(LegId(f"leg_{CALL[2:]}_2"))
        assert self.call.state is State.TALKING

    # -- death ------------------------------------------------------------------------------------

    @precondition(lambda self: self.call.state is State.TALKING)
    @rule(commands=st.integers(BEFORE_IT_IS_WRITTEN, 4))
    def the_engine_dies_in_the_next_step(self, commands: int) -> None:
        self.dies_after = commands

    @precondition(lambda self: self.call.state is State.TALKING)
    @rule(ends=st.lists(numbers, max_size=2), picked_up=at_most_one, holds=at_most_one)
    def it_dies_and_meanwhile(self, ends: list[int], picked_up: list[int], holds: list[int]) -> None:
        for n in ends:
            self.gone_unheard(self.leg(n), answered=self.leg(n) in self.switch.answered)
        for n in picked_up:
            ringing = [leg.id for leg in self.call.live_legs() if self.rings(leg.id)]
            if ringing:
                self.gone_unheard(ringing[n % len(ringing)], answered=True)
        for n in holds:
            self.switch.holding ^= {self.leg(n)}
        self.next_engine()

    def rings(self, leg: LegId) -> bool:
        return leg in self.switch.dialled and leg not in self.switch.answered and self.switch.live(leg)

    def gone_unheard(self, leg: LegId, *, answered: bool) -> None:
        self.now += 7
        if self.switch.live(leg):
            self.switch.gone.add(leg)
            self.switch.endings[leg] = Ending(Instant(self.now), 16, answered)

    def next_engine(self) -> None:
        """What the one before has written down is all that this one knows."""
        self.now += 7
        self.engine, kept = Mortal(self), copy.deepcopy(self.kept)
        assert kept is not None
        self.call = kept.call
        calls = self.engine.calls
        calls.take_over(kept)
        for _ in range(LOOKS):
            steps = calls.steps()
            found = self.switch.found(self.call, Instant(self.now))
            if calls.catch_up(CALL, found, steps[CALL]):
                break
        else:
            raise AssertionError("it never stood as it should")
        self.switch.timers = set(self.call.timers)
        assert self.engine.clock.waiting >= len(self.call.timers)

    # -- how it is taken --------------------------------------------------------------------------

    def feed(self, event: Event) -> None:
        self.now += 7
        self.engine.clock.us = self.now
        self.past.append(event)
        if isinstance(event, LegEnded):
            self.switch.endings.setdefault(
                event.leg, Ending(Instant(self.now), event.cause, event.leg in self.switch.answered)
            )
        if isinstance(event, LegHeld):
            (self.switch.holding.add if event.held else self.switch.holding.discard)(event.leg)
        self.engine.left, self.dies_after = self.dies_after, None
        dies = self.engine.left is not None
        try:
            if isinstance(event, Asking):
                self.engine.calls.ask(CALL, event)
            else:
                self.engine.calls.deliver(CALL, event)
        except (NotNow, UnknownCall):
            pass
        if dies:
            self.next_engine()
        self.switch.timers = set(self.call.timers)

    @invariant()
    def nobody_hears_ringing_who_talks(self) -> None:
        if self.call.state is State.TALKING and not self.handed_on:
            assert not self.switch.hear_ringing & {leg.id for leg in self.call.parties()}


class DyingEnginesOfColleagues(DyingEngines, AnyConferenceOfColleagues): ...


class DyingEnginesThatWeBegan(DyingEngines, AnyConferenceThatWeBegan): ...


@pytest.mark.covers("P1", "C4", "C6", "C9", "C12")
@pytest.mark.parametrize("story", [DyingEngines, DyingEnginesOfColleagues, DyingEnginesThatWeBegan])
def test_no_death_of_an_engine_breaks_a_conference(story: type[DyingEngines]) -> None:
    run_state_machine_as_test(
        story,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            phases=(Phase.reuse, Phase.generate),
            suppress_health_check=list(HealthCheck),
        ),
    )
