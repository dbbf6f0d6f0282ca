"""Logs that Asterisk appends to are moved aside before they fill the disk."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pbx.adapters.asterisk import log_files
from pbx.adapters.asterisk.embedded.errors import BuildError
from pbx.adapters.asterisk.log_files import KEPT, LogFiles
from tests.support.waiting import until


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_files, "LIMIT", 10)
    monkeypatch.setattr(log_files, "LOOK_EVERY_S", 0.01)


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def test_a_large_log_takes_the_next_name_and_the_oldest_is_let_go(tmp_path: Path) -> None:
    logs, path = LogFiles(tmp_path), tmp_path / "security.log"
    (tmp_path / "messages.log").write_text("small")
    for number in range(KEPT + 2):
        path.write_text(f"this is line {number}")
        assert logs.move_large()
        assert not path.exists()
    assert not logs.move_large()
    assert (tmp_path / "messages.log").read_text() == "small"
    assert names(tmp_path) == ["messages.log", *(f"security.log.{number}" for number in range(1, KEPT + 1))]
    assert (tmp_path / "security.log.1").read_text() == f"this is line {KEPT + 1}"
    assert (tmp_path / f"security.log.{KEPT}").read_text() == "this is line 2"


@pytest.mark.parametrize("name", ["console.log", "ended.log"])
async def test_what_asterisk_does_not_open_anew_or_the_engine_cuts_stays(tmp_path: Path, name: str) -> None:
    asked: list[str] = []
    (tmp_path / name).write_text("more than ten bytes")
    (tmp_path / "security.log").write_text("more than ten bytes")

    async def reopen() -> None:
        asked.append("reopen")

    keeping = asyncio.ensure_future(LogFiles(tmp_path).keep(reopen))
    await until(lambda: asked, 5, "the logs to be opened anew")
    keeping.cancel()
    assert names(tmp_path) == sorted([name, "security.log.1"])


async def test_an_asterisk_that_does_not_answer_is_asked_again(tmp_path: Path) -> None:
    asked: list[int] = []
    (tmp_path / "security.log").write_text("more than ten bytes")

    async def reopen() -> None:
        asked.append(len(names(tmp_path)))
        if len(asked) < 3:
            raise BuildError("Asterisk does not answer.")

    keeping = asyncio.ensure_future(LogFiles(tmp_path).keep(reopen))
    await until(lambda: len(asked) == 3, 5, "the logs to be opened anew")
    await asyncio.sleep(0.1)
    keeping.cancel()
    assert asked == [1, 1, 1], "once done, it is not asked for any more, and no file was moved twice"
