"""The command line itself: every command is there, starts at once, and says what is wrong in one sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from pbx.cli import main
from pbx.cli.main import COMMANDS, cli


def commands() -> list[tuple[str, ...]]:
    """Every command and sub-command, by its words."""
    found: list[tuple[str, ...]] = []
    for name in COMMANDS:
        found.append((name,))
        command = cli.get_command(click.Context(cli), name)
        if isinstance(command, click.Group):
            found += [(name, each) for each in command.commands]
    return found


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SWITCHHOOK_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_explains_itself(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run([*words, "--help"]) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"Usage: pbx {' '.join(words)}")
    assert len(text.splitlines()) > 4


@pytest.mark.covers("A1")
@pytest.mark.parametrize("noun", ["user", "number", "device", "trunk", "group", "setting", "dnc", "token"])
def test_everything_an_admin_keeps_is_added_listed_shown_changed_and_removed(noun: str) -> None:
    command = cli.get_command(click.Context(cli), noun)
    assert isinstance(command, click.Group)
    assert {"add", "list", "show", "change", "remove"} <= set(command.commands)
    for each in command.commands.values():
        assert any("--json" in parameter.opts for parameter in each.params), each.name


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["nothing"], "No such command"),
        (["user", "nothing"], "No such command"),
        (["user", "add"], "--email"),
        (["user", "list", "--rol", "rep"], "Did you mean '--role'? See"),
        (["user", "change", "a@x.example", "--ring-time", "soon"], "“soon” is not a whole number"),
        (["user", "change", "a@x.example"], "Nothing to change"),
        (["user", "list", "--role", "king"], "king"),
        (["calls", "--limit", "0"], "limit"),
        (["import", "nowhere.csv"], "nowhere.csv"),
    ],
)
def test_wrong_usage_is_one_sentence_and_exit_code_2(
    words: list[str], part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(words) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert part in told.err and "--help" in told.err
    assert told.err.strip().count("\n") == 0


@pytest.mark.parametrize(
    "words", [["user", "list"], ["calls"], ["user", "add", "--email", "a@x.example", "--name", "A"]]
)
def test_a_home_without_a_database_is_said_and_nothing_is_made(
    words: list[str], home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(words) == 1
    assert "pbx migrate" in capsys.readouterr().err
    assert not home.exists()


def test_a_wrong_configuration_is_one_sentence(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SWITCHHOOK_HTTP_PORT", "many")
    assert main.run(["user", "list"]) == 1
    told = capsys.readouterr().err
    assert "http_port" in told and told.strip().count("\n") == 0


def test_a_home_that_cannot_be_written_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["--home", "/proc/nowhere", "migrate"]) == 1
    told = capsys.readouterr().err
    assert "Traceback" not in told and told.strip().count("\n") == 0


def test_help_is_there_before_one_has_waited() -> None:
    """Measured in the processor's time: what else this machine does is not ours. It reads next to nothing."""

    def once() -> float:
        began = os.times()
        subprocess.run([sys.executable, "-m", "pbx.cli", "--help"], check=True, capture_output=True)
        ended = os.times()
        return ended.children_user - began.children_user + ended.children_system - began.children_system

    fastest = min(once() for _ in range(5))
    assert fastest < 0.3, f"{fastest:.3f} s"


def test_the_start_loads_neither_the_store_nor_the_web() -> None:
    script = (
        "import sys, pbx.cli.main; print([m for m in ('sqlalchemy', 'aiohttp', 'rich', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
