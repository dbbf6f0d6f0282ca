"""`pbx node`, and what other commands say where the configuration names several Asterisks (A8)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pbx.cli import main
from pbx.supervisor import doctor, health

pytestmark = pytest.mark.covers("A8")

NODES = "a=127.0.0.2, b=203.0.113.9"
KNOWN = {
    "name": "a",
    "address": "127.0.0.2",
    "linked": True,
    "calls": 3,
    "version": "22.10.1",
    "overloaded": False,
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "config.toml").write_text(f'nodes = "{NODES}"\n')
    monkeypatch.setenv("LC_ALL", "C")
    return tmp_path


def pbx(home: Path, *words: str) -> int:
    return main.run(["--home", str(home), *words])


def test_nodes_are_listed_with_what_the_engine_knows_of_them(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(health, "ready", lambda config: {"nodes": [KNOWN]})
    assert pbx(home, "node", "list", "--json") == 1, "one of them is not linked"
    rows: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    assert rows[0] == KNOWN
    assert rows[1] == {"name": "b", "address": "203.0.113.9", "linked": False, "calls": None, "version": ""}


def test_without_an_engine_they_are_listed_all_the_same(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(health, "ready", lambda config: None)
    assert pbx(home, "node", "list") == 1
    told = capsys.readouterr()
    assert "127.0.0.2" in told.out and "No engine answers" in told.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("node", "run", "c"), "There is no node “c”: the configuration names a, b."),
        (("node", "run", "b"), "203.0.113.9, which this machine has not: run it there"),
        (("up",), "run “pbx node run NAME” on the machine of each, and “pbx serve” on one of them"),
        (("asterisk", "run"), "run “pbx node run NAME”"),
        (("logs", "asterisk", "--node", "c"), "There is no node “c”"),
    ],
)
def test_what_cannot_be_done_here_says_what_can(
    home: Path, words: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert pbx(home, *words) == 1
    assert told in capsys.readouterr().err


def test_where_there_is_one_asterisk_it_is_said_how_to_have_several(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert pbx(tmp_path, "node", "list") == 1
    assert "nodes = " in capsys.readouterr().err


def test_the_doctor_tells_of_each_node() -> None:
    away = {**KNOWN, "name": "b", "address": "203.0.113.9", "linked": False}
    busy = {**KNOWN, "name": "c", "overloaded": True}
    found = list(doctor._nodes({"nodes": [KNOWN, away, busy]}))
    assert [each.state for each in found] == ["ok", "fail", "warn"]
    assert "pbx node run b" in found[1].remedy
    assert not list(doctor._nodes({}))
