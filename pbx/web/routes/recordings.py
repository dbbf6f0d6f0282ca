"""Recordings and voicemails, for those who may hear them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import PurePath
from typing import Any

from aiohttp import web

from crm.errors import Refused, conflict
from crm.records import Recording, as_dict
from crm.services import recordings, voicemails
from pbx.core.ids import call_of
from pbx.services.hub import unheard_voicemail
from pbx.services.views import without_paths
from pbx.web import call_log
from pbx.web.context import Ctx
from pbx.web.declare import Right, Table
from pbx.web.principal import forbidden
from pbx.web.sound import Sound, inside, serve
from pbx.web.wire.base import Paged
from pbx.web.wire.calls import Heard, HowToHear, RecordingView, VoicemailQuery, VoicemailView

table = Table("recordings")
AUDIO = "audio/*"


@table.route(
    "GET", "/recordings/{recording}", right=Right.REP, scope="recordings:read", answer=RecordingView, errors=(404,)
)
async def show_recording(ctx: Ctx) -> Any:
    """What there is to hear: state, length, size, checksum."""
    return without_paths(await _recording(ctx))


@table.route(
    "GET",
    "/recordings/{recording}/sound",
    right=Right.REP,
    scope="recordings:read",
    raw=AUDIO,
    errors=(404, 409, 410, 416),
)
async def hear_recording(ctx: Ctx, query: HowToHear) -> web.StreamResponse:
    """The sound: customer left, our side right. Ranges work; the entity tag is the file's SHA-256."""
    row = await _recording(ctx)
    sound = _sound(row)
    if query.public and row["public_path"]:
        sound = _beside(row, sound, row["public_path"], "public")
    return await serve(ctx.request, ctx.engine.recordings_dir, sound)


@table.route(
    "GET",
    "/recordings/{recording}/tracks",
    right=Right.REP,
    scope="recordings:read",
    raw=AUDIO,
    errors=(404, 409, 410, 416),
)
async def hear_tracks(ctx: Ctx) -> web.StreamResponse:
    """The sound of a conference with a channel for each party: the customer, then each as `tracks` names them."""
    row = await _recording(ctx)
    sound = _sound(row)
    if not row["tracks_path"]:
        raise Refused(
            "no_tracks", "This recording has the customer left and our side right, and nothing more.", status=404
        )
    return await serve(ctx.request, ctx.engine.recordings_dir, _beside(row, sound, row["tracks_path"], "tracks"))


@table.route(
    "GET",
    "/recordings/{recording}/peaks",
    right=Right.REP,
    scope="recordings:read",
    raw="application/json",
    errors=(404, 409, 410),
)
async def show_peaks(ctx: Ctx) -> web.Response:
    """The waveform: the loudest samples per stretch and channel."""
    row = await _recording(ctx)
    _sound(row)
    if not row["peaks_path"]:
        raise conflict("no_peaks", "This recording has no waveform. Play it without.")
    path = inside(ctx.engine.recordings_dir, row["peaks_path"])
    try:
        content = await asyncio.to_thread(path.read_bytes)
    except OSError as error:
        raise Refused("sound_missing", "The waveform is not in its place. Play it without.", status=404) from error
    return web.Response(body=content, content_type="application/json", headers={"Cache-Control": "private, no-cache"})


async def _recording(ctx: Ctx) -> dict[str, Any]:
    """The recording of a call that this user may see; memory is ahead of the store."""
    recording_id = ctx.path("recording")
    call_id = call_of(recording_id)
    record = ctx.engine.records.get(call_id) if call_id else None
    row = record.recordings.get(recording_id) if record else None
    if row is None:
        async with ctx.engine.store.read() as session:
            stored: Recording = await recordings.show(session, recording_id)
        row = as_dict(stored)
    call_log.check_may_see(ctx, await call_log.find(ctx, row["call_id"]))
    return row


def _sound(row: dict[str, Any]) -> Sound:
    """Raises Refused with the reason where there is nothing to hear (yet, or any more)."""
    if row["state"] == "erased":
        raise Refused("erased", "This recording was erased and cannot be brought back.", status=410)
    if row["state"] in ("recording", "paused", "processing"):
        raise conflict("not_ready", "This recording is still being made. Try again when the call is over.")
    if not row["path"] or not row["sha256"]:
        raise Refused("nothing_recorded", "Nothing could be recorded. The call's timeline says why.", status=404)
    name = f"{row['id']}{PurePath(row['path']).suffix}"
    return Sound(row["path"], row["sha256"], row["codec"] or "", name)


