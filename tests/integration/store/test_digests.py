"""Figures of a day or a week by e-mail: in the reader's language, of the reader's days, each once (R3)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from crm.digests import last_period
from crm.errors import Refused
from crm.records import User
from crm.repositories import journal
from crm.services import digests, users
from crm.unit_of_work import Store
from pbx.adapters.mail import SmtpMail
from pbx.config import Config
from pbx.services.digests import Digests
from tests.integration.store.makers import add_user, call_row
from tests.support.mail_server import MailServer

pytestmark = pytest.mark.covers("R3", "A7")
TOKYO = ZoneInfo("Asia/Tokyo")


def at(day: int, hour: int, minute: int = 0) -> int:
    """In Tokyo, in June 2026, which begins on a Monday."""
    return int(datetime(2026, 6, day, hour, minute, tzinfo=TOKYO).timestamp()) * 1_000_000


class World:
    def __init__(self, store: Store, server: MailServer, home: Path) -> None:
        self.store, self.server, self.now = store, server, at(1, 12)
        store.clock = lambda: self.now
        values = {"mail_host": "127.0.0.1", "mail_port": server.port, "mail_security": "none"}
        self.config = Config.load({}, home=home, mail_from="pbx@x.example", **values)

    async def manager(self, language: str = "en", every: str = "day") -> User:
        values = {"role": "manager", "language": language, "time_zone": "Asia/Tokyo"}
        user = await add_user(self.store, f"{language}{every}@x.example", **values)
        async with self.store.write() as work:
            await digests.change(work, user.id, {"every": every})
        return user

    async def calls(self, *at_us: int, user_id: str | None = None) -> None:
        rows = [call_row(each, answered_us=each + 1, talk_ms=90_000, user_id=user_id) for each in at_us]
        async with self.store.journal() as batch:
            journal.upsert_calls(batch, rows)

    async def look(self, now_us: int) -> int:
        """A new engine looks at this moment; how many letters there are by then."""
        self.now = now_us
        await Digests(self.store, SmtpMail(self.config)).send_due()
        return len(self.server.letters)


@pytest.fixture
async def world(store: Store, tmp_path: Path) -> AsyncIterator[World]:
    server = MailServer()
    await server.start()
    yield World(store, server, tmp_path)
    await server.stop()


async def test_the_day_before_comes_in_the_morning_once_however_often_engines_start(world: World) -> None:
    user = await world.manager()
    await world.calls(at(1, 13), at(1, 23, 59), at(2, 0), user_id=user.id)
    assert await world.look(at(2, 6, 59)) == 0
    assert [await world.look(at(2, 7)), await world.look(at(2, 8))] == [1, 1]
    [letter] = world.server.letters
    assert (letter["To"], letter["Subject"]) == (user.email, "Calls and texts of 2026-06-01")
    assert "Calls that came in: 2, answered: 2." in letter.get_content()
    assert f"- {user.name}: 2 calls, 2 answered, 0:03" in letter.get_content()
    assert await world.look(at(3, 9)) == 2


async def test_a_week_comes_on_monday_in_the_readers_language(world: World) -> None:
    await world.manager("ja", "week")
    await world.calls(at(2, 10), at(7, 10), at(8, 1))
    assert await world.look(at(7, 20)) == 0
    assert await world.look(at(8, 7)) == 1
    [letter] = world.server.letters
    assert letter["Subject"] == "2026-06-01 から 2026-06-07 までの通話とメッセージ"
    assert "着信: 2 件（応答 2 件）" in letter.get_content()
    assert not [line for line in letter.get_content().splitlines() if line.isascii() and line.strip()]


async def test_what_the_server_does_not_take_is_sent_later(world: World) -> None:
    await world.manager()
    world.server.refuses = True
    assert await world.look(at(2, 7)) == 0
    world.server.refuses = False
    assert [await world.look(at(2, 7, 5)), await world.look(at(2, 7, 20))] == [0, 1]


async def test_one_that_was_in_hand_when_its_engine_died_is_not_sent_twice(world: World) -> None:
    await world.manager()
    world.now = at(2, 7)
    async with world.store.read() as session:
        [one] = await digests.due(session, world.now)
    async with world.store.write() as work:
        assert await digests.claim(work, one)
    assert await world.look(at(2, 8)) == 0


async def test_it_is_for_managers_as_long_as_they_are(world: World) -> None:
    user, rep = await world.manager(), await add_user(world.store, "rep@x.example")
    with pytest.raises(Refused, match="managers"):
        async with world.store.write() as work:
            await digests.change(work, rep.id, {"every": "day"})
    async with world.store.write() as work:
        await users.change(work, user.id, {"role": "rep"})
    assert await world.look(at(2, 7)) == 0


def test_days_are_those_of_the_readers_clock_also_where_it_is_changed() -> None:
    """On March 29, 2026 clocks in Berlin go forward: the day has 23 hours."""
    now = int(datetime(2026, 3, 30, 7, tzinfo=ZoneInfo("Europe/Berlin")).timestamp()) * 1_000_000
    period = last_period("day", now, "Europe/Berlin")
    assert period is not None and (period.until_us - period.from_us) / 3_600_000_000 == 23
