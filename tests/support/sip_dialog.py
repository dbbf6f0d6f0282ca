"""The values a call is made of: its state, its moments, its dialog and what the other side offered."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from tests.support.sip_sdp import Sdp


class CallState(Enum):
    """What the phone's screen would show."""

    CALLING = "calling"
    RINGING = "ringing"
    ANSWERED = "answered"
    ENDED = "ended"


@dataclass
class Moments:
    """time.monotonic() of each step, None where it has not happened.

    `invited`: INVITE sent or received. `ringing`: first 180. `early_media`: first provisional answer with
    SDP. `answered`: 200 sent or received. `ended`: CANCEL, BYE or final refusal, sent or received.
    """

    invited: float
    trying: float | None = None
    ringing: float | None = None
    early_media: float | None = None
    answered: float | None = None
    ended: float | None = None


@dataclass
class Offer:
    """A session description received: `direction` is the other side's word (sendonly = we are held)."""

    at: float
    direction: str
    sdp: Sdp


@dataclass
class Dialog:
    """What identifies the dialog and where its requests go."""

    call_id: str
    local_tag: str
    local: str
    remote: str
    target: str
    peer: tuple[str, int]
    remote_tag: str = ""
    routes: list[str] = field(default_factory=list)
    sequence: int = 0
