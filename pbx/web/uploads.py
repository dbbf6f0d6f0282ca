"""How much a rep may upload: files of others fill the disk that calls are recorded on (TRUST 6)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from crm.errors import Refused
from crm.services import text_attachments
from pbx.web.context import Ctx

_DAY_US = 24 * 3_600_000_000
_MB = 1_000_000
Check = Callable[[int], None]


@dataclass(slots=True, eq=False)
class Upload:
    """Under way: what its user had uploaded before, and what has come of it so far, in bytes."""

    before: int = 0
    size: int = 0


Uploads = defaultdict[str, list[Upload]]
UNDER_WAY: web.AppKey[Uploads] = web.AppKey("uploads")
"""By user."""


@asynccontextmanager
async def quota(ctx: Ctx) -> AsyncIterator[Check]:
    """Gives what raises Refused for so many bytes of this upload as are too many beside those of the last 24 hours and
    those of others that are under way; never for who manages. The upload is kept within the block."""
    if ctx.who.sees_all:
        yield lambda size: None
        return
    this, others = Upload(), ctx.request.app[UNDER_WAY]
    mine = others[ctx.who.id]
    mine.append(this)
    try:
        found = await _uploaded(ctx)
        this.before += found  # others may have been kept meanwhile
        yield _check(ctx, this, mine)
        for other in mine:  # which has looked before this one was kept
            other.before += this.size if other is not this else 0
    finally:
        mine.remove(this)
        if not mine:
            del others[ctx.who.id]


def _check(ctx: Ctx, this: Upload, mine: list[Upload]) -> Check:
    most = int(ctx.engine.directory.settings["uploads.rep_mb_per_day"])

    def check(size: int) -> None:
        this.size = size
        if this.before + sum(each.size for each in mine) > most * _MB:
            text = f"You may upload {most} MB within a day. Try again tomorrow, or ask an admin for more."
            raise Refused("upload_quota", text, "file", 413)

    return check


async def _uploaded(ctx: Ctx) -> int:
    since_us = ctx.engine.store.clock() - _DAY_US
    async with ctx.engine.store.read() as session:
        texts = await text_attachments.uploaded(session, ctx.who.id, since_us)
    return texts + await ctx.engine.imports.uploaded(ctx.who.id, since_us)
