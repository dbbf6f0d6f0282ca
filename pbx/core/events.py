"""What can happen to a call: the closed set of events that :meth:`Call.handle` takes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from pbx.core.gate import Verdict
from pbx.core.ids import Instant, LegId, PlaybackId


class Direction(StrEnum):
    INBOUND = "inbound"
    OUTBOUND = "outbound"
    INTERNAL = "internal"


@dataclass(frozen=True)
class Phone:
    """One registered binding of a user's device: what to dial, and whose it is."""

    device_id: str
    dial: str


@dataclass(frozen=True)
class VoicemailPlan:
    """Where a caller may leave a message, and for how long at most."""

    max_length: timedelta
    greeting: str = "voicemail-default-greeting"


@dataclass(frozen=True)
class RecordingPlan:
    """Whether this call is recorded and whether its parties are told. ``withheld`` says why it is not though it should
    be; empty: it is."""

    enabled: bool = False
    announce: bool = False
    private_words: bool = True  # what users say while the customer is on hold (C12)
    withheld: str = ""
    told: str = "recording-announcement"  # the prompt that tells them
    rules: tuple[str, ...] = ()  # of the law that have them told


@dataclass(frozen=True)
class Person:
    """The user of ours in the call, with what the call needs to know of them at this moment."""

    user_id: str
    name: str
    did: str
    language: str = "en"
    phones: tuple[Phone, ...] = ()
    busy: bool = False
    away: bool = False  # by the user's own word: the phones are there, and are not rung
    ring_time: timedelta = timedelta(seconds=25)
    forwarding: str = ""
    forward_accept: bool = True
    forward_ring_time: timedelta = timedelta(seconds=30)
    voicemail: VoicemailPlan | None = None
    recording: RecordingPlan = RecordingPlan()


@dataclass(frozen=True)
class Route:
    """One way out: a trunk with the number in the form that it wants."""

    trunk_id: str
    dial: str
    timeout: timedelta = timedelta(seconds=3.2)
    """For any answer at all from the trunk, 100 Trying included. It has had the INVITE three times by then (at 0, 0.5
    and 1.5 s, RFC 3261 section 17.1.1.2), and the next one has it within 4 s even on a busy machine."""


# -- beginnings ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Arrived:
    """Somebody calls one of our numbers. ``person`` is None where nobody has the number."""

    channel: str
    did: str
    caller: str
    caller_name: str
    trunk_id: str
    known_number: bool
    person: Person | None
    from_user: str = ""  # a colleague calling from inside
    from_device: str = ""
    language: str = "en"
    overloaded: bool = False


@dataclass(frozen=True, slots=True)
class Dialled:
    """A phone of ours dialled a number; its channel waits for an answer."""

    channel: str
    device_id: str
    person: Person
    dialled: str
    number: str


@dataclass(frozen=True, slots=True)
class DialRequested:
    """A user asked by API: ring them first (a device, or the forwarding number), then the customer."""

    person: Person
    number: str
    phone: Phone | None  # None: through the forwarding number
    dialled: str
    requested_by: str
    colleague: str = ""  # the user of ours whose number it is: rung inside, without any trunk
    overloaded: bool = False
    listed: bool = False  # of a call list: the law's calling hours decide (L4)
    home: str = ""  # where the called person lives, such as JP or US-FL


# -- from the switch -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LegRinging:
    leg: LegId


@dataclass(frozen=True, slots=True)
class LegAnswered:
    leg: LegId


@dataclass(frozen=True, slots=True)
class LegEnded:
    leg: LegId
    cause: int
    sip_status: int | None = None


@dataclass(frozen=True, slots=True)
class PickedUpInVain:
    """The leg was picked up while nobody listened, so the switch let it go again. Who did so is there."""

    leg: LegId


@dataclass(frozen=True, slots=True)
class PhoneLost:
    """The page with this leg's phone is gone: nobody speaks or hears there any more (P4).

    ``wait`` is how long its user is waited for; ``others`` are that user's other phones, which ring as well once
    ``others_after`` has passed. Where that is nothing, they do not.
    """

    leg: LegId
    how: str
    wait: timedelta = timedelta(seconds=20)
    others: tuple[Phone, ...] = ()
    others_after: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class PhoneBack:
    """A page of this user has registered its phone just now."""

    user_id: str
    phone: Phone


@dataclass(frozen=True, slots=True)
class LegSilent:
    """The trunk has said nothing at all to this leg's INVITE, not even 100: nobody can have been rung by it."""

    leg: LegId


@dataclass(frozen=True, slots=True)
class LegHeld:
    """The phone put itself on hold or took itself back (re-INVITE, RFC 3264 section 8.4)."""

    leg: LegId
    held: bool


@dataclass(frozen=True, slots=True)
class DigitPressed:
    leg: LegId
    digit: str


@dataclass(frozen=True, slots=True)
class TransferAsked:
    """The phone wants its call handed on to this number (REFER); empty for what is none."""

    leg: LegId
    number: str


