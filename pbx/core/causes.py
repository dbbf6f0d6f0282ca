"""Why a leg ended: Q.850 causes and SIP statuses, classed by what they mean for the people in the call.

Sources: ITU-T Q.850 (causes), RFC 3398 section 7.2.4.1 and 8.2.6.1 (mapping), RFC 3261 section 21 (statuses),
RFC 3326 (Reason). Asterisk gives both for its PJSIP channels; the SIP status, where there is one, says more.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum


class Cause(IntEnum):
    """The Q.850 causes we send or tell apart."""

    UNALLOCATED = 1
    NO_ROUTE = 3
    NORMAL = 16
    BUSY = 17
    NO_RESPONSE = 18
    NO_ANSWER = 19
    ABSENT = 20
    REJECTED = 21
    ANSWERED_ELSEWHERE = 26
    OUT_OF_ORDER = 27
    INVALID_NUMBER = 28
    UNSPECIFIED = 31
    NO_CIRCUIT = 34
    NETWORK_OUT_OF_ORDER = 38
    TEMPORARY_FAILURE = 41
    CONGESTION = 42
    INTERWORKING = 127


class Result(StrEnum):
    """How one leg ended, as values that the log shows."""

    ANSWERED = "answered"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    DECLINED = "declined"
    UNALLOCATED = "unallocated"
    UNREACHABLE = "unreachable"
    CANCELLED = "cancelled"
    ELSEWHERE = "answered_elsewhere"
    NOT_ACCEPTED = "not_accepted"
    FAILED = "failed"


_BY_STATUS = {
    401: Result.UNREACHABLE,  # 401, 402 and 407: the trunk refuses us, not the called party
    402: Result.UNREACHABLE,
    404: Result.UNALLOCATED,
    407: Result.UNREACHABLE,
    408: Result.UNREACHABLE,
    410: Result.UNALLOCATED,
    480: Result.NO_ANSWER,
    482: Result.UNREACHABLE,
    483: Result.UNREACHABLE,
    484: Result.UNALLOCATED,
    486: Result.BUSY,
    487: Result.CANCELLED,
    488: Result.FAILED,  # no codec in common there; another trunk may have one
    500: Result.UNREACHABLE,
    502: Result.UNREACHABLE,
    503: Result.UNREACHABLE,
    504: Result.UNREACHABLE,
    600: Result.BUSY,
    603: Result.DECLINED,
    604: Result.UNALLOCATED,
    607: Result.DECLINED,
}
_BY_CAUSE = {
    Cause.NORMAL: Result.CANCELLED,  # cleared without an answer (RFC 3398): the network did not fail
    Cause.UNALLOCATED: Result.UNALLOCATED,
    Cause.NO_ROUTE: Result.UNALLOCATED,
    Cause.BUSY: Result.BUSY,
    Cause.NO_RESPONSE: Result.UNREACHABLE,
    Cause.NO_ANSWER: Result.NO_ANSWER,
    Cause.ABSENT: Result.UNREACHABLE,
    Cause.REJECTED: Result.DECLINED,
    Cause.ANSWERED_ELSEWHERE: Result.ELSEWHERE,
    Cause.OUT_OF_ORDER: Result.UNREACHABLE,
    Cause.INVALID_NUMBER: Result.UNALLOCATED,
    Cause.NO_CIRCUIT: Result.UNREACHABLE,
    Cause.NETWORK_OUT_OF_ORDER: Result.UNREACHABLE,
    Cause.TEMPORARY_FAILURE: Result.UNREACHABLE,
    Cause.CONGESTION: Result.UNREACHABLE,
}


def result_of(cause: int, sip_status: int | None) -> Result:
    """Class the end of a leg that was never answered. The SIP status decides where it is known.

    Any 6xx is the called party's own word and holds wherever else it might be tried (RFC 3261, 21.6).
    """
    if sip_status is not None and sip_status >= 300:
        known = _BY_STATUS.get(sip_status)
        if known is not None:
            return known
        return Result.DECLINED if 400 <= sip_status < 500 or sip_status >= 600 else Result.FAILED
    known_cause = _BY_CAUSE.get(Cause(cause)) if cause in Cause._value2member_map_ else None
    return known_cause or Result.FAILED


_TO_CAUSE = {
    Result.BUSY: Cause.BUSY,
    Result.NO_ANSWER: Cause.NO_ANSWER,
    Result.DECLINED: Cause.REJECTED,
    Result.UNALLOCATED: Cause.UNALLOCATED,
    Result.UNREACHABLE: Cause.CONGESTION,
    Result.CANCELLED: Cause.NORMAL,
    Result.ELSEWHERE: Cause.ANSWERED_ELSEWHERE,
    Result.NOT_ACCEPTED: Cause.NO_ANSWER,
    Result.ANSWERED: Cause.NORMAL,
    Result.FAILED: Cause.CONGESTION,
}


def cause_for(result: Result) -> Cause:
    """The cause that hands a leg's ending on to the party on the other side."""
    return _TO_CAUSE[result]


def may_try_next_trunk(result: Result) -> bool:
    """Only where the network, not the called party, refused: nobody is rung twice."""
    return result in (Result.UNREACHABLE, Result.FAILED)
