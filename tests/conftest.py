"""What every test may use."""

from __future__ import annotations

import os
import sys

# Before numpy is there: its threads wait for one another by spinning, and where the processors are taken, listening for
# a tone then takes thirty times as long (measured: 60 ms instead of 2) and holds up the phones that share the loop.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import hypothesis  # noqa: F401  its plugin would import it in the last moment of the run, and rewrite all of it
import pytest

pytest_plugins = ["tests.support.features", "tests.support.trust"]


def pytest_configure(config: pytest.Config) -> None:
    # CPython before 3.11.5 may fail to parse a source while a failure is shown (gh-106905), which ends the whole run.
    if sys.version_info < (3, 11, 5):
        config.option.tbstyle = "native"
