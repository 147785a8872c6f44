"""How well a clip was filmed, without a reference: sharp, free of noise, neither too dark nor too bright.

sharpness: 1 less the blur metric of Crete et al. (2007), by scikit-image: how much a picture changes when it is blurred once
more. It tells blur whatever is shown. noise: Immerkær's estimate (1996) of the standard deviation of the noise, 0–255.
exposure: the share of the tonal range that the face uses, less the share of it that is burnt out or drowned.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from export.curate.faces import Picture

_WIDTH = 256  # of the face, when it is larger: what is smaller in a picture is nobody's loss
_LAPLACIANS = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)


@dataclass(frozen=True, slots=True)
class Quality:
    sharpness: float
    noise: float
    exposure: float


def measure(picture: Picture, box: tuple[float, float, float, float]) -> Quality:
    """Of the face in one frame. box: left, top, right, bottom in pixels."""
    left, top, right, bottom = (round(value) for value in box)
    height, width = picture.shape[:2]
    face = picture[max(0, top) : min(height, max(bottom, top + 16)), max(0, left) : min(width, max(right, left + 16))]
    if min(face.shape[:2]) < 16:
        return Quality(0.0, 0.0, 0.0)
    grey = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY)
    return Quality(sharpness(grey), noise(grey), exposure(grey))


def sharpness(grey: NDArray[np.uint8]) -> float:
    """0 (blurred) to 1."""
    from skimage.measure import blur_effect

    scale = _WIDTH / grey.shape[1]
    if scale < 1:
        grey = np.asarray(cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    return 1.0 - float(blur_effect(grey))


def noise(grey: NDArray[np.uint8]) -> float:
    """Standard deviation in grey levels, where the picture is flat enough to tell."""
    response = np.abs(cv2.filter2D(grey.astype(np.float32), -1, _LAPLACIANS))[1:-1, 1:-1]
    edges = np.abs(cv2.Sobel(grey, cv2.CV_32F, 1, 0))[1:-1, 1:-1] + np.abs(cv2.Sobel(grey, cv2.CV_32F, 0, 1))[1:-1, 1:-1]
    flat = response[edges <= np.percentile(edges, 50)]
    return float(np.sqrt(np.pi / 2) / 6 * flat.mean())


def exposure(grey: NDArray[np.uint8]) -> float:
    """0 (black, white or fog) to about 0.9."""
    low, high = np.percentile(grey, [2, 98])
    lost = float(((grey <= 6) | (grey >= 249)).mean())
    return float((high - low) / 255) - lost
