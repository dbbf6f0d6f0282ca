"""Phones of browsers in Asterisk's memory (sorcery.conf): endpoint, credentials and address of record, pushed over ARI.

No file is written and nothing is reloaded when somebody signs in. Measured: 2.5 ms for the three objects of a phone,
0.7 ms to take them away; a reload of res_pjsip leaves them. They are gone when Asterisk restarts, and may be of an
earlier engine when this one does: after each connection (``distrust``) everything is pushed anew and what is not
wanted is taken away. What a phone of a browser is stands in pjsip.conf as templates, which are read from there.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from crm.ids import BROWSER
from pbx.adapters.asterisk.ari import AriError, Json
from pbx.adapters.asterisk.config_text import options_of
from pbx.adapters.asterisk.device_options import Options, auth_options, endpoint_options
from pbx.services.ports_provision import Device

Ask = Callable[[str, str, Json | None], Awaitable[Any]]
"""Carries out a request to ARI: method, address, body. Raises AriError."""

_OBJECTS = {"auth": "device-webrtc-auth", "aor": "device-webrtc-aor", "endpoint": "device-webrtc"}
"""In the order in which they are made: an endpoint names the others."""
_AT_ONCE = 8  # phones; what Asterisk answers to so many (10 kB each) fits into the buffers of a socket
_LINGERS_S = 5.0
_ENDS_WITHIN_S = 0.5
_LOOK_EVERY_S = 0.01

Key = tuple[str, str]


class BrowserEndpoints:
    """What Asterisk was told of the phones of browsers. Not for two callers at once."""

    def __init__(self, etc: Path, ask: Ask) -> None:
        self._etc = etc
        self._ask = ask
        self._trusted = False
        self._done: dict[str, Device] = {}
        self._told: dict[Key, Options] = {}
        self._there: set[str] = set()
        self._templates: dict[str, Options] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def distrust(self) -> None:
        """Asterisk may be another, or was told by another engine: tell it everything with the next ``apply``."""
        self._trusted = False

    async def apply(self, wanted: Sequence[Device]) -> None:
        """Make Asterisk know these phones and no others. Raises AriError, ProvisionError."""
        if not self._trusted:
            await self._begin()
        for name in sorted(self._there - {device.id for device in wanted}):
            await self._remove(name)
        changed = [device for device in wanted if self._done.get(device.id) != device]
        for start in range(0, len(changed), _AT_ONCE):
            await asyncio.gather(*(self._tell(device) for device in changed[start : start + _AT_ONCE]))

    async def _begin(self) -> None:
        text = await asyncio.to_thread((self._etc / "pjsip.conf").read_text)
        self._templates = {kind: _in_memory(options_of(text, section)) for kind, section in _OBJECTS.items()}
        self._told, self._done = {}, {}
        self._there = await self._in_asterisk()
        self._trusted = True

    async def _tell(self, device: Device) -> None:
        await asyncio.gather(*(self._push(key, own) for key, own in _objects(device).items()))
        self._done[device.id] = device

    async def _push(self, key: Key, own: Options) -> None:
        """Requests leave in the order in which they are begun here, and Asterisk carries them out in that order.

        An endpoint that is there is told only what is its own: 22.10.1 refuses to be told its ACL again. Making it anew
        instead would lose its registration, and crash Asterisk if somebody asks for it on the console at that moment.
        """
        if self._told.get(key) == own:
            return
        kind, name = key
        template = [] if kind == "endpoint" and name in self._there else self._templates[kind]
        fields = [{"attribute": option, "value": value} for option, value in [*template, *own]]
        await self._ask("PUT", _address(kind, name), {"fields": fields})
        self._told[key] = own
        if kind == "endpoint":
            self._there.add(name)

    async def _remove(self, name: str) -> None:
        """Its calls end; it can neither register nor be rung any more. The address of record stays a little longer:
        without it Asterisk would not take the registration away when the websocket closes, which it does now."""
        await self._end_calls(name)
        for kind in ("endpoint", "auth"):
            await self._ask_away(_address(kind, name))
        for kind in _OBJECTS:
            self._told.pop((kind, name), None)
        self._done.pop(name, None)
        self._there.discard(name)
        task = asyncio.ensure_future(self._remove_address(name))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _end_calls(self, name: str) -> None:
        """Returns once they are gone: whoever closes the phone's connection then does not cut off its BYE."""
        channels = await self._channels(name)
        for channel in channels:
            await self._ask_away(f"channels/{channel}")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_ENDS_WITHIN_S):
                while channels:
                    await asyncio.sleep(_LOOK_EVERY_S)
                    channels = await self._channels(name)

    async def _remove_address(self, name: str) -> None:
        await asyncio.sleep(_LINGERS_S)
        with contextlib.suppress(AriError, TimeoutError):
            await self._ask_away(_address("aor", name))

    async def _channels(self, name: str) -> list[str]:
        try:
            return list((await self._ask("GET", f"endpoints/PJSIP/{name}", None))["channel_ids"])
        except AriError as error:
            if error.status != 404:
                raise
            return []

    async def _ask_away(self, address: str) -> None:
        """What is gone already is as it should be."""
        try:
            await self._ask("DELETE", address, None)
        except AriError as error:
            if error.status != 404:
                raise

    async def _in_asterisk(self) -> set[str]:
        """With no endpoint at all, as before a house has its first phone or trunk, Asterisk denies its technology."""
        try:
            endpoints = await self._ask("GET", "endpoints/PJSIP", None)
        except AriError as error:
            if error.status != 404:
                raise
            return set()
        return {str(each["resource"]) for each in endpoints if str(each["resource"]).startswith(BROWSER)}


def _in_memory(options: Options) -> Options:
    """Without a variable that is a function's: 22.10.1 then refuses every later change of the object. A browser has no
    use for it, as its transfers are the console's."""
    kept = [(option, value) for option, value in options if option not in ("set_var", "allow_transfer")]
    return [*kept, ("allow_transfer", "no")] if len(kept) < len(options) else kept


def _objects(device: Device) -> dict[Key, Options]:
    """What is this phone's own of each of its objects."""
    own: dict[str, Options] = {"auth": auth_options(device), "aor": [], "endpoint": endpoint_options(device)}
    return {(kind, device.id): own[kind] for kind in _OBJECTS}


def _address(kind: str, name: str) -> str:
    return f"asterisk/config/dynamic/res_pjsip/{kind}/{name}"
