"""The process that imports a file: beside the engine, with a store of its own, as `pbx import` has it.

The job goes in as a line of JSON, with the database's address, which holds a password and is not for the list of
processes; progress and result come back as lines of JSON. It ends with the engine.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from crm.errors import Refused
from crm.services import do_not_call_lists, importing, rate_import
from crm.unit_of_work import Actor, Store
from pbx.adapters.children import with_parent
from pbx.services.imports import NUMBERS, Job, Tell

NICE = 5
"""Behind the calls, but not idle: it holds the database's lock now and then, and must come to let go of it."""


class ImportWorker:
    def __init__(self, database_url: str) -> None:
        self._database_url = database_url

    async def run(self, job: Job, tell: Tell) -> dict[str, int]:
        """Raises Refused as :func:`crm.services.importing.run` does."""
        process = await asyncio.create_subprocess_exec(
            *with_parent([sys.executable, "-m", "pbx.adapters.import_worker"]),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )
        try:
            return await _talk(process, {"database_url": self._database_url, **asdict(job)}, tell)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()


async def _talk(process: asyncio.subprocess.Process, job: dict[str, Any], tell: Tell) -> dict[str, int]:
    assert process.stdin is not None and process.stdout is not None
    with contextlib.suppress(ConnectionError):
        process.stdin.write(orjson.dumps(job) + b"\n")
        await process.stdin.drain()
    while line := await process.stdout.readline():
        said = orjson.loads(line)
        if "refused" in said:
            raise Refused(*said["refused"])
        if "result" in said:
            return dict(said["result"])
        tell(*said["progress"])
    raise Refused("import_ended", "The import was ended from outside. Start it again: nothing is imported twice.")


def work() -> None:
    """The process itself."""
    os.nice(NICE)
    job = orjson.loads(sys.stdin.buffer.readline())
    try:
        _say("result", asyncio.run(_import(job)))
    except Refused as refused:
        _say("refused", [refused.code, refused.message, refused.field, refused.status])
    except asyncio.CancelledError:
        sys.exit(1)


async def _import(job: dict[str, Any]) -> dict[str, int]:
    """Told to end, it ends in order: the helper that checks the lines goes with it."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    store = Store(job["database_url"])
    try:
        if job["kind"] == NUMBERS:
            return await _numbers(store, job)
        result: Any = await (_rates(store, job) if job["table"] is not None else _people(store, job))
    finally:
        await store.close()
    return {name: getattr(result, name, 0) for name in ("lines", "added", "changed", "unchanged", "refused")}


async def _people(store: Store, job: dict[str, Any]) -> importing.Result:
    return await importing.run(
        store,
        Path(job["path"]),
        kind=job["kind"],
        mapping=job["mapping"],
        country=job["country"],
        owner_id=job["owner_id"],
        actor=Actor(*job["actor"]),
        report=Path(job["report"]),
        progress=_tell,
        list_id=job["list_id"],
        language=job["language"],
    )


async def _rates(store: Store, job: dict[str, Any]) -> rate_import.Result:
    return await rate_import.run(
        store,
        Path(job["path"]),
        job["table"],
        mapping=job["mapping"],
        actor=Actor(*job["actor"]),
        report=Path(job["report"]),
        progress=_tell,
        language=job["language"],
    )


def _tell(done: int, size: int, lines: int) -> None:
    _say("progress", [done, lines])


async def _numbers(store: Store, job: dict[str, Any]) -> dict[str, int]:
    result = await do_not_call_lists.import_file(
        store,
        Path(job["path"]),
        name=job["list_id"],
        source=job["source"],
        country=job["country"],
        actor=Actor(*job["actor"]),
        report=Path(job["report"]),
        progress=lambda done, lines: _say("progress", [done, lines]),
    )
    return {
        "lines": result.lines,
        "added": result.list.numbers,
        "changed": 0,
        "unchanged": 0,
        "refused": result.refused,
    }


def _say(what: str, value: Any) -> None:
    sys.stdout.buffer.write(orjson.dumps({what: value}) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    work()
