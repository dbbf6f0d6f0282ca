"""The one gate before any call leaves (FEATURES P5, TRUST 18, 24): a pure function over facts.

Everything that dials asks it: phones, API, forwarding, later invite and dialler. Its verdict carries a reason
that API, CLI, SIP and the log all show. Emergency numbers pass whatever the other facts say.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from pbx.core.causes import Cause


class Reason(StrEnum):
    """Why the gate decided as it did; stable words that clients may key on."""

    ALLOWED = "allowed"
    EMERGENCY = "emergency"
    NO_RIGHT = "no_right"
    USER_INACTIVE = "user_inactive"
    NO_NUMBER = "no_number"
    NUMBER_CANNOT_CALL = "number_cannot_call"
    INVALID_NUMBER = "invalid_number"
    PREMIUM = "premium_denied"
    SATELLITE = "satellite_denied"
    COUNTRY = "country_denied"
    PREFIX = "prefix_denied"
    DO_NOT_CALL = "do_not_call"
    OPTED_OUT = "opted_out"
    CALLING_HOURS = "calling_hours"
    LOCAL_TIME_UNKNOWN = "local_time_unknown"
    FORWARD_LOOP = "forward_loop"
    USER_BUSY_LIMIT = "user_concurrency_cap"
    ORG_BUSY_LIMIT = "organisation_concurrency_cap"
    USER_SPEND = "user_spend_cap"
    ORG_SPEND = "organisation_spend_cap"
    NO_CREDIT = "no_credit"
    NO_TRUNK = "no_trunk"
    OVERLOADED = "overloaded"


SENTENCES: dict[Reason, str] = {
    Reason.ALLOWED: "The call may go out.",
    Reason.EMERGENCY: "Emergency numbers always pass.",
    Reason.NO_RIGHT: "You have no right to make calls. Ask an admin for it.",
    Reason.USER_INACTIVE: "This user is switched off. An admin can switch the user on again.",
    Reason.NO_NUMBER: "You have no number of your own to call from. Ask an admin to assign one.",
    Reason.NUMBER_CANNOT_CALL: "Your number cannot make voice calls. Ask an admin for a number that can.",
    Reason.INVALID_NUMBER: "This is not a telephone number. Check the digits, with the country code.",
    Reason.PREMIUM: "Premium-rate numbers are not allowed. An admin can allow their prefix.",
    Reason.SATELLITE: "Satellite numbers are not allowed. An admin can allow their prefix.",
    Reason.COUNTRY: "Calls to this country are not allowed. An admin can allow the country.",
    Reason.PREFIX: "Calls to numbers that start like this are not allowed. An admin can change the list.",
    Reason.DO_NOT_CALL: "This number is on the do-not-call list.",
    Reason.OPTED_OUT: "This person has asked not to be contacted. Call lists leave the number out.",
    Reason.CALLING_HOURS: "It is outside calling hours where this number is. Call later.",
    Reason.LOCAL_TIME_UNKNOWN: "The local time of this number is not known. Dial it by hand, or enter an address.",
    Reason.FORWARD_LOOP: "This forwarding number leads back to the same user. Enter another telephone.",
    Reason.USER_BUSY_LIMIT: "You have reached the number of calls you may make at once. End one first.",
    Reason.ORG_BUSY_LIMIT: "All the calls your organisation may make at once are in use. Try again shortly.",
    Reason.USER_SPEND: "You have reached your spending limit. An admin can raise it.",
    Reason.ORG_SPEND: "Your organisation has reached its spending limit. An admin can raise it.",
    Reason.NO_CREDIT: "The account has no credit left. Top it up to call again.",
    Reason.NO_TRUNK: "No trunk can carry this call. Add or switch on a trunk.",
    Reason.OVERLOADED: "The system is at its limit. Try again in a few seconds.",
}

RETRY_AFTER = timedelta(seconds=5)
"""For the overload alone: who gets it sends us no call at all for so long (RFC 3261, section 21.5.4)."""

_CAUSES: dict[Reason, Cause] = {
    Reason.INVALID_NUMBER: Cause.INVALID_NUMBER,
    Reason.NO_TRUNK: Cause.CONGESTION,
    Reason.OVERLOADED: Cause.CONGESTION,
    Reason.ORG_BUSY_LIMIT: Cause.CONGESTION,
}


@dataclass(frozen=True, slots=True)
class Destination:
    """A number somebody wants to reach, already parsed. ``e164`` is empty where it could not be."""

    e164: str
    country: str = ""
    kind: str = "unknown"  # fixed, mobile, fixed_or_mobile, toll_free, premium, shared, satellite, voip, …
    emergency: bool = False
    comes_back: bool = False  # forwarding to it would ring the same user again


@dataclass(frozen=True, slots=True)
class Policy:
    """What the organisation allows. Empty ``allow_countries`` allows every country."""

    allow_countries: frozenset[str] = frozenset()
    deny_countries: frozenset[str] = frozenset()
    allow_prefixes: tuple[str, ...] = ()
    deny_prefixes: tuple[str, ...] = ()
    max_concurrent: int | None = None
    spend_cap_micros: int | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """The facts about who calls. Spend in micro-units of the organisation's currency."""

    active: bool = True
    may_call: bool = True
    did: str = ""
    did_voice: bool = True
    concurrent: int = 0
    max_concurrent: int | None = None
    spent_micros: int = 0
    spend_cap_micros: int | None = None


