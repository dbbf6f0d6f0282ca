"""Call lists and runs through them over the wire."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from crm import call_lists, retry_rules
from crm.services.list_entries import Brought
from pbx.services.dialer import RunView
from pbx.web.wire.base import Answer, Body, PageQuery, Query, view
from pbx.web.wire.calls import CallSelection

ListView = view(call_lists.CallList)
EntryView = view(call_lists.Entry, "ListEntry")
ProgressView = view(call_lists.Progress, "ListProgress")
ListRunView = view(RunView, "ListRun")
BroughtView = view(Brought)
NumbersListView = view(call_lists.NumbersList, "DoNotCallList")
DropView = view(call_lists.Drop, "VoicemailDrop")

_RETRY = (
    f"When an entry comes again: `on` is a result ({', '.join(retry_rules.RESULTS)}) or the id of an outcome, "
    "`after_minutes` how long it waits, `calls` how many calls there may be in all. An outcome goes before a result."
)


class RetryRule(Body):
    on: str
    after_minutes: int
    calls: int


class ListChange(Body):
    name: str = ""
    description: str = ""
    shared: bool = Field(False, description="Others may work on it, too; each entry is one user's at a time.")
    group_ids: list[str] = Field([], description="Where it is shared: with whom (ids or names); empty: everybody.")
    active: bool = True
    preview_s: int = Field(10, description="Seconds from the preview to the call; 0: the user dials by hand.")
    wrap_up_s: int = Field(
        20, description="Seconds from the call's end to the next entry; 0: the user goes on by hand."
    )
    wrap_up: Literal["setting", "required", "free"] = Field(
        "setting", description="Whether a call's summary must be saved before the next; `lists.wrap_up_required` else."
    )
    retry: list[RetryRule] = Field([], description=_RETRY)
    daily_calls: int | None = Field(None, description="Calls of the list in a day, in all.")
    daily_calls_user: int | None = Field(None, description="Calls of the list in a day, of each user.")
    daily_calls_number: int | None = Field(None, description="Calls to one number within 24 hours.")
    drop_outcome_id: str | None = Field(None, description="The outcome of a call that ends with a left message.")
    owner_id: str | None = Field(None, max_length=64, description="Whose it is; managers and admins may say.")


class NewList(ListChange):
    name: str


class ListFilter(Body):
    kind: Literal["lead", "contact", "company"]
    owner_id: str | None = Field(None, max_length=64)
    status: str | None = Field(None, max_length=64)
    company_id: str | None = Field(None, max_length=64)


class Bring(Body):
    """Records that were chosen, or a filter, or calls: the people of these."""

    record_ids: list[str] | None = Field(None, max_length=5_000)
    filter: ListFilter | None = None
    calls: CallSelection | None = None


class Filled(Answer):
    """`brought` is null where a filter brings entries beside everything else: see `filling` of the list."""

    list: ListView  # type: ignore[valid-type]
    brought: BroughtView | None  # type: ignore[valid-type]


class EntryQuery(PageQuery):
    state: Literal["waiting", "done", "out"] | None = None


class ProgressQuery(Query):
    since_us: int | None = Field(None, ge=0, le=2**62, description="Without it the last 24 hours.")


class StartRun(Body):
    list_id: str = Field(max_length=200)
    via: Literal["device", "forwarding"] | None = None
    device_id: str | None = Field(None, max_length=64, description="The phone that is rung first, for the whole run.")


class DialEntry(Body):
    number: str | None = Field(None, max_length=40, description="Another number of the record that is shown (E.164).")


class SkipEntry(Body):
    reason: Literal["later", "wrong_person", "bad_number", "duplicate", "other"] = "later"
    minutes: int | None = Field(None, ge=1, le=129_600, description="When it comes again; null: not at all.")


class HoldCountdown(Body):
    held: bool = Field(description="Somebody types: the countdown stands still until this is false again.")


class CurrentRun(Answer):
    list_run: ListRunView | None  # type: ignore[valid-type]


class NewNumbersList(Body):
    import_id: str = Field(max_length=64, description="Of the uploaded file: a number in each line.")
    name: str = Field(max_length=100)
    source: str = Field("", max_length=100, description="Who keeps the list, and as of when.")


class DropQuery(Query):
    name: str = Field(max_length=100, description="What its user calls it.")


class DropName(Body):
    name: str = Field(max_length=100)


class DropOn(Body):
    drop_id: str = Field(max_length=64)
