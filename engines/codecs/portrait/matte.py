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
from engines.codecs.portrait.segment import person_mask

Mask = NDArray[Any]  # [h, w], 0 to 1

#: Longest side of the picture while it is decided what is person.
_WORKING_SIDE = 448
#: Longest side of the picture while colours decide.
_COLOUR_SIDE = 320
#: The segmenter must see at least this much of the face as person to be believed.
_MIN_FACE_SHARE = 0.7
#: Log-odds added below the face, where the body is, and taken away far to its sides.
_PRIOR_WEIGHT = 1.2
#: Outlines found by colour alone must be this much steeper than the picture's average slope.
_MIN_CONTRAST = 1.5
#: The face's outline in the mesh, in order.
FACE_OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip


def cut_out(picture: NDArray[Any], landmarks: NDArray[Any]) -> tuple[NDArray[Any], str]:
    """Matte uint8 [h, w] of the person whose face that is, and what made it: "segmenter", "grabcut" or "soft".

    picture: RGB uint8 [h, w, 3]. landmarks: float32 [478, 3], pixels.
    """
    height, width = picture.shape[:2]
    scale = min(1.0, _WORKING_SIDE / max(height, width))
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    points = landmarks[:, :2] * scale
    coarse, made_by = person(small, points)
    mask = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    if made_by != "soft":
        mask = _sharpened(picture, mask)
        mask = _with_strands(picture, mask)
    return (np.clip(mask, 0, 1) * 255 + 0.5).astype(np.uint8), made_by


def person(picture: NDArray[Any], points: NDArray[Any]) -> tuple[Mask, str]:
    """Coverage of the person around the face points [478, 2], and what made it."""
    face = _face_mask(points, picture.shape[:2])
    mask = person_mask(picture, points)
    if mask[face].mean() >= _MIN_FACE_SHARE:
        return _whole(_decided(picture, _likelier(mask, points), face), face), "segmenter"
    prior = _body_prior(points, picture.shape[:2])
    mask = _whole(_decided(picture, prior, face), face)
    if mask[face].mean() >= _MIN_FACE_SHARE and _outline_contrast(picture, mask) > _MIN_CONTRAST:
        return mask, "grabcut"
    return prior, "soft"


def _likelier(mask: Mask, points: NDArray[Any]) -> Mask:
    """What is unsure tipped towards the middle of the body and away from the far sides: log-odds of the mask, moved."""
    low, high = points.min(0), points.max(0)
    size, (x, _) = float((high - low).max()), (low + high) / 2
    across = np.abs(np.arange(mask.shape[1], dtype=np.float32)[None, :] - x) / size
    below = np.clip((np.arange(mask.shape[0], dtype=np.float32)[:, None] - high[1]) / (0.4 * size), 0, 1)
    body = below * np.clip(1.6 - 2 * across, 0, 1)
    side = np.clip(2 * (across - 1.1), 0, 1)
    sure = np.clip(mask, 1e-4, 1 - 1e-4)
    log_odds = np.log(sure / (1 - sure)) + _PRIOR_WEIGHT * (body - side)
    return (1 / (1 + np.exp(-log_odds))).astype(np.float32)


def _face_mask(points: NDArray[Any], shape: tuple[int, int]) -> NDArray[Any]:
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.round(points[list(FACE_OVAL)]).astype(np.int32)], 1)
    return mask.astype(bool)


