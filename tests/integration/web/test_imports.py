"""Files in and out through the API: by the rules of `pbx import` and `pbx export`, beside a running engine (A6)."""

from __future__ import annotations

import asyncio
import csv
import io
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from crm.unit_of_work import Actor
from pbx.services import imports
from tests.integration.web.world import API, Someone, World
from tests.support.waiting import Deadline

FILE = """Kunde,Tel,Firma,Remarks
Ann Lee,+1 415 555 0150,Acme,Met at the fair
Bob Ray,nonsense,Acme,
長谷川 桜子,+81 90-1234-5678,長谷川商事,
"""
MAPPING = {"Kunde": "name", "Firma": "company"}
HEADERS = {"Content-Type": "text/csv"}


async def upload(
    world: World, content: str | bytes = FILE, name: str = "people.csv", by: Someone | None = None
) -> tuple[int, Any]:
    data = content.encode() if isinstance(content, str) else content
    url = world.server.make_url(f"{API}/imports?name={name}")
    async with world.http.post(url, data=data, headers={**(by or world.alex).bearer, **HEADERS}) as response:
        return response.status, await response.json(content_type=None)


async def ended(world: World, made: Any) -> Any:
    deadline = Deadline(30)
    while True:
        _, shown = await world.ask("GET", f"/imports/{made['id']}", world.alex)
        if shown["state"] != "running":
            assert shown["state"] == "done", shown
            return shown
        assert not deadline.over, f"still running: {shown}"
        await asyncio.sleep(0.02)


@pytest.mark.covers("A6")
async def test_a_file_is_looked_at_imported_and_its_refused_lines_come_back(world: World) -> None:
    status, made = await upload(world)
    assert (status, made["state"], made["size"], made["name"]) == (201, "uploaded", len(FILE.encode()), "people.csv")
    path = f"/imports/{made['id']}"
    status, found = await world.ask("POST", f"{path}/preview", world.alex, {"kind": "contact"})
    assert (status, found["preview"]["named"]) == (200, False), "nothing says yet which column is the name"
    assert [each["field"] for each in found["preview"]["columns"]] == [None, "phone", None, "note"]
    assert {"name", "company", "mobile"} <= set(found["fields"])
    status, problem = await world.ask("POST", f"{path}/start", world.alex, {"kind": "contact"})
    assert (status, problem["code"], problem["field"]) == (422, "no_name_column", "mapping")
    wanted = {"kind": "contact", "mapping": MAPPING, "owner_id": world.mio.id}
    status, begun = await world.ask("POST", f"{path}/start", world.alex, wanted)
    assert (status, begun["state"]) == (200, "running")
    end = await ended(world, made)
    assert [end[each] for each in ("lines", "added", "changed", "unchanged", "refused")] == [3, 2, 0, 0, 1]
    _, page = await world.ask("GET", "/records", world.mio, params={"kind": "contact", "owner_id": world.mio.id})
    assert {each["name"]: each["company_name"] for each in page["items"]} == {
        "Ann Lee": "Acme",
        "長谷川 桜子": "長谷川商事",
    }
    status, raw = await world.ask("GET", f"{path}/report", world.alex)
    (line,) = csv.DictReader(io.StringIO(raw.decode("utf-8-sig")))
    assert (status, line["line"], line["Kunde"]) == (200, "3", "Bob Ray") and "telephone" in line["reason"]
    _, audit = await world.ask("GET", f"/audit?object_id={made['id']}.csv", world.robin)
    assert [(each["action"], each["actor"]) for each in audit["items"]] == [("contact.import", f"user:{world.alex.id}")]
    assert (await world.ask("POST", f"{path}/start", world.alex, wanted))[1]["code"] == "import_done"
    assert (await world.ask("DELETE", path, world.alex))[0] == 204
    assert (await world.ask("GET", path, world.alex))[0] == 404


