"""Refuse by default: every route without login, and every role against what is not its own (TRUST 21)."""

from __future__ import annotations

import re

import pytest
from aiohttp import web

from bench.figures import at_most
from pbx.web.app import make_app
from pbx.web.declare import Right, Route, UndeclaredRoute
from pbx.web.routes import TABLES
from pbx.web.routes.front import PAGE
from tests.integration.web.world import CUSTOMER, World
from tests.support.trust import Measured

ROUTES = [route for table in TABLES for route in table]
HOOK = "/api/v1/text-webhooks/{transport}"
MEDIA = "/api/v1/text-media/{transport}/{attachment}"
"""What providers of texts ask for: both are signed."""
SOMEWHERE = {"Host": "pbx.example"}


def address(route: Route) -> str:
    return re.sub(r"{\w+(:[^}]+)?}", "x_01HZ0000000000000000000000", route.path)


@pytest.mark.trust(21)
@pytest.mark.covers("TRUST21")
async def test_every_route_without_login_is_refused(world: World, measured: Measured) -> None:
    """Generated from the declarations, so that a new route is in it by being declared."""
    let_in = []
    for route in ROUTES:
        status, problem = await world.ask(route.method, address(route)[1:], body={}, headers=SOMEWHERE)
        if status not in (401, 403):  # the pages answer 404 to what asks for no page: they are public, too
            let_in.append((route.method, route.path, status))
        else:
            assert problem["code"] in ("login_required", "foreign_origin"), route.path
    public = [route.path for route in ROUTES if route.right is Right.PUBLIC]
    assert sorted(path for _, path, _ in let_in) == sorted(public)
    measured(at_most(f"of {len(ROUTES)} routes let in without login", len(let_in) - len(public), "routes", 0))
    console = {"/", "/assets/{file}", PAGE}
    outside = {"/api/v1/session", "/api/v1/openapi.json", "/healthz", HOOK, MEDIA}
    assert {path for _, path, _ in let_in} == outside | console


@pytest.mark.trust(21)
@pytest.mark.covers("TRUST21")
async def test_reps_and_managers_are_kept_out_of_what_their_role_may_not(world: World, measured: Measured) -> None:
    asked, let_in = 0, 0
    for route in ROUTES:
        for name, allowed in (
            ("mio", (Right.PUBLIC, Right.REP, Right.OPERATOR)),
            ("alex", (Right.PUBLIC, Right.REP, Right.OPERATOR, Right.MANAGER)),
        ):
            if route.right in allowed:
                continue
            status, problem = await world.ask(
                route.method, address(route)[1:], body={}, headers=world.people[name].browser
            )
            asked, let_in = asked + 1, let_in + (status < 400)
            assert (status, problem["code"]) == (403, "forbidden"), (name, route.method, route.path)
    measured(at_most(f"let in with too small a role, of {asked} requests", let_in, "requests", 0))


@pytest.mark.covers("TRUST21", "A5")
async def test_every_route_that_a_token_reaches_wants_its_scope(world: World) -> None:
    _, made = await world.ask("POST", "/tokens", headers=world.robin.browser, body={"name": "none", "scopes": []})
    bearer = {"Authorization": f"Bearer {made['secret']}", **SOMEWHERE}
    for route in ROUTES:
        if route.right is Right.PUBLIC:
            continue
        status, problem = await world.ask(route.method, address(route)[1:], body={}, headers=bearer)
        assert status == 403, (route.method, route.path, status)
        assert problem["code"] in ("scope_missing", "token_not_allowed")


@pytest.mark.covers("TRUST21")
async def test_a_rep_gets_at_nothing_of_another_reps_calls(world: World) -> None:
    call, recording = await world.recorded(world.sam, b"sound of sam")
    for method, path, body in (
        ("GET", f"/calls/{call}", None),
        ("POST", f"/calls/{call}/hangup", None),
        ("POST", f"/calls/{call}/answer", None),
        ("POST", f"/calls/{call}/digits", {"digits": "1"}),
        ("POST", f"/calls/{call}/recording/erase", None),
        ("PUT", f"/calls/{call}/notes", {"notes": "mine now"}),
        ("PUT", f"/calls/{call}/record", {"record_id": "l_x"}),
        ("GET", f"/calls/{call}/summary", None),
        ("PUT", f"/calls/{call}/summary", {"notes": "mine now"}),
        ("POST", f"/calls/{call}/summary/save", None),
        ("GET", f"/tasks?user={world.sam.id}", None),
        ("GET", f"/recordings/{recording}", None),
        ("GET", f"/recordings/{recording}/sound", None),
        ("GET", f"/recordings/{recording}/peaks", None),
        ("GET", f"/calls?user={world.sam.id}", None),
        ("GET", f"/voicemails?user={world.sam.id}", None),
        ("GET", f"/users/{world.sam.id}", None),
        ("GET", f"/devices/{world.sam.device}", None),
        ("GET", f"/devices?user={world.sam.id}", None),
        ("POST", "/calls", {"to": CUSTOMER, "user": world.sam.id}),
        ("POST", "/gate/check", {"to": CUSTOMER, "user": world.sam.id}),
    ):
        status, problem = await world.ask(method, path, world.mio, body)
        assert status == 403, (method, path, status, problem)
    _, page = await world.ask("GET", "/calls", world.mio)
    assert page["items"] == []
    _, listed = await world.ask("GET", "/registrations", world.mio)
    assert {each["user_id"] for each in listed["items"]} == {world.mio.id}


async def test_a_manager_reads_every_call_but_steers_none_of_others(world: World) -> None:
    call, recording = await world.recorded(world.sam, b"sound of sam")
    assert (await world.ask("GET", f"/calls/{call}", world.alex))[0] == 200
    assert (await world.ask("GET", f"/recordings/{recording}/sound", world.alex)) == (200, b"sound of sam")
    live = world.talk(world.sam)
    assert (await world.ask("POST", f"/calls/{live}/hangup", world.alex))[0] == 403
    assert (await world.ask("POST", f"/calls/{live}/hangup", world.robin))[0] == 200


async def test_an_application_with_a_route_that_nobody_declared_does_not_start(world: World) -> None:
    async def leak(request: web.Request) -> web.Response:
        return web.Response(text="everything")

    app = make_app(world.engine)
    app.router.add_get("/leak", leak)
    runner = web.AppRunner(app)
    with pytest.raises(UndeclaredRoute):
        await runner.setup()
    await runner.cleanup()


async def test_health_is_open_and_the_rest_is_for_this_machine_or_an_admin(world: World) -> None:
    assert (await world.ask("GET", "healthz", headers=SOMEWHERE))[0] == 200
    for path in ("readyz", "metrics"):
        assert (await world.ask("GET", path))[0] == 200, "from this machine"
        assert (await world.ask("GET", path, headers=SOMEWHERE))[0] == 401, "a name rebound to this machine"
        assert (await world.ask("GET", path, headers={"X-Forwarded-For": "192.0.2.1"}))[0] == 401, "behind a proxy"
        assert (await world.ask("GET", path, world.robin, headers=SOMEWHERE))[0] == 200
        assert (await world.ask("GET", path, world.mio, headers=SOMEWHERE))[0] == 403
