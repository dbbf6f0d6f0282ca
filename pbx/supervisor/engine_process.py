"""The engine as a child: its crash must not take Asterisk, and so the calls, with it (P1).

Beside it a second one stands by: it has read all its code, which is most of what a start costs, and waits for the first
to end, however that ends. Then it has the calls in a fraction of a second, without being told.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
from pathlib import Path

import pbx
from pbx.adapters.children import with_parent
from pbx.config import Config
from pbx.supervisor.errors import CannotStart
from pbx.supervisor.health import ready

READY_S = 20.0
STOP_S = 14.0  # the engine gives itself 10 s to write down what it has
LOG_LIMIT = 20_000_000  # bytes
_LOOK_AGAIN_S = 0.05


class EngineProcess:
    """`pbx serve` with its output in the home's log, and the one that stands by."""

    name = "The engine"

    def __init__(self, config: Config) -> None:
        self._config = config
        self._process: asyncio.subprocess.Process | None = None
        self._standby: asyncio.subprocess.Process | None = None
        self.log = config.home / "log" / "engine.log"

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """Start and wait until it takes calls. Raises CannotStart with its last word where it does not."""
        self._process, self._standby = self._standby, None
        if not self.running:
            self._process = await self._spawn("serve")
        await self._until_ready()
        self._standby = await self._spawn("serve", "--standby")

    async def _spawn(self, *words: str) -> asyncio.subprocess.Process:
        self.log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        command = [sys.executable, "-m", "pbx.cli", "--home", str(self._config.home), *words]
        with self.log.open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *with_parent(command),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=_environment(),
                start_new_session=True,  # Ctrl-C is for the supervisor, which keeps the order
            )

    async def wait(self) -> int:
        assert self._process is not None
        return await self._process.wait()

    async def stop(self) -> None:
        """Let it write down what it has; harmless when it has ended. Nobody may take its place before."""
        await self._dismiss()
        if self._process is None or not self.running:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), STOP_S)
        except TimeoutError:
            self.kill()
            await self._process.wait()

    async def _dismiss(self) -> None:
        standby = self._standby
        self.dismiss()
        if standby is not None:
            await standby.wait()

    def dismiss(self) -> None:
        """Let nobody stand by any more."""
        standby, self._standby = self._standby, None
        if standby is not None:
            with contextlib.suppress(ProcessLookupError):
                standby.kill()

    def kill(self) -> None:
        """The engine alone: who stands by takes its place."""
        if self._process is not None and self.running:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    def trim_log(self) -> None:
        """Keep the log from filling the disk. It is written in append mode, so cutting it leaves no hole."""
        with contextlib.suppress(OSError):
            if self.log.stat().st_size > LOG_LIMIT:
                shutil.copyfile(self.log, self.log.with_name(f"{self.log.name}.1"))
                os.truncate(self.log, 0)

    async def _until_ready(self) -> None:
        end = asyncio.get_running_loop().time() + READY_S
        while asyncio.get_running_loop().time() < end:
            if not self.running:
                raise CannotStart(f"The engine ended while starting ({self._last_word()}): look into {self.log}.")
            state = await asyncio.to_thread(ready, self._config)
            if state is not None and state.get("ready"):
                return
            await asyncio.sleep(_LOOK_AGAIN_S)
        raise CannotStart(f"The engine did not take calls within {READY_S:.0f} s: look into {self.log}.")

    def _last_word(self) -> str:
        lines = self.log.read_text(errors="replace").split("\n")[-50:]
        return next((line.strip()[:300] for line in reversed(lines) if line.strip()), "without a word")


def _environment() -> dict[str, str]:
    """Ours, and where this package lies, for a checkout that is not installed."""
    root = str(Path(pbx.__file__).parents[1])
    path = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{path}" if path else root}
