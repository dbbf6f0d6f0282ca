"""Recordings and voicemails as a player asks for them: ranges, conditions, and what is not there."""

from __future__ import annotations

import hashlib

import pytest

from crm.repositories import journal
from crm.services import voicemails
from tests.integration.web.world import World

SOUND = bytes(range(256)) * 1200  # larger than one chunk


async def get(world: World, path: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    url = world.server.make_url(f"/api/v1{path}")
    async with world.http.get(url, headers={**world.mio.bearer, **headers}) as response:
        return response.status, await response.read(), {name.lower(): value for name, value in response.headers.items()}


@pytest.mark.covers("S7")
async def test_a_recording_is_served_whole_and_in_ranges(world: World) -> None:
    _, recording = await world.recorded(world.mio, SOUND)
    path, size = f"/recordings/{recording}/sound", len(SOUND)
    status, body, headers = await get(world, path)
    assert (status, body) == (200, SOUND)
    assert headers["etag"] == f'"{hashlib.sha256(SOUND).hexdigest()}"'
    assert (headers["accept-ranges"], headers["content-type"]) == ("bytes", "audio/ogg")
    for asked, first, last in (
        ("bytes=0-0", 0, 0),
        ("bytes=100-199", 100, 199),
        (f"bytes=200-{size + 5}", 200, size - 1),
        ("bytes=1000-", 1000, size - 1),
        ("bytes=-10", size - 10, size - 1),
        (f"bytes=-{size * 2}", 0, size - 1),
    ):
        status, body, headers = await get(world, path, Range=asked)
        assert (status, body) == (206, SOUND[first : last + 1]), asked
        assert headers["content-range"] == f"bytes {first}-{last}/{size}"
        assert headers["content-length"] == str(last - first + 1)


@pytest.mark.covers("C12", "TRUST21")
async def test_private_words_and_each_partys_track_are_heard_by_the_users_of_the_call_alone(world: World) -> None:
    """The whole by default; the form for others' ears has the private words left out."""
    _, recording = await world.recorded(world.mio, SOUND)
    row = next(iter(world.engine.records.newest())).recordings[recording]
    assert (await get(world, f"/recordings/{recording}/tracks"))[0] == 404, (
        "two parties: left and right tell them apart"
    )
    for what in ("public", "tracks"):
        row[f"{what}_path"] = f"{recording}.{what}.opus"
        (world.engine.recordings_dir / row[f"{what}_path"]).write_bytes(what.encode())
    heard = {
        f"/recordings/{recording}/sound": SOUND,
        f"/recordings/{recording}/sound?public=true": b"public",
        f"/recordings/{recording}/tracks": b"tracks",
    }
    tags = set()
    for path, content in heard.items():
        status, body, headers = await get(world, path)
        assert (status, body) == (200, content), path
        tags.add(headers["etag"])
        assert (await world.ask("GET", path, world.sam))[0] == 403, path
        async with world.http.get(world.server.make_url(f"/api/v1{path}")) as response:
            assert response.status == 401, path
    assert len(tags) == len(heard), "a player that keeps one form must not take it for another"


async def test_a_range_outside_the_file_says_how_long_it_is(world: World) -> None:
    _, recording = await world.recorded(world.mio, SOUND)
    for asked in ("bytes=400000-", "bytes=-0", "bytes=307200-307300"):
        status, _, headers = await get(world, f"/recordings/{recording}/sound", Range=asked)
        assert (status, headers["content-range"]) == (416, f"bytes */{len(SOUND)}")
        assert headers["content-type"].startswith("application/problem+json")


async def test_what_is_not_a_range_of_ours_gets_the_whole(world: World) -> None:
    _, recording = await world.recorded(world.mio, SOUND)
    for asked in ("bytes=5-3", "bytes=0-1,5-6", "lines=1-2", "bytes=", "bytes=-", "bytes=a-b", "x" * 99):
        status, body, _ = await get(world, f"/recordings/{recording}/sound", Range=asked)
        assert (status, body) == (200, SOUND), asked


async def test_conditions_are_about_the_content_itself(world: World) -> None:
    _, recording = await world.recorded(world.mio, SOUND)
    path = f"/recordings/{recording}/sound"
    tag = (await get(world, path))[2]["etag"]
    assert (await get(world, path, **{"If-None-Match": tag}))[:2] == (304, b"")
    assert (await get(world, path, **{"If-None-Match": '"another"'}))[0] == 200
    assert (await get(world, path, Range="bytes=0-4", **{"If-Range": tag}))[0] == 206
    status, body, _ = await get(world, path, Range="bytes=0-4", **{"If-Range": '"another"'})
    assert (status, body) == (200, SOUND), "it has changed: the part that the player has is worth nothing"


async def test_a_recording_that_is_being_made_is_not_served_yet(world: World) -> None:
    call = world.talk(world.mio)
    _, shown = await world.ask("GET", f"/calls/{call}", world.mio)
    status, problem = await world.ask("GET", f"/recordings/{shown['recording_id']}/sound", world.mio)
    assert (status, problem["code"]) == (409, "not_ready")


async def test_a_path_that_points_elsewhere_is_never_followed(world: World) -> None:
    _, recording = await world.recorded(world.mio, SOUND)
    secret = world.engine.config.home / "secrets.json"
    secret.write_text("{}")
    record = next(iter(world.engine.records.newest()))
    for path in ("../secrets.json", str(secret), "missing.opus"):
        record.recordings[recording]["path"] = path
        status, problem = await world.ask("GET", f"/recordings/{recording}/sound", world.mio)
        assert (status, problem["code"]) == (404, "sound_missing")


# -- voicemail -------------------------------------------------------------------------------------


async def leave_message(world: World, number: int = 1) -> str:
    name = f"vm_{number:026d}"
    (world.engine.recordings_dir / f"{name}.opus").write_bytes(SOUND)
    async with world.engine.store.journal() as connection:
        row = {
            "id": name,
            "user_id": world.mio.id,
            "call_id": None,
            "caller_number": "+12065550150",
            "state": "ready",
            "path": f"{name}.opus",
            "sha256": hashlib.sha256(SOUND).hexdigest(),
            "codec": "opus",
            "duration_ms": 1000,
            "bytes": len(SOUND),
            "created_us": number,
        }
        journal.upsert_voicemails(connection, [row])
    return name


@pytest.mark.covers("I7")
async def test_a_message_is_listed_heard_marked_and_destroyed_by_its_owner(world: World) -> None:
    name = await leave_message(world)
    _, page = await world.ask("GET", "/voicemails?heard=false", world.mio)
    assert [each["id"] for each in page["items"]] == [name] and "path" not in page["items"][0]
    assert (await world.ask("GET", f"/voicemails/{name}/sound", world.mio)) == (200, SOUND)
    status, heard = await world.ask("PATCH", f"/voicemails/{name}", world.mio, {"heard": True})
    assert status == 200 and heard["heard_us"]
    assert (await world.ask("GET", "/voicemails?heard=false", world.mio))[1]["items"] == []
    assert (await world.ask("DELETE", f"/voicemails/{name}", world.mio))[0] == 204
    assert not (world.engine.recordings_dir / f"{name}.opus").exists()
    assert (await world.ask("GET", f"/voicemails/{name}/sound", world.mio))[0] == 404


async def test_a_message_can_be_heard_the_moment_its_badge_shows(world: World) -> None:
    """The store follows a little later; the event does not wait for it."""
    call = world.ring(world.mio)
    name = f"vm_{call[2:]}"
    (world.engine.recordings_dir / f"{name}.opus").write_bytes(SOUND)
    finished = {"voicemail": name, "state": "ready", "path": f"{name}.opus", "codec": "opus", "sha256": "0" * 64}
    world.engine.calls.annotate(call, "voicemail.started", {"voicemail": name})
    world.engine.calls.annotate(call, "voicemail.finished", {**finished, "duration_ms": 1000, "bytes": len(SOUND)})
    world.engine.hub.catch_up()
    assert list(world.engine.hub.new_messages(world.mio.id)) == [name]
    assert (await world.ask("GET", f"/voicemails/{name}/sound", world.mio)) == (200, SOUND)
    assert (await world.ask("GET", f"/voicemails/{name}/sound", world.sam))[0] == 403
    await world.stored()
    _, page = await world.ask("GET", "/voicemails?heard=false", world.mio)
    assert [each["id"] for each in page["items"]] == [name]


@pytest.mark.covers("TRUST21")
async def test_messages_are_their_owners_own(world: World) -> None:
    name = await leave_message(world)
    for method, path, body in (
        ("GET", f"/voicemails/{name}/sound", None),
        ("PATCH", f"/voicemails/{name}", {"heard": True}),
        ("DELETE", f"/voicemails/{name}", None),
    ):
        assert (await world.ask(method, path, world.sam, body))[0] == 403
    assert (await world.ask("DELETE", f"/voicemails/{name}", world.alex))[0] == 403, "a manager reads only"
    async with world.engine.store.read() as session:
        assert (await voicemails.show(session, name)).heard_us is None
