"""Do the lips follow the sound? A ridge regression from speech features to lip motion, fitted on real people, tells.

The predictor turns the sound of a clip into the inner-lip aperture and jaw height it makes likely; how well that goes with
what a face shows is that face's lip correlation. Real people reach 0.6 in the median, the sound of somebody else about 0.05.
The slow part (a running mean of 1.3 s) is taken from both, so that neither pose nor loudness of a whole phrase counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engines.features import SpeechEncoder
from engines.specs import FEATURE_DIM, FEATURE_RATE_HZ
from export.evaluate.talking import FPS, SAMPLES_PER_FRAME

Frames = NDArray[np.float32]  # [T, k] at 25 fps

MEAN_FRAMES = 33  # of the running mean: 1.32 s
RIDGE = 20_000.0  # on standardised features
CONTEXT = (-1, 0, 1)  # frames
SEARCHED_LAG = 5  # frames


def without_slow_part(series: Frames, num_frames: int = MEAN_FRAMES) -> Frames:
    """[T, k] less its running mean; what lies beyond the ends is taken to be like the ends."""
    half = num_frames // 2
    padded = np.pad(series.astype(np.float64), ((half + 1, half), (0, 0)), mode="edge")
    total = np.cumsum(padded, axis=0)
    return (series - (total[2 * half + 1 :] - total[: -2 * half - 1]) / (2 * half + 1)).astype(np.float32)


def frame_features(encoder: SpeechEncoder, audio: NDArray[np.int16], num_frames: int | None = None) -> Frames:
    """Speech features of 16 kHz sound with their neighbours, [T, 3 * 384], T = frames of 25 fps; beyond the end is silence."""
    num_frames = len(audio) // SAMPLES_PER_FRAME if num_frames is None else num_frames
    steps = encoder.encode(audio, 0.0, num_frames / FPS, final=True)
    per_frame = FEATURE_RATE_HZ // FPS
    features = steps[: num_frames * per_frame].reshape(num_frames, per_frame, FEATURE_DIM).mean(axis=1)
    at = np.arange(num_frames)
    return np.concatenate([features[np.clip(at + offset, 0, num_frames - 1)] for offset in CONTEXT], axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class LipPredictor:
    """weights [1152, 2]: features to aperture and jaw, in eye distances, slow part taken away."""

    weights: NDArray[np.float64]

    def predict(self, features: Frames) -> Frames:
        """Features [T, 1152] of `frame_features` to lip motion [T, 2]."""
        return without_slow_part((without_slow_part(features) @ self.weights).astype(np.float32))


class LipRegression:
    """Collects clips, then fits predictors with or without any one of them."""

    def __init__(self) -> None:
        self._grams: dict[str, NDArray[np.float64]] = {}
        self._products: dict[str, NDArray[np.float64]] = {}
        self._squares: dict[str, NDArray[np.float64]] = {}
        self._counts: dict[str, int] = {}

    def add(self, name: str, features: Frames, lips: Frames, found: NDArray[np.bool_] | None = None) -> None:
        """A clip: features [T, 1152], lips [T, 2] in eye distances. Frames not found are left out."""
        rows = np.ones(len(lips), bool) if found is None else found
        x = without_slow_part(features)[rows].astype(np.float64)
        y = without_slow_part(lips)[rows].astype(np.float64)
        self._grams[name], self._products[name] = x.T @ x, x.T @ y
        self._squares[name], self._counts[name] = (x**2).sum(0), len(x)

    def fit(self, leave_out: Iterable[str] = ()) -> LipPredictor:
        """Raises ValueError when nothing is left to fit on."""
        left_out = set(leave_out)
        names = [name for name in self._grams if name not in left_out]
        if not names:
            raise ValueError("no clip is left to fit the lip predictor on")
        count = sum(self._counts[name] for name in names)
        spread = np.sqrt(np.sum([self._squares[name] for name in names], axis=0) / count) + 1e-9
        gram = np.sum([self._grams[name] for name in names], axis=0) / np.outer(spread, spread)
        product = np.sum([self._products[name] for name in names], axis=0) / spread[:, None]
        solved = np.linalg.solve(gram + RIDGE * np.eye(len(gram)), product)
        return LipPredictor(solved / spread[:, None])


@dataclass(frozen=True, slots=True)
class Agreement:
    """r: the highest correlation at lags -1, 0, +1. lag: of the peak within +-5 frames; below 0 the mouth leads the sound."""

    r: float
    lag_frames: int


def agreement(predicted: Frames, measured: Frames, found: NDArray[np.bool_] | None = None) -> Agreement:
    """Correlation of predicted with measured lips, both [T, 2]: the mean of aperture's and jaw's."""
    shown = without_slow_part(measured)
    rows = np.ones(len(shown), bool) if found is None else found
    scores = {lag: _correlation(predicted, shown, rows, lag) for lag in range(-SEARCHED_LAG, SEARCHED_LAG + 1)}
    return Agreement(r=max(scores[lag] for lag in (-1, 0, 1)), lag_frames=max(scores, key=lambda lag: scores[lag]))


def _correlation(predicted: Frames, shown: Frames, rows: NDArray[np.bool_], lag: int) -> float:
    num = min(len(predicted), len(shown))
    first, last = max(0, -lag), num - max(0, lag)
    kept = rows[first + lag : last + lag]
    a, b = predicted[first:last][kept], shown[first + lag : last + lag][kept]
    if len(a) < 5:
        return 0.0
    a, b = a - a.mean(0), b - b.mean(0)
    scale = np.sqrt((a**2).sum(0) * (b**2).sum(0))
    return float(np.mean(np.where(scale > 0, (a * b).sum(0) / np.maximum(scale, 1e-12), 0.0)))
