"""Call lists: made, filled, shown, exported, and how they go (L1, L5)."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from crm.call_lists import CallList
from crm.errors import Refused
from crm.services import call_lists, call_selection, list_entries, list_progress
from crm.unit_of_work import UnitOfWork
from pbx.web import call_log, csv_replies
from pbx.web.context import Ctx
from pbx.web.declare import Right, Table
from pbx.web.principal import forbidden
from pbx.web.wire.base import Listed, Paged
from pbx.web.wire.call_lists import (
    Bring,
    EntryQuery,
    EntryView,
    Filled,
    ListChange,
    ListView,
    NewList,
    ProgressQuery,
    ProgressView,
)

table = Table("lists")


@table.route("GET", "/lists", right=Right.REP, scope="people:read", answer=Listed[ListView])  # type: ignore[valid-type]
async def list_call_lists(ctx: Ctx) -> Any:
    """Your own and those that are shared with you, by name; managers see all of them."""
    async with ctx.engine.store.read() as session:
        whose = None if ctx.who.sees_all else ctx.who.id
        return {"items": await call_lists.list_all(session, whose, ctx.engine.clock.now())}


@table.route(
    "POST", "/lists", right=Right.REP, scope="people:write", answer=ListView, status=201, errors=(403, 404, 409, 422)
)
async def add_call_list(ctx: Ctx, body: NewList) -> Any:
    """Make an empty list of your own; then bring entries into it."""
    _check_owner(ctx, body)
    async with ctx.engine.store.write(ctx.who.author) as work:
        await call_lists.check_may_have(work.session, ctx.who.id)
        return await call_lists.add(work, body.given())


@table.route("GET", "/lists/{list}", right=Right.REP, scope="people:read", answer=ListView, errors=(403, 404))
async def show_call_list(ctx: Ctx) -> Any:
    """One list, with how many of its entries wait, are done, or are out."""
    async with ctx.engine.store.read() as session:
        row = await call_lists.find(session, ctx.path("list"))
        await call_lists.check_may_use(session, row, ctx.who.id)
        return await call_lists.shown(session, row, ctx.engine.clock.now())


@table.route(
    "PATCH", "/lists/{list}", right=Right.REP, scope="people:write", answer=ListView, errors=(403, 404, 409, 422)
)
async def change_call_list(ctx: Ctx, body: ListChange) -> Any:
    """Change a list of your own; only the fields that are sent. Who works on it goes on by the new rules."""
    _check_owner(ctx, body)
    async with ctx.engine.store.write(ctx.who.author) as work:
        changed = await call_lists.change(work, (await _mine(ctx, work)).id, body.given())
    ctx.engine.dialer.list_changed(changed.id)
    return changed


@table.route("DELETE", "/lists/{list}", right=Right.REP, scope="people:write", status=204, errors=(403, 404, 409))
async def remove_call_list(ctx: Ctx) -> None:
    """Remove a list with its entries; people and calls stay."""
    async with ctx.engine.store.write(ctx.who.author) as work:
        await call_lists.remove(work, (await _mine(ctx, work)).id)


@table.route(
    "POST", "/lists/{list}/entries", right=Right.REP, scope="people:write", answer=Filled, errors=(403, 404, 409, 422)
)
async def bring_entries(ctx: Ctx, body: Bring) -> Any:
    """Put chosen records, all that a filter finds, or the people of calls behind what stands in the list. Each record
    is there once."""
    if sum(each is not None for each in (body.record_ids, body.filter, body.calls)) != 1:
        raise Refused("invalid", "Give one of “record_ids”, “filter” and “calls”.", "record_ids")
    brought = None
    async with ctx.engine.store.write(ctx.who.author) as work:
        found = await _mine(ctx, work)
        if body.record_ids is not None:
            brought = await list_entries.select(work, found.id, body.record_ids)
        elif body.filter is not None:
            await list_entries.fill_by(work, found.id, body.filter.given())
        elif body.calls is not None:
            wanted = call_log.wanted(ctx, body.calls.filter)
            who = await call_selection.people(work.session, wanted, body.calls.call_ids)
            brought = await list_entries.select(work, found.id, who)
        found = await call_lists.show(work.session, found.id, work.at_us)
    ctx.engine.dialer.list_changed(found.id)
    return {"list": found, "brought": brought}


@table.route(
    "GET",
    "/lists/{list}/entries",
    right=Right.REP,
    scope="people:read",
    answer=Paged[EntryView],  # type: ignore[valid-type]
    errors=(403, 404, 422),
)
async def list_entries_of(ctx: Ctx, query: EntryQuery) -> Any:
    """In the list's order, each with what came of it, why it waits and until when, and who works on it now."""
    async with ctx.engine.store.read() as session:
        row = await call_lists.find(session, ctx.path("list"))
        await call_lists.check_may_use(session, row, ctx.who.id)
        now = ctx.engine.clock.now()
        return await list_entries.page(
            session,
            row.id,
            now,
            state=query.state,
            cursor=query.cursor,
            limit=query.limit,
            hours=lambda place: ctx.engine.hours.look(place, now),
        )


