"""`make up` as a person has it: one screen, a second start in seconds, Ctrl-C, and what stands in the way."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from tests.support.sip_phone import SipPhone
from tests.support.up import Up
from tests.support.waiting import Stopwatch, until

REP1, REP2 = "rep1@demo.example", "rep2@demo.example"


@pytest_asyncio.fixture
async def fresh(tmp_path: Path) -> AsyncIterator[Up]:
    """A home where nothing was started yet."""
    up = Up(tmp_path / "home")
    yield up
    if up.process is not None and up.process.returncode is None:
        up.process.kill()
        await up.process.wait()
        await until(lambda: not up.children(), within=15, what="the end of every child")


@pytest_asyncio.fixture
async def up(fresh: Up) -> Up:
    """One of the test's own, for those that end it or take something away."""
    await fresh.start()
    return fresh


@pytest_asyncio.fixture(scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Up]:
    """One for all tests that leave it as it was."""
    shared = Up(tmp_path_factory.mktemp("up") / "home")
    await shared.start()
    yield shared
    assert await shared.stop() == 0


async def phone_of(up: Up, email: str, tone: int) -> SipPhone:
    login = up.logins[email]
    server = ("127.0.0.1", up.ports["sip"])
    return await SipPhone.start(user=login["device"], secret=login["secret"], server=server, tone=tone)


@pytest.mark.covers("A8")
async def test_one_screen_says_where_to_go_who_may_log_in_and_what_to_dial(running: Up) -> None:
    screen = running.screen
    assert f"http://127.0.0.1:{running.ports['http']}" in screen
    assert len(screen.splitlines()) <= 40 and max(map(len, screen.splitlines())) <= 160
    for login in running.logins.values():
        assert login["email"] in screen and login["password"] in screen
        assert not login["number"] or login["number"] in screen
        assert not login["device"] or (login["device"] in screen and login["secret"] in screen)
    spoken = ("practice call", "console in Japanese", str(running.ports["sip"]))
    for word in ("+12065550150", "+12065550159", *spoken):
        assert word in screen


async def test_secrets_are_for_their_owner_only(running: Up) -> None:
    for name in ("secrets.json", "demo-secrets.json"):
        assert (running.home / name).stat().st_mode & 0o077 == 0, name
    assert running.home.stat().st_mode & 0o077 == 0
    secrets = [login["secret"] for login in running.logins.values() if login["secret"]]
    assert not [words for words in running.children().values() if any(secret in words for secret in secrets)]


@pytest.mark.covers("P3")
async def test_ctrl_c_stops_everything_and_keeps_the_call_that_was_up(up: Up) -> None:
    phone = await phone_of(up, REP1, 540)
    call = await phone.call("+12065550157")
    await call.until_answered(8)
    await call.until_hears(540, within=5)
    assert await up.stop() == 0
    assert "Stopped." in up.screen
    assert up.children() == {}
    log = (await up.run("calls", "--log", "--json")).json["items"]
    assert len(log) == 1
    assert log[0]["customer_number"] == "+12065550157" and log[0]["ended_us"] is not None
    recordings = (await up.run("call", "show", log[0]["id"], "--json")).json["recordings"]
    assert [recording["state"] for recording in recordings] == ["ready"]
    assert (up.home / "recordings" / recordings[0]["path"]).exists()
    await phone.stop()


async def test_a_second_start_takes_seconds_and_shows_the_same_secrets(up: Up) -> None:
    first = [line for line in up.screen.splitlines() if "secret" in line]
    await up.stop()
    watch = Stopwatch()
    await up.start()
    assert watch.granted < 8
    assert [line for line in up.screen.splitlines() if "secret" in line] == first
    assert await up.stop() == 0


async def test_a_second_one_in_the_same_home_says_that_it_runs_already(running: Up) -> None:
    again = await running.run("up")
    assert again.code == 1
    assert "runs already" in again.err and str(running.process.pid if running.process else "") in again.err
    assert again.err.strip().count("\n") == 0
    assert (await running.run("user", "list")).code == 0


