"""Fields in scripts."""

from __future__ import annotations

import pytest

from crm import script_fields
from crm.errors import Refused


@pytest.mark.covers("V11")
def test_fields_are_filled_and_what_is_not_known_stays_a_gap() -> None:
    body = "Hello {{contact.name}}, from {{ contact.company }}: {{number}} {not a field} {{"
    script_fields.check(body)
    filled = script_fields.filled(body, {"contact.name": "Olivia", "number": "(206) 555-0150"})
    assert filled == "Hello Olivia, from …: (206) 555-0150 {not a field} {{"


@pytest.mark.covers("V11")
def test_a_field_that_there_is_not_is_refused_with_its_name() -> None:
    for name in ("contact.nmae", "", "user", "contact.name.first"):
        with pytest.raises(Refused, match=f"no field “{name}”"):
            script_fields.check(f"Hello {{{{{name}}}}}")
