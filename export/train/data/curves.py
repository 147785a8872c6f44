"""Smooth curves over time at the motion's frame rate: what gestures are drawn with. Times in seconds, tracks [T] float64."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from export.train.data import MOTION_FPS

Track = NDArray[np.float64]


def frame_times(num_frames: int) -> Track:
    """The middle of each frame, [T]."""
    return (np.arange(num_frames) + 0.5) / MOTION_FPS


def ease(x: Track) -> Track:
    """Minimum-jerk step (Flash & Hogan 1985): 0 below 0, 1 above 1, without speed or acceleration at either end."""
    x = np.clip(x, 0.0, 1.0)
    return x**3 * (10 - 15 * x + 6 * x**2)


def bump(t: Track, start_s: float, attack_s: float, hold_s: float, release_s: float) -> Track:
    """Up to 1 within ``attack_s``, there for ``hold_s``, and back to 0."""
    return ease((t - start_s) / attack_s) - ease((t - start_s - attack_s - hold_s) / release_s)


def smooth(track: Track, width_s: float) -> Track:
    """Convolution with a raised cosine, the ends held. Shape [T] or [T, c]."""
    half = max(1, round(width_s * MOTION_FPS / 2))
    kernel = 0.5 + 0.5 * np.cos(np.pi * np.arange(-half + 1, half) / half)
    kernel /= kernel.sum()
    if track.ndim == 2:
        return np.stack([smooth(column, width_s) for column in track.T], axis=1)
    return np.convolve(np.pad(track, half - 1, mode="edge"), kernel, mode="valid")


def wander(num_frames: int, period_s: float, rng: np.random.Generator) -> Track:
    """Smooth noise of unit standard deviation (over long times) that hardly changes within a fifth of ``period_s``."""
    margin = int(2 * period_s * MOTION_FPS) + 2
    noise = smooth(rng.standard_normal(num_frames + 2 * margin), period_s)[margin : margin + num_frames]
    half = max(1, round(period_s * MOTION_FPS / 2))
    kernel = 0.5 + 0.5 * np.cos(np.pi * np.arange(-half + 1, half) / half)
    return noise / np.sqrt(np.sum((kernel / kernel.sum()) ** 2))


def steps(num_frames: int, at_s: list[float], values: list[float], travel_s: float) -> Track:
    """A track that goes from one value to the next at each time, within ``travel_s``. ``values`` has one more than ``at_s``."""
    t = frame_times(num_frames)
    track = np.full(num_frames, values[0], np.float64)
    for time, before, after in zip(at_s, values, values[1:], strict=False):
        track += (after - before) * ease((t - time) / travel_s)
    return track
