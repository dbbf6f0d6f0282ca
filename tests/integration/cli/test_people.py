"""`pbx import`, `pbx export`, `pbx search`, `pbx backup`, `pbx restore` (A6, V2, A3)."""

from __future__ import annotations

import re
import tarfile
from pathlib import Path

import pytest

from crm import languages
from crm.errors import not_found
from pbx.services.erasure_list import Erased, ErasureList
from tests.integration.cli.conftest import Run
from tests.support.free_ports import free_port

LEADS = """name,company,phone,email
Margaret Hill,Marcom,+12065550170,margaret@marcom.example
田中未央,東京商事,03-1234-5678,mio@tokyo.example
Nobody,,not a number,
"""


@pytest.mark.covers("A6")
def test_leads_are_read_with_a_report_of_refused_lines_and_may_be_read_again(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "leads.csv"
    file.write_text(LEADS)
    first = run("import", str(file), "--country", "JP", "--json")
    assert first.code == 0, first.err
    assert (first.json["lines"], first.json["added"], first.json["refused"]) == (3, 2, 1)
    assert "Nobody" in Path(first.json["report"]).read_text()
    again = run("import", str(file), "--country", "JP", "--json").json
    assert (again["added"], again["unchanged"], again["refused"]) == (0, 2, 1)


@pytest.mark.covers("V2")
def test_what_was_read_is_found_by_word_and_number_and_written_again(run: Run, tmp_path: Path) -> None:
    file, out = tmp_path / "leads.csv", tmp_path / "out.csv"
    file.write_text(LEADS)
    run("import", str(file), "--country", "JP")
    assert [row["name"] for row in run("search", "Mar", "--json").json] == ["Margaret Hill"]
    assert [row["name"] for row in run("search", "+81 3-12", "--json").json] == ["田中未央"]
    assert "田中未央" in run("search", "東京").out
    done = run("export", str(out), "--json")
    assert done.code == 0 and done.json["lines"] == 2
    assert "Margaret Hill" in out.read_text(encoding="utf-8-sig")
    assert "Margaret Hill" in run("export", "-").out


@pytest.fixture(autouse=True)
def no_engine_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else runs on this machine at the usual port."""
    monkeypatch.setenv("SWITCHHOOK_HTTP_PORT", str(free_port()))


@pytest.mark.covers("A3")
def test_a_backup_is_private_and_brings_everything_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pbx.cli import main

    monkeypatch.delenv("SWITCHHOOK_DATABASE_URL", raising=False)
    old, new, file = tmp_path / "old", tmp_path / "new", tmp_path / "backup.tar.gz"
    assert main.run(["--home", str(old), "migrate"]) == 0
    assert main.run(["--home", str(old), "user", "add", "--email", "ann@x.example", "--name", "Ann"]) == 0
    (old / "recordings").mkdir(exist_ok=True)
    (old / "recordings" / "rec_1.opus").write_bytes(b"sound")
    assert main.run(["--home", str(old), "backup", str(file)]) == 0
    assert file.stat().st_mode & 0o077 == 0
    assert main.run(["--home", str(new), "restore", str(file)]) == 0
    assert (new / "recordings" / "rec_1.opus").read_bytes() == b"sound"
    assert main.run(["--home", str(new), "user", "show", "ann@x.example"]) == 0
    assert main.run(["--home", str(new), "restore", str(file)]) == 1
    broken = tmp_path / "broken"
    broken.write_bytes(file.read_bytes()[:100])
    assert main.run(["--home", str(tmp_path / "third"), "restore", str(broken)]) == 1


@pytest.mark.covers("A3", "N5")
def test_a_backup_that_is_restored_brings_nobody_back_who_was_erased_since(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pbx.cli import main

    monkeypatch.delenv("SWITCHHOOK_DATABASE_URL", raising=False)
    old, new, file = tmp_path / "old", tmp_path / "new", tmp_path / "backup.tar.gz"
    assert main.run(["--home", str(old), "migrate"]) == 0
    ErasureList(old / "erasures.jsonl").add([Erased("person", "erase_1", "l_1", 1)])
    assert main.run(["--home", str(old), "backup", str(file)]) == 0
    newest = tmp_path / "newest"
    ErasureList(newest).add([Erased("person", "erase_1", "l_1", 1), Erased("recording", "rec_1_1", "c_1", 2)])
    ErasureList(new / "erasures.jsonl").add([Erased("person", "erase_2", "l_2", 3)])
    assert main.run(["--home", str(new), "restore", str(file), "--erasures", str(newest)]) == 0
    listed = ErasureList(new / "erasures.jsonl").read()
    assert [each.id for each in listed] == ["erase_2", "erase_1", "rec_1_1"]
    assert (new / "erasures.jsonl").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["../outside", "/etc/outside", "a/../../outside"])
def test_a_backup_that_reaches_out_of_the_home_is_not_unpacked(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from pbx.cli import main

    file = tmp_path / "strange.tar.gz"
    with tarfile.open(file, "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("switchhook.db"))
        archive.addfile(tarfile.TarInfo(name))
    assert main.run(["--home", str(tmp_path / "home"), "restore", str(file)]) == 1
    assert "is not a whole backup" in capsys.readouterr().err
    assert not (tmp_path / "outside").exists() and list((tmp_path / "home").iterdir()) == []


@pytest.mark.covers("A3")
def test_doctor_names_the_layer_that_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from pbx.cli import main

    assert main.run(["--home", str(tmp_path / "none"), "doctor"]) == 1
    told = capsys.readouterr().out
    assert "BAD" in told and "pbx migrate" in told and "engine" in told


@pytest.mark.covers("A7")
def test_what_is_refused_is_said_in_the_language_of_the_locale(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("migrate").code == 0
    monkeypatch.setenv("LC_ALL", "ja_JP.UTF-8")
    told = run("user", "show", "mio@demo.example")
    assert (told.code, told.err) == (1, languages.say(not_found("user", "mio@demo.example").message, "ja") + "\n")
    assert "ユーザー" in told.err
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    assert run("user", "show", "mio@demo.example").err == not_found("user", "mio@demo.example").message + "\n"


@pytest.mark.covers("A3", "A7")
def test_doctor_says_what_it_found_in_the_language_of_the_locale(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from pbx.cli import main

    monkeypatch.setenv("LC_ALL", "")
    monkeypatch.setenv("LANG", "ja_JP.UTF-8")
    assert main.run(["--home", str(tmp_path / "none"), "doctor"]) == 1
    found = [line.split(maxsplit=2)[-1] for line in capsys.readouterr().out.splitlines()]
    assert all(re.search("[ぁ-んァ-ヶ]", sentence) for sentence in found), found
