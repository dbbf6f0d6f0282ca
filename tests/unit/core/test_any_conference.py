"""Every command by every participant at every moment, hang-ups and lost pages at any time: rules that always hold.

The model switch knows who is in which bridge; tens of thousands of steps are taken in each run (C1 to C13, P4).
"""

from __future__ import annotations

import copy
import os

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
    PhoneBack,
    PhoneLost,
    PlaybackDone,
    RecordingPlan,
    Route,
    RouteDecided,
    TimerFired,
    TransferAsked,
)
from pbx.core.gate import Reason, Verdict
from pbx.core.ids import CallId, Instant, LegId, PlaybackId
from tests.unit.core.model_switch import ModelSwitch
from tests.unit.core.story import SAM, mio
from tests.unit.core.test_conference import ALONE, EXPERT, SAM_INVITED, SUPPORT

EXAMPLES, STEPS = int(os.environ.get("SWITCHHOOK_STORIES", "300")), 40
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

    @rule(n=whose, others=st.booleans(), how=st.sampled_from(["closed", "silent"]))
    def a_phone_loses_its_page(self, n: int, others: bool, how: str) -> None:
        leg = self.leg(n)
        phones = (Phone("d_desk", "PJSIP/d_desk/sip:d"),) if others else ()
        self.feed(PhoneLost(leg, how, others=phones, others_after=ALONE))

    @rule(by=st.sampled_from(["u_1", "u_1", "u_2", "u_3", "u_4"]), n=st.integers(1, 2))
    def a_page_is_back(self, by: str, n: int) -> None:
        self.feed(PhoneBack(by, Phone(f"b_{by}", f"PJSIP/b_{by}/sip:{n}")))

    @precondition(lambda self: self.call.away)
    @rule(n=whose)
    def one_that_rings_for_the_lost_page_answers(self, n: int) -> None:
        ringing = [leg.id for leg in self.call.live_legs() if leg.instead_of is not None]
        if ringing:
            self.answer(ringing[n % len(ringing)])

    @precondition(lambda self: self.call.away)
    @rule(n=whose, verdict=verdicts, trunks=st.integers(0, 2))
    def it_has_been_away_for_long(self, n: int, verdict: Verdict, trunks: int) -> None:
        self.verdict, self.trunks = verdict, trunks
        waiting = sorted(name for name in self.switch.timers if " " in name)
        self.a_timer_fires(waiting[n % len(waiting)])

    @precondition(lambda self: self.switch.playing)
    @rule(n=whose)
    def words_have_been_heard(self, n: int) -> None:
        playing = sorted(self.switch.playing)
        self.feed(PlaybackDone(PlaybackId(playing[n % len(playing)])))

    @rule(name=st.sampled_from(["invite", "keys", "unattended", "announcement"]))
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
            least = 2 - self.handed_on - (self.call.closing is not None)
            assert least <= self.call.present <= 3 + (self.call.guest is None and self.call.invite is not None)
            assert self.switch.timers >= {"longest"}
            assert self.call.away or self.call.closing or len(self.call.parties()) >= least

    @invariant()
    def who_has_lost_the_page_is_expected_for_a_time(self) -> None:
        for name in self.call.away:
            lost = self.call.legs[name]
            assert lost.user_id and not lost.joined and not self.switch.live(name)
            assert f"away {name}" in self.switch.timers and self.call.party_of(lost.user_id) is None
        assert {name.split(" ")[1] for name in self.switch.timers if " " in name} == set(self.call.away)

    @invariant()
    def nobody_who_waits_is_left_in_silence(self) -> None:
        """Who has nobody of ours to talk to, as a page was lost, hears music; who has, does not."""
        if self.call.state is not State.TALKING:
            return
        talking = [leg for leg in self.call.parties() if not leg.on_hold]
        alone = bool(self.call.away) and (len(talking) < 2 or not any(leg.user_id for leg in talking))
        assert all(leg.waits is alone for leg in talking)

    @invariant()
    def who_has_only_phones_that_hold_to_listen_to_hears_music(self) -> None:
        if self.call.state is not State.TALKING or self.call.closing is not None:
            return
        for leg in self.call.parties():
            others = [each for each in self.call.parties() if each is not leg and not each.on_hold]
            in_silence = not leg.held and bool(others) and all(each.held for each in others)
            assert leg.hears_music is (leg.on_hold or leg.waits or in_silence)

    @invariant()
    def there_is_one_host_a_user_who_is_there(self) -> None:
        if self.call.state is not State.TALKING:
            return
        if self.handed_on:
            assert self.call.host is None and self.switch.rung
        elif self.call.host is None:
            assert "unattended" in self.switch.timers and not any(leg.user_id for leg in self.call.parties())
        elif self.call.closing is None and self.call.host not in self.call.away:
            host = self.call.legs[self.call.host]
            assert host.joined and host.live and host.user_id and not host.on_hold
            assert self.call.guest != self.call.host

    @invariant()
    def there_is_one_guest_or_invitation(self) -> None:
        if self.call.state is not State.TALKING:
            return
        assert self.call.guest is None or self.call.invite is None
        ringing = [leg for leg in self.call.live_legs() if not leg.joined and leg.instead_of is None]
        awaited = self.call.invite is not None and self.call.invite.awaited
        assert (bool(ringing) or awaited) == (self.call.invite is not None)
        assert ("invite" in self.switch.timers) == (self.call.invite is not None)
        if self.call.guest is not None:
            assert self.call.guest in self.call.away or self.call.legs[self.call.guest] in self.call.parties()

    @invariant()
    def each_is_where_they_should_be(self) -> None:
        if self.call.state is not State.TALKING:
            return
        for leg in self.call.parties():
            assert self.switch.live(leg.id) and leg.id in self.switch.answered
            assert self.switch.where[leg.id] == (self.call.holding if leg.hears_music else self.call.bridge)
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
        paused = {self.switch.recordings[name] for name in self.switch.still_recording()}
        assert paused == {self.call.recording_paused} or not parties, "recording is never off"

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
        assert [each["leg"] for each in now.reconnecting] == list(self.call.away)
        assert set(now.waiting) == {leg.id for leg in self.call.parties() if leg.waits}
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


@pytest.mark.covers("C1", "C2", "C4", "C6", "C7", "C8", "C9", "C10", "C11", "C12", "C13", "P4")
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
