"""Whatever JSON can hold, a check gives a value to keep or a sentence."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm import fields, paging
from crm.errors import Refused, printable
from crm.settings_registry import REGISTRY
from tests.support.hostile import HOSTILE_TEXTS, NOT_TEXTS

CHECKS: dict[str, fields.Check] = {
    "text": fields.text(),
    "lines": fields.text(lines=True),
    "choice": fields.choice("a", "b"),
    "boolean": fields.boolean,
    "integer": fields.integer(1, 10),
    "list": fields.list_of(fields.text()),
    "phone": fields.phone("US"),
    "email": fields.email,
    "country": fields.country,
    "time_zone": fields.time_zone,
    "host": fields.host,
    "network": fields.network,
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.sampled_from(sorted(CHECKS)), JSON)
def test_a_check_gives_a_value_or_a_sentence_for_anything(name: str, value: Any) -> None:
    try:
        fields.one(name, value, CHECKS[name])
    except Refused as refused:
        assert refused.field == name and refused.message.isprintable()


@given(st.sampled_from(sorted(REGISTRY)), JSON)
def test_no_value_of_a_setting_crashes_its_check(key: str, value: Any) -> None:
    try:
        fields.one(key, value, REGISTRY[key].check)
    except Refused as refused:
        assert refused.field == key


@pytest.mark.parametrize("key", sorted(REGISTRY))
def test_every_default_passes_its_own_check(key: str) -> None:
    declared = REGISTRY[key]
    kept = fields.one(key, declared.default, declared.check)
    assert kept == declared.default or (kept is None and declared.default == "")


@pytest.mark.covers("TRUST17")
@pytest.mark.parametrize("value", [*HOSTILE_TEXTS, *NOT_TEXTS], ids=repr)
def test_hostile_text_is_refused_not_repaired(value: object) -> None:
    with pytest.raises(Refused):
        fields.one("name", value, fields.text(100))


@pytest.mark.parametrize("value", ["田中 美緒", "Zoë", "👩‍👩‍👧 family", "O'Neil; DROP TABLE users", "%s{0}"])
def test_ordinary_text_in_any_script_is_kept_as_it_is(value: str) -> None:
    assert fields.text(100)(value) == value


def test_an_unknown_field_is_named() -> None:
    with pytest.raises(Refused, match="no field “rol”"):
        fields.read({"rol": "admin"}, {"role": fields.choice("admin")})


@given(st.text(max_size=80))
def test_a_foreign_cursor_is_refused(cursor: str) -> None:
    try:
        assert paging.decode(cursor) is not None
    except Refused as refused:
        assert refused.code == "bad_cursor"


def test_a_cursor_comes_back_as_it_went() -> None:
    assert paging.decode(paging.encode(17, "c_01")) == (17, "c_01")


def test_a_foreign_text_in_a_sentence_is_short_and_harmless() -> None:
    assert printable("\x1b[31m\u202e" + "x" * 200).isprintable()
    assert len(printable("x" * 200)) == 61
