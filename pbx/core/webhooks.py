"""How a webhook is signed, what an answer means, and when it is tried again (A5).

Signatures are those of Standard Webhooks: HMAC-SHA256 over the event's id, the moment of this try and the body, joined
by dots, so that nobody can send another body, or the same again at another time.
"""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

PREFIX = "whsec_"
_ITS_OWN_FAULT = frozenset({400, 406, 409, 410, 413, 414, 415, 422})
_WAITS_S = (5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 21_600)
_WEBHOOK_WAITS_S = (5, 30, 60, 120, 300)
LONGEST_ASKED = timedelta(hours=1)


def signed(event_id: str, at_s: int, body: bytes, secrets: Iterable[str]) -> dict[str, str]:
    """The headers; with several secrets the receiver takes whichever it knows."""
    content = f"{event_id}.{at_s}.".encode() + body
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(at_s),
        "webhook-signature": " ".join(f"v1,{_mac(secret, content)}" for secret in secrets),
    }


def _mac(secret: str, content: bytes) -> str:
    key = b64decode(secret.removeprefix(PREFIX))
    return b64encode(hmac.digest(key, content, "sha256")).decode()


@dataclass(frozen=True, slots=True)
class Answer:
    """``error`` is a word where there was no answer; ``asked`` what the receiver says of when to come again."""

    status: int | None = None
    error: str | None = None
    asked: timedelta = timedelta()


def fault(answer: Answer) -> str | None:
    """None: it was taken."""
    if answer.status is None:
        return answer.error or "broken_off"
    if 200 <= answer.status < 300:
        return None
    return "redirect" if 300 <= answer.status < 400 else "status"


def is_its_own(answer: Answer) -> bool:
    """The receiver is there and refuses this event: others are not held up by it."""
    return answer.status in _ITS_OWN_FAULT


@dataclass(frozen=True, slots=True)
class Waits:
    """Until this event is tried again, and until anything is sent there."""

    event: timedelta
    webhook: timedelta


def waits(attempts: int, failures: int, answer: Answer, jitter: float) -> Waits:
    """After so many tries of this event, and so many failures of the webhook one after the other. From the third on an
    event waits longer than its webhook, which is then tried with the next one: what fails for its own sake must not be
    in the way of all others."""
    asked = min(answer.asked, LONGEST_ASKED)
    event = timedelta(seconds=_WAITS_S[min(attempts, len(_WAITS_S)) - 1] * jitter)
    webhook = timedelta(seconds=_WEBHOOK_WAITS_S[min(failures, len(_WEBHOOK_WAITS_S)) - 1] * jitter)
    return Waits(max(event, asked), max(webhook, asked))
