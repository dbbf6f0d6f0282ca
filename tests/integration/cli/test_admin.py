"""What an admin does with `pbx`: users, numbers, devices, trunks, groups, settings, tokens (A1, N1, N3)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from crm.services import users
from crm.unit_of_work import Store
from tests.integration.cli.conftest import Done, Run

pytestmark = pytest.mark.covers("A1")


def one_sentence(done: Done) -> str:
    assert done.code == 1 and done.out == "", done
    assert done.err.strip().count("\n") == 0 and done.err.strip().endswith((".", "?")), done.err
    return done.err


def add_user(run: Run, name: str = "ann") -> str:
    done = run("user", "add", "--email", f"{name}@x.example", "--name", name.title(), "--json")
    assert done.code == 0, done.err
    return str(done.json["id"])


def test_a_user_is_added_shown_changed_listed_and_removed(run: Run) -> None:
    made = run("user", "add", "--email", "ann@x.example", "--name", "Ann Bell", "--role", "admin", "--json").json
    assert run("user", "show", "ANN@x.example", "--json").json == made
    changed = run("user", "change", made["id"], "--ring-time", "40", "--no-voicemail", "--json").json
    assert (changed["ring_time_s"], changed["voicemail_enabled"]) == (40, False)
    add_user(run, "bob")
    assert [row["name"] for row in run("user", "list", "--json").json] == ["Ann Bell", "Bob"]
    assert [row["name"] for row in run("user", "list", "--role", "rep", "--json").json] == ["Bob"]
    assert run("user", "remove", "bob@x.example").code == 0
    assert "no user" in one_sentence(run("user", "show", "bob@x.example"))


@pytest.mark.covers("I7")
def test_with_the_user_goes_the_greeting(run: Run, store_url: str, tmp_path: Path) -> None:
    user = add_user(run)
    recorded = tmp_path / "home/greetings/greeting_of_ann.wav16"
    recorded.parent.mkdir(parents=True)
    recorded.write_bytes(b"sound")
    asyncio.run(_greet(store_url, user, "greeting_of_ann"))
    assert run("user", "remove", "ann@x.example").code == 0
    assert not recorded.exists()


async def _greet(store_url: str, user: str, greeting: str) -> None:
    store = Store(store_url)
    async with store.write() as work:
        await users.set_greeting(work, user, greeting)
    await store.close()


def test_the_last_admin_stays(run: Run) -> None:
    run("user", "add", "--email", "ann@x.example", "--name", "Ann", "--role", "admin")
    assert "last active admin" in one_sentence(run("user", "remove", "ann@x.example"))


@pytest.mark.covers("I4")
def test_none_empties_a_field(run: Run) -> None:
    add_user(run)
    set_to = run("user", "change", "ann@x.example", "--forwarding-number", "(206) 555-0130", "--json").json
    assert set_to["forwarding_number"] == "+12065550130"
    emptied = run(
        "user", "change", "ann@x.example", "--forwarding-number", "none", "--max-calls", "none", "--json"
    ).json
    assert (emptied["forwarding_number"], emptied["max_concurrent"]) == (None, None)


@pytest.mark.covers("N1")
def test_a_number_has_one_user_and_a_user_one_number(run: Run) -> None:
    ann, _ = add_user(run), add_user(run, "bob")
    made = run("number", "add", "--number", "415-555-0101", "--user", "ann@x.example", "--json").json
    assert (made["e164"], made["user_id"]) == ("+14155550101", ann)
    assert "already" in one_sentence(run("number", "add", "--number", "+1 415 555 0101"))
    second = run("number", "add", "--number", "+14155550102", "--user", "ann@x.example")
    assert "has the number" in one_sentence(second)
    assert "Ann" in one_sentence(run("number", "change", "+14155550101", "--user", "bob@x.example"))
    assert run("number", "change", "+14155550101", "--user", "none").code == 0
    assert run("number", "change", "+14155550101", "--user", "bob@x.example", "--json").json["e164"] == "+14155550101"
    assert run("number", "list", "--free", "--json").json == []


@pytest.mark.covers("N3")
def test_a_number_shows_what_it_can_do_and_where_it_is(run: Run) -> None:
    made = run("number", "add", "--number", "+81312345678", "--no-sms", "--label", "Tokyo", "--json").json
    assert (made["country"], made["voice"], made["sms"]) == ("JP", True, False)
    assert "JP" in run("number", "list").out


@pytest.mark.parametrize(
    "number", ["", "abc", "12", "+1206555015012345678", "';DROP TABLE users;--", "8102%40internal"]
)
def test_what_is_no_number_is_refused_in_a_sentence(run: Run, number: str) -> None:
    assert "Traceback" not in one_sentence(run("number", "add", "--number", number))


def test_a_devices_secret_is_shown_once_and_renewed(run: Run) -> None:
    add_user(run)
    made = run("device", "add", "--user", "ann@x.example", "--transport", "tls", "--json").json
    assert len(made["secret"]) >= 20 and made["id"].startswith("d")
    shown = run("device", "show", made["id"], "--json").json
    assert "secret" not in shown and "ha1" not in shown
    renewed = run("device", "renew-secret", made["id"], "--json").json
    assert renewed["id"] == made["id"] and renewed["secret"] != made["secret"]
    assert run("device", "change", made["id"], "--no-enabled", "--json").json["enabled"] is False
    assert [row["id"] for row in run("device", "list", "--user", "ann@x.example", "--json").json] == [made["id"]]
    assert run("device", "remove", made["id"]).code == 0


def test_a_trunks_secret_comes_from_a_file_and_is_never_shown(run: Run, tmp_path) -> None:  # type: ignore[no-untyped-def]
    secret = tmp_path / "secret"
    secret.write_text("correct-horse-battery-staple\n")
    words = ("--name", "Carrier", "--host", "sip.example.net", "--mode", "register", "--username", "us")
    words = (*words, "--accept-notice")
    made = run("trunk", "add", *words, "--secret-file", str(secret), "--codec", "alaw", "--codec", "ulaw", "--json")
    assert made.code == 0, made.err
    assert made.json["codecs"] == ["alaw", "ulaw"] and "correct-horse" not in made.out
    assert run("trunk", "change", "Carrier", "--priority", "3", "--max-channels", "10", "--json").json["priority"] == 3
    assert "correct-horse" not in run("trunk", "list").out + run("trunk", "show", "Carrier").out
    assert "Carrier" in run("trunk", "remove", "Carrier", "--json").out


def test_a_group_keeps_the_order_of_its_members(run: Run) -> None:
    ann, bob = add_user(run), add_user(run, "bob")
    words = ("--member", "bob@x.example", "--member", "ann@x.example")
    assert run("group", "add", "--name", "Support", *words, "--json").json["members"] == [bob, ann]
    assert run("group", "change", "Support", "--member", "none", "--json").json["members"] == []


def test_settings_have_defaults_and_go_back_to_them(run: Run) -> None:
    assert len(run("setting", "list", "--json").json) > 10
    assert run("setting", "list", "--changed", "--json").json == []
    assert run("setting", "change", "gate.allow_countries", "US,JP", "--json").json["value"] == ["US", "JP"]
    assert run("setting", "show", "recording.enabled", "--json").json["value"] is False
    assert "notice" in one_sentence(run("setting", "change", "recording.enabled", "on"))
    accepting = ("setting", "change", "recording.enabled", "on", "--accept-notice", "--json")
    assert run(*accepting).json["value"] is True
    assert "on or off" in one_sentence(run("setting", "change", "recording.enabled", "perhaps"))
    assert "no setting" in one_sentence(run("setting", "change", "no.such", "1"))
    assert run("setting", "remove", "gate.allow_countries", "--json").json["value"] == []


def test_the_do_not_call_list_comes_in_pages(run: Run) -> None:
    for last in range(5):
        assert run("dnc", "add", "--number", f"+1206555010{last}", "--reason", "asked").code == 0
    first = run("dnc", "list", "--limit", "3", "--json").json
    second = run("dnc", "list", "--limit", "3", "--cursor", first["next_cursor"], "--json").json
    assert len(first["items"]) == 3 and len(second["items"]) == 2 and second["next_cursor"] is None
    assert "cursor" in one_sentence(run("dnc", "list", "--cursor", "nonsense"))


@pytest.mark.covers("A5")
def test_a_token_has_scopes_and_its_secret_is_shown_once(run: Run) -> None:
    add_user(run)
    words = ("--user", "ann@x.example", "--name", "Reports", "--scope", "calls:read", "--expires-in-days", "30")
    made = run("token", "add", *words, "--json").json
    assert made["scopes"] == ["calls:read"] and len(made["secret"]) >= 20 and made["expires_us"]
    assert "secret" not in run("token", "show", made["id"], "--json").json
    refused = run("token", "add", "--user", "ann@x.example", "--name", "x", "--scope", "everything")
    assert "scopes" in one_sentence(refused)


def test_a_password_is_generated_and_shown_once_or_read_from_a_file(run: Run, tmp_path) -> None:  # type: ignore[no-untyped-def]
    add_user(run)
    made = run("user", "password", "ann@x.example", "--json").json
    assert len(made["password"]) >= 20
    own = tmp_path / "password"
    own.write_text("a long enough password\n")
    done = run("user", "password", "ann@x.example", "--file", str(own))
    assert done.code == 0 and "long enough" not in done.out + done.err


@pytest.mark.covers("P5")
def test_the_gate_says_why_not(run: Run) -> None:
    add_user(run)
    run("number", "add", "--number", "+14155550101", "--user", "ann@x.example")
    run("trunk", "add", "--name", "Carrier", "--host", "192.0.2.1", "--accept-notice")

    def reason(number: str) -> tuple[int, str]:
        done = run("gate", "check", number, "--as", "ann@x.example", "--json")
        return done.code, done.json["reason"]

    assert reason("+12065550150") == (0, "allowed")
    assert reason("911") == (0, "emergency")
    assert reason("+19005551234") == (1, "premium_denied")
    assert reason("abc") == (1, "invalid_number")
    run("dnc", "add", "--number", "+12065550150")
    assert reason("+12065550150") == (1, "do_not_call")
    run("user", "change", "ann@x.example", "--no-may-call")
    assert reason("+12065550151") == (1, "no_right")
    assert reason("911") == (0, "emergency")


HOSTILE = ["\x1b[31mred", "a\nb", "\u202eevil", "[bold]x[/bold]", "x" * 5000, "${EXEN}", "🙂", "\udcff", "%s%n"]


@pytest.mark.covers("TRUST17")
@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_in_any_field_is_kept_whole_or_refused_in_a_sentence(run: Run, text: str) -> None:
    for words in (
        ("user", "add", "--email", "ann@x.example", "--name", text),
        ("user", "add", "--email", text, "--name", "Ann"),
        ("user", "show", text),
        ("number", "show", text),
        ("number", "add", "--number", text),
        ("device", "show", text),
        ("trunk", "show", text),
        ("trunk", "add", "--name", "T", "--host", text),
        ("group", "add", "--name", text),
        ("setting", "change", "organisation.name", text),
        ("call", "show", text),
        ("gate", "check", text, "--as", "nobody@x.example"),
    ):
        done = run(*words)
        assert done.code in (0, 1), words
        assert "\x1b" not in done.out + done.err
        if done.code:
            one_sentence(done)
    assert run("user", "list").code == 0


@pytest.mark.covers("TRUST16")
def test_an_address_is_blocked_listed_and_let_in_again(run: Run) -> None:
    assert "never blocked" in one_sentence(run("block", "add", "127.0.0.1"))
    run("setting", "change", "block.trusted_networks", "198.51.100.0/24")
    assert "trusted" in one_sentence(run("block", "add", "198.51.100.7"))
    made = run("block", "add", "192.0.2.7/32", "--minutes", "5", "--reason", "scanner", "--json").json
    assert (made["address"], made["source"], made["reason"]) == ("192.0.2.7", "hand", "scanner")
    assert "already" in one_sentence(run("block", "add", "192.0.2.7"))
    run("block", "add", "2001:db8::/48")
    assert {row["address"] for row in run("block", "list", "--json").json} == {"192.0.2.7", "2001:db8::/48"}
    assert run("block", "remove", "192.0.2.7").out == "Removed.\n"
    assert "no block" in one_sentence(run("block", "remove", "192.0.2.7"))
    assert run("block", "remove").code == 2 and run("block", "remove", "192.0.2.7", "--all").code == 2
    assert run("block", "remove", "--all", "--json").json == {"removed": 1}


@pytest.mark.covers("A4")
def test_alerts_are_asked_of_the_engine_and_without_one_that_is_said(run: Run) -> None:
    assert "no admin" in one_sentence(run("alert", "list"))
    run("user", "add", "--email", "ann@x.example", "--name", "Ann", "--role", "admin")
    assert "No engine answers" in one_sentence(run("alert", "list"))


@pytest.mark.covers("S2")
def test_an_admin_defines_what_calls_can_come_to(run: Run) -> None:
    made = run("outcome", "add", "--name", "Connected", "--colour", "#16a34a", "--key", "1", "--json").json
    assert "key" in one_sentence(run("outcome", "add", "--name", "Left message", "--key", "1"))
    assert run("outcome", "change", "Connected", "--key", "none", "--no-active", "--json").json["active"] is False
    assert [row["id"] for row in run("outcome", "list", "--json").json] == [made["id"]]
    assert run("outcome", "show", made["id"], "--json").json["key"] is None
    assert run("outcome", "remove", "Connected").code == 0


@pytest.mark.covers("V11")
def test_a_script_is_read_from_a_file_and_an_unknown_field_is_named(run: Run, tmp_path: Path) -> None:
    body = tmp_path / "script.md"
    body.write_text("# Hello\nThis is {{user.name}}.\n")
    words = ("script", "add", "--name", "First", "--body", str(body), "--direction", "outbound", "--json")
    assert run(*words).json["body"] == "# Hello\nThis is {{user.name}}."
    assert [row["name"] for row in run("script", "list", "--json").json] == ["First"]
    assert run("script", "change", "First", "--no-active", "--json").json["active"] is False
    body.write_bytes(b"\xff\xfe{{contact.nmae}}")
    assert "character" in one_sentence(run("script", "change", "First", "--body", str(body)))
    body.write_text("{{contact.nmae}}")
    assert "contact.nmae" in one_sentence(run("script", "change", "First", "--body", str(body)))
    assert run("script", "remove", "First").code == 0
    assert "no script" in one_sentence(run("script", "show", "First"))
