"""CSV files as downloads, sent while they are being made."""

from __future__ import annotations

from collections.abc import AsyncIterator

from aiohttp import web

_MARK = b"\xef\xbb\xbf"
"""Without it spreadsheets take UTF-8 for the encoding of their own country."""


async def stream(request: web.Request, pieces: AsyncIterator[str], name: str) -> web.StreamResponse:
    """``name`` is the file's, without its ending. What was cut off while it was sent ends without the last chunk, so
    that the browser says so instead of keeping half a file."""
    first = await anext(pieces, "")
    response = web.StreamResponse(headers=headers(name))
    await response.prepare(request)
    await response.write(_MARK + first.encode())
    async for piece in pieces:
        await response.write(piece.encode())
    await response.write_eof()
    return response


def headers(name: str) -> dict[str, str]:
    return {
        "Content-Type": "text/csv; charset=utf-8",
        "Content-Disposition": f'attachment; filename="{name}.csv"',
        "Cache-Control": "private, no-store",
    }
