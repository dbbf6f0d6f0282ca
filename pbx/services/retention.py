"""Destroys what its time is over for, and persons on request: files for real, then rows; beside the calls, never in
their way.

Retention takes a small batch, rests, and takes the next; a person is erased in one go. Both begin with the files, and
both are repeated by who finds them half done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from crm.errors import Refused
from crm.services import erasing, holds, recording_erasing, retention
from crm.services.erasing import Erasure
from crm.services.recording_erasing import Found
from crm.unit_of_work import ENGINE, Actor, Store
from pbx.services.erasure_list import PERSON, RECORDING, Erased, ErasureList

log = structlog.get_logger("retention")

FIRST_S, EVERY_S, RETRY_S = 60.0, 3600.0, 60.0
REST_S = 0.2
"""Between two batches: whoever writes a call down meanwhile waits for one of them at most."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where files are."""

    recordings: Path
    attachments: Path

    def destroy(self, recordings: Iterable[str], attachments: Iterable[str]) -> int:
        """Take the files away; how many there were. What points out of its folder is left alone."""
        found = [_inside(self.recordings, name) for name in recordings]
        found += [_inside(self.attachments, name) for name in attachments]
        return sum(map(_unlinked, filter(None, found)))


class Retention:
    """``settings`` are the newest."""

    def __init__(
        self, store: Store, places: Places, erased: ErasureList, settings: Callable[[], Mapping[str, Any]]
    ) -> None:
        self._erased = erased
        self._store = store
        self._places = places
        self._settings = settings

    async def run(self) -> None:
        """For as long as the engine runs. What a restored database has brought back goes at once, but beside the calls:
        they do not wait for it."""
        await self._repeat_at_once()
        wait_s = FIRST_S
        while True:
            await asyncio.sleep(wait_s)
            try:
                await self.repeat_erasures()
                await self.finish_erasures()
                await self.destroy_due()
                wait_s = EVERY_S
            except Refused as error:
                log.warning("retention.later", why=error.message)
                wait_s = RETRY_S
            except Exception:
                log.exception("retention.broke")
                wait_s = EVERY_S

    async def _repeat_at_once(self) -> None:
        try:
            if repeated := await self.repeat_erasures():
                log.warning("erasures.repeated", count=repeated)
        except Refused as error:
            log.warning("erasures.later", why=error.message)
        except Exception:
            log.exception("retention.broke")

    async def destroy_due(self) -> list[retention.Destruction]:
        """Everything whose time is over now; the report of each kind of which there was something."""
        cutoffs = retention.cutoffs(self._settings(), self._store.clock())
        reports = [await self._of_kind(kind, before_us) for kind, before_us in cutoffs.items()]
        return [report for report in reports if report is not None]

    async def _of_kind(self, kind: str, before_us: int) -> retention.Destruction | None:
        destroyed = files = size = 0
        while True:
            async with self._store.read() as session:
                batch = await retention.due(session, kind, before_us, await holds.standing(session))
            if not batch.ids:
                break
            files += await asyncio.to_thread(self._places.destroy, batch.recordings, batch.attachments)
            async with self._store.write(ENGINE) as work:
                await retention.destroy(work, batch)
            destroyed, size = destroyed + len(batch.ids), size + batch.bytes
            await asyncio.sleep(REST_S)
        return await self._report(kind, before_us, destroyed, files, size)

    async def _report(
        self, kind: str, before_us: int, destroyed: int, files: int, size: int
    ) -> retention.Destruction | None:
        if not destroyed:
            return None
        async with self._store.write(ENGINE) as work:
            held = await retention.held_back(work.session, kind, before_us, await holds.standing(work.session))
            name = retention.new_id(work.at_us)
            done = retention.Destruction(name, work.at_us, kind, before_us, destroyed, files, size, held)
            await retention.record(work, done)
        log.info("retention.destroyed", kind=kind, destroyed=destroyed, files=files, bytes=size, held=held)
        return done

    # -- persons -------------------------------------------------------------------------------------------

    async def erase(self, actor: Actor, values: Mapping[str, Any]) -> Erasure:
        """Destroy what is known of a person. It is written down first: one that is broken off is finished later."""
        async with self._store.write(actor) as work:
            begun = await erasing.begin(work, values)
        return await self._finish(actor, begun)

    async def erase_recordings(self, actor: Actor, recordings: Sequence[Found]) -> None:
        """Those that somebody chose: their sound for real, then what is known of it."""
        async with self._store.read() as session:
            files = await recording_erasing.files(session, [each.id for each in recordings])
        now = self._store.clock()
        self._erased.add(Erased(RECORDING, each.id, each.call_id, now) for each in recordings)
        await asyncio.to_thread(self._places.destroy, files, ())
        async with self._store.write(actor) as work:
            await recording_erasing.erase(work, recordings)

    async def erased_in_call(self, call_id: str, recording: str) -> None:
        """By the call itself, while it goes on: this is for databases that are restored from before."""
        line = Erased(RECORDING, recording, call_id, self._store.clock())
        await asyncio.to_thread(self._erased.add, [line])

    async def repeat_erasures(self) -> int:
        """What was destroyed after the backup was made that this database comes from; how much there was. Where a hold
        stands in the database it stays, and is looked at again when the engine starts the next time."""
        listed = await asyncio.to_thread(self._erased.read)
        if not listed:
            return 0
        persons = [each for each in listed if each.kind == PERSON]
        calls = {each.id: each.of for each in listed if each.kind == RECORDING}
        return await self._repeat_persons(persons) + await self._repeat_recordings(calls)

    async def _repeat_persons(self, listed: Sequence[Erased]) -> int:
        async with self._store.read() as session:
            left = await erasing.not_known(session, [(each.id, each.of) for each in listed])
        done = 0
        for erasure_id, record_id in left:
            try:
                async with self._store.write(ENGINE) as work:
                    begun = await erasing.repeat(work, erasure_id, record_id)
                await self._finish(ENGINE, begun)
                done += 1
            except Refused as refused:
                if refused.code == "store_unavailable":
                    raise
                log.warning("erasure.not_repeated", erasure=erasure_id, why=refused.message)
        return done

    async def _repeat_recordings(self, calls: Mapping[str, str]) -> int:
        done, names = 0, list(calls)
        for start in range(0, len(names), retention.BATCH):
            part = {name: calls[name] for name in names[start : start + retention.BATCH]}
            async with self._store.read() as session:
                found = await recording_erasing.of_calls(session, set(part.values()))
            again = [each for each in found if each.id in part and not each.why]
            if again:
                await self.erase_recordings(ENGINE, again)
            done += len(again)
        return done

    async def finish_erasures(self) -> None:
        async with self._store.read() as session:
            left = await erasing.unfinished(session)
        for begun in left:
            await self._finish(ENGINE, begun)

    async def _finish(self, actor: Actor, begun: Erasure) -> Erasure:
        async with self._store.read() as session:
            plan = await erasing.plan(session, begun.record_id)
        self._erased.add([Erased(PERSON, begun.id, begun.record_id, begun.created_us)])
        files = await asyncio.to_thread(self._places.destroy, plan.recordings, plan.attachments)
        async with self._store.write(actor) as work:
            done = await erasing.finish(work, begun.id, plan)
        log.info("erasure.done", erasure=begun.id, files=files)
        return done


def _inside(directory: Path, name: str) -> Path | None:
    base = directory.resolve()
    path = (base / name).resolve()
    return path if path.is_relative_to(base) else None


def _unlinked(path: Path) -> bool:
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True
