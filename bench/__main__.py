"""``make bench``: every measured figure, in one table; fails where a bound does not hold.

``python -m bench calls``, ``conference``, ``rooms``, ``engine``, ``search``, ``reports``, ``bills``, ``scroll``,
``imports``, ``flood``, ``guessing``, ``sockets`` or ``soak`` takes that part alone; ``capacity`` the last part of
``calls``: how many calls a second, and what becomes of twice as many.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable

from bench import (
    bills,
    calls,
    conference,
    engine,
    flood,
    guessing,
    imports,
    reports,
    rooms,
    scroll,
    search_http,
    soak,
    sockets,
)
from bench.figures import Figure, report

PARTS: dict[str, Callable[[], Awaitable[list[Figure]]]] = {
    "calls": calls.figures,
    "conference": conference.figures,
    "rooms": rooms.figures,
    "engine": engine.figures,
    "search": search_http.figures,
    "reports": reports.figures,
    "bills": bills.figures,
    "scroll": scroll.figures,
    "imports": imports.figures,
    "flood": flood.figures,
    "soak": soak.figures,
    "sockets": sockets.figures,
    "guessing": guessing.figures,
}

WITHIN: dict[str, Callable[[], Awaitable[list[Figure]]]] = {"capacity": calls.capacity_alone}
"""Parts of parts."""


async def main(wanted: list[str]) -> int:
    unknown = [name for name in wanted if name not in PARTS | WITHIN]
    if unknown:
        print(f"There is no part “{unknown[0]}”. Choose from: {', '.join(PARTS | WITHIN)}.", file=sys.stderr)
        return 2
    figures: list[Figure] = []
    for name in wanted or PARTS:
        print(f"measuring {name} …", flush=True)
        figures += await (PARTS | WITHIN)[name]()
    return 0 if report(figures) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
