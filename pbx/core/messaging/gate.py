"""The one gate before any text leaves (FEATURES T6, T8, N3, N4, P5): a pure function over facts.

Everything that writes asks it: console, API, command line, scheduled texts when their moment comes, and the outbox once
more before each try. Its verdict carries a stable word and a full sentence that says what to do instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    ALLOWED = "allowed"
    USER_INACTIVE = "user_inactive"
    NO_NUMBER = "no_number"
    NOT_YOUR_NUMBER = "not_your_number"
    NUMBER_CANNOT_TEXT = "number_cannot_sms"
    INVALID_NUMBER = "invalid_number"
    CANNOT_RECEIVE = "receiver_cannot_sms"
    OWN_NUMBER = "own_number"
    COUNTRY = "country_pair"
    OPTED_OUT = "opted_out"
    EMPTY = "empty_text"
    TOO_LONG = "too_long"
    BALANCE = "balance_too_low"
    HOURS = "outside_hours"
    NO_TRANSPORT = "no_text_transport"
    NO_CAMPAIGN = "no_campaign"
    CAMPAIGN = "campaign_not_approved"


HOLDS = frozenset({Reason.NO_CAMPAIGN, Reason.CAMPAIGN})
"""The text is kept and goes out when people have done what is missing; everything else is refused at once."""

_NO_TEXTS = frozenset({"premium", "shared", "company", "voicemail", "satellite"})
_FIXED = frozenset({"fixed", "toll_free"})
_TEXTS_TO_FIXED = frozenset({"US", "CA", "PR"})


@dataclass(frozen=True, slots=True)
class OwnNumber:
    """One of the organisation's. ``owner`` is a name for people."""

    e164: str
    shown: str
    country: str
    sms: bool
    owner_id: str | None = None
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Receiver:
    """``e164`` is empty where the number could not be read, ``why`` says so then."""

    e164: str
    shown: str
    country: str = ""
    kind: str = "unknown"
    why: str = ""


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes: a user, or the organisation itself where it confirms a STOP."""

    user_id: str = ""
    active: bool = True
    automatic: bool = False


@dataclass(frozen=True, slots=True)
class Hours:
    """What the law says of this moment; ``opens`` is for people, ``opens_us`` for machines."""

    allowed: bool = True
    opens_us: int | None = None
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything else. ``pairs`` says which countries a number of each country can text to: "*" is any; a country that
    is not listed texts to itself. ``campaign`` is the state of that of the sender's number, empty for none."""

    segments: int = 1
    max_segments: int = 10
    has_media: bool = False
    opted_out: bool = False
    campaign: str = ""
    balance_micros: int | None = None  # None: nobody counts
    needs_micros: int = 0
    hours: Hours = Hours()
    has_transport: bool = True
    pairs: Mapping[str, Sequence[str]] | None = None
    others: tuple[OwnNumber, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """``would_do`` are numbers of the organisation that could; ``opens_us`` when it may be sent."""

    reason: Reason
    sentence: str
    would_do: tuple[str, ...] = ()
    opens_us: int | None = None

    @property
    def allowed(self) -> bool:
        return self.reason is Reason.ALLOWED

    @property
    def holds(self) -> bool:
        return self.reason in HOLDS


ALLOWED = Verdict(Reason.ALLOWED, "The text may be sent.")


def decide(writer: Writer, sender: OwnNumber | None, receiver: Receiver, facts: Facts) -> Verdict:
    """Say whether this text may leave, and why not: the first fact against it is the one that is named."""
    refusal = _against_writer(writer, sender, receiver, facts)
    if refusal is None and sender is not None:
        refusal = (
            _against_receiver(writer, sender, receiver, facts)
            or _against_text(facts)
            or _against_moment(writer, facts)
            or _against_registration(sender, receiver, facts)
        )
    return refusal or ALLOWED


def reaches(own: OwnNumber, country: str, pairs: Mapping[str, Sequence[str]] | None) -> bool:
    """Whether a number of ours can text to this country."""
    allowed = (pairs or {}).get(own.country, (pairs or {}).get("*", (own.country,)))
    return "*" in allowed or country in allowed


def _against_writer(writer: Writer, sender: OwnNumber | None, receiver: Receiver, facts: Facts) -> Verdict | None:
    if not writer.active:
        return Verdict(Reason.USER_INACTIVE, "This user is switched off. An admin can switch the user on again.")
    if sender is None:
        return Verdict(Reason.NO_NUMBER, "You have no number of your own to text from. Ask an admin to assign one.")
    if not writer.automatic and sender.owner_id != writer.user_id:
        whose = f"{sender.owner} has it now: ask them to reply" if sender.owner else "nobody has it now"
        return Verdict(
            Reason.NOT_YOUR_NUMBER,
            f"Only who has the number {sender.shown} can text from it; {whose}, or write from your own number.",
        )
    if not sender.sms:
        return _with_numbers(
            Reason.NUMBER_CANNOT_TEXT,
            f"The number {sender.shown} cannot send texts. Ask an admin to switch texts on for it.",
            receiver.country,
            facts,
        )
    return None


def _against_receiver(writer: Writer, sender: OwnNumber, receiver: Receiver, facts: Facts) -> Verdict | None:
    if not receiver.e164:
        return Verdict(Reason.INVALID_NUMBER, receiver.why or "This is not a telephone number. Check the digits.")
    if receiver.e164 == sender.e164:
        return Verdict(Reason.OWN_NUMBER, "This is your own number. Enter somebody else's.")
    if receiver.kind in _NO_TEXTS or (receiver.kind in _FIXED and receiver.country not in _TEXTS_TO_FIXED):
        return Verdict(
            Reason.CANNOT_RECEIVE,
            f"{receiver.shown} is not a mobile number and cannot get texts. Choose a mobile number, or call instead.",
        )
    if not reaches(sender, receiver.country, facts.pairs):
        return _with_numbers(
            Reason.COUNTRY,
            f"A number of the country {sender.country} cannot text to {receiver.shown} ({receiver.country}).",
            receiver.country,
            facts,
        )
    if facts.opted_out and not writer.automatic:
        return Verdict(
            Reason.OPTED_OUT,
            f"{receiver.shown} wants no texts from us. Call instead, or wait until they write START.",
        )
    return None


def _against_text(facts: Facts) -> Verdict | None:
    if not facts.segments and not facts.has_media:
        return Verdict(Reason.EMPTY, "There is nothing to send. Write something.")
    if facts.segments > facts.max_segments:
        return Verdict(
            Reason.TOO_LONG,
            f"This text takes {facts.segments} segments; {facts.max_segments} are allowed. Shorten it, or send two.",
        )
    return None


def _against_moment(writer: Writer, facts: Facts) -> Verdict | None:
    if not facts.has_transport:
        return Verdict(Reason.NO_TRANSPORT, "Nothing carries texts for this number. Ask an admin to add a transport.")
    short = facts.balance_micros is not None and facts.balance_micros < facts.needs_micros
    if short and facts.needs_micros and not writer.automatic:
        return Verdict(Reason.BALANCE, "The account has too little credit for a text. Ask an admin to top it up.")
    if not facts.hours.allowed and not writer.automatic:
        said = facts.hours.sentence or "The law allows no texts to this number at this hour. Schedule it for later."
        return Verdict(Reason.HOURS, said, opens_us=facts.hours.opens_us)
    return None


def _against_registration(sender: OwnNumber, receiver: Receiver, facts: Facts) -> Verdict | None:
    """A2P 10DLC: from US numbers to US numbers only through an approved campaign (T8)."""
    if sender.country != "US" or receiver.country not in ("US", "PR") or facts.campaign == "approved":
        return None
    if not facts.campaign:
        return Verdict(
            Reason.NO_CAMPAIGN,
            f"US carriers take no texts from {sender.shown} without a campaign. The text waits until an admin assigns "
            "the number to an approved one.",
        )
    return Verdict(
        Reason.CAMPAIGN,
        f"The campaign of {sender.shown} is {facts.campaign}, not approved. The text waits until the registry approves "
        "it; an admin can look it up under Texts > 10DLC.",
    )


def _with_numbers(reason: Reason, sentence: str, country: str, facts: Facts) -> Verdict:
    """With the organisation's numbers that would do, and who has them."""
    able = [other for other in facts.others if other.sms and reaches(other, country, facts.pairs)]
    if not able:
        return Verdict(reason, f"{sentence} None of your organisation's numbers can; an admin can add one that does.")
    named = ", ".join(f"{other.shown} ({other.owner})" if other.owner else other.shown for other in able[:3])
    return Verdict(reason, f"{sentence} This would do: {named}.", tuple(other.e164 for other in able))
