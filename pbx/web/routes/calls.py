"""Calls: start, list, show, and what may be asked of one that stands."""

from __future__ import annotations

from typing import Any

from crm.errors import conflict
from crm.records import as_dict
from crm.services import deals, people, summaries
from pbx.core.events import Ask, PartyAsk
from pbx.web import call_log
from pbx.web.context import Ctx
from pbx.web.declare import Right, Table
from pbx.web.principal import forbidden
from pbx.web.wire.base import Paged
from pbx.web.wire.calls import AnswerOn, CallDetail, CallQuery, CallView, Dial, Dialled, Digits, Invite, Link

table = Table("calls")


@table.route(
    "POST",
    "/calls",
    right=Right.REP,
    scope="calls:write",
    answer=Dialled,
    status=201,
    errors=(403, 404, 409, 422, 429),
    idempotent=True,
)
async def dial(ctx: Ctx, body: Dial) -> Any:
    """Start a call: your phone rings first, then the customer's. A refusal says why, and stands in the log.

    A colleague's number is rung inside, without any trunk, and is forwarded or answered by voicemail as any call is."""
    user_id = body.user or ctx.who.id
    if user_id != ctx.who.id and not ctx.who.is_admin:
        raise forbidden("You may call as yourself. Leave “user” out.")
    if not (ctx.repeated and await call_log.exists(ctx, ctx.call_id)):
        ctx.engine.control.dial(
            user_id, body.to, via=body.via, device_id=body.device_id, by=ctx.who.id, call_id=ctx.call_id
        )
    found = await call_log.find(ctx, ctx.call_id)
    return {"id": ctx.call_id, "call": call_log.row(found.view)}


@table.route("GET", "/calls", right=Right.REP, scope="calls:read", answer=Paged[CallView], errors=(404, 422))  # type: ignore[valid-type]
async def list_calls(ctx: Ctx, query: CallQuery) -> Any:
    """The log, newest first, with the calls that go on now. Reps see the calls they had a part in."""
    return await call_log.page(ctx, call_log.wanted(ctx, query), query.cursor, query.limit)


@table.route("GET", "/calls/{call}", right=Right.REP, scope="calls:read", answer=CallDetail, errors=(404,))
async def show_call(ctx: Ctx) -> Any:
    """One call with its timeline, legs, participants and recordings."""
    found = await call_log.find_with_timeline(ctx, ctx.path("call"))
    call_log.check_may_see(ctx, found)
    return await call_log.with_summaries(ctx, found.view)


@table.route(
    "POST",
    "/calls/{call}/invite",
    right=Right.REP,
    scope="calls:write",
    answer=CallView,
    errors=(403, 404, 409, 422, 429),
    idempotent=True,
)
async def invite(ctx: Ctx, body: Invite) -> Any:
    """Ring one guest for this call: a colleague on all their phones, a group, or an outside number. The others talk on.

    Whoever is the host invites; one guest at a time."""
    _check_goes_on(await _controlled(ctx))
    wanted = {"user": body.user, "group": body.group, "number": body.number}
    ctx.engine.control.invite(ctx.path("call"), ctx.who.id, **wanted, admin=ctx.who.is_admin)
    return await _now(ctx)


@table.route(
    "POST", "/calls/{call}/invite/cancel", right=Right.REP, scope="calls:write", answer=CallView, errors=(403, 404, 409)
)
async def cancel_invite(ctx: Ctx) -> Any:
    """Stop ringing the guest."""
    return await _ask(ctx, Ask.CANCEL_INVITE)


@table.route("POST", "/calls/{call}/leave", right=Right.REP, scope="calls:write", answer=CallView, errors=(404, 409))
async def leave(ctx: Ctx) -> Any:
    """Leave; the others talk on. Where the host leaves, the guest becomes host."""
    return await _ask(ctx, Ask.LEAVE)


