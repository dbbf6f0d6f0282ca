"""A process that has read the engine's code and forks an engine whenever it is asked: one that can be killed at once,
and another that is there at once. `python -m tests.support.engine_nursery HOME` writes the process id of each.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from pbx.config import Config
from pbx.supervisor.health import ready
from tests.support.house import ROOT
from tests.support.waiting import Deadline, Missed, in_time

READY_S = 20.0


class Nursery:
    """Of engines, one after another; in place of :class:`pbx.supervisor.engine_process.EngineProcess`."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._process: asyncio.subprocess.Process | None = None
        self.pid: int | None = None
        self.log = config.home / "log" / "engine.log"

    async def start(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self._process is None:
            with self.log.open("ab") as log:
                self._process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "tests.support.engine_nursery", str(self._config.home)),
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=log,
                    cwd=ROOT,
                )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(b"\n")
        self.pid = int(await in_time(self._process.stdout.readline(), READY_S))
        await self._until_ready()

    async def _until_ready(self) -> None:
        deadline = Deadline(READY_S)
        while not deadline.over:
            state = await asyncio.to_thread(ready, self._config)
            if state is not None and state.get("ready"):
                return
            await asyncio.sleep(0.02)
        raise Missed(f"the engine took no calls: {self.log.read_text()[-2000:]}")

    async def wait(self) -> None:
        """Until the engine has ended."""
        while self.pid is not None and _lives(self.pid):  # noqa: ASYNC110 - no child of ours
            await asyncio.sleep(0.002)

    def kill(self) -> None:
        if self.pid is not None and _lives(self.pid):
            os.kill(self.pid, signal.SIGKILL)

    def dismiss(self) -> None:
        """No more engines; the one that runs goes on."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def main(home: str) -> None:
    from pbx import serving

    config = Config.load(home=Path(home))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    for _ in sys.stdin:
        pid = os.fork()
        if not pid:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.close(sys.stdout.fileno())
            os.dup2(sys.stderr.fileno(), 1)
            serving.serve(config)
            os._exit(0)
        print(pid, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
