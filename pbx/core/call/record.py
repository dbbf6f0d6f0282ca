"""The log of a call, derived from its facts: the call's row, its legs, participants and recordings.

``fold`` is the only place where a fact becomes something that the log shows. The store, the event stream and the
API all read what it made, so a snapshot and the facts after it always equal a fresh snapshot.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pbx.core.call.now import Now

Row = dict[str, Any]
Data = dict[str, Any]


def _call_row(call_id: str) -> Row:
    return {
        "id": call_id,
        "direction": "inbound",
        "state": "new",
        "user_id": None,
        "device_id": None,
        "trunk_id": None,
        "did": None,
        "customer_number": None,
        "caller_raw": None,
        "source": "engine",
        "via": None,
        "created_us": 0,
        "ringing_us": None,
        "answered_us": None,
        "ended_us": None,
        "disposition": None,
        "cause_q850": None,
        "sip_status": None,
        "reason": None,
        "ended_by": None,
        "ring_ms": None,
        "talk_ms": None,
        "record_type": None,
        "record_id": None,
        "matches": None,
        "recording_id": None,
        "recording_state": None,
        "notes": None,
    }


@dataclass(slots=True)
class CallRecord:
    """Rows as the store keeps them, by id; ``seq`` is the number of the last fact in them."""

    call_id: str
    call: Row = field(default_factory=dict)
    legs: dict[str, Row] = field(default_factory=dict)
    participants: dict[str, Row] = field(default_factory=dict)
    recordings: dict[str, Row] = field(default_factory=dict)
    voicemails: dict[str, Row] = field(default_factory=dict)
    seq: int = 0
    now: Now = field(default_factory=Now)  # of a call that is over nobody asks

    def __post_init__(self) -> None:
        self.call = self.call or _call_row(self.call_id)

    @property
    def muted(self) -> bool:
        """Our user's own voice."""
        return self.now.host in self.now.muted

    @property
    def ended(self) -> bool:
        return self.call["ended_us"] is not None

    def fold(self, seq: int, kind: str, at_us: int, data: Data) -> None:
        """Take one fact in. Facts come in order; one that was taken already changes nothing.

        A full disk may have cost the facts before it: what needs them is left out, the rest is told.
        """
        if seq <= self.seq:
            return
        self.seq = seq
        self.now.fold(kind, at_us, data)
        handler = _FOLDS.get(kind)
        if handler is not None:
            handler(self, at_us, data)


def _created(record: CallRecord, at: int, data: Data) -> None:
    record.call |= {
        "direction": data["direction"],
        "created_us": at,
        "user_id": data.get("user_id") or data.get("from_user") or None,
        "device_id": data.get("device_id") or None,
        "trunk_id": data.get("trunk_id") or None,
        "did": data.get("did") or None,
        "customer_number": data.get("customer") or None,
        "caller_raw": data.get("dialled") or data.get("customer_name") or None,
        "source": data.get("source", "engine"),
        "via": data.get("via"),
    }


def _state(record: CallRecord, at: int, data: Data) -> None:
    record.call["state"] = data["state"]


def _matched(record: CallRecord, at: int, data: Data) -> None:
    matches = data["matches"]
    record.call["matches"] = matches
    if len(matches) == 1:
        record.call |= {"record_type": matches[0]["type"], "record_id": matches[0]["id"]}


def _leg_created(record: CallRecord, at: int, data: Data) -> None:
    record.legs[data["leg"]] = {
        "id": data["leg"],
        "call_id": record.call_id,
        "role": data["role"],
        "user_id": data.get("user_id") or None,
        "device_id": data.get("device_id") or None,
        "trunk_id": data.get("trunk_id") or None,
        "number": data.get("number") or None,
        "endpoint": data.get("device_id") or data.get("trunk_id") or None,
        "created_us": at,
        "ringing_us": None,
        "answered_us": None,
        "ended_us": None,
        "result": None,
        "cause": None,
        "sip_status": None,
    }
    if data["role"] == "customer" and data.get("trunk_id"):
        record.call["trunk_id"] = data["trunk_id"]


def _leg_trunk(record: CallRecord, at: int, data: Data) -> None:
    leg = record.legs.get(data["leg"])
    if leg is not None:
        leg |= {"trunk_id": data["trunk_id"], "endpoint": data["trunk_id"]}


def _leg_ringing(record: CallRecord, at: int, data: Data) -> None:
    """The call rings when the one who is called rings; our own phone, rung first, does not count."""
    leg = record.legs.get(data["leg"])
    if leg is None:
        return
    leg["ringing_us"] = leg["ringing_us"] or at
    if (leg["role"] == "customer") is (record.call["direction"] == "outbound"):
        record.call["ringing_us"] = record.call["ringing_us"] or at


