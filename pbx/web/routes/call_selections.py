"""What is done with many calls of the log at once: those that are named, or all that a filter leaves (R1, R4)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from crm import csv_files
from crm.records import as_dict
from crm.repositories import calls
from crm.repositories.calls import CallFilter
from crm.services import call_selection, recording_erasing
from crm.services.call_selection import AT_ONCE
from crm.services.recording_erasing import Found
from pbx.web import call_log, csv_replies
from pbx.web.context import Ctx
from pbx.web.declare import Right, Table
from pbx.web.wire.calls import CallSelection, RecordingsErased, RecordingsToErase

table = Table("calls")
_COLUMNS = (
    *("began", "direction", "user", "number", "name", "our_number", "result", "ring_s", "talk_s"),
    *("outcome", "notes", "cost", "currency", "id"),
)


@table.route("POST", "/calls/export", right=Right.REP, scope="calls:read", raw="text/csv", errors=(403, 404, 409, 422))
async def export_calls(ctx: Ctx, body: CallSelection) -> web.StreamResponse:
    """Calls as CSV, newest first: those that are named, or all that the filter leaves. Reps get their own."""
    return await csv_replies.stream(ctx.request, _lines(ctx, call_log.wanted(ctx, body.filter), body.call_ids), "calls")


@table.route(
    "POST",
    "/calls/recordings/erase",
    right=Right.REP,
    scope="calls:write",
    answer=RecordingsErased,
    errors=(403, 404, 422),
)
async def erase_recordings(ctx: Ctx, body: RecordingsToErase) -> Any:
    """Destroy the recordings of calls that are over, for good: of those that are named, or all that the filter leaves.
    Everybody may do so with calls they took part in, admins with all. What is under legal hold stays."""
    wanted = call_log.wanted(ctx, body.filter)
    counts = dict.fromkeys(RecordingsErased.model_fields, 0)
    may_go: list[Found] = []
    async with ctx.engine.store.read() as session:
        for portion in await call_selection.names_of(session, wanted, body.call_ids):
            users = await recording_erasing.users_in(session, portion)
            counts["calls"] += len(portion)
            for each in await recording_erasing.of_calls(session, portion):
                why = each.why if call_log.may_control(ctx, users[each.call_id]) else "not_yours"
                counts[why or "recordings"] += 1
                counts["bytes"] += 0 if why else each.bytes
                may_go += [] if why else [each]
    for start in range(0, 0 if body.dry_run else len(may_go), AT_ONCE):
        part = may_go[start : start + AT_ONCE]
        await ctx.engine.retention.erase_recordings(ctx.actor, part)
        await _told(ctx, part)
    return counts


async def _told(ctx: Ctx, erased: Sequence[Found]) -> None:
    """In each call's history, as far as there is one still."""
    for each in erased:
        async with ctx.engine.store.read() as session:
            last = await calls.last_event(session, each.call_id)
        if last or ctx.engine.records.get(each.call_id) is not None:
            ctx.engine.control.recording_erased(each.call_id, each.id, ctx.who.id, after=last)


async def _lines(ctx: Ctx, wanted: CallFilter, call_ids: Sequence[str] | None) -> AsyncIterator[str]:
    """No transaction is open between the portions: somebody slow who reads them keeps nobody waiting."""
    yield csv_files.row(_COLUMNS)
    people = {user.id: user.name for user in ctx.engine.directory.users.values()}
    cursor: str | None = ""
    while cursor is not None:
        async with ctx.engine.store.read() as session:
            page = await call_selection.portion(session, wanted, call_ids, cursor or None)
            names = await call_selection.names(session, page.items)
        rows = await call_log.with_outcomes(ctx, [as_dict(call) for call in page.items])
        yield "".join(csv_files.row(_cells(row, people, names)) for row in rows)
        cursor = page.next_cursor


def _cells(call: dict[str, Any], people: dict[str, str], names: dict[str, str]) -> list[str]:
    cost, outcome = call["cost"], call["outcome"]
    values = (
        datetime.fromtimestamp(call["created_us"] / 1e6, UTC).isoformat(timespec="seconds"),
        call["direction"],
        people.get(call["user_id"] or "", ""),
        call["customer_number"],
        names.get(call["record_id"] or "", ""),
        call["did"],
        call["disposition"],
        _seconds(call["ring_ms"]),
        _seconds(call["talk_ms"]),
        outcome["name"] if outcome else "",
        call["notes"],
        f"{cost.amount_micros / 1_000_000:.6f}".rstrip("0").rstrip(".") if cost else "",
        cost.currency if cost else "",
        call["id"],
    )
    return ["" if value is None else str(value) for value in values]


def _seconds(ms: int | None) -> int | None:
    return None if ms is None else -(-ms // 1000)
