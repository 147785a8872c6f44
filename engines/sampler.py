"""Flow matching, sampled: a few Euler steps from noise to motion, known channels held to what is known at every step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engines.catalog import MotionStatistics
from engines.conditions import CONDITION_INPUTS, batched, frame_times, no_beat, sound, words
from engines.guidance import WITH_AUDIO, WITH_TEXT, Branch, branches, combine
from engines.motion import NUM_CHANNELS, Motion
from engines.schedules import Euler, sigmas
from engines.specs import MotionRequest
from engines.text import TextEncoder

Array = NDArray[np.float32]


class Transformer(Protocol):
    """An `AvatarDiT` on some backend; arrays by the names that `AvatarDiT` gives them."""

    def condition(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Once a request: CONDITION_INPUTS to CONDITION_OUTPUTS."""
        ...

    def denoise(self, inputs: Mapping[str, Array]) -> Array:
        """At every step: the velocity [b, c, f, 1, 1]."""
        ...


class SampledMotion:
    """A `MotionModel` of a transformer on whatever backend. Same requests and seeds, same motion."""

    def __init__(self, transformer: Transformer, statistics: MotionStatistics) -> None:
        self.transformer = transformer
        self._statistics = statistics
        self._text_encoder = TextEncoder()

    def generate(self, requests: list[MotionRequest]) -> list[Motion]:
        """Motion [f, 64] for each request, those alike in frames and steps in one batch."""
        groups: dict[tuple[object, ...], list[int]] = {}
        for i, request in enumerate(requests):
            groups.setdefault(batch_key(request), []).append(i)
        motion: dict[int, Motion] = {}
        for members in groups.values():
            batch = sample(self.transformer, [requests[i] for i in members], self._text_encoder, self._statistics)
            motion.update(zip(members, batch, strict=True))
        return [motion[i] for i in range(len(requests))]


#: Channels that lie in 0–1: the blendshapes, the shoulders.
_UNIT = np.r_[0:52, 58:60]


def seeded_noise(seed: int, num_frames: int) -> Array:
    """[64, f]; a longer request with the same seed begins with the same noise."""
    return np.random.default_rng(seed).standard_normal((num_frames, NUM_CHANNELS), np.float32).T


def sample(
    transformer: Transformer, requests: Sequence[MotionRequest], text_encoder: TextEncoder, statistics: MotionStatistics
) -> list[Motion]:
    """Motion [f, 64] for each request; all share one batch, so their frame counts and steps must agree.

    Raises ValueError where they do not.
    """
    if len({batch_key(request) for request in requests}) != 1:
        raise ValueError("requests of one batch must agree in frame count and steps")
    head = requests[0]
    f, b = head.num_frames, len(requests)
    mean, std = (np.asarray(values, np.float32)[:, None] for values in (statistics.mean, statistics.std))
    mask = np.stack([request.mask.T for request in requests])  # [b, 64, f]
    given = np.stack([np.where(request.mask, request.condition, 0.0).T for request in requests]).astype(np.float32)
    condition = np.where(mask, (given - mean) / std, 0.0).astype(np.float32)
    noise = np.stack([seeded_noise(request.seed, f) for request in requests])

    scales = statistics.text_guidance_scale, statistics.audio_guidance_scale
    kinds = branches(*scales, any(len(r.audio) for r in requests))
    inputs = _inputs(requests, kinds, text_encoder)
    inputs.update(transformer.condition({name: inputs.pop(name) for name in CONDITION_INPUTS}))
    known = np.tile(np.concatenate([mask.astype(np.float32), condition], axis=1), (len(kinds), 1, 1))
    schedule = sigmas(head.num_steps, statistics.shift)
    latents, solver = noise, Euler(schedule.tolist())
    for i, sigma in enumerate(schedule[:-1]):
        latents = np.where(mask, (1 - sigma) * condition + sigma * noise, latents)
        inputs["latents"] = np.concatenate([np.tile(latents, (len(kinds), 1, 1)), known], axis=1)[..., None, None]
        inputs["timestep"] = np.full(b * len(kinds), sigma * 1000.0, np.float32)
        velocity = transformer.denoise(inputs)[..., 0, 0].reshape(len(kinds), b, NUM_CHANNELS, f)
        guided = combine(list(velocity), *scales)
        latents = solver.step(i, latents, guided)
    motion = latents * std + mean
    motion[:, _UNIT] = np.clip(motion[:, _UNIT], 0.0, 1.0)
    motion = np.where(mask, given, motion)
    return [np.ascontiguousarray(one.T, dtype=np.float32) for one in motion]


def batch_key(request: MotionRequest) -> tuple[int, int, bool]:
    """Requests with equal keys can share a batch."""
    return request.num_frames, request.num_steps, len(request.audio) > 0


def _inputs(requests: Sequence[MotionRequest], kinds: Sequence[Branch], text_encoder: TextEncoder) -> dict[str, Array]:
    """Everything but the latents and the timestep, for each kind of branch and, within it, each request."""
    times = [frame_times(request.num_frames, request.interval_s) for request in requests]
    heard = [sound(r.audio, r.audio_start_s, t) for r, t in zip(requests, times, strict=True)]
    said = [words(r.beats, t, text_encoder) for r, t in zip(requests, times, strict=True)]
    inputs = {
        "interval": np.array([request.interval_s for request in requests], np.float32),
        "time": np.stack(times),
        **batched(said, heard),
    }
    batch = {name: np.tile(value, (len(kinds),) + (1,) * (value.ndim - 1)) for name, value in inputs.items()}
    b = len(requests)
    for i, kind in enumerate(kinds):
        rows = slice(i * b, (i + 1) * b)
        if kind not in WITH_TEXT:
            batch["text_mask"][rows] = 0.0
            batch["frame_scalars"][rows] = no_beat(requests[0].num_frames)
        if kind not in WITH_AUDIO:
            batch["audio_known"][rows] = 0.0
    return batch
