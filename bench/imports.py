"""Calls beside an import: what a file of 100,000 lines, brought in as the console does, costs whoever calls (A6)."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from bench import load
from bench.figures import Figure, at_most, shown
from bench.load import Times, median, percentile
from bench.stack import Stack, stack
from crm.services import tokens, users
from crm.unit_of_work import SYSTEM, Store

LINES, RATE, SECONDS = 100_000, 3.0, 40.0
SLOWER_MS = 25.0
"""Nobody notices less. What an import that held the database would cost is seconds."""


async def figures() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="switchhook-imports-") as directory:
        async with stack() as made:
            await load.run(made, Path(directory), load.ENGINE, RATE, 5)  # what is slow the first time only
            alone = await load.run(made, Path(directory), load.ENGINE, RATE, SECONDS)
            async with _importing(made) as how_far:
                beside = await load.run(made, Path(directory), load.ENGINE, RATE, SECONDS)
                lines = await how_far()
    return [*_shown("alone", alone), *_shown("beside an import", beside), *_compared(alone, beside, lines)]


def _shown(when: str, times: Times) -> list[Figure]:
    return [
        shown(f"calls {when}, post-dial delay, median", median(times.post_dial), "ms"),
        shown(f"calls {when}, post-dial delay, p95", percentile(times.post_dial, 0.95), "ms"),
        at_most(f"calls {when}, failed", times.failed + times.refused, "calls", 0),
    ]


def _compared(alone: Times, beside: Times, lines: int) -> list[Figure]:
    slower = percentile(beside.post_dial, 0.95) - percentile(alone.post_dial, 0.95)
    return [
        at_most("calls beside an import, longer at p95", slower, "ms", SLOWER_MS),
        shown("lines imported meanwhile", lines, "lines"),
    ]


@asynccontextmanager
async def _importing(made: Stack) -> AsyncIterator[Any]:
    """Upload, start, and give what tells how far it is; taken away afterwards."""
    headers = {"Authorization": f"Bearer {await _token(made)}"}
    address = f"http://127.0.0.1:{made.config.http_port}/api/v1/imports"
    file = "name,company,phone,email\n" + "".join(
        f"Person {at},Company {at % 5000},+1425{2000000 + at},person{at}@demo.example\n" for at in range(LINES)
    )
    async with aiohttp.ClientSession(headers=headers, raise_for_status=True) as http:
        upload = http.post(f"{address}?name=many.csv", data=file.encode(), headers={"Content-Type": "text/csv"})
        async with upload as answer:
            one = f"{address}/{(await answer.json())['id']}"
        async with http.post(f"{one}/start", json={"kind": "lead"}):
            pass

        async def how_far() -> int:
            async with http.get(one) as answer:
                return int((await answer.json())["lines"])

        yield how_far
        with contextlib.suppress(aiohttp.ClientError):
            await (await http.delete(one)).release()


async def _token(made: Stack) -> str:
    store = Store(made.config.database_url)
    async with store.write(SYSTEM) as work:
        admin = await users.add(work, {"email": "admin@demo.example", "name": "Admin", "role": "admin"})
        token = await tokens.add(work, admin.id, {"name": "bench", "scopes": ["people:write"]})
    await store.close()
    await asyncio.sleep(1)  # the engine reads accounts again
    return token.secret
