"""Google's selfie segmenter, looked through more than once: the whole picture, the head closer up, each also mirrored."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import mediapipe as mp
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision
from numpy.typing import NDArray

from engines.codecs.portrait.detect import WEIGHTS, verified

SEGMENTER_SHA256 = "9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c"

Rect = tuple[int, int, int, int]  # left, top, right, bottom


class PersonSegmenter:
    """The segmenter for single pictures; it works at 256 x 256 whatever it is given."""

    def __init__(self) -> None:
        model = verified(WEIGHTS / "selfie_segmentation.tflite", SEGMENTER_SHA256)
        self._segmenter = vision.ImageSegmenter.create_from_options(
            vision.ImageSegmenterOptions(
                base_options=BaseOptions(model_asset_path=str(model)), output_confidence_masks=True, output_category_mask=False
            )
        )

    def mask(self, picture: NDArray[Any]) -> NDArray[Any]:
        """How surely each pixel of an RGB picture [h, w, 3] is part of a person: float32 [h, w], 0 to 1."""
        straight, mirrored = self._once(picture), self._once(picture[:, ::-1])[:, ::-1]
        return (straight + mirrored) / 2

    def _once(self, picture: NDArray[Any]) -> NDArray[Any]:
        image = mp.Image(image_format=mp.ImageFormat.SRGB, data=np.ascontiguousarray(picture))
        mask = self._segmenter.segment(image).confidence_masks[0].numpy_view()
        return mask.reshape(picture.shape[:2]).astype(np.float32)

    def close(self) -> None:
        self._segmenter.close()


def person_mask(picture: NDArray[Any], points: NDArray[Any]) -> NDArray[Any]:
    """The segmenter's mask [h, w] of an RGB picture, in more detail around the face points [478, 2]."""
    height, width = picture.shape[:2]
    with closing(PersonSegmenter()) as segmenter:
        mask = segmenter.mask(picture)
        for left, top, right, bottom in _closer_views(width, height, points):
            view = segmenter.mask(picture[top:bottom, left:right])
            share = _feather((left, top, right, bottom), width, height)
            mask[top:bottom, left:right] += share * (view - mask[top:bottom, left:right])
        if height > 1.25 * width:  # too squat for the segmenter once squared: look at the lower part by itself
            lower = segmenter.mask(picture[height - width :])
            below = np.arange(height - width, height)[:, None] > points[:, 1].max()
            mask[height - width :] = np.where(below, np.maximum(mask[height - width :], lower), mask[height - width :])
    return mask


def _closer_views(width: int, height: int, points: NDArray[Any]) -> Iterator[Rect]:
    """Head and shoulders, where they are not most of the picture already."""
    low, high = points.min(0), points.max(0)
    side = 3.2 * float((high - low).max())
    if side < 0.8 * max(width, height):
        x, y = (low + high) / 2 + np.array([0, 0.12 * side])
        yield (
            max(0, round(float(x) - side / 2)),
            max(0, round(float(y) - side / 2)),
            min(width, round(float(x) + side / 2)),
            min(height, round(float(y) + side / 2)),
        )


def _feather(rect: Rect, width: int, height: int) -> NDArray[Any]:
    """1 inside the rectangle, falling to 0 at those of its sides that are not the picture's: float32 [h, w]."""
    left, top, right, bottom = rect
    ramp = 0.15 * max(right - left, bottom - top)
    x, y = np.arange(right - left, dtype=np.float32), np.arange(bottom - top, dtype=np.float32)
    across = np.minimum(x / ramp if left > 0 else np.inf, x[::-1] / ramp if right < width else np.inf)
    down = np.minimum(y / ramp if top > 0 else np.inf, y[::-1] / ramp if bottom < height else np.inf)
    across, down = np.broadcast_to(across, x.shape), np.broadcast_to(down, y.shape)
    return np.clip(np.minimum(across[None, :], down[:, None]), 0, 1).astype(np.float32)
