"""Letters by e-mail: what one is, and the port of whatever carries it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import structlog

from crm.errors import Refused

log = structlog.get_logger("letters")


@dataclass(frozen=True, slots=True)
class File:
    """``kind`` as MIME writes it: audio/ogg."""

    name: str
    kind: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Letter:
    """``key`` is the same for the same letter: the receiver's mail server may know it by that."""

    to: str
    subject: str
    text: str
    key: str
    file: File | None = None


class Mail(Protocol):
    """``ready``: a mail server is set."""

    @property
    def ready(self) -> bool: ...

    async def send(self, one: Letter) -> str | None:
        """None: the server has taken it; else why not."""


async def send_every(
    seconds: float, ready: Callable[[], bool], send_due: Callable[[], Awaitable[None]], what: str
) -> None:
    """For as long as the engine runs, where a mail server is set; what cannot be done now is tried the next time."""
    while True:
        await asyncio.sleep(seconds)
        if not ready():
            continue
        try:
            await send_due()
        except Refused as error:
            log.warning("letters.later", what=what, why=error.message)
        except Exception:
            log.exception("letters.broke", what=what)
