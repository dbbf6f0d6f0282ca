"""How webhooks are signed, and when they are tried again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pbx.core.webhooks import Answer, fault, is_its_own, signed, waits

pytestmark = pytest.mark.covers("A5")

SECRET, OTHER = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
BODY = b'{"test": 2432232314}'


def test_the_signature_is_that_of_standard_webhooks() -> None:
    """The example that its own libraries are tested with."""
    assert signed("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, BODY, [SECRET]) == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_while_a_secret_is_changed_both_sign() -> None:
    both = signed("evt_1", 1, BODY, [SECRET, OTHER])["webhook-signature"].split(" ")
    assert both == [signed("evt_1", 1, BODY, [each])["webhook-signature"] for each in (SECRET, OTHER)]


def test_another_moment_another_id_and_another_body_have_another_signature() -> None:
    made = [signed("evt_1", 1, BODY, [SECRET]), signed("evt_1", 2, BODY, [SECRET]), signed("evt_2", 1, BODY, [SECRET])]
    made.append(signed("evt_1", 1, BODY + b" ", [SECRET]))
    assert len({each["webhook-signature"] for each in made}) == 4


@pytest.mark.parametrize(
    ("answer", "word", "alone"),
    [
        (Answer(200), None, False),
        (Answer(204), None, False),
        (Answer(302), "redirect", False),
        (Answer(400), "status", True),
        (Answer(410), "status", True),
        (Answer(404), "status", False),
        (Answer(429), "status", False),
        (Answer(503), "status", False),
        (Answer(error="unreachable"), "unreachable", False),
    ],
)
def test_what_an_answer_means(answer: Answer, word: str | None, alone: bool) -> None:
    assert (fault(answer), fault(answer) is not None and is_its_own(answer)) == (word, alone)


def test_waits_grow_and_the_receiver_may_ask_for_longer() -> None:
    events = [waits(tries, tries, Answer(500), 1.0).event for tries in range(1, 12)]
    assert events == sorted(events) and (events[0], events[-1]) == (timedelta(seconds=5), timedelta(hours=6))
    asking = waits(1, 1, Answer(503, asked=timedelta(minutes=2)), 1.0)
    assert (asking.event, asking.webhook) == (timedelta(minutes=2), timedelta(minutes=2))
    assert waits(1, 1, Answer(503, asked=timedelta(days=9)), 1.0).event == timedelta(hours=1)


def test_an_event_that_fails_again_and_again_lets_the_next_one_try() -> None:
    first, third = waits(1, 1, Answer(500), 1.0), waits(3, 3, Answer(500), 1.0)
    assert first.event == first.webhook
    assert third.event > third.webhook


def test_a_whole_day_away_is_looked_at_every_few_minutes() -> None:
    assert waits(50, 500, Answer(error="unreachable"), 1.2).webhook == timedelta(minutes=6)
