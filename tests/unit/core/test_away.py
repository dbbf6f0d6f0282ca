"""A user loses the page with the phone during a call, told as stories (P4)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson
import pytest

from pbx.adapters.store import dataclass_json
from pbx.core.call import Call, State
from pbx.core.call.standing import standing
from pbx.core.commands import (
    DialOut,
    GiveBackRoute,
    HangUp,
    JoinBridge,
    Mute,
    Play,
    RingPhone,
    StartTrack,
)
from pbx.core.events import (
    Ask,
    Asked,
    DigitPressed,
    InviteAsked,
    LegAnswered,
    LegEnded,
    LegRinging,
    NotNow,
    PartyAsk,
    PartyAsked,
    Phone,
    PhoneBack,
    PhoneLost,
    PickedUpInVain,
    PlaybackDone,
    TimerFired,
)
from pbx.core.gate import Reason
from pbx.core.ids import playback_id
from tests.unit.core.story import CALL, DESK, Story, comes_in, goes_out, inside, leg, mio
from tests.unit.core.test_conference import (
    ALONE,
    BRIDGE,
    CUSTOMER,
    EXPERT,
    FIRST,
    HOLDING,
    HOST,
    SAM_INVITED,
    hold,
    talks,
    three,
)

pytestmark = pytest.mark.covers("P4")
PAGE = Phone("b_mio", "PJSIP/b_mio/sip:new")
OTHERS = timedelta(seconds=8)
BACK = PhoneBack("u_1", PAGE)


def lost(party: Any = HOST, **more: Any) -> PhoneLost:
    return PhoneLost(party, "left", **more)


def alone(**how: Any) -> Story:
    """Mio's page is gone, the customer waits."""
    return talks(**how).then(lost())


def newest(story: Story) -> Any:
    return list(story.call.legs)[-1]


def back(story: Story, event: PhoneBack = BACK) -> Story:
    story.then(event)
    return story.then(LegAnswered(newest(story)))


def gave_up(story: Story, party: Any = HOST) -> Story:
    return story.then(TimerFired(f"away {party}"), after_ms=20_000)


def test_the_page_is_let_go_and_the_customer_hears_music_in_the_same_step() -> None:
    story = alone()
    assert [command.leg for command in story.did(HangUp)] == [HOST]
    assert story.did(JoinBridge) == [JoinBridge(HOLDING, (CUSTOMER,))]
    assert story.state is State.TALKING and story.call.host == HOST
    now = story.record().now.view()
    assert now["held"] == [{"leg": CUSTOMER, "by": "reconnecting"}]
    assert now["reconnecting"] == [
        {"leg": HOST, "user_id": "u_1", "since_us": story.now, "until_us": story.now + 20_000_000}
    ]


def test_the_new_page_is_rung_at_once_told_which_call_it_is_and_has_everything_as_it_was() -> None:
    story = talks().then(Asked(Ask.MUTE, "u_1")).then(lost()).then(BACK)
    [ring] = story.did(RingPhone)
    assert (ring.dial, ring.auto_answer, ring.rejoins) == (PAGE.dial, True, True)
    story.then(LegAnswered(ring.leg))
    assert story.did(JoinBridge) == [JoinBridge(BRIDGE, (ring.leg,)), JoinBridge(BRIDGE, (CUSTOMER,))]
    assert story.did(Mute) == [Mute(ring.leg, True)] and [each.leg for each in story.did(StartTrack)] == [ring.leg]
    now = story.record().now.view()
    assert (now["host_leg"], now["held"], now["reconnecting"], now["muted"]) == (ring.leg, [], [], [ring.leg])
    assert not any(name.startswith("away") for name in story.call.timers)
    assert [row["role"] for row in story.record().participants.values()] == ["customer", "host"]


