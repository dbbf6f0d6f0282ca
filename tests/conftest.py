"""What every test may use."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from zlib import crc32

# Before numpy is there: its threads wait for one another by spinning, and where the processors are taken, listening for
# a tone then takes thirty times as long (measured: 60 ms instead of 2) and holds up the phones that share the loop.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ["LC_ALL"] = "C.UTF-8"  # tests read the command line in English, wherever they run

import hypothesis  # noqa: F401  its plugin would import it in the last moment of the run, and rewrite all of it
import pytest

TESTS = Path(__file__).parent
pytest_plugins = ["tests.support.alone", "tests.support.features", "tests.support.figures", "tests.support.trust"]


def pytest_configure(config: pytest.Config) -> None:
    # CPython before 3.11.5 may fail to parse a source while a failure is shown (gh-106905), which ends the whole run.
    if sys.version_info < (3, 11, 5):
        config.option.tbstyle = "native"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Several workers take the files in this order: first those whose ears and phones wait in real time and leave the
    processors to one another; then those with a browser, which want them; last those that fill what is left."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: _turn(item.path.relative_to(TESTS)))


def pytest_collection_finish() -> None:
    """Thousands of tests were read, and stay: looking through them for garbage stops whatever is measured, by up to
    0.9 s where others want the processor, too."""
    gc.collect()
    gc.freeze()


def _turn(path: Path) -> tuple[int, int]:
    kind = 1 if path.parts[1] == "console" else {"live": 0, "integration": 2, "unit": 3}[path.parts[0]]
    return kind, crc32(str(path).encode()) if kind == 0 else 0
