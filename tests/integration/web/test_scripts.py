"""The admin's scripts, and the one for a call (V11)."""

from __future__ import annotations

import pytest

from tests.integration.web.world import CUSTOMER, World

BODY = "# Hello\n- {{user.name}} to **{{contact.name}}** of {{contact.company}}, {{deal.name}}, {{number}}"


async def add(world: World, name: str, **values: object) -> str:
    status, made = await world.ask("POST", "/scripts", world.robin, {"name": name, "body": BODY, **values})
    assert status == 201, made
    return str(made["id"])


@pytest.mark.covers("V11", "A1")
async def test_a_script_is_added_changed_listed_in_order_and_removed(world: World) -> None:
    first, second = await add(world, "First"), await add(world, "Second", direction="outbound")
    _, listed = await world.ask("GET", "/scripts", world.mio)
    assert [(each["id"], each["position"]) for each in listed["items"]] == [(first, 0), (second, 1)]
    status, changed = await world.ask("PATCH", f"/scripts/{first}", world.robin, {"position": 5, "active": False})
    assert (status, changed["position"], changed["active"], changed["body"]) == (200, 5, False, BODY)
    _, listed = await world.ask("GET", "/scripts", world.mio)
    assert [each["id"] for each in listed["items"]] == [second, first]
    assert (await world.ask("POST", "/scripts", world.mio, {"name": "x", "body": "x"}))[0] == 403
    status, problem = await world.ask("POST", "/scripts", world.robin, {"name": "First", "body": "x"})
    assert (status, problem["code"]) == (409, "name_taken")
    assert (await world.ask("DELETE", f"/scripts/{first}", world.robin))[0] == 204
    assert (await world.ask("GET", f"/scripts/{first}", world.robin))[0] == 404
    _, audit = await world.ask("GET", f"/audit?object_id={first}", world.robin)
    assert [entry["action"] for entry in audit["items"]] == ["script.remove", "script.change", "script.add"]


@pytest.mark.covers("V11")
async def test_an_unknown_field_is_refused_with_its_name(world: World) -> None:
    bad = {"name": "Typo", "body": "Hello {{contact.nmae}}"}
    status, problem = await world.ask("POST", "/scripts", world.robin, bad)
    assert (status, problem["code"], problem["field"]) == (422, "unknown_script_field", "body")
    assert "contact.nmae" in problem["detail"]


@pytest.mark.covers("V11")
async def test_a_call_shows_its_script_with_the_fields_filled(world: World) -> None:
    contact = {
        "kind": "contact",
        "name": "Olivia Park",
        "company": "Marcom",
        "phones": [{"label": "work", "number": CUSTOMER}],
    }
    _, record = await world.ask("POST", "/records", world.mio, contact)
    await world.ask("POST", "/deals", world.mio, {"name": "120 phones", "record_id": record["id"]})
    await add(world, "Out", direction="outbound")
    script = await add(world, "In", direction="inbound")
    call = world.talk(world.mio)
    _, stranger = await world.ask("GET", f"/calls/{call}/script", world.mio)
    assert stranger["script"]["body"].endswith("Mio to **…** of …, …, (206) 555-0150")
    await world.ask("PUT", f"/calls/{call}/record", world.mio, {"record_id": record["id"]})
    status, shown = await world.ask("GET", f"/calls/{call}/script", world.mio)
    assert (status, shown["script"]["id"], shown["script"]["name"]) == (200, script, "In")
    assert shown["script"]["body"].endswith("Mio to **Olivia Park** of Marcom, 120 phones, (206) 555-0150")
    assert (await world.ask("GET", f"/calls/{call}/script", world.sam))[0] == 403


@pytest.mark.covers("V11", "N6")
async def test_a_script_for_a_group_is_shown_to_its_members_alone(world: World) -> None:
    await world.ask("POST", "/groups", world.robin, {"name": "Support", "members": ["sam@demo.example"]})
    await add(world, "For support", group_ids=["Support"])
    mine, theirs = world.talk(world.mio), world.talk(world.sam)
    assert (await world.ask("GET", f"/calls/{mine}/script", world.mio))[1] == {"script": None}
    assert (await world.ask("GET", f"/calls/{theirs}/script", world.sam))[1]["script"]["name"] == "For support"
    status, _ = await world.ask("POST", "/scripts", world.robin, {"name": "x", "body": "x", "group_ids": ["None"]})
    assert status == 404


async def test_calls_among_colleagues_have_no_script(world: World) -> None:
    await add(world, "Any")
    call = world.ring(world.mio, colleague=world.sam.id)
    assert (await world.ask("GET", f"/calls/{call}/script", world.mio))[1] == {"script": None}
