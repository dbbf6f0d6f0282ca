"""How many passwords can be tried before the block, by one guesser and by twenty at once from one address.

The engine is a process of its own here, as it is in life; 20 calls are up.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

from bench.figures import Figure, at_most
from bench.flood import CALLS, calls_up
from bench.stack import Stack, stack
from tests.support.prober import Prober

ADDRESSES = 10
AT_ONCE = 20


async def _until_silent(thief: Prober, user: str) -> tuple[int, float]:
    """How many were answered, and when the last of them was."""
    last = time.monotonic()
    for count in range(2000):
        if (await thief.guess(user, 0.5)).status is None:
            return count, last
        last = time.monotonic()
    return 2000, last


async def _guess(over: Stack, host: str, at_once: int) -> tuple[int, float]:
    thieves = [Prober(("127.0.0.1", over.config.sip_port), host) for _ in range(at_once)]
    began = time.monotonic()
    heard = await asyncio.gather(*(_until_silent(each, over.device) for each in thieves))
    for each in thieves:
        each.close()
    return sum(count for count, _ in heard), max(last for _, last in heard) - began


async def figures() -> list[Figure]:
    async with stack() as over:
        with tempfile.TemporaryDirectory(prefix="switchhook-guessing-") as directory:
            async with calls_up(over, Path(directory)) as dropped:
                alone = [await _guess(over, f"127.98.0.{number}", 1) for number in range(1, ADDRESSES + 1)]
                many = [await _guess(over, f"127.98.1.{number}", AT_ONCE) for number in range(1, ADDRESSES + 1)]
            lost = await dropped()
    of = f"{ADDRESSES} addresses"
    return [
        at_most(f"one guesser, most answers of {of}", max(count for count, _ in alone), "guesses", 10),
        at_most(f"{AT_ONCE} guessers at once, most answers of {of}", max(count for count, _ in many), "guesses", 200),
        at_most("until they are silenced, slowest", max(took for _, took in [*alone, *many]), "s", 1),
        at_most(f"calls dropped meanwhile of {CALLS}", lost, "calls", 0),
    ]
