"""Voicemail: greeting, beep, message, row and file (I7)."""

from __future__ import annotations

import asyncio
import io
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from crm.services import voicemails
from crm.unit_of_work import SYSTEM
from pbx.adapters.mail import SmtpMail
from pbx.config import Config
from tests.live.stage import PROMPTS, Rep, Scene
from tests.support.mail_server import MailServer
from tests.support.tones import read_sound, tones_in
from tests.support.waiting import Deadline, Missed, Stopwatch, until


async def message_of(scene: Scene, rep: Rep, within: float = 6) -> Any:
    """The user's newest message, once it is finished."""
    deadline = Deadline(within)
    while True:
        async with scene.stack.engine.store.read() as session:
            found = await voicemails.list_all(session, rep.id)
        items = list(getattr(found, "items", found))
        if items and items[0].state != "recording":
            return items[0]
        if deadline.over:
            raise Missed(f"No finished message of {rep.user.name}: {items}")
        await asyncio.sleep(0.1)


@pytest.mark.covers("I7", "I5")
async def test_the_caller_hears_words_greeting_and_beep_and_the_message_is_kept(scene: Scene):
    rep = await scene.rep(phones=0, voicemail_enabled=True)
    customer = scene.outside(tone=None)
    call = await customer.call(rep.did)
    for prompt in ("unreachable", "voicemail-default-greeting", "beep"):
        await call.until_hears(PROMPTS[prompt])
    call.say(940)
    spoken = Stopwatch()
    await asyncio.sleep(2)
    await call.hang_up()
    spoken_ms = spoken.passed * 1000
    message = await message_of(scene, rep)
    assert message.state == "ready"
    assert message.caller_number == customer.number
    assert 1500 < message.duration_ms < spoken_ms + 1500
    sound = read_sound(scene.stack.config.recordings / message.path)
    assert 940 in tones_in(sound.mono, [940, PROMPTS["voicemail-default-greeting"]], sound.rate)
    logged = await scene.logged(rep)
    assert (logged.row.disposition, logged.row.reason) == ("voicemail", "no_forwarding_number")


@pytest.mark.covers("I7")
async def test_where_a_mail_server_is_set_the_message_comes_by_e_mail_with_its_sound(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    server, stack = MailServer(), scene.stack
    await server.start()
    values = {"mail_host": "127.0.0.1", "mail_port": server.port, "mail_security": "none", "mail_from": "pbx@x.example"}
    monkeypatch.setattr(stack.engine.voicemail_mail, "_mail", SmtpMail(Config.load({}, home=tmp_path, **values)))
    rep = await scene.rep(phones=0, voicemail_enabled=True)
    call = await scene.outside(tone=None).call(rep.did)
    await call.until_hears(PROMPTS["beep"])
    call.say(940)
    await asyncio.sleep(2)
    await call.hang_up()
    await until(lambda: [each for each in server.letters if each["To"] == rep.user.email], 15, "the letter")
    [letter] = [each for each in server.letters if each["To"] == rep.user.email]
    [file] = letter.iter_attachments()
    sound = tmp_path / str(file.get_filename())
    sound.write_bytes(file.get_content())
    assert 940 in tones_in(read_sound(sound).mono, [940, PROMPTS["beep"]], read_sound(sound).rate)
    await server.stop()


@pytest.mark.covers("I7")
async def test_the_caller_hears_the_greeting_that_the_user_recorded(scene: Scene):
    rep = await scene.rep(phones=0, voicemail_enabled=True)
    at = np.arange(2 * 24_000) / 24_000
    recorded = io.BytesIO()
    soundfile.write(recorded, 0.3 * np.sin(2 * np.pi * 760 * at), 24_000, format="WAV")
    engine = scene.stack.engine
    await engine.greetings.keep(SYSTEM, rep.id, recorded.getvalue())
    await until(lambda: engine.directory.users[rep.id].has_greeting, 3, "the engine to know the greeting")
    call = await scene.outside(tone=None).call(rep.did)
    for hz in (PROMPTS["unreachable"], 760, PROMPTS["beep"]):
        await call.until_hears(hz)
    await call.hang_up()
    await scene.logged(rep)


@pytest.mark.covers("I7", "I6")
async def test_a_message_ends_with_the_hash_key(scene: Scene):
    rep = await scene.rep(voicemail_enabled=True)
    rep.phone.will_reject(486)
    call = await scene.outside().call(rep.did)
    await call.until_hears(PROMPTS["unavailable"])
    await call.until_hears(PROMPTS["beep"])
    await asyncio.sleep(1.5)
    with suppress(Missed):  # the call is over before the key is let go
        await call.press("#")
    await call.until_ended(3)
    assert not call.ended_by_us
    assert (await message_of(scene, rep)).state == "ready"
    assert (await scene.logged(rep)).row.disposition == "voicemail"


@pytest.mark.covers("I7")
async def test_who_hangs_up_at_the_beep_leaves_no_message(scene: Scene):
    rep = await scene.rep(phones=0, voicemail_enabled=True)
    call = await scene.outside(tone=None).call(rep.did)
    await call.until_hears(PROMPTS["beep"])
    await call.hang_up()
    assert (await scene.logged(rep)).row.disposition == "no_answer"


@pytest.mark.covers("I7", "I5")
async def test_who_hangs_up_during_the_words_leaves_no_message(scene: Scene):
    rep = await scene.rep(phones=0, voicemail_enabled=True)
    call = await scene.outside().call(rep.did)
    await call.until_hears(PROMPTS["unreachable"])
    await call.hang_up()
    logged = await scene.logged(rep)
    assert logged.row.disposition == "no_answer"
