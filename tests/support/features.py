"""Which lines of the product contract have a test: the `covers` marker, and the report of `make features`.

The lines stand in docs/features.txt. A marker that names a line which is not there stops the run: a typing
error would otherwise count as covered nowhere and be missed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

_MISSING = "# still missing: "
LIST = Path(__file__).resolve().parents[2] / "docs" / "features.txt"


def lines(text: str) -> dict[str, str]:
    """Number and title of each line, in the order of the file."""
    rows = (row.split(" ", 1) for row in text.splitlines() if row and not row.startswith("#"))
    return {number: title for number, title in rows}


def covered_by(items: Iterable[pytest.Item]) -> Iterator[tuple[str, str]]:
    """Each (line, test) that a marker names; a test with parameters counts once."""
    seen = set()
    for item in items:
        name = re.sub(r"\[.*\]$", "", item.nodeid, flags=re.DOTALL)
        for marker in item.iter_markers("covers"):
            for line in marker.args:
                if (line, name) not in seen:
                    seen.add((line, name))
                    yield line, name


def missing(text: str) -> dict[str, str]:
    """What a line with tests still lacks, as ``# still missing: V11 the script`` says below the list's head."""
    rows = (row.removeprefix(_MISSING) for row in text.splitlines() if row.startswith(_MISSING))
    return {number: what for number, what in (row.split(" ", 1) for row in rows)}


def report(
    known: Mapping[str, str], covered: Iterable[tuple[str, str]], lacking: Mapping[str, str] = MappingProxyType({})
) -> str:
    """One paragraph for each line: number, `covered` or `open`, title, and below it its tests.

    A line of which a part is missing is open, whatever tests there are for the rest.
    """
    tests: dict[str, list[str]] = {number: [] for number in known}
    for number, test in covered:
        tests[number].append(test)
    rows = []
    for number, title in known.items():
        state = "covered" if tests[number] and number not in lacking else "open"
        rows.append(f"{number:<8} {state:<8} {title}")
        if number in lacking:
            rows.append(f"{'':<17} still missing: {lacking[number]}")
        rows += [f"{'':<17} {test}" for test in tests[number]]
    done = sum(1 for number, names in tests.items() if names and number not in lacking)
    return "\n".join([*rows, "", f"{done} of {len(tests)} lines are covered by tests."])


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--features", action="store_true", help="print which line of the contract has which tests")


def pytest_configure(config: pytest.Config) -> None:
    if config.option.features:
        config.option.collectonly = True


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    known = lines(LIST.read_text())
    for number, test in covered_by(items):
        if number not in known:
            raise pytest.UsageError(f"{test} is marked to cover “{number}”, which is no line of docs/features.txt.")


@pytest.hookimpl(tryfirst=True)
def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Without pytest's terminal (as `make features` runs it) nobody else says what could not be collected."""
    if report.failed:
        _failures.append(f"{report.nodeid} cannot be collected, so its tests are not counted:\n{report.longreprtext}")


_failures: list[str] = []


def pytest_collection_finish(session: pytest.Session) -> None:
    if session.config.option.features:
        text = LIST.read_text()
        print(report(lines(text), covered_by(session.items), missing(text)))
        print(*_failures, sep="\n", end="" if not _failures else "\n")
