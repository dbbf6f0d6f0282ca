"""Reports over the API (R3): what calls, texts, deals and lists come to, by the organisation's clock."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crm import ids
from crm.models.call_lists import CallList, ListCall, ListRun
from crm.models.texts import Text
from crm.repositories import journal
from crm.services import deals, groups, outcomes, settings, summaries, sums
from crm.services.reports import CALLS_BY
from crm.unit_of_work import Store
from crm.wrapup import blank
from tests.integration.store.makers import call_row
from tests.integration.web.world import Someone, World, open_world

MIDNIGHT_US = 1_793_505_600_000_000  # 1 November 2026 in New York: its clocks are put back
HOUR_US = 3_600_000_000
NOVEMBER = "from=2026-11-01&to=2026-11-30"

pytestmark = pytest.mark.covers("R3")


@pytest.fixture
async def world(store: Store, tmp_path: Path) -> AsyncIterator[World]:
    """By the clock of New York. Mio sold twice and missed one call, Sam reached nobody; one call was nobody's."""
    async with store.write() as work:
        await settings.change(work, "default_time_zone", "America/New_York")
    async with open_world(store, tmp_path / "home") as opened:
        yield opened


async def calls(world: World, *rows: dict[str, Any]) -> None:
    async with world.engine.store.journal() as batch:
        journal.upsert_calls(batch, rows)
    await added(world)


async def added(world: World) -> None:
    async with world.engine.store.write() as work:
        await summaries.give_due(work)
    await sums.catch_up(world.engine.store)


def call(
    hours: float, who: Someone | None, direction: str = "inbound", talked_s: int = 0, **more: Any
) -> dict[str, Any]:
    at = MIDNIGHT_US + int(hours * HOUR_US)
    told: dict[str, Any] = {"disposition": "missed", "answered_us": None, "talk_ms": None, "ring_ms": 5_000}
    if talked_s:
        told = {"disposition": "answered", "answered_us": at + 1, "talk_ms": talked_s * 1000, "ring_ms": 3_000}
    return call_row(at, direction=direction, user_id=who.id if who else None, **(told | more))


async def told_of(world: World, row: dict[str, Any], who: Someone, outcome: str, deal: str | None = None) -> None:
    async with world.engine.store.write() as work:
        began = blank(
            row["id"],
            who.id,
            "host",
            record_type=None,
            record_id=None,
            call_created_us=row["created_us"],
            call_ended_us=row["ended_us"],
            at_us=work.at_us,
        )
        await summaries.save(work, began, {"outcome_id": outcome} | ({"deal_id": deal} if deal else {}))
    await sums.catch_up(world.engine.store)


async def outcome(world: World, name: str) -> str:
    async with world.engine.store.write() as work:
        return (await outcomes.add(work, {"name": name, "colour": "#16a34a"})).id


async def asked(world: World, what: str, who: Someone | None = None) -> Any:
    status, report = await world.ask("GET", f"/reports/{what}", who or world.alex)
    assert status == 200, report
    return report


def filled(report: Any, *names: str) -> dict[str, Any]:
    """The rows in which there is anything, with these fields."""
    rows = {row["key"]: tuple(row[name] for name in names) for row in report["rows"]}
    return {key: values for key, values in rows.items() if any(values)}


async def some_calls(world: World) -> None:
    await calls(
        world,
        call(0.5, world.mio, talked_s=60),
        call(1.5, world.mio, "outbound", talked_s=120),  # the hour from one to two comes twice on this day
        call(2.5, world.mio),
        call(33, world.sam, "outbound"),  # Monday, eight in the morning
        call(33, None, disposition="refused"),
        call(24 * 30, world.sam, talked_s=30),  # eleven in the evening of the 30th: the first of December by UTC
        call(-1, world.mio, talked_s=600),
    )


async def test_calls_are_counted_by_day_week_month_hour_and_weekday_of_the_organisations_clock(world: World) -> None:
    await some_calls(world)
    report = await asked(world, f"calls?{NOVEMBER}&by=day")
    assert (report["from"], report["to"], report["time_zone"]) == ("2026-11-01", "2026-11-30", "America/New_York")
    assert [row["key"] for row in report["rows"]][:2] == ["2026-11-01", "2026-11-02"] and len(report["rows"]) == 30
    counted = filled(report, "calls", "answered", "missed", "talk_s", "ring_s")
    assert counted == {
        "2026-11-01": (3, 2, 1, 180, 11),
        "2026-11-02": (2, 0, 0, 0, 10),
        "2026-11-30": (1, 1, 0, 30, 3),
    }
    assert report["total"] == {"calls": 6, "answered": 3, "missed": 1, "talk_s": 210, "ring_s": 24, "outcomes": {}}
    assert report["before"] is None
    for by, expected in (
        ("week", {"2026-W44": (3,), "2026-W45": (2,), "2026-W49": (1,)}),
        ("month", {"2026-11": (6,)}),
        ("hour", {"0": (1,), "1": (2,), "8": (2,), "23": (1,)}),
        ("weekday", {"7": (3,), "1": (3,)}),
        ("heat", {"7-0": (1,), "7-1": (2,), "1-8": (2,), "1-23": (1,)}),
        ("direction", {"in": (4,), "out": (2,)}),
    ):
        report = await asked(world, f"calls?{NOVEMBER}&by={by}")
        assert (filled(report, "calls"), report["total"]["calls"]) == (expected, 6), by
    rows = {by: (await asked(world, f"calls?{NOVEMBER}&by={by}"))["rows"] for by in ("hour", "weekday", "heat")}
    assert {by: len(each) for by, each in rows.items()} == {"hour": 24, "weekday": 7, "heat": 168}


