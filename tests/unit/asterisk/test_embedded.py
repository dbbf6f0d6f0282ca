"""The recipe of the embedded Asterisk, and its errors as sentences."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pbx.adapters.asterisk import embedded
from pbx.adapters.asterisk.embedded import builder, packages, recipe, source
from pbx.adapters.asterisk.embedded.errors import BuildError
from pbx.adapters.asterisk.embedded.steps import Runner, environment
from pbx.adapters.asterisk.instance import own_modules
from pbx.adapters.asterisk.layout import TEMPLATES, Layout, render

SHOWSRC = """\
Package: asterisk
Version: 1:22.10.0+dfsg-1
Package: asterisk
Version: 1:22.11.0~rc1+dfsg-1
Package: asterisk
Version: 1:22.10.1+dfsg+~cs6.17.60671434-1
Package: asterisk
Version: 1:23.1.0+dfsg-1
"""


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("Asterisk 22.10.1", (22, 10, 1)),
        ("Asterisk 22.10.1~dfsg+~cs6.17-1", (22, 10, 1)),
        ("1:22.11.2+dfsg+~cs6.17.60671434-1", (22, 11, 2)),
        ("Asterisk 22.11.0-rc1", None),
        ("nothing", None),
    ],
)
def test_versions_are_read_and_release_candidates_are_none(text: str, version: tuple[int, int, int] | None) -> None:
    assert recipe.parse_version(text) == version


def test_the_newest_release_of_our_series_is_chosen() -> None:
    assert source.newest(SHOWSRC) == "1:22.10.1+dfsg+~cs6.17.60671434-1"
    assert source.newest("Version: 1:22.10.0+dfsg-1\n") is None


def test_the_patch_that_loses_sound_is_left_out_and_others_are_not() -> None:
    assert recipe.is_left_out("2016_opus_plc.patch")
    assert not recipe.is_left_out("2015_opus.patch")


@pytest.mark.covers("TRUST19")
@pytest.mark.parametrize("folder", [".", "practice", "selftest"])
def test_every_module_that_is_loaded_is_built_and_none_is_forbidden(folder: str) -> None:
    lines = (TEMPLATES / folder / "modules.conf").read_text().splitlines()
    loaded = {line.split("=")[1].strip().removesuffix(".so") for line in lines if line.startswith("load")}
    assert loaded <= set(recipe.modules())
    assert not set(recipe.modules()) & set(recipe.FORBIDDEN)


def test_the_fingerprint_changes_with_the_recipe_and_with_our_own_module(monkeypatch: pytest.MonkeyPatch) -> None:
    before = recipe.fingerprint()
    with monkeypatch.context() as changed:
        changed.setattr(recipe, "PATCHES_LEFT_OUT", ())
        assert recipe.fingerprint() != before
    with monkeypatch.context() as changed:
        changed.setattr(recipe, "own_headers", list)
        assert recipe.fingerprint() != before
    monkeypatch.setattr(recipe, "own_sources", list)
    assert recipe.fingerprint() != before and "res_switchhook_refusal" not in recipe.modules()


def test_our_own_module_is_loaded_only_where_it_is(tmp_path: Path) -> None:
    modules = tmp_path / "lib/asterisk/modules"
    modules.mkdir(parents=True)
    assert own_modules(tmp_path) == ""
    (modules / "res_switchhook_refusal.so").touch()
    assert own_modules(tmp_path) == "load = res_switchhook_refusal.so"
    assert "$own_modules" in (TEMPLATES / "modules.conf").read_text()
    assert "res_switchhook_refusal" in recipe.modules(), "it is built with the others"


def test_ubuntu_without_a_mirror_is_told_which_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "_os_field", lambda name: {"ID": "ubuntu", "VERSION_CODENAME": "jammy"}.get(name, ""))
    with pytest.raises(BuildError, match=r"set debian_mirror in config\.toml or SWITCHHOOK_DEBIAN_MIRROR"):
        source.mirror("")
    assert source.mirror("http://mirror.example/debian") == "http://mirror.example/debian"


@pytest.mark.parametrize("setting", ["mirror.example", "http://a b", "http://x]/debian", "http://x\ndeb evil"])
def test_a_mirror_that_is_no_address_is_refused(setting: str) -> None:
    with pytest.raises(BuildError, match="must be an address"):
        source.mirror(setting)


def test_the_machines_own_mirror_is_used_with_or_without_package_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "_os_field", lambda name: {"ID": "debian", "VERSION_CODENAME": "trixie"}.get(name, ""))
    docker = ["Docker", "Docker CE", "trixie", "stable", "http://docker.example/"]
    listed = [docker, ["Debian", "Debian", "trixie", "main", "http://listed.example/debian/"]]
    bare = [
        ["", "", "trixie", "stable", "http://other.example/"],
        ["", "", "trixie", "main", "http://bare.example/debian/"],
    ]
    monkeypatch.setattr(source, "_targets", lambda *options: bare if options else listed)
    assert source.mirror("") == "http://listed.example/debian/"
    monkeypatch.setattr(source, "_targets", lambda *options: bare if options else [])
    assert source.mirror("") == "http://bare.example/debian/"


@pytest.mark.parametrize(("sudo", "line"), [("/usr/bin/sudo", "“sudo {}” and"), (None, "“{}” as root and")])
def test_missing_packages_without_rights_are_one_line_to_paste(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sudo: str | None, line: str
) -> None:
    monkeypatch.setattr(packages, "_rights", lambda: None)
    monkeypatch.setattr(packages.shutil, "which", lambda name: sudo)
    pasted = line.format("apt-get install -y --no-install-recommends libfoo libbar")
    with pytest.raises(BuildError, match=f"run {pasted} start again"):
        packages.install(["libfoo", "libbar"], Runner(tmp_path / "log", tmp_path))


def test_a_disk_too_small_is_said_before_anything_is_fetched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(recipe, "DISK_NEEDED", 10**18)
    with pytest.raises(BuildError, match=r"needs 1.5 GB .* set SWITCHHOOK_CACHE"):
        builder._require_disk(tmp_path)


def test_a_cache_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BuildError, match="set SWITCHHOOK_CACHE to another directory"):
        embedded.build(tmp_path / "file" / "cache", "", lambda _fraction, _sentence: None)


def test_a_step_that_fails_names_itself_its_reason_and_the_log(tmp_path: Path) -> None:
    runner = Runner(tmp_path / "log", tmp_path)
    with pytest.raises(BuildError, match=r"stopped at “compile” \(error: no such thing\)"):
        runner.run("compile", ["sh", "-c", "echo error: no such thing; exit 2"])
    with pytest.raises(BuildError, match=r"free 1\.5 GB there"):
        runner.run("compile", ["sh", "-c", "echo x: No space left on device; exit 2"])
    assert "== compile" in (tmp_path / "log").read_text()


def test_a_patch_for_speed_that_finds_no_place_is_left_out_and_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A later Asterisk may have changed what it changes: then calls cost what they cost, and are made all the same."""
    tree, patches = tmp_path / "tree", tmp_path / "patches"
    (tree / "debian/patches").mkdir(parents=True)
    (tree / "debian/patches/series").write_text("")
    patches.mkdir()
    (tree / "here.c").write_text("one\ntwo\nthree\n")
    for name, file in (("fits", "here.c"), ("does-not", "gone.c")):
        text = f"--- a/{file}\n+++ b/{file}\n@@ -1,3 +1,3 @@\n one\n-two\n+TWO\n three\n"
        (patches / f"{name}.patch").write_text(text)
    monkeypatch.setattr(recipe, "own_patches", lambda: [])
    monkeypatch.setattr(recipe, "speed_patches", lambda: sorted(patches.iterdir()))
    building = builder.Build(tmp_path, "", lambda *_: None, Runner(tmp_path / "log", tmp_path), tmp_path)
    building._apply_patches(tree)
    assert (tree / "here.c").read_text() == "one\nTWO\nthree\n"
    assert "does-not.patch is left out" in (tmp_path / "log").read_text()


