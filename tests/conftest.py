"""What every test may use."""

from __future__ import annotations

import sys

import hypothesis  # noqa: F401  its plugin would import it in the last moment of the run, and rewrite all of it
import pytest

pytest_plugins = ["tests.support.features", "tests.support.trust"]


def pytest_configure(config: pytest.Config) -> None:
    # CPython before 3.11.5 may fail to parse a source while a failure is shown (gh-106905), which ends the whole run.
    if sys.version_info < (3, 11, 5):
        config.option.tbstyle = "native"
