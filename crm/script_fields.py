"""The fields in a script, such as ``{{contact.name}}``: which there are, and how they are filled. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from crm.errors import Refused, printable

FIELDS = ("contact.name", "contact.company", "user.name", "deal.name", "number")
NOT_KNOWN = "…"
_FIELD = re.compile(r"\{\{([^{}]*)\}\}")


def check(body: str) -> None:
    """Raises Refused with the name of the first field that there is not."""
    for found in _FIELD.finditer(body):
        name = found[1].strip()
        if name not in FIELDS:
            known = ", ".join(f"{{{{{each}}}}}" for each in FIELDS)
            raise Refused(
                "unknown_script_field",
                f"There is no field “{printable(name, 40)}” for scripts. Use one of {known}.",
                "body",
            )


def filled(body: str, values: Mapping[str, str]) -> str:
    """The text as it is read aloud; what is not known of this call stays a gap that the eye stumbles over."""
    return _FIELD.sub(lambda found: values.get(found[1].strip()) or NOT_KNOWN, body)
