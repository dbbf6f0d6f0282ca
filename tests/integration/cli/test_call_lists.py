"""`pbx list` and `pbx dnc import`: call lists without a console (A1, L1, L5)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.cli.conftest import Run


@pytest.mark.covers("A1", "L1", "L5")
def test_a_list_is_made_filled_from_csv_and_by_a_filter_shown_and_exported(run: Run, tmp_path: Path) -> None:
    file, out = tmp_path / "leads.csv", tmp_path / "out.csv"
    file.write_text("name,phone\nAnn,+12065550150\nBob,+12065550151\n")
    made = run("list", "add", "--name", "Spring", "--preview-s", "5", "--json")
    assert made.code == 0, made.err
    assert (made.json["shared"], made.json["preview_s"]) == (True, 5)
    assert run("import", str(file), "--list", "Spring").code == 0
    entries = run("list", "entries", "Spring", "--json").json["items"]
    assert [(each["name"], each["state"]) for each in entries] == [("Ann", "waiting"), ("Bob", "waiting")]
    filled = run("list", "fill", "Spring", "--kind", "lead", "--json")
    assert filled.json["waiting"] == 2, "each is there once"
    assert run("list", "progress", "Spring", "--json").json["counts"]["waiting"] == 2
    assert run("list", "export", "Spring", str(out)).code == 0 and "Ann" in out.read_text("utf-8-sig")
    assert run("list", "change", "Spring", "--daily-calls", "100", "--json").json["daily_calls"] == 100
    assert run("list", "remove", "Spring").code == 0
    refused = run("list", "show", "Spring")
    assert refused.code == 1 and "no call list" in refused.err


@pytest.mark.covers("A1", "L4")
def test_a_register_of_numbers_is_imported_and_asked_by_the_gate(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "register.txt"
    file.write_text("206,5550150\nnobody at all\n")
    done = run("dnc", "import", str(file), "--name", "Register", "--json")
    assert done.code == 0 and done.json["numbers"] == 1, done.err
    assert [each["name"] for each in run("dnc", "lists", "--json").json] == ["Register"]
    assert run("dnc", "remove-list", "Register").code == 0
    assert run("dnc", "lists", "--json").json == []
