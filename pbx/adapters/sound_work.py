"""The encoder as a process of its own: jobs come in as lines of JSON and go out as such."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from pbx.adapters import conference_sound, sound
from pbx.adapters.finished import Finished, Greeting


def work() -> None:
    """The process itself: until its input ends."""
    sound.be_idle()
    try:
        for line in sys.stdin.buffer:
            sys.stdout.buffer.write(orjson.dumps(_answer(orjson.loads(line))) + b"\n")
            sys.stdout.buffer.flush()
    except BrokenPipeError:  # the engine was killed: the next one asks again
        os._exit(0)


_FINISH: dict[str, Callable[..., Finished | Greeting]] = {
    "raw": sound.finish_raw,
    "wav": sound.finish_wav,
    "conference": conference_sound.finish_conference,
    "greeting": sound.make_greeting,
}


def _answer(job: list[Any]) -> dict[str, Any] | Finished | Greeting:
    kind, source, directory, name, codec, *more = job
    try:
        return _FINISH[kind](Path(source), Path(directory), name, "flac" if codec == "flac" else "opus", *more)
    except (sound.SoundError, OSError) as error:
        return {"error": str(error), "unwritten": isinstance(error, sound.NotWritten | OSError)}


if __name__ == "__main__":
    work()
