"""A call as the API shows it, made of what the store has of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from crm.errors import Refused
from crm.records import as_dict
from crm.services import calls, voicemails
from crm.services.calls import CallDetail
from pbx.core.ids import CallId, voicemail_id
from pbx.services.views import shown


@dataclass(frozen=True, slots=True)
class StoredCall:
    view: dict[str, Any]
    detail: CallDetail


async def stored_call(session: Any, call_id: str) -> StoredCall:
    """Raises Refused (404) for one that the store does not know."""
    detail = await calls.show(session, call_id)
    try:  # a call has at most one voicemail, which is named after it
        messages = [as_dict(await voicemails.show(session, voicemail_id(CallId(call_id))))]
    except Refused as refused:
        if refused.status != 404:
            raise
        messages = []
    legs, participants = map(as_dict, detail.legs), map(as_dict, detail.participants)
    recordings = map(as_dict, detail.recordings)
    return StoredCall(shown(as_dict(detail.call), legs, participants, recordings, messages), detail)
