"""Rules of the law in the database: changed with a reason, in force for the next call, and back."""

from __future__ import annotations

from datetime import datetime

import pytest

from crm import directory
from crm.errors import Refused
from crm.law.rules import defaults
from crm.services import audit, law
from crm.unit_of_work import Actor, Store

EVENING = int(datetime.fromisoformat("2026-11-25T20:30+09:00").timestamp() * 1e6)
LATER = {
    "value": {"weekdays": ["08:00-21:00"]},
    "source": "特定商取引法 通達",
    "date": "2026-11-01",
    "reason": "Our lawyer read the guidance again.",
}
ADMIN = Actor("user", "u_1", "Ada Admin")


@pytest.mark.covers("P5", "A2")
async def test_a_changed_rule_holds_for_the_next_call_and_is_audited_and_goes_back(store: Store) -> None:
    async with store.read() as session:
        before = await directory.load(session)
    assert not before.law.hours("+81312345678", EVENING).allowed
    async with store.write(ADMIN) as work:
        view = await law.change(work, "hours.JP", LATER)
    assert view.changed is not None and (view.changed.by, view.changed.reason) == ("Ada Admin", LATER["reason"])
    assert view.default == dict(defaults()["hours.JP"].value)
    async with store.read() as session:
        after = await directory.load(session, before)
        entry = (await audit.list_all(session, object_id="hours.JP")).items[0]
    assert after.law.hours("+81312345678", EVENING).allowed
    assert entry.action == "law.change" and entry.after is not None and entry.after["reason"] == LATER["reason"]
    async with store.write(ADMIN) as work:
        back = await law.remove(work, "hours.JP")
    assert back is not None and back.changed is None and back.value == view.default
    async with store.read() as session:
        again = await directory.load(session, after)
    assert not again.law.hours("+81312345678", EVENING).allowed


async def test_another_change_leaves_the_law_as_it_is_in_memory(store: Store) -> None:
    async with store.write() as work:
        await law.change(work, "hours.JP", LATER)
    async with store.read() as session:
        before = await directory.load(session)
    async with store.write() as work:
        work.record("setting.change", "x")
    async with store.read() as session:
        assert (await directory.load(session, before)).law is before.law


async def test_a_rule_for_a_place_without_one_can_be_added_and_is_gone_when_removed(store: Store) -> None:
    async with store.write() as work:
        await law.change(work, "hours.SE", LATER)
        assert (await law.show(work.session, "hours.SE")).default is None
    async with store.write() as work:
        assert await law.remove(work, "hours.SE") is None
    async with store.read() as session:
        with pytest.raises(Refused, match="There is no rule"):
            await law.show(session, "hours.SE")
        assert {rule.kind for rule in await law.list_all(session, kind="words")} == {"words"}


@pytest.mark.parametrize(
    ("key", "without"), [("hours.JP", "reason"), ("hours.JP", "source"), ("hours.JP", "date"), ("hours.XX", "")]
)
async def test_a_change_without_source_date_or_reason_is_refused(store: Store, key: str, without: str) -> None:
    async with store.write() as work:
        with pytest.raises(Refused):
            await law.change(work, key, {name: value for name, value in LATER.items() if name != without})
