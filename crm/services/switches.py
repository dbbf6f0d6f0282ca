"""What an admin switches on per role or per team: scripts and call lists (N6)."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from crm.errors import Refused
from crm.models.users import User
from crm.repositories.call_lists import groups_of
from crm.services import settings

SCRIPTS, LISTS = "scripts", "lists"
_SENTENCE = "Call lists are not switched on for you. An admin can switch them on for your role or your team."


async def is_on(session: AsyncSession, what: str, user_id: str) -> bool:
    """For who has one of the roles that are named, or is in one of the groups."""
    values = await settings.values(session)
    user = await session.get(User, user_id)
    if user is None:
        return False
    if user.role in values[f"{what}.roles"]:
        return True
    groups = set(values[f"{what}.groups"])
    return bool(groups) and bool(groups & await groups_of(session, user_id))


async def check_lists(session: AsyncSession, user_id: str) -> None:
    if not await is_on(session, LISTS, user_id):
        raise Refused("lists_off", _SENTENCE, status=403)
