"""Figures by e-mail for managers who want them: each period once, however often engines start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import case, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm import fields
from crm.digests import EVERY, Busy, Due, Figures, Period, Reader, Wish, last_period
from crm.errors import Refused
from crm.models.calls import Call
from crm.models.digests import Digest, DigestWish
from crm.models.texts import Text
from crm.models.users import User
from crm.models.wrapup import CallSummary
from crm.services import users
from crm.unit_of_work import UnitOfWork

READERS = ("manager", "admin")
MOST_TRIES = 8
MOST_USERS = 20
_WAIT_US = 15 * 60_000_000


async def show(session: AsyncSession, user_ref: str) -> Wish:
    user = await users.find(session, user_ref)
    row = await session.get(DigestWish, user.id)
    return Wish(user.id, row.every if row is not None else "none")


async def change(work: UnitOfWork, user_ref: str, values: Mapping[str, Any]) -> Wish:
    """``every``: none, day or week. From the next period that ends on."""
    given = fields.read(values, {"every": fields.choice(*EVERY)}, ("every",))
    user = await users.find(work.session, user_ref)
    if user.role not in READERS and given["every"] != "none":
        raise Refused("for_managers", "Figures of everybody are sent to managers and admins only.", "every")
    before = await show(work.session, user.id)
    row = await work.session.get(DigestWish, user.id)
    if row is not None:
        await work.session.delete(row)
        await work.flush()
    if given["every"] != "none":
        work.session.add(DigestWish(user_id=user.id, every=given["every"], since_us=work.at_us))
    await work.flush()
    change = ({"every": before.every}, {"every": given["every"]})
    work.record("digest.change", user.id, *change, touches_calls=False)
    return Wish(user.id, given["every"])


async def due(session: AsyncSession, now_us: int) -> list[Due]:
    """What is to be sent now."""
    query = select(DigestWish, User).join(User, User.id == DigestWish.user_id)
    found = []
    for wish, user in await session.execute(query.where(User.active, User.role.in_(READERS)).order_by(User.id)):
        period = last_period(wish.every, now_us, user.time_zone)
        if period is None or period.until_us <= wish.since_us:
            continue
        row = await session.get(Digest, (user.id, wish.every, period.from_us))
        if row is None or (row.state == "waiting" and row.next_us <= now_us):
            reader = Reader(user.id, user.email, user.name, user.language, user.time_zone)
            found.append(Due(reader, period))
    return found


async def claim(work: UnitOfWork, one: Due) -> bool:
    """Before it is sent; False where another engine was first."""
    key = (one.reader.user_id, one.period.every, one.period.from_us)
    row = await work.session.get(Digest, key, with_for_update=True)
    if row is None:
        names = {"user_id": key[0], "every": key[1], "from_us": key[2]}
        work.session.add(Digest(**names, state="sending", tries=1, next_us=0))
        await work.flush()
        return True
    if row.state != "waiting" or row.next_us > work.at_us:
        return False
    row.state, row.tries = "sending", row.tries + 1
    await work.flush()
    return True


async def note(work: UnitOfWork, one: Due, error: str | None) -> None:
    """What came of it. One that was not taken is tried again some times."""
    mine = (
        Digest.user_id == one.reader.user_id,
        Digest.every == one.period.every,
        Digest.from_us == one.period.from_us,
    )
    values: dict[str, Any] = {"state": "sent", "sent_us": work.at_us, "error": None}
    if error is not None:
        failed = case((Digest.tries >= MOST_TRIES, "failed"), else_="waiting")
        values = {"state": failed, "next_us": work.at_us + _WAIT_US, "error": error}
    await work.session.execute(update(Digest).where(*mine).values(**values))


# -- what is in it -----------------------------------------------------------------------------------


async def figures(session: AsyncSession, period: Period) -> Figures:
    """Of everybody, from the log of the period alone."""
    within = (Call.created_us >= period.from_us, Call.created_us < period.until_us)
    columns = (func.count(), func.count(Call.answered_us), func.coalesce(func.sum(Call.talk_ms), 0))
    by_way = select(Call.direction, *columns).where(*within).group_by(Call.direction)
    calls = {
        way: (int(all_), int(answered), int(talk or 0)) for way, all_, answered, talk in await session.execute(by_way)
    }
    inbound, outbound = calls.get("inbound", (0, 0, 0)), calls.get("outbound", (0, 0, 0))
    texts = await _texts(session, period)
    drafts = select(func.count()).select_from(CallSummary).where(CallSummary.state == "draft")
    return Figures(
        inbound=inbound[0],
        inbound_answered=inbound[1],
        outbound=outbound[0],
        outbound_answered=outbound[1],
        talk_ms=inbound[2] + outbound[2],
        texts_in=texts.get("in", (0, 0))[0],
        texts_out=texts.get("out", (0, 0))[0],
        texts_failed=texts.get("out", (0, 0))[1],
        open_summaries=await session.scalar(drafts) or 0,
        users=await _busiest(session, period),
    )


async def _texts(session: AsyncSession, period: Period) -> dict[str, tuple[int, int]]:
    failed = func.count(case((Text.state == "failed", 1)))
    query = select(Text.direction, func.count(), failed).where(
        Text.created_us >= period.from_us, Text.created_us < period.until_us
    )
    found = await session.execute(query.group_by(Text.direction))
    return {way: (int(all_), int(lost)) for way, all_, lost in found}


async def _busiest(session: AsyncSession, period: Period) -> tuple[Busy, ...]:
    columns = (func.count(), func.count(Call.answered_us), func.coalesce(func.sum(Call.talk_ms), 0))
    query = (
        select(User.name, *columns)
        .join(User, User.id == Call.user_id)
        .where(Call.created_us >= period.from_us, Call.created_us < period.until_us)
        .group_by(User.id, User.name)
        .order_by(func.count().desc(), User.name)
        .limit(MOST_USERS)
    )
    return tuple(
        [Busy(name, int(all_), int(ok), int(talk or 0)) for name, all_, ok, talk in await session.execute(query)]
    )
