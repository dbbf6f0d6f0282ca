"""The scoreboard of what must survive and who stays out: tests marked with ``trust(row)`` give their figures to it.

    @pytest.mark.trust(16)
    async def test_…(measured: Measured) -> None:
        measured(at_most("guesses that are answered before the block", answered, "guesses", 8))

``measured`` fails the test where the figure does not hold. With ``--trust FILE`` every figure is written there as a
JSON line, and a marked test that failed without one stands there as a row that does not hold.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from bench.figures import Figure

Measured = Callable[[Figure], None]
_FIGURES: pytest.StashKey[list[Figure]] = pytest.StashKey()
_LINES: pytest.StashKey[dict[str, list[dict[str, Any]]]] = pytest.StashKey()  # of each test


def line(row: int, figure: Figure) -> dict[str, Any]:
    return {"row": row, **asdict(figure)}


def row_of(item: pytest.Item) -> int | None:
    marker = item.get_closest_marker("trust")
    return int(marker.args[0]) if marker is not None else None


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--trust", metavar="FILE", help="run the tests of the scoreboard alone, their figures into FILE")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_LINES] = {}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.option.trust:
        items[:] = [item for item in items if row_of(item) is not None]


@pytest.fixture
def measured(request: pytest.FixtureRequest) -> Measured:
    """Take a figure of this test; it must hold."""
    taken = request.node.stash.setdefault(_FIGURES, [])

    def take(figure: Figure) -> None:
        taken.append(figure)
        assert figure.holds, f"{figure.name}: {figure.value:g} {figure.unit}, not {figure.bound}"

    return take


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """A test that is tried again replaces what it gave the first time."""
    report = yield
    row = row_of(item)
    if row is None or (report.when != "call" and report.passed):
        return report
    lines = item.config.stash[_LINES].setdefault(item.nodeid, [])
    if report.when != "teardown":
        lines.clear()
    figures = item.stash.get(_FIGURES, [])
    lines += [line(row, figure) for figure in figures]
    if report.failed and all(figure.holds for figure in figures):
        lines.append(line(row, Figure(f"failed: {item.name}", 1, "tests", "<= 0", False)))
    figures.clear()
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    if path := session.config.option.trust:
        lines = [each for lines in session.config.stash[_LINES].values() for each in lines]
        texts = [json.dumps(each) + "\n" for each in sorted(lines, key=lambda each: (each["row"], each["name"]))]
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text("".join(texts))
