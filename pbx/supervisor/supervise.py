"""Starts the parts, starts again what dies, and stops everything in an order that loses nothing.

Order of stopping: calls are hung up while the engine still listens, so that each ends in the log with its recording
whole; then the engine writes down what it has; then the two Asterisks go.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from pbx.adapters.asterisk.embedded.errors import BuildError
from pbx.adapters.asterisk.instance import EngineAsterisk
from pbx.adapters.asterisk.practice import PracticeCarrier
from pbx.config import Config
from pbx.supervisor.checks import Port
from pbx.supervisor.engine_process import EngineProcess
from pbx.supervisor.errors import CannotStart
from pbx.supervisor.health import ready

FIRST_PAUSE_S = {"The engine": 0.2, "Asterisk": 1.0, "The practice carrier": 1.0}
LONGEST_PAUSE_S = 30.0
STEADY_S = 60.0  # a part that ran this long is started again as after its first death
HANG_UP_S = 3.0
TRIM_EVERY_S = 60.0
LOOK_EVERY_S = 2.0
SICK_LOOKS = 6  # so often in a row must the engine be found useless before it is started anew
_LOOK_AGAIN_S = 0.05

Say = Callable[[str], None]


class Part(Protocol):
    """A child process that can be started, waited for and stopped."""

    @property
    def name(self) -> str: ...
    @property
    def running(self) -> bool: ...
    @property
    def pid(self) -> int | None: ...
    async def start(self) -> None: ...
    async def wait(self) -> int: ...
    async def stop(self) -> None: ...


class Supervisor:
    """The parts of one machine. ``say`` gets a sentence for the person who watches."""

    def __init__(self, config: Config, prefix: Path, say: Say, *, practice: bool) -> None:
        self._config = config
        self._say = say
        self.asterisk = EngineAsterisk(config, prefix)
        self.engine = EngineProcess(config)
        self.practice = PracticeCarrier(config, prefix) if practice else None
        self._watchers: list[asyncio.Task[None]] = []

    @property
    def parts(self) -> list[Part]:
        return [self.asterisk, *([self.practice] if self.practice else []), self.engine]

    async def start(self) -> None:
        """Start everything and watch over it. Raises CannotStart or BuildError, and then nothing is left running."""
        try:
            async with asyncio.TaskGroup() as group:
                for part in self.parts:
                    group.create_task(part.start())
        except BaseExceptionGroup as errors:
            await self.stop()
            raise _first(errors) from errors
        except BaseException:
            await self.stop()
            raise
        self._watchers = [asyncio.create_task(self._watch(part)) for part in self.parts]
        self._watchers += [asyncio.create_task(self._trim()), asyncio.create_task(self._nurse())]

    async def stop(self) -> None:
        """Stop everything in order; harmless when it has stopped."""
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        if self.engine.running:
            await self._hang_up()
        await self.engine.stop()
        await asyncio.gather(*(part.stop() for part in self.parts), return_exceptions=True)

    def kill(self) -> None:
        """At once: whoever pressed Ctrl-C twice does not want to wait."""
        self.engine.dismiss()
        self.engine.kill()
        for part in self.parts:
            if part.running and part.pid:
                with contextlib.suppress(ProcessLookupError):
                    _kill(part.pid)

    async def _hang_up(self) -> None:
        """End what is up, and wait until Asterisk has no channel left, so that the engine hears of every end."""
        if not self.asterisk.running:
            return
        with contextlib.suppress(BuildError, TimeoutError):
            async with asyncio.timeout(HANG_UP_S):
                await self.asterisk.cli("channel request hangup all")
                for _ in range(round(HANG_UP_S / _LOOK_AGAIN_S)):
                    if await self._is_quiet():
                        return
                    await asyncio.sleep(_LOOK_AGAIN_S)

    async def _is_quiet(self) -> bool:
        return (await self.asterisk.cli("core show channels count")).startswith("0 active channels")

    async def _watch(self, part: Part) -> None:
        """Start it again whenever it ends, waiting longer each time it dies young."""
        loop = asyncio.get_running_loop()
        pause = first = FIRST_PAUSE_S[part.name]
        while True:
            since = loop.time()
            status = await part.wait()
            pause = first if loop.time() - since > STEADY_S else pause
            self._say(f"{part.name} ended ({_how(status)}); starting it again.")
            pause = await self._again(part, pause)

    async def _again(self, part: Part, pause: float) -> float:
        """Try until it runs; the pause before the next death's restart."""
        while True:
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_S)
            try:
                await part.start()
            except (CannotStart, BuildError, OSError) as error:
                self._say(f"{part.name} does not start: {error}")
                await part.stop()
                continue
            self._say(f"{part.name} runs again.")
            return pause

    async def _nurse(self) -> None:
        """An engine that lives but no longer answers, or has lost an Asterisk that runs, is started anew.

        Calls that are up stay up; a database that is away is no reason, as the engine waits for it by itself.
        """
        sick = 0
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            if not (self.engine.running and self.asterisk.running):
                sick = 0
                continue
            state = await asyncio.to_thread(ready, self._config)
            sick = 0 if state is not None and state.get("asterisk") else sick + 1
            if sick == SICK_LOOKS:
                self._say("The engine does not do its work any more; ending it, so that it starts anew.")
                self.engine.kill()

    async def _trim(self) -> None:
        while True:
            await asyncio.sleep(TRIM_EVERY_S)
            await asyncio.to_thread(self.engine.trim_log)


def ports_of(config: Config, *, practice: bool) -> list[Port]:
    """Every port that must be free. Needs no built Asterisk."""
    nowhere = config.cache
    ports = [("tcp", config.http_host, config.http_port, "http_port")]
    if not config.nodes:
        ports += EngineAsterisk(config, nowhere).ports()
    return ports + (PracticeCarrier(config, nowhere).ports() if practice else [])


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error to tell: a part's own sentence before what followed from it."""
    told = [error for error in errors.exceptions if isinstance(error, (CannotStart, BuildError))]
    return told[0] if told else errors.exceptions[0]


def _how(status: int) -> str:
    return f"killed by signal {-status}" if status < 0 else f"exit code {status}"


def _kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
