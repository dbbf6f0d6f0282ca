"""`pbx calls --log` leaves what the log of the console leaves (R1, R4)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from crm.repositories import journal
from crm.unit_of_work import Store
from tests.integration.cli.conftest import Run
from tests.integration.store.makers import call_row

MONDAY_US = 1_793_620_800_000_000
"""2 November 2026, 12:00 by UTC."""
HOUR_US = 3_600_000_000
NOVEMBER = ("--from", "2026-11-01", "--to", "2026-11-30")


def write_calls(url: str, *rows: dict[str, Any]) -> None:
    async def write() -> None:
        store = Store(url)
        async with store.journal() as batch:
            journal.upsert_calls(batch, rows)
        await store.close()

    asyncio.run(write())


def ended(at_us: int, **values: Any) -> dict[str, Any]:
    return call_row(at_us, state="ended", ended_us=at_us + 1, **values)


@pytest.mark.covers("R1", "R4", "A1")
def test_the_log_is_filtered_by_team_hour_weekday_days_result_and_direction(run: Run, store_url: str) -> None:
    assert run("setting", "change", "default_time_zone", "UTC").code == 0
    mio = run("user", "add", "--email", "mio@x.example", "--name", "Mio", "--json").json["id"]
    assert run("group", "add", "--name", "North", "--member", mio).code == 0
    at_noon = ended(MONDAY_US, user_id=mio, direction="outbound", disposition="answered")
    at_four = ended(MONDAY_US + 4 * HOUR_US, user_id="usr_gone", direction="inbound", disposition="missed")
    on_tuesday = ended(MONDAY_US + 24 * HOUR_US, user_id=mio, direction="inbound", disposition="answered")
    write_calls(store_url, at_noon, at_four, on_tuesday)

    def log(*options: str) -> list[str]:
        done = run("calls", "--log", *options, "--json")
        assert done.code == 0, done.err
        return [row["id"] for row in done.json["items"]]

    noon, four, tuesday = at_noon["id"], at_four["id"], on_tuesday["id"]
    assert log() == [tuesday, four, noon]
    assert log("--team", "North") == [tuesday, noon]
    assert log(*NOVEMBER, "--hour", "12") == [tuesday, noon]
    assert log(*NOVEMBER, "--hour", "12", "--weekday", "1") == [noon]
    assert log(*NOVEMBER, "--weekday", "2", "--time-zone", "Pacific/Kiritimati") == [four, noon]
    assert log("--from", "2026-11-03", "--to", "2026-11-03") == [tuesday]
    assert log("--direction", "inbound", "--result", "answered") == [tuesday]
    assert log("--user", "mio@x.example", "--direction", "outbound") == [noon]
    assert run("calls", "--log", "--team", "Nobody").code == 1
    assert "like 2026-11-01" in run("calls", "--log", "--from", "yesterday").err


@pytest.mark.covers("V10")
def test_recordings_are_destroyed_only_of_calls_that_are_named_or_filtered(run: Run) -> None:
    done = run("recordings", "erase", "--as", "robin@x.example", "--really")
    assert done.code == 2 and "say which ones" in done.err
    done = run("recordings", "erase", "c_1", "--user", "mio@x.example", "--as", "robin@x.example")
    assert done.code == 2
