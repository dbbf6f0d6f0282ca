"""The encoder's own process: idle priority, one job at a time, started again if it dies."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

from pbx.adapters import sound
from pbx.services.recordings import SoundFault

TRIES = 3


class SoundWorker:
    """``directory`` is where finished recordings stand."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._pool = self._make()

    async def finish_recording(self, source: Path, name: str, codec: str) -> sound.Finished:
        return await self._run(sound.finish_raw, source, name, codec)

    async def finish_voicemail(self, source: Path, name: str, codec: str) -> sound.Finished:
        return await self._run(sound.finish_wav, source, name, codec)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[..., sound.Finished], source: Path, name: str, codec: str) -> sound.Finished:
        """A killed encoder loses nothing: the sound is still where it was, and is encoded again."""
        for _ in range(TRIES):
            try:
                loop = asyncio.get_running_loop()
                return await loop.run_in_executor(self._pool, work, source, self._directory, name, codec)
            except BrokenProcessPool:
                self._pool = self._make()
            except (sound.SoundError, OSError) as error:
                raise SoundFault(str(error)) from error
        raise SoundFault("The encoder was ended three times while it worked on this recording.")

    def _make(self) -> ProcessPoolExecutor:
        context: Any = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(max_workers=1, mp_context=context, initializer=sound.be_idle)
