"""Texts of SIP (RFC 3428) between the engine and Asterisk: our module ``res_switchhook_text`` does the rest.

What comes in stands on the disk before Asterisk accepts it, in a file for each text; here it is read, handed on, and
removed when it stands in the database. What goes out is told by an action of AMI, and what the other side answered by
an event: Asterisk's own ways only tell that it was queued.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from crm.errors import Refused
from pbx.adapters.asterisk.ami import Ami, AmiError

log = structlog.get_logger("sip_texts")

ANSWER_S = 20.0  # Asterisk gives up by itself after timer B (6.4 s), or twice that where it had to log in
LOOK_AGAIN_S = 2.0
_PIECE = 760  # characters of base 64; a line of AMI has 1,024 at most
_NOT_THERE = "invalid/unknown command"


class NotSupported(AmiError):
    """This Asterisk has no module of ours."""


@dataclass(frozen=True, slots=True)
class Answer:
    """``heard`` tells whether the other side said so itself; else Asterisk gave up, or found no way there."""

    status: int
    heard: bool
    reason: str
    retry_after_s: int


@dataclass(frozen=True, slots=True)
class SpooledText:
    """A MESSAGE as it came; ``body`` is not decoded yet."""

    id: str
    trunk: str
    sender: str
    receiver: str
    content_type: str
    body: bytes
    at_us: int


Take = Callable[[SpooledText], Awaitable[None]]


class SipTexts:
    """``take`` of a trunk raises :class:`Refused` while it cannot keep a text: it is offered again later."""

    def __init__(self, ways: Sequence[tuple[Ami, Path]]) -> None:
        """``ways`` are the Asterisks, each with the folder in which it keeps what came; what goes out goes by the first
        that is there."""
        self._amis = [ami for ami, _ in ways]
        self._spools = [spool for _, spool in ways]
        self._takers: dict[str, Take] = {}
        self._waiting: dict[str, asyncio.Future[Answer]] = {}
        self._came = asyncio.Event()
        for ami in self._amis:
            ami.hear("SwitchhookTextAnswer", self._answered)
            ami.hear("SwitchhookTextCame", lambda event: self._came.set())

    # -- out ----------------------------------------------------------------------------------------

    async def send(self, text_id: str, trunk: str, uri: str, sender: str, body: str) -> Answer:
        """Raises AmiError where Asterisk does not even begin, TimeoutError where nothing more was heard of it."""
        waiting: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[text_id] = waiting
        try:
            await self._begin(Id=text_id, Endpoint=trunk, Uri=uri, From=sender, **pieces(body))
            return await asyncio.wait_for(waiting, ANSWER_S)
        finally:
            del self._waiting[text_id]

    async def _begin(self, **fields: str) -> None:
        try:
            await self._way_out().action("SwitchhookText", **fields)
        except AmiError as error:
            if _NOT_THERE in str(error).lower():
                raise NotSupported(str(error)) from error
            raise

    def _answered(self, event: Any) -> None:
        waiting = self._waiting.get(str(event["Id"]))
        if waiting is not None and not waiting.done():
            heard = event["Heard"] == "yes"
            waiting.set_result(Answer(int(event["Status"]), heard, str(event["Reason"]), int(event["RetryAfter"])))

    def _way_out(self) -> Ami:
        return next((ami for ami in self._amis if ami.connected), self._amis[0])

    @property
    def connected(self) -> bool:
        return self._way_out().connected

    # -- in -----------------------------------------------------------------------------------------

    def subscribe(self, trunk: str, take: Take) -> Callable[[], None]:
        """Texts of this trunk go there; of every trunk without a taker of its own, for the empty name. The answer ends
        it."""
        self._takers[trunk] = take
        self._came.set()

        def end() -> None:
            if self._takers.get(trunk) is take:
                del self._takers[trunk]

        return end

    async def run(self) -> None:
        """Hand on what came, for as long as the engine runs; texts that came without one are here already."""
        while True:
            self._came.clear()
            try:
                for path in await asyncio.to_thread(_listed, self._spools):
                    await self._hand_on(path)
            except Refused as error:
                log.warning("text.not_taken", why=error.message)
            except Exception:
                log.exception("text.not_taken")
            try:
                async with asyncio.timeout(LOOK_AGAIN_S):
                    await self._came.wait()
            except TimeoutError:
                continue

    async def _hand_on(self, path: Path) -> None:
        try:
            text = await asyncio.to_thread(_read, path)
        except FileNotFoundError:
            return
        except (ValueError, KeyError, TypeError):
            log.exception("text.unreadable", file=path.name)
            await asyncio.to_thread(path.rename, path.with_suffix(".unreadable"))
            return
        take = self._takers.get(text.trunk) or self._takers.get("")
        if take is not None:
            await take(text)
            await asyncio.to_thread(path.unlink, missing_ok=True)


def pieces(body: str) -> dict[str, str]:
    """The fields of an action that carry a text of any length."""
    whole = base64.b64encode(body.encode()).decode()
    return {f"Body{at // _PIECE}": whole[at : at + _PIECE] for at in range(0, len(whole), _PIECE)}


def _listed(spools: Sequence[Path]) -> list[Path]:
    """In the order in which they came."""

    def dated() -> Iterator[tuple[int, Path]]:
        for path in (path for spool in spools for path in spool.glob("*.json")):
            try:
                yield path.stat().st_mtime_ns, path
            except FileNotFoundError:
                continue

    return [path for _, path in sorted(dated())]


def _read(path: Path) -> SpooledText:
    row = json.loads(path.read_bytes())
    return SpooledText(
        id=str(row["id"]),
        trunk=str(row["endpoint"]),
        sender=str(row["from"]),
        receiver=str(row["to"]),
        content_type=str(row["content_type"]),
        body=base64.b64decode(row["body"]),
        at_us=int(row["at_us"]),
    )
