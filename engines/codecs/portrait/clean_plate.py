"""The clean plate: what stands behind the person, made up from what is seen around them."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

#: Distance into the hole, as a share of the picture's longer side, over which mirrored texture gives way to smooth colour.
_TEXTURE_SHARE = 1 / 10
#: Longest side at which smooth colours are worked out.
_SMOOTH_SIDE = 320
#: How far around the matte the picture is not trusted to be background, as a share of its longer side.
_RING_SHARE = 1 / 80


def paint_out(picture: NDArray[Any], matte: NDArray[Any]) -> NDArray[Any]:
    """The picture with the person painted over. picture RGB uint8 [h, w, 3], matte uint8 [h, w], 255 is person.

    Near the outline the surroundings are mirrored inwards, texture and all; deeper in, where nothing ever shows unless the head
    turns far, they fade to smooth colour.
    """
    height, width = matte.shape
    side = max(height, width)
    ring = max(2, round(side * _RING_SHARE))
    hole = grown(matte > 10, ring)
    if hole.all():
        return np.full_like(picture, np.median(picture.reshape(-1, 3), axis=0).astype(np.uint8))
    if not hole.any():
        return picture.copy()
    smooth = smooth_fill(picture, hole)
    mirrored, trust = _mirrored(picture, hole)
    depth = cv2.distanceTransform(hole, cv2.DIST_L2, 5)
    share = trust * np.clip(1 - depth / (side * _TEXTURE_SHARE), 0, 1)
    filled = smooth + share[..., None] * (mirrored - smooth)
    feather = np.clip(depth / ring, 0, 1)[..., None]
    return np.clip(picture + feather * (filled - picture) + 0.5, 0, 255).astype(np.uint8)


def grown(mask: NDArray[Any], radius: float) -> NDArray[Any]:
    """Everything within `radius` pixels of a bool mask [h, w]: uint8 [h, w], 0 or 1. Takes the same time for any radius."""
    return (cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5) <= radius).astype(np.uint8)


def smooth_fill(picture: NDArray[Any], hole: NDArray[Any]) -> NDArray[Any]:
    """The hole filled with smooth colours that fit its rim: float32 [h, w, 3]. hole uint8 [h, w], 1 is hole."""
    height, width = hole.shape
    factor = max(1, round(max(height, width) / _SMOOTH_SIDE))
    size = (max(1, width // factor), max(1, height // factor))
    weight = cv2.resize(1 - hole.astype(np.float32), size, interpolation=cv2.INTER_AREA)[..., None]
    seen = cv2.copyTo(picture, 1 - hole)
    small = cv2.resize(seen, size, interpolation=cv2.INTER_AREA).astype(np.float32) / np.maximum(weight, 1e-6)
    filled = cv2.resize(_pull_push(small, (weight > 0.5).astype(np.float32)), (width, height), interpolation=cv2.INTER_LINEAR)
    return cv2.copyTo(picture.astype(np.float32), 1 - hole, filled)


def _pull_push(colour: NDArray[Any], weight: NDArray[Any]) -> NDArray[Any]:
    """Fill where `weight` is 0 from where it is 1 (Gortler et al. 1996), colour [h, w, 3], weight [h, w, 1].

    Each level halves the picture; a hole takes the level above, enlarged and smoothed, so it widens without streaks.
    """
    height, width = weight.shape[:2]
    if min(height, width) <= 2:
        mean = (colour * weight).sum((0, 1)) / max(float(weight.sum()), 1e-6)
        return (colour * weight + mean * (1 - weight)).astype(np.float32)
    half = ((width + 1) // 2, (height + 1) // 2)
    small_weight = cv2.resize(weight, half, interpolation=cv2.INTER_AREA)[..., None]
    small = cv2.resize(colour * weight, half, interpolation=cv2.INTER_AREA) / np.maximum(small_weight, 1e-6)
    filled = _pull_push(small.astype(np.float32), np.minimum(small_weight * 2, 1))
    above = cv2.GaussianBlur(cv2.resize(filled, (width, height), interpolation=cv2.INTER_LINEAR), (0, 0), 1.0)
    return (colour * weight + above * (1 - weight)).astype(np.float32)


def _mirrored(picture: NDArray[Any], hole: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The surroundings mirrored at the hole's rim, and how far each pixel's source may be trusted, 0 to 1.

    Worked out at a quarter of the size: the map is smooth, only the picture is sharp.
    """
    height, width = hole.shape
    factor = max(1, max(height, width) // 256)
    small = cv2.resize(hole, (width // factor, height // factor), interpolation=cv2.INTER_NEAREST)
    _, labels = cv2.distanceTransformWithLabels(small, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    rim_y, rim_x = np.nonzero(small == 0)
    nearest = np.zeros((labels.max() + 1, 2), np.float32)
    nearest[labels[rim_y, rim_x]] = np.column_stack([rim_x, rim_y])
    here = np.dstack(np.meshgrid(np.arange(small.shape[1]), np.arange(small.shape[0]))).astype(np.float32)
    jump = 2 * (nearest[labels] - here)
    jump = cv2.GaussianBlur(jump, (0, 0), 2.0)
    source = cv2.resize(here + jump, (width, height), interpolation=cv2.INTER_LINEAR)
    source = (source + 0.5) * np.array([width / small.shape[1], height / small.shape[0]], np.float32) - 0.5
    mirrored = cv2.remap(picture, source[..., 0], source[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    seen = cv2.remap(
        1 - hole.astype(np.float32),
        source[..., 0],
        source[..., 1],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=0,
    )
    soft = max(height, width) / 200
    return mirrored.astype(np.float32), np.clip(cv2.GaussianBlur(seen, (0, 0), soft) * 2 - 1, 0, 1)
