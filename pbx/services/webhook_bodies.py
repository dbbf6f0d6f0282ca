"""What a webhook is told: the thing that it is about, as the API shows it to who may see everything."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson

from crm.errors import Refused
from crm.records import as_dict
from crm.services import (
    alert_log,
    deals,
    ledger,
    list_entries,
    opt_outs,
    people,
    recordings,
    summaries,
    texts,
    voicemails,
)
from crm.webhooks import Happened
from pbx.services.displays import with_displays
from pbx.services.stored_calls import stored_call
from pbx.services.views import without_paths

Row = dict[str, Any]
Show = Callable[[Any, Happened], Awaitable[Row]]


async def body_of(session: Any, event: Happened, event_id: str, home: str) -> str:
    """As JSON. ``data`` is the thing as it stands now, so never older than the event; of what is gone, its id alone."""
    show = _SHOWN.get(event.type.partition(".")[0], _id_alone)
    try:
        data = await show(session, event)
    except Refused as refused:
        if refused.status != 404:
            raise
        data = await _id_alone(session, event)
    told = {"type": event.type, "id": event_id, "created_us": event.at_us, "data": with_displays(data, home)}
    return orjson.dumps(told, default=str).decode()


async def _id_alone(session: Any, event: Happened) -> Row:
    return {"id": event.object_id}


async def _call(session: Any, event: Happened) -> Row:
    return (await stored_call(session, event.object_id)).view


async def _recording(session: Any, event: Happened) -> Row:
    return without_paths(as_dict(await recordings.show(session, event.object_id)))


async def _voicemail(session: Any, event: Happened) -> Row:
    return without_paths(as_dict(await voicemails.show(session, event.object_id)))


async def _summary(session: Any, event: Happened) -> Row:
    call_id, _, user_id = event.object_id.partition("/")
    summary = await summaries.show(session, call_id, user_id)
    return as_dict(summary) if summary is not None else {"call_id": call_id, "user_id": user_id}


async def _text(session: Any, event: Happened) -> Row:
    return as_dict(await texts.text(session, event.object_id))


async def _opt_out(session: Any, event: Happened) -> Row:
    """One that was taken back may stand again by now: what is told is that it was."""
    if event.type == "opt_out.removed":
        return {"e164": event.object_id}
    return as_dict(await opt_outs.show(session, event.object_id))


async def _entry(session: Any, event: Happened) -> Row:
    return as_dict(await list_entries.show(session, event.object_id, event.at_us))


async def _record(session: Any, event: Happened) -> Row:
    return as_dict(await people.show(session, event.object_id))


async def _deal(session: Any, event: Happened) -> Row:
    return as_dict(await deals.show(session, event.object_id))


async def _alert(session: Any, event: Happened) -> Row:
    return await alert_log.show(session, event.object_id)


async def _charge(session: Any, event: Happened) -> Row:
    return as_dict(await ledger.charge(session, event.object_id))


async def _posting(session: Any, event: Happened) -> Row:
    return as_dict(await ledger.posting(session, event.object_id))


async def _balance(session: Any, event: Happened) -> Row:
    """What was left after the posting that took it there; by now there may be more."""
    booked = await ledger.posting(session, event.object_id)
    return as_dict(ledger.with_left(await ledger.balance(session), booked.balance_micros))


_SHOWN: Mapping[str, Show] = {
    "call": _call,
    "recording": _recording,
    "voicemail": _voicemail,
    "summary": _summary,
    "text": _text,
    "opt_out": _opt_out,
    "list_entry": _entry,
    "alert": _alert,
    "charge": _charge,
    "ledger": _posting,
    "balance": _balance,
    "lead": _record,
    "contact": _record,
    "company": _record,
    "deal": _deal,
}
