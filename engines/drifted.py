"""Known frames as they look after minutes of drift: what negative-frame guidance leads away from."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Rgb = NDArray[np.uint8]  # [h, w, 3]

_BLUR = 0.006  # of the longer side, standard deviation
_WARP = 0.004  # of the longer side, by how far texture is moved
_CONTRAST, _SATURATION = 1.35, 1.5
_TINT = np.array([1.06, 1.0, 0.92], np.float32)  # towards yellow, where autoregressive video drifts


def drifted(picture: Rgb, seed: int = 0) -> Rgb:
    """The picture blurred and bent, with too much contrast and saturation, and a tint. Same seed, same picture."""
    h, w = picture.shape[:2]
    side = max(h, w)
    rng = np.random.default_rng(seed)
    coarse = rng.standard_normal((2, max(2, h // 16), max(2, w // 16))).astype(np.float32)
    moved_x, moved_y = (cv2.resize(field, (w, h), interpolation=cv2.INTER_CUBIC) * _WARP * side for field in coarse)
    columns, rows = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    warped = cv2.remap(picture, columns + moved_x, rows + moved_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    x = cv2.GaussianBlur(warped, (0, 0), max(0.5, _BLUR * side)).astype(np.float32)
    grey = x @ np.array([0.299, 0.587, 0.114], np.float32)
    x = grey[..., None] + _SATURATION * (x - grey[..., None])
    x = (x - 127.5) * _CONTRAST + 127.5
    return np.clip(x * _TINT, 0, 255).astype(np.uint8)
