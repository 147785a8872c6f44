"""Requests as the arrays that the transformer takes. Used alike by sampling and by training, so that both see the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engines.catalog import NUM_FRAME_SCALARS
from engines.specs import AUDIO_OFFSETS, FEATURE_DIM, FEATURE_RATE_HZ, NUM_TEXT_TOKENS, TEXT_DIM, BeatCondition
from engines.text import TextEncoder

Array = NDArray[np.float32]

#: What `AvatarDiT.condition` takes and gives; the rest goes to `AvatarDiT.denoise` with it.
CONDITION_INPUTS = ("text", "audio", "audio_known", "audio_time")
CONDITION_OUTPUTS = ("text_k", "text_v", "audio_k", "audio_v")


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """Features of a span of frames: audio [n, 384], known [n], time [n] in seconds, mask [f, n] (1: this frame hears it)."""

    audio: Array
    known: Array
    time: Array
    mask: Array


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """text [k, l, 256] of k beats, mask [f, k, l], and scalars [4, f]: where in its beat each frame is."""

    text: Array
    mask: Array
    scalars: Array


def frame_times(num_frames: int, interval_s: float) -> Array:
    """Seconds from frame 0, [f]."""
    return np.arange(num_frames, dtype=np.float32) * np.float32(interval_s)


def sound(features: Array, start_s: float, times: Array) -> Sound:
    """The features [m, 384] (the first at `start_s`) that frames at `times` want; where there are none, known is 0."""
    base = np.floor((times - start_s) * FEATURE_RATE_HZ + 1e-3).astype(np.int64)
    first, last = base[0] + AUDIO_OFFSETS[0], base[-1] + AUDIO_OFFSETS[-1]
    index = np.arange(first, last + 1)
    known = (index >= 0) & (index < len(features))
    audio = np.zeros((len(index), FEATURE_DIM), np.float32)
    audio[known] = features[index[known]]
    offset = index[None, :] - base[:, None]
    mask = (offset >= AUDIO_OFFSETS[0]) & (offset <= AUDIO_OFFSETS[-1])
    time = (start_s + index / FEATURE_RATE_HZ).astype(np.float32)
    return Sound(audio, known.astype(np.float32), time, mask.astype(np.float32))


def words(beats: tuple[BeatCondition, ...], times: Array, encoder: TextEncoder) -> Words:
    """Each frame sees the words of the beat it lies in; a frame in none sees none."""
    num_beats = max(1, len(beats))
    text = np.zeros((num_beats, NUM_TEXT_TOKENS, TEXT_DIM), np.float32)
    mask = np.zeros((len(times), num_beats, NUM_TEXT_TOKENS), np.float32)
    scalars = no_beat(len(times))
    for i, beat in enumerate(beats):
        text[i], present = encoder.encode(beat.text)
        inside = (times >= beat.start_s - 1e-4) & (times < beat.end_s - 1e-4)
        mask[inside, i] = present
        since, until = times[inside] - beat.start_s, beat.end_s - times[inside]
        near = np.stack([np.minimum(since / 4, 1), np.minimum(until / 4, 1), np.exp(-since / 0.4), np.exp(-until / 0.4)])
        scalars[:, inside] = near
    longest = max(1, *(int(encoder.encode(beat.text)[1].sum()) for beat in beats), 1)
    return Words(text[:, :longest], mask[:, :, :longest], scalars)


def padded(values: Array, *sizes: int | None) -> Array:
    """Zeros after `values` until each axis has its size; None leaves an axis as it is."""
    return np.pad(values, [(0, 0 if size is None else size - have) for have, size in zip(values.shape, sizes, strict=True)])


def batched(words_of: Sequence[Words], sounds: Sequence[Sound]) -> dict[str, Array]:
    """Conditions of equally many frames, stacked and padded, by the transformer's names."""
    k, length = (max(w.text.shape[axis] for w in words_of) for axis in (0, 1))
    n = max(len(s.audio) for s in sounds)
    mask = np.stack([padded(w.mask, None, k, length) for w in words_of])
    return {
        "frame_scalars": np.stack([w.scalars for w in words_of]),
        "text": np.stack([padded(w.text, k, length, None) for w in words_of]),
        "text_mask": mask.reshape(*mask.shape[:2], -1),
        "audio": np.stack([padded(s.audio, n, None) for s in sounds]),
        "audio_known": np.stack([padded(s.known, n) for s in sounds]),
        "audio_time": np.stack([padded(s.time, n) for s in sounds]),
        "audio_mask": np.stack([padded(s.mask, None, n) for s in sounds]),
    }


def no_beat(num_frames: int) -> Array:
    """The scalars of frames that are far from any beat's edge, [4, f]."""
    scalars = np.zeros((NUM_FRAME_SCALARS, num_frames), np.float32)
    scalars[:2] = 1.0
    return scalars