def test_a_page_that_registers_twice_rings_once_and_one_that_goes_again_is_waited_for_again() -> None:
    story = alone().then(BACK)
    first = newest(story)
    assert story.then(BACK).step == []
    story.then(lost(first))
    assert [command.leg for command in story.did(HangUp)] == [first] and story.call.away
    back(story, PhoneBack("u_1", Phone("b_mio", "PJSIP/b_mio/sip:third")))
    assert story.call.host == newest(story) and not story.call.away


def test_a_page_that_is_back_at_the_last_moment_has_time_to_answer_but_not_for_ever() -> None:
    story = alone()
    due = story.call.timers[f"away {HOST}"]
    story.then(BACK, after_ms=19_000)
    assert story.call.timers[f"away {HOST}"] == due + 10_000_000 - 1_000_000
    story.then(PhoneBack("u_1", Phone("b_mio", "PJSIP/b_mio/sip:again")), after_ms=8_000)
    assert story.call.timers[f"away {HOST}"] == due + 10_000_000


def test_a_colleague_rings_no_page_of_theirs_and_phones_that_are_set_up_are_not_asked() -> None:
    assert alone().then(PhoneBack("u_2", PAGE)).step == []
    assert talks().then(BACK).step == [], "who is there is not rung"


@pytest.mark.covers("P1")
def test_a_page_that_answered_while_no_engine_was_there_is_rung_again() -> None:
    story = alone().then(BACK).then(PickedUpInVain(FIRST))
    (again,) = story.did(RingPhone)
    assert (again.dial, again.rejoins) == (PAGE.dial, True)
    story.then(LegAnswered(again.leg))
    assert story.call.host == again.leg and story.call.legs[again.leg].joined


@pytest.mark.covers("P1")
def test_a_forwarding_number_that_answered_while_no_engine_was_there_is_called_back() -> None:
    story = gave_up(alone())
    before = story.did(DialOut)[0]
    (again,) = story.then(LegRinging(before.leg)).then(PickedUpInVain(before.leg)).did(DialOut)
    assert (again.dial, again.caller_id) == (before.dial, before.caller_id) and story.state is State.TALKING


def test_other_phones_ring_without_answering_by_themselves_and_the_first_has_the_call() -> None:
    story = talks().then(lost(others=(DESK,), others_after=OTHERS)).then(TimerFired(f"others {HOST}"))
    [desk] = story.did(RingPhone)
    assert desk.dial == DESK.dial and not desk.auto_answer and not desk.rejoins
    story.then(BACK)
    story.then(LegAnswered(desk.leg))
    assert [command.leg for command in story.did(HangUp)] == [newest(story)]
    assert story.call.host == desk.leg


# -- nobody comes back -----------------------------------------------------------------------------


def test_the_forwarding_number_is_rung_and_a_person_takes_the_call_there() -> None:
    story = gave_up(alone())
    [dial] = story.did(DialOut)
    assert dial.dial == "PJSIP/+12065550130@tr_a"
    story.then(LegRinging(dial.leg)).then(LegAnswered(dial.leg))
    [words] = story.did(Play)
    assert words.prompts == ("accept-forward",) and not story.call.legs[dial.leg].joined
    story.then(DigitPressed(dial.leg, "1"))
    assert JoinBridge(BRIDGE, (CUSTOMER,)) in story.step and story.call.host == dial.leg
    assert story.record().now.view()["reconnecting"] == []


def test_words_are_repeated_at_the_forwarding_number_and_a_mailbox_does_not_take_the_call() -> None:
    story = gave_up(alone()).then(LegAnswered(leg(4)))
    story.then(PlaybackDone(playback_id(CALL, 1)))
    assert [play.prompts for play in story.did(Play)] == [("accept-forward",)]
    gave_up(story)
    assert [play.prompts for play in story.did(Play)] == [("unavailable",)]
    assert story.fact("phone.given_up")["reason"] == "forward_no_answer"


