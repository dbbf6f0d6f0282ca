"""Calls as the API shows them: from memory while this run knows them, else from the store; and who may see them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from crm import paging, phone_numbers
from crm.errors import Refused, not_found
from crm.records import CallEvent, as_dict
from crm.repositories import money
from crm.repositories.calls import CallFilter, is_at_that_hour
from crm.services import calls, summaries
from crm.wrapup import Summary
from pbx.core.call.record import CallRecord
from pbx.services.stored_calls import stored_call
from pbx.services.views import call_view, involved, involved_in
from pbx.web.context import Ctx
from pbx.web.principal import forbidden
from pbx.web.wire.calls import CallChoice, CallQuery, CallView

STORED_WITHIN_US = 60_000_000
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """``last_seq`` numbers the call's last fact in the store: what a later note follows. None for calls in memory."""

    view: dict[str, Any]
    users: frozenset[str]
    last_seq: int | None
    events: Sequence[CallEvent] = ()


async def find(ctx: Ctx, call_id: str) -> Found:
    """Raises Refused (404) for a call that neither this run nor the store knows."""
    record = ctx.engine.records.get(call_id)
    if record is not None:
        return Found(call_view(record), involved_in(record, ctx.engine.directory), None)
    return await _stored(ctx, call_id)


async def find_with_timeline(ctx: Ctx, call_id: str) -> Found:
    """A call that goes on while the database is away is shown without its timeline."""
    record = ctx.engine.records.get(call_id)
    try:
        stored = await _stored(ctx, call_id)
    except Refused:
        if record is None:
            raise
        return _with_timeline(await find(ctx, call_id), [])
    return _with_timeline(stored if record is None else await find(ctx, call_id), stored.events)


def _with_timeline(found: Found, events: Iterable[CallEvent]) -> Found:
    found.view["timeline"] = [as_dict(event) for event in events]
    return found


async def _stored(ctx: Ctx, call_id: str) -> Found:
    async with ctx.engine.store.read() as session:
        found = await stored_call(session, call_id)
    view, events = found.view, found.detail.events
    users = involved(view, view["legs"], view["participants"], ctx.engine.directory)
    return Found(view, users, events[-1].seq if events else 0, events)


def check_may_see(ctx: Ctx, found: Found) -> None:
    """Reps see the calls they took part in (TRUST 21)."""
    if not ctx.who.sees_all and ctx.who.id not in found.users:
        raise forbidden("This call is somebody else's.")


def may_control(ctx: Ctx, users: frozenset[str]) -> bool:
    """Managers may look at every call; acting on it is for those in it, and for admins."""
    return ctx.who.is_admin or ctx.who.id in users


def check_may_control(ctx: Ctx, found: Found) -> None:
    if not may_control(ctx, found.users):
        raise forbidden("Only who takes part in this call, or an admin, may do this.")


async def exists(ctx: Ctx, call_id: str) -> bool:
    try:
        await find(ctx, call_id)
    except Refused as refused:
        if refused.status == 404:
            return False
        raise
    return True


def row(view: Row) -> Row:
    """The call alone, without what belongs to it."""
    return {name: view[name] for name in CallView.model_fields if name in view}


async def with_outcomes(ctx: Ctx, rows: Sequence[Row]) -> list[Row]:
    """Each with what was said of it (by who asks, else by the user whose call it is), and with what it has cost."""
    async with ctx.engine.store.read() as session:
        names = [call["id"] for call in rows]
        said = await summaries.of_calls(session, names)
        costs = await money.costs(session, names)
    return [{**call, **_said_of(ctx, call, said[call["id"]]), "cost": costs.get(call["id"])} for call in rows]


async def with_summaries(ctx: Ctx, call: Row) -> Row:
    """A call that goes on while the database is away is shown without them."""
    try:
        async with ctx.engine.store.read() as session:
            said = (await summaries.of_calls(session, [call["id"]]))[call["id"]]
            cost = (await money.costs(session, [call["id"]])).get(call["id"])
    except Refused:
        said, cost = [], None
    return {
        **call,
        **_said_of(ctx, call, said),
        "cost": cost,
        "summaries": [each for each in said if _may_see(ctx, each)],
    }


def _said_of(ctx: Ctx, call: Row, said: Sequence[Summary]) -> Row:
    """Notes are never another's where who asks has a summary: these are what their own are edited from."""
    by_user = {summary.user_id: summary for summary in said if _may_see(ctx, summary)}
    mine, own = by_user.get(ctx.who.id), by_user.get(call["user_id"])
    outcome = next((each.outcome for each in (mine, own) if each and each.outcome), None)
    shown = mine or own
    return {"outcome": as_dict(outcome) if outcome else None, "notes": shown.notes if shown else call["notes"]}