@table.route(
    "POST",
    "/calls/{call}/parties/{leg}/hold",
    right=Right.REP,
    scope="calls:write",
    answer=CallView,
    errors=(403, 404, 409),
)
async def hold_party(ctx: Ctx) -> Any:
    """This party (a leg's id) hears music, hears nobody and is heard by nobody; the others talk on."""
    return await _ask_party(ctx, PartyAsk.HOLD)


@table.route(
    "POST",
    "/calls/{call}/parties/{leg}/unhold",
    right=Right.REP,
    scope="calls:write",
    answer=CallView,
    errors=(403, 404, 409),
)
async def unhold_party(ctx: Ctx) -> Any:
    """Take this party back into the conversation."""
    return await _ask_party(ctx, PartyAsk.UNHOLD)


@table.route(
    "POST",
    "/calls/{call}/parties/{leg}/kick",
    right=Right.REP,
    scope="calls:write",
    answer=CallView,
    errors=(403, 404, 409),
)
async def kick_party(ctx: Ctx) -> Any:
    """Disconnect this party; the others talk on. With one party left the call ends."""
    return await _ask_party(ctx, PartyAsk.KICK)


@table.route("POST", "/calls/{call}/hangup", right=Right.REP, scope="calls:write", answer=CallView, errors=(404, 409))
async def hang_up(ctx: Ctx) -> Any:
    """End the call for everybody. With a guest in it this is the host's."""
    return await _ask(ctx, Ask.HANG_UP)


@table.route("POST", "/calls/{call}/forward", right=Right.REP, scope="calls:write", answer=CallView, errors=(404, 409))
async def forward(ctx: Ctx) -> Any:
    """Send an incoming call that rings to your forwarding number now."""
    return await _ask(ctx, Ask.FORWARD)


@table.route("POST", "/calls/{call}/ignore", right=Right.REP, scope="calls:write", answer=CallView, errors=(404, 409))
async def ignore(ctx: Ctx) -> Any:
    """Stop an incoming call ringing; the caller hears that you are unavailable. An invited guest declines."""
    return await _ask(ctx, Ask.IGNORE)


@table.route("POST", "/calls/{call}/mute", right=Right.REP, scope="calls:write", answer=CallView, errors=(404, 409))
async def mute(ctx: Ctx) -> Any:
    """Your voice is heard by nobody until you unmute; whatever phone you use."""
    return await _ask(ctx, Ask.MUTE)


@table.route("POST", "/calls/{call}/unmute", right=Right.REP, scope="calls:write", answer=CallView, errors=(404, 409))
async def unmute(ctx: Ctx) -> Any:
    """Be heard again."""
    return await _ask(ctx, Ask.UNMUTE)


@table.route(
    "POST", "/calls/{call}/answer", right=Right.REP, scope="calls:write", answer=CallView, errors=(404, 409, 422)
)
async def answer(ctx: Ctx, body: AnswerOn) -> Any:
    """Take an incoming call that rings: your phones stop, and one of them is rung again and told to pick up by itself.

    A phone that does not obey such a wish rings on alone. Without a device it is the only registered one, else the
    one you talked over last, else the first."""
    await _owned(ctx)
    ctx.engine.control.answer(ctx.path("call"), body.device_id, ctx.who.id)
    return call_log.row((await call_log.find(ctx, ctx.path("call"))).view)


@table.route("POST", "/calls/{call}/digits", right=Right.REP, scope="calls:write", status=204, errors=(404, 409, 422))
async def send_digits(ctx: Ctx, body: Digits) -> None:
    """Send keys to the other side's menu (DTMF)."""
    _check_goes_on(await _controlled(ctx))
    ctx.engine.control.send_digits(ctx.path("call"), body.digits, ctx.who.id, admin=ctx.who.is_admin)


@table.route(
    "POST", "/calls/{call}/recording/pause", right=Right.REP, scope="calls:write", answer=CallView, errors=(404, 409)
)
async def pause_recording(ctx: Ctx) -> Any:
    """Leave what is said from now on out of the recording."""
    return await _ask(ctx, Ask.PAUSE_RECORDING)


