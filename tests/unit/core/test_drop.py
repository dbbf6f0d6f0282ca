"""Voicemail drop: the message plays on to the customer's leg while the user goes on to the next (L2)."""

from __future__ import annotations

import pytest

from pbx.core.call import State
from pbx.core.causes import Cause
from pbx.core.commands import CloseBridge, HangUp, Play
from pbx.core.events import Ask, Asked, DropAsked, LegAnswered, LegEnded, NotNow, PlaybackDone
from tests.unit.core.story import RECORDED, Story, comes_in, goes_out, leg, mio

pytestmark = pytest.mark.covers("L2")
PHONE, FAR = leg(1), leg(2)
DROP = DropAsked("drop_1", "/messages/drop_1", by="u_1")


def mailbox_answers() -> Story:
    return goes_out(mio(recording=RECORDED)).then(LegAnswered(FAR))


def test_the_user_is_free_at_once_and_the_message_plays_on() -> None:
    story = mailbox_answers().then(DROP)
    assert [each.leg for each in story.did(HangUp)] == [PHONE]
    assert [(each.target, each.prompts) for each in story.did(Play)] == [(FAR, ("/messages/drop_1",))]
    assert story.call.state is State.DROPPING and story.call.recording is not None
    started = next(fact for fact in story.facts if fact.kind == "drop.started")
    assert (started.data["drop"], started.data["leg"], started.data["user_id"]) == ("drop_1", FAR, "u_1")


def test_the_call_ends_when_the_message_has_been_heard() -> None:
    story = mailbox_answers().then(DROP).then(LegEnded(PHONE, 16))
    assert story.call.state is State.DROPPING
    [playback] = story.call.after_playback
    story.then(PlaybackDone(playback), after_ms=8_000)
    assert [each.leg for each in story.did(HangUp)] == [FAR] and story.did(CloseBridge)
    call = story.record().call
    assert (call["disposition"], call["reason"], call["ended_by"]) == ("answered", "voicemail_drop", "system")
    assert "drop.played" in story.kinds()


def test_a_mailbox_that_has_had_enough_ends_the_call_and_so_may_its_user() -> None:
    full = mailbox_answers().then(DROP).then(LegEnded(FAR, 16))
    assert full.call.state is State.ENDED and "drop.played" not in full.kinds()
    stopped = mailbox_answers().then(DROP).then(Asked(Ask.HANG_UP, "u_1"))
    assert [each.leg for each in stopped.did(HangUp)] == [FAR]
    with pytest.raises(NotNow, match="only end it"):
        mailbox_answers().then(DROP).then(Asked(Ask.MUTE, "u_1"))


def test_a_message_is_left_only_alone_with_somebody_who_was_called() -> None:
    with pytest.raises(NotNow, match="called somebody"):
        comes_in(mio()).then(LegAnswered(FAR)).then(DROP)
    with pytest.raises(NotNow, match="Only the host"):
        mailbox_answers().then(DropAsked("drop_1", "/messages/drop_1", by="u_2"))
    with pytest.raises(NotNow):
        goes_out(mio()).then(DROP)
    assert mailbox_answers().then(DROP).did(HangUp)[0].cause is Cause.NORMAL
