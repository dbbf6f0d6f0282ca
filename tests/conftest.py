"""What every test may use."""

from __future__ import annotations

import sys

import pytest

pytest_plugins = ["tests.support.features"]


def pytest_configure(config: pytest.Config) -> None:
    # CPython before 3.11.5 may fail to parse a source while a failure is shown (gh-106905), which ends the whole run.
    if sys.version_info < (3, 11, 5):
        config.option.tbstyle = "native"
