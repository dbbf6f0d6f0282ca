"""Live calls on the disk: what is read back is what was, whatever moment the engine died at."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from pbx.adapters.store import dataclass_json
from pbx.adapters.store.live_log import EngineRuns, LiveLog
from pbx.core.call import Call
from pbx.core.commands import Command
from pbx.core.events import Arrived, Ask, Asked, DigitPressed, LegAnswered, LegEnded, LegRinging, TimerFired
from tests.unit.core.story import CALL, MIO, RECORDED, VOICEMAIL, Story, leg
from tests.unit.core.test_conference import CUSTOMER, EXPERT, hold, invites, three

pytestmark = pytest.mark.covers("P1")
FULL = replace(MIO, recording=RECORDED, voicemail=VOICEMAIL)


def arrived() -> Story:
    return Story(Arrived("PJSIP-1", FULL.did, "+12065550150", "", "tr_a", True, FULL))


def keep(log: LiveLog, story: Story, since: int = 0) -> None:
    numbered = list(enumerate(story.facts, 1))
    log.keep(story.call, len(numbered), {leg(1): "PJSIP-1"}, numbered[since:], story.step)


@pytest.fixture
def log(tmp_path: Path) -> LiveLog:
    log = LiveLog(tmp_path)
    log.take_over()
    return log


def again(log: LiveLog, directory: Path) -> LiveLog:
    log.close()
    return LiveLog(directory)


STORIES = {
    "ringing": lambda: arrived().then(LegRinging(leg(2))),
    "talking": lambda: arrived().then(LegAnswered(leg(2))),
    "muted": lambda: arrived().then(LegAnswered(leg(2))).then(Asked(Ask.MUTE)).then(Asked(Ask.PAUSE_RECORDING)),
    "forwarding": lambda: arrived().then(TimerFired("ring")),
    "asking": lambda: arrived().then(TimerFired("ring")).then(LegAnswered(leg(4))),
    "accepted": lambda: arrived().then(TimerFired("ring")).then(LegAnswered(leg(4))).then(DigitPressed(leg(4), "1")),
    "announcing": lambda: arrived().then(Asked(Ask.IGNORE)),
    "inviting": lambda: invites(EXPERT),
    "three": lambda: three().then(hold(CUSTOMER)),
    "ended": lambda: arrived().then(LegEnded(leg(1), 127)),
}


@pytest.mark.parametrize("name", STORIES)
def test_a_call_in_any_state_is_read_back_as_it_was_with_what_its_step_wanted(
    log: LiveLog, tmp_path: Path, name: str
) -> None:
    story = STORIES[name]()
    keep(log, story)
    (kept,) = again(log, tmp_path).take_over()
    assert kept.call == story.call and kept.todo == story.step
    assert kept.seq == len(story.facts) and kept.channels == {leg(1): "PJSIP-1"}
    assert [(fact.kind, fact.at) for _, fact in kept.facts] == [(fact.kind, fact.at) for fact in story.facts]


def test_facts_of_all_steps_are_kept_and_those_of_the_last_are_fresh(log: LiveLog, tmp_path: Path) -> None:
    story = arrived()
    keep(log, story)
    before = len(story.facts)
    keep(log, story.then(LegAnswered(leg(2))), before)
    (kept,) = again(log, tmp_path).take_over()
    assert [number for number, _ in kept.facts] == list(range(1, len(story.facts) + 1))
    assert [number for number, _ in kept.fresh] == list(range(before + 1, len(story.facts) + 1))


def test_a_call_that_is_over_is_not_taken_over(log: LiveLog, tmp_path: Path) -> None:
    keep(log, arrived())
    log.drop(CALL)
    assert again(log, tmp_path).take_over() == []


@pytest.mark.parametrize("cut", [2, 7, 200, 900])
def test_a_line_that_death_tore_never_was(log: LiveLog, tmp_path: Path, cut: int) -> None:
    story = arrived()
    keep(log, story)
    ringing = dataclass_json.dumps(story.call)
    before = len(story.facts)
    keep(log, story.then(LegAnswered(leg(2))), before)
    path = tmp_path / "live.lines"
    path.write_bytes(path.read_bytes()[:-cut])
    (kept,) = again(log, tmp_path).take_over()
    assert dataclass_json.dumps(kept.call) == ringing and len(kept.facts) == before


def test_the_file_is_written_anew_with_what_is_live_when_it_has_grown(tmp_path: Path) -> None:
    log = LiveLog(tmp_path, largest=50_000)
    log.take_over()
    story = arrived()
    for step in range(200):
        keep(log, story, 0 if not step else len(story.facts))
    assert (tmp_path / "live.lines").stat().st_size < 60_000
    (kept,) = again(log, tmp_path).take_over()
    assert kept.call == story.call and len(kept.facts) == len(story.facts)


def test_two_engines_never_have_the_same_calls(log: LiveLog, tmp_path: Path) -> None:
    with pytest.raises(EngineRuns):
        LiveLog(tmp_path)
    again(log, tmp_path).close()


def test_half_a_surrogate_pair_from_outside_does_no_harm(log: LiveLog, tmp_path: Path) -> None:
    story = arrived()
    story.call.customer_number = "+1\ud800"
    keep(log, story)
    (kept,) = again(log, tmp_path).take_over()
    assert kept.call.customer_number == "+1?"


def test_fields_of_another_version_are_passed_over_or_get_their_default() -> None:
    value = {"id": CALL, "now": 1, "invented": True}
    assert dataclass_json.read(Call, value) == Call(CALL, 1)  # type: ignore[arg-type]


def test_a_step_costs_next_to_nothing(log: LiveLog) -> None:
    """50 µs on a quiet machine: the best of many, as others work here too."""
    story = arrived().then(LegAnswered(leg(2)))
    repeated: list[Command] = []
    facts = list(enumerate(story.facts, 1))[-3:]
    best = 1.0
    for _ in range(400):
        began = time.perf_counter()
        log.keep(story.call, len(story.facts), {leg(1): "PJSIP-1"}, facts, repeated)
        best = min(best, time.perf_counter() - began)
    assert best < 0.0002