@pytest.mark.parametrize(
    ("name", "setting"), [("sip", "SIP_PORT"), ("http", "HTTP_PORT"), ("practice_sip", "PRACTICE")]
)
async def test_a_port_that_is_taken_is_named_with_its_setting(fresh: Up, name: str, setting: str) -> None:
    kind = socket.SOCK_STREAM if name == "http" else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", fresh.ports[name]))
        if kind == socket.SOCK_STREAM:
            taken.listen()
        refused = await fresh.run("up")
    assert refused.code == 1
    sentence = refused.err.strip().splitlines()[-1]
    assert f"Port {fresh.ports[name]}" in sentence and f"SWITCHHOOK_{setting}" in sentence
    assert f"process {os.getpid()}" in sentence
    assert "Traceback" not in refused.err
    assert fresh.children() == {}


async def test_a_missing_mirror_is_told_in_one_sentence(
    fresh: Up, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWITCHHOOK_CACHE", str(tmp_path / "cache"))
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "config.toml").write_text(f'debian_mirror = "file://{tmp_path}/nowhere"\n')
    refused = await fresh.run("up")
    assert refused.code == 1
    assert (
        "SWITCHHOOK_DEBIAN_MIRROR" in refused.err.splitlines()[-1] or "apt-get install" in refused.err.splitlines()[-1]
    )
    assert "Traceback" not in refused.err


@pytest.mark.covers("P1")
async def test_an_engine_that_is_killed_comes_back_and_the_call_goes_on(up: Up) -> None:
    phone = await phone_of(up, REP1, 540)
    call = await phone.call("+12065550157")
    await call.until_answered(8)
    await call.until_hears(540, within=5)
    engine = next(pid for pid, words in up.children().items() if words.endswith("serve"))
    os.kill(engine, signal.SIGKILL)
    watch = Stopwatch()
    await up.until_on_screen("The engine runs again.", within=10)
    assert watch.granted < 5
    live = (await up.run("calls", "--json")).json["items"]
    assert [row["customer_number"] for row in live] == ["+12065550157"]
    call.say(700)
    await call.until_hears(700, within=5)
    await call.hang_up()
    assert await up.stop() == 0
    await phone.stop()


async def test_an_asterisk_that_is_killed_is_started_again(up: Up) -> None:
    asterisk = next(pid for pid, words in up.children().items() if str(up.home / "asterisk/etc") in words)
    os.kill(asterisk, signal.SIGKILL)
    await up.until_on_screen("Asterisk runs again.", within=15)
    phone = await phone_of(up, REP1, 540)
    call = await phone.call("+12065550157")
    await call.until_answered(8)
    await phone.stop()
    assert await up.stop() == 0


async def test_a_killed_supervisor_takes_its_children_along(up: Up) -> None:
    assert up.process is not None
    up.process.kill()
    await up.process.wait()
    await until(lambda: not up.children(), within=15, what="the end of every child")
    await up.start()
    assert await up.stop(signal.SIGTERM) == 0


async def test_a_terminal_that_is_closed_stops_everything(up: Up) -> None:
    assert await up.stop(signal.SIGHUP) == 0
    assert up.children() == {}


@pytest.mark.covers("A1", "A2")
async def test_a_number_given_to_somebody_else_rings_there_on_the_next_call(up: Up) -> None:
    number = up.logins[REP1]["number"]
    mio, sam = await phone_of(up, REP1, 540), await phone_of(up, REP2, 580)
    running = asyncio.create_task(up.run("practice", "call", "+12065550142", "--to", number, "--play", "tone"))
    first = await mio.incoming(within=5)
    await first.answer()
    assert (await running).code == 0
    for words in (
        ("number", "change", number, "--user", "none"),
        ("number", "change", up.logins[REP2]["number"], "--user", "none"),
        ("number", "change", number, "--user", REP2),
    ):
        done = await up.run(*words)
        assert done.code == 0, done.err
    ringing = asyncio.create_task(up.run("practice", "call", "+12065550143", "--to", number, "--play", "tone"))
    second = await sam.incoming(within=5)
    assert second.caller_number == "+12065550143"
    await second.answer()
    await second.until_hears(1000, within=5)
    assert (await ringing).code == 0
    assert first.hears(1000) and first.at.ended is None
    for phone in (mio, sam):
        await phone.stop()


