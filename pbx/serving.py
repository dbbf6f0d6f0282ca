"""The engine as a process: it serves until it is told to stop, at once or when the one before it has ended."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import sys

import structlog
import uvloop

from crm import languages
from pbx import logging
from pbx.adapters.store.live_log import wait_for_turn
from pbx.adapters.store.turn import Turn, is_shared
from pbx.bootstrap import DRAIN_S, Engine, open_engine
from pbx.config import Config

log = structlog.get_logger("engine")

TURN_LOST = 75  # the exit code: to be started again, to stand by
LONGEST_WAIT_FOR_THREADS_S = 0.0002
"""How long a thread of the store may keep the interpreter from the calls: by default it is 5 ms, each time."""


async def run(config: Config, *, standby: bool = False) -> None:
    """Serve until SIGTERM or SIGINT. Of engines on several machines, when it is this one's turn."""
    turn = await Turn.take(config, wait=standby) if is_shared(config) else None
    if turn is not None and standby:
        log.info("engine.takes_over")
    engine = await open_engine(config)
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    keeping = asyncio.ensure_future(_keep(turn, engine)) if turn is not None else None
    await engine.start()
    languages.load()  # twenty milliseconds, and the first alert may come in a rush
    _settle_memory()
    await stopping.wait()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(engine.stop(), 2 * DRAIN_S)
    if turn is not None and keeping is not None:
        keeping.cancel()
        await turn.close()


async def _keep(turn: Turn, engine: Engine) -> None:
    """An engine whose turn is over must not write another word, neither to the disk nor to Asterisk."""
    for node in engine.nodes.all:
        node.link.on_app_taken = turn.asterisk_taken
    await turn.keep()
    log.critical(
        "engine.turn_lost", why="another engine with this home has the calls", remedy="Start it with --standby."
    )
    os._exit(TURN_LOST)


def serve(config: Config, *, standby: bool = False) -> None:
    """Run the engine in this process until it is told to stop; on ``standby`` when the one that runs has ended."""
    logging.configure(config.log_level, config.log_format)
    if standby:
        log.info("engine.stands_by")
    if standby and not is_shared(config):
        wait_for_turn(config.journal)
        log.info("engine.takes_over")
    sys.setswitchinterval(LONGEST_WAIT_FOR_THREADS_S)
    uvloop.run(run(config, standby=standby))


def _settle_memory() -> None:
    """What stands now stays: without it the collector's full passes stop the calls for tens of milliseconds."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    gc.enable()