@pytest.mark.covers("A6", "A7")
async def test_refused_lines_say_why_in_the_language_of_who_imports(world: World) -> None:
    _, made = await upload(world, "name,email\nAnn Lee,ann@acme.example\n長谷川 桜子,hasegawa\n")
    body, spoken = {"kind": "lead"}, {"Accept-Language": "ja"}
    assert (await world.ask("POST", f"/imports/{made['id']}/start", world.alex, body, headers=spoken))[0] == 200
    await ended(world, made)
    _, raw = await world.ask("GET", f"/imports/{made['id']}/report", world.alex)
    (line,) = csv.DictReader(io.StringIO(raw.decode("utf-8-sig")))
    assert (line["行"], line["name"]) == ("3", "長谷川 桜子")
    assert re.fullmatch("「hasegawa」はメールアドレスではありません。.*（列: emails）", line["理由"])
    _, again = await upload(world, raw)
    _, found = await world.ask("POST", f"/imports/{again['id']}/preview", world.alex, body)
    fields = [each["field"] for each in found["preview"]["columns"]]
    assert fields == [None, None, "name", "email"], "mended, the report is imported as it is"


@pytest.mark.covers("A6")
async def test_what_is_no_csv_or_too_large_is_refused_and_not_kept(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    status, problem = await upload(world, b"")
    assert (status, problem["field"]) == (422, "file")
    monkeypatch.setattr(imports, "LARGEST", 10)
    status, problem = await upload(world)
    assert (status, problem["code"]) == (413, "too_large")
    assert not list(world.engine.config.imports.iterdir())
    assert (await world.ask("GET", "/imports/..%2f..%2fsecrets", world.alex))[0] == 404


@pytest.mark.covers("A6")
async def test_an_import_that_is_taken_away_ends_and_another_may_begin(world: World) -> None:
    lines = "".join(f"Person {number},+1415555{number % 10_000:04d}\n" for number in range(20_000))
    _, long = await upload(world, "name,phone\n" + lines)
    _, other = await upload(world)
    await world.ask("POST", f"/imports/{long['id']}/start", world.alex, {"kind": "lead"})
    body = {"kind": "lead", "mapping": MAPPING}
    status, problem = await world.ask("POST", f"/imports/{other['id']}/start", world.alex, body)
    assert (status, problem["code"]) == (409, "import_running")
    assert (await world.ask("DELETE", f"/imports/{long['id']}", world.alex))[0] == 204
    assert (await world.ask("POST", f"/imports/{other['id']}/start", world.alex, body))[0] == 200
    await ended(world, other)


@pytest.mark.covers("A6")
async def test_an_engine_that_comes_back_says_that_an_import_was_interrupted(world: World) -> None:
    _, made = await upload(world)

    class Stuck:
        async def run(self, job: imports.Job, tell: imports.Tell) -> dict[str, int]:
            await asyncio.Event().wait()
            raise AssertionError

    before = imports.Imports(world.engine.config.imports, Stuck())
    alex = Actor("user", world.alex.id, "Alex", "manager")
    await before.start(made["id"], alex, kind="lead", mapping=MAPPING, country="US", owner_id=None)
    _, shown = await world.ask("GET", f"/imports/{made['id']}", world.alex)
    assert shown["state"] == "interrupted", "the engine that ran it is another one"
    await before.stop()
    status, _ = await world.ask(
        "POST", f"/imports/{made['id']}/start", world.alex, {"kind": "lead", "mapping": MAPPING}
    )
    assert status == 200
    assert (await ended(world, made))["added"] == 2


@pytest.mark.covers("A6", "R4")
async def test_what_the_filter_leaves_is_exported_and_reps_export_nothing(world: World) -> None:
    for name, owner in (("Ann Lee", world.mio), ("=cmd()", world.sam)):
        await world.ask("POST", "/records", world.mio, {"kind": "lead", "name": name, "owner_id": owner.id})
    status, raw = await world.ask("GET", f"/records/export?kind=lead&owner_id={world.mio.id}", world.alex)
    assert (status, [row["name"] for row in rows(raw)]) == (200, ["Ann Lee"])
    _, raw = await world.ask("GET", "/records/export?kind=lead", world.alex)
    assert {row["name"] for row in rows(raw)} == {"Ann Lee", "'=cmd()"}, "no spreadsheet runs what stands there"
    await world.ask("POST", "/deals", world.mio, {"name": "Tea", "status": "won"})
    await world.ask("POST", "/deals", world.mio, {"name": "Coffee"})
    _, raw = await world.ask("GET", "/records/export?kind=deal&status=won", world.alex)
    assert [row["name"] for row in rows(raw)] == ["Tea"]
    assert (await world.ask("GET", "/records/export", world.mio))[0] == 403


async def test_a_deal_names_whom_it_is_with(world: World) -> None:
    _, person = await world.ask("POST", "/records", world.mio, {"kind": "contact", "name": "Ann", "company": "Acme"})
    wanted = {"name": "Tea", "record_id": person["id"], "company_id": person["company_id"]}
    _, deal = await world.ask("POST", "/deals", world.mio, wanted)
    assert (deal["record_name"], deal["company_name"]) == ("Ann", "Acme")
    await world.ask("DELETE", f"/records/{person['id']}", world.alex)
    _, page = await world.ask("GET", "/deals", world.mio)
    assert (page["items"][0]["record_name"], page["items"][0]["company_name"]) == ("", "Acme")


def rows(raw: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"))))


@pytest.mark.covers("L1", "T3", "TRUST6")
async def test_what_a_rep_uploads_within_a_day_is_bounded_files_of_texts_and_imports_together(world: World) -> None:
    status, said = await world.ask("PUT", "/settings/uploads.rep_mb_per_day", world.robin, {"value": 1})
    assert status == 200, said
    await world.engine.reload()
    url, photo = world.server.make_url(f"{API}/text-attachments?name=a.jpg"), b"x" * 600_000

    async def attach(by: Someone) -> int:
        headers = {**by.bearer, "Content-Type": "image/jpeg"}
        async with world.http.post(url, data=photo, headers=headers) as response:
            return response.status

    assert await attach(world.mio) == 201
    large = "Name\n" + "x" * 500_000 + "\n"
    status, problem = await upload(world, large, by=world.mio)
    assert (status, problem["code"]) == (413, "upload_quota") and "1 MB" in problem["detail"]
    assert not list(world.engine.config.imports.glob("imp_*.csv")), "what is refused is not kept"
    assert (await upload(world, by=world.mio))[0] == 201, "a small one still fits"
    assert await attach(world.mio) == 413
    assert await attach(world.sam) == 201, "each has a day of their own"
    assert (await upload(world, large))[0] == 201 and await attach(world.alex) == 201, "who manages is not bounded"


@pytest.mark.covers("TRUST6")
async def test_two_that_a_rep_uploads_at_one_moment_share_what_is_left_of_the_day(world: World) -> None:
    assert (await world.ask("PUT", "/settings/uploads.rep_mb_per_day", world.robin, {"value": 1}))[0] == 200
    await world.engine.reload()
    url = world.server.make_url(f"{API}/text-attachments?name=a.jpg")
    both_have_begun = asyncio.Barrier(2)

    async def slowly() -> AsyncIterator[bytes]:
        yield b"x" * 300_000
        await both_have_begun.wait()
        yield b"x" * 300_000

    async def attach() -> int:
        headers = {**world.mio.bearer, "Content-Type": "image/jpeg"}
        async with world.http.post(url, data=slowly(), headers=headers) as response:
            return response.status

    assert sorted(await asyncio.gather(attach(), attach())) == [201, 413]
    assert await attach_small(world) == 201, "what was refused is not counted"


async def attach_small(world: World) -> int:
    headers = {**world.mio.bearer, "Content-Type": "image/jpeg"}
    url = world.server.make_url(f"{API}/text-attachments?name=b.jpg")
    async with world.http.post(url, data=b"x" * 300_000, headers=headers) as response:
        return response.status
