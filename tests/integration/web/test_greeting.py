"""The user's own voicemail greeting, as a browser records it (I7)."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile

from pbx.core.events import Direction
from tests.integration.web.world import API, Someone, World

pytestmark = pytest.mark.covers("I7")


def tone(seconds: float, rate: int = 24_000, kind: str = "WAV", subtype: str = "PCM_16") -> bytes:
    """A tone of 440 Hz, and one that 16 kHz cannot hold."""
    at = np.arange(int(seconds * rate)) / rate
    file = io.BytesIO()
    soundfile.write(file, 0.3 * np.sin(2 * np.pi * 440 * at), rate, format=kind, subtype=subtype)
    return file.getvalue()


async def put(world: World, who: Someone, content: bytes, kind: str = "audio/wav") -> tuple[int, dict[str, object]]:
    url = world.server.make_url(f"{API}/me/greeting")
    async with world.http.put(url, data=content, headers={**who.bearer, "Content-Type": kind}) as response:
        return response.status, await response.json(content_type=None)


@pytest.mark.parametrize(("kind", "subtype", "rate"), [("WAV", "PCM_16", 44_100), ("OGG", "OPUS", 48_000)])
async def test_a_recorded_greeting_is_what_the_next_caller_hears(
    world: World, kind: str, subtype: str, rate: int
) -> None:
    world.engine.follow()
    status, me = await put(world, world.mio, tone(2, rate, kind, subtype))
    assert (status, me["has_greeting"]) == (200, True), me
    assert "greeting_" not in str(me), "where files lie is not told"
    status, sound = await world.ask("GET", "/me/greeting", world.mio)
    samples, heard_rate = soundfile.read(io.BytesIO(sound))
    spectrum = np.abs(np.fft.rfft(samples))
    assert (status, heard_rate, samples.ndim) == (200, 16_000, 1)
    assert abs(len(samples) / heard_rate - 2) < 0.05 and abs(np.argmax(spectrum) / 2 - 440) < 5
    await world.engine.reload()
    plan = world.engine.persons.of(world.engine.directory.users[world.mio.id], Direction.INBOUND).voicemail
    assert plan is not None and plan.greeting.startswith(str(world.engine.config.greetings))


async def test_a_new_greeting_replaces_the_old_and_none_brings_back_the_default(world: World) -> None:
    await put(world, world.mio, tone(1))
    await put(world, world.mio, tone(1.5))
    assert len(list(world.engine.config.greetings.iterdir())) == 1
    assert (await world.ask("DELETE", "/me/greeting", world.mio))[0] == 204
    assert list(world.engine.config.greetings.iterdir()) == []
    assert (await world.ask("GET", "/me/greeting", world.mio))[0] == 404
    assert (await world.ask("GET", "/me", world.mio))[1]["has_greeting"] is False
    await world.engine.reload()
    plan = world.engine.persons.of(world.engine.directory.users[world.mio.id], Direction.INBOUND).voicemail
    assert plan is not None and plan.greeting == "voicemail-default-greeting"


@pytest.mark.parametrize(
    ("content", "status", "told"),
    [
        (b"", 422, "no sound"),
        (b"\x1a\x45\xdf\xa3webm", 422, "WebM is not read"),
        (tone(61, 8_000), 422, "within 60 seconds"),
        (tone(0.2), 422, "half a second"),
        (b"RIFF" + b"\0" * 3_000_000, 413, "too large"),
    ],
)
async def test_what_makes_no_greeting_is_refused_with_the_reason(
    world: World, content: bytes, status: int, told: str
) -> None:
    got, problem = await put(world, world.mio, content)
    assert got == status and told in str(problem["detail"]), problem
    assert not world.engine.config.greetings.exists() or not list(world.engine.config.greetings.iterdir())


async def test_with_the_user_goes_the_greeting(world: World) -> None:
    await put(world, world.sam, tone(1))
    assert (await world.ask("DELETE", f"/users/{world.sam.id}", world.robin))[0] == 204
    assert list(world.engine.config.greetings.iterdir()) == []
