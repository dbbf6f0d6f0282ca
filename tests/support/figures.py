"""Figures that tests have measured in passing: they stand at the end of the run, whether the tests pass or not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Figure = Callable[[str], None]
_FIGURES: list[str] = []


@pytest.fixture
def figure() -> Figure:
    """Take a sentence with a figure."""
    return _FIGURES.append


def pytest_sessionfinish(session: pytest.Session) -> None:
    if (output := getattr(session.config, "workeroutput", None)) is not None:
        output["figures"] = _FIGURES


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Of several workers each has measured its own."""
    _FIGURES.extend(getattr(node, "workeroutput", {}).get("figures", []))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _FIGURES:
        terminalreporter.section("measured in the console")
        terminalreporter.write_line("\n".join(_FIGURES))