@pytest.mark.parametrize("forward", ["", "refused", "busy"])
def test_where_nobody_takes_it_the_customer_is_told_and_the_call_ends_for_its_own_reason(forward: str) -> None:
    person = mio(forwarding="" if not forward else "+12065550130")
    story = comes_in(person).then(LegAnswered(HOST)).then(lost())
    if forward == "refused":
        story.refuse = Reason.PREMIUM
    gave_up(story)
    if forward == "busy":
        story.then(LegEnded(newest(story), 17, 486))
    [words] = story.did(Play)
    assert (words.target, words.prompts) == (BRIDGE, ("unavailable",))
    assert story.then(BACK).step == []
    story.then(PlaybackDone(words.playback))
    assert (story.ended["disposition"], story.ended["reason"]) == ("answered", "phone_lost")


def test_another_way_out_is_tried_where_a_trunk_fails_for_the_forwarding_number() -> None:
    story = gave_up(alone(trunks=("tr_a", "tr_b")))
    story.then(LegEnded(newest(story), 34, 503))
    assert [dial.dial for dial in story.did(DialOut)] == ["PJSIP/+12065550130@tr_b"]


@pytest.mark.covers("C9")
def test_a_colleague_talks_on_with_the_customer_and_is_host_when_the_host_stays_away() -> None:
    story = three().then(lost())
    assert story.did(JoinBridge) == [] and story.call.host == HOST
    gave_up(story)
    assert story.call.host == FIRST and not story.did(DialOut)
    assert story.fact("party.left")["how"] == "lost"


@pytest.mark.covers("C9")
def test_an_outside_guest_and_the_customer_hear_music_and_go_on_alone_only_where_that_is_allowed() -> None:
    for allowed in (timedelta(0), ALONE):
        story = three(EXPERT, unattended=allowed).then(lost())
        assert {each.legs for each in story.did(JoinBridge)} == {(CUSTOMER,), (leg(4),)}
        story = gave_up(story)
        story.then(LegEnded(newest(story), 17, 486))
        assert ("unattended" in story.call.timers) is bool(allowed)
        assert [each.prompts for each in story.did(Play)] == ([] if allowed else [("unavailable",)])


@pytest.mark.covers("C5")
def test_a_guest_who_is_away_keeps_the_place_and_is_not_forwarded() -> None:
    story = three().then(lost(FIRST))
    assert story.did(JoinBridge) == [] and story.call.guest == FIRST
    with pytest.raises(NotNow):
        story.then(InviteAsked(EXPERT, "u_1"))
    gave_up(story, FIRST)
    assert story.call.guest is None and not story.did(DialOut) and not story.did(GiveBackRoute)


def test_who_is_held_hears_music_all_the_time_and_is_held_when_the_host_is_back() -> None:
    story = three().then(hold(CUSTOMER)).then(lost())
    assert story.did(JoinBridge) == [JoinBridge(HOLDING, (FIRST,))], "the guest has nobody to talk to"
    back(story)
    assert JoinBridge(BRIDGE, (FIRST,)) in story.step
    assert story.record().now.held == {CUSTOMER: "u_1"}


def test_a_held_guest_who_is_back_is_held() -> None:
    story = three().then(hold(FIRST)).then(lost(FIRST))
    back(story, PhoneBack("u_2", PAGE))
    assert story.did(JoinBridge)[0] == JoinBridge(HOLDING, (newest(story),))
    assert newest(story) in story.record().now.held


# -- while somebody is away ------------------------------------------------------------------------


def test_a_customer_who_hangs_up_while_waiting_ends_all() -> None:
    story = alone().then(BACK).then(LegEnded(CUSTOMER, 16))
    assert (story.ended["disposition"], story.ended["ended_by"]) == ("answered", "customer")
    assert [command.leg for command in story.did(HangUp)] == [newest(story)]


def test_the_user_can_end_and_leave_and_hold_from_elsewhere() -> None:
    assert alone().then(Asked(Ask.HANG_UP, "u_1")).ended["ended_by"] == "u_1"
    assert alone().then(Asked(Ask.LEAVE, "u_1")).ended["ended_by"] == "u_1"
    story = three().then(lost()).then(Asked(Ask.LEAVE, "u_1"))
    assert story.call.host == FIRST and not story.call.away
    assert three().then(lost()).then(hold(FIRST)).call.legs[FIRST].on_hold
    with pytest.raises(NotNow) as refused:
        alone().then(InviteAsked(SAM_INVITED, "u_1"))
    assert refused.value.code == "reconnecting"


