"""What callers hear before the beep, in the user's own voice (I7).

Each recording is a file of its own: who is just hearing the one before hears it to its end. A sound stands in its
place before the store names it, and goes when the store does not any more.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Protocol

from crm import ids
from crm.errors import Refused
from crm.records import User
from crm.services import users
from crm.unit_of_work import Actor, Store
from pbx.services.recordings import SoundFault

LARGEST = 3_000_000
SUFFIX = ".wav16"


class Sound(Protocol):
    async def make_greeting(self, source: Path, directory: Path, name: str) -> None:
        """Put what was recorded into the directory as Asterisk plays it. Raises SoundFault with a sentence."""


def file_of(directory: Path, user: User) -> Path | None:
    return directory / f"{user.greeting}{SUFFIX}" if user.greeting else None


class Greetings:
    def __init__(self, store: Store, sound: Sound, directory: Path) -> None:
        self._store = store
        self._sound = sound
        self.directory = directory

    def path(self, user: User) -> Path | None:
        return file_of(self.directory, user)

    async def keep(self, actor: Actor, user_id: str, content: bytes) -> User:
        """Raises Refused for what is no sound, or none that makes a greeting."""
        name = f"greeting_{ids.ulid()}"
        await self._make(content, name)
        async with self._store.write(actor) as work:
            user, before = await users.set_greeting(work, user_id, name)
        await self._drop(before)
        return user

    async def remove(self, actor: Actor, user_id: str) -> User:
        """The default is heard again."""
        async with self._store.write(actor) as work:
            user, before = await users.set_greeting(work, user_id, None)
        await self._drop(before)
        return user

    async def forget(self, user: User) -> None:
        """The user is gone."""
        await self._drop(user.greeting)

    async def _make(self, content: bytes, name: str) -> None:
        with tempfile.TemporaryDirectory(prefix="greeting-") as place:
            source = Path(place) / "recorded"
            await asyncio.to_thread(source.write_bytes, content)
            try:
                await self._sound.make_greeting(source, self.directory, name)
            except SoundFault as fault:
                raise Refused("bad_sound", str(fault)) from fault

    async def _drop(self, name: str | None) -> None:
        if name:
            path = self.directory / f"{name}{SUFFIX}"
            await asyncio.to_thread(path.unlink, missing_ok=True)