@table.route(
    "POST", "/calls/{call}/recording/resume", right=Right.REP, scope="calls:write", answer=CallView, errors=(404, 409)
)
async def resume_recording(ctx: Ctx) -> Any:
    """Record again."""
    return await _ask(ctx, Ask.RESUME_RECORDING)


@table.route(
    "POST", "/calls/{call}/recording/erase", right=Right.REP, scope="calls:write", answer=CallView, errors=(404, 409)
)
async def erase_recording(ctx: Ctx) -> Any:
    """Destroy everything recorded of this call so far, for good; what is said from now on is recorded."""
    old = (await _controlled(ctx)).view["recording_id"]
    now = await _ask(ctx, Ask.ERASE_RECORDING)
    await ctx.engine.retention.erased_in_call(ctx.path("call"), old)
    return now


@table.route("PUT", "/calls/{call}/record", right=Right.REP, scope="calls:write", answer=CallView, errors=(404, 422))
async def link_record(ctx: Ctx, body: Link) -> Any:
    """File the call under a lead, contact, company or deal."""
    found = await _controlled(ctx)
    record_type, record_id = await _record(ctx, body.record_id)
    ctx.engine.control.link(ctx.path("call"), record_type, record_id, ctx.who.id, after=found.last_seq)
    async with ctx.engine.store.write(ctx.who.author) as work:
        summary = await summaries.refile(work, found.view["id"], ctx.who.id, record_type, record_id)
    if summary is not None:
        ctx.engine.hub.summary_changed(summary.user_id, as_dict(summary))
    return {**call_log.row(found.view), "record_type": record_type, "record_id": record_id}


async def _record(ctx: Ctx, record_id: str) -> tuple[str, str]:
    async with ctx.engine.store.read() as session:
        if record_id.startswith("deal_"):
            return "deal", (await deals.show(session, record_id)).id
        record = await people.show(session, record_id)
        return record.kind, record.id


async def _controlled(ctx: Ctx) -> call_log.Found:
    found = await call_log.find(ctx, ctx.path("call"))
    call_log.check_may_control(ctx, found)
    return found


# A colleague who calls from inside takes part, but it is the called user's phones that ring. Who may do what in a
# call that stands is decided in the core.
_OWNERS_ALONE = frozenset(
    {Ask.FORWARD, Ask.IGNORE, Ask.PAUSE_RECORDING, Ask.RESUME_RECORDING, Ask.ERASE_RECORDING, Ask.MUTE, Ask.UNMUTE}
)


async def _owned(ctx: Ctx) -> None:
    """A call that goes on, of the one who asks."""
    found = await _controlled(ctx)
    if not ctx.who.is_admin and ctx.who.id != found.view["user_id"]:
        raise forbidden("Only the user whose call this is, or an admin, may do this.")
    _check_goes_on(found)


def _check_goes_on(found: call_log.Found) -> None:
    if found.view["ended_us"] is not None:
        raise conflict("call_over", "This call is over already.")


async def _ask(ctx: Ctx, ask: Ask) -> Any:
    found = await _controlled(ctx)
    if ask in _OWNERS_ALONE and found.view["conference"] is None:
        await _owned(ctx)
    _check_goes_on(found)
    ctx.engine.control.ask(ctx.path("call"), ask, ctx.who.id, admin=ctx.who.is_admin)
    return await _now(ctx)


async def _ask_party(ctx: Ctx, ask: PartyAsk) -> Any:
    _check_goes_on(await _controlled(ctx))
    ctx.engine.control.ask_party(ctx.path("call"), ask, ctx.path("leg"), ctx.who.id, admin=ctx.who.is_admin)
    return await _now(ctx)


async def _now(ctx: Ctx) -> Any:
    return call_log.row((await call_log.find(ctx, ctx.path("call"))).view)
