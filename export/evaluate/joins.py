"""How smoothly sub-clips join: what jumps across a join, against what jumps inside clips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engines.motion import Motion

#: Differences of first, second and third order: jumps of the position, of its velocity, of its acceleration.
ORDERS = {"position": 1, "velocity": 2, "acceleration": 3}
_SHARE = 95  # percentile


@dataclass(frozen=True, slots=True)
class Jump:
    """95th percentiles across joins and inside clips."""

    at_joins: float
    inside: float

    @property
    def ratio(self) -> float:
        return self.at_joins / max(self.inside, 1e-12)


def motion_jumps(motion: Motion, joins: Sequence[int]) -> dict[str, Jump]:
    """Of motion [n, 64] whose clips begin at the frames `joins`, every channel over its own typical step."""
    steps = np.diff(motion.astype(np.float64), axis=0)
    scale = np.sqrt((steps**2).mean(axis=0))
    moving = scale > 1e-6
    normal = motion[:, moving].astype(np.float64) / scale[moving]
    return {name: _jump(np.abs(np.diff(normal, n=order, axis=0)), order, joins) for name, order in ORDERS.items()}


def picture_jumps(stretches: Sequence[NDArray[np.uint8]], joins: Sequence[int]) -> dict[str, Jump]:
    """Of stretches of luma [n, h, w], in each of which a clip begins at the frame given.

    luminance: of the whole picture, in grey levels. pixels: mean absolute difference of each picture from the one before.
    """
    across: dict[str, list[float]] = {"luminance": [], "pixels": []}
    inside: dict[str, list[float]] = {"luminance": [], "pixels": []}
    for luma, join in zip(stretches, joins, strict=True):
        values = luma.astype(np.float32)
        for i in range(1, len(values)):
            kept = across if i == join else inside
            kept["luminance"].append(abs(float(values[i].mean() - values[i - 1].mean())))
            kept["pixels"].append(float(np.abs(values[i] - values[i - 1]).mean()))
    return {name: Jump(_p95(np.array(across[name])), _p95(np.array(inside[name]))) for name in across}


def _jump(values: NDArray[np.float64], order: int, joins: Sequence[int]) -> Jump:
    """values [n - order, k]: entry i spans frames i to i + order; RMS over channels first."""
    size = np.sqrt((values**2).mean(axis=1))
    spans = np.zeros(len(size), np.bool_)
    for join in joins:
        spans[max(0, join - order) : join] = True
    return Jump(_p95(size[spans]), _p95(size[~spans]))


def _p95(values: NDArray[np.float64]) -> float:
    return float(np.percentile(values, _SHARE)) if len(values) else 0.0