def _leg_answered(record: CallRecord, at: int, data: Data) -> None:
    leg = record.legs.get(data["leg"])
    if leg is not None:
        leg["answered_us"] = leg["answered_us"] or at


def _leg_ended(record: CallRecord, at: int, data: Data) -> None:
    leg = record.legs.get(data["leg"])
    if leg is not None and leg["ended_us"] is None:
        leg |= {"ended_us": at, "result": data["result"], "cause": data["cause"], "sip_status": data.get("sip_status")}
    for participant in record.participants.values():
        if participant["leg_id"] == data["leg"] and participant["left_us"] is None:
            participant["left_us"] = at


def _answered(record: CallRecord, at: int, data: Data) -> None:
    record.call["answered_us"] = at
    ours = record.legs.get(data["leg"])
    if ours is None:
        return
    record.call |= {"device_id": ours["device_id"] or record.call["device_id"]}
    if ours["role"] == "forward":
        record.call["via"] = "forward"
    elif record.call["via"] is None:
        record.call["via"] = "phone"
    customer = next((leg for leg in record.legs.values() if leg["role"] == "customer" and _talks(leg)), None)
    _join(record, at, "host", ours, record.call["user_id"], None)
    if customer is not None:
        _join(record, at, "customer", customer, customer["user_id"], record.call["customer_number"])


def _talks(leg: Row) -> bool:
    return leg["answered_us"] is not None and leg["ended_us"] is None


def _join(record: CallRecord, at: int, role: str, leg: Row, user_id: str | None, number: str | None) -> None:
    record.participants[leg["id"]] = {
        "call_id": record.call_id,
        "number": len(record.participants) + 1,
        "role": role,
        "leg_id": leg["id"],
        "user_id": user_id,
        "phone_number": number or leg["number"],
        "name": None,
        "joined_us": at,
        "left_us": None,
    }


def _recording_started(record: CallRecord, at: int, data: Data) -> None:
    record.recordings[data["recording"]] = {
        "id": data["recording"],
        "call_id": record.call_id,
        "user_id": record.call["user_id"],
        "state": "recording",
        "started_us": at,
        "ended_us": None,
        "problem": None,
        "tracks": None,
        "private": None,
        **dict.fromkeys(_SOUND_FIELDS),
    }
    record.call |= {"recording_id": data["recording"], "recording_state": "recording"}


def _recording_not_started(record: CallRecord, at: int, data: Data) -> None:
    """It should have been recorded; why it was not stands in the call's history."""
    if record.call["recording_id"] is None:
        record.call["recording_state"] = "not_started"


def _recording_state(state: str) -> Callable[[CallRecord, int, Data], None]:
    def fold(record: CallRecord, at: int, data: Data) -> None:
        row = record.recordings.get(data["recording"])
        if row is None:
            return
        row["state"] = state
        if state in ("processing", "erased"):
            row["ended_us"] = row["ended_us"] or at
        if state == "erased":  # of one that was ready there is nothing any more
            row |= {**dict.fromkeys(_SOUND_FIELDS), "codec": row["codec"], "channels": row["channels"]}
        if record.call["recording_id"] == data["recording"]:
            record.call["recording_state"] = state

    return fold


def _recording_finished(record: CallRecord, at: int, data: Data) -> None:
    """The sound stands whole in its place (or what there is of it): ``ready``, ``incomplete`` or ``failed``."""
    row = record.recordings.get(data["recording"])
    if row is None or row["state"] == "erased":
        return
    row |= {name: data.get(name) for name in _SOUND_FIELDS} | {"state": data["state"], "problem": data.get("problem")}
    if record.call["recording_id"] == data["recording"]:
        record.call["recording_state"] = data["state"]


def _voicemail_finished(record: CallRecord, at: int, data: Data) -> None:
    row = record.voicemails.get(data["voicemail"])
    if row is not None:
        row |= {name: data.get(name) for name in _MESSAGE_FIELDS} | {"state": data["state"]}


def _voicemail_empty(record: CallRecord, at: int, data: Data) -> None:
    row = record.voicemails.get(data["voicemail"])
    if row is not None:
        row["state"] = "failed"


def _noted(record: CallRecord, at: int, data: Data) -> None:
    record.call["notes"] = data["text"]


def _linked(record: CallRecord, at: int, data: Data) -> None:
    record.call |= {"record_type": data["record_type"], "record_id": data["record_id"]}


