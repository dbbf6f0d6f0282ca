"""Addresses that Asterisk hears nothing from: objects ``type=acl`` in its memory, pushed over ARI.

res_pjsip_acl looks at them before anything else of SIP, so that not even a digest is computed. Our build then says
nothing and writes nothing down; another Asterisk answers 403 at once. Nothing is reloaded, running calls of others are
not touched. The addresses are spread over a few objects, as every message is held against each object, and an object
is replaced as a whole: the new one first, so that nobody slips through meanwhile.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from pbx.adapters.asterisk.ari import AriError, Json

Ask = Callable[[str, str, Json | None], Awaitable[Any]]
OBJECTS, NEW = 16, 64


class AclFence:
    """What one Asterisk keeps out. Not for two callers at once."""

    def __init__(self, ask: Ask, send: Callable[[str, str, Json], None]) -> None:
        """``send`` writes a request at once and leaves its answer alone."""
        self._ask = ask
        self._send = send
        self._added: list[str] = []
        self._serial = 0
        self._there: dict[int, tuple[str, frozenset[str]]] = {}
        self._trusted = False

    def distrust(self) -> None:
        """Asterisk may be another, or was told by an earlier engine: what is there goes, and all is told again."""
        self._there.clear()
        self._trusted = False

    def at_once(self, address: str) -> None:
        """In an object of its own, until the next ``keep_out`` has it among the others. A guesser at full speed tries
        hundreds of passwords in the tenth of a second that a busy loop may take until then."""
        self._serial = (self._serial + 1) % NEW
        name = f"blocked-new-{self._serial}"
        self._added.append(name)
        self._send("PUT", _address(name), {"fields": [{"attribute": "deny", "value": address}]})

    async def keep_out(self, addresses: Iterable[str]) -> None:
        """Raises ConnectionError where Asterisk does not take it."""
        wanted: dict[int, set[str]] = {}
        for address in addresses:
            wanted.setdefault(zlib.crc32(address.encode()) % OBJECTS, set()).add(address)
        added, self._added = self._added, []
        try:
            await self._tell(wanted, added)
        except AriError as error:
            self._added = added + self._added
            raise ConnectionError(str(error)) from error

    async def _tell(self, wanted: dict[int, set[str]], added: list[str]) -> None:
        if not self._trusted:
            await asyncio.gather(*(self._remove(name) for name in _ALL_NAMES))
            self._trusted = True
        for number in range(OBJECTS):
            await self._replace(number, frozenset(wanted.get(number, ())))
        for name in added:
            await self._remove(name)

    async def _replace(self, number: int, addresses: frozenset[str]) -> None:
        earlier = self._there.get(number)
        if addresses == (earlier[1] if earlier else frozenset()):
            return
        if addresses:
            name = _name(number, 1 if earlier and earlier[0] == _name(number, 0) else 0)
            await self._make(name, addresses)
            self._there[number] = (name, addresses)
        else:
            del self._there[number]
        if earlier:
            await self._remove(earlier[0])

    async def _make(self, name: str, addresses: frozenset[str]) -> None:
        """22.10.1 makes a list and then cannot write it back in its answer, which is 500; so is the answer to a
        question for it, and 404 where it was not made."""
        fields = [{"attribute": "deny", "value": ",".join(sorted(addresses))}]
        try:
            await self._ask("PUT", _address(name), {"fields": fields})
        except AriError as error:
            if error.status != 500 or not await self._is_there(name):
                raise

    async def _is_there(self, name: str) -> bool:
        try:
            await self._ask("GET", _address(name), None)
        except AriError as error:
            return error.status == 500
        return True

    async def _remove(self, name: str) -> None:
        try:
            await self._ask("DELETE", _address(name), None)
        except AriError as error:
            if error.status != 404:
                raise


def _name(number: int, turn: int) -> str:
    """An object and the one that replaces it, in turns: an object that is told again would keep its old list."""
    return f"blocked-{number}-{turn}"


_ALL_NAMES = [_name(number, turn) for number in range(OBJECTS) for turn in (0, 1)]
_ALL_NAMES += [f"blocked-new-{number}" for number in range(NEW)]


def _address(name: str) -> str:
    return f"asterisk/config/dynamic/res_pjsip/acl/{name}"
