"""Colours brought back to where they began: chained clips of a pixel model drift, a little with each."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Rgb = NDArray[np.uint8]  # [h, w, 3]


def matcher(reference: Rgb) -> Callable[[Rgb], Rgb]:
    """Gives pictures the mean and spread of the reference in each channel of CIELAB (Reinhard et al. 2001)."""
    mean, spread = cv2.meanStdDev(_lab(reference))

    def matched(picture: Rgb) -> Rgb:
        lab = _lab(picture)
        its_mean, its_spread = cv2.meanStdDev(lab)
        moved = (lab - its_mean.T) * (spread / np.maximum(its_spread, 1e-6)).T + mean.T
        rgb = cv2.cvtColor(moved.astype(np.float32), cv2.COLOR_LAB2RGB)
        return (rgb.clip(0, 1) * 255).round().astype(np.uint8)

    return matched


def _lab(picture: Rgb) -> NDArray[np.float32]:
    return cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB).astype(np.float32, copy=False)