_SOUND_FIELDS = (
    *("path", "peaks_path", "sha256", "codec", "channels", "duration_ms", "bytes"),
    *("tracks_path", "public_path"),
)
_MESSAGE_FIELDS = ("path", "sha256", "codec", "duration_ms", "bytes")


def _voicemail_started(record: CallRecord, at: int, data: Data) -> None:
    record.voicemails[data["voicemail"]] = {
        "id": data["voicemail"],
        "user_id": record.call["user_id"] or "",
        "call_id": record.call_id,
        "caller_number": record.call["customer_number"],
        "state": "recording",
        "created_us": at,
        **dict.fromkeys(_MESSAGE_FIELDS),
    }


def _ended(record: CallRecord, at: int, data: Data) -> None:
    call = record.call
    call |= {
        "state": "ended",
        "ended_us": at,
        "disposition": data["disposition"],
        "cause_q850": data.get("cause"),
        "sip_status": data.get("sip_status"),
        "reason": data.get("reason") or None,
        "ended_by": data.get("ended_by") or None,
    }
    rung_until = call["answered_us"] or at
    if call["ringing_us"] is not None:
        call["ring_ms"] = (rung_until - call["ringing_us"]) // 1000
    if call["answered_us"] is not None:
        call["talk_ms"] = (at - call["answered_us"]) // 1000
    for participant in record.participants.values():
        participant["left_us"] = participant["left_us"] or at


def _guest_joined(record: CallRecord, at: int, data: Data) -> None:
    leg = record.legs.get(data["leg"])
    if leg is not None:
        _join(record, at, "guest", leg, data["user_id"] or None, data["number"] or None)
        record.participants[data["leg"]]["name"] = data["name"] or None


def _host_changed(record: CallRecord, at: int, data: Data) -> None:
    """The row stays its first host's (C9); the participant is what they became."""
    if data["leg"] in record.participants:
        record.participants[data["leg"]]["role"] = "host"


def _party_left(record: CallRecord, at: int, data: Data) -> None:
    participant = record.participants.get(data["leg"])
    if participant is not None:
        participant["left_us"] = participant["left_us"] or at


def _phone_back(record: CallRecord, at: int, data: Data) -> None:
    """The same person's part goes on, over another leg."""
    participant = record.participants.pop(data["before"], None)
    if participant is not None:
        record.participants[data["leg"]] = {**participant, "leg_id": data["leg"], "left_us": None}


def _track(record: CallRecord, at: int, data: Data) -> None:
    """A party's own voice; where it begins in the recording is known by the clock."""
    row = record.recordings.get(data["recording"])
    if row is not None:
        named = {name: data[name] for name in ("track", "leg", "user_id")}
        row["tracks"] = [*(row["tracks"] or []), {**named, "offset_ms": _into(row, at)}]


def _private_begins(record: CallRecord, at: int, data: Data) -> None:
    row = record.recordings.get(data["recording"])
    if row is not None:
        row["private"] = [*(row["private"] or []), {"from_ms": _into(row, at), "to_ms": None, "kept": data["kept"]}]


def _private_ends(record: CallRecord, at: int, data: Data) -> None:
    row = record.recordings.get(data["recording"])
    if row is not None and row["private"]:
        *before, last = row["private"]
        row["private"] = [*before, {**last, "to_ms": last["to_ms"] or _into(row, at)}]


def _into(recording: Row, at: int) -> int:
    return int(max(0, (at - recording["started_us"]) // 1000))


_FOLDS: dict[str, Callable[[CallRecord, int, Data], None]] = {
    "call.created": _created,
    "call.state": _state,
    "call.matched": _matched,
    "call.answered": _answered,
    "call.ended": _ended,
    "leg.created": _leg_created,
    "leg.trunk": _leg_trunk,
    "leg.ringing": _leg_ringing,
    "leg.answered": _leg_answered,
    "leg.ended": _leg_ended,
    "guest.joined": _guest_joined,
    "host.changed": _host_changed,
    "party.left": _party_left,
    "phone.back": _phone_back,
    "recording.started": _recording_started,
    "recording.track": _track,
    "recording.private_begins": _private_begins,
    "recording.private_ends": _private_ends,
    "recording.not_started": _recording_not_started,
    "recording.paused": _recording_state("paused"),
    "recording.resumed": _recording_state("recording"),
    "recording.stopped": _recording_state("processing"),
    "recording.erased": _recording_state("erased"),
    "recording.finished": _recording_finished,
    "voicemail.started": _voicemail_started,
    "voicemail.finished": _voicemail_finished,
    "voicemail.empty": _voicemail_empty,
    "note.saved": _noted,
    "call.linked": _linked,
}
