"""Somebody calls one of our numbers (I1 to I9): events in, facts and commands out."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pbx.core.call import State
from pbx.core.causes import Cause
from pbx.core.commands import (
    Answer,
    DialOut,
    Explanation,
    HangUp,
    JoinBridge,
    Play,
    RecordMessage,
    Ring,
    RingPhone,
    StartTimer,
    StopPlay,
)
from pbx.core.events import (
    AnswerAsked,
    Arrived,
    Ask,
    Asked,
    CommandFailed,
    DigitPressed,
    LegAnswered,
    LegEnded,
    LegRinging,
    MessageRecorded,
    NotNow,
    PlaybackDone,
    TimerFired,
)
from pbx.core.gate import SENTENCES, Reason
from pbx.core.ids import LegId
from tests.unit.core.story import DESK, SOFT, VOICEMAIL, Story, comes_in, leg, mio

CALLER, FIRST, SECOND, FORWARD = leg(1), leg(2), leg(3), leg(4)


def asking() -> Story:
    """The forwarding number has answered and is asked to press a key."""
    return comes_in().then(TimerFired("ring")).then(LegRinging(FORWARD)).then(LegAnswered(FORWARD))


def heard(story: Story) -> list[str]:
    return [prompt for play in story.did(Play) for prompt in play.prompts]


def words_end(story: Story) -> Story:
    return story.then(PlaybackDone(story.did(Play)[-1].playback))


@pytest.mark.covers("I1")
def test_all_phones_ring_at_once_and_the_caller_hears_ringing() -> None:
    story = comes_in()
    assert [ring.dial for ring in story.did(RingPhone)] == ["PJSIP/d1/sip:a", "PJSIP/d2/sip:b"]
    assert [ring.leg for ring in story.did(Ring)] == [CALLER]
    assert {ring.caller_id for ring in story.did(RingPhone)} == {"+12065550150"}


@pytest.mark.covers("I1", "I2")
def test_the_first_phone_to_answer_wins_and_the_others_stop() -> None:
    story = comes_in().then(LegRinging(FIRST)).then(LegRinging(SECOND)).then(LegAnswered(SECOND))
    assert story.state is State.TALKING
    assert [answer.leg for answer in story.did(Answer)] == [CALLER]
    assert story.did(JoinBridge)[0].legs == (CALLER, SECOND)
    assert [(stop.leg, stop.cause) for stop in story.did(HangUp)] == [(FIRST, Cause.ANSWERED_ELSEWHERE)]
    assert story.then(LegAnswered(FIRST)).step == [], "picked up in the same moment: too late"
    assert story.record().legs[FIRST]["result"] == "answered_elsewhere"


@pytest.mark.covers("I3")
@pytest.mark.parametrize("why", ["ring time", "offline", "forward clicked", "all unreachable"])
def test_nobody_there_means_the_forwarding_number(why: str) -> None:
    match why:
        case "ring time":
            story = comes_in().then(TimerFired("ring"))
        case "offline":
            story = comes_in(mio(phones=()))
        case "forward clicked":
            story = comes_in().then(Asked(Ask.FORWARD, "u_1"))
        case _:
            story = comes_in().then(LegEnded(FIRST, 20)).then(CommandFailed("originate", SECOND, "500"))
    assert story.state is State.FORWARDING
    [dial] = story.did(DialOut)
    assert dial.dial == "PJSIP/+12065550130@tr_a" and dial.caller_id == "+14155550101"
    assert [asked.purpose for asked in story.asked] == ["forward"]


@pytest.mark.covers("I3")
def test_of_who_is_away_no_phone_rings_but_the_forwarding_number() -> None:
    story = comes_in(mio(away=True))
    assert story.state is State.FORWARDING and not story.did(RingPhone)
    assert [ring.leg for ring in story.did(Ring)] == [CALLER]
    assert story.did(DialOut)[0].dial == "PJSIP/+12065550130@tr_a"
    assert story.fact("user.away")["user_id"] == "u_1"


@pytest.mark.covers("I6")
def test_who_is_away_without_a_forwarding_number_is_unavailable() -> None:
    story = comes_in(mio(away=True, forwarding=""))
    assert not story.did(RingPhone) and heard(story) == ["unavailable"]
    assert story.fact("announcement")["reason"] == "away"
    story = comes_in(mio(away=True, forwarding="", voicemail=VOICEMAIL))
    assert heard(story) == ["unavailable", VOICEMAIL.greeting, "beep"]


@pytest.mark.covers("I3")
def test_a_person_who_presses_a_key_takes_the_forwarded_call() -> None:
    story = asking()
    assert story.state is State.ASKING and heard(story) == ["accept-forward"]
    story.then(DigitPressed(FORWARD, "5"))
    assert story.state is State.TALKING
    assert story.did(StopPlay) and story.did(JoinBridge)[0].legs == (CALLER, FORWARD)
    assert story.record().call["via"] == "forward"


@pytest.mark.covers("I3")
def test_without_the_setting_the_forwarded_call_is_taken_at_once() -> None:
    story = comes_in(mio(forward_accept=False)).then(TimerFired("ring")).then(LegAnswered(FORWARD))
    assert story.state is State.TALKING


@pytest.mark.covers("I3", "I5")
def test_a_mobiles_mailbox_does_not_take_the_call() -> None:
    story = asking()
    assert heard(words_end(story)) == ["accept-forward"]
    assert heard(words_end(story)) == ["accept-forward"]
    assert heard(words_end(story)) == [], "asked three times"
    story.then(TimerFired("accept"))
    assert [stop.leg for stop in story.did(HangUp)] == [FORWARD]
    assert heard(story) == ["unreachable"]
    assert story.fact("announcement")["reason"] == "forward_not_accepted"


@pytest.mark.covers("I3", "I7")
def test_the_end_of_the_accept_prompt_does_not_start_the_voicemail() -> None:
    story = comes_in(mio(voicemail=VOICEMAIL)).then(TimerFired("ring")).then(LegAnswered(FORWARD))
    asked = story.did(Play)[0].playback
    story.then(TimerFired("accept"))
    assert heard(story)[0] == "unreachable"
    story.then(PlaybackDone(asked))
    assert story.state is State.ANNOUNCING and story.step == []


@pytest.mark.covers("I3")
def test_keys_that_the_caller_presses_accept_nothing() -> None:
    assert asking().then(DigitPressed(CALLER, "1")).state is State.ASKING


@pytest.mark.covers("I3", "P5")
def test_the_next_trunk_is_tried_only_where_nobody_has_been_rung() -> None:
    story = comes_in(trunks=("tr_a", "tr_b")).then(TimerFired("ring")).then(LegEnded(FORWARD, 34, 503))
    assert [dial.dial for dial in story.did(DialOut)] == ["PJSIP/+12065550130@tr_b"]
    rung = comes_in(trunks=("tr_a", "tr_b")).then(TimerFired("ring")).then(LegRinging(FORWARD))
    assert rung.then(LegEnded(FORWARD, 34, 503)).did(DialOut) == []


@pytest.mark.covers("I5")
@pytest.mark.parametrize("why", ["no number", "gate", "no trunk", "no answer", "busy there"])
def test_the_caller_hears_that_nobody_can_be_reached(why: str) -> None:
    match why:
        case "no number":
            story = comes_in(mio(forwarding="")).then(TimerFired("ring"))
        case "gate":
            story = comes_in(refuse=Reason.PREMIUM).then(TimerFired("ring"))
            assert story.fact("gate.verdict")["reason"] == "premium_denied"
        case "no trunk":
            story = comes_in(trunks=()).then(TimerFired("ring"))
        case "no answer":
            story = comes_in().then(TimerFired("ring")).then(TimerFired("forward"))
        case _:
            story = comes_in().then(TimerFired("ring")).then(LegEnded(FORWARD, 17, 486))
    assert heard(story) == ["unreachable"] and story.did(Play)[0].target == CALLER
    words_end(story)
    assert story.ended["disposition"] == "no_answer"
    assert [stop.leg for stop in story.did(HangUp)] == [CALLER]


@pytest.mark.covers("I6")
@pytest.mark.parametrize("why", ["busy", "ignored", "declined on a phone", "busy everywhere", "every phone busy"])
def test_the_caller_hears_that_the_user_is_unavailable(why: str) -> None:
    match why:
        case "busy":
            story = comes_in(mio(busy=True))
            assert "user.busy" in story.kinds()
        case "ignored":
            story = comes_in().then(Asked(Ask.IGNORE, "u_1"))
        case "declined on a phone":
            story = comes_in().then(LegEnded(FIRST, 21, 603))
        case "busy everywhere":
            story = comes_in().then(LegEnded(FIRST, 17, 600))
        case _:
            story = comes_in().then(LegEnded(FIRST, 17, 486)).then(LegEnded(SECOND, 17, 486))
    assert heard(story) == ["unavailable"]
    assert [left.id for left in story.call.live_legs()] == [CALLER] and story.asked == []
    words_end(story)
    assert story.ended["disposition"] == "busy"


@pytest.mark.covers("I2", "I6")
def test_ignoring_while_it_is_being_forwarded_stops_that_too() -> None:
    story = asking().then(Asked(Ask.IGNORE, "u_1"))
    assert [stop.leg for stop in story.did(HangUp)] == [FORWARD] and heard(story) == ["unavailable"]


@pytest.mark.covers("I2")
def test_a_call_is_forwarded_once() -> None:
    with pytest.raises(NotNow, match="being forwarded already"):
        comes_in().then(TimerFired("ring")).then(Asked(Ask.FORWARD))


AGAIN, ONCE_MORE = leg(4), leg(5)


def asked_to_answer() -> Story:
    """Both phones ring, and the second shall answer by itself."""
    return comes_in().then(LegRinging(FIRST)).then(AnswerAsked(SOFT, "u_1"))


@pytest.mark.covers("I2")
def test_an_answer_by_click_silences_every_phone_and_then_rings_one_that_picks_up_by_itself() -> None:
    story = asked_to_answer()
    assert {(stop.leg, stop.cause) for stop in story.did(HangUp)} == {
        (FIRST, Cause.ANSWERED_ELSEWHERE),
        (SECOND, Cause.ANSWERED_ELSEWHERE),
    }
    assert story.fact("answer.asked") == {"device_id": "d2", "by": "u_1"}
    assert story.then(LegEnded(FIRST, 26)).did(RingPhone) == [], "a phone that still rings would be busy to us"
    [ring] = story.then(LegEnded(SECOND, 26)).did(RingPhone)
    assert (ring.leg, ring.dial, ring.auto_answer, ring.for_leg) == (AGAIN, SOFT.dial, True, CALLER)
    story.then(LegRinging(AGAIN)).then(LegAnswered(AGAIN))
    assert story.state is State.TALKING and story.did(JoinBridge)[0].legs == (CALLER, AGAIN)
    assert [answer.leg for answer in story.did(Answer)] == [CALLER]
    row = story.record().call
    assert (row["device_id"], row["via"]) == ("d2", "phone")
    assert {story.record().legs[each]["result"] for each in (FIRST, SECOND)} == {"cancelled"}


@pytest.mark.covers("I2")
def test_a_phone_whose_end_is_never_told_does_not_keep_the_answer_waiting() -> None:
    story = asked_to_answer().then(LegEnded(FIRST, 26)).then(TimerFired("silence"))
    assert [ring.leg for ring in story.did(RingPhone)] == [AGAIN]
    assert story.then(LegEnded(SECOND, 26)).did(RingPhone) == [], "rung once"


@pytest.mark.covers("I1", "I2")
def test_a_phone_that_was_answered_before_the_click_wins_and_nothing_is_rung_twice() -> None:
    story = comes_in().then(LegAnswered(FIRST))
    with pytest.raises(NotNow):
        story.then(AnswerAsked(SOFT, "u_1"))
    assert story.state is State.TALKING and "answer.asked" not in story.kinds()
    assert story.then(LegEnded(SECOND, 26)).did(RingPhone) == []


@pytest.mark.covers("I1", "I2")
@pytest.mark.parametrize("ends_first", [FIRST, SECOND])
def test_a_phone_picked_up_in_the_moment_of_the_click_is_the_only_one_that_is_rung_again(ends_first: LegId) -> None:
    ends_last = SECOND if ends_first == FIRST else FIRST
    story = asked_to_answer()
    if ends_first == SECOND:
        story.then(LegEnded(SECOND, 26))
    story.then(LegAnswered(FIRST))
    assert story.state is State.RINGING and story.step == [], "the switch is letting it go already"
    if ends_first == FIRST:
        story.then(LegEnded(FIRST, 26))
    assert [ring.dial for ring in story.then(LegEnded(ends_last, 26)).did(RingPhone)] == [DESK.dial]
    assert story.fact("answer.picked_up") == {"device_id": "d1"}
    assert story.then(LegAnswered(AGAIN)).record().call["device_id"] == "d1"


@pytest.mark.covers("I2")
def test_a_second_click_rings_nothing_twice_but_another_phone_may_be_chosen() -> None:
    story = asked_to_answer().then(AnswerAsked(SOFT, "u_1"))
    assert story.step == [] and story.kinds().count("answer.asked") == 1
    story.then(LegEnded(FIRST, 26)).then(LegEnded(SECOND, 26)).then(AnswerAsked(SOFT, "u_1"))
    assert story.step == [], "it rings there already"
    story.then(AnswerAsked(DESK, "u_1"))
    assert [stop.leg for stop in story.did(HangUp)] == [AGAIN]
    [ring] = story.then(LegEnded(AGAIN, 26)).did(RingPhone)
    assert (ring.leg, ring.dial) == (ONCE_MORE, DESK.dial)


@pytest.mark.covers("I2", "I3")
@pytest.mark.parametrize("why", ["ring time", "unreachable", "forward clicked", "while it is silent"])
def test_a_phone_that_was_asked_to_answer_and_does_not_leaves_the_rules_as_they_were(why: str) -> None:
    story = asked_to_answer()
    if why == "while it is silent":
        story.then(Asked(Ask.FORWARD, "u_1"))
        assert story.then(LegEnded(FIRST, 26)).then(LegEnded(SECOND, 26)).did(RingPhone) == []
        assert story.state is State.FORWARDING
        return
    story.then(LegEnded(FIRST, 26)).then(LegEnded(SECOND, 26))
    assert [(timer.name, timer.delay) for timer in story.did(StartTimer)] == [("ring", mio().ring_time)]
    match why:
        case "ring time":
            story.then(TimerFired("ring"))
            assert [stop.leg for stop in story.did(HangUp)] == [AGAIN]
        case "unreachable":
            story.then(LegEnded(AGAIN, 20))
        case _:
            story.then(Asked(Ask.FORWARD, "u_1"))
    assert story.state is State.FORWARDING and [asked.purpose for asked in story.asked] == ["forward"]


@pytest.mark.covers("I2", "I8")
def test_a_caller_who_gives_up_between_the_two_rings_is_a_missed_call() -> None:
    story = asked_to_answer().then(LegEnded(CALLER, 127))
    assert story.ended["disposition"] == "missed"
    assert story.then(LegEnded(FIRST, 26)).then(LegEnded(SECOND, 26)).step == [] and not story.call.timers


@pytest.mark.covers("I2")
@pytest.mark.parametrize("when", ["forwarding", "asking", "announcing"])
def test_only_a_call_that_rings_can_be_answered(when: str) -> None:
    story = {
        "forwarding": lambda: comes_in().then(TimerFired("ring")),
        "asking": asking,
        "announcing": lambda: comes_in(mio(busy=True)),
    }[when]()
    with pytest.raises(NotNow):
        story.then(AnswerAsked(DESK, "u_1"))


@pytest.mark.covers("I7")
def test_voicemail_answers_greets_beeps_and_records() -> None:
    story = comes_in(mio(voicemail=VOICEMAIL, busy=True))
    assert [answer.leg for answer in story.did(Answer)] == [CALLER]
    assert heard(story) == ["unavailable", "voicemail-default-greeting", "beep"]
    assert {play.language for play in story.did(Play)} == {"ja"}
    words_end(story)
    [record] = story.did(RecordMessage)
    assert record.leg == CALLER and record.max_length == timedelta(minutes=2)
    story.then(MessageRecorded(record.name, timedelta(seconds=7)))
    assert story.fact("voicemail.recorded")["duration_ms"] == 7000
    assert story.ended["disposition"] == "voicemail"


@pytest.mark.covers("I7")
@pytest.mark.parametrize("event", [LegEnded(CALLER, 16), TimerFired("message"), Asked(Ask.HANG_UP, "u_1")])
def test_a_message_that_was_begun_is_kept_however_it_ends(event: LegEnded | TimerFired | Asked) -> None:
    story = words_end(comes_in(mio(voicemail=VOICEMAIL, busy=True))).then(event, 3000)
    assert "voicemail.left" in story.kinds() and story.ended["disposition"] == "voicemail"


@pytest.mark.covers("I7")
def test_who_hangs_up_at_the_beep_shows_no_message() -> None:
    for event in (LegEnded(CALLER, 16), MessageRecorded("vm_1", timedelta(0))):
        story = words_end(comes_in(mio(voicemail=VOICEMAIL, busy=True))).then(event, 300)
        assert story.ended["disposition"] == "busy"
        assert not {"voicemail.left", "voicemail.recorded"} & set(story.kinds()), "nothing is made ready to be heard"
        assert [row["state"] for row in story.record().voicemails.values()] == ["failed"]


@pytest.mark.covers("I8")
@pytest.mark.parametrize("when", ["phones ring", "forwarding rings", "asking"])
def test_a_caller_who_gives_up_stops_everything_in_the_same_step(when: str) -> None:
    story = {
        "phones ring": comes_in,
        "forwarding rings": lambda: comes_in().then(TimerFired("ring")),
        "asking": asking,
    }[when]()
    ringing = {leg.id for leg in story.call.live_legs()} - {CALLER}
    story.then(LegEnded(CALLER, 127))
    assert {stop.leg for stop in story.did(HangUp)} == ringing
    assert story.ended["disposition"] == "missed" and story.ended["ended_by"] == "customer"
    assert story.record().legs[CALLER]["result"] == "cancelled"


@pytest.mark.covers("I5", "I6")
def test_who_hangs_up_during_the_words_is_logged_as_the_words_said() -> None:
    story = comes_in(mio(busy=True)).then(LegEnded(CALLER, 127))
    assert (story.ended["disposition"], story.ended["ended_by"]) == ("busy", "customer")


@pytest.mark.covers("I5")
def test_words_whose_end_is_never_told_do_not_hold_the_caller_for_ever() -> None:
    assert comes_in(mio(busy=True)).then(TimerFired("announcement")).ended["disposition"] == "busy"


def test_an_overloaded_system_tells_the_carrier_when_to_try_again() -> None:
    beginning = Arrived("PJSIP-1", "+14155550101", "+12065550150", "", "tr_in", True, mio(), overloaded=True)
    [stop] = Story(beginning).did(HangUp)
    assert (stop.leg, stop.cause, stop.sip_status) == (CALLER, Cause.CONGESTION, 503)
    assert stop.because == Explanation(SENTENCES[Reason.OVERLOADED], timedelta(seconds=5))


@pytest.mark.covers("I9")
def test_a_number_that_nobody_has_is_refused_logged_and_rung_nowhere() -> None:
    story = comes_in(None, known=False)
    assert [(stop.leg, stop.sip_status) for stop in story.did(HangUp)] == [(CALLER, 404)]
    assert story.did(RingPhone) == [] and story.kinds()[0] == "call.created"
    assert story.ended["disposition"] == "refused"


@pytest.mark.covers("I9")
def test_a_number_without_a_user_is_not_in_service() -> None:
    assert heard(comes_in(None)) == ["not-in-service"]


def test_late_events_of_an_ended_call_change_nothing() -> None:
    story = comes_in().then(LegEnded(CALLER, 127))
    facts = len(story.facts)
    for event in (LegAnswered(FIRST), LegRinging(SECOND), DigitPressed(CALLER, "1"), TimerFired("ring")):
        assert story.then(event).step == []
    story.then(CommandFailed("originate", FIRST, "500")).then(LegEnded(FIRST, 26)).then(LegEnded(SECOND, 26))
    assert len(story.facts) == facts and story.call.over
