"""The person apart from the background: an 8-bit matte.

Google's selfie segmenter says where the person is; colours decide where it is unsure; the picture's own edges and, before a
plain background, single strands of hair then set the outline at full size.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.codecs.portrait.clean_plate import grown, smooth_fill
from engines.codecs.portrait.silhouette import Mask, disc, silhouette

#: Longest side of the picture while it is decided what is person.
_WORKING_SIDE = 448


def cut_out(picture: NDArray[Any], landmarks: NDArray[Any]) -> tuple[NDArray[Any], str]:
    """Matte uint8 [h, w] of the person whose face that is, and what made it: see `silhouette`.

    picture: RGB uint8 [h, w, 3]. landmarks: float32 [478, 3], pixels.
    """
    height, width = picture.shape[:2]
    scale = min(1.0, _WORKING_SIDE / max(height, width))
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    coarse, made_by = silhouette(small, landmarks[:, :2] * scale)
    mask = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    if made_by != "soft":
        mask = _sharpened(picture, mask)
        mask = _with_strands(picture, mask)
    return (np.clip(mask, 0, 1) * 255 + 0.5).astype(np.uint8), made_by


def _sharpened(picture: NDArray[Any], mask: Mask) -> Mask:
    """The mask drawn to the picture's edges by a guided filter, near its outline only."""
    radius = max(2, max(mask.shape) // 128)
    refined = np.clip(guided_filter(picture, mask, radius, 1e-4), 0, 1)
    refined = np.clip((refined - 0.08) / 0.84, 0, 1)
    outline = (cv2.dilate((mask > 0.02).astype(np.uint8), disc(radius)) > 0) & (cv2.erode(mask, disc(radius)) < 0.98)
    return np.where(outline, refined, np.round(mask)).astype(np.float32)


def guided_filter(guide: NDArray[Any], mask: Mask, radius: int, epsilon: float) -> Mask:
    """He, Sun and Tang 2010, fast form: the mask made to follow the guide's edges. All [h, w]; `radius` in pixels.

    Each colour channel is tried by itself, and the one that explains the mask best is kept, pixel by pixel.
    """
    height, width = mask.shape
    factor = max(1, min(radius // 3, max(height, width) // 640))
    small = (width // factor, height // factor)
    coarse = cv2.resize(mask, small, interpolation=cv2.INTER_AREA)
    size = (2 * (radius // factor) + 1,) * 2
    mean_mask = cv2.blur(coarse, size)
    best, least = mask, np.full(mask.shape, np.inf, np.float32)
    for channel in cv2.split(guide):
        light = cv2.resize(channel, small, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        mean = cv2.blur(light, size)
        covariance = cv2.blur(light * coarse, size) - mean * mean_mask
        slope = covariance / (cv2.blur(light * light, size) - mean**2 + epsilon)
        line = np.dstack([cv2.blur(slope, size), cv2.blur(mean_mask - slope * mean, size), -covariance * slope])
        slope, offset, unexplained = cv2.split(cv2.resize(line, (width, height), interpolation=cv2.INTER_LINEAR))
        best = np.where(unexplained < least, slope * (channel.astype(np.float32) / 255) + offset, best)
        least = np.minimum(unexplained, least)
    return best.astype(np.float32)


def _with_strands(picture: NDArray[Any], mask: Mask) -> Mask:
    """Hair that the segmenter is too coarse for, where the background is plain enough to tell.

    With B the background filled in from afar and F the person's colour from within, coverage is the share a of F in
    I = aF + (1 - a)B.
    """
    side = max(mask.shape)
    reach = max(4, side // 16)
    near = grown(mask > 0.1, reach)
    if (near == 0).mean() < 0.02:
        return mask
    behind = smooth_fill(picture, near)
    inside = cv2.erode((mask > 0.95).astype(np.uint8), disc(max(1, side // 256)))
    difference = smooth_fill(picture, 1 - inside) - behind
    strength = np.maximum((difference**2).sum(-1), 1)
    coverage = ((picture.astype(np.float32) - behind) * difference).sum(-1) / strength
    unevenness = _unevenness(picture, near, reach)
    floor = np.clip(3 * unevenness / np.sqrt(strength), 0.06, 0.5)
    strands = np.clip((coverage - floor) / (0.9 - floor), 0, 1).astype(np.float32)

    beyond = (mask < 0.1).astype(np.float32)
    size = (2 * reach + 1, 2 * reach + 1)
    density = cv2.blur(strands * beyond, size) / np.maximum(cv2.blur(beyond * near, size), 0.02)
    plain = np.clip(2 - unevenness / 4, 0, 1) * np.clip(np.sqrt(strength) / 40 - 0.5, 0, 1) * np.clip(2 - density / 0.15, 0, 1)
    distance = cv2.distanceTransform((mask < 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    plain = cv2.GaussianBlur((plain * np.clip(2 - 2 * distance / reach, 0, 1)).astype(np.float32), (0, 0), side / 256)
    broad = cv2.morphologyEx(strands, cv2.MORPH_OPEN, disc(max(2, side // 160)))
    strands -= broad * np.clip(distance / (side / 64) - 0.5, 0, 1)
    return np.maximum(mask, plain * strands).astype(np.float32)


def _unevenness(picture: NDArray[Any], near: NDArray[Any], reach: int) -> Mask:
    """How much the background around the person departs from smooth colour, in grey levels, carried on behind them: [h, w]."""
    factor = max(1, max(near.shape) // 256)
    size = (near.shape[1] // factor, near.shape[0] // factor)
    image = cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    hole = (cv2.resize(near * 255, size, interpolation=cv2.INTER_AREA) > 0).astype(np.uint8)
    sigma = max(1.0, reach / factor / 2)
    weight = np.maximum(cv2.GaussianBlur(1 - hole.astype(np.float32), (0, 0), sigma), 1e-4)
    smooth = cv2.GaussianBlur(image * (1 - hole[..., None]), (0, 0), sigma) / weight[..., None]
    residual = np.abs(image - smooth).mean(-1) * (1 - hole)
    level = cv2.dilate(cv2.GaussianBlur(residual, (0, 0), sigma) / weight * (hole == 0), disc(max(1, reach // factor)))
    carried = smooth_fill(np.repeat(level[..., None], 3, axis=2), hole)[..., 0]
    return cv2.resize(carried, near.shape[::-1], interpolation=cv2.INTER_LINEAR).astype(np.float32)