@pytest.mark.parametrize("days", [("10-30", "11-30"), ("11-01", "12-15"), ("11-02", "11-29"), ("11-01", "11-01")])
async def test_whatever_days_are_asked_for_each_way_to_look_at_them_has_the_same_total(
    world: World, days: tuple[str, str]
) -> None:
    await some_calls(world)
    query = f"from=2026-{days[0]}&to=2026-{days[1]}"
    for whose in ("", f"&user_id={world.mio.id}", "&direction=in"):
        totals = [(await asked(world, f"calls?{query}&by={by}{whose}"))["total"] for by in CALLS_BY]
        assert all(total == totals[0] for total in totals), (whose, totals)


async def test_calls_are_counted_by_user_team_and_outcome_which_is_given_later(world: World) -> None:
    first, second = call(0.5, world.mio, talked_s=60), call(15 * 24, world.mio, talked_s=60)
    await calls(world, first, second, call(3, world.sam, "outbound"), call(4, None))
    sold, later = await outcome(world, "Sold"), await outcome(world, "Call later")
    await told_of(world, first, world.mio, later)
    await told_of(world, first, world.mio, sold)
    await told_of(world, second, world.mio, later)
    async with world.engine.store.write() as work:
        north = await groups.add(work, {"name": "North", "members": [world.mio.id, world.sam.id]})
        south = await groups.add(work, {"name": "South", "members": [world.sam.id]})
        await outcomes.remove(work, later)
    report = await asked(world, f"calls?{NOVEMBER}&by=user")
    named = {row["label"]: (row["calls"], row["outcomes"]) for row in report["rows"]}
    assert named == {"Mio": (2, {sold: 1, later: 1}), "Sam": (1, {}), "": (1, {})}
    assert [each["name"] for each in report["outcomes"]] == ["Sold", "Call later"]
    report = await asked(world, f"calls?{NOVEMBER}&by=team")
    assert filled(report, "label", "calls") == {north.id: ("North", 3), south.id: ("South", 1), "": ("", 1)}
    assert report["total"]["calls"] == 4
    report = await asked(world, f"calls?{NOVEMBER}&by=outcome")
    assert filled(report, "label", "calls") == {sold: ("Sold", 1), later: ("Call later", 1), "": ("", 2)}
    for narrowed, expected in ((f"group_id={south.id}", 1), (f"user_id={world.mio.id}", 2), ("direction=out", 1)):
        for by in ("day", "user", "hour", "outcome"):
            report = await asked(world, f"calls?{NOVEMBER}&by={by}&{narrowed}")
            assert report["total"]["calls"] == expected, (by, narrowed)
    part = await asked(world, "calls?from=2026-11-02&to=2026-11-30&by=user")
    assert part["total"]["calls"] == 1


@pytest.mark.covers("R1")
async def test_the_log_finds_as_many_calls_as_the_report_counts_by_hour_weekday_and_team(world: World) -> None:
    await some_calls(world)
    async with world.engine.store.write() as work:
        team = await groups.add(work, {"name": "North", "members": [world.mio.id]})
    await world.engine.reload()
    days = f"since_us={MIDNIGHT_US}&until_us={MIDNIGHT_US + (30 * 24 + 1) * HOUR_US}"
    for by, name in (("hour", "hour"), ("weekday", "weekday"), ("team", "team")):
        rows = filled(await asked(world, f"calls?{NOVEMBER}&by={by}"), "calls")
        for key, (expected,) in rows.items():
            if key:
                _, page = await world.ask("GET", f"/calls?{days}&{name}={key}", world.alex)
                assert len(page["items"]) == expected, (by, key)
    _, page = await world.ask("GET", f"/calls?{days}&weekday=1&hour=8&time_zone=UTC", world.alex)
    assert page["items"] == [], "by another clock it is another hour"
    _, page = await world.ask("GET", f"/calls?{days}&weekday=1&hour=8", world.sam)
    assert len(page["items"]) == 1
    for query in (
        "hour=9",
        f"{days}&weekday=8",
        f"{days}&hour=1&time_zone=Nowhere",
        "hour=1&since_us=0&until_us=9" + "0" * 16,
    ):
        assert (await world.ask("GET", f"/calls?{query}", world.alex))[0] == 422, query
    assert (await world.ask("GET", f"/calls?team={team.id}", world.sam))[0] == 403
    assert (await world.ask("GET", "/calls?team=g_none", world.alex))[0] == 404