def _beside(row: dict[str, Any], sound: Sound, path: str, what: str) -> Sound:
    """Another form of the same recording; its entity tag tells it from the first."""
    return replace(sound, path=path, sha256=f"{sound.sha256}-{what}", name=f"{row['id']}.{what}{PurePath(path).suffix}")


# -- voicemail -------------------------------------------------------------------------------------


@table.route("GET", "/voicemails", right=Right.REP, scope="recordings:read", answer=Paged[VoicemailView])  # type: ignore[valid-type]
async def list_voicemails(ctx: Ctx, query: VoicemailQuery) -> Any:
    """Your messages, newest first; `heard=false` for the new ones."""
    user_id = query.user or ctx.who.id
    if user_id != ctx.who.id and not ctx.who.sees_all:
        raise forbidden("You may list your own messages. Leave “user” out.")
    async with ctx.engine.store.read() as session:
        page = await voicemails.list_all(session, user_id, heard=query.heard, cursor=query.cursor, limit=query.limit)
    return {"items": [without_paths(as_dict(item)) for item in page.items], "next_cursor": page.next_cursor}


@table.route(
    "GET",
    "/voicemails/{voicemail}/sound",
    right=Right.REP,
    scope="recordings:read",
    raw=AUDIO,
    errors=(404, 409, 416),
)
async def hear_voicemail(ctx: Ctx) -> web.StreamResponse:
    """The message. Hearing it does not mark it as heard: a player may load it before anybody listens."""
    return await serve(ctx.request, ctx.engine.recordings_dir, _sound(await _voicemail(ctx)))


@table.route(
    "PATCH", "/voicemails/{voicemail}", right=Right.REP, scope="calls:write", answer=VoicemailView, errors=(404,)
)
async def mark_voicemail(ctx: Ctx, body: Heard) -> Any:
    """Heard, or new again. Only its owner may."""
    message = await _own_voicemail(ctx)
    async with ctx.engine.store.write(ctx.actor) as work:
        row = as_dict(await voicemails.mark_heard(work, message["id"], body.heard))
    ctx.engine.hub.voicemail_changed(row["user_id"], unheard_voicemail(row), row["id"])
    return without_paths(row)


@table.route("DELETE", "/voicemails/{voicemail}", right=Right.REP, scope="calls:write", status=204, errors=(404, 409))
async def remove_voicemail(ctx: Ctx) -> None:
    """Destroy a message for good, sound and entry. Only its owner may."""
    message = await _own_voicemail(ctx)
    if message["state"] == "recording":
        raise conflict("not_ready", "This message is still being left. Try again when the call is over.")
    if message["path"]:
        path = inside(ctx.engine.recordings_dir, message["path"])
        await asyncio.to_thread(path.unlink, missing_ok=True)
    async with ctx.engine.store.write(ctx.actor) as work:
        await voicemails.remove(work, message["id"])
    ctx.engine.hub.voicemail_changed(message["user_id"], None, message["id"])


async def _voicemail(ctx: Ctx) -> dict[str, Any]:
    """The message, from memory where the store does not have it yet: the badge is faster than the store."""
    voicemail_id = ctx.path("voicemail")
    try:
        async with ctx.engine.store.read() as session:
            row = as_dict(await voicemails.show(session, voicemail_id))
    except Refused as refused:
        call_id = call_of(voicemail_id)
        record = ctx.engine.records.get(call_id) if refused.status == 404 and call_id else None
        fresh = record.voicemails.get(voicemail_id) if record else None
        if fresh is None or ctx.engine.hub.removed(voicemail_id):
            raise
        row = {"heard_us": None, **fresh}
    if row["user_id"] != ctx.who.id and not ctx.who.sees_all:
        raise forbidden("This message is somebody else's.")
    return row


async def _own_voicemail(ctx: Ctx) -> dict[str, Any]:
    message = await _voicemail(ctx)
    if message["user_id"] != ctx.who.id and not ctx.who.is_admin:
        raise forbidden("Only the owner of a message may do this.")
    return message
