"""The outbox killed as the kernel kills: nothing that was accepted is lost, nothing is sent twice (P3)."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from crm.repositories.texts import TextFilter
from crm.services import numbers, settings, text_transports, texts, users
from crm.unit_of_work import SYSTEM, Store
from pbx.services.texts import Draft
from tests.support.outbox_process import Carrier, open_texting

TEXTS, CUSTOMERS, KILLS = 24, 4, 3


@pytest.mark.timeout(300)
@pytest.mark.covers("P3", "T4")
@pytest.mark.parametrize("safe", [False, True], ids=["told_once", "may_be_told_twice"])
async def test_an_outbox_that_is_killed_again_and_again_loses_nothing_and_sends_nothing_twice(
    store: Store, store_url: str, tmp_path: Path, safe: bool
) -> None:
    log = tmp_path / "carrier.log"
    log.touch()
    await accept(store, log)
    nursery = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.outbox_process", store_url, str(log), "1" if safe else "0"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert nursery.stdin is not None and nursery.stdout is not None
    assert await asyncio.wait_for(nursery.stdout.readline(), 60) == b"ready\n"
    try:
        for kill in range(KILLS + 1):
            nursery.stdin.write(b"\n")
            pid = int(await asyncio.wait_for(nursery.stdout.readline(), 30))
            before = len(read(log))
            try:
                await until_sent(store, log, before, random.randrange(1, TEXTS // KILLS) if kill < KILLS else TEXTS)
            finally:
                os.kill(pid, signal.SIGKILL)
    finally:
        nursery.kill()
        await nursery.wait()
    await check(store, log, safe)


async def accept(store: Store, log: Path) -> None:
    """Texts of one user to a few customers, all of them accepted before anything is sent."""
    async with store.write(SYSTEM) as work:
        user = await users.add(work, {"email": "mio@x.example", "name": "Mio", "role": "rep", "country": "JP"})
        await numbers.add(work, {"number": "+819011112222", "user": user.id})
        await text_transports.add(work, {"name": "Carrier", "kind": "http"})
        await settings.change(work, "texts.per_number_per_minute", 100_000)
    texting = await open_texting(store, Carrier(log, False), log.parent)
    for number in range(TEXTS):
        draft = Draft(body=str(number), to=f"+8190123456{number % CUSTOMERS:02}")
        await texting.texts.send(SYSTEM, user.id, draft)


def read(log: Path) -> list[str]:
    return log.read_text().splitlines()


async def until_sent(store: Store, log: Path, before: int, more: int) -> None:
    """So many more are with the carrier, or nothing waits any more."""
    deadline = asyncio.get_running_loop().time() + 100
    while len(read(log)) < before + more:
        async with store.read() as session:
            found = (await texts.log(session, TextFilter(direction="out"), limit=TEXTS)).items
        if not {each.state for each in found} & {"queued", "sending"}:
            return
        assert asyncio.get_running_loop().time() < deadline, {each.state for each in found}
        await asyncio.sleep(0.05)


async def check(store: Store, log: Path, safe: bool) -> None:
    lines = [line.split() for line in read(log)]
    carried = [message_id for message_id, _, _ in lines]
    assert len(carried) == len(set(carried)), "a text was sent twice"
    async with store.read() as session:
        found = {each.id: each for each in (await texts.log(session, TextFilter(direction="out"), limit=TEXTS)).items}
    assert len(found) == TEXTS
    states = {each.state for each in found.values()}
    assert states <= ({"sent"} if safe else {"sent", "unknown"}), states
    assert {each.id for each in found.values() if each.state == "sent"} <= set(carried), "not sent, but noted as sent"
    by_customer = defaultdict(list)
    for _, receiver, body in lines:
        by_customer[receiver].append(int(body))
    assert all(bodies == sorted(bodies) for bodies in by_customer.values()), "out of order"
