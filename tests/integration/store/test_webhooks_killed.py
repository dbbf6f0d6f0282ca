"""The worker of webhooks killed as the kernel kills: nothing is lost, what comes twice has the same id (TRUST 9)."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from typing import Any

import pytest

from bench.figures import at_most
from crm import ids
from crm.repositories import journal
from crm.services import webhook_outbox, webhooks
from crm.unit_of_work import Store
from tests.integration.store.makers import call_row
from tests.support.waiting import Deadline
from tests.support.webhook_receiver import Receiver

CALLS, KILLS, EVENTS = 30, 4, ("call.created", "call.ended")


@pytest.mark.timeout(300)
@pytest.mark.trust(9)
@pytest.mark.covers("A5", "TRUST9")
async def test_a_worker_that_is_killed_again_and_again_tells_everything_each_under_one_id(
    store: Store, store_url: str, measured: Any
) -> None:
    receiver = Receiver()
    await receiver.start()
    async with store.write() as work:
        made = await webhooks.add(work, {"url": receiver.url, "events": list(EVENTS)})
    receiver.secret = made.secret
    calls = await happen(store)
    nursery = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.webhook_process", store_url),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert nursery.stdin is not None and nursery.stdout is not None
    assert await asyncio.wait_for(nursery.stdout.readline(), 60) == b"ready\n"
    try:
        for kill in range(KILLS + 1):
            nursery.stdin.write(b"\n")
            pid = int(await asyncio.wait_for(nursery.stdout.readline(), 30))
            try:
                await until_told(store, receiver, random.randrange(1, 12) if kill < KILLS else None)
            finally:
                os.kill(pid, signal.SIGKILL)
    finally:
        nursery.kill()
        await nursery.wait()
        await receiver.stop()
    told = {(each["data"]["id"], each["type"]) for each in receiver.told}
    names = {(each["data"]["id"], each["type"], each["id"]) for each in receiver.told}
    lost = {(call, event) for call in calls for event in EVENTS} - told
    measured(at_most("events lost by a worker killed at random moments", len(lost), "events", 0))
    measured(at_most("events that came under two ids", len(names) - len(told), "events", 0))


async def happen(store: Store) -> list[str]:
    rows = [call_row(ids.now_us() + number) for number in range(CALLS)]
    async with store.journal() as batch:
        journal.upsert_calls(batch, rows)
    return [str(row["id"]) for row in rows]


async def until_told(store: Store, receiver: Receiver, more: int | None) -> None:
    """The receiver has so many more, or, without a number, nothing waits any more."""
    before, deadline = len(receiver.taken), Deadline(60)
    while more is None or len(receiver.taken) < before + more:
        async with store.read() as session:
            new = await webhook_outbox.happened(session, 0)
            waiting = (await webhook_outbox.page(session, state="waiting", limit=1)).items
            done = (await webhook_outbox.page(session, limit=1)).items
        if done and not new and not waiting:
            return
        assert not deadline.over, f"{len(receiver.taken)} told"
        await asyncio.sleep(0.02)
