"""The runner of a call list as a value: what it shows, dials and waits for (L2)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pbx.core.dialer import Phase, Run, Terms, Want, handle
from pbx.core.dialer.events import (
    Away,
    CallOver,
    Dialled,
    Due,
    Event,
    Found,
    Held,
    MessageLeft,
    NextAsked,
    NotDialled,
    NothingFound,
    Paused,
    Resumed,
    Skipped,
    Stopped,
    SummarySaved,
)
from pbx.core.events import NotNow
from pbx.core.ids import Instant

pytestmark = pytest.mark.covers("L2")

S = 1_000_000
TERMS = Terms(preview_us=10 * S, wrap_up_us=20 * S, wrap_up_required=False)
REQUIRED = replace(TERMS, wrap_up_required=True)


def played(*events: tuple[int, Event], terms: Terms = TERMS, run: Run | None = None) -> tuple[Run, Want]:
    """The run after these events, each at its second, and what the last one asked for."""
    run, want = run or Run(), Want.NOTHING
    for at_s, event in events:
        run, want = handle(run, event, terms, Instant(at_s * S))
    return run, want


def test_an_entry_is_shown_and_dialled_when_its_countdown_is_over() -> None:
    shown, _ = played((0, Found("le_1")))
    assert (shown.phase, shown.due) == (Phase.PREVIEW, 10 * S)
    due, want = played((10, Due()), run=shown)
    assert want is Want.DIAL and due.phase is Phase.PREVIEW
    calling, _ = played((10, Dialled("c_1")), run=due)
    assert (calling.phase, calling.call_id, calling.calls, calling.due) == (Phase.CALLING, "c_1", 1, None)


def test_typing_pauses_the_countdown_and_it_goes_on_with_what_was_left() -> None:
    held, _ = played((0, Found("le_1")), (4, Held(True)))
    assert (held.due, held.held) == (None, 6 * S)
    assert played((9, Due()), run=held) == (held, Want.NOTHING)
    again, _ = played((30, Held(False)), run=held)
    assert (again.due, again.held) == (36 * S, None)


def test_after_the_call_comes_the_summary_and_saving_it_brings_the_next() -> None:
    wrapping, _ = played((0, Found("le_1")), (1, Dialled("c_1")), (60, CallOver("c_1")))
    assert (wrapping.phase, wrapping.due) == (Phase.WRAP_UP, 80 * S)
    after, want = played((70, SummarySaved("c_1")), run=wrapping)
    assert want is Want.FIND and after.entry_id is None
    assert played((79, Due()), run=wrapping)[1] is Want.NOTHING
    assert played((80, Due()), run=wrapping)[1] is Want.FIND


@pytest.mark.covers("S6")
def test_where_a_summary_is_required_nothing_but_saving_it_brings_the_next() -> None:
    wrapping, _ = played((0, Found("le_1")), (1, Dialled("c_1")), (60, CallOver("c_1")), terms=REQUIRED)
    assert (wrapping.phase, wrapping.due) == (Phase.WRAP_UP, None)
    with pytest.raises(NotNow, match="Save the summary"):
        handle(wrapping, NextAsked(), REQUIRED, Instant(61 * S))
    assert handle(wrapping, SummarySaved("c_of_another_time"), REQUIRED, Instant(62 * S)) == (wrapping, Want.NOTHING)
    assert handle(wrapping, SummarySaved("c_1"), REQUIRED, Instant(63 * S))[1] is Want.FIND


def test_a_message_left_frees_its_user_at_once() -> None:
    run, want = played((0, Found("le_1")), (1, Dialled("c_1")), (30, MessageLeft("c_1")), terms=REQUIRED)
    assert (run.phase, want) == (Phase.IDLE, Want.FIND)
    shown, _ = played((30, Found("le_2")), (40, CallOver("c_1")), run=run)
    assert (shown.phase, shown.entry_id) == (Phase.PREVIEW, "le_2")


def test_a_pause_keeps_what_is_shown_and_a_paused_run_takes_nobody_after_its_call() -> None:
    paused, _ = played((0, Found("le_1")), (4, Paused()))
    assert (paused.phase, paused.due, paused.held) == (Phase.PREVIEW, None, 6 * S)
    resumed, _ = played((60, Resumed()), run=paused)
    assert (resumed.paused, resumed.due) == ("", 66 * S)
    after, want = played(
        (0, Found("le_1")), (1, Dialled("c_1")), (2, Paused()), (9, CallOver("c_1")), (10, SummarySaved("c_1"))
    )
    assert (after.phase, want) == (Phase.IDLE, Want.RELEASE)
    assert played((20, Resumed()), run=after)[1] is Want.FIND


def test_who_is_away_keeps_no_entry_and_nothing_is_dialled_for_them() -> None:
    away, want = played((0, Found("le_1")), (50, Away()))
    assert (away.phase, away.paused, away.entry_id, want) == (Phase.IDLE, "away", None, Want.RELEASE)
    talking, _ = played((0, Found("le_1")), (1, Dialled("c_1")))
    assert played((90, Away()), run=talking) == (talking, Want.NOTHING)
    wrapping, want = played((0, Found("le_1")), (1, Dialled("c_1")), (9, CallOver("c_1")), (70, Away()))
    assert (wrapping.phase, wrapping.call_id, wrapping.paused) == (Phase.WRAP_UP, "c_1", "away")


def test_where_there_is_nobody_to_call_it_waits_and_looks_again() -> None:
    waiting, want = played((0, NothingFound("outside_hours", Instant(3600 * S))))
    assert (waiting.reason, waiting.due, want) == ("outside_hours", 3600 * S, Want.RELEASE)
    assert played((3600, Due()), run=waiting)[1] is Want.FIND


def test_a_call_that_cannot_be_begun_pauses_the_run_or_brings_the_next() -> None:
    calling, _ = played((0, Found("le_1")), (1, Dialled("c_1")))
    paused, _ = played((1, NotDialled("c_1", "no_credit", pauses=True)), run=calling)
    assert (paused.phase, paused.paused, paused.calls) == (Phase.PREVIEW, "no_credit", 0)
    assert played((1, NotDialled("c_1", "do_not_call", pauses=False)), run=calling)[1] is Want.FIND


def test_what_makes_no_sense_now_is_refused_and_a_stopped_run_takes_nothing_more() -> None:
    calling, _ = played((0, Found("le_1")), (1, Dialled("c_1")))
    for event in (Dialled("c_2"), Skipped(), NextAsked()):
        with pytest.raises(NotNow):
            handle(calling, event, TERMS, Instant(2 * S))
    stopped, want = played((3, Stopped()), run=calling)
    assert (stopped.phase, want) == (Phase.STOPPED, Want.RELEASE)
    with pytest.raises(NotNow, match="over"):
        handle(stopped, Resumed(), TERMS, Instant(4 * S))
