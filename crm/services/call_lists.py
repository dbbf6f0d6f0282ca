"""Call lists: whose they are, who may work on them, by which rules (L1, L3, L5).

Who owns a list changes it, and so do managers. A shared list may be worked on by everybody, or by members of its
groups; each entry of it is one user's at a time (:mod:`crm.services.list_leases`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crm import call_lists, fields, ids, retry_rules
from crm.call_lists import CallList
from crm.errors import Refused, not_found
from crm.models.call_lists import CallList as Row
from crm.models.users import User
from crm.models.wrapup import Outcome
from crm.records import as_dict
from crm.repositories import call_lists as rows
from crm.services import groups, settings, switches
from crm.unit_of_work import UnitOfWork

LONGEST_COUNTDOWN_S = 600
_CAP = fields.optional(fields.integer(1, 100_000))
_CHECKS: dict[str, fields.Check] = {
    "name": fields.text(100),
    "description": fields.text(1_000, empty=True, lines=True),
    "shared": fields.boolean,
    "group_ids": fields.list_of(fields.text(60), 100),
    "active": fields.boolean,
    "preview_s": fields.integer(0, LONGEST_COUNTDOWN_S),
    "wrap_up_s": fields.integer(0, LONGEST_COUNTDOWN_S),
    "wrap_up": fields.choice(*call_lists.WRAP_UPS),
    "retry": retry_rules.check,
    "daily_calls": _CAP,
    "daily_calls_user": _CAP,
    "daily_calls_number": _CAP,
    "drop_outcome_id": fields.optional(fields.text(64)),
    "owner_id": fields.optional(fields.text(64)),
}
_BLANK: Mapping[str, Any] = {
    "description": "",
    "shared": False,
    "group_ids": [],
    "active": True,
    "filling": None,
    "last_position": 0,
    "preview_s": 10,
    "wrap_up_s": 20,
    "wrap_up": "setting",
    "retry": [dict(rule) for rule in retry_rules.DEFAULT],
    "daily_calls": None,
    "daily_calls_user": None,
    "daily_calls_number": None,
    "drop_outcome_id": None,
}


async def add(work: UnitOfWork, values: Mapping[str, Any]) -> CallList:
    """``name`` is needed. It belongs to who makes it, where no other owner is named; a list that the command line makes
    without one is shared."""
    given = await _checked(work, values, ("name",))
    owner = given.pop("owner_id", None) or (work.actor.id if work.actor.kind == "user" else None)
    whose = {"owner_id": owner, "shared": owner is None}
    row = Row(
        id=ids.new(ids.CALL_LIST, work.at_us),
        created_us=work.at_us,
        updated_us=work.at_us,
        **(dict(_BLANK) | whose | given),
    )
    work.session.add(row)
    await work.flush()
    made = await shown(work.session, row, work.at_us)
    work.record("list.add", made.id, None, _logged(made), touches_calls=False)
    return made


async def list_all(session: AsyncSession, user_id: str | None = None, at_us: int | None = None) -> list[CallList]:
    """By name: those that this user may work on, all where none is named."""
    return await rows.lists(session, user_id, ids.now_us() if at_us is None else at_us)


async def show(session: AsyncSession, ref: str, at_us: int | None = None) -> CallList:
    return await shown(session, await find(session, ref), ids.now_us() if at_us is None else at_us)


async def change(work: UnitOfWork, ref: str, values: Mapping[str, Any]) -> CallList:
    row = await find(work.session, ref)
    before = await shown(work.session, row, work.at_us)
    rows.change(row, await _checked(work, values))
    row.updated_us = work.at_us
    await work.flush()
    after = await shown(work.session, row, work.at_us)
    work.record("list.change", row.id, _logged(before), _logged(after), touches_calls=False)
    return after


async def remove(work: UnitOfWork, ref: str) -> CallList:
    """Its entries and runs go with it; the calls that were made stay in the log."""
    row = await find(work.session, ref)
    gone = await shown(work.session, row, work.at_us)
    await work.session.delete(row)
    await work.flush()
    work.record("list.remove", gone.id, _logged(gone), None, touches_calls=False)
    return gone


async def find(session: AsyncSession, ref: str) -> Row:
    row = await rows.named(session, ref) if isinstance(ref, str) and ref.isprintable() else None
    if row is None:
        raise not_found("call list", str(ref))
    return row


async def check_may_have(session: AsyncSession, user_id: str) -> None:
    """Raises Refused where call lists are not switched on for this user (N6)."""
    await switches.check_lists(session, user_id)


async def check_may_use(session: AsyncSession, row: Row, user_id: str) -> None:
    """Raises Refused for a list that is not this user's to work on, and where lists are not switched on (N6)."""
    await switches.check_lists(session, user_id)
    if not await _may_see(session, row, user_id):
        raise not_found("call list", row.id)


async def check_may_change(session: AsyncSession, row: Row, user_id: str) -> None:
    user = await session.get(User, user_id)
    if user is None or (user.role == "rep" and row.owner_id != user_id):
        raise Refused("not_yours", "Only its owner, a manager or an admin may change this list.", status=403)


async def _may_see(session: AsyncSession, row: Row, user_id: str) -> bool:
    user = await session.get(User, user_id)
    if user is not None and user.role != "rep":
        return True
    return rows.may_use(row, user_id, await rows.groups_of(session, user_id))


async def wrap_up_required(session: AsyncSession, row: Row) -> bool:
    if row.wrap_up == "setting":
        return bool((await settings.values(session))["lists.wrap_up_required"])
    return row.wrap_up == "required"


async def shown(session: AsyncSession, row: Row, at_us: int) -> CallList:
    return rows.to_list(row, (await rows.counts(session, [row.id], at_us))[row.id])


async def _checked(work: UnitOfWork, values: Mapping[str, Any], required: tuple[str, ...] = ()) -> dict[str, Any]:
    given = fields.read(values, _CHECKS, required)
    if "group_ids" in given:
        found = [(await groups.show(work.session, ref)).id for ref in given["group_ids"]]
        given["group_ids"] = list(dict.fromkeys(found))
    if given.get("owner_id") and await work.session.get(User, given["owner_id"]) is None:
        raise Refused("no_owner", "There is no user with this id. Choose an owner from the list.", "owner_id")
    outcomes = {rule["on"] for rule in given.get("retry", ()) if rule["on"].startswith("out_")}
    outcomes |= {given["drop_outcome_id"]} if given.get("drop_outcome_id") else set()
    for outcome_id in outcomes:
        if await work.session.get(Outcome, outcome_id) is None:
            raise Refused("no_such_outcome", "There is no such outcome. Choose one from the list.", "retry")
    return given


to_fill = rows.to_fill


def _logged(found: CallList) -> dict[str, Any]:
    return {name: value for name, value in as_dict(found).items() if name not in ("counts", "filling")}