def _may_see(ctx: Ctx, summary: Summary) -> bool:
    """What is not saved yet is nobody's business but its user's, and a manager's."""
    return summary.state == "saved" or summary.user_id == ctx.who.id or ctx.who.sees_all


async def page(ctx: Ctx, wanted: CallFilter, cursor: str | None, limit: int) -> dict[str, Any]:
    """The store's page, with the calls in memory put in their places: those are ahead of the store, which alone knows
    what was said of calls."""
    after = paging.decode(cursor)
    async with ctx.engine.store.read() as session:
        stored = await calls.list_all(session, wanted, cursor=cursor, limit=limit)
    rows = {call.id: as_dict(call) for call in stored.items}
    for call_id in list(rows):
        record = ctx.engine.records.get(call_id)
        if record is not None:
            _put(ctx, rows, record, wanted)
    oldest_us = stored.items[-1].created_us if stored.next_cursor else 0
    for record in _not_stored_yet(ctx, oldest_us) if wanted.outcome_id is None else ():
        if after is None or _key(record.call) < after:
            _put(ctx, rows, record, wanted)
    ordered = sorted(rows.values(), key=_key, reverse=True)
    items = await with_outcomes(ctx, ordered[:limit])
    if len(ordered) > limit and items:
        return {"items": items, "next_cursor": paging.encode(*_key(items[-1]))}
    return {"items": items, "next_cursor": stored.next_cursor}


def wanted(ctx: Ctx, asked: CallQuery | CallChoice) -> CallFilter:
    """The question to the store. Reps see the calls they had a part in (TRUST 21)."""
    if not ctx.who.sees_all and asked.user not in (None, ctx.who.id):
        raise forbidden("You may list your own calls. Leave “user” out.")
    if asked.team is not None and not ctx.who.sees_all:
        raise forbidden("You may list your own calls. Leave “team” out.")
    return CallFilter(
        user_id=asked.user if ctx.who.sees_all else ctx.who.id,
        direction=asked.direction,
        disposition=asked.disposition,
        state=asked.state if isinstance(asked, CallQuery) else None,
        customer_number=as_e164(ctx, asked.customer_number),
        did=as_e164(ctx, asked.did),
        record_id=asked.record_id,
        outcome_id=asked.outcome,
        since_us=asked.since_us,
        until_us=asked.until_us,
        open=asked.open,
        owner_ids=_members(ctx, asked.team) if asked.team is not None else None,
        hour=asked.hour,
        weekday=asked.weekday,
        zone=asked.time_zone or str(ctx.engine.directory.settings["default_time_zone"]),
    )


def _members(ctx: Ctx, team: str) -> tuple[str, ...]:
    found = ctx.engine.directory.groups.get(team)
    if found is None:
        raise not_found("group", team)
    return tuple(found.members)


def _not_stored_yet(ctx: Ctx, oldest_us: int) -> Iterator[CallRecord]:
    """Calls that go on, and those of the last moments, which the store may not have. Looking stops at what is older
    than the page, so that a list costs the same however many calls are remembered."""
    yield from ctx.engine.records.live()
    horizon = max(oldest_us, ctx.engine.clock.now() - STORED_WITHIN_US)
    for record in ctx.engine.records.newest():
        if record.call["created_us"] < horizon:
            break
        if record.ended:
            yield record


def _put(ctx: Ctx, rows: dict[str, dict[str, Any]], record: CallRecord, wanted: CallFilter) -> None:
    if matches(record, wanted, involved_in(record, ctx.engine.directory)):
        rows[record.call_id] = record.call
    else:
        rows.pop(record.call_id, None)


def matches(record: CallRecord, wanted: CallFilter, users: frozenset[str]) -> bool:
    """The same question that the store's query asks."""
    call = record.call
    for name in ("customer_number", "did", "direction", "disposition", "state", "record_id"):
        value = getattr(wanted, name)
        if value is not None and call[name] != value:
            return False
    if wanted.user_id is not None and wanted.user_id not in users:
        return False
    if wanted.open is not None and wanted.open is record.ended:
        return False
    if wanted.owner_ids is not None and call["user_id"] not in wanted.owner_ids:
        return False
    if wanted.by_the_clock and not is_at_that_hour(wanted, call["created_us"]):
        return False
    since, until = wanted.since_us, wanted.until_us
    return (since is None or call["created_us"] >= since) and (until is None or call["created_us"] < until)


def _key(call: dict[str, Any]) -> tuple[int, str]:
    return call["created_us"], call["id"]


def as_e164(ctx: Ctx, number: str | None) -> str | None:
    """A number to filter by, in any notation; what is no number finds itself, so nothing."""
    if number is None:
        return None
    parsed = phone_numbers.try_parse(number, ctx.who.user.country)
    return parsed.e164 if parsed else number