async def test_the_period_before_stands_beside_it(world: World) -> None:
    await some_calls(world)
    report = await asked(world, f"calls?{NOVEMBER}&by=day&compare=true")
    assert (report["before"]["from"], report["before"]["to"]) == ("2026-10-01", "2026-10-31")
    assert filled(report["before"], "calls") == {"2026-10-31": (1,)}
    assert report["before"]["total"]["talk_s"] == 600


async def test_a_rep_sees_own_figures_and_no_others(world: World) -> None:
    await some_calls(world)
    report = await asked(world, f"calls?{NOVEMBER}&by=user", world.sam)
    assert filled(report, "calls") == {world.sam.id: (2,)}
    assert (await asked(world, f"calls?{NOVEMBER}&by=hour", world.sam))["total"]["calls"] == 2
    for what in ("calls", "texts", "deals", "lists"):
        assert (await world.ask("GET", f"/reports/{what}?user_id={world.mio.id}", world.sam))[0] == 403
        assert (await world.ask("GET", f"/reports/{what}?group_id=grp_1", world.sam))[0] == 403
        assert (await world.ask("GET", f"/reports/{what}/csv?user_id={world.mio.id}", world.sam))[0] == 403
        assert (await world.ask("GET", f"/reports/{what}", world.sam))[0] == 200


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("by=century", 422),
        ("from=2026-11-31", 422),
        ("from=2026-11-02&to=2026-11-01", 422),
        ("from=2001-01-01&to=2026-11-01", 422),
        ("group_id=grp_none", 404),
        ("group_id=grp_none&user_id=usr_none", 422),
    ],
)
async def test_what_makes_no_report_is_refused(world: World, query: str, status: int) -> None:
    assert (await world.ask("GET", f"/reports/calls?{query}", world.alex))[0] == status


@pytest.mark.covers("R4")
async def test_a_report_is_csv_that_a_spreadsheet_opens(world: World) -> None:
    first = call(0.5, world.mio, talked_s=60)
    await calls(world, first, call(2.5, world.mio))
    await told_of(world, first, world.mio, await outcome(world, "=Sold"))
    status, content = await world.ask(
        "GET", "/reports/calls/csv?from=2026-11-01&to=2026-11-02&compare=true", world.alex
    )
    assert status == 200
    assert content.decode("utf-8-sig").splitlines() == [
        "key,label,calls,answered,missed,talk_s,ring_s,'=Sold,calls before,answered before,missed before,"
        "talk_s before,ring_s before",
        "2026-11-01,2026-11-01,2,1,1,60,8,1,0,0,0,0,0",
        "2026-11-02,2026-11-02,0,0,0,0,0,0,0,0,0,0,0",
        "total,,2,1,1,60,8,1,0,0,0,0,0",
    ]


async def test_texts_are_counted_by_what_became_of_them(world: World) -> None:
    async with world.engine.store.write() as work:
        for state, direction, who in (
            ("delivered", "out", world.mio),
            ("failed", "out", world.mio),
            ("queued", "out", world.mio),
            ("received", "in", world.sam),
        ):
            work.session.add(text_row(state, direction, who))
    await sums.catch_up(world.engine.store)
    report = await asked(world, f"texts?{NOVEMBER}&by=user")
    names = ("sent", "received", "delivered", "failed", "segments", "cost_micros")
    assert filled(report, *names) == {world.mio.id: (1, 0, 1, 1, 2, 8_000), world.sam.id: (0, 1, 0, 0, 0, 0)}
    assert report["currency"] == "USD"
    report = await asked(world, f"texts?{NOVEMBER}&by=day")
    assert filled(report, "sent", "received") == {"2026-11-01": (1, 1)} and len(report["rows"]) == 30
    status, content = await world.ask("GET", f"/reports/texts/csv?{NOVEMBER}&by=user", world.mio)
    assert status == 200 and content.decode("utf-8-sig").splitlines()[-1] == "total,,1,0,1,1,2,0.008"


