"""How well a score tells clean clips from spoilt ones, and where to draw the line."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def roc_auc(clean: Sequence[float], spoilt: Sequence[float]) -> float:
    """The chance that a clean clip scores above a spoilt one, ties counting half (Mann & Whitney 1947); NaN without both."""
    if not len(clean) or not len(spoilt):
        return float("nan")
    a, b = np.asarray(clean)[:, None], np.asarray(spoilt)[None]
    return float(((a > b) + 0.5 * (a == b)).mean())


def roc_curve(
    clean: Sequence[float], spoilt: Sequence[float]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Thresholds from high to low; the share of clean and of spoilt clips at or above each."""
    thresholds = np.unique(np.concatenate([clean, spoilt, [-np.inf, np.inf]]))[::-1]
    kept = (np.asarray(clean)[None] >= thresholds[:, None]).mean(axis=1)
    passed = (np.asarray(spoilt)[None] >= thresholds[:, None]).mean(axis=1)
    return thresholds, kept, passed


def best_threshold(clean: Sequence[float], spoilt: Sequence[float]) -> float:
    """Where the share of clean clips kept less that of spoilt ones passed is largest (Youden 1950), mid-gap."""
    thresholds, kept, passed = roc_curve(clean, spoilt)
    at = int((kept - passed).argmax())
    lower = thresholds[at + 1] if at + 1 < len(thresholds) else thresholds[at]
    return float(thresholds[at] if not np.isfinite(lower) else (thresholds[at] + lower) / 2)
