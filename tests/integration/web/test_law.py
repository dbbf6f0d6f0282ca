"""The law by API: rules with source and reason, holds, and persons erased; reps see and change nothing of it."""

from __future__ import annotations

import re

import pytest

from tests.integration.web.world import CUSTOMER, World

LATER = {"value": {"weekdays": ["00:00-24:00"]}, "source": "A test", "date": "2026-11-01", "reason": "To try it"}


@pytest.mark.covers("P5", "A2")
async def test_a_rule_is_changed_with_source_and_reason_and_the_gate_goes_by_it(world: World) -> None:
    await world.ask("PUT", "/settings/gate.calling_hours", world.robin, {"value": "all"})
    never = LATER | {"value": {"weekdays": [], "holidays": []}}
    for rule in ("hours.US", "hours.US-WA"):
        assert (await world.ask("PUT", f"/law/rules/{rule}", world.robin, never))[0] == 200
    await world.engine.reload()
    _, closed = await world.ask("POST", "/gate/check", world.mio, {"to": CUSTOMER})
    assert (closed["allowed"], closed["reason"]) == (False, "local_time_unknown"), "no hour is left at all"
    for rule in ("hours.US", "hours.US-WA"):
        status, view = await world.ask("PUT", f"/law/rules/{rule}", world.robin, LATER)
        assert (status, view["changed"]["reason"], view["source"]) == (200, "To try it", "A test")
    await world.engine.reload()
    _, open_now = await world.ask("POST", "/gate/check", world.mio, {"to": CUSTOMER})
    assert open_now["allowed"]
    assert (await world.ask("DELETE", "/law/rules/hours.US", world.robin))[0] == 204
    assert (await world.ask("GET", "/law/rules/hours.US", world.alex))[1]["changed"] is None


async def test_a_change_without_its_reason_is_refused_at_the_field(world: World) -> None:
    without = {name: value for name, value in LATER.items() if name != "reason"}
    status, problem = await world.ask("PUT", "/law/rules/hours.US", world.robin, without)
    assert (status, problem["field"]) == (422, "reason")
    status, problem = await world.ask("PUT", "/law/rules/hours.XX", world.robin, LATER)
    assert (status, problem["field"]) == (422, "key")
    _, rules = await world.ask("GET", "/law/rules?kind=words&language=ja", world.alex)
    assert {rule["place"] for rule in rules["items"]} >= {"en", "ja"}


async def test_a_person_is_erased_after_a_look_and_a_hold_stands_in_the_way(world: World) -> None:
    _, lead = await world.ask("POST", "/records", world.robin, {"kind": "lead", "name": "Ann Lee"})
    _, hold = await world.ask(
        "POST", "/law/holds", world.robin, {"kind": "record", "object": lead["id"], "reason": "Case 7"}
    )
    question = {"record_id": lead["id"]}
    status, plan = await world.ask("POST", "/law/erasures/plan", world.robin, question)
    assert status == 200 and plan["name"] == "Ann Lee" and "record" in {each["kind"] for each in plan["destroyed"]}
    spoken = {"Accept-Language": "ja"}
    _, plan = await world.ask("POST", "/law/erasures/plan", world.robin, question, headers=spoken)
    said = [*plan["notes"], *(each["why"] for each in plan["kept"])]
    assert said and all(re.search("[ぁ-ん]", sentence) for sentence in said), said
    erase = {**question, "reason": "Asked by letter"}
    status, problem = await world.ask("POST", "/law/erasures", world.robin, erase)
    assert (status, problem["code"]) == (409, "held")
    await world.ask("POST", f"/law/holds/{hold['id']}/release", world.robin, {"reason": "closed"})
    status, done = await world.ask("POST", "/law/erasures", world.robin, erase)
    assert (status, done["state"]) == (201, "done")
    assert (await world.ask("GET", f"/records/{lead['id']}", world.robin))[0] == 404
    assert (await world.ask("POST", "/law/erasures/plan", world.mio, question))[0] == 403
    assert (await world.ask("GET", "/law/destructions", world.alex))[1] == {"items": [], "next_cursor": None}


@pytest.mark.covers("P5")
async def test_admins_are_told_which_rules_nobody_has_compared_with_their_source(world: World) -> None:
    _, rule = await world.ask("GET", "/law/rules/hours.US-UT", world.robin)
    assert rule["unchecked"] and rule["source"] == "Utah Code 13-25a-103"
    assert not (await world.ask("GET", "/law/rules/hours.US", world.robin))[1]["unchecked"]
    checked = {**LATER, "value": rule["value"], "source": rule["source"], "reason": "Compared with the code"}
    assert not (await world.ask("PUT", "/law/rules/hours.US-UT", world.robin, checked))[1]["unchecked"]
    assert (await world.ask("DELETE", "/law/rules/hours.US-UT", world.robin))[0] == 204
    assert (await world.ask("GET", "/law/rules/hours.US-UT", world.robin))[1]["unchecked"]
