"""CSV in and out: what comes in is kept, what cannot be is said, and a repeat changes nothing (A6)."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import shutil
import signal
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import text

from crm.engine import connect_sqlite
from crm.errors import Refused
from crm.search import search
from crm.services import deals, exporting, importing, notes, people
from crm.unit_of_work import Store
from tests.support.people import people as made_up
from tests.support.waiting import in_time

LEADS = """Name,Company,E-mail,Mobile,Phone,Address,City,Status,Note
Ann Lee,Acme,ann@acme.example,+1 415 555 0150,(212) 555-0101,1 Main Street,Boston,New,Met at the fair
Bob Ray,,bob@ray.example,,,,,,
田中 太郎,マルコム,,+81 90-1234-5678,,,,,
No Number,Acme,,,12&Local/9,,,,
,Acme,who@acme.example,,,,,,
Bad Mail,Acme,nowhere,,,,,,
"""


def write(path: Path, content: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(content.encode(encoding))
    return path


async def count(store: Store, table: str = "records") -> int:
    async with store.read() as session:
        return int(await session.scalar(text(f"SELECT count(*) FROM {table}")) or 0)


@pytest.mark.covers("A6")
async def test_good_lines_are_kept_and_refused_ones_are_reported_with_line_and_reason(
    store: Store, tmp_path: Path
) -> None:
    told: list[tuple[int, int, int]] = []
    path = write(tmp_path / "leads.csv", LEADS)
    result = await importing.run(store, path, progress=lambda *values: told.append(values))
    assert (result.lines, result.added, result.changed, result.unchanged, result.refused) == (6, 4, 0, 0, 2)
    assert told[-1] == (path.stat().st_size, path.stat().st_size, 6)
    assert result.report is not None
    with result.report.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["line"], row["Name"]) for row in rows] == [("5", "No Number"), ("7", "Bad Mail")]
    assert "not a telephone number" in rows[0]["reason"] and "e-mail" in rows[1]["reason"]
    async with store.read() as session:
        (hit,) = await search(session, "ann lee")
        assert [(phone.label, phone.e164) for phone in hit.record.phones] == [
            ("work", "+12125550101"),
            ("mobile", "+14155550150"),
        ]
        assert hit.record.addresses[0].city == "Boston"
        assert [note.text for note in (await notes.page(session, hit.record.id)).items] == ["Met at the fair"]
        assert (await search(session, "090-1234"))[0].record.company_name == "マルコム"


@pytest.mark.covers("A6")
async def test_a_second_run_changes_nothing_and_says_so(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path / "leads.csv", LEADS)
    await importing.run(store, path)
    before = [await count(store, name) for name in ("records", "phones", "emails", "notes", "activities")]
    again = await importing.run(store, path)
    assert (again.added, again.changed, again.unchanged, again.refused) == (0, 0, 4, 2)
    assert [await count(store, name) for name in ("records", "phones", "emails", "notes", "activities")] == before


@pytest.mark.covers("A6")
async def test_the_report_can_be_mended_and_imported_by_itself(store: Store, tmp_path: Path) -> None:
    first = await importing.run(store, write(tmp_path / "leads.csv", LEADS))
    assert first.report is not None
    mended = (
        first.report.read_text("utf-8-sig").replace("12&Local/9", "+1 415 555 0199").replace("nowhere", "b@m.example")
    )
    second = await importing.run(store, write(tmp_path / "mended.csv", mended))
    assert (second.added, second.refused) == (2, 0)


@pytest.mark.covers("A6")
async def test_a_later_file_completes_what_is_known_and_empties_nothing(store: Store, tmp_path: Path) -> None:
    await importing.run(store, write(tmp_path / "a.csv", "name,email,phone\nAnn Lee,a@x.example,+14155550150\n"))
    more = "name,email,title,mobile,phone\nANN LEE,A@x.example,Director,+14155550151,\nAnn Lee,b@x.example,,,\n"
    result = await importing.run(store, write(tmp_path / "b.csv", more))
    assert (result.added, result.changed) == (1, 1)
    async with store.read() as session:
        found = next(hit.record for hit in await search(session, "director"))
    assert [phone.e164 for phone in found.phones] == ["+14155550150", "+14155550151"]


@pytest.mark.covers("A6")
async def test_contacts_of_a_company_share_it_however_it_is_written(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path / "c.csv", "name,company,email\nAnn,Acme Foods,a@x.example\nBob,ACME FOODS,b@x.example\n")
    assert (await importing.run(store, path, kind="contact")).added == 2
    again = await importing.run(store, path, kind="contact")
    assert (again.added, again.changed, again.unchanged) == (0, 0, 2)
    async with store.read() as session:
        assert len((await people.page(session, kind="company")).items) == 1


@pytest.mark.covers("A6")
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "shift_jis", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
async def test_japanese_files_come_in_as_they_are_written(
    store: Store, tmp_path: Path, encoding: str, delimiter: str
) -> None:
    rows = [
        ["氏名", "フリガナ", "会社名", "携帯電話", "電話番号", "郵便番号", "都道府県", "市区町村", "住所", "国"],
        ["佐藤 花子", "サトウ ハナコ", "株式会社山田商事", "090-1111-2222", "03-1234-5678", "160-0023",
         "東京都", "新宿区", "西新宿2-8-1", "日本"],
    ]  # fmt: skip
    content = "".join(delimiter.join(row) + "\r\n" for row in rows)
    result = await importing.run(store, write(tmp_path / "j.csv", content, encoding))
    assert (result.added, result.refused) == (1, 0)
    async with store.read() as session:
        (hit,) = await search(session, "西新宿")
    assert (hit.record.name, hit.record.reading, hit.record.company_name) == (
        "佐藤 花子",
        "サトウ ハナコ",
        "株式会社山田商事",
    )
    assert {phone.e164 for phone in hit.record.phones} == {"+819011112222", "+81312345678"}


async def test_a_western_windows_file_keeps_its_accents(store: Store, tmp_path: Path) -> None:
    await importing.run(store, write(tmp_path / "w.csv", "First Name;Last Name\r\nJosé;Müller\r\n", "cp1252"))
    async with store.read() as session:
        assert [hit.record.name for hit in await search(session, "muller")] == ["José Müller"]


async def test_columns_can_be_named_by_hand_and_a_preview_shows_what_would_come(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path / "c.csv", "Kunde,Rufnummer,Sonst\nAnn,+14155550150,x\n,zz,\n")
    with pytest.raises(Refused, match="No column of the file is a name"):
        await importing.run(store, path)
    mapping = {"Kunde": "name", "Rufnummer": "phone"}
    shown = importing.preview(path, mapping=mapping)
    assert shown.unmapped == ("Sonst",) and shown.rows[0] == ("Ann", "+14155550150", "x")
    assert shown.problems[0] == "" and "missing" in shown.problems[1]
    assert await count(store) == 0
    assert (await importing.run(store, path, mapping=mapping)).added == 1
    with pytest.raises(Refused, match="no column"):
        await importing.run(store, path, mapping={"Nope": "name"})
    with pytest.raises(Refused, match="no field"):
        await importing.run(store, path, mapping={"Kunde": "colour"})


@pytest.mark.parametrize(
    ("content", "sentence"), [(b"", "empty"), (b"\n\n", "empty"), (b"name\n\xff\xfe\x81\xff", "neither UTF-8")]
)
async def test_what_is_no_csv_is_refused_in_a_sentence(
    store: Store, tmp_path: Path, content: bytes, sentence: str
) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    with pytest.raises(Refused, match=sentence):
        await importing.run(store, path)
    with pytest.raises(Refused, match="cannot be read"):
        await importing.run(store, tmp_path / "none.csv")


@pytest.mark.covers("A6", "TRUST17")
async def test_hostile_cells_are_text_or_refused_and_never_run(store: Store, tmp_path: Path) -> None:
    bad = ["=cmd|' /C calc'!A0", "@SUM(1)", "-1+2", "Robert'); DROP TABLE records;--", "%s%n", "<script>", "\u202eevil"]
    content = "name,phone\n" + "".join(f'"{cell}",\n' for cell in bad) + '"open quote,\n' + "x" * 140_000 + "\nLast,\n"
    result = await importing.run(store, write(tmp_path / "h.csv", content))
    assert result.added >= 6 and result.refused >= 1
    out = tmp_path / "out.csv"
    async with store.read() as session:
        await exporting.write(session, "lead", out)
    with out.open(encoding="utf-8-sig", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "@", "-"))]


@pytest.mark.covers("A6")
@pytest.mark.parametrize("kind", ["lead", "contact", "company"])
async def test_what_is_exported_comes_in_again_unchanged(store: Store, tmp_path: Path, kind: str) -> None:
    async with store.write() as work:
        for each in made_up(40, seed=11):
            values = {
                "name": each.name,
                "phones": [{"label": label, "number": number} for label, number in each.phones],
                "emails": [{"address": each.email}],
                "addresses": [{"street": each.street, "city": each.city, "country": each.country}],
            }
            await people.add(work, kind, values)
        await people.add(work, kind, {"name": "=1+1", "title": "'quoted", "phones": [{"number": "+14155550150"}]})
    out = tmp_path / f"{kind}.csv"
    async with store.read() as session:
        assert await exporting.write(session, kind, out) == 41
    assert "+14155550150" in out.read_text("utf-8-sig") and "'+1" not in out.read_text("utf-8-sig")
    before = await count(store, "activities")
    result = await importing.run(store, out, kind=kind)
    assert (result.lines, result.added, result.changed, result.unchanged, result.refused) == (41, 0, 0, 41, 0)
    assert await count(store, "activities") == before


@pytest.mark.covers("A6")
async def test_deals_come_in_with_whom_they_are_with_and_go_out_again(store: Store, tmp_path: Path) -> None:
    await importing.run(store, write(tmp_path / "p.csv", "name,email,company\nAnn,a@x.example,Acme\n"), kind="contact")
    content = (
        "Deal Name,Company,Contact Email,Stage,Status,Amount,Currency,Close Date\n"
        '100 desks,Acme,a@x.example,Offer,Won,"1,234.50",usd,2026-12-31\n'
        "Chairs,Nobody,,,,lots,,\n"
    )
    path = write(tmp_path / "d.csv", content)
    first = await importing.run(store, path, kind="deal")
    again = await importing.run(store, path, kind="deal")
    assert (first.added, first.refused, again.added, again.changed, again.unchanged) == (1, 1, 0, 0, 1)
    async with store.read() as session:
        (deal,) = (await deals.page(session)).items
        assert (deal.value_micros, deal.status, deal.currency) == (1_234_500_000, "won", "USD")
        assert deal.record_id is not None and deal.company_id is not None
        out = tmp_path / "out.csv"
        await exporting.write(session, "deal", out)
    assert (await importing.run(store, out, kind="deal")).unchanged == 1


@pytest.mark.covers("A6")
async def test_an_import_that_was_killed_is_simply_repeated(store_url: str, tmp_path: Path) -> None:
    rows = [f"{each.name} {number},{each.phones[0][1]}" for number, each in enumerate(made_up(4000, seed=5))]
    path = write(tmp_path / "many.csv", "name,phone\n" + "\n".join(rows) + "\n")
    code = (
        "import asyncio, sys; from pathlib import Path; from crm.services import importing\n"
        "from crm.unit_of_work import Store\n"
        "told = lambda *n: print(n[2], flush=True)\n"
        "asyncio.run(importing.run(Store(sys.argv[1]), Path(sys.argv[2]), progress=told))"
    )
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, store_url, str(path), stdout=asyncio.subprocess.PIPE
    )
    assert running.stdout is not None
    assert await in_time(running.stdout.readline(), 60)
    running.send_signal(signal.SIGKILL)
    await in_time(running.wait(), 10)
    store = Store(store_url)
    try:
        kept = await count(store)
        result = await importing.run(store, path)
        assert (result.added, result.unchanged, result.refused) == (4000 - kept, kept, 0)
        assert [await count(store, name) for name in ("records", "search_documents")] == [4000, 4000]
        assert (await importing.run(store, path)).unchanged == 4000
    finally:
        await store.close()


@pytest.mark.covers("A6")
async def test_whoever_writes_beside_an_import_gets_in_between_its_lines(sqlite_template: Path, tmp_path: Path) -> None:
    """Told by the lines that came in meanwhile, not by the clock of a machine that may be busy."""
    database = Path(shutil.copy(sqlite_template, tmp_path / "store.db"))
    rows = [f"{each.name} {number},{each.phones[0][1]}" for number, each in enumerate(made_up(1500, seed=6))]
    path = write(tmp_path / "many.csv", "name,phone\n" + "\n".join(rows) + "\n")
    store, ended = Store(f"sqlite:///{database}"), threading.Event()
    beside = asyncio.create_task(asyncio.to_thread(_waits, database, ended))
    try:
        await importing.run(store, path)
    finally:
        ended.set()
        waits = await beside
        await store.close()
    assert len(waits) > 5 and max(waits) < importing.BATCH, waits


def _waits(database: Path, ended: threading.Event) -> list[int]:
    """Writes again and again; how many records came in while each try waited for the lock."""
    waits = []
    with contextlib.closing(connect_sqlite(str(database), 60)) as connection:

        def kept() -> int:
            return int(connection.execute("SELECT count(*) FROM records").fetchone()[0])

        while not ended.wait(0.02):
            before = kept()
            connection.execute("BEGIN IMMEDIATE")
            waits.append(kept() - before)
            connection.execute("COMMIT")
    return waits
