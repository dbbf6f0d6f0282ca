"""The console's files as the engine serves them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pbx.web.routes import front
from tests.integration.web.world import World

PAGE = {"Accept": "text/html,application/xhtml+xml"}


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>The console</title>")
    (tmp_path / "icon.svg").write_text("<svg/>")
    (tmp_path / "assets" / "index-1a2b.js").write_text("let x;")
    (tmp_path / "secret.txt").write_text("not the page's")
    monkeypatch.setattr(front, "STATIC", tmp_path)
    return tmp_path


async def test_every_address_of_the_console_is_its_page_and_can_be_shared(world: World, built: Path) -> None:
    for path in ("", "calls", "people/rec_1", "admin/users?sort=name"):
        async with world.http.get(world.server.make_url(f"/{path}"), headers=PAGE) as response:
            assert response.status == 200, path
            assert "The console" in await response.text()
            assert response.headers["Cache-Control"] == "no-cache", "a new release comes with the next reload"
            assert "script-src" not in response.headers["Content-Security-Policy"], "scripts from this origin only"
            assert response.headers["X-Frame-Options"] == "DENY"


async def test_its_files_are_kept_for_ever_and_sent_packed_where_they_are(world: World, built: Path) -> None:
    (built / "assets" / "index-1a2b.js.gz").write_bytes(b"\x1f\x8bnot really")
    url = world.server.make_url("/assets/index-1a2b.js")
    async with world.http.get(url, headers={"Accept-Encoding": "identity"}) as response:
        assert response.status == 200 and await response.text() == "let x;"
        assert "immutable" in response.headers["Cache-Control"]
        assert response.content_type in ("text/javascript", "application/javascript")


async def test_nothing_beside_the_page_is_served(world: World, built: Path) -> None:
    for path in ("/assets/..%2Fsecret.txt", "/assets/%2e%2e%2fsecret.txt", "/secret.txt", "/assets/none.js"):
        async with world.http.get(world.server.make_url(path)) as response:
            assert response.status == 404, path
            assert response.content_type == "application/problem+json"


async def test_an_unknown_address_of_the_api_is_no_page(world: World, built: Path) -> None:
    async with world.http.get(world.server.make_url("/api/v1/nothing"), headers=PAGE) as response:
        assert response.status == 404
        assert response.content_type == "application/problem+json"


async def test_where_the_page_is_not_built_it_says_how(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(front, "STATIC", tmp_path / "nowhere")
    async with world.http.get(world.server.make_url("/"), headers=PAGE) as response:
        assert response.status == 200 and "make console" in await response.text()