@table.route(
    "DELETE",
    "/lists/{list}/entries/{entry}",
    right=Right.REP,
    scope="people:write",
    status=204,
    errors=(403, 404, 409),
)
async def remove_entry(ctx: Ctx) -> None:
    """Take one entry out; the person stays."""
    async with ctx.engine.store.write(ctx.who.author) as work:
        found = await _mine(ctx, work)
        await list_entries.remove(work, found.id, ctx.path("entry"))
    ctx.engine.dialer.list_changed(found.id)


@table.route(
    "POST",
    "/lists/{list}/entries/{entry}/again",
    right=Right.REP,
    scope="people:write",
    answer=EntryView,
    errors=(403, 404, 409),
)
async def put_entry_back(ctx: Ctx) -> Any:
    """One that is done or out waits again. What forbids calling it now still does."""
    async with ctx.engine.store.write(ctx.who.author) as work:
        found = await _mine(ctx, work)
        entry = await list_entries.put_back(work, found.id, ctx.path("entry"))
    ctx.engine.dialer.list_changed(found.id)
    return entry


@table.route(
    "GET", "/lists/{list}/progress", right=Right.REP, scope="people:read", answer=ProgressView, errors=(403, 404)
)
async def show_progress(ctx: Ctx, query: ProgressQuery) -> Any:
    """Results, calls per hour, and how fast who works: for the list's owner and managers. It follows live as events
    of the type `list`."""
    async with ctx.engine.store.read() as session:
        row = await call_lists.find(session, ctx.path("list"))
        await call_lists.check_may_use(session, row, ctx.who.id)
        await call_lists.check_may_change(session, row, ctx.who.id)
        return await list_progress.progress(session, row.id, ctx.engine.clock.now(), query.since_us)


@table.route("GET", "/lists/{list}/export", right=Right.REP, scope="people:read", raw="text/csv", errors=(403, 404))
async def export_call_list(ctx: Ctx) -> web.StreamResponse:
    """The whole list as CSV, in its order, with what came of each entry."""
    async with ctx.engine.store.read() as session:
        row = await call_lists.find(session, ctx.path("list"))
        await call_lists.check_may_use(session, row, ctx.who.id)
        await call_lists.check_may_change(session, row, ctx.who.id)
        lines = list_entries.export(session, row.id, ctx.engine.clock.now())
        return await csv_replies.stream(ctx.request, lines, "call-list")


async def _mine(ctx: Ctx, work: UnitOfWork) -> CallList:
    """A list that who asks may change."""
    row = await call_lists.find(work.session, ctx.path("list"))
    await call_lists.check_may_use(work.session, row, ctx.who.id)
    await call_lists.check_may_change(work.session, row, ctx.who.id)
    return await call_lists.shown(work.session, row, work.at_us)


def _check_owner(ctx: Ctx, body: ListChange) -> None:
    if body.owner_id not in (None, ctx.who.id) and not ctx.who.sees_all:
        raise forbidden("You may make lists of your own. Leave “owner_id” out.")
