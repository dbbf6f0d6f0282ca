"""Every command by every participant at every moment, hang-ups and lost phones at any time: rules that always hold.

The model switch knows who is in which bridge; tens of thousands of steps are taken in each run (C1 to C13).
"""

from __future__ import annotations

import copy

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from pbx.core.call import Role, State, begin, handle
from pbx.core.call.machine import Decided
from pbx.core.call.record import CallRecord
from pbx.core.commands import Fact, FindGuest, FindRoute
from pbx.core.events import (
    Arrived,
    Ask,
    Asked,
    Beginning,
    CommandFailed,
    Dialled,
    DigitPressed,
    Event,
    Guest,
    GuestFound,
    GuestKind,
    GuestPhone,
    InviteAsked,
    LegAnswered,
    LegEnded,
    LegHeld,
    LegRinging,
    LegTaken,
    NotNow,
    PartyAsk,
    PartyAsked,
    Phone,
    RecordingPlan,
    Route,
    RouteDecided,
    TimerFired,
    TransferAsked,
)
from pbx.core.gate import Reason, Verdict
from pbx.core.ids import CallId, Instant, LegId
from tests.unit.core.model_switch import ModelSwitch
from tests.unit.core.story import SAM, mio
from tests.unit.core.test_conference import ALONE, EXPERT, SAM_INVITED, SUPPORT

EXAMPLES, STEPS = 300, 40
CALL = CallId("c_01HZ0000000000000000000001")
NOBODY = Guest(GuestKind.USER, "u_4", "Lee")
LEE = Guest(GuestKind.USER, "u_4", "Lee", "", (GuestPhone("u_4", Phone("d_lee", "PJSIP/d_lee/sip:l")),))
guests = st.sampled_from([SAM_INVITED, SUPPORT, EXPERT, LEE, NOBODY])
who = st.sampled_from(["u_1", "u_1", "u_2", "u_2", "u_3", "u_4", "u_9", ""])
whose = st.integers(min_value=0, max_value=12)
endings = st.sampled_from([(16, None), (17, 486), (19, 480), (21, 603), (34, 503), (127, None)])
allowed = Verdict(True, Reason.ALLOWED, "+14155550101")
verdicts = st.sampled_from([allowed, allowed, allowed, Verdict(False, Reason.PREMIUM)])
inbound = Arrived("PJSIP-1", "+14155550101", "+12065550150", "Ann", "tr_in", True, mio())
from_sam = Arrived("PJSIP-1", "+14155550101", SAM.did, "Sam", "", True, mio(), from_user="u_2", from_device="d7")


