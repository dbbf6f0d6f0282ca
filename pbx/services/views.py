"""How a call is shown: one form for the API, the event stream and the command line, and who may see it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from crm.directory import Directory
from pbx.core.call.record import CallRecord

# Where files lie is the operator's business, not the client's.
_PRIVATE = frozenset({"path", "peaks_path", "tracks_path", "public_path"})
_OF_THE_CALL = frozenset({"created_us"})  # a participant's row repeats it for the store's index alone
_OF_THE_LISTENER = _PRIVATE | {"heard_us", "removed_us"}

Row = Mapping[str, Any]


def call_view(record: CallRecord) -> dict[str, Any]:
    """The call's row with its legs, participants, recordings and voicemails, all as the log keeps them."""
    return shown(
        record.call,
        record.legs.values(),
        record.participants.values(),
        record.recordings.values(),
        record.voicemails.values(),
        muted=record.muted and not record.ended,
        conference=record.now.view() if record.call["answered_us"] is not None else None,
    )


def shown(
    call: Row,
    legs: Iterable[Row],
    participants: Iterable[Row],
    recordings: Iterable[Row],
    voicemails: Iterable[Row],
    *,
    muted: bool = False,
    conference: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """``conference`` is how the conversation stands now; of a call that is over nobody asks."""
    return {
        **call,
        "muted": muted,
        "conference": None if call["ended_us"] is not None else conference,
        "legs": [dict(leg) for leg in legs],
        "participants": [_without(_OF_THE_CALL, participant) for participant in participants],
        "recordings": [without_paths(recording) for recording in recordings],
        "voicemails": [_without(_OF_THE_LISTENER, voicemail) for voicemail in voicemails],
    }


def without_paths(row: Row) -> dict[str, Any]:
    return _without(_PRIVATE, row)


def _without(names: frozenset[str], row: Row) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


def involved(call: Row, legs: Iterable[Row], participants: Iterable[Row], directory: Directory) -> frozenset[str]:
    """The users who took part: whose call it is, whose legs, and whose phone called from inside."""
    users = {call["user_id"]}
    for leg in legs:
        users.add(leg["user_id"])
        device = directory.devices.get(leg["device_id"] or "")
        if device is not None:
            users.add(device.user_id)
    users.update(participant["user_id"] for participant in participants)
    return frozenset(user for user in users if user)


def involved_in(record: CallRecord, directory: Directory) -> frozenset[str]:
    return involved(record.call, record.legs.values(), record.participants.values(), directory)
