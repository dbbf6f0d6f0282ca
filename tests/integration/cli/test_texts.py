"""`pbx text` without an engine: transports, templates, opt-outs, registration (T5, T7, T8, A1)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.cli.conftest import Run


@pytest.mark.covers("T5", "A1")
def test_a_transport_is_added_with_its_secret_changed_and_removed(run: Run, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("hidden\n")
    run("number", "add", "--number", "+14155550101")
    made = run(
        *("text", "transport", "add", "--name", "Carrier", "--kind", "smpp", "--option", "host=smsc.example.com"),
        *("--option", "system_id=ours", "--option", "port=2776", "--secret-file", f"password={secret}"),
        *("--number", "+14155550101", "--json"),
    )
    assert made.code == 0, made.err
    assert made.json["options"]["port"] == 2776 and made.json["options"]["window"] == 10
    assert made.json["secret_names"] == ["password"] and "hidden" not in made.out
    assert made.json["numbers"] == ["+14155550101"]
    changed = run("text", "transport", "change", "Carrier", "--option", "window=5", "--number", "none", "--json")
    assert changed.json["options"]["window"] == 5 and changed.json["options"]["port"] == 2776
    assert changed.json["numbers"] == [] and changed.json["secret_names"] == ["password"]
    refused = run("text", "transport", "add", "--name", "Other", "--kind", "smpp")
    assert refused.code == 1 and "host" in refused.err
    wrong = run("text", "transport", "change", "Carrier", "--option", "colour=red")
    assert wrong.code == 1 and "options.colour" in wrong.err
    assert run("text", "transport", "remove", "Carrier").code == 0
    assert run("text", "transport", "list", "--json").json == []


@pytest.mark.covers("T7", "A1")
def test_who_wants_no_texts_is_added_listed_in_pages_and_taken_out(run: Run) -> None:
    for last in range(3):
        assert run("text", "opt-out", "add", f"(206) 555-015{last}", "--detail", "by mail").code == 0
    first = run("text", "opt-out", "list", "--limit", "2", "--json").json
    rest = run("text", "opt-out", "list", "--cursor", first["next_cursor"], "--json").json
    assert len(first["items"]) == 2 and len(rest["items"]) == 1 and rest["next_cursor"] is None
    assert first["items"][0]["source"] == "cli" and first["items"][0]["detail"] == "by mail"
    assert run("text", "opt-out", "remove", "+12065550151").code == 0
    assert run("text", "opt-out", "remove", "+12065550151").code == 1


@pytest.mark.covers("T1", "A1")
def test_templates_are_kept_in_their_order_and_know_their_fields(run: Run, tmp_path: Path) -> None:
    body = tmp_path / "body.txt"
    body.write_text("Hello {{contact.name}} 👋")
    assert run("text", "template", "add", "--name", "Hello", "--body", str(body)).code == 0
    assert run("text", "template", "list", "--json").json[0]["body"] == "Hello {{contact.name}} 👋"
    body.write_text("{{contact.nmae}}")
    assert "contact.nmae" in run("text", "template", "add", "--name", "Bad", "--body", str(body)).err


@pytest.mark.covers("T8", "A1")
def test_a_campaign_is_submitted_only_with_all_that_the_registry_asks_and_exported(run: Run) -> None:
    assert run("text", "brand", "add", "--name", "Marcom", "--detail", "entityType=SOLE_PROPRIETOR").code == 0
    refused = run("text", "brand", "change", "Marcom", "--state", "submitted")
    assert refused.code == 1 and "firstName" in refused.err and "companyName" not in refused.err
    told = {
        **dict.fromkeys(("displayName", "firstName", "lastName", "street", "city", "state", "postalCode"), "Words"),
        **{"country": "US", "email": "a@x.example", "phone": "+12065550150", "mobilePhone": "+12065550150"},
        "vertical": "RETAIL",
    }
    details = [word for name, value in told.items() for word in ("--detail", f"{name}={value}")]
    done = run("text", "brand", "change", "Marcom", "--state", "verified", *details)
    assert done.code == 0, done.err
    run("number", "add", "--number", "+14155550101")
    said = ("description", "messageFlow", "sample1", "optinMessage", "optoutMessage", "helpMessage")
    details = [word for name in said for word in ("--detail", f"{name}=Words")]
    made = run(
        *("text", "campaign", "add", "--name", "Care", "--brand", "Marcom", "--message-class", "W"),
        *("--use-case", "SOLE_PROPRIETOR", "--state", "submitted", "--number", "+14155550101", *details),
    )
    assert made.code == 0, made.err
    assert "message classes" in run("text", "campaign", "change", "Care", "--message-class", "Q").err
    [brand] = run("text", "export-registration").json["brands"]
    assert (brand["firstName"], brand["campaigns"][0]["usecase"]) == ("Words", "SOLE_PROPRIETOR")
    assert brand["campaigns"][0]["phoneNumbers"] == ["+14155550101"]
    assert run("text", "brand", "remove", "Marcom").code == 1


def test_nothing_stands_in_an_empty_log(run: Run) -> None:
    assert run("text", "list", "--json").json == {"items": [], "next_cursor": None}
    assert run("text", "conversations", "--unread", "--json").json == {"items": [], "next_cursor": None}
    assert run("text", "show", "txt_none").code == 1
