"""``make trust``: the scoreboard, row by row: what was promised, what was measured, whether it holds.

The figures come from the tests that are marked ``trust(row)`` and from the commands in ``PARTS``; they are kept in
build/trust.jsonl. A row of which nothing was measured is open, never held.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench import flood, guessing, soak, sockets
from bench.figures import Figure
from tests.support.features import LIST, lines
from tests.support.trust import line

OUTPUT = Path(__file__).parent.parent / "build" / "trust.jsonl"
PARTS: Mapping[int, Callable[[], Awaitable[list[Figure]]]] = {
    11: soak.figures,
    13: flood.figures,
    14: sockets.figures,
    16: guessing.figures,
}
"""Rows that are measured by a command of their own."""

_PLAIN_WIDTH = 140  # where nobody looks: a pipe or a file

Line = Mapping[str, Any]


def promises(text: str) -> dict[int, str]:
    """Number and promise of each row."""
    return {int(name.removeprefix("TRUST")): title for name, title in lines(text).items() if name.startswith("TRUST")}


def state(found: Iterable[Line]) -> str:
    """Of a row, from its figures; what is only shown, without a bound, holds nothing."""
    bound = [each for each in found if each["bound"]]
    if not bound:
        return "open"
    return "holds" if all(each["holds"] for each in bound) else "DOES NOT HOLD"


def table(rows: Mapping[int, str], found: Iterable[Line]) -> tuple[Table, dict[int, str]]:
    made, states = Table("row", "promise", "measured", "", show_lines=True), {}
    figures = list(found)
    for row, promise in rows.items():
        mine = [each for each in figures if each["row"] == row]
        states[row] = state(mine)
        made.add_row(str(row), promise, "\n".join(map(_shown, mine)) or "–", states[row])
    return made, states


def _shown(each: Line) -> str:
    bound = f" ({each['bound']})" if each["bound"] else ""
    return f"{each['name']}: {each['value']:g} {each['unit']}{bound}"


async def measure(arguments: list[str]) -> list[Line]:
    """Run the marked tests, then the commands; a command that breaks is a row that does not hold."""
    OUTPUT.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "--trust", str(OUTPUT), "-q", *arguments]
    tests = await asyncio.create_subprocess_exec(*command)
    await tests.wait()
    found: list[Line] = [json.loads(text) for text in OUTPUT.read_text().splitlines()] if OUTPUT.exists() else []
    for row, figures in PARTS.items() if not arguments else ():
        print(f"measuring row {row} …", flush=True)
        try:
            found += [line(row, figure) for figure in await figures()]
        except Exception as error:
            print(f"Row {row} could not be measured: {error}", file=sys.stderr)
            found.append(line(row, Figure(f"could not be measured: {error}", 1, "errors", "<= 0", False)))
    return found


async def main(arguments: list[str]) -> int:
    found = await measure(arguments)
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text("".join(json.dumps(each) + "\n" for each in found))
    made, states = table(promises(LIST.read_text()), found)
    console = Console()
    (console if console.is_terminal else Console(width=_PLAIN_WIDTH)).print(made)
    held = sum(1 for each in states.values() if each == "holds")
    print(f"{held} of {len(states)} rows hold, {sum(1 for each in states.values() if each == 'open')} are open.")
    return 1 if "DOES NOT HOLD" in states.values() else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
