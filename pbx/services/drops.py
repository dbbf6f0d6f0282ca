"""Messages for mailboxes: recorded or uploaded like a greeting, each a file of its own (L2).

A sound stands in its place before the store names it. One that is removed while it plays is heard to its end.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Protocol

from crm import ids
from crm.call_lists import Drop
from crm.errors import Refused
from crm.services import voicemail_drops
from crm.unit_of_work import Actor, Store
from pbx.services.recordings import SoundFault

SUFFIX = ".wav16"
_HEADER, _BYTES_PER_MS = 44, 32  # 16 kHz, 16 bits, one channel


class Sound(Protocol):
    async def make_greeting(self, source: Path, directory: Path, name: str) -> None:
        """Put what was recorded into the directory as Asterisk plays it. Raises SoundFault with a sentence."""


class Drops:
    def __init__(self, store: Store, sound: Sound, directory: Path) -> None:
        self._store, self._sound, self.directory = store, sound, directory

    async def path(self, user_id: str, drop_id: str) -> Path:
        """Raises Refused (404) for a message that is not this user's."""
        async with self._store.read() as session:
            _, sound = await voicemail_drops.show(session, drop_id, user_id)
        return self._file(sound)

    async def keep(self, actor: Actor, user_id: str, name: str, content: bytes) -> Drop:
        """Raises Refused for what is no sound, or too long or too short."""
        sound = f"drop_{ids.ulid()}"
        await self._make(content, sound)
        duration_ms = max(0, self._file(sound).stat().st_size - _HEADER) // _BYTES_PER_MS
        try:
            async with self._store.write(actor) as work:
                return await voicemail_drops.add(work, user_id, name, sound, duration_ms)
        except Refused:
            self._file(sound).unlink(missing_ok=True)
            raise

    async def remove(self, actor: Actor, user_id: str, drop_id: str) -> None:
        async with self._store.write(actor) as work:
            sound = await voicemail_drops.remove(work, drop_id, user_id)
        await asyncio.to_thread(self._file(sound).unlink, missing_ok=True)

    def _file(self, sound: str) -> Path:
        return self.directory / f"{sound}{SUFFIX}"

    async def _make(self, content: bytes, sound: str) -> None:
        with tempfile.TemporaryDirectory(prefix="drop-") as place:
            source = Path(place) / "recorded"
            await asyncio.to_thread(source.write_bytes, content)
            try:
                await self._sound.make_greeting(source, self.directory, sound)
            except SoundFault as fault:
                raise Refused("bad_sound", str(fault)) from fault