async def test_call_volume_stands_beside_the_value_of_deals(world: World) -> None:
    async with world.engine.store.write() as work:
        big = await deals.add(
            work, {"name": "Big", "value_micros": 5_000_000, "stage": "Offer", "owner_id": world.mio.id}
        )
        small = await deals.add(work, {"name": "Small", "value_micros": 1_000_000, "owner_id": world.sam.id})
        other = await deals.add(work, {"name": "Yen", "value_micros": 9, "currency": "JPY", "owner_id": world.sam.id})
        await deals.change(work, small.id, {"status": "won"})
        await deals.change(work, other.id, {"status": "lost"})
        now = work.at_us
    today = datetime.fromtimestamp(now / 1e6, UTC).date()
    first = call_row(now, direction="outbound", user_id=world.mio.id, answered_us=now, talk_ms=61_000)
    await calls(world, first)
    await told_of(world, first, world.mio, await outcome(world, "Sold"), big.id)
    query = f"from={today.replace(day=1)}"
    report = await asked(world, f"deals?{query}&by=user")
    names = ("calls", "talk_s", "deals", "value_micros", "won", "won_micros", "lost")
    assert filled(report, *names) == {
        world.mio.id: (1, 61, 1, 5_000_000, 0, 0, 0),
        world.sam.id: (0, 0, 2, 1_000_000, 1, 1_000_000, 1),
    }
    assert (report["total"]["won_micros"], report["currency"]) == (1_000_000, "USD")
    by_stage = filled(await asked(world, f"deals?{query}&by=stage"), "calls", "deals", "won")
    assert by_stage["Offer"] == (1, 1, 0)
    [month] = (await asked(world, f"deals?{query}&by=month"))["rows"]
    assert (month["calls"], month["deals"], month["won"], month["lost"]) == (1, 3, 1, 1)
    own = await asked(world, f"deals?{query}&by=user", world.sam)
    assert set(filled(own, "deals")) == {world.sam.id}
    status, content = await world.ask("GET", f"/reports/deals/csv?{query}&by=user&compare=true", world.alex)
    assert status == 200 and b"won before" in content


async def test_each_call_list_shows_what_came_of_it_and_how_fast_it_went(world: World) -> None:
    at = MIDNIGHT_US + 12 * HOUR_US
    async with world.engine.store.write() as work:
        work.session.add(call_list("list_spring", world.mio.id))
        await work.flush()
        work.session.add(list_run("list_spring", world.mio.id, at))
        for number, (result, talk_ms) in enumerate((("answered", 60_000), ("busy", 0), (None, None))):
            work.session.add(listed(f"c_{number}", world.mio if number else world.sam, at, result, talk_ms))
    await sums.catch_up(world.engine.store)
    report = await asked(world, f"lists?{NOVEMBER}")
    assert report["rows"] == [
        {
            "key": "list_spring",
            "label": "Spring",
            "entries": 0,
            "called": 3,
            "reached": 1,
            "talk_s": 60,
            "results": {"answered": 1, "busy": 1, "running": 1},
            "calls_per_hour": 1.5,
        }
    ]
    own = await asked(world, f"lists?{NOVEMBER}&compare=true", world.sam)
    assert (own["total"]["called"], own["before"]["rows"]) == (1, [])
    status, content = await world.ask("GET", f"/reports/lists/csv?{NOVEMBER}", world.alex)
    assert status == 200 and content.decode("utf-8-sig").splitlines()[1] == "list_spring,Spring,0,3,1,60,1.5,1,1,1"


def text_row(state: str, direction: str, who: Someone) -> Text:
    at = MIDNIGHT_US + HOUR_US
    return Text(
        id=ids.new("msg"),
        conversation_id=ids.new("conv"),
        seq=1,
        direction=direction,
        did="+14155550101",
        customer_number="+12065550150",
        user_id=who.id,
        author=f"user:{who.id}",
        body="Hello",
        encoding="gsm7",
        segments=2,
        state=state,
        state_us=at,
        price_micros=8_000,
        currency="USD",
        tries=0,
        created_us=at,
        updated_us=at,
    )


def call_list(name: str, owner: str) -> CallList:
    return CallList(
        id=name,
        name="Spring",
        description="",
        owner_id=owner,
        shared=True,
        group_ids=[],
        active=True,
        last_position=0,
        preview_s=0,
        wrap_up_s=0,
        wrap_up="setting",
        retry=[],
        created_us=1,
        updated_us=1,
    )


def list_run(name: str, who: str, at: int) -> ListRun:
    """Two hours of work."""
    return ListRun(
        id=ids.new("run"),
        list_id=name,
        user_id=who,
        phase="stopped",
        paused="",
        reason="",
        calls=3,
        started_us=at,
        beat_us=at,
        ended_us=at + 2 * HOUR_US,
    )


def listed(name: str, who: Someone, at: int, result: str | None, talk_ms: int | None) -> ListCall:
    return ListCall(
        call_id=name,
        list_id="list_spring",
        entry_id="entry",
        user_id=who.id,
        number="+12065550150",
        at_us=at,
        result=result,
        talk_ms=talk_ms,
    )
