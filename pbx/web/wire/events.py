"""What the event stream carries: the models of its messages, for the API's description and the console's types.

The hub and the connection write these messages without looking here, since nothing on a call's path is checked at
length; the tests hold every message that they see against the models.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, RootModel

from pbx.web.wire.base import Answer
from pbx.web.wire.call_lists import ListRunView, ListView, ProgressView
from pbx.web.wire.calls import LiveCall, Presence, SummaryView
from pbx.web.wire.money import BalanceView, ChargeView
from pbx.web.wire.texts import ConversationView, TextView
from pbx.web.wire.wrapup import TaskView

Number = Annotated[int, Field(description="Counts the events of one run of the engine.")]


class Fact(Answer):
    """Something that happened in a call."""

    seq: int
    kind: str
    at_us: int
    data: dict[str, Any]


class AlertView(Answer):
    id: str
    kind: str = Field(examples=["address_blocked"])
    subject: str = Field(description="What it is about: a trunk, a user, an address, a call.")
    sentence: str = Field(description="What happened and what to do.")
    sentences: dict[str, str] = Field(description="The same in other languages.", examples=[{"ja": "…"}])
    since_us: int
    data: dict[str, Any]


class PresenceChange(Presence):
    """Presence as it is now, also of a user who is there no longer (`gone`)."""

    state: Literal["offline", "available", "away", "on_call", "gone"]  # type: ignore[assignment]


class Unheard(Answer):
    """A voicemail that was not heard yet."""

    id: str
    call_id: str | None
    caller_number: str | None
    caller_display: str | None
    duration_ms: int | None
    created_us: int


class Snapshot(Answer):
    """What is going on: the first message, unless the stream goes on after the last one seen."""

    type: Literal["snapshot"]
    epoch: str = Field(description="Of this run of the engine: `n` counts within it.")
    n: Number
    revision: int = Field(description="Of the configuration: counts up with each change.")
    calls: list[LiveCall]
    presence: list[Presence]
    alerts: list[AlertView] = Field(description="For managers and admins; others have none.")
    voicemails: list[Unheard]
    summaries: list[SummaryView] = Field(description="Your drafts.")  # type: ignore[valid-type]
    tasks: list[TaskView] = Field(description="Yours that are due before `tasks_until_us`.")  # type: ignore[valid-type]
    tasks_until_us: int
    conversations: list[ConversationView] = Field(description="Yours with something unread.")  # type: ignore[valid-type]
    list_run: ListRunView | None = Field(description="Your way through a call list.")  # type: ignore[valid-type]
    balance: BalanceView | None = Field(description="For managers and admins; null where it is not known yet.")  # type: ignore[valid-type]


class Resumed(Answer):
    """The first message where the stream goes on: the events that were missed follow."""

    type: Literal["resumed"]
    epoch: str
    n: Number
    missed: int


class CallChanged(Answer):
    """How a call stands now; one with `ended_us` is over."""

    type: Literal["call"]
    n: Number
    call: LiveCall
    facts: list[Fact] = Field(description="What happened to it since its last event.")


class CallNoted(Answer):
    """Something came late about a call that is no longer remembered: read it again where it is shown."""

    type: Literal["call.noted"]
    n: Number
    call_id: str
    facts: list[Fact]


class PresenceChanged(Answer):
    type: Literal["presence"]
    n: Number
    presence: list[PresenceChange]


class VoicemailChanged(Answer):
    """A new message for you; `unheard` is null for one that was heard or deleted."""

    type: Literal["voicemail"]
    n: Number
    voicemail_id: str
    unheard: Unheard | None


class AlertChanged(Answer):
    """Raised, or over (null). For managers and admins."""

    type: Literal["alert"]
    n: Number
    alert_id: str
    alert: AlertView | None


class SummaryChanged(Answer):
    """A summary of yours was made, typed in or saved."""

    type: Literal["summary"]
    n: Number
    summary: SummaryView  # type: ignore[valid-type]


class TaskChanged(Answer):
    """A task of yours as it is now; null for one that was removed or given to somebody else."""

    type: Literal["task"]
    n: Number
    task_id: str
    task: TaskView | None  # type: ignore[valid-type]


class Reminder(Answer):
    """The moment to be reminded of a task has come."""

    type: Literal["reminder"]
    n: Number
    task: TaskView  # type: ignore[valid-type]


class ConversationChanged(Answer):
    """A conversation of yours has something new, or was read."""

    type: Literal["conversation"]
    n: Number
    conversation: ConversationView  # type: ignore[valid-type]


class TextChanged(Answer):
    """A text came, was written, or is in another state."""

    type: Literal["text"]
    n: Number
    text: TextView  # type: ignore[valid-type]
    conversation: ConversationView  # type: ignore[valid-type]


class ListRunChanged(Answer):
    """How your way through a call list stands; null where you work on none."""

    type: Literal["list_run"]
    n: Number
    list_run: ListRunView | None  # type: ignore[valid-type]


class ListChanged(Answer):
    """How a call list goes. For its owner, managers and admins."""

    type: Literal["list"]
    n: Number
    list: ListView  # type: ignore[valid-type]
    progress: ProgressView  # type: ignore[valid-type]


class Charged(Answer):
    """Legs of a call have got their price; each is told once."""

    type: Literal["charges"]
    n: Number
    call_id: str
    charges: list[ChargeView]  # type: ignore[valid-type]


class BalanceChanged(Answer):
    """For managers and admins."""

    type: Literal["balance"]
    n: Number
    balance: BalanceView  # type: ignore[valid-type]


class ConfigurationChanged(Answer):
    """Users, numbers, settings or the like are others than before: read again what you show of them."""

    type: Literal["configuration"]
    n: Number
    revision: int


_FRAMES = (
    Snapshot
    | Resumed
    | CallChanged
    | CallNoted
    | PresenceChanged
    | VoicemailChanged
    | AlertChanged
    | SummaryChanged
    | TaskChanged
    | Reminder
    | ConversationChanged
    | TextChanged
    | ListRunChanged
    | ListChanged
    | Charged
    | BalanceChanged
    | ConfigurationChanged
)


class Frame(RootModel[Annotated[_FRAMES, Field(discriminator="type")]]):
    """A message of the event stream."""