def test_others_may_not_do_what_is_the_hosts_while_the_host_is_away() -> None:
    with pytest.raises(NotNow):
        three().then(lost()).then(hold(CUSTOMER, "u_2"))
    with pytest.raises(NotNow):
        three().then(lost()).then(Asked(Ask.HANG_UP, "u_2"))


def test_what_stands_in_the_switch_and_what_is_kept_on_the_disk_say_that_somebody_waits() -> None:
    story = talks().then(lost(others=(DESK,), others_after=OTHERS))
    assert standing(story.call).bridges == {BRIDGE: (), HOLDING: (CUSTOMER,)}
    kept = dataclass_json.read(Call, orjson.loads(dataclass_json.dumps(story.call)))
    assert kept.away == story.call.away and kept.timers == story.call.timers
    assert kept.legs == story.call.legs


# -- before an answer ------------------------------------------------------------------------------


def test_a_page_that_is_gone_rings_no_more_and_the_next_one_does() -> None:
    story = comes_in(mio(phones=(PAGE,))).then(lost(leg(2)))
    assert [command.leg for command in story.did(HangUp)] == [leg(2)] and story.state is State.RINGING
    story.then(BACK)
    [ring] = story.did(RingPhone)
    assert not ring.auto_answer and not ring.rejoins
    assert story.then(LegAnswered(ring.leg)).state is State.TALKING


def test_where_no_page_comes_back_it_goes_on_as_when_no_phone_is_there() -> None:
    story = comes_in(mio(phones=(PAGE,))).then(lost(leg(2))).then(TimerFired("page"))
    assert story.state is State.FORWARDING and story.did(DialOut)


def test_a_page_that_is_opened_while_a_desk_phone_rings_rings_as_well() -> None:
    story = comes_in().then(BACK)
    assert [ring.dial for ring in story.did(RingPhone)] == [PAGE.dial]
    assert comes_in().then(PhoneBack("u_2", PAGE)).step == []


def test_an_invited_page_that_is_reloaded_is_rung_again() -> None:
    invited = PhoneBack("u_2", Phone("d_web", "PJSIP/d_web/sip:new"))
    story = talks().then(InviteAsked(SAM_INVITED, "u_1")).then(lost(FIRST)).then(lost(leg(5)))
    assert story.call.invite is not None
    story.then(invited)
    assert [ring.dial for ring in story.did(RingPhone)] == [invited.phone.dial]
    assert story.then(LegAnswered(newest(story))).call.guest == newest(story)


def test_a_customer_who_is_being_rung_is_let_go_unless_it_is_an_emergency() -> None:
    story = goes_out().then(lost(leg(1)))
    assert (story.ended["disposition"], story.ended["reason"]) == ("cancelled", "phone_lost")
    story = goes_out()
    story.call.emergency = True
    assert story.then(lost(leg(1))).state is State.DIALLING


def test_a_colleague_whose_page_is_gone_has_given_up() -> None:
    story = inside(DESK, mio(user_id="u_2", phones=(PAGE,))).then(LegAnswered(leg(1)))
    assert story.state is State.RINGING
    assert story.then(lost(leg(1))).ended["disposition"] == "missed"


def test_a_page_that_is_lost_while_the_call_is_handed_on_has_hung_up() -> None:
    story = talks()
    story.call.transfer = HOST
    assert story.then(lost()).state is State.ENDED


def test_a_party_can_be_dropped_by_the_host_who_is_away() -> None:
    story = three().then(lost()).then(PartyAsked(PartyAsk.KICK, FIRST, "u_1"))
    assert story.did(JoinBridge) == [JoinBridge(HOLDING, (CUSTOMER,))]
