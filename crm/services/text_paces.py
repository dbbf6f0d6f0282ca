"""How fast texts leave, counted in the database: engines that share it keep a campaign's pace together (T8, A8).

A row says from which moment on the next text may go. Whoever sends one moves it on in the transaction that takes the
text in hand: of two engines that ask at once the second waits for the first one's, and is then told to wait.
"""

from __future__ import annotations

from crm.repositories import raw
from crm.unit_of_work import UnitOfWork

_TAKE = """INSERT INTO text_paces (name, level_us) VALUES (?, ?)
ON CONFLICT (name) DO UPDATE SET level_us = excluded.level_us WHERE text_paces.level_us <= ? RETURNING level_us"""


async def take(work: UnitOfWork, name: str, cost_us: int) -> tuple[bool, int]:
    """Whether a text may go now, after which nothing goes for ``cost_us``; and from when on the next one may."""
    if taken := await raw.rows(work.session, _TAKE, [name, work.at_us + cost_us, work.at_us]):
        return True, int(taken[0][0])
    [(level_us,)] = await raw.rows(work.session, "SELECT level_us FROM text_paces WHERE name = ?", [name])
    return False, int(level_us)


async def give_back(work: UnitOfWork, name: str) -> None:
    """Of what was taken in this transaction, and is not sent: another may go now."""
    await raw.run(work.session, "UPDATE text_paces SET level_us = ? WHERE name = ?", [work.at_us, name])
