"""Person and background apart: an 8-bit matte, and a plausible picture of what the person hides."""

from __future__ import annotations

from contextlib import closing

import cv2
import mediapipe as mp
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision
from numpy.typing import NDArray

from engines.codecs.portrait.detect import WEIGHTS, verified

SEGMENTER_SHA256 = "9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c"


def cut_out(picture: NDArray[np.uint8], landmarks: NDArray[np.float32]) -> tuple[NDArray[np.uint8], str]:
    """Matte uint8 [h, w] of the person around the face, and which way made it: "segmenter" or "soft"."""
    segmented = segment(picture)
    refined = guided_filter(picture, segmented, radius=max(2, max(picture.shape[:2]) // 128), epsilon=1e-4)
    return (np.clip(refined, 0, 1) * 255 + 0.5).astype(np.uint8), "segmenter"


def segment(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Google's selfie segmenter: coverage float32 [h, w] of any person, at the 256 x 256 detail it has."""
    options = vision.ImageSegmenterOptions(
        base_options=BaseOptions(model_asset_path=str(verified(WEIGHTS / "selfie_segmentation.tflite", SEGMENTER_SHA256))),
        output_confidence_masks=True,
        output_category_mask=False,
    )
    with closing(vision.ImageSegmenter.create_from_options(options)) as segmenter:
        image = mp.Image(image_format=mp.ImageFormat.SRGB, data=np.ascontiguousarray(picture))
        mask = segmenter.segment(image).confidence_masks[0].numpy_view()
        return mask.reshape(picture.shape[:2]).astype(np.float32)


def guided_filter(guide: NDArray[np.uint8], mask: NDArray[np.float32], radius: int, epsilon: float) -> NDArray[np.float32]:
    """He, Sun and Tang 2010, grey guide: the mask made to follow the guide's edges. All [h, w], mask 0 to 1."""
    grey = cv2.cvtColor(guide, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    size = (2 * radius + 1, 2 * radius + 1)
    mean_i, mean_p = cv2.blur(grey, size), cv2.blur(mask, size)
    slope = (cv2.blur(grey * mask, size) - mean_i * mean_p) / (cv2.blur(grey * grey, size) - mean_i**2 + epsilon)
    offset = mean_p - slope * mean_i
    return (cv2.blur(slope, size) * grey + cv2.blur(offset, size)).astype(np.float32)


def paint_out(picture: NDArray[np.uint8], matte: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture with the person painted over from around them. RGB uint8 [h, w, 3].

    Coarse to fine: each level's hole takes the level above, enlarged, so far from the edge it is smooth.
    """
    reach = max(3, max(matte.shape) // 60)
    hole = cv2.dilate(matte, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1)))
    keep = 1 - np.clip(hole.astype(np.float32) / 64, 0, 1)
    return np.clip(_pull_push(picture.astype(np.float32), keep[..., None]) + 0.5, 0, 255).astype(np.uint8)


def _pull_push(colour: NDArray[np.float32], weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """Fill where `weight` is 0 from where it is not (Gortler et al. 1996). [h, w, 3] and [h, w, 1]."""
    height, width = weight.shape[:2]
    if min(height, width) <= 2:
        total = max(float(weight.sum()), 1e-6)
        mean = (colour * weight).sum((0, 1)) / total
        return (colour * weight + mean * (1 - weight)).astype(np.float32)
    half = ((width + 1) // 2, (height + 1) // 2)
    small_weight = cv2.resize(weight, half, interpolation=cv2.INTER_AREA)[..., None]
    small = cv2.resize(colour * weight, half, interpolation=cv2.INTER_AREA) / np.maximum(small_weight, 1e-6)
    filled = _pull_push(small, np.minimum(small_weight * 2, 1))
    above = cv2.resize(filled, (width, height), interpolation=cv2.INTER_LINEAR)
    return (colour * weight + above * (1 - weight)).astype(np.float32)
