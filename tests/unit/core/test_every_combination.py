"""Whatever happens in whatever order, late or twice: rules that hold for every call."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from pbx.core.call import MOVES, Role, State, begin, handle
from pbx.core.call.machine import Decided
from pbx.core.call.record import CallRecord
from pbx.core.commands import DialOut, Fact, RingPhone
from pbx.core.events import (
    AnswerAsked,
    Arrived,
    Ask,
    Asked,
    Beginning,
    ColleagueFound,
    CommandFailed,
    Dialled,
    DialRequested,
    DigitPressed,
    DigitsAsked,
    DropAsked,
    Event,
    LegAnswered,
    LegEnded,
    LegHeld,
    LegRinging,
    LegSilent,
    MessageRecorded,
    NotNow,
    Person,
    Phone,
    PhoneBack,
    PhoneLost,
    PlaybackDone,
    RecordingPlan,
    Route,
    RouteDecided,
    TimerFired,
    VoicemailPlan,
)
from pbx.core.gate import Reason, Verdict
from pbx.core.ids import CallId, Instant, LegId, PlaybackId
from tests.unit.core.model_switch import ModelSwitch

EXAMPLES = int(os.environ.get("SWITCHHOOK_STORIES", "200"))
CALL = CallId("c_01HZ0000000000000000000001")
PHONES = (Phone("d1", "PJSIP/d1/a"), Phone("d2", "PJSIP/d2/b"), Phone("d3", "PJSIP/d3/c"))

persons = st.builds(
    Person,
    user_id=st.just("u_1"),
    name=st.just("Mio"),
    did=st.just("+14155550101"),
    phones=st.sampled_from([PHONES[:n] for n in range(4)]),
    busy=st.sampled_from([False] * 7 + [True]),
    forwarding=st.sampled_from(["+12065550130"] * 3 + [""]),
    forward_accept=st.sampled_from([True, True, False]),
    voicemail=st.sampled_from([None, VoicemailPlan(timedelta(minutes=2))]),
    recording=st.builds(RecordingPlan, enabled=st.booleans(), announce=st.booleans()),
)
arrivals = st.builds(
    Arrived,
    channel=st.just("PJSIP-1"),
    did=st.just("+14155550101"),
    caller=st.sampled_from(["+12065550150", "", "anonymous"]),
    caller_name=st.just(""),
    trunk_id=st.just("tr_a"),
    known_number=st.sampled_from([True] * 15 + [False]),
    person=st.one_of(*[persons] * 9, st.none()),
    from_user=st.sampled_from(["", "u_2"]),
    overloaded=st.sampled_from([False] * 15 + [True]),
)
dialled = st.builds(
    Dialled,
    channel=st.just("PJSIP-1"),
    device_id=st.just("d1"),
    person=persons,
    dialled=st.just("2065550150"),
    number=st.just("+12065550150"),
)
requests = st.builds(
    DialRequested,
    person=persons,
    number=st.just("+12065550150"),
    phone=st.sampled_from([None, PHONES[0]]),
    dialled=st.just("2065550150"),
    requested_by=st.just("u_1"),
)
inside_requests = st.builds(
    DialRequested,
    person=persons,
    number=st.just("+14155550102"),
    phone=st.sampled_from([None, PHONES[0], PHONES[0]]),
    dialled=st.just("102"),
    requested_by=st.just("u_1"),
    colleague=st.just("u_2"),
    overloaded=st.sampled_from([False] * 15 + [True]),
)
routes = st.sampled_from([("tr_a",), ("tr_a", "tr_b"), ("tr_a", "tr_b"), ("tr_a", "tr_b", "tr_c"), ()])
verdicts = st.sampled_from(
    [Verdict(True, Reason.ALLOWED, "+14155550101")] * 7
    + [Verdict(True, Reason.EMERGENCY, "+14155550101"), Verdict(False, Reason.PREMIUM), Verdict(False, Reason.NO_TRUNK)]
)
endings = st.sampled_from([(16, None), (17, 486), (19, 480), (21, 603), (38, None), (34, 503), (1, 404), (127, None)])
sometimes = st.sampled_from([False] * 4 + [True])
which = st.integers(min_value=0, max_value=7)
TIMERS = [
    *("ring", "silence", "page", "forward", "accept", "own", "customer"),
    *("longest", "message", "announcement", "sign"),
]


class AnyStory(RuleBasedStateMachine):
    """Events of every kind for every leg that there is or was; the model switch carries out what follows."""

    beginnings: st.SearchStrategy[Beginning] = arrivals

    def __init__(self) -> None:
        super().__init__()
        self.switch = ModelSwitch()
        self.facts: list[Fact] = []
        self.past: list[Event] = []
        self.now = 1_000
        self.allowed: set[str] = set()
        self.verdict, self.trunks = Verdict(True, Reason.ALLOWED), ("tr_a",)

    # -- what can happen ----------------------------------------------------------------------------

    @initialize(data=st.data(), verdict=verdicts, trunks=routes, colleague=st.one_of(*[persons] * 9, st.none()))
    def begins(self, data: st.DataObject, verdict: Verdict, trunks: tuple[str, ...], colleague: Person | None) -> None:
        self.verdict, self.trunks, self.colleague = verdict, trunks, colleague
        self.call, decided = begin(CALL, data.draw(self.beginnings), Instant(self.now))
        self.took(State.NEW, decided)

    @precondition(lambda self: self.call.state is not State.ENDED)
    @rule(hurry=st.booleans())
    def it_goes_on(self, hurry: bool) -> None:
        """What most often comes next, so that stories get to their later chapters."""
        if self.call.state is State.RINGING and not hurry:
            self.a_timer_fires("ring")
        elif self.call.state in (State.ANNOUNCING, State.DROPPING):
            self.a_prompt_ends(len(self.switch.played) - 1)
        elif self.call.state is State.ASKING:
            self.feed(DigitPressed(self.leg(len(self.call.legs) - 1), "1")) if hurry else self.a_prompt_ends(0)
        elif self.call.state is State.MESSAGE:
            self.feed(MessageRecorded(self.switch.message, timedelta(seconds=3)))
        elif self.call.state is State.TALKING:
            self.somebody_asks(Ask.PAUSE_RECORDING if hurry else Ask.ERASE_RECORDING)
        else:
            self.a_leg_answers(len(self.call.legs) - 1)

    @precondition(lambda self: self.call.state is not State.ENDED)
    @rule(hurry=st.booleans())
    def it_goes_on_well(self, hurry: bool) -> None:
        self.it_goes_on(hurry)

    @rule(n=which)
    def a_leg_rings(self, n: int) -> None:
        self.feed(LegRinging(self.leg(n)))

    @rule(n=which)
    def a_leg_answers(self, n: int) -> None:
        leg = self.leg(n)
        if leg in self.switch.dialled:
            if self.switch.live(leg):
                self.switch.answered.add(leg)
            self.feed(LegAnswered(leg))

    @rule(n=which)
    def a_trunk_says_nothing(self, n: int) -> None:
        self.feed(LegSilent(self.leg(n)))

    @rule(n=which, ending=endings, now=sometimes)
    def a_leg_ends(self, n: int, ending: tuple[int, int | None], now: bool) -> None:
        leg = self.leg(n)
        if not now and leg == self.call.first_leg:
            return
        self.switch.gone.add(leg)
        self.feed(LegEnded(leg, *ending))

    @rule(now=sometimes)
    def the_caller_gives_up(self, now: bool) -> None:
        """Who has left a message in a mailbox is out of the call already."""
        caller = self.call.caller.id
        if now and self.call.caller_waits and self.switch.live(caller):
            self.switch.gone.add(caller)
            self.feed(LegEnded(caller, 127))
            assert self.call.state is State.ENDED, "in the same step"

    @rule(n=which, digit=st.sampled_from("0159*#"))
    def somebody_presses_a_key(self, n: int, digit: str) -> None:
        before = self.call.state
        self.feed(DigitPressed(self.leg(n), digit))
        if before is State.ANNOUNCING:
            assert self.call.state is before

    @rule(n=which, held=st.booleans())
    def a_phone_holds(self, n: int, held: bool) -> None:
        self.feed(LegHeld(self.leg(n), held))

    @precondition(lambda self: self.switch.played)
    @rule(n=which)
    def a_prompt_ends(self, n: int) -> None:
        playback = self.switch.played[n % len(self.switch.played)]
        self.switch.playing.pop(playback, None)
        self.feed(PlaybackDone(PlaybackId(playback)))

    @precondition(lambda self: self.switch.message)
    @rule(seconds=st.integers(0, 100))
    def the_message_ends(self, seconds: int) -> None:
        self.feed(MessageRecorded(self.switch.message, timedelta(seconds=seconds)))

    @rule(n=st.integers(0, 1), all_stop=st.booleans())
    def somebody_answers_by_click(self, n: int, all_stop: bool) -> None:
        before = list(self.call.legs)
        self.feed(AnswerAsked(PHONES[n], by="u_1"))
        for leg in before if all_stop and "silence" in self.call.timers else ():
            if leg in self.switch.hung_up:
                self.switch.gone.add(leg)
                self.feed(LegEnded(leg, 26))

    @rule(name=st.sampled_from(TIMERS))
    def a_timer_fires(self, name: str) -> None:
        self.switch.timers.discard(name)
        self.feed(TimerFired(name))

    @rule(ask=st.sampled_from(list(Ask)), now=sometimes)
    def somebody_asks(self, ask: Ask, now: bool = True) -> None:
        if now or ask not in (Ask.HANG_UP, Ask.IGNORE):
            self.feed(Asked(ask, by="u_1"))

    @rule(n=which, now=sometimes)
    def a_page_is_lost(self, n: int, now: bool) -> None:
        if self.call.state is not State.TALKING and (now or self.leg(n) != self.call.first_leg):
            self.feed(PhoneLost(self.leg(n), "closed"))

    @rule(n=st.integers(0, 3), user=st.sampled_from(["u_1", "u_2"]))
    def a_page_is_back(self, n: int, user: str) -> None:
        self.feed(PhoneBack(user, Phone("d1", f"PJSIP/d1/{n}")))

    @rule(digits=st.sampled_from(["1", "#9", "", "x", "1" * 65]))
    def somebody_sends_digits(self, digits: str) -> None:
        self.feed(DigitsAsked(digits, by="u_1"))

    @rule(now=sometimes, drop=st.integers(0, 3))
    def a_message_is_left(self, now: bool, drop: int) -> None:
        if now or drop == 0:
            self.feed(DropAsked("drop_1", "/messages/drop_1", by="u_1"))

    @rule(n=which, now=sometimes)
    def a_command_fails(self, n: int, now: bool) -> None:
        if now or self.leg(n) != self.call.first_leg:
            self.feed(CommandFailed("create", self.leg(n), "500"))

    @precondition(lambda self: self.past)
    @rule(n=st.integers(0, 50))
    def an_event_comes_again(self, n: int) -> None:
        event = self.past[n % len(self.past)]
        if isinstance(event, PhoneLost) and self.call.state is State.TALKING:
            return  # as above: whose place is kept, and who waits for whom then, is told in the stories of conferences
        if isinstance(event, TimerFired):
            self.switch.timers.discard(event.name)
        if not isinstance(event, LegAnswered) or self.switch.live(event.leg):
            self.feed(event)

    # -- how it is taken ----------------------------------------------------------------------------

    def leg(self, n: int) -> LegId:
        legs = list(self.call.legs)
        return legs[n % len(legs)]

    def feed(self, event: Event) -> None:
        self.now += 7
        before = self.call.state
        self.past.append(event)
        try:
            decided = handle(self.call, event, Instant(self.now))
        except NotNow:
            assert isinstance(event, Asked | AnswerAsked | DigitsAsked | DropAsked)
            assert self.call.out == [] and self.call.state is before
            return
        self.took(before, decided)

    def took(self, before: State, decided: Decided) -> None:
        for item in decided:
            if isinstance(item, Fact):
                self.facts.append(item)
                continue
            assert before is not State.ENDED, "an ended call wants nothing any more"
            if isinstance(item, DialOut):
                assert item.dial in self.allowed, "only where the gate said yes"
            if isinstance(item, RingPhone) and self.call.via and not self.call.inside:
                assert self.allowed, "the gate decides before any phone rings"
            self.switch.carry_out(item)
        while self.switch.routes_wanted:
            wanted = self.switch.routes_wanted.pop(0)
            ways = tuple(Route(t, f"PJSIP/{wanted.number}@{t}") for t in self.trunks) if self.verdict.allowed else ()
            self.allowed |= {way.dial for way in ways}
            self.feed(RouteDecided(wanted.purpose, self.verdict, ways, wanted.number))
        while self.switch.colleagues_wanted:
            assert self.switch.colleagues_wanted.pop(0) == self.call.inside
            self.feed(ColleagueFound(self.colleague))

    # -- what holds ---------------------------------------------------------------------------------

    @invariant()
    def the_history_is_in_order(self) -> None:
        kinds = [fact.kind for fact in self.facts]
        assert kinds[0] == "call.created" and kinds.count("call.created") == 1
        assert kinds.count("call.ended") == (self.call.state is State.ENDED)
        times = [fact.at for fact in self.facts]
        assert times == sorted(times)
        assert kinds[-1] == "call.ended" or self.call.state is not State.ENDED

    @invariant()
    def an_ended_call_leaves_nothing(self) -> None:
        if self.call.state is State.ENDED:
            assert all(not self.switch.live(leg) for leg in self.call.legs)
            assert not self.switch.timers and not self.call.timers
            assert not self.switch.bridges
            assert not self.switch.still_recording()

    @invariant()
    def nobody_is_dialled_into_a_bridge_that_is_not_there(self) -> None:
        if self.call.state is not State.ENDED:
            assert self.switch.dialled_into <= self.switch.bridges

    @invariant()
    def a_call_that_is_up_waits_for_something_that_surely_comes(self) -> None:
        assert self.call.state is not State.NEW
        assert set(self.call.timers) == self.switch.timers
        if self.call.state is not State.ENDED:
            assert self.switch.timers

    @invariant()
    def the_caller_is_never_left_in_silence(self) -> None:
        if self.call.state is State.ENDED:
            return
        caller = self.call.caller.id
        others = [leg for leg in self.switch.dialled if leg != caller and self.switch.live(leg)]
        talks = caller in self.switch.joined and any(leg in self.switch.answered for leg in others)
        soon = not self.switch.timers.isdisjoint({"silence", "page"})  # between two rings: the caller hears one ringing
        waits = caller not in self.switch.answered or bool(self.call.inside)  # ringing is played to one who answered
        rings = caller in self.switch.rung and waits and (bool(others) or soon)
        hears_words = self.call.state is State.ANNOUNCING and "announcement" in self.switch.timers
        leaves_message = self.call.state is State.MESSAGE and bool(self.switch.message)
        goes_out = self.call.state is State.DIALLING and bool(others) and caller in self.switch.joined
        own_phone = self.call.state is State.PREPARING and self.switch.live(caller) and caller in self.switch.dialled
        has_gone_on = self.call.state is State.DROPPING and not self.switch.live(caller) and bool(self.switch.playing)
        assert talks or rings or hears_words or leaves_message or goes_out or own_phone or has_gone_on

    @invariant()
    def exactly_two_talk(self) -> None:
        if self.call.state is State.TALKING:
            live = [leg for leg in self.call.legs.values() if leg.live]
            assert all(leg.answered and leg.id in self.switch.answered for leg in live)
            assert all(leg.id in self.switch.joined for leg in live)
            assert sorted(leg.role is Role.CUSTOMER for leg in live) == [False, True]

    @invariant()
    def recording_runs_from_answer_to_end_if_it_is_on(self) -> None:
        plan = self.call.person.recording if self.call.person else None
        if self.call.state in (State.TALKING, State.DROPPING) and plan is not None and plan.enabled:
            running = [self.switch.recordings[name] for name in self.switch.still_recording()]
            assert set(running) == {self.call.recording_paused}
            assert len(running) == 1 or self.call.holding is not None, "a track of its own for who hears music"
        else:
            assert not self.switch.still_recording()

    @invariant()
    def the_log_agrees_with_the_call(self) -> None:
        record = self.folded()
        assert record.ended == (self.call.state is State.ENDED)
        assert set(record.legs) == set(self.call.legs)
        assert record.call["state"] == self.call.state.value
        for leg in self.call.legs.values():
            assert (record.legs[leg.id]["ended_us"] is not None) == (not leg.live)
        if self.switch.still_recording():
            paused = self.call.recording_paused
            assert record.call["recording_state"] == ("paused" if paused else "recording")
        once = repr(record)
        for seq, fact in enumerate(self.facts, 1):
            record.fold(seq, fact.kind, fact.at, fact.data)
        assert repr(record) == once, "folding twice changes nothing"

    def folded(self) -> CallRecord:
        record = CallRecord(CALL)
        for seq, fact in enumerate(self.facts, 1):
            record.fold(seq, fact.kind, fact.at, fact.data)
        return record

    def teardown(self) -> None:
        """With nothing more heard from the switch, timers alone bring every call to its end."""
        if not hasattr(self, "call"):
            return
        for _ in range(20):
            if self.call.state is State.ENDED:
                break
            name = sorted(self.switch.timers)[0]
            self.switch.timers.discard(name)
            self.feed(TimerFired(name))
        assert self.call.state is State.ENDED
        self.an_ended_call_leaves_nothing()
        for leg in self.call.legs:
            self.feed(LegEnded(leg, 16))
        assert self.call.over


class AnyPhoneDialling(AnyStory):
    beginnings = dialled


class AnyRequest(AnyStory):
    beginnings = requests


class AnyRequestInside(AnyStory):
    beginnings = inside_requests


@pytest.mark.covers("I1", "I3", "I5", "I6", "I8", "P5", "V13", "V10")
@pytest.mark.parametrize("story", [AnyStory, AnyPhoneDialling, AnyRequest, AnyRequestInside])
def test_no_story_leaves_silence_or_anything_behind(story: type[AnyStory]) -> None:
    run_state_machine_as_test(
        story,
        settings=settings(
            max_examples=EXAMPLES, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


def test_every_state_can_be_reached_and_left() -> None:
    reachable = {State.NEW}
    while more := {after for state in reachable for after in MOVES[state]} - reachable:
        reachable |= more
    assert reachable == set(State)
    assert all(MOVES[state] for state in State if state is not State.ENDED)


def test_the_moves_can_be_drawn() -> None:
    from pbx.core.call.states import drawn

    picture = drawn()
    assert picture.startswith("stateDiagram-v2\n    [*] --> new\n")
    assert "    ringing --> talking\n" in picture
    assert picture.count("-->") == sum(len(moves) for moves in MOVES.values()) + 2
