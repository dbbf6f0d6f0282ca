"""How numbers of a country are dialled and which of them exist, as POSIX regular expressions.

For who must judge numbers without this program: the dialplan that stands in for the engine. From the same metadata that
:mod:`crm.phone_numbers` reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from phonenumbers import PhoneMetadata

_KINDS = (
    *("fixed_line", "mobile", "toll_free", "voip", "uan", "shared_cost", "personal_number"),
    *("pager", "voicemail"),
)


@dataclass(frozen=True, slots=True)
class DiallingPlan:
    """``international`` and ``national`` are dialled before a number of another country, and before one of this; empty
    where it is not always the same. ``kinds`` match the national significant numbers of the country, each kind by
    itself, premium ones left out; ``premium`` matches those, and may match some of ``kinds`` too."""

    code: str
    international: str
    national: str
    kinds: tuple[str, ...]
    premium: str


@lru_cache(maxsize=256)
def dialling_plan(country: str) -> DiallingPlan | None:
    """None for what is no country."""
    metadata = PhoneMetadata.metadata_for_region(country.upper(), None)
    if metadata is None:
        return None
    international = metadata.preferred_international_prefix or metadata.international_prefix or ""
    patterns = dict.fromkeys(_posix(getattr(metadata, kind)) for kind in _KINDS)
    return DiallingPlan(
        str(metadata.country_code),
        international if international.isdigit() else "",
        metadata.national_prefix or "",
        tuple(pattern for pattern in patterns if pattern),
        _posix(metadata.premium_rate),
    )


def _posix(kind: object) -> str:
    """POSIX extended regular expressions know neither groups that are not kept nor \\d."""
    pattern = getattr(kind, "national_number_pattern", None) or ""
    return pattern.replace("(?:", "(").replace("\\d", "[0-9]") if pattern != "NA" else ""
