"""A bar for long steps: one line that moves on a terminal, a line for each new sentence elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

Tell = Callable[[float, str], None]
"""Called with the fraction done (0 to 1) and what goes on now."""


@contextmanager
def bar(what: str) -> Iterator[Tell]:
    """Show progress on stderr while the block runs; gone without a trace if nothing was told."""
    if sys.stderr.isatty():
        with _moving(what) as tell:
            yield tell
    else:
        yield _Lines()


@contextmanager
def _moving(what: str) -> Iterator[Tell]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.fields[what]}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=1.0, what=what, visible=False)

        def tell(fraction: float, sentence: str) -> None:
            progress.update(task, completed=fraction, description=sentence, visible=True)

        yield tell


class _Lines:
    """Each new sentence once."""

    def __init__(self) -> None:
        self._last = ""

    def __call__(self, fraction: float, sentence: str) -> None:
        if sentence != self._last:
            self._last = sentence
            click.echo(f"{fraction:4.0%}  {sentence}", err=True)
