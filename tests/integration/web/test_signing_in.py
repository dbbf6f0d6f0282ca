"""Who gets in, and what a browser may be tricked into."""

from __future__ import annotations

import pytest

from crm.services import sessions, users
from crm.unit_of_work import SYSTEM
from pbx.web.auth import COOKIE, CSRF_HEADER
from pbx.web.housekeeping import forget_expired
from tests.integration.web.world import PASSWORD, World


async def give_password(world: World) -> None:
    async with world.engine.store.write(SYSTEM) as work:
        await users.set_password(work, world.mio.id, PASSWORD)


@pytest.mark.covers("A5")
async def test_signing_in_gives_a_cookie_that_scripts_cannot_read_and_signing_out_ends_it(world: World) -> None:
    await give_password(world)
    url = world.server.make_url("/api/v1/session")
    async with world.http.post(url, json={"email": "MIO@demo.example", "password": PASSWORD}) as response:
        assert response.status == 200
        body, cookie = await response.json(), response.cookies[COOKIE]
    assert cookie["httponly"] and cookie["samesite"] == "Strict" and not cookie["secure"]
    assert body["user"]["id"] == world.mio.id and "password" not in str(body["user"]).replace("has_password", "")
    browser = {"Cookie": f"{COOKIE}={cookie.value}"}
    assert (await world.ask("GET", "/me", headers=browser))[0] == 200
    status, problem = await world.ask("DELETE", "/session", headers=browser)
    assert (status, problem["code"]) == (403, "csrf_token_missing")
    assert (await world.ask("DELETE", "/session", headers=browser | {CSRF_HEADER: body["csrf"]}))[0] == 204
    assert (await world.ask("GET", "/me", headers=browser))[0] == 401


async def test_the_cookie_is_secure_wherever_the_console_is_not_on_this_machine(world: World) -> None:
    await give_password(world)
    url = world.server.make_url("/api/v1/session")
    body = {"email": "mio@demo.example", "password": PASSWORD}
    async with world.http.post(url, json=body, headers={"Host": "pbx.example"}) as response:
        assert response.cookies[COOKIE]["secure"]


@pytest.mark.covers("TRUST16")
async def test_guessing_is_blocked_after_five_and_the_right_password_does_not_help_then(world: World) -> None:
    await give_password(world)
    guess = {"email": "mio@demo.example", "password": "wrong password here"}
    answers = [await world.ask("POST", "/session", body=guess) for _ in range(5)]
    assert {(status, problem["code"]) for status, problem in answers} == {(401, "bad_login")}
    status, problem = await world.ask("POST", "/session", body=guess | {"password": PASSWORD})
    assert (status, problem["code"]) == (429, "too_many_tries")
    status, _ = await world.ask("POST", "/session", body={"email": "nobody@demo.example", "password": "x"})
    assert status == 401, "another account at this address is not blocked yet"


async def test_a_page_of_another_site_changes_nothing_even_with_the_cookie(world: World) -> None:
    foreign = world.mio.browser | {"Origin": "https://evil.example"}
    status, problem = await world.ask("PATCH", "/me", body={"name": "Evil"}, headers=foreign)
    assert (status, problem["code"]) == (403, "foreign_origin")
    own = world.mio.browser | {"Origin": f"http://{world.server.host}:{world.server.port}"}
    assert (await world.ask("PATCH", "/me", body={"name": "Mio T"}, headers=own))[0] == 200


async def test_what_has_expired_is_forgotten_and_what_holds_is_not(world: World) -> None:
    key = {"Idempotency-Key": "fresh"}
    _, first = await world.ask("POST", "/calls", world.mio, {"to": "+12065550150"}, headers=key)
    async with world.engine.store.write(SYSTEM) as work:
        expired = await sessions.open(work, world.mio.id, address="", agent="", lifetime_s=0)
    await forget_expired(world.engine)
    _, listed = await world.ask("GET", "/me/sessions", headers=world.mio.browser)
    assert expired.session.id not in [each["id"] for each in listed["items"]]
    _, again = await world.ask("POST", "/calls", world.mio, {"to": "+12065550150"}, headers=key)
    assert again["id"] == first["id"]


async def test_a_token_reaches_as_far_as_its_scopes_and_its_user(world: World) -> None:
    status, made = await world.ask(
        "POST", "/tokens", headers=world.mio.browser, body={"name": "reader", "scopes": ["calls:read"]}
    )
    assert status == 201
    bearer = {"Authorization": f"Bearer {made['secret']}"}
    assert (await world.ask("GET", "/calls", headers=bearer))[0] == 200
    status, problem = await world.ask("POST", "/calls", headers=bearer, body={"to": "+12065550150"})
    assert (status, problem["code"]) == (403, "scope_missing")
    status, problem = await world.ask("POST", "/tokens", headers=bearer, body={"name": "x", "scopes": []})
    assert (status, problem["code"]) == (403, "token_not_allowed"), "a token cannot make tokens"
    status, listed = await world.ask("GET", "/tokens", headers=world.mio.browser)
    assert made["secret"] not in str(listed)
    token_id = made["token"]["id"]
    assert (await world.ask("DELETE", f"/tokens/{token_id}", headers=world.mio.browser))[0] == 204
    assert (await world.ask("GET", "/calls", headers=bearer))[0] == 401


async def test_whoever_is_switched_off_is_out_at_once(world: World) -> None:
    assert (await world.ask("GET", "/me", world.mio))[0] == 200
    assert (await world.ask("PATCH", f"/users/{world.mio.id}", world.robin, {"active": False}))[0] == 200
    assert (await world.ask("GET", "/me", world.mio))[0] == 401
    assert (await world.ask("GET", "/me", headers=world.mio.browser))[0] == 401


async def test_changing_ones_password_needs_the_old_one_and_ends_every_login(world: World) -> None:
    await give_password(world)
    status, session = await world.ask("POST", "/session", body={"email": "mio@demo.example", "password": PASSWORD})
    assert status == 200
    login = world.people["sam"]  # whoever is signed in changes their own
    change = {"old": "not it at all", "new": "a whole new password"}
    assert (await world.ask("POST", "/me/password", headers=login.browser, body=change))[0] == 403
    assert session["csrf"]


async def test_a_broken_authorization_header_is_refused_not_an_error(world: World) -> None:
    for header in ("Basic bWlvOnB3", "Bearer", "Bearer ", "Bearer \xff\xfe", "swh_x"):
        status, problem = await world.ask("GET", "/me", headers={"Authorization": header})
        assert (status, problem["code"]) == (401, "login_required"), header
