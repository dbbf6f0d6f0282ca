"""Filters that users keep under a name (R1)."""

from __future__ import annotations

import pytest

from tests.integration.web.world import World

PATH = "/saved-filters"
MISSED = {"page": "calls", "name": "Missed today", "query": "?direction=inbound&result=missed&cursor=abc"}


@pytest.mark.covers("R1")
async def test_a_filter_is_saved_listed_renamed_and_removed_by_its_user(world: World) -> None:
    status, made = await world.ask("POST", PATH, world.mio, MISSED)
    assert (status, made["query"], made["shared"]) == (201, "direction=inbound&result=missed", False)
    await world.ask("POST", PATH, world.mio, MISSED | {"page": "people", "query": "status=new"})
    _, listed = await world.ask("GET", f"{PATH}?page=calls", world.mio)
    assert [each["name"] for each in listed["items"]] == ["Missed today"]
    status, problem = await world.ask("POST", PATH, world.mio, MISSED)
    assert (status, problem["code"], problem["field"]) == (409, "name_taken", "name")
    status, changed = await world.ask("PATCH", f"{PATH}/{made['id']}", world.mio, {"name": "Missed"})
    assert (status, changed["name"], changed["query"]) == (200, "Missed", made["query"])
    assert (await world.ask("DELETE", f"{PATH}/{made['id']}", world.mio))[0] == 204
    _, listed = await world.ask("GET", PATH, world.mio)
    assert [each["page"] for each in listed["items"]] == ["people"]


@pytest.mark.covers("R1")
async def test_a_filter_is_its_users_alone_until_it_is_shared_and_others_only_use_it(world: World) -> None:
    _, made = await world.ask("POST", PATH, world.mio, MISSED)
    one = f"{PATH}/{made['id']}"
    assert (await world.ask("GET", PATH, world.sam))[1]["items"] == []
    assert (await world.ask("DELETE", one, world.robin))[0] == 404
    await world.ask("PATCH", one, world.mio, {"shared": True})
    assert [each["id"] for each in (await world.ask("GET", PATH, world.sam))[1]["items"]] == [made["id"]]
    status, problem = await world.ask("PATCH", one, world.sam, {"name": "Mine now"})
    assert (status, problem["code"]) == (403, "not_yours")
    assert (await world.ask("PATCH", one, world.robin, {"name": "Ours"}))[0] == 200


@pytest.mark.covers("R1")
@pytest.mark.parametrize(
    ("query", "code"),
    [("", "missing"), ("cursor=abc", "empty_filter"), ("a=1&b", "invalid"), ("a=1" + "&a=1" * 40, "invalid")],
)
async def test_what_is_no_filter_is_refused(world: World, query: str, code: str) -> None:
    status, problem = await world.ask("POST", PATH, world.mio, MISSED | {"query": query})
    assert (status, problem["code"], problem["field"]) == (422, code, "query")
