"""What the encoder answers. By itself, as the engine must not wait for all that an encoder loads."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finished:
    """A recording in its place. Paths are relative to the recordings directory."""

    path: str
    peaks_path: str
    sha256: str
    codec: str
    channels: int
    duration_ms: int
    bytes: int
    tracks_path: str | None = None
    public_path: str | None = None


@dataclass(frozen=True, slots=True)
class Greeting:
    """A greeting in its place: ``path`` is its file's name."""

    path: str
    duration_ms: int
