"""Planes of pixels: float32 pictures, and the few ways in which they are resampled and stored."""

from __future__ import annotations

from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Picture = NDArray[np.uint8]
#: x and y of places in a plane, pixels: float32 [2, rows, columns], or one array [rows, columns] for each.
Places = Array | tuple[Array, Array]

#: Filters for a pixel's own place and for the middle between it and the next one (Keys' cubic with a = -0.75, as OpenCV's).
_HERE = np.array((0, 1, 0, 0), np.float32)
_BETWEEN = np.array((-3, 19, 19, -3), np.float32) / 32


def take(plane: Array, at: Places, cubic: bool = False, border: int = cv2.BORDER_REPLICATE) -> Array:
    """The values of a plane [h, w] or [h, w, c] at places."""
    method = cv2.INTER_CUBIC if cubic else cv2.INTER_LINEAR
    return np.asarray(cv2.remap(plane, at[0], at[1], method, borderMode=border), np.float32)


def half(plane: Array) -> Array:
    """A plane at half size, each pixel the mean of four."""
    small = cv2.resize(plane, (plane.shape[1] // 2, plane.shape[0] // 2), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)


def look_up(plane: Picture, at: Places) -> Picture:
    """The values of an 8-bit plane [h, w] or [h, w, 4] at places, linear between pixels."""
    return np.asarray(cv2.remap(plane, at[0], at[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def blocks(plane: Picture, step: int) -> Picture:
    """Each pixel of a plane [h, w] with its neighbours `step` to the right, below, and both: [h, w, 4].

    A look-up of four channels takes as long as that of one, so one answers for two by two pixels of a frame.
    """
    rows, cols = (np.minimum(np.arange(n) + step, n - 1) for n in plane.shape)
    right, below = plane[:, cols], plane[rows]
    return np.asarray(cv2.merge((plane, right, below, right[rows])), np.uint8)


def apart(these: Picture) -> Picture:
    """Two by two pixels [h, w, 4] as the pixels that they are, [h * 2, w * 2]."""
    height, width, _ = these.shape
    plane = np.empty((height * 2, width * 2), np.uint8)
    pairs, rows = these.view(np.uint16), plane.view(np.uint16)
    rows[::2], rows[1::2] = pairs[..., 0], pairs[..., 1]
    return plane


def warped(plane: Picture, matrix: Array, size: tuple[int, int]) -> Picture:
    """A plane [h, w] or [h, w, 4] seen through a matrix [2, 3] from new pixels to its own, mirrored at its edges.

    size: (width, height).
    """
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(plane, matrix, size, flags=flags, borderMode=cv2.BORDER_REFLECT), np.uint8)


def store(plane: Array, into: Picture) -> None:
    """Round into 8 bits, in place, keeping to 0-255."""
    cv2.add(plane, 0.0, dst=into, dtype=cv2.CV_8U)


def rounded(plane: NDArray[np.floating]) -> Picture:
    """In 8 bits, keeping to 0-255."""
    return np.clip(np.rint(plane), 0, 255).astype(np.uint8)


def enlarged(plane: Picture, times: int) -> Picture:
    """A plane [h, w] `times` (1 or 2) as large by a cubic filter; pixel (x, y) stays as it is, at `times` its place."""
    if times == 1:
        return plane
    quarters = [
        np.asarray(cv2.sepFilter2D(plane, -1, across, down, anchor=(1, 1), borderType=cv2.BORDER_REPLICATE), np.uint8)
        for down, across in product((_HERE, _BETWEEN), repeat=2)
    ]
    return apart(np.asarray(cv2.merge(quarters), np.uint8))


def mesh(width: int, height: int) -> Array:
    """Pixel coordinates (x, y): [height, width, 2]."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return np.dstack((x, y))


def smoothstep(x: NDArray[np.floating], low: float, high: float) -> Array:
    """0 below `low`, 1 above `high`, smooth between."""
    t = np.clip((x - low) / (high - low), 0.0, 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t), np.float32)


def to_planes(rgb: Picture) -> tuple[Picture, Picture]:
    """RGB to (Y [h, w], UV [h/2, w/2, 2]), the planes of I420."""
    height, width = rgb.shape[:2]
    i420 = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420), np.uint8)
    u, v = i420[height:].reshape(2, height // 2, width // 2)
    return np.ascontiguousarray(i420[:height]), np.ascontiguousarray(np.dstack((u, v)))


def spread(plane: Array, weight: Array) -> Array:
    """Fill where weight is 0 from where it is 1, smoothly (pull-push over a pyramid). plane: [h, w, c]; weight: [h, w]."""
    height, width = weight.shape
    if min(height, width) < 2 or weight.min() > 0.99:
        mean = (plane * weight[..., None]).sum((0, 1)) / max(float(weight.sum()), 1e-6)
        return np.asarray(plane * weight[..., None] + mean * (1 - weight[..., None]), np.float32)
    size = ((width + 1) // 2, (height + 1) // 2)
    low_weight = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
    low = cv2.resize(plane * weight[..., None], size, interpolation=cv2.INTER_AREA).reshape(size[1], size[0], -1)
    low = low / np.maximum(low_weight, 1e-6)[..., None]
    low = spread(low.astype(np.float32), np.asarray(np.minimum(1, low_weight * 2), np.float32))
    back = cv2.resize(low, (width, height), interpolation=cv2.INTER_LINEAR).reshape(height, width, -1)
    return np.asarray(plane * weight[..., None] + back * (1 - weight[..., None]), np.float32)
