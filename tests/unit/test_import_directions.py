"""Who may import whom: `bootstrap -> {web, cli, adapters} -> services -> core`, and `crm` nothing of `pbx`."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.house import ROOT

INNER = {"core", "services"}
MAY_IMPORT = {
    "core": {"core"},
    "services": {*INNER, "config"},
    "adapters": {*INNER, "config", "adapters"},
    "web": {*INNER, "config", "web"},
    "supervisor": {*INNER, "config", "adapters", "supervisor"},
    "cli": {*INNER, "config", "adapters", "supervisor", "cli"},
    "config": set[str](),
    "bootstrap": {*INNER, "config", "logging", "adapters", "supervisor", "web", "bootstrap"},
    "serving": {"config", "logging", "adapters", "bootstrap"},
}
STARTS_THE_ENGINE = {"pbx/cli/serve.py"}  # the one way up: a command has to start it
ONLY_IN = {
    "sqlalchemy": ("crm/",),
    "alembic": ("crm/",),
    "asyncpg": ("crm/",),
    "aiosqlite": ("crm/",),
    "aiohttp": ("pbx/adapters/", "pbx/web/", "pbx/bootstrap.py"),
    "panoramisk": ("pbx/adapters/",),
    "click": ("pbx/cli/",),
    "rich": ("pbx/cli/",),
}
IMPURE = {
    *("asyncio", "logging", "os", "pathlib", "random", "secrets", "signal", "socket", "subprocess"),
    *("threading", "time", "uuid", "shutil", "tempfile", "structlog"),
}


def sources() -> list[Path]:
    return sorted([*(ROOT / "pbx").rglob("*.py"), *(ROOT / "crm").rglob("*.py")])


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            # `from pbx import config` names a part of pbx as much as `from pbx.config import Config`
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def part_of(name: str) -> str:
    """`adapters` for pbx.adapters.asterisk.ari."""
    return name.split(".")[1] if "." in name else ""


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_inwards_only(path: Path) -> None:
    name = path.relative_to(ROOT).as_posix()
    wrong = [wanted for wanted in imports(path) if _refused(name, wanted)]
    assert not wrong, f"{name} may not import {wrong}"


def _refused(name: str, wanted: str) -> bool:
    package = wanted.split(".")[0]
    if package in ONLY_IN:
        return not name.startswith(ONLY_IN[package])
    if name.startswith("crm/"):
        return package == "pbx"
    part = part_of(name.removesuffix(".py").replace("/", "."))
    if part == "core" and package == "crm":
        return True
    if package != "pbx" or not part_of(wanted) or part == "__init__":
        return False
    if name in STARTS_THE_ENGINE and part_of(wanted) == "serving":
        return False
    return part_of(wanted) not in MAY_IMPORT[part]


def test_the_core_does_no_input_output_and_asks_no_clock() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {wanted}"
        for path in (ROOT / "pbx" / "core").rglob("*.py")
        for wanted in imports(path)
        if wanted.split(".")[0] in IMPURE or wanted.split(".")[0] not in {*sys.stdlib_module_names, "pbx"}
    ]
    assert not wrong