def _decided(picture: NDArray[Any], mask: Mask, face: NDArray[Any]) -> Mask:
    """Where the mask is unsure over more than an outline's width, colours decide (GrabCut: Rother et al. 2004)."""
    height, width = mask.shape
    unsure = ((mask > 0.08) & (mask < 0.92)).astype(np.uint8)
    brush = max(2, max(height, width) // 60)
    wide = cv2.dilate(cv2.erode(unsure, _disc(brush // 2)), _disc(brush)) > 0
    if not wide.any():
        return mask
    labels: NDArray[Any] = np.where(mask > 0.5, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[mask >= 0.97] = cv2.GC_FGD
    labels[mask <= 0.03] = cv2.GC_BGD
    labels[face] = cv2.GC_FGD
    if not (labels == cv2.GC_BGD).any() or not (labels == cv2.GC_FGD).any():
        return mask
    scale = min(1.0, _COLOUR_SIDE / max(height, width))
    size = (round(width * scale), round(height * scale))
    labels = cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST)
    bgr = cv2.cvtColor(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2BGR)
    cv2.setRNGSeed(0)
    cv2.grabCut(bgr, labels, (0, 0, 0, 0), np.zeros((1, 65)), np.zeros((1, 65)), 4, cv2.GC_INIT_WITH_MASK)
    cut: NDArray[Any] = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.float32)
    cut = cv2.resize(cv2.GaussianBlur(cut, (0, 0), 0.7), (width, height), interpolation=cv2.INTER_LINEAR)
    share = cv2.GaussianBlur(wide.astype(np.float32), (0, 0), brush / 2)
    return (mask + share * (cut - mask)).astype(np.float32)


def _whole(mask: Mask, face: NDArray[Any]) -> Mask:
    """One person: what hangs together with the face, without holes; the lower edge of the picture closes the body."""
    solid = ((mask > 0.5) | face).astype(np.uint8)
    _, parts = cv2.connectedComponents(solid)
    own = np.bincount(parts[face], minlength=1)
    own[0] = 0
    body = (parts == own.argmax()).astype(np.uint8)
    outside = np.pad(1 - body, ((1, 0), (1, 1)), constant_values=1)  # open to every side but the lower
    cv2.floodFill(outside, None, (0, 0), 2)
    enclosed = (outside[1:, 1:-1] == 1).astype(np.uint8)
    margin = max(2, max(mask.shape) // 60)
    padded = np.pad(body | enclosed, ((0, margin), (0, 0)), mode="edge")
    inside = np.maximum(cv2.erode(padded, _disc(margin), borderValue=1)[: len(body)], cv2.dilate(enclosed, _disc(2)))
    near = cv2.dilate(body, _disc(margin))
    return np.where(inside > 0, 1, mask * near).astype(np.float32)


def _body_prior(points: NDArray[Any], shape: tuple[int, int]) -> Mask:
    """Where a person's head, hair and shoulders usually are around such a face: soft, float32 [h, w]."""
    low, high = points.min(0), points.max(0)
    size = float((high - low).max())
    middle = (low + high) / 2
    canvas = np.zeros(shape, np.uint8)
    centre = (round(float(middle[0])), round(float(middle[1] - 0.12 * size)))
    cv2.ellipse(canvas, centre, (round(0.68 * size), round(0.85 * size)), 0, 0, 360, 255, -1)
    x, chin = float(middle[0]), float(high[1])
    floor = float(shape[0] + size)
    torso = [
        (x - 0.33 * size, chin - 0.3 * size),
        (x + 0.33 * size, chin - 0.3 * size),
        (x + 0.40 * size, chin + 0.22 * size),
        (x + 1.25 * size, chin + 0.65 * size),
        (x + 1.45 * size, floor),
        (x - 1.45 * size, floor),
        (x - 1.25 * size, chin + 0.65 * size),
        (x - 0.40 * size, chin + 0.22 * size),
    ]
    cv2.fillPoly(canvas, [np.round(np.array(torso)).astype(np.int32)], 255)
    return cv2.GaussianBlur(canvas.astype(np.float32) / 255, (0, 0), 0.09 * size).astype(np.float32)


def _outline_contrast(picture: NDArray[Any], mask: Mask) -> float:
    """Mean colour gradient along the mask's outline over that of the whole picture: above 1 the outline follows edges."""
    grey = cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32), (0, 0), 1.0)
    slope = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    outline = cv2.morphologyEx((mask > 0.5).astype(np.uint8), cv2.MORPH_GRADIENT, _disc(1)) > 0
    return float(slope[outline].mean() / max(float(slope.mean()), 1e-3)) if outline.any() else 0.0


def _sharpened(picture: NDArray[Any], mask: Mask) -> Mask:
    """The mask drawn to the picture's edges by a guided filter, near its outline only."""
    radius = max(2, max(mask.shape) // 128)
    refined = np.clip(guided_filter(picture, mask, radius, 1e-4), 0, 1)
    refined = np.clip((refined - 0.08) / 0.84, 0, 1)
    outline = (cv2.dilate((mask > 0.02).astype(np.uint8), _disc(radius)) > 0) & (cv2.erode(mask, _disc(radius)) < 0.98)
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
    inside = cv2.erode((mask > 0.95).astype(np.uint8), _disc(max(1, side // 256)))
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
    broad = cv2.morphologyEx(strands, cv2.MORPH_OPEN, _disc(max(2, side // 160)))
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
    level = cv2.dilate(cv2.GaussianBlur(residual, (0, 0), sigma) / weight * (hole == 0), _disc(max(1, reach // factor)))
    carried = smooth_fill(np.repeat(level[..., None], 3, axis=2), hole)[..., 0]
    return cv2.resize(carried, near.shape[::-1], interpolation=cv2.INTER_LINEAR).astype(np.float32)


def _disc(radius: int) -> NDArray[Any]:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)).astype(np.uint8)
