"""Leads, contacts and companies, their notes and activity, search and matching (V2, V3, I1)."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from crm.records import as_dict
from crm.repositories.people import Filter
from crm.search import Hit, search
from crm.services import activities, exporting, matching, notes, people
from crm.services.matching import Match
from pbx.services.prices import rate_view
from pbx.web import csv_replies
from pbx.web.context import Ctx
from pbx.web.declare import Right, Table
from pbx.web.wire.base import Listed, Paged, PageQuery, view
from pbx.web.wire.people import (
    ActivityView,
    ExportQuery,
    HitView,
    MatchQuery,
    NewNote,
    NewRecord,
    NoteText,
    NoteView,
    RecordChange,
    RecordQuery,
    RecordView,
    SearchQuery,
)

table = Table("people")
MatchView = view(Match)
_NAMES = {"lead": "leads", "contact": "contacts", "company": "companies", "deal": "deals"}


@table.route("GET", "/search", right=Right.REP, scope="people:read", answer=Listed[HitView])
async def search_people(ctx: Ctx, query: SearchQuery) -> Any:
    """Search as you type: exact numbers first, then beginnings of names, then everything else; with all numbers."""
    kinds, country = [query.kind] if query.kind else None, ctx.who.user.country
    found = await ctx.engine.store.look(
        lambda session: search(session, query.q, country=country, limit=query.limit, kinds=kinds)
    )
    return {"items": [{**as_dict(hit), "prices": _prices(ctx, hit)} for hit in found]}


def _prices(ctx: Ctx, hit: Hit) -> dict[str, Any]:
    """Of each of the numbers that has a price."""
    call = ctx.engine.billing.prices.call
    rates = {phone.e164: call(phone.e164, None) for phone in hit.record.phones}
    return {number: rate_view(rate) for number, rate in rates.items() if rate is not None}


@table.route("GET", "/match", right=Right.REP, scope="people:read", answer=Listed[MatchView])  # type: ignore[valid-type]
async def match_number(ctx: Ctx, query: MatchQuery) -> Any:
    """Who calls from this number: every record that has it, with deal and last note."""
    async with ctx.engine.store.read() as session:
        return {"items": await matching.match(session, query.number, country=ctx.who.user.country)}


@table.route("GET", "/records", right=Right.REP, scope="people:read", answer=Paged[RecordView])  # type: ignore[valid-type]
async def list_records(ctx: Ctx, query: RecordQuery) -> Any:
    """Leads, contacts and companies."""
    async with ctx.engine.store.read() as session:
        return await people.page(
            session,
            kind=query.kind,
            owner_id=query.owner_id,
            status=query.status,
            company_id=query.company_id,
            sort=query.sort,
            cursor=query.cursor,
            limit=query.limit,
        )


@table.route("GET", "/records/export", right=Right.MANAGER, scope="people:read", raw="text/csv", errors=(422,))
async def export_records(ctx: Ctx, query: ExportQuery) -> web.StreamResponse:
    """Leads, contacts, companies or deals as CSV, all or those that the filter leaves; it can be imported again."""
    wanted = Filter(owner_id=query.owner_id, status=query.status, company_id=query.company_id)
    async with ctx.engine.store.read() as session:
        return await csv_replies.stream(ctx.request, exporting.export(session, query.kind, wanted), _NAMES[query.kind])


@table.route(
    "POST", "/records", right=Right.REP, scope="people:write", answer=RecordView, status=201, errors=(404, 409, 422)
)
async def add_record(ctx: Ctx, body: NewRecord) -> Any:
    """Add a lead, contact or company."""
    values = body.given()
    kind = values.pop("kind")
    async with ctx.engine.store.write(ctx.who.author) as work:
        return await people.add(work, kind, values, country=ctx.who.user.country)


@table.route("GET", "/records/{record}", right=Right.REP, scope="people:read", answer=RecordView, errors=(404,))
async def show_record(ctx: Ctx) -> Any:
    """One lead, contact or company with all numbers and addresses."""
    async with ctx.engine.store.read() as session:
        return await people.show(session, ctx.path("record"))


@table.route(
    "PATCH", "/records/{record}", right=Right.REP, scope="people:write", answer=RecordView, errors=(404, 409, 422)
)
async def change_record(ctx: Ctx, body: RecordChange) -> Any:
    """Change a record; only the fields that are sent."""
    async with ctx.engine.store.write(ctx.who.author) as work:
        return await people.change(work, ctx.path("record"), body.given(), country=ctx.who.user.country)


@table.route("DELETE", "/records/{record}", right=Right.MANAGER, scope="people:write", status=204, errors=(404, 409))
async def remove_record(ctx: Ctx) -> None:
    """Remove a record with its numbers and notes; its calls and deals stay."""
    async with ctx.engine.store.write(ctx.who.author) as work:
        await people.remove(work, ctx.path("record"))


@table.route(
    "GET",
    "/records/{record}/activity",
    right=Right.REP,
    scope="people:read",
    answer=Paged[ActivityView],  # type: ignore[valid-type]
    errors=(404,),
)
async def list_activity(ctx: Ctx, query: PageQuery) -> Any:
    """What happened with this record: changes, notes, deals, calls, and the texts that you may read."""
    async with ctx.engine.store.read() as session:
        record = await people.show(session, ctx.path("record"))
        texts_of = None if ctx.who.sees_all else ctx.who.id
        return await activities.page(session, record.id, texts_of=texts_of, cursor=query.cursor, limit=query.limit)


@table.route(
    "GET",
    "/records/{record}/notes",
    right=Right.REP,
    scope="people:read",
    answer=Paged[NoteView],  # type: ignore[valid-type]
    errors=(404,),
)
async def list_notes(ctx: Ctx, query: PageQuery) -> Any:
    """Notes on this record, newest first."""
    async with ctx.engine.store.read() as session:
        record = await people.show(session, ctx.path("record"))
        return await notes.page(session, record.id, cursor=query.cursor, limit=query.limit)


@table.route(
    "POST",
    "/records/{record}/notes",
    right=Right.REP,
    scope="people:write",
    answer=NoteView,
    status=201,
    errors=(404, 422),
)
async def add_note(ctx: Ctx, body: NewNote) -> Any:
    """Write a note."""
    async with ctx.engine.store.write(ctx.who.author) as work:
        return await notes.add(work, ctx.path("record"), body.text, call_id=body.call_id, deal_id=body.deal_id)


@table.route("PATCH", "/notes/{note}", right=Right.REP, scope="people:write", answer=NoteView, errors=(404, 422))
async def change_note(ctx: Ctx, body: NoteText) -> Any:
    """Change a note: its author, a manager or an admin may."""
    async with ctx.engine.store.write(ctx.who.author) as work:
        return await notes.change(work, ctx.path("note"), body.text)


@table.route("DELETE", "/notes/{note}", right=Right.REP, scope="people:write", status=204, errors=(404,))
async def remove_note(ctx: Ctx) -> None:
    """Remove a note: its author, a manager or an admin may."""
    async with ctx.engine.store.write(ctx.who.author) as work:
        await notes.remove(work, ctx.path("note"))
