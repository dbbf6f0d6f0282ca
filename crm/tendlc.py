"""A2P 10DLC as data: what the registry (The Campaign Registry) asks of brands and campaigns, and the use cases (T8).
What each message class may send stands with the law's rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crm import fields
from crm.errors import Refused

BRAND_STATES = ("draft", "submitted", "verified", "unverified", "rejected")
CAMPAIGN_STATES = ("draft", "submitted", "approved", "rejected", "suspended", "expired")

USE_CASES = (
    *("2FA", "ACCOUNT_NOTIFICATION", "CUSTOMER_CARE", "DELIVERY_NOTIFICATION", "FRAUD_ALERT", "HIGHER_EDUCATION"),
    *("LOW_VOLUME", "MARKETING", "MIXED", "POLLING_VOTING", "PUBLIC_SERVICE_ANNOUNCEMENT", "SECURITY_ALERT"),
    *("AGENTS_FRANCHISES", "CARRIER_EXEMPT", "CHARITY", "EMERGENCY", "K12_EDUCATION", "POLITICAL", "PROXY"),
    *("SOCIAL", "SOLE_PROPRIETOR", "SWEEPSTAKE"),
)
VERTICALS = (
    *("AGRICULTURE", "AUTOMOTIVE", "BANKING", "COMMUNICATION", "CONSTRUCTION", "EDUCATION", "ENERGY", "ENTERTAINMENT"),
    *("GAMBLING", "GOVERNMENT", "HEALTHCARE", "HOSPITALITY", "HUMAN_RESOURCES", "INSURANCE", "LEGAL", "MANUFACTURING"),
    *("NGO", "POLITICAL", "POSTAL", "PROFESSIONAL", "REAL_ESTATE", "RELIGION", "RETAIL", "TECHNOLOGY"),
    "TRANSPORTATION",
)
ENTITY_TYPES = ("PRIVATE_PROFIT", "PUBLIC_PROFIT", "NON_PROFIT", "GOVERNMENT", "SOLE_PROPRIETOR")


@dataclass(frozen=True, slots=True)
class Asked:
    """One field of the registry's form; ``name`` is the registry's own. ``only_for`` names the kinds of entity that
    are asked for it, empty all. ``kind`` is text, lines, choice or flag."""

    name: str
    check: fields.Check
    kind: str = "text"
    required: bool = False
    choices: tuple[str, ...] = ()
    only_for: tuple[str, ...] = ()

    @property
    def default(self) -> Any:
        return False if self.kind == "flag" else ""


def _words(name: str, longest: int = 255, *, required: bool = False, only_for: tuple[str, ...] = ()) -> Asked:
    return Asked(name, fields.text(longest), required=required, only_for=only_for)


def _lines(name: str, longest: int, *, required: bool = False) -> Asked:
    return Asked(name, fields.text(longest, lines=True), "lines", required)


def _one_of(name: str, choices: tuple[str, ...], *, required: bool = False, only_for: tuple[str, ...] = ()) -> Asked:
    return Asked(name, fields.choice(*choices), "choice", required, choices, only_for)


def _flag(name: str) -> Asked:
    return Asked(name, fields.boolean, "flag")


_COMPANIES = ("PRIVATE_PROFIT", "PUBLIC_PROFIT", "NON_PROFIT", "GOVERNMENT")
_PEOPLE, _LISTED = ("SOLE_PROPRIETOR",), ("PUBLIC_PROFIT",)

BRAND: tuple[Asked, ...] = (
    _one_of("entityType", ENTITY_TYPES, required=True),
    _words("displayName", 255, required=True),
    _words("companyName", 255, required=True, only_for=_COMPANIES),
    _words("firstName", 100, required=True, only_for=_PEOPLE),
    _words("lastName", 100, required=True, only_for=_PEOPLE),
    _words("ein", 21, required=True, only_for=_COMPANIES),
    Asked("einIssuingCountry", fields.country, required=True, only_for=_COMPANIES),
    _words("altBusinessId", 50),
    _one_of("altBusinessIdType", ("NONE", "DUNS", "GIIN", "LEI")),
    _words("street", 100, required=True),
    _words("city", 100, required=True),
    _words("state", 20, required=True),
    _words("postalCode", 10, required=True),
    Asked("country", fields.country, required=True),
    Asked("email", fields.email, required=True),
    Asked("phone", fields.phone("US"), required=True),
    Asked("mobilePhone", fields.phone("US"), required=True, only_for=_PEOPLE),
    _words("website", 100),
    _words("stockSymbol", 10, required=True, only_for=_LISTED),
    _one_of("stockExchange", ("NASDAQ", "NYSE", "AMEX", "TSE", "LON", "OTHER"), required=True, only_for=_LISTED),
    Asked("businessContactEmail", fields.email, required=True, only_for=_LISTED),
    _one_of("vertical", VERTICALS, required=True),
    _one_of("brandRelationship", ("BASIC_ACCOUNT", "SMALL_ACCOUNT", "MEDIUM_ACCOUNT", "LARGE_ACCOUNT", "KEY_ACCOUNT")),
)

CAMPAIGN: tuple[Asked, ...] = (
    Asked("subUsecases", fields.list_of(fields.choice(*USE_CASES), 5), "list", choices=USE_CASES),
    _lines("description", 4_096, required=True),
    _lines("messageFlow", 4_096, required=True),
    _lines("sample1", 1_024, required=True),
    *(_lines(f"sample{number}", 1_024) for number in range(2, 6)),
    _lines("optinMessage", 255, required=True),
    _lines("optoutMessage", 255, required=True),
    _lines("helpMessage", 255, required=True),
    _words("optinKeywords", 255),
    _words("optoutKeywords", 255),
    _words("helpKeywords", 255),
    *(_flag(name) for name in ("subscriberOptin", "subscriberOptout", "subscriberHelp", "embeddedLink")),
    _words("embeddedLinkSample", 255),
    *(_flag(name) for name in ("embeddedPhone", "numberPool", "ageGated", "directLending", "affiliateMarketing")),
    _flag("autoRenewal"),
    _flag("termsAndConditions"),
    _words("termsAndConditionsLink", 255),
    _words("privacyPolicyLink", 255),
)


def read(asked: tuple[Asked, ...], given: Mapping[str, Any]) -> dict[str, Any]:
    """What was given, checked; fields may be missing as long as nothing is submitted."""
    values = {name: value for name, value in given.items() if value not in (None, "")}
    try:
        return fields.read(values, {each.name: each.check for each in asked})
    except Refused as refused:
        raise Refused(refused.code, refused.message, f"details.{refused.field}", refused.status) from None


def missing(asked: tuple[Asked, ...], details: Mapping[str, Any]) -> list[str]:
    """What the registry needs of this kind of entity and does not have yet."""
    entity = str(details.get("entityType", ""))
    return [
        each.name
        for each in asked
        if each.required and (not each.only_for or entity in each.only_for) and not details.get(each.name)
    ]