class AnyConference(RuleBasedStateMachine):
    """It begins where two talk."""

    def __init__(self) -> None:
        super().__init__()
        self.switch = ModelSwitch()
        self.facts: list[Fact] = []
        self.past: list[Event] = []
        self.now = 1_000
        self.verdict, self.trunks, self.meant = allowed, 1, EXPERT

    def beginning(self, recording: RecordingPlan) -> Beginning:
        return Arrived(
            **{name: getattr(inbound, name) for name in inbound.__slots__} | {"person": mio(recording=recording)}
        )

    @initialize(recorded=st.booleans(), kept=st.booleans(), announce=st.booleans())
    def two_talk(self, recorded: bool, kept: bool, announce: bool) -> None:
        self.call, decided = begin(CALL, self.beginning(RecordingPlan(recorded, announce, kept)), Instant(self.now))
        self.took(decided)
        self.answer(LegId(f"leg_{CALL[2:]}_2"))
        assert self.call.state is State.TALKING

    # -- what can happen ----------------------------------------------------------------------------

    @rule(guest=guests, by=who, admin=st.booleans(), alone=st.booleans(), verdict=verdicts, trunks=st.integers(0, 2))
    def somebody_invites(self, guest: Guest, by: str, admin: bool, alone: bool, verdict: Verdict, trunks: int) -> None:
        self.verdict, self.trunks = verdict, trunks
        self.feed(InviteAsked(guest, by, admin and by == "u_9", ALONE if alone else ALONE * 0))

    @precondition(lambda self: self.call.invite is not None)
    @rule(n=whose)
    def an_invited_phone_answers(self, n: int) -> None:
        ringing = [leg.id for leg in self.call.live_legs(Role.GUEST) if not leg.joined]
        if ringing:
            self.answer(ringing[n % len(ringing)])

    @rule(n=whose)
    def a_leg_rings(self, n: int) -> None:
        self.feed(LegRinging(self.leg(n)))

    @rule(n=whose, ending=endings)
    def a_leg_ends(self, n: int, ending: tuple[int, int | None]) -> None:
        leg = self.leg(n)
        self.switch.gone.add(leg)
        self.feed(LegEnded(leg, *ending))

    @rule(n=whose, by=who, ask=st.sampled_from(list(PartyAsk)))
    def somebody_asks_about_a_party(self, n: int, by: str, ask: PartyAsk) -> None:
        self.feed(PartyAsked(ask, self.leg(n), by))

    @rule(n=whose, ask=st.sampled_from([PartyAsk.HOLD, PartyAsk.UNHOLD]))
    def the_host_holds(self, n: int, ask: PartyAsk) -> None:
        if self.call.host is not None:
            self.feed(PartyAsked(ask, self.leg(n), self.call.legs[self.call.host].user_id))

    @rule(by=who, ask=st.sampled_from([ask for ask in Ask if ask is not Ask.HANG_UP]))
    def somebody_asks(self, by: str, ask: Ask) -> None:
        self.feed(Asked(ask, by))

    @rule(by=who)
    def somebody_ends_it_for_all(self, by: str) -> None:
        self.feed(Asked(Ask.HANG_UP, by or "u_9"))

    @rule(n=whose, held=st.booleans())
    def a_phone_holds_itself(self, n: int, held: bool) -> None:
        self.feed(LegHeld(self.leg(n), held))

    @rule(n=whose, keys=st.sampled_from(["**2", "**3", "**4", "**5", "**7", "**112065550199#", "**9", "*1", "**8"]))
    def somebody_presses_keys(self, n: int, keys: str) -> None:
        for key in keys:
            self.feed(DigitPressed(self.leg(n), key))

    @rule(n=whose, number=st.sampled_from(["102", "+12065550199", ""]), meant=guests)
    def a_phone_transfers(self, n: int, number: str, meant: Guest) -> None:
        self.meant = meant
        self.feed(TransferAsked(self.leg(n), number))

    @rule(n=whose)
    def a_consulted_party_is_taken_over(self, n: int) -> None:
        """As the service asks: from a call of two, by a user; somebody of ours is among those who stay."""
        mine = self.call.legs[self.leg(n)]
        two = self.call.state is State.TALKING and len(self.call.parties()) == 2 and self.call.invite is None
        if two and mine.joined and mine.live and mine.user_id:
            other = LegId("leg_01HZ0000000000000000000009_2")
            self.feed(LegTaken(other, mine.id, SAM.did, "Sam", "u_4"))

    @rule(name=st.sampled_from(["invite", "keys", "unattended"]))
    def a_timer_fires(self, name: str) -> None:
        self.switch.timers.discard(name)
        self.feed(TimerFired(name))

    @rule(n=whose)
    def a_command_fails(self, n: int) -> None:
        self.feed(CommandFailed("join", self.leg(n), "500"))

    @precondition(lambda self: self.past)
    @rule(n=st.integers(0, 50))
    def an_event_comes_again(self, n: int) -> None:
        event = self.past[n % len(self.past)]
        if isinstance(event, LegEnded):
            self.switch.gone.add(event.leg)
        if isinstance(event, TimerFired):
            self.switch.timers.discard(event.name)
        if not isinstance(event, LegAnswered) or self.switch.live(event.leg):
            self.feed(event)

    # -- how it is taken ----------------------------------------------------------------------------

    def leg(self, n: int) -> LegId:
        legs = list(self.call.legs)
        return legs[n % len(legs)]

    def answer(self, leg: LegId) -> None:
        if self.switch.live(leg):
            self.switch.answered.add(leg)
        self.feed(LegAnswered(leg))

    def feed(self, event: Event) -> None:
        self.now += 7
        self.past.append(event)
        before = copy.deepcopy(self.call)
        ended = before.state is State.ENDED
        try:
            decided = handle(self.call, event, Instant(self.now))
        except NotNow:
            assert isinstance(event, Asked | InviteAsked | PartyAsked)
            before.now = self.call.now
            assert self.call == before, "a refusal changes nothing"
            return
        self.only_who_may(before_host=before, event=event, decided=decided)
        assert not ended or not decided or all(isinstance(item, Fact) for item in decided)
        self.took(decided)

    def only_who_may(self, before_host: object, event: Event, decided: Decided) -> None:
        """Who is not the host has changed nothing but for themselves (C11)."""
        call = before_host
        if not isinstance(event, PartyAsked | InviteAsked) or not event.by or event.admin or not decided:
            return
        host = call.host  # type: ignore[attr-defined]
        is_host = host is not None and call.legs[host].user_id == event.by  # type: ignore[attr-defined]
        equals = isinstance(event, InviteAsked) and call.party_of(event.by) is not None  # type: ignore[attr-defined]
        assert is_host or (equals and len(call.parties()) == 2)  # type: ignore[attr-defined]

    def took(self, decided: Decided) -> None:
        for item in list(decided):
            if isinstance(item, Fact):
                self.facts.append(item)
                continue
            self.switch.carry_out(item)
            if isinstance(item, FindRoute):
                ways = tuple(Route(f"tr_{n}", f"PJSIP/x@tr_{n}") for n in range(self.trunks))
                answer = RouteDecided(item.purpose, self.verdict, ways if self.verdict.allowed else (), item.number)
                self.took(handle(self.call, answer, Instant(self.now)))
            if isinstance(item, FindGuest):
                self.took(handle(self.call, GuestFound(self.meant), Instant(self.now)))

    @property
    def handed_on(self) -> bool:
        """The phone that handed the call on has hung up, and the other one is rung."""
        asked = self.call.transfer
        return asked is not None and not self.call.legs[asked].joined and self.call.invite is not None

    # -- what holds ---------------------------------------------------------------------------------

    @invariant()
    def a_call_that_is_over_leaves_nothing(self) -> None:
        if self.call.state is not State.ENDED:
            return
        assert all(not self.switch.live(leg) for leg in self.call.legs)
        assert not self.switch.bridges and not self.switch.timers and not self.switch.still_recording()
        assert self.call.invite is None

    @invariant()
    def nobody_is_left_alone_and_there_are_three_at_most(self) -> None:
        if self.call.state is State.TALKING:
            assert 2 - self.handed_on <= len(self.call.parties()) <= 3
            assert self.switch.timers >= {"longest"}

    @invariant()
    def there_is_one_host_a_user_who_is_there(self) -> None:
        if self.call.state is not State.TALKING:
            return
        if self.handed_on:
            assert self.call.host is None and self.switch.rung
        elif self.call.host is None:
            assert "unattended" in self.switch.timers and not any(leg.user_id for leg in self.call.parties())
        else:
            host = self.call.legs[self.call.host]
            assert host.joined and host.live and host.user_id and not host.on_hold
            assert self.call.guest != self.call.host

    @invariant()
    def there_is_one_guest_or_invitation(self) -> None:
        if self.call.state is not State.TALKING:
            return
        assert self.call.guest is None or self.call.invite is None
        ringing = [leg for leg in self.call.live_legs() if not leg.joined]
        assert bool(ringing) == (self.call.invite is not None)
        assert ("invite" in self.switch.timers) == (self.call.invite is not None)
        if self.call.guest is not None:
            assert self.call.legs[self.call.guest] in self.call.parties()

    @invariant()
    def each_is_where_they_should_be(self) -> None:
        if self.call.state is not State.TALKING:
            return
        for leg in self.call.parties():
            assert self.switch.live(leg.id) and leg.id in self.switch.answered
            assert self.switch.where[leg.id] == (self.call.holding if leg.on_hold else self.call.bridge)
        assert all(self.switch.live(leg.id) for leg in self.call.live_legs())

    @invariant()
    def all_that_is_said_is_recorded(self) -> None:
        plan = self.call.person.recording if self.call.person else RecordingPlan()
        if self.call.state is not State.TALKING or not plan.enabled:
            assert not self.switch.still_recording()
            return
        recorded = {self.switch.recorded_leg[name] for name in self.switch.still_recording()}
        parties = {leg.id for leg in self.call.parties()}
        customers = {leg.id for leg in self.call.parties() if leg.role is Role.CUSTOMER}
        changed = len(parties) > 2 or self.call.holding is not None or self.call.invite is not None
        assert recorded == parties if changed else customers <= recorded or not customers
        assert recorded, "recording is never off"
        assert {self.switch.recordings[name] for name in self.switch.still_recording()} == {self.call.recording_paused}

    @invariant()
    def the_log_shows_it(self) -> None:
        record = CallRecord(CALL)
        for seq, fact in enumerate(self.facts, 1):
            record.fold(seq, fact.kind, fact.at, fact.data)
        assert record.ended == (self.call.state is State.ENDED)
        if self.call.state is not State.TALKING:
            return
        now = record.now
        assert now.host == (self.call.host or "") and now.guest == (self.call.guest or "")
        assert set(now.held) == {leg.id for leg in self.call.parties() if leg.on_hold}
        parties = {leg.id: leg for leg in self.call.parties()}
        assert parties.keys() & set(now.holding) == {name for name, leg in parties.items() if leg.held}
        assert (now.invite is None) == (self.call.invite is None)
        present = {name for name, each in record.participants.items() if each["left_us"] is None}
        assert present == {leg.id for leg in self.call.parties()}


class AnyConferenceOfColleagues(AnyConference):
    def beginning(self, recording: RecordingPlan) -> Beginning:
        return Arrived(
            **{name: getattr(from_sam, name) for name in from_sam.__slots__} | {"person": mio(recording=recording)}
        )


class AnyConferenceThatWeBegan(AnyConference):
    def beginning(self, recording: RecordingPlan) -> Beginning:
        return Dialled("PJSIP-1", "d1", mio(recording=recording), "2065550150", "+12065550150")


@pytest.mark.covers("C1", "C2", "C4", "C6", "C7", "C8", "C9", "C10", "C11", "C12", "C13")
@pytest.mark.parametrize("story", [AnyConference, AnyConferenceOfColleagues, AnyConferenceThatWeBegan])
def test_no_conference_breaks_a_rule(story: type[AnyConference]) -> None:
    run_state_machine_as_test(
        story,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            phases=(Phase.reuse, Phase.generate),  # to shrink a story of forty steps takes many minutes
            suppress_health_check=list(HealthCheck),
        ),
    )
