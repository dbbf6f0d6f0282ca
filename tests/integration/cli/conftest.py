"""The command line on a real store; no engine runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pbx.cli import main
from tests.support.free_ports import free_port
from tests.support.stores import postgres_cluster, shared_postgres, sqlite_template, store_url

__all__ = ["postgres_cluster", "run", "shared_postgres", "sqlite_template", "store_url"]


@dataclass
class Done:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Done]


@pytest.fixture
def run(store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command as `pbx` would, on each database."""
    monkeypatch.setenv("SWITCHHOOK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SWITCHHOOK_HTTP_PORT", str(free_port()))
    monkeypatch.setenv("SWITCHHOOK_DATABASE_URL", store_url)

    def command(*words: str) -> Done:
        capsys.readouterr()
        code = main.run(list(words))
        told = capsys.readouterr()
        return Done(code, told.out, told.err)

    return command
