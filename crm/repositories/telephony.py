"""Numbers, devices, trunks and groups."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm import records
from crm.models.telephony import BrowserPhone, Device, Group, GroupMember, Number, Trunk
from crm.models.users import LoginSession, User


def to_number(row: Number) -> records.Number:
    return records.Number(
        row.e164, row.country, row.voice, row.sms, row.user_id, row.label, row.created_us, row.updated_us
    )


def to_device(row: Device) -> records.Device:
    return records.Device(
        row.id, row.user_id, row.name, row.kind, row.transport, row.ha1, row.enabled, row.created_us, row.updated_us
    )


def to_trunk(row: Trunk) -> records.Trunk:
    return records.Trunk(
        id=row.id,
        name=row.name,
        mode=row.mode,
        host=row.host,
        port=row.port,
        transport=row.transport,
        username=row.username,
        secret=row.secret,
        priority=row.priority,
        number_format=row.number_format,
        prefix=row.prefix,
        codecs=tuple(row.codecs),
        max_channels=row.max_channels,
        calls_per_second=row.calls_per_second,
        match_addresses=tuple(row.match_addresses),
        enabled=row.enabled,
        created_us=row.created_us,
        updated_us=row.updated_us,
    )


async def numbers(session: AsyncSession, *, free: bool | None = None) -> list[records.Number]:
    query = select(Number).order_by(Number.e164)
    if free is not None:
        query = query.where(Number.user_id.is_(None) if free else Number.user_id.is_not(None))
    return [to_number(row) for row in await session.scalars(query)]


async def number_row_of(session: AsyncSession, user_id: str) -> Number | None:
    return (await session.scalars(select(Number).where(Number.user_id == user_id))).one_or_none()


async def devices(session: AsyncSession, user_id: str | None = None) -> list[records.Device]:
    query = select(Device).order_by(Device.user_id, Device.created_us, Device.id)
    if user_id is not None:
        query = query.where(Device.user_id == user_id)
    return [to_device(row) for row in await session.scalars(query)]


def to_browser(row: BrowserPhone, user_id: str) -> records.Device:
    return records.Device(row.id, user_id, "Browser", "webrtc", "wss", row.ha1, True, row.created_us, row.updated_us)


async def browsers(session: AsyncSession) -> list[tuple[str, records.Device]]:
    """The phones of the logins that there are, with the id of the login."""
    query = (
        select(BrowserPhone, LoginSession.user_id)
        .join(LoginSession, LoginSession.id == BrowserPhone.session_id)
        .join(User, User.id == LoginSession.user_id)
        .where(User.active.is_(True))
        .order_by(BrowserPhone.created_us, BrowserPhone.id)
    )
    return [(row.session_id, to_browser(row, user_id)) for row, user_id in await session.execute(query)]


async def browser_row_of(session: AsyncSession, session_id: str) -> BrowserPhone | None:
    return (await session.scalars(select(BrowserPhone).where(BrowserPhone.session_id == session_id))).one_or_none()


async def count_browsers(session: AsyncSession, user_id: str) -> int:
    query = select(func.count()).select_from(BrowserPhone).join(LoginSession).where(LoginSession.user_id == user_id)
    return (await session.scalars(query)).one()


async def trunks(session: AsyncSession) -> list[records.Trunk]:
    """In the order in which they are tried."""
    query = select(Trunk).order_by(Trunk.priority, Trunk.created_us, Trunk.id)
    return [to_trunk(row) for row in await session.scalars(query)]


async def trunk_row(session: AsyncSession, ref: str) -> Trunk | None:
    """By id or by name."""
    found = await session.get(Trunk, ref)
    return found or (await session.scalars(select(Trunk).where(Trunk.name == ref))).one_or_none()


async def groups(session: AsyncSession) -> list[records.Group]:
    members = defaultdict(list)
    query = select(GroupMember).order_by(GroupMember.group_id, GroupMember.position, GroupMember.user_id)
    for member in await session.scalars(query):
        members[member.group_id].append(member.user_id)
    rows = await session.scalars(select(Group).order_by(func.lower(Group.name), Group.id))
    return [to_group(row, members[row.id]) for row in rows]


def to_group(row: Group, members: Sequence[str]) -> records.Group:
    return records.Group(row.id, row.name, row.description, tuple(members), row.created_us, row.updated_us)


async def members_of(session: AsyncSession, group_id: str) -> list[str]:
    query = select(GroupMember.user_id).where(GroupMember.group_id == group_id)
    return list(await session.scalars(query.order_by(GroupMember.position, GroupMember.user_id)))


async def set_members(session: AsyncSession, group_id: str, user_ids: Sequence[str]) -> None:
    await session.execute(delete(GroupMember).where(GroupMember.group_id == group_id))
    rows = [{"group_id": group_id, "user_id": name, "position": at} for at, name in enumerate(user_ids)]
    if rows:
        await session.execute(insert(GroupMember), rows)
