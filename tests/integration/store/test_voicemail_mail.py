"""Voicemail by e-mail: with the sound, once, in the language and by the clock of whoever was called (I7)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crm import directory as directories
from crm.records import User
from crm.repositories import journal
from crm.services import people, settings, voicemails
from crm.unit_of_work import Store
from pbx.adapters.mail import SmtpMail
from pbx.config import Config
from pbx.services.voicemail_mail import VoicemailMail
from tests.integration.store.makers import add_user, call_row
from tests.support.mail_server import MailServer

pytestmark = pytest.mark.covers("I7", "A7")
NOW_US = int(datetime(2026, 6, 1, 3, 4, tzinfo=UTC).timestamp()) * 1_000_000
SOUND = b"OggS and so on"
CALLER = "+12065550142"


class World:
    def __init__(self, store: Store, server: MailServer, home: Path) -> None:
        self.store, self.server, self.now = store, server, NOW_US + 5_000_000
        store.clock = lambda: self.now
        values = {"mail_host": "127.0.0.1", "mail_port": server.port, "mail_security": "none"}
        self.config = Config.load({}, home=home, mail_from="pbx@x.example", **values)
        self.config.recordings.mkdir(parents=True)
        (self.config.recordings / "message.opus").write_bytes(SOUND)

    async def message(self, user: User, name: str = "vm_1", **values: Any) -> None:
        call = call_row(NOW_US, user_id=user.id)
        record_id = values.pop("record_id", None)
        row = {"id": name, "user_id": user.id, "call_id": call["id"], "caller_number": CALLER, "state": "ready"}
        row |= {"path": "message.opus", "sha256": "0" * 64, "codec": "opus", "duration_ms": 12_300, "bytes": 14}
        row |= {"created_us": NOW_US, "removed_us": None} | values
        async with self.store.journal() as batch:
            journal.upsert_calls(batch, [call | {"record_id": record_id, "record_type": record_id and "lead"}])
            journal.upsert_voicemails(batch, [row])

    async def look(self, after_s: float = 0) -> int:
        """A new engine looks; how many letters there are by then."""
        self.now += int(after_s * 1_000_000)
        async with self.store.read() as session:
            directory = await directories.load(session)
        mail = VoicemailMail(self.store, SmtpMail(self.config), lambda: directory, self.config.recordings)
        await mail.send_due()
        return len(self.server.letters)


@pytest.fixture
async def world(store: Store, tmp_path: Path) -> AsyncIterator[World]:
    server = MailServer()
    await server.start()
    yield World(store, server, tmp_path)
    await server.stop()


async def test_a_message_comes_with_its_sound_and_once_however_often_engines_start(world: World) -> None:
    user = await add_user(world.store, "ann@x.example", time_zone="America/New_York")
    async with world.store.write() as work:
        lead = await people.add(work, "lead", {"name": "Kim Day", "phones": [{"number": CALLER}]}, country="US")
    await world.message(user, record_id=lead.id)
    assert [await world.look(), await world.look(600)] == [1, 1]
    [letter] = world.server.letters
    assert (letter["To"], letter["Subject"]) == ("ann@x.example", "Voicemail from Kim Day ((206) 555-0142)")
    [file] = letter.iter_attachments()
    assert (file.get_content_type(), file.get_filename(), file.get_content()) == (
        "audio/ogg",
        "voicemail.opus",
        SOUND,
    )
    body = letter.get_body()
    assert body is not None
    assert "Kim Day ((206) 555-0142) left a message of 0:12 on 2026-05-31 23:04." in body.get_content()


async def test_it_is_said_in_the_users_language_and_who_hides_the_number_is_called_so(world: World) -> None:
    user = await add_user(world.store, "mio@x.example", language="ja", time_zone="Asia/Tokyo", country="JP")
    await world.message(user, caller_number=None)
    assert await world.look() == 1
    [letter] = world.server.letters
    body = letter.get_body()
    assert letter["Subject"] == "留守番電話：番号非通知" and body is not None
    assert "2026-06-01 12:04 に 番号非通知 から 0:12 の伝言が残されました。" in body.get_content()


async def test_what_was_heard_removed_or_left_long_ago_does_not_come(world: World) -> None:
    user = await add_user(world.store, "ann@x.example")
    for name in ("vm_heard", "vm_removed"):
        await world.message(user, name)
    await world.message(user, "vm_old", created_us=NOW_US - 25 * 3_600_000_000)
    await world.message(user, "vm_coming", state="recording", path=None)
    async with world.store.write() as work:
        await voicemails.mark_heard(work, "vm_heard")
        await voicemails.remove(work, "vm_removed")
    assert await world.look() == 0


async def test_a_server_that_refuses_gets_it_later_and_one_engine_that_died_is_made_good(world: World) -> None:
    user = await add_user(world.store, "ann@x.example")
    await world.message(user)
    world.server.refuses = True
    assert await world.look() == 0
    world.server.refuses = False
    assert [await world.look(60), await world.look(15 * 60)] == [0, 1]


async def test_settings_send_a_notice_alone_or_nothing(world: World) -> None:
    user = await add_user(world.store, "ann@x.example")
    await world.message(user)
    for wanted, letters in (("off", 0), ("notice", 1)):
        async with world.store.write() as work:
            await settings.change(work, "voicemail.mail", wanted)
        assert await world.look() == letters
    [letter] = world.server.letters
    assert not list(letter.iter_attachments()) and "Voicemail in the console" in letter.get_content()


async def test_a_file_that_points_out_of_its_directory_does_not_go_along(world: World) -> None:
    user = await add_user(world.store, "ann@x.example")
    (world.config.home / "secret").write_bytes(b"secret")
    await world.message(user, path="../secret")
    assert await world.look() == 1
    assert not list(world.server.letters[0].iter_attachments())
