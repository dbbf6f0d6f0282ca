"""Calls, recordings, voicemails, presence and the gate over the wire."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, create_model

from crm import records, wrapup
from pbx.web.wire.base import Answer, Body, PageQuery, Query, view
from pbx.web.wire.money import CostView

OutcomeBriefView = view(wrapup.OutcomeBrief)
_OUTCOME = Annotated[
    OutcomeBriefView | None,  # type: ignore[valid-type]
    Field(description="In lists and details: what you, else the user whose call it is, have said of it."),
]
_COST = Annotated[
    CostView | None,  # type: ignore[valid-type]
    Field(description="In lists and details: of its legs that have been priced."),
]
_CallRow = view(records.Call, "CallRow")
CallView = create_model("Call", __base__=_CallRow, outcome=(_OUTCOME, None), cost=(_COST, None))
SummaryView = view(wrapup.Summary)
LegView = view(records.Leg)
TimelineView = view(records.CallEvent, "TimelineEvent")


def _without(record: Any, name: str, *left_out: str) -> type[BaseModel]:
    made: dict[str, Any] = {
        field: (info.annotation, ...) for field, info in view(record).model_fields.items() if field not in left_out
    }
    return create_model(name, __base__=Answer, **made)


ParticipantView = _without(records.Participant, "Participant", "created_us")
RecordingView = _without(records.Recording, "RecordingInfo", "path", "peaks_path", "tracks_path", "public_path")
VoicemailView = _without(records.Voicemail, "VoicemailInfo", "path")
CallVoicemail = _without(records.Voicemail, "CallVoicemail", "path", "heard_us", "removed_us")


class Held(Answer):
    leg: str
    by: str = Field(
        description="The user who did it, `host`, `phone` where the party's own phone holds, or `reconnecting` where "
        "it hears music until a user who has lost the page is back."
    )


class Invitation(Answer):
    """One that rings, or the last one that came to nothing."""

    guest_kind: Literal["user", "group", "number"]
    guest: str = Field(description="The user's or group's id, or the number.")
    name: str
    number: str
    display: str
    since_us: int
    ringing: bool
    result: str | None = Field(None, description="busy, declined, no_answer, unreachable, cancelled, failed")
    reason: str | None = None
    ended_us: int | None = None


class Reconnecting(Answer):
    """A user who has lost the page with the phone, and is rung as soon as it is back."""

    leg: str = Field(description="The leg that was lost.")
    user_id: str
    since_us: int
    until_us: int = Field(description="Then the forwarding number rings, or the call goes on without this user.")


class Conference(Answer):
    """Who is host and guest, who hears music, whose voice is off, and who is being invited."""

    host_leg: str | None
    guest_leg: str | None
    muted: list[str]
    held: list[Held]
    invite: Invitation | None
    last_invite: Invitation | None
    unattended: bool = Field(description="No user is left; the others talk on for as long as the setting allows.")
    reconnecting: list[Reconnecting]


class LiveCall(_CallRow):  # type: ignore[misc, valid-type]
    """A call as it stands, with its legs, people and sound."""

    muted: bool = Field(description="Whether our user's voice is off at this moment.")
    conference: Conference | None = Field(description="How the conversation stands now; null before and after it.")
    legs: list[LegView]  # type: ignore[valid-type]
    participants: list[ParticipantView]  # type: ignore[valid-type]
    recordings: list[RecordingView]  # type: ignore[valid-type]
    voicemails: list[CallVoicemail]  # type: ignore[valid-type]


class CallDetail(LiveCall):
    """A call with all that was said of it, and what happened, in order."""

    outcome: _OUTCOME = None
    cost: _COST = None
    summaries: list[SummaryView] = Field(description="Each user's, as far as you may see them.")  # type: ignore[valid-type]
    timeline: list[TimelineView] = Field(description="Facts in the order in which they were decided.")  # type: ignore[valid-type]


class Dial(Body):
    to: str = Field(max_length=200, description="The number to call, in any notation.", examples=["+12065550150"])
    via: Literal["device", "forwarding"] | None = Field(
        None, description="Which phone of yours rings first; without it a registered one, else the forwarding number."
    )
    device_id: str | None = Field(None, max_length=64)
    user: str | None = Field(None, max_length=64, description="Call as this user (id); admins only.")


class Dialled(Answer):
    id: str
    call: CallView  # type: ignore[valid-type]


class AnswerOn(Body):
    device_id: str | None = Field(None, max_length=64, description="One of your registered devices (id).")


class Invite(Body):
    """Exactly one of the three."""

    user: str | None = Field(None, max_length=64, description="A colleague (id): all their phones ring.")
    group: str | None = Field(None, max_length=64, description="A group (id): the first to answer is the guest.")
    number: str | None = Field(None, max_length=200, description="Any other number, in any notation.")


class Digits(Body):
    digits: str = Field(max_length=200, description="0-9, *, #, A-D", examples=["1234#"])


class Notes(Body):
    notes: str = Field(max_length=20_000)


class Link(Body):
    record_id: str = Field(max_length=64, description="Of a lead, contact, company or deal.")


class CallQuery(PageQuery):
    user: str | None = Field(None, description="Calls this user (id) had a part in; reps see their own only.")
    direction: Literal["inbound", "outbound", "internal"] | None = None
    disposition: str | None = None
    state: str | None = None
    customer_number: str | None = Field(None, description="In any notation.")
    did: str | None = None
    record_id: str | None = None
    outcome: str | None = Field(None, description="An outcome's id, as `user`, or anybody, has said it.")
    since_us: int | None = Field(None, ge=0, le=2**62)
    until_us: int | None = Field(None, ge=0, le=2**62)
    open: bool | None = Field(None, description="true: still going on; false: over.")
    team: str | None = Field(None, description="Calls of the users in this group (id), as reports count them.")
    hour: int | None = Field(None, ge=0, le=23, description="Begun in this hour of a day, within a year at most.")
    weekday: int | None = Field(None, ge=1, le=7, description="1, Monday, to 7; within a year at most.")
    time_zone: str | None = Field(None, max_length=64, description="By whose clock; without it the organisation's.")


class CallChoice(Query):
    """What the log is asked for, without where somebody stands in it."""

    user: str | None = None
    direction: Literal["inbound", "outbound", "internal"] | None = None
    disposition: str | None = None
    customer_number: str | None = None
    did: str | None = None
    record_id: str | None = None
    outcome: str | None = None
    since_us: int | None = Field(None, ge=0, le=2**62)
    until_us: int | None = Field(None, ge=0, le=2**62)
    open: bool | None = None
    team: str | None = None
    hour: int | None = Field(None, ge=0, le=23)
    weekday: int | None = Field(None, ge=1, le=7)
    time_zone: str | None = Field(None, max_length=64)


class CallSelection(Body):
    """Calls that are named, else all that the filter leaves: without one, all that you may see."""

    call_ids: list[str] | None = Field(None, max_length=1_000)
    filter: CallChoice = Field(default_factory=lambda: CallChoice.model_validate({}))


class RecordingsToErase(CallSelection):
    dry_run: bool = Field(False, description="Only count: nothing is destroyed.")


class RecordingsErased(Answer):
    """What was destroyed, or with `dry_run` would be, and what stays."""

    calls: int = Field(description="That were chosen.")
    recordings: int = Field(description="That were, or would be, destroyed.")
    bytes: int
    held: int = Field(description="Stay for a court (legal hold).")
    not_yours: int = Field(description="Of calls you took no part in: for those who did, and admins.")
    being_made: int = Field(description="Of calls that go on, or whose sound is not ready yet.")


class VoicemailQuery(PageQuery):
    heard: bool | None = None
    user: str | None = Field(None, description="Somebody else's (id); managers and admins only.")


class HowToHear(Query):
    public: bool = Field(False, description="Without what was said while the customer was on hold.")


class Heard(Body):
    heard: bool = True


class GateQuestion(Body):
    to: str = Field(max_length=200)
    user: str | None = Field(None, max_length=64, description="Ask for this user (id); managers and admins only.")
    listed: bool = Field(False, description="Ask as for a call of a call list.")


class GateAnswer(Answer):
    """Whether a call to this number may leave now, and why not."""

    allowed: bool
    reason: str
    detail: str
    caller_id: str | None = Field(description="The number that the called party would see.")
    untimely: str | None = Field(description="What speaks against the hour; a call that is allowed is warned only.")
    not_before_us: int | None = Field(description="When the number may be called again by the law's hours.")
    rule: str | None = Field(description="The rule of the law that speaks against the hour, such as hours.US-FL.")


class Presence(Answer):
    user_id: str
    name: str
    state: Literal["offline", "available", "away", "on_call"]
    phones: int = Field(description="Registered phones.")
