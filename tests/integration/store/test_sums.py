"""The sums of reports are what the log says, whatever happens (R3).

Random calls, outcomes, texts and listed calls on the real store, changed, destroyed and written again, by clocks that
are changed; what adds up is killed before its commit, or stops halfway. Then each sum is reckoned plainly
from the log.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, text

from crm import ids
from crm.errors import Refused
from crm.models.call_lists import ListCall
from crm.models.calls import Call
from crm.models.reports import (
    CallsByDay,
    CallsByHour,
    CallsByHourOfDay,
    CallsByHourOfWeek,
    CallsByMonth,
    ListedCallsByDay,
    TextsByDay,
)
from crm.models.texts import Text
from crm.models.wrapup import CallSummary
from crm.repositories import journal
from crm.services import outcomes, reports, retention, settings, summaries, sums
from crm.unit_of_work import Store
from crm.wrapup import blank
from tests.integration.store.makers import call_row

START_US = 1_772_000_000_000_000
"""The end of February 2026: clocks are put forward or back within the next weeks."""
STEPS = 45
USERS = ("u_mio", "u_sam", None)
ZONES = ("America/New_York", "Asia/Tokyo", "Australia/Lord_Howe", "Asia/Kolkata", "UTC")
Plain = Mapping[str, Counter[tuple[Any, ...]]]


class Killed(Exception):
    """The engine dies here."""


class Life:
    def __init__(self, store: Store, seed: int) -> None:
        self.store, self.random = store, random.Random(seed)
        self.rows: dict[str, dict[str, Any]] = {}
        self.outcomes: list[str] = []

    def moment(self) -> int:
        return START_US + self.random.randrange(0, 45 * 86_400_000_000)

    async def begin(self) -> None:
        async with self.store.write() as work:
            for name in ("Sold", "Not sold"):
                made = await outcomes.add(work, {"name": name, "colour": "#16a34a"})
                self.outcomes.append(made.id)

    async def step(self) -> None:
        changes = (self.calls, self.calls, self.again, self.give, self.give, self.outcome, self.outcome)
        others = (
            self.write_over,
            self.texts,
            self.text_goes_on,
            self.listed,
            self.listed_ends,
            self.destroy,
            self.remove_some,
        )
        await self.random.choice((*changes, *others))()
        await self.random.choice((self.add, self.killed, self.halfway, self.nothing, self.nothing))()
        if self.random.random() < 0.1:
            await self.random.choice((self.move_the_clock, self.rebuild_begins))()

    # -- what happens ---------------------------------------------------------------------------------

    async def calls(self) -> None:
        made = []
        for _ in range(self.random.randrange(1, 12)):
            at = self.moment()
            answered = self.random.choice((None, at + 4_000_000))
            made.append(
                call_row(
                    at,
                    direction=self.random.choice(("inbound", "outbound", "internal")),
                    user_id=self.random.choice(USERS),
                    answered_us=answered,
                    disposition="answered" if answered else self.random.choice(("missed", "busy", "refused")),
                    talk_ms=self.random.randrange(0, 900_000) if answered else None,
                    ring_ms=self.random.choice((None, 4_000)),
                    ended_us=self.random.choice((None, at + 9_000_000, at + 9_000_000)),
                )
            )
        self.rows |= {row["id"]: row for row in made}
        await self.write(made)

    async def again(self) -> None:
        """The journal is applied once more, with what came to light meanwhile."""
        some = self.some(list(self.rows))
        for name in some:
            self.rows[name] |= {"ended_us": self.rows[name]["created_us"] + 9_000_000}
            if self.random.random() < 0.4:
                self.rows[name] |= {"talk_ms": self.random.randrange(0, 900_000), "user_id": self.random.choice(USERS)}
        await self.write([self.rows[name] for name in some])

    async def write(self, rows: list[dict[str, Any]]) -> None:
        async with self.store.journal() as batch:
            journal.upsert_calls(batch, rows)

    async def give(self) -> None:
        async with self.store.write() as work:
            await summaries.give_due(work, self.random.choice((2, 100)))

    async def outcome(self) -> None:
        """Whoever had a part in a call gives it one, before or after it is over, or another one."""
        for name in self.some(list(self.rows)):
            row = self.rows[name]
            who = self.random.choice(("u_mio", "u_sam", "u_guest"))
            async with self.store.write() as work:
                began = blank(
                    name,
                    who,
                    "host",
                    record_type=None,
                    record_id=None,
                    call_created_us=row["created_us"],
                    call_ended_us=row["ended_us"],
                    at_us=work.at_us,
                )
                given = {"outcome_id": self.random.choice((*self.outcomes, None))}
                await self.random.choice((summaries.keep, summaries.save))(work, began, given)

    async def write_over(self) -> None:
        """By hand, past everything of ours."""
        change = self.random.choice(
            ("talk_ms = 7", "user_id = 'u_sam'", "answered_us = NULL", "created_us = created_us + 1")
        )
        async with self.store.write() as work:
            for name in self.some(list(self.rows)):
                await work.session.execute(text(f"UPDATE calls SET {change} WHERE id = :id"), {"id": name})

    async def destroy(self) -> None:
        names = self.some(list(self.rows))
        async with self.store.write() as work:
            await retention.destroy(work, retention.Batch("calls", names))
        for name in names:
            del self.rows[name]

    async def texts(self) -> None:
        async with self.store.write() as work:
            for _ in range(self.random.randrange(1, 8)):
                at = self.moment()
                coming = self.random.random() < 0.4
                work.session.add(text_row(at, coming, self.random))

    async def text_goes_on(self) -> None:
        async with self.store.write() as work:
            for row in await self.found(work.session, Text):
                if row.direction == "out":
                    row.state = self.random.choice(("sending", "sent", "delivered", "failed", "unknown"))
                    row.sent_us = self.random.choice((None, row.created_us))

    async def listed(self) -> None:
        async with self.store.write() as work:
            for _ in range(self.random.randrange(1, 6)):
                work.session.add(
                    ListCall(
                        call_id=ids.new("c"),
                        list_id=self.random.choice(("list_a", "list_b")),
                        entry_id="entry",
                        user_id="u_mio",
                        number="+12065550150",
                        at_us=self.moment(),
                    )
                )

    async def listed_ends(self) -> None:
        async with self.store.write() as work:
            for row in await self.found(work.session, ListCall):
                row.result = self.random.choice(("answered", "busy", "no_answer"))
                row.talk_ms = 30_000 if row.result == "answered" else 0

    async def remove_some(self) -> None:
        async with self.store.write() as work:
            for kind in (Text, ListCall):
                for row in (await self.found(work.session, kind))[:2]:
                    await work.session.delete(row)

    async def found(self, session: Any, kind: Any) -> list[Any]:
        return self.some(
            list(await session.scalars(select(kind).order_by(kind.created_us if kind is Text else kind.at_us)))
        )

    def some(self, names: list[Any]) -> list[Any]:
        return self.random.sample(names, min(len(names), self.random.randrange(1, 5)))

    # -- adding up ------------------------------------------------------------------------------------

    async def nothing(self) -> None:
        """What adds up is away."""

    async def add(self) -> None:
        await sums.catch_up(self.store)

    async def halfway(self) -> None:
        async with self.store.write() as work:
            await sums.step(work)

    async def killed(self) -> None:
        with pytest.raises(Killed):
            async with self.store.write() as work:
                await sums.step(work)
                raise Killed

    async def move_the_clock(self) -> None:
        async with self.store.write() as work:
            await settings.change(work, "default_time_zone", self.random.choice(ZONES))

    async def rebuild_begins(self) -> None:
        """And is not finished, as days go on being added while other things happen."""
        async with self.store.write() as work:
            await work.session.execute(text("DELETE FROM sums_state"))
        for _ in range(self.random.randrange(1, 20)):
            await self.halfway()


def text_row(at: int, coming: bool, chance: random.Random) -> Text:
    return Text(
        id=ids.new("msg"),
        conversation_id=ids.new("conv"),
        seq=1,
        direction="in" if coming else "out",
        did="+14155550101",
        customer_number="+12065550150",
        user_id=chance.choice(USERS),
        author="user:u_mio",
        body="Hello",
        encoding="gsm7",
        segments=chance.randrange(1, 4),
        state="received" if coming else "queued",
        state_us=at,
        price_micros=chance.choice((None, 8_000)),
        currency=chance.choice((None, "USD")),
        tries=0,
        created_us=at,
        updated_us=at,
    )


async def plainly(store: Store) -> Plain:
    """From the log, one by one."""
    found: dict[str, Counter[tuple[Any, ...]]] = {
        name: Counter() for name in ("hours", "days", "months", "of_day", "of_week", "texts", "listed")
    }

    def add(table: str, key: tuple[Any, ...], amounts: Mapping[str, int]) -> None:
        for name, amount in amounts.items():
            found[table][(*key, name)] += amount

    async with store.read() as session:
        zone = ZoneInfo((await settings.values(session))["default_time_zone"])
        given = {(row.call_id, row.user_id): row.outcome_id for row in await session.scalars(select(CallSummary))}
        for call in await session.scalars(select(Call).where(Call.summarised_us.is_not(None))):
            amounts = {
                "calls": 1,
                "answered": int(call.answered_us is not None),
                "missed": int(
                    call.direction == "inbound" and call.answered_us is None and call.disposition != "refused"
                ),
                "talk_ms": call.talk_ms or 0,
                "ring_ms": call.ring_ms or 0,
            }
            rest = (call.direction, given.get((call.id, call.user_id or "")) or "")
            hour, day, month = on_the_wall(call.created_us, zone)
            for who in ("*", call.user_id or ""):
                add("hours", (who, hour, *rest), amounts)
                add("days", (who, day, *rest), amounts)
                add("of_day", (who, month, hour % 24, *rest), amounts)
                add("of_week", (who, month, (day + 3) % 7 * 24 + hour % 24, call.direction), amounts)
            add("months", (call.user_id or "", month, *rest), amounts)
        for sent in await session.scalars(select(Text)):
            gone = sent.direction == "out" and (
                sent.state in ("sent", "delivered", "unknown") or (sent.state == "failed" and sent.sent_us is not None)
            )
            amounts = {
                "sent": int(gone),
                "received": int(sent.direction == "in"),
                "delivered": int(sent.state == "delivered"),
                "failed": int(sent.state == "failed"),
                "segments": sent.segments * gone,
                "cost_micros": (sent.price_micros or 0) * gone,
            }
            for who in ("*", sent.user_id or ""):
                add("texts", (who, on_the_wall(sent.created_us, zone)[1], sent.currency or ""), amounts)
        for listed in await session.scalars(select(ListCall)):
            amounts = {"calls": 1, "reached": int((listed.talk_ms or 0) > 0), "talk_ms": listed.talk_ms or 0}
            day = on_the_wall(listed.at_us, zone)[1]
            add("listed", (listed.list_id, listed.user_id, day, listed.result or "running"), amounts)
    return {name: Counter({key: amount for key, amount in each.items() if amount}) for name, each in found.items()}


def on_the_wall(at_us: int, zone: ZoneInfo) -> tuple[int, int, int]:
    wall = datetime.fromtimestamp(at_us / 1e6, zone).replace(tzinfo=None)
    days = (wall - datetime(1970, 1, 1)).days
    return days * 24 + wall.hour, days, wall.year * 12 + wall.month - 1


async def kept(store: Store) -> Plain:
    """As the sums have it. A row that holds nothing should not be there."""
    found: dict[str, Counter[tuple[Any, ...]]] = {}
    tables: dict[str, Any] = {"hours": CallsByHour, "days": CallsByDay, "months": CallsByMonth}
    tables |= {"of_day": CallsByHourOfDay, "of_week": CallsByHourOfWeek}
    tables |= {"texts": TextsByDay, "listed": ListedCallsByDay}
    of_calls = ("calls", "answered", "missed", "talk_ms", "ring_ms")
    of_texts = ("sent", "received", "delivered", "failed", "segments", "cost_micros")
    amounts = {"texts": of_texts, "listed": ("calls", "reached", "talk_ms")}
    keys = {
        "hours": ("user_id", "hour", "direction", "outcome_id"),
        "days": ("user_id", "day", "direction", "outcome_id"),
        "months": ("user_id", "month", "direction", "outcome_id"),
        "of_day": ("user_id", "month", "hour_of_day", "direction", "outcome_id"),
        "of_week": ("user_id", "month", "hour_of_week", "direction"),
        "texts": ("user_id", "day", "currency"),
        "listed": ("list_id", "user_id", "day", "result"),
    }
    async with store.read() as session:
        for name, table in tables.items():
            found[name] = Counter()
            for row in await session.scalars(select(table)):
                key = tuple(getattr(row, each) for each in keys[name])
                held = {each: getattr(row, each) for each in amounts.get(name, of_calls)}
                assert any(held.values()), f"{name}: {key} holds nothing"
                found[name].update({(*key, each): amount for each, amount in held.items() if amount})
    return found


@pytest.mark.covers("R3", "P3")
@pytest.mark.parametrize("seed", range(2))
async def test_sums_are_what_the_log_says_whatever_happens_and_whoever_is_killed(
    store: Store, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sums, "BUILT_AT_ONCE", 5 + 30 * seed)
    monkeypatch.setattr(sums, "FORGOTTEN_AT_ONCE", 3 + 40 * seed)
    monkeypatch.setattr(sums, "MORE_ON_POSTGRESQL", 1)
    life = Life(store, seed)
    await life.begin()
    for _ in range(STEPS):
        await life.step()
    await sums.catch_up(store)
    assert await kept(store) == await plainly(store)
    await sums.rebuild(store)
    assert await kept(store) == await plainly(store)


@pytest.mark.covers("R3")
async def test_two_that_add_up_at_once_add_everything_once_while_calls_and_outcomes_go_on(store: Store) -> None:
    life = Life(store, 7)
    await life.begin()

    async def goes_on() -> None:
        for _ in range(15):
            await life.calls()
            await asyncio.gather(life.give(), life.outcome())

    await asyncio.gather(goes_on(), *(sums.catch_up(store) for _ in range(2)), added_up(store, 25), added_up(store, 25))
    await sums.catch_up(store)
    assert await kept(store) == await plainly(store)


async def added_up(store: Store, times: int) -> None:
    for _ in range(times):
        async with store.write() as work:
            await sums.step(work)


@pytest.mark.covers("R3")
async def test_a_report_waits_until_the_past_is_added_up_and_says_how_much_of_it_is(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sums, "BUILT_AT_ONCE", 1)
    monkeypatch.setattr(sums, "MORE_ON_POSTGRESQL", 1)
    monkeypatch.setattr(ids, "now_us", lambda: START_US + 3 * 86_400_000_000)
    async with store.journal() as batch:
        journal.upsert_calls(batch, [call_row(START_US + day * 86_400_000_000, summarised_us=1) for day in range(3)])
    found = []
    for _ in range(6):
        async with store.read() as session:
            try:
                report = await reports.calls(session, reports.Asked("month", "2026-01-01", "2026-12-31"), START_US)
                found.append(report["total"]["calls"])
            except Refused as refused:
                assert refused.code == "sums_not_ready"
                found.append(int(re.findall(r"(\d+) % are done", refused.message)[0]))
        async with store.write() as work:
            await sums.step(work)
    assert found == [0, 0, 0, 33, 66, 3]


@pytest.mark.covers("R3")
@pytest.mark.parametrize("counted_first", [True, False])
async def test_an_outcome_given_at_the_moment_in_which_its_call_is_counted_is_counted(
    store: Store, counted_first: bool
) -> None:
    await sums.catch_up(store)  # from now on changes are added, and the log is not asked
    row = call_row(START_US, user_id="u_mio")
    async with store.journal() as batch:
        journal.upsert_calls(batch, [row])
    async with store.write() as work:
        work.session.add(CallSummary(**draft(row)))

    async def does(statement: str) -> None:
        async with store.write() as work:
            await work.session.execute(text(statement))

    statements = ["UPDATE calls SET summarised_us = 1", "UPDATE call_summaries SET outcome_id = 'out_1'"]
    first, second = statements if counted_first else reversed(statements)
    await asyncio.gather(does("SELECT 1"), does("SELECT 1"))  # both connections stand
    async with store.write() as work:
        await work.session.execute(text(first))
        later = asyncio.ensure_future(does(second))
        await asyncio.wait({later}, timeout=1)  # until it waits for us, or is done and has not seen us
    await later
    await sums.catch_up(store)
    assert await kept(store) == await plainly(store)


def draft(row: dict[str, Any]) -> dict[str, Any]:
    times = {"created_us": 1, "updated_us": 1, "call_created_us": row["created_us"]}
    return {"call_id": row["id"], "user_id": row["user_id"], "role": "host", "state": "draft", "notes": ""} | times


@pytest.mark.covers("R3")
async def test_sums_are_forgotten_a_part_at_a_time_and_no_report_is_made_of_the_rest(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with store.journal() as batch:
        journal.upsert_calls(batch, [call_row(START_US + day * 86_400_000_000, summarised_us=1) for day in range(9)])
    await sums.catch_up(store)
    monkeypatch.setattr(sums, "FORGOTTEN_AT_ONCE", 4)
    async with store.write() as work:
        await work.session.execute(text("DELETE FROM sums_state"))
    left = []
    while True:
        async with store.write() as work:
            await sums.step(work)
            left.append(await work.session.scalar(text("SELECT COUNT(*) FROM calls_by_hour")))
            with pytest.raises(Refused, match="0 % are done"):
                await sums.clock(work.session)
            if await sums.built_until(work.session) == 0:
                break
    parts = [*range(18 - 4, 0, -4), 0] if store.engine.dialect.name == "sqlite" else [0]
    assert left[: len(parts)] == parts and not any(left[len(parts) :])
    await sums.catch_up(store)
    assert await kept(store) == await plainly(store)