@pytest.mark.covers("A1", "A2")
async def test_a_new_phone_can_register_as_soon_as_the_command_has_returned(running: Up) -> None:
    made = (await running.run("device", "add", "--user", REP1, "--name", "Second desk", "--json")).json
    server = ("127.0.0.1", running.ports["sip"])
    phone = await SipPhone.start(user=made["id"], secret=made["secret"], server=server, tone=620)
    await phone.stop()
    assert (await running.run("device", "remove", made["id"])).code == 0
    gone = await SipPhone.start(user=made["id"], secret=made["secret"], server=server, tone=620, register=False)
    assert (await gone.try_register()).status in (401, 403, 404)
    await gone.stop()


@pytest.mark.covers("P5")
async def test_dial_rings_the_users_phone_and_then_the_number_unless_the_gate_says_no(running: Up) -> None:
    phone = await phone_of(running, REP1, 540)
    phone.obeys_auto_answer = True
    dialled = await running.run("dial", "+12065550150", "--as", REP1, "--json")
    assert dialled.code == 0, dialled.err
    call_id = dialled.json["id"]
    ring = await phone.incoming(within=5)
    await ring.until_answered(5)
    assert [row["id"] for row in (await running.run("calls", "--json")).json["items"]] == [call_id]
    assert (await running.run("call", "hangup", call_id)).code == 0
    await ring.until_ended(5)
    premium = await running.run("dial", "+19005551234", "--as", REP1)
    assert premium.code == 1 and "Premium" in premium.err
    verdict = await running.run("gate", "check", "+19005551234", "--as", REP1, "--json")
    assert verdict.code == 1 and verdict.json["reason"] == "premium_denied"
    assert (running.home / "cli-tokens.json").stat().st_mode & 0o077 == 0
    await phone.stop()


async def asked(up: Up, who: str, method: str, path: str) -> tuple[int, Any]:
    """The API as somebody's browser has it."""
    base, login = f"http://127.0.0.1:{up.ports['http']}/api/v1", up.logins[who]
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        signed = {"email": login["email"], "password": login["password"]}
        async with http.post(f"{base}/session", json=signed) as answer:
            csrf = (await answer.json())["csrf"]
        async with http.request(method, f"{base}{path}", headers={"X-CSRF-Token": csrf}) as answer:
            return answer.status, await answer.json()


async def test_a_practice_call_asked_for_in_the_console_rings_ones_own_phone(running: Up) -> None:
    phone = await phone_of(running, REP1, 540)
    assert (await asked(running, REP1, "GET", "/practice"))[1]["available"] is True
    status, made = await asked(running, REP1, "POST", "/practice/call")
    assert (status, made["did"]) == (202, running.logins[REP1]["number"])
    ring = await phone.incoming(within=5)
    assert ring.caller_number == made["number"]
    await ring.answer()
    await ring.hang_up()
    await phone.stop()


@pytest.mark.covers("A3", "N5")
async def test_the_console_hears_of_the_doctor_and_of_the_demos_notices_what_the_command_line_does(running: Up) -> None:
    admin = "admin@demo.example"
    status, told = await asked(running, admin, "GET", "/doctor")
    assert status == 200 and [each for each in told["items"] if each["state"] == "fail"] == []
    layers = [row["layer"] for row in (await running.run("doctor", "--json")).json]
    assert [each["layer"] for each in told["items"]] == layers
    _, notices = await asked(running, admin, "GET", "/notices")
    assert [each["accepted"]["user_name"] for each in notices["items"]] == [running.logins[admin]["name"]] * 2


async def test_doctor_finds_nothing_bad_while_all_runs(running: Up) -> None:
    done = await running.run("doctor", "--json")
    assert done.code == 0, done.out
    assert {row["layer"] for row in done.json} >= {"config", "disk", "database", "Asterisk", "engine", "trunk", "NAT"}
