"""Windows cut from cached clips, with what is known of them, as in use: sub-clips, chains, join repairs, blueprints."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engines.catalog import MotionStatistics
from engines.conditions import Sound, Words, batched, frame_times, sound, words
from engines.motion import ANCHOR_MASK, NUM_CHANNELS
from engines.specs import FEATURE_DIM, FEATURE_RATE_HZ, BeatCondition
from engines.text import TextEncoder
from export.train.data import MOTION_FPS

BLUEPRINT_INTERVAL_S = 0.16
INTERVALS_S = (1 / 25, 1 / 25, 1 / 25, 1 / 48, 1 / 30)
#: Windows that are placed about the beginning of a beat; the others lie anywhere.
BEAT_START_SHARE = 0.6
#: How much likelier such a beat is one with an action.
ACTION_PREFERENCE = 3
#: Batches that are blueprints.
BLUEPRINT_SHARE = 0.2
_MIN_STD = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """A cached copy of a clip in memory."""

    features: NDArray[np.float16]  # [n, 384]
    motion: NDArray[np.float16]  # [T, 64]
    beats: tuple[BeatCondition, ...]
    starts: NDArray[np.float64]  # seconds at which beats begin, those with an action repeated
    weight: NDArray[np.float32]  # [64]
    kind: str


def load_clips(cache: Path, split: str) -> list[Clip]:
    """Raises FileNotFoundError where there are none."""
    clips = []
    for path in sorted(cache.glob("*.[0-9].npz")):
        with np.load(path) as file:
            if str(file["split"]) != split:
                continue
            told = json.loads(str(file["beats"]))
            beats = tuple(BeatCondition(b["start_s"], b["end_s"], b["text"]) for b in told)
            starts = np.repeat([b["start_s"] for b in told], [ACTION_PREFERENCE if b["action"] else 1 for b in told])
            weight = file["weight"].astype(np.float32)
            clips.append(Clip(file["features"], file["motion"], beats, starts, weight, str(file["kind"])))
    if not clips:
        raise FileNotFoundError(f"no cached {split} clips in {cache}: run python -m export.train.cache")
    return clips


def statistics_of(clips: list[Clip], shift: float) -> MotionStatistics:
    """Mean and spread of each channel; a channel that hardly moves is not blown up."""
    frames = np.concatenate([clip.motion for clip in clips if clip.kind == "tts"] or [clips[0].motion]).astype(np.float32)
    std = np.maximum(frames.std(axis=0), _MIN_STD)
    return MotionStatistics(frames.mean(axis=0).round(5).tolist(), std.round(5).tolist(), shift)


class Windows:
    """Draws batches for ever. What one batch holds: see `batch`."""

    def __init__(
        self,
        clips: list[Clip],
        statistics: MotionStatistics,
        seed: int,
        real_share: float = 0.4,
        drop: bool = True,
        rank: int = 0,
    ) -> None:
        """real_share: of windows that are cut from real clips. Trainers of one run differ by rank: they see other windows, but
        each batch in the same size."""
        self._clips = clips
        self._mean = np.asarray(statistics.mean, np.float32)
        self._std = np.asarray(statistics.std, np.float32)
        self._sizes = np.random.default_rng(seed)
        self._rng = np.random.default_rng([seed, rank])
        size, real = np.array([len(clip.motion) for clip in clips]), np.array([clip.kind == "real" for clip in clips])
        share = real_share if 0 < real.sum() < len(clips) else float(real.all())
        self._chance = (
            np.where(real, share, 1 - share) * size / np.maximum(np.where(real, size[real].sum(), size[~real].sum()), 1)
        )
        self._text = TextEncoder()
        self._drop = drop

    def batch(self, size: int) -> dict[str, Tensor]:
        """Windows of one frame count. x0 [b, 64, f] normalised; mask (known) and weight (to be learned) likewise; the other
        inputs of `AvatarDiT` by their names."""
        rng = self._sizes
        blueprint = rng.random() < BLUEPRINT_SHARE
        repair = not blueprint and rng.random() < 0.15
        num_frames = int(rng.integers(24, 40) if blueprint else rng.integers(12, 21) if repair else rng.integers(8, 56))
        interval = BLUEPRINT_INTERVAL_S if blueprint else float(rng.choice(INTERVALS_S))
        samples = [self._sample(num_frames, interval, blueprint, repair) for _ in range(size)]
        tensors = {name: np.stack([s[0][name] for s in samples]) for name in samples[0][0]}
        tensors.update(batched([s[1] for s in samples], [s[2] for s in samples]))
        return {name: torch.from_numpy(value.astype(np.float32, copy=False)) for name, value in tensors.items()}

    def _sample(
        self, f: int, interval: float, blueprint: bool, repair: bool
    ) -> tuple[dict[str, NDArray[np.float32]], Words, Sound]:
        rng = self._rng
        clip = self._clips[rng.choice(len(self._clips), p=self._chance)]
        span = (f - 1) * interval
        length = (len(clip.motion) - 1) / MOTION_FPS
        if span > length:
            interval, span = length / (f - 1), length  # a clip too short for its blueprint is drawn a little denser
        start = rng.uniform(0, max(length - span, 1e-6))
        if clip.kind != "real" and rng.random() < BEAT_START_SHARE and len(clip.starts):  # where actions are
            start = float(np.clip(rng.choice(clip.starts) - rng.uniform(-0.5, 0.7) * min(span, 1.5), 0.0, length - span))
        times = frame_times(f, interval)
        motion = _at(clip.motion, (start + times) * MOTION_FPS)
        mask = self._blueprint_mask(f) if blueprint else self._repair_mask(f) if repair else self._dense_mask(f)

        drop_text, drop_audio = False, False
        if self._drop:
            chance = rng.random()
            drop_text, drop_audio = chance < 0.15, 0.10 <= chance < 0.25  # between 0.10 and 0.15 both
        low = max(0, int((start - 0.5) * FEATURE_RATE_HZ))
        high = int((start + span + 0.5) * FEATURE_RATE_HZ)
        ahead = self._audio_ends(blueprint, span)
        if ahead is not None:
            high = min(high, int((start + ahead) * FEATURE_RATE_HZ))
        features = clip.features[low : max(high, low)].astype(np.float32)
        heard = sound(np.zeros((0, FEATURE_DIM), np.float32) if drop_audio else features, low / FEATURE_RATE_HZ - start, times)
        beats = tuple(
            BeatCondition(b.start_s - start, b.end_s - start, b.text)
            for b in clip.beats
            if b.end_s > start and b.start_s <= start + span
        )
        said = words(() if drop_text else beats, times, self._text)
        x0 = ((motion - self._mean) / self._std).T
        arrays = {
            "x0": x0,
            "mask": mask.T,
            "weight": clip.weight[:, None] * ~mask.T,
            "interval": np.asarray(interval),
            "time": times,
        }
        return arrays, said, heard

    def _audio_ends(self, blueprint: bool, span: float) -> float | None:
        """Seconds from frame 0 after which nothing has been heard yet, or None."""
        chance = self._rng.random()
        if blueprint:
            return None if chance < 0.3 else self._rng.uniform(0.0, 0.5) * span if chance < 0.9 else -1.0
        return self._rng.uniform(0.3, 1.0) * span if chance < 0.08 else None

    def _dense_mask(self, f: int) -> NDArray[np.bool_]:
        """A sub-clip: history or a first anchor or neither, an anchor to land on or none."""
        mask = np.zeros((f, NUM_CHANNELS), np.bool_)
        chance = self._rng.random()
        if chance < 0.45:
            mask[: self._rng.integers(1, 5)] = True
        elif chance < 0.85:
            mask[0] = ANCHOR_MASK
        if self._rng.random() < 0.85:
            mask[-1] = mask[-1] | ANCHOR_MASK
        if self._rng.random() < 0.04:  # odd demands: some frames wholly known
            mask[self._rng.random(f) < 0.2] = True
        return mask

    def _repair_mask(self, f: int) -> NDArray[np.bool_]:
        """A join: both sides known, a few frames between them not."""
        history, future = int(self._rng.integers(2, 5)), int(self._rng.integers(1, 5))
        mask = np.ones((f, NUM_CHANNELS), np.bool_)
        mask[history : f - future] = False
        return mask

    def _blueprint_mask(self, f: int) -> NDArray[np.bool_]:
        mask = np.zeros((f, NUM_CHANNELS), np.bool_)
        if self._rng.random() < 0.75:
            mask[0] = ANCHOR_MASK
        return mask


def _at(motion: NDArray[np.float16], positions: NDArray[np.float32]) -> NDArray[np.float32]:
    """Motion [T, 64] at fractional frame positions."""
    low = np.clip(positions.astype(int), 0, len(motion) - 1)
    high = np.minimum(low + 1, len(motion) - 1)
    part = (positions - low)[:, None].astype(np.float32)
    return motion[low].astype(np.float32) * (1 - part) + motion[high].astype(np.float32) * part
