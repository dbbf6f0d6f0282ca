"""Sound files with range requests (RFC 9110, section 14), so that a player can seek without loading everything.

The entity tag is the file's SHA-256, which the store knows: unlike one made of size and time it says the same on every
machine, and If-Range means what it says.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from aiohttp import web

from pbx.web.problems import BadRequest

CHUNK = 128 * 1024
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
TYPES = {"opus": "audio/ogg", "flac": "audio/flac", "wav": "audio/wav"}


@dataclass(frozen=True, slots=True)
class Sound:
    """``path`` is relative to the recordings directory, as the store has it."""

    path: str
    sha256: str
    codec: str
    name: str

    @property
    def content_type(self) -> str:
        return TYPES.get(self.codec, "application/octet-stream")

    @property
    def tag(self) -> str:
        return f'"{self.sha256}"'


def inside(directory: Path, name: str) -> Path:
    """Where a stored path points; never out of the directory, whatever stands in the database."""
    base = directory.resolve()
    path = (base / name).resolve()
    if not path.is_relative_to(base):
        raise _gone()
    return path


async def serve(request: web.Request, directory: Path, sound: Sound) -> web.StreamResponse:
    headers = {
        "ETag": sound.tag,
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
        "Content-Type": sound.content_type,
        "Content-Disposition": f'inline; filename="{sound.name}"',
    }
    if _matches(request.headers.get("If-None-Match", ""), sound.tag):
        return web.Response(status=304, headers={"ETag": sound.tag, "Cache-Control": "private, no-cache"})
    file, size = await asyncio.to_thread(_open, inside(directory, sound.path))
    try:
        first, last, status = _wanted(request, sound.tag, size)
        if status == 206:
            headers["Content-Range"] = f"bytes {first}-{last}/{size}"
        response = web.StreamResponse(status=status, headers=headers)
        response.content_length = last - first + 1
        await response.prepare(request)
        async for chunk in _chunks(file, first, last):
            await response.write(chunk)
        await response.write_eof()
        return response
    finally:
        await asyncio.to_thread(file.close)


def _open(path: Path) -> tuple[BinaryIO, int]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise _gone() from error
    return file, path.stat().st_size


def _wanted(request: web.Request, tag: str, size: int) -> tuple[int, int, int]:
    """First and last byte, and the status. Several ranges at once, or a unit we do not know, get the whole."""
    whole = (0, size - 1, 200)
    header = request.headers.get("Range", "")
    condition = request.headers.get("If-Range")
    found = _RANGE.fullmatch(header.replace(" ", "").lower())
    if found is None or (condition is not None and condition.strip() != tag):
        return whole
    start, end = found.groups()
    if not start and not end:
        return whole
    if not start:
        first, last = max(0, size - int(end)), size - 1
        satisfiable = int(end) > 0 and size > 0
    else:
        first, last = int(start), min(int(end), size - 1) if end else size - 1
        if end and int(end) < first:
            return whole  # not a range at all, and to be ignored (RFC 9110, section 14.1.1)
        satisfiable = first < size
    if not satisfiable:
        problem = BadRequest(416, "range_not_satisfiable", f"The file has {size} bytes. Ask for a range inside them.")
        problem.headers["Content-Range"] = f"bytes */{size}"
        raise problem
    return first, last, 206


async def _chunks(file: BinaryIO, first: int, last: int) -> AsyncIterator[bytes]:
    await asyncio.to_thread(file.seek, first)
    left = last - first + 1
    while left > 0:
        chunk = await asyncio.to_thread(file.read, min(CHUNK, left))
        if not chunk:
            return
        left -= len(chunk)
        yield chunk


def _matches(header: str, tag: str) -> bool:
    return any(each.strip().removeprefix("W/") in (tag, "*") for each in header.split(","))


def _gone() -> BadRequest:
    return BadRequest(404, "sound_missing", "The sound is not in its place. Ask an admin to look into the recordings.")