@dataclass(frozen=True, slots=True)
class HandedOver:
    """An attended transfer, told to the second call: this leg of it goes over into another one."""

    leg: LegId
    to: str
    by: str


@dataclass(frozen=True, slots=True)
class LegTaken:
    """An attended transfer, told to the first call: a leg of another call comes over. ``by_leg`` asked for it."""

    leg: LegId
    by_leg: LegId
    number: str = ""
    name: str = ""
    user_id: str = ""
    device_id: str = ""
    trunk_id: str = ""
    unattended: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class PlaybackDone:
    playback: PlaybackId


@dataclass(frozen=True, slots=True)
class MessageRecorded:
    """The caller's voicemail ended: by key, by silence or at the longest length."""

    name: str
    duration: timedelta


@dataclass(frozen=True, slots=True)
class TimerFired:
    name: str


@dataclass(frozen=True, slots=True)
class RouteDecided:
    """The gate's word on a number that the call wants to reach, and the ways out."""

    purpose: str
    verdict: Verdict
    routes: tuple[Route, ...] = ()
    number: str = ""


@dataclass(frozen=True, slots=True)
class ColleagueFound:
    """Who has the number that was asked about, as they are at this moment; None: nobody who can be called."""

    person: Person | None


@dataclass(frozen=True, slots=True)
class CommandFailed:
    """The switch could not do it; ``leg`` names the leg that is of no use now, if one is."""

    command: str
    leg: LegId | None
    why: str


@dataclass(frozen=True, slots=True)
class SwitchLost:
    """The switch was away, and nothing of the call is left in it. ``at`` is when it was heard of last: that is taken
    for the end of all that stood."""

    at: Instant | None = None


# -- from people -----------------------------------------------------------------------------------


class Ask(StrEnum):
    """What a user may ask of a call that stands or rings."""

    FORWARD = "forward"
    IGNORE = "ignore"
    HANG_UP = "hang_up"
    PAUSE_RECORDING = "pause_recording"
    RESUME_RECORDING = "resume_recording"
    ERASE_RECORDING = "erase_recording"
    MUTE = "mute"
    UNMUTE = "unmute"
    CANCEL_INVITE = "cancel_invite"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class Asked:
    """``by`` is the user who asks, empty for the engine itself; ``admin`` may do what the host may."""

    ask: Ask
    by: str = ""
    admin: bool = False


class PartyAsk(StrEnum):
    """What the host may ask about one party of the conversation (C6, C7)."""

    HOLD = "hold"
    UNHOLD = "unhold"
    KICK = "kick"


@dataclass(frozen=True, slots=True)
class PartyAsked:
    ask: PartyAsk
    leg: LegId
    by: str = ""
    admin: bool = False


class GuestKind(StrEnum):
    USER = "user"
    GROUP = "group"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class GuestPhone:
    user_id: str
    phone: Phone


@dataclass(frozen=True, slots=True)
class Guest:
    """Who is invited (C3), as they are at this moment. ``phones`` ring all at once; of a group those of the members
    who are not on a call."""

    kind: GuestKind
    id: str
    name: str
    number: str = ""
    phones: tuple[GuestPhone, ...] = ()
    busy: bool = False
    ring_time: timedelta = timedelta(seconds=25)


@dataclass(frozen=True, slots=True)
class InviteAsked:
    """``unattended``: how long an outside guest and the customer may go on alone when the host has left (C9)."""

    guest: Guest
    by: str = ""
    admin: bool = False
    unattended: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class GuestFound:
    """Who was meant by the keys; None: nobody who can be invited."""

    guest: Guest | None
    unattended: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class AnswerAsked:
    """Take the call that rings on this phone, by a click elsewhere."""

    phone: Phone
    by: str = ""


@dataclass(frozen=True, slots=True)
class DigitsAsked:
    digits: str
    by: str = ""
    admin: bool = False


@dataclass(frozen=True, slots=True)
class DropAsked:
    """Leave this message of the user's (an absolute path) in the mailbox that has answered, and let the user go on."""

    drop_id: str
    sound: str
    by: str = ""
    admin: bool = False


Beginning = Arrived | Dialled | DialRequested
Event = (
    LegRinging
    | LegAnswered
    | LegEnded
    | PickedUpInVain
    | PhoneLost
    | PhoneBack
    | LegSilent
    | LegHeld
    | DigitPressed
    | TransferAsked
    | HandedOver
    | LegTaken
    | PlaybackDone
    | MessageRecorded
    | TimerFired
    | RouteDecided
    | ColleagueFound
    | CommandFailed
    | SwitchLost
    | Asked
    | PartyAsked
    | InviteAsked
    | GuestFound
    | AnswerAsked
    | DigitsAsked
    | DropAsked
)


Asking = Asked | PartyAsked | InviteAsked | AnswerAsked | DigitsAsked | DropAsked
"""What people ask: refused with :class:`NotNow` where it cannot be."""


class NotNow(Exception):
    """What was asked makes no sense in this state; the text is for the one who asked."""

    def __init__(self, sentence: str, code: str = "not_now") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.code = code
