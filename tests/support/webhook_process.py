"""The worker of webhooks in a process of its own, to be killed: ``python -m tests.support.webhook_process URL``.

It has read its code and waits: each line on its input makes a child that sends, and its output tells the child's pid.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys

from crm import directory as directories
from crm.unit_of_work import Store
from pbx.adapters.clock import LoopClock
from pbx.adapters.public_http import PublicHttp
from pbx.adapters.webhook_post import WebhookPost
from pbx.services.alerts import Alerts
from pbx.services.webhooks import Webhooks


async def _at_home(host: str) -> list[str]:
    return ["127.0.0.1"]


async def send_all(url: str) -> None:
    store = Store(url)
    async with store.read() as session:
        directory = await directories.load(session)
    post = WebhookPost(PublicHttp("127.0.0.0/8", resolve=_at_home))
    await Webhooks(store, post, lambda: directory, Alerts(LoopClock()), worker="worker").run()


def main(url: str) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    print("ready", flush=True)
    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            asyncio.run(send_all(url))
        print(pid, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
