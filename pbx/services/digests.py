"""Sends managers the figures of a day or a week, where a mail server is set: each once."""

from __future__ import annotations

import structlog

from crm.digests import Due
from crm.errors import Refused
from crm.services import digests
from crm.unit_of_work import ENGINE, Store
from pbx.services.digest_letter import letter
from pbx.services.letters import Mail, send_every

log = structlog.get_logger("digests")

LOOK_EVERY_S = 60.0


class Digests:
    def __init__(self, store: Store, mail: Mail) -> None:
        self._store = store
        self._mail = mail

    @property
    def ready(self) -> bool:
        """Whether anything can be sent."""
        return self._mail.ready

    async def run(self) -> None:
        """For as long as the engine runs."""
        await send_every(LOOK_EVERY_S, lambda: self._mail.ready, self.send_due, "digests")

    async def send_due(self) -> None:
        async with self._store.read() as session:
            due = await digests.due(session, self._store.clock())
        for one in due:
            await self._send(one)

    async def _send(self, one: Due) -> None:
        """Claimed first: where an engine dies while it sends, the letter is not sent twice."""
        async with self._store.read() as session:
            found = await digests.figures(session, one.period)
        try:
            async with self._store.write(ENGINE) as work:
                if not await digests.claim(work, one):
                    return
        except Refused as refused:
            if refused.status == 409:  # another engine claimed it in the same moment
                return
            raise
        error = await self._mail.send(letter(one, found))
        if error is not None:
            log.warning("digests.not_sent", user=one.reader.user_id, why=error)
        async with self._store.write(ENGINE) as work:
            await digests.note(work, one, error)
