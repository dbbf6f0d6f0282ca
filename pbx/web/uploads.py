"""How much a rep may upload: files of others fill the disk that calls are recorded on (TRUST 6)."""

from __future__ import annotations

from collections.abc import Callable

from crm.errors import Refused
from crm.services import text_attachments
from pbx.web.context import Ctx

_DAY_US = 24 * 3_600_000_000
_MB = 1_000_000


async def quota(ctx: Ctx) -> Callable[[int], None]:
    """Raises Refused for so many bytes as are too many beside those of the last 24 hours; never for who manages."""
    if ctx.who.sees_all:
        return lambda size: None
    most = int(ctx.engine.directory.settings["uploads.rep_mb_per_day"])
    since_us = ctx.engine.store.clock() - _DAY_US
    async with ctx.engine.store.read() as session:
        before = await text_attachments.uploaded(session, ctx.who.id, since_us)
    before += await ctx.engine.imports.uploaded(ctx.who.id, since_us)

    def check(size: int) -> None:
        if before + size > most * _MB:
            text = f"You may upload {most} MB within a day. Try again tomorrow, or ask an admin for more."
            raise Refused("upload_quota", text, "file", 413)

    return check
