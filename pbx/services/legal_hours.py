"""Calling hours as the gate asks for them: the law's rules, the organisation's policy, the called party's local time.

The policy (setting ``gate.calling_hours``): ``listed`` has the hour decide over calls of call lists, and warns who
dials by hand; ``all`` has it decide over every call to a customer; ``off`` asks nobody. A user's own forwarding number
and invited guests are no sales calls, and emergency numbers are never asked about.
"""

from __future__ import annotations

from crm.directory import Directory
from crm.law import Address, NotBefore, Unknown
from pbx.core.gate import Destination, Reason, Untimely
from pbx.core.ids import Instant

CUSTOMER = "customer"
OFF, LISTED, ALL = "off", "listed", "all"


def decides(directory: Directory, purpose: str, listed: bool) -> bool:
    """Whether a call for this purpose is refused outside calling hours."""
    policy = directory.settings["gate.calling_hours"]
    return purpose == CUSTOMER and (policy == ALL or (listed and policy == LISTED))


def untimely(directory: Directory, destination: Destination, now: Instant, home: str = "") -> Untimely | None:
    """What speaks against calling this number at this moment; None: nothing does. ``home`` is where its owner lives."""
    country, _, region = home.partition("-")
    address = Address(country, region) if country else None
    answer = directory.law.hours(destination.e164, now, country=destination.country, address=address)
    if isinstance(answer, NotBefore):
        return Untimely(Reason.CALLING_HOURS, answer.sentence, answer.at_us, answer.rule.key)
    return Untimely(Reason.LOCAL_TIME_UNKNOWN, answer.sentence) if isinstance(answer, Unknown) else None
