"""The engine as a process: it serves until it is told to stop, at once or when the one before it has ended."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import sys

import structlog
import uvloop

from pbx import logging
from pbx.adapters.store.live_log import wait_for_turn
from pbx.bootstrap import DRAIN_S, open_engine
from pbx.config import Config

log = structlog.get_logger("engine")

LONGEST_WAIT_FOR_THREADS_S = 0.0002
"""How long a thread of the store may keep the interpreter from the calls: by default it is 5 ms, each time."""


async def run(config: Config) -> None:
    """Serve until SIGTERM or SIGINT."""
    engine = await open_engine(config)
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    await engine.start()
    _settle_memory()
    await stopping.wait()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(engine.stop(), 2 * DRAIN_S)


def serve(config: Config, *, standby: bool = False) -> None:
    """Run the engine in this process until it is told to stop; on ``standby`` when the one that runs has ended."""
    logging.configure(config.log_level, config.log_format)
    if standby:
        log.info("engine.stands_by")
        wait_for_turn(config.journal)
        log.info("engine.takes_over")
    sys.setswitchinterval(LONGEST_WAIT_FOR_THREADS_S)
    uvloop.run(run(config))


def _settle_memory() -> None:
    """What stands now stays: without it the collector's full passes stop the calls for tens of milliseconds."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    gc.enable()
