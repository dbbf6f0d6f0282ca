"""The same key, the same call: a request repeated with its Idempotency-Key does one thing (TRUST 10).

The key is claimed in the store, with the id of the call to be, before anything is dialled. Repeats that come while
the first is under way wait for its answer; later ones get it from the store. An answer is kept once a call stands: what
was refused before (no phone registered, Asterisk away) may be tried again with the same key and makes the call of the
same id. A key is a promise, so a request with one is refused (503) while the store cannot keep it.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from crm import ids
from crm.services import idempotency
from pbx.web.context import Ctx
from pbx.web.problems import BadRequest, from_status

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
LONGEST = 128


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it can be given again."""

    status: int
    body: str
    content_type: str

    def response(self, replayed: bool) -> web.Response:
        headers = {REPLAYED: "true"} if replayed else {}
        return web.Response(status=self.status, text=self.body, content_type=self.content_type, headers=headers)


class Once:
    """The requests with a key that are under way in this process."""

    def __init__(self) -> None:
        self._running: dict[tuple[str, str, str], asyncio.Future[Kept]] = {}

    async def run(self, ctx: Ctx, answer: Callable[[Ctx], Awaitable[web.Response]]) -> web.Response:
        """``answer`` gives a response for refusals of the call as well: those are kept too."""
        key = ctx.request.headers.get(HEADER)
        if key is None:
            ctx.call_id = ids.new(ids.CALL)
            return await answer(ctx)
        if not key or len(key) > LONGEST or not key.isascii() or not key.isprintable():
            raise BadRequest(422, "bad_idempotency_key", f"A key has 1 to {LONGEST} plain characters.", HEADER)
        fingerprint = await _fingerprint(ctx.request)
        slot = (ctx.who.owner, key, fingerprint)
        running = self._running.get(slot)
        if running is not None:
            return (await asyncio.shield(running)).response(True)
        future = self._running[slot] = asyncio.get_running_loop().create_future()
        try:
            kept, replayed = await self._first(ctx, key, fingerprint, answer)
        except BaseException as error:
            future.set_exception(error if isinstance(error, Exception) else from_status(503))
            future.exception()  # whether anybody waits for it or not
            raise
        else:
            future.set_result(kept)
            return kept.response(replayed)
        finally:
            del self._running[slot]

    async def _first(
        self, ctx: Ctx, key: str, fingerprint: str, answer: Callable[[Ctx], Awaitable[web.Response]]
    ) -> tuple[Kept, bool]:
        store, owner = ctx.engine.store, ctx.who.owner
        async with store.write(ctx.actor) as work:
            claim = await idempotency.claim(work, owner, key, fingerprint, ids.new(ids.CALL))
        if claim.status is not None and claim.response is not None:
            content_type, _, body = claim.response.partition("\n")
            return Kept(claim.status, body, content_type), True
        ctx.call_id, ctx.repeated = claim.object_id, not claim.new
        response = await asyncio.shield(answer(ctx))
        body = response.body.decode() if isinstance(response.body, bytes) else ""
        kept = Kept(response.status, body, response.content_type)
        if kept.status < 400 or ctx.engine.records.get(ctx.call_id) is not None:
            async with store.write(ctx.actor) as work:
                await idempotency.settle(work, owner, key, kept.status, f"{kept.content_type}\n{kept.body}")
        return kept, False


async def _fingerprint(request: web.Request) -> str:
    return hashlib.sha256(f"{request.method} {request.path}\n".encode() + await request.read()).hexdigest()
