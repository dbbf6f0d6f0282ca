"""The encoder's own process: idle priority, one job at a time, started again if it dies.

Jobs go in as lines of JSON and come back as lines of JSON. A process pool would do the same with three more threads in
the engine, and threads cost the calls their turn.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from pathlib import Path
from typing import Any

import orjson

from pbx.adapters.finished import Finished
from pbx.services.recordings import SoundFault

TRIES = 3


class SoundWorker:
    """``directory`` is where finished recordings stand."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()

    async def finish_recording(self, source: Path, name: str, codec: str) -> Finished:
        return await self._run("raw", source, name, codec)

    async def finish_conference(
        self, source: Path, name: str, codec: str, tracks: list[dict[str, Any]], private: list[dict[str, Any]]
    ) -> Finished:
        return await self._run("conference", source, name, codec, tracks, private)

    async def finish_voicemail(self, source: Path, name: str, codec: str) -> Finished:
        return await self._run("wav", source, name, codec)

    async def make_greeting(self, source: Path, directory: Path, name: str) -> None:
        """Decoded here too: what a stranger's file does to the decoder, it does not do to the engine."""
        await self._answer("greeting", source, directory, name, "")

    async def close(self) -> None:
        """End the process; what it was at is done again at the next start."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        assert process.stdin is not None
        process.stdin.close()
        with contextlib.suppress(ConnectionError, BrokenPipeError):
            await process.stdin.wait_closed()
        await process.wait()

    async def _run(self, kind: str, source: Path, name: str, codec: str, *more: Any) -> Finished:
        return Finished(**await self._answer(kind, source, self._directory, name, codec, *more))

    async def _answer(self, kind: str, source: Path, directory: Path, name: str, codec: str, *more: Any) -> Any:
        """A killed encoder loses nothing: the sound is still where it was, and is encoded again."""
        job = orjson.dumps([kind, str(source), str(directory), name, codec, *more]) + b"\n"
        async with self._turn:
            for _ in range(TRIES):
                answer = await self._ask(job)
                if not answer:
                    continue
                done = orjson.loads(answer)
                if "error" in done:
                    raise SoundFault(done["error"], unwritten=done["unwritten"])
                return done
        raise SoundFault("The encoder was ended three times while it worked on this recording.")

    async def _ask(self, job: bytes) -> bytes:
        """One job's answer; empty where the encoder died over it."""
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "pbx.adapters.sound_work",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                cwd=Path(__file__).parents[2],
            )
        process = self._process
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(job)
            answer = await process.stdout.readline()
        except (ConnectionError, BrokenPipeError):
            answer = b""
        if not answer:
            await process.wait()
        return answer
