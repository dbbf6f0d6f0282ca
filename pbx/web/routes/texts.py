"""Texts: conversations, writing, reading (T1 to T4). Reps see those of their own numbers, managers everybody's."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from crm.repositories.texts import ConversationFilter, TextFilter
from crm.services import texts
from pbx.services.text_gate import Judged, would_do
from pbx.services.texts import Draft, text_id_of
from pbx.web import call_log
from pbx.web.context import Ctx
from pbx.web.declare import Right, Table
from pbx.web.principal import forbidden
from pbx.web.wire.base import Paged
from pbx.web.wire.texts import (
    ConversationQuery,
    ConversationView,
    Filing,
    Preview,
    Reading,
    TextDraft,
    TextQuery,
    TextView,
)

table = Table("texts")
_ASKED = ("record_id", "since_us", "until_us")


@table.route(
    "GET",
    "/conversations",
    right=Right.REP,
    scope="texts:read",
    answer=Paged[ConversationView],  # type: ignore[valid-type]
    errors=(403, 422),
)
async def list_conversations(ctx: Ctx, query: ConversationQuery) -> Any:
    """Conversations, the one with the newest text first."""
    wanted = ConversationFilter(
        user_id=_whose(ctx, query.user),
        did=call_log.as_e164(ctx, query.did),
        customer_number=call_log.as_e164(ctx, query.customer_number),
        unread=query.unread,
        ended=query.ended,
        **{name: getattr(query, name) for name in _ASKED},
    )
    async with ctx.engine.store.read() as session:
        return await texts.page(session, wanted, cursor=query.cursor, limit=query.limit)


@table.route(
    "GET",
    "/conversations/{conversation}",
    right=Right.REP,
    scope="texts:read",
    answer=ConversationView,
    errors=(403, 404),
)
async def show_conversation(ctx: Ctx) -> Any:
    """One conversation."""
    return await _readable(ctx)


@table.route(
    "GET",
    "/conversations/{conversation}/texts",
    right=Right.REP,
    scope="texts:read",
    answer=Paged[TextView],  # type: ignore[valid-type]
    errors=(403, 404, 422),
)
async def list_texts_of_conversation(ctx: Ctx, query: TextQuery) -> Any:
    """Its texts, newest first."""
    conversation = await _readable(ctx)
    async with ctx.engine.store.read() as session:
        return await texts.messages(session, conversation.id, cursor=query.cursor, limit=query.limit)


@table.route(
    "POST",
    "/conversations/{conversation}/read",
    right=Right.REP,
    scope="texts:write",
    answer=ConversationView,
    errors=(403, 404),
)
async def mark_conversation_read(ctx: Ctx, body: Reading) -> Any:
    """You have read it up to now. Only whose conversation it is changes its badge."""
    conversation = await _readable(ctx)
    if conversation.user_id != ctx.who.id:
        raise forbidden("Only whose conversation it is marks it as read.")
    return await ctx.engine.texting.texts.mark_read(ctx.who.author, conversation.id, body.read)


@table.route(
    "PUT",
    "/conversations/{conversation}/record",
    right=Right.REP,
    scope="texts:write",
    answer=ConversationView,
    errors=(403, 404, 422),
)
async def file_conversation(ctx: Ctx, body: Filing) -> Any:
    """File it, with all its texts, under a lead, contact or company."""
    conversation = await _readable(ctx)
    return await ctx.engine.texting.texts.file_under(ctx.who.author, conversation.id, body.record_id)


@table.route("GET", "/texts", right=Right.REP, scope="texts:read", answer=Paged[TextView], errors=(403, 422))  # type: ignore[valid-type]
async def list_texts(ctx: Ctx, query: TextQuery) -> Any:
    """The log of texts, newest first."""
    wanted = TextFilter(
        user_id=_whose(ctx, query.user),
        did=call_log.as_e164(ctx, query.did),
        customer_number=call_log.as_e164(ctx, query.customer_number),
        direction=query.direction,
        state=query.state,
        **{name: getattr(query, name) for name in _ASKED},
    )
    async with ctx.engine.store.read() as session:
        return await texts.log(session, wanted, cursor=query.cursor, limit=query.limit)


@table.route("GET", "/texts/{text}", right=Right.REP, scope="texts:read", answer=TextView, errors=(403, 404))
async def show_text(ctx: Ctx) -> Any:
    """One text with its state, and why it is in it."""
    async with ctx.engine.store.read() as session:
        found = await texts.text(session, ctx.path("text"))
    _check_may_read(ctx, found.user_id)
    return found


@table.route("POST", "/texts/preview", right=Right.REP, scope="texts:write", answer=Preview, errors=(403, 404, 422))
async def preview_text(ctx: Ctx, body: TextDraft) -> Any:
    """Segments, price, and whether it may be sent, without sending: for the composer, while it is typed."""
    return _shown(ctx, await ctx.engine.texting.texts.preview(ctx.who.id, _draft(body)))


@table.route(
    "POST",
    "/texts",
    right=Right.REP,
    scope="texts:write",
    answer=TextView,
    status=201,
    errors=(403, 404, 409, 422),
    idempotent=True,
)
async def send_text(ctx: Ctx, body: TextDraft) -> Any:
    """Send a text, or schedule it with `at_us`. Once it is accepted it is not lost; its state follows as events.

    A refusal names the reason, what to do instead and, where that helps, which number would do."""
    return await ctx.engine.texting.texts.send(ctx.who.author, ctx.who.id, _draft(body), text_id_of(ctx.call_id))


@table.route(
    "POST", "/texts/{text}/cancel", right=Right.REP, scope="texts:write", answer=TextView, errors=(403, 404, 409)
)
async def cancel_text(ctx: Ctx) -> Any:
    """Take back a text that waits: scheduled, held or queued."""
    async with ctx.engine.store.read() as session:
        found = await texts.text(session, ctx.path("text"))
    if found.user_id != ctx.who.id and not ctx.who.is_admin:
        raise forbidden("This text is somebody else's. Ask them, or an admin.")
    return await ctx.engine.texting.texts.cancel(ctx.who.author, found.id)


def _draft(body: TextDraft) -> Draft:
    return Draft(**body.model_dump())


def _shown(ctx: Ctx, judged: Judged) -> dict[str, Any]:
    verdict = judged.verdict
    return {
        "count": asdict(judged.count),
        "price_micros": judged.price.micros if judged.price else None,
        "currency": judged.price.currency if judged.price else None,
        "allowed": verdict.allowed,
        "holds": verdict.holds,
        "reason": str(verdict.reason),
        "sentence": verdict.sentence,
        "would_do": would_do(verdict, ctx.engine.directory),
        "opens_us": verdict.opens_us,
    }


def _whose(ctx: Ctx, user_id: str | None) -> str | None:
    if ctx.who.sees_all:
        return user_id
    if user_id not in (None, ctx.who.id):
        raise forbidden("You may read your own texts. Leave “user” out.")
    return ctx.who.id


async def _readable(ctx: Ctx) -> Any:
    async with ctx.engine.store.read() as session:
        found = await texts.show(session, ctx.path("conversation"))
    _check_may_read(ctx, found.user_id)
    return found


def _check_may_read(ctx: Ctx, user_id: str | None) -> None:
    if user_id != ctx.who.id and not ctx.who.sees_all:
        raise forbidden("This conversation is somebody else's.")