@dataclass(frozen=True, slots=True)
class Load:
    """What goes on elsewhere in the organisation at this moment."""

    concurrent: int = 0
    spent_micros: int = 0
    has_credit: bool = True
    trunk_free: bool = True
    overloaded: bool = False


@dataclass(frozen=True, slots=True)
class Untimely:
    """It is no hour to call this number: ``reason`` is one of the two about time, ``sentence`` says when it is again,
    as ``not_before_us`` does where that is known; ``rule`` is the key of the law's rule."""

    reason: Reason
    sentence: str
    not_before_us: int | None = None
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The gate's answer. ``caller_id`` is the number the called party shall see (V6). ``untimely`` of a call that is
    allowed is a warning: the policy leaves the hour to who dials by hand."""

    allowed: bool
    reason: Reason
    caller_id: str = ""
    untimely: Untimely | None = field(default=None, compare=False)

    @property
    def sentence(self) -> str:
        if self.untimely is not None and self.reason is self.untimely.reason:
            return self.untimely.sentence
        return SENTENCES[self.reason]

    @property
    def retry_after(self) -> timedelta | None:
        return RETRY_AFTER if self.reason is Reason.OVERLOADED else None

    @property
    def cause(self) -> Cause:
        return Cause.NORMAL if self.allowed else _CAUSES.get(self.reason, Cause.REJECTED)


def decide(
    destination: Destination,
    caller: Caller,
    policy: Policy,
    load: Load,
    *,
    do_not_call: bool = False,
    opted_out: bool = False,
    untimely: Untimely | None = None,
) -> Verdict:
    """Say whether this call may leave, and why. The first fact against it is the one that is named. ``untimely`` is
    given where the policy has the hour decide, ``opted_out`` for calls of lists."""
    if destination.emergency:
        return Verdict(True, Reason.EMERGENCY, caller_id=caller.did)
    refusal = (
        _against_caller(caller)
        or _against_destination(destination, policy)
        or (Reason.DO_NOT_CALL if do_not_call else None)
        or (Reason.OPTED_OUT if opted_out else None)
        or (untimely.reason if untimely is not None else None)
        or _against_caps(caller, policy, load)
    )
    if refusal is not None:
        return Verdict(False, refusal, untimely=untimely)
    return Verdict(True, Reason.ALLOWED, caller_id=caller.did)


def _against_caller(caller: Caller) -> Reason | None:
    if not caller.active:
        return Reason.USER_INACTIVE
    if not caller.may_call:
        return Reason.NO_RIGHT
    if not caller.did:
        return Reason.NO_NUMBER
    if not caller.did_voice:
        return Reason.NUMBER_CANNOT_CALL
    return None


def _against_destination(destination: Destination, policy: Policy) -> Reason | None:
    """The longest matching prefix decides over country and kind: a list entry is the admin's own word."""
    number = destination.e164
    if not number:
        return Reason.INVALID_NUMBER
    if destination.comes_back:
        return Reason.FORWARD_LOOP
    allowed = _longest(policy.allow_prefixes, number)
    denied = _longest(policy.deny_prefixes, number)
    if denied and denied >= allowed:
        return Reason.PREFIX
    if allowed:
        return None
    if destination.kind == "premium":
        return Reason.PREMIUM
    if destination.kind == "satellite":
        return Reason.SATELLITE
    if destination.country in policy.deny_countries:
        return Reason.COUNTRY
    if policy.allow_countries and destination.country not in policy.allow_countries:
        return Reason.COUNTRY
    return None


def _longest(prefixes: tuple[str, ...], number: str) -> int:
    return max((len(prefix) for prefix in prefixes if number.startswith(prefix)), default=0)


def _against_caps(caller: Caller, policy: Policy, load: Load) -> Reason | None:
    if load.overloaded:
        return Reason.OVERLOADED
    if caller.max_concurrent is not None and caller.concurrent >= caller.max_concurrent:
        return Reason.USER_BUSY_LIMIT
    if policy.max_concurrent is not None and load.concurrent >= policy.max_concurrent:
        return Reason.ORG_BUSY_LIMIT
    if caller.spend_cap_micros is not None and caller.spent_micros >= caller.spend_cap_micros:
        return Reason.USER_SPEND
    if policy.spend_cap_micros is not None and load.spent_micros >= policy.spend_cap_micros:
        return Reason.ORG_SPEND
    if not load.has_credit:
        return Reason.NO_CREDIT
    if not load.trunk_free:
        return Reason.NO_TRUNK
    return None
