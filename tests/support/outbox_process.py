"""The outbox of texts in a process of its own, to be killed: ``python -m tests.support.outbox_process URL LOG SAFE``.

It has read its code and waits: each line on its input makes a child that sends, and its output tells the child's pid.
What the child's transport sends is a line in LOG, as a carrier would have it; SAFE is 1 where that carrier knows a text
that it is told twice.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from pathlib import Path
from typing import Any

from crm import directory as directories
from crm.unit_of_work import Store
from pbx.adapters.clock import LoopClock
from pbx.core.messaging.gate import Hours
from pbx.services.hub import Hub
from pbx.services.live_records import LiveRecords
from pbx.services.ports_texts import Accepted, OutgoingText, Sent, SmsTransport, TextSink, TransportSettings
from pbx.services.presence_view import PresenceView
from pbx.services.text_rules import Planned
from pbx.services.texting import Texting


async def any_hour(session: Any, planned: Planned) -> Hours:
    """For tests that are not about the law."""
    return Hours()


class Carrier:
    """Keeps what it is sent, before and after it takes some time; of a text that it knows it says so again."""

    carries_media = True
    ready = True
    condition = "Connected."

    def __init__(self, log: Path, repeatable: bool) -> None:
        self._log, self.repeatable = log, repeatable

    def make(self, settings: TransportSettings, sink: TextSink) -> SmsTransport:
        return self

    async def send(self, text: OutgoingText) -> Sent:
        await asyncio.sleep(random.uniform(0, 0.01))
        if not (self.repeatable and text.message_id in self._log.read_text()):
            with self._log.open("a") as log:
                log.write(f"{text.message_id} {text.receiver} {text.body}\n")
        await asyncio.sleep(random.uniform(0, 0.01))
        return Accepted(f"p-{text.message_id}")

    async def run(self) -> None:
        await asyncio.Event().wait()


async def open_texting(store: Store, carrier: Carrier, files: Path) -> Texting:
    async with store.read() as session:
        directory = await directories.load(session)
    presence = PresenceView(lambda: directory, dict, lambda user_id: False)
    hub = Hub(LiveRecords(), presence, lambda: directory, LoopClock())
    texting = Texting(store, hub, lambda: directory, {"http": carrier.make}, files, "worker")
    texting.rules.hours = any_hour
    return texting


async def send_all(url: str, log: Path, repeatable: bool) -> None:
    store = Store(url)
    await (await open_texting(store, Carrier(log, repeatable), log.parent)).run()


def main(url: str, log: str, safe: str) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    print("ready", flush=True)
    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            asyncio.run(send_all(url, Path(log), safe == "1"))
        print(pid, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
