"""Outcomes are the organisation's own, each with a colour and a key (S2)."""

from __future__ import annotations

import pytest

from crm.errors import Refused
from crm.services import demo, outcomes, settings
from crm.unit_of_work import Store


@pytest.mark.covers("S2")
async def test_an_outcome_is_added_changed_and_removed(store: Store) -> None:
    async with store.write() as work:
        first = await outcomes.add(work, {"name": "Connected", "colour": "#16a34a", "key": 1})
        second = await outcomes.add(work, {"name": "折り返し"})
    assert (first.position, second.position, second.key, second.active) == (0, 1, None, True)
    async with store.write() as work:
        changed = await outcomes.change(work, "折り返し", {"key": 2, "position": 7, "active": False})
    assert (changed.id, changed.key, changed.active) == (second.id, 2, False)
    async with store.read() as session:
        assert [each.name for each in await outcomes.list_all(session)] == ["Connected", "折り返し"]
        assert await outcomes.show(session, first.id) == first
    async with store.write() as work:
        await outcomes.remove(work, "Connected")
    async with store.read() as session:
        with pytest.raises(Refused, match="no outcome"):
            await outcomes.show(session, first.id)


@pytest.mark.covers("S2")
@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"name": "Connected"}, "name_taken"),
        ({"name": "Other", "key": 1}, "key_taken"),
        ({"name": "Other", "key": 10}, "invalid"),
        ({"name": "Other", "colour": "red"}, "invalid"),
        ({"colour": "#ffffff"}, "missing"),
    ],
)
async def test_what_cannot_be_an_outcome_is_refused_with_the_reason(
    store: Store, values: dict[str, object], code: str
) -> None:
    async with store.write() as work:
        await outcomes.add(work, {"name": "Connected", "key": 1})
    with pytest.raises(Refused) as refused:
        async with store.write() as work:
            await outcomes.add(work, values)
    assert refused.value.code == code


@pytest.mark.covers("S2")
async def test_the_demo_has_outcomes_in_its_language_and_leaves_those_that_are_there(store: Store) -> None:
    async with store.write() as work:
        await settings.change(work, "default_language", "ja")
        await demo.seed(work)
    async with store.write() as work:
        await outcomes.change(work, "番号違い", {"name": "間違い電話"})
        await demo.seed(work)
    async with store.read() as session:
        found = await outcomes.list_all(session)
    assert [each.key for each in found] == [1, 2, 3, 4, 5, 6]
    assert (found[0].name, found[3].name) == ("通話できた", "間違い電話")
