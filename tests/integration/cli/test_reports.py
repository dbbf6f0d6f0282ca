"""`pbx report` (R3): the same figures as the API's, also where no engine runs."""

from __future__ import annotations

import asyncio
import csv

import pytest

from crm.repositories import journal
from crm.unit_of_work import Store
from tests.integration.cli.conftest import Run
from tests.integration.store.makers import call_row

AT_US = 1_793_500_000_000_000  # 1 November 2026
NOVEMBER = ("--from", "2026-11-01", "--to", "2026-11-30")


def write_calls(url: str) -> None:
    async def write() -> None:
        store = Store(url)
        answered = call_row(AT_US, user_id="usr_gone", answered_us=AT_US, talk_ms=61_000, summarised_us=1)
        missed = call_row(AT_US, disposition="missed", summarised_us=1)
        async with store.journal() as batch:
            journal.upsert_calls(batch, [answered, missed])
        await store.close()

    asyncio.run(write())


@pytest.mark.covers("R3", "A1")
def test_reports_are_shown_as_a_table_json_and_csv_and_made_anew(run: Run, store_url: str) -> None:
    write_calls(store_url)
    report = run("report", "calls", "--by", "direction", *NOVEMBER, "--json").json
    assert report["rows"][0]["key"] == "in" and report["total"]["calls"] == 2
    table = run("report", "calls", "--by", "month", *NOVEMBER, "--compare")
    assert table.code == 0 and "2026-11" in table.out and "before: 2026-10-01 to 2026-10-31" in table.err
    lines = list(csv.DictReader(run("report", "calls", "--by", "user", *NOVEMBER, "--csv").out.splitlines()))
    assert {line["key"]: line["talk_s"] for line in lines} == {"usr_gone": "61", "": "0", "total": "61"}
    for kind in ("texts", "deals", "lists"):
        done = run("report", kind, *NOVEMBER, "--json")
        assert done.code == 0 and done.json["from"] == "2026-11-01", done.err
    rebuilt = run("report", "rebuild")
    assert rebuilt.code == 0 and "100 %" in rebuilt.err
    assert run("report", "calls", *NOVEMBER, "--json").json["total"]["calls"] == 2


@pytest.mark.covers("R3")
def test_a_report_is_of_one_user_or_of_one_group(run: Run, store_url: str) -> None:
    write_calls(store_url)
    assert run("user", "add", "--email", "mio@x.example", "--name", "Mio").code == 0
    assert run("group", "add", "--name", "North").code == 0
    assert run("report", "calls", *NOVEMBER, "--user", "mio@x.example", "--json").json["total"]["calls"] == 0
    assert run("report", "calls", *NOVEMBER, "--group", "North", "--json").json["total"]["calls"] == 0
    assert run("report", "calls", "--user", "mio@x.example", "--group", "North").code == 2
    wrong = run("report", "calls", "--from", "yesterday")
    assert wrong.code == 1 and "like 2026-11-01" in wrong.err
