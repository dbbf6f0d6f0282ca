"""The recording of a conference: one file to play, a channel for each party, and one for ears outside (C12).

What MixMonitor wrote begins at different moments: the customer's side and ours at the answer, each party's own track
when it was told apart. Laid on one time line they give a stereo file (the customer left, everybody of ours right), a
file with a channel for each party, and, where private words were kept, a third one without those.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from pbx.adapters.finished import Finished
from pbx.adapters.sound import RAW_RATE_HZ, Codec, SoundError, raw_samples, store, store_beside
from pbx.services.recordings import our_side

MOST_CHANNELS = 8
Samples = np.ndarray
Part = dict[str, Any]


def finish_conference(
    source: Path, directory: Path, name: str, codec: Codec, tracks: list[Part], private: list[Part]
) -> Finished:
    """``tracks`` have a path and the millisecond at which they begin; ``private`` parts begin and end at one, and are
    kept or not. Raises SoundError where nothing was recorded."""
    parties = _parties(source, tracks)
    length = max(len(party) for party in parties)
    if not length:
        raise SoundError("Nothing was recorded: no sound arrived.")
    channels = np.zeros((length, len(parties)), dtype=np.int32)
    for number, party in enumerate(parties):
        channels[: len(party), number] = party
    _silence(channels, [part for part in private if not part["kept"]])
    done = store(_stereo(channels), RAW_RATE_HZ, directory, name, codec)
    apart = _together(channels).astype("<i2")
    tracks_path = store_beside(apart, RAW_RATE_HZ, directory, f"{name}.tracks", codec)
    kept = [part for part in private if part["kept"]]
    if not kept:
        return replace(done, tracks_path=tracks_path)
    _silence(channels, kept)
    public_path = store_beside(_stereo(channels), RAW_RATE_HZ, directory, f"{name}.public", codec)
    return replace(done, tracks_path=tracks_path, public_path=public_path)


def _parties(source: Path, tracks: list[Part]) -> list[Samples]:
    """The customer first, then each track on the recording's time line. Until the first one begins, our side as the
    customer heard it is that party's."""
    customer, ours = raw_samples(source), raw_samples(our_side(source))
    found = [customer]
    for number, track in enumerate(tracks):
        begins = track["offset_ms"] * RAW_RATE_HZ // 1000
        before = np.zeros(begins, dtype="<i2")
        if number == 0:
            before[: min(begins, len(ours))] = ours[:begins]
        found.append(np.concatenate([before, raw_samples(Path(track["path"]))]))
    return found


def _stereo(channels: Samples) -> Samples:
    """The customer left; on the right everybody else, mixed and never louder than there is room for."""
    mixed = np.stack([channels[:, 0], channels[:, 1:].sum(axis=1)], axis=1)
    clipped: Samples = np.clip(mixed, -32768, 32767).astype("<i2")
    return clipped


def _together(channels: Samples) -> Samples:
    """No more channels than the formats have: who came later shares the last."""
    if channels.shape[1] <= MOST_CHANNELS:
        return channels
    own, shared = channels[:, : MOST_CHANNELS - 1], channels[:, MOST_CHANNELS - 1 :].sum(axis=1, keepdims=True)
    together: Samples = np.clip(np.concatenate([own, shared], axis=1), -32768, 32767)
    return together


def _silence(channels: Samples, parts: list[Part]) -> None:
    for part in parts:
        begins = part["from_ms"] * RAW_RATE_HZ // 1000
        ends = len(channels) if part["to_ms"] is None else part["to_ms"] * RAW_RATE_HZ // 1000
        channels[begins:ends] = 0
