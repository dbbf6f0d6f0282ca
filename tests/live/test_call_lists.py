"""A list worked through a real Asterisk: dialled, a message left in a mailbox, the next one called meanwhile (L2)."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import numpy as np
import pytest
import soundfile

from crm.call_lists import Judged
from crm.services import call_lists, list_entries, list_runs, people
from crm.unit_of_work import SYSTEM
from pbx import bootstrap
from pbx.core.dialer import events
from pbx.services.calling_hours import LawfulHours
from tests.live.stage import Rep, Scene, facts
from tests.support.tones import has_tone
from tests.support.waiting import Deadline, Missed, Stopwatch

MESSAGE_HZ, MESSAGE_S = 1040, 4.0


@pytest.fixture(autouse=True)
def _at_any_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tried here is not the law, and tests run at night, too."""
    monkeypatch.setattr(LawfulHours, "look", lambda self, place, at_us: Judged(True))


async def start(scene: Scene, rep: Rep, numbers: list[str], **values: Any) -> Any:
    """The rep works on a list of people with these numbers, dialling by hand."""

    async def make(work: Any) -> str:
        given = {"name": f"List of {rep.user.name}", "owner_id": rep.id, "preview_s": 0, "wrap_up_s": 0} | values
        made = await call_lists.add(work, given)
        for number in numbers:
            record = await people.add(work, "lead", {"name": number, "phones": [{"number": number}]})
            await list_entries.select(work, made.id, [record.id])
        return made.id

    list_id = await scene.stack.change(make)
    return await scene.stack.engine.dialer.start(rep.id, list_id, "device", None)


async def phase(scene: Scene, rep: Rep, wanted: str, entry: str, within: float = 6) -> Any:
    deadline = Deadline(within)
    while True:
        view = await scene.stack.engine.dialer.current(rep.id)
        if view is not None and view.run.phase == wanted and (view.entry is None or view.entry.name == entry):
            return view
        if deadline.over:
            raise Missed(f"Not {wanted} of {entry}, but {view}")
        await asyncio.sleep(0.05)


def message() -> bytes:
    at = np.arange(int(MESSAGE_S * 16_000)) / 16_000
    file = io.BytesIO()
    soundfile.write(file, 0.3 * np.sin(2 * np.pi * MESSAGE_HZ * at), 16_000, format="WAV")
    return file.getvalue()


@pytest.mark.covers("L2", "L5", "V12")
async def test_a_message_plays_on_into_the_mailbox_while_the_rep_calls_the_next(scene: Scene):
    rep, mailbox, second = await scene.rep(), scene.outside(), scene.outside(tone=900)
    mailbox.will_answer()
    rep.phone.will_answer()
    engine = scene.stack.engine
    drop = await engine.drops.keep(SYSTEM, rep.id, "Short", message())
    await start(scene, rep, [mailbox.number, second.number])
    first = await engine.dialer.dial(rep.id)
    reached = await mailbox.incoming()
    mine = await rep.phone.incoming() if not rep.phone.live_calls else rep.phone.current
    await mine.until_hears(820)
    sound = await engine.drops.path(rep.id, drop.id)
    began = Stopwatch()
    engine.control.drop(first.run.call_id, drop.id, str(sound), rep.id)
    await mine.until_ended(2)
    assert began.passed < 1.2
    await reached.until_hears(MESSAGE_HZ)
    await phase(scene, rep, "preview", second.number)
    again = await engine.dialer.dial(rep.id)
    ring = await second.incoming()
    assert not reached.at.ended, "the message still plays"
    await ring.answer()
    await ring.until_hears(540)
    await reached.until_ended(8)
    await ring.hang_up()
    await phase(scene, rep, "wrap_up", second.number)
    logged = await scene.stack.show(first.run.call_id)
    assert (logged.row.disposition, logged.row.reason) == ("answered", "voicemail_drop")
    assert [each["drop"] for each in facts(logged, "drop.started")] == [drop.id] and "drop.played" in logged.kinds
    _, recorded = await scene.stack.recorded(first.run.call_id)
    assert has_tone(recorded.mono, MESSAGE_HZ, recorded.rate), "what was left is heard in the recording, too"
    await engine.dialer.ask(rep.id, events.Stopped())
    async with engine.store.read() as session:
        calls = [await list_runs.listed_call(session, each.run.call_id) for each in (first, again)]
    assert [call.result for call in calls if call is not None] == ["voicemail_drop", "answered"]


@pytest.mark.covers("L3", "L5")
async def test_an_engine_that_comes_after_goes_on_with_the_run_and_hears_what_the_call_came_to(broken: Scene):
    rep, customer = await broken.rep(), broken.outside()
    rep.phone.will_answer()
    customer.will_answer()
    stack = broken.stack
    await start(broken, rep, [customer.number])
    calling = await stack.engine.dialer.dial(rep.id)
    talk = await customer.incoming()
    await talk.until_hears(540)
    await stack.engine.stop()
    await talk.hang_up()
    stack.engine = await bootstrap.open_engine(stack.config)
    await stack.engine.start()
    await stack.engine.until_linked()
    view = await phase(broken, rep, "wrap_up", customer.number, within=10)
    assert view.run.call_id == calling.run.call_id
    async with stack.engine.store.read() as session:
        call = await list_runs.listed_call(session, calling.run.call_id)
    assert call is not None and call.result == "answered"
    await stack.engine.dialer.ask(rep.id, events.Stopped())
