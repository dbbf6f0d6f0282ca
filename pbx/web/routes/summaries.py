"""What each user says of a call: kept while it is typed, during the call and after, then saved (S1 to S6, V11)."""

from __future__ import annotations

from typing import Any

from crm import wrapup
from crm.errors import not_found
from crm.records import as_dict
from crm.services import refusals, summaries
from pbx.web import call_log
from pbx.web.context import Ctx
from pbx.web.declare import Right, Table
from pbx.web.principal import forbidden
from pbx.web.wire.base import Paged
from pbx.web.wire.calls import CallView, Notes, SummaryView
from pbx.web.wire.wrapup import SummaryQuery, SummaryText, WhoseSummary

table = Table("summaries")


@table.route("GET", "/summaries", right=Right.REP, scope="calls:read", answer=Paged[SummaryView], errors=(422,))  # type: ignore[valid-type]
async def list_summaries(ctx: Ctx, query: SummaryQuery) -> Any:
    """Your own, newest first. A draft whose `call_ended_us` is null is of a call that goes on."""
    async with ctx.engine.store.read() as session:
        return await summaries.page(session, ctx.who.id, state=query.state, cursor=query.cursor, limit=query.limit)


@table.route("GET", "/calls/{call}/summary", right=Right.REP, scope="calls:read", answer=SummaryView, errors=(403, 404))
async def show_summary(ctx: Ctx, query: WhoseSummary) -> Any:
    """Yours, an empty draft as long as there is none; managers may look at that of another user."""
    found = await call_log.find(ctx, ctx.path("call"))
    call_log.check_may_see(ctx, found)
    if query.user not in (None, ctx.who.id) and not ctx.who.sees_all:
        raise forbidden("You may look at your own summary. Leave “user” out.")
    user_id = query.user or ctx.who.id
    async with ctx.engine.store.read() as session:
        summary = await summaries.show(session, found.view["id"], user_id)
        if summary is None and user_id not in found.users:
            raise not_found("summary of this call by the user", user_id)
        return summary or await summaries.begin(session, _beginning(ctx, found, user_id))


@table.route(
    "PUT",
    "/calls/{call}/summary",
    right=Right.REP,
    scope="calls:write",
    answer=SummaryView,
    errors=(403, 404, 409, 422),
)
async def keep_summary(ctx: Ctx, body: SummaryText) -> Any:
    """Keep what you have typed so far, as often as you like; during the call and after. Only what is sent changes."""
    found = await _taken_part_in(ctx)
    return await _keep(ctx, found, body.given())


@table.route(
    "POST",
    "/calls/{call}/summary/save",
    right=Right.REP,
    scope="calls:write",
    answer=SummaryView,
    errors=(403, 404, 409, 422),
)
async def save_summary(ctx: Ctx, body: SummaryText) -> Any:
    """Done: the call is filed, and your notes stand on the record. What you change afterwards is a draft again."""
    found = await _taken_part_in(ctx)
    async with ctx.engine.store.write(ctx.who.author) as work:
        summary = await summaries.save(work, _beginning(ctx, found, ctx.who.id), body.given())
        await refusals.by_outcome(work, summary.outcome_id, found.view["customer_number"])
    ctx.engine.hub.summary_changed(summary.user_id, as_dict(summary))
    ctx.engine.dialer.summary_saved(summary)
    _write_on_the_call(ctx, found, summary)
    return summary


@table.route(
    "PUT", "/calls/{call}/notes", right=Right.REP, scope="calls:write", answer=CallView, errors=(403, 404, 409, 422)
)
async def save_notes(ctx: Ctx, body: Notes) -> Any:
    """Your notes on this call, whole, as often as they are typed; during the call and after. They are part of your
    summary of it; those of others in the call are theirs."""
    found = await _taken_part_in(ctx)
    await _keep(ctx, found, {"notes": body.notes})
    [call] = await call_log.with_outcomes(ctx, [call_log.row(found.view)])
    return call


async def _keep(ctx: Ctx, found: call_log.Found, values: dict[str, Any]) -> wrapup.Summary:
    async with ctx.engine.store.write(ctx.who.author) as work:
        summary = await summaries.keep(work, _beginning(ctx, found, ctx.who.id), values)
    ctx.engine.hub.summary_changed(summary.user_id, as_dict(summary))
    return summary


async def _taken_part_in(ctx: Ctx) -> call_log.Found:
    found = await call_log.find(ctx, ctx.path("call"))
    if ctx.who.id not in found.users:
        raise forbidden("Only who takes part in a call writes a summary of it, each their own.")
    return found


def _beginning(ctx: Ctx, found: call_log.Found, user_id: str) -> wrapup.Summary:
    call = found.view
    roles = {each["role"] for each in call["participants"] if each["user_id"] == user_id}
    is_host = "host" in roles or (not roles and call["user_id"] == user_id)
    return wrapup.blank(
        call["id"],
        user_id,
        "host" if is_host else "guest",
        record_type=call["record_type"],
        record_id=call["record_id"],
        call_created_us=call["created_us"],
        call_ended_us=call["ended_us"],
        at_us=ctx.engine.clock.now(),
    )


def _write_on_the_call(ctx: Ctx, found: call_log.Found, summary: wrapup.Summary) -> None:
    """The call is filed and noted as its own user says; a guest files it only where nobody has (C13)."""
    call, control = found.view, ctx.engine.control
    own, after = summary.user_id == call["user_id"], found.last_seq
    if summary.record_id and summary.record_id != call["record_id"] and (own or call["record_id"] is None):
        control.link(call["id"], summary.record_type or "", summary.record_id, ctx.who.id, after=after)
        after = None if after is None else after + 1
    if own and summary.notes != (call["notes"] or ""):
        control.note(call["id"], summary.notes, ctx.who.id, after=after)
