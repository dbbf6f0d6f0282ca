"""Letters by e-mail: what one is, and the port of whatever carries it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


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