def test_a_bare_machine_needs_no_program_to_download_with(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ran: list[list[str]] = []
    monkeypatch.setattr(Runner, "run", lambda self, what, argv, **_: ran.append(list(argv)))
    building = builder.Build(
        tmp_path, "", lambda _fraction, _sentence: None, Runner(tmp_path / "log", tmp_path), tmp_path
    )
    building._configure(tmp_path, tmp_path / "prefix")
    [configure] = [argv for argv in ran if argv[0] == "./configure"]
    assert "WGET=/bin/false" in configure, "configure gives up where it finds neither wget nor curl"


def test_a_build_does_not_inherit_the_flags_of_the_make_that_started_it() -> None:
    assert environment({"MAKEFLAGS": "-j1", "PATH": "/bin"}) == {
        "PATH": "/bin",
        "LC_ALL": "C",
        "DEBIAN_FRONTEND": "noninteractive",
    }


def test_a_home_too_deep_for_a_socket_gets_a_short_directory_for_it(tmp_path: Path) -> None:
    deep = Layout(tmp_path / ("x" * 120))
    assert len(os.fsencode(deep.socket)) < 108
    assert Layout(Path("/srv/pbx")).socket == Path("/srv/pbx/run/asterisk.ctl")


@pytest.mark.parametrize("value", ["a\n[section]", "a;b", "a\r"])
def test_a_setting_cannot_start_a_line_of_configuration(value: str) -> None:
    with pytest.raises(BuildError, match="may hold neither line breaks nor semicolons"):
        render(TEMPLATES / "rtp.conf", {"rtp_start": value, "rtp_end": "2"})
