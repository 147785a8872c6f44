"""Which part of a picture is the person: what the segmenter says if it can be believed, else colours, else a usual shape."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.codecs.portrait.segment import person_mask

Mask = NDArray[Any]  # float32 [h, w], 0 to 1

#: Longest side of the picture while colours decide.
_COLOUR_SIDE = 320
#: A silhouette must cover this much of the face, and be unsure of no more than this much of itself.
_MIN_FACE_SHARE = 0.7
_MAX_UNSURE_SHARE = 0.3
#: Log-odds added below the face, where the body is, and taken away far to its sides.
_PRIOR_WEIGHT = 1.2
#: Outlines found by colour alone must be this much steeper than the picture's average slope.
_MIN_CONTRAST = 1.5
#: Colour steps, in levels of 256, that a backdrop may take from pixel to pixel.
_BACKDROP_STEP = 3
#: The face's outline in the mesh, in order.
FACE_OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip


def silhouette(picture: NDArray[Any], points: NDArray[Any]) -> tuple[Mask, str]:
    """Coverage [h, w] of the person around the face points [478, 2], and what made it.

    "segmenter": the network; "backdrop": all that a plain backdrop leaves; "grabcut": colours alone; "soft": a usual shape.
    """
    face = _face_mask(points, picture.shape[:2])
    mask = person_mask(picture, points)
    if _believable(mask, face):
        return _whole(_decided(picture, _likelier(mask, points), face), face), "segmenter"
    prior = _body_prior(points, picture.shape[:2])
    mask = _whole(_before_backdrop(picture, prior), face)
    if _believable(mask, face, max_border_share=0.5) and mask[face].mean() > 0.97:
        return mask, "backdrop"
    mask = _whole(_by_colour(picture, _guess(prior, face)), face)
    if _believable(mask, face) and _outline_contrast(picture, mask) > _MIN_CONTRAST:
        return mask, "grabcut"
    return prior, "soft"


def _believable(mask: Mask, face: NDArray[Any], max_border_share: float = 0.85) -> bool:
    """Whether the mask covers the face, leaves some of the picture's upper border free, and is sure of most of itself."""
    upper = mask[: len(mask) // 2]
    border = np.concatenate([upper[0], upper[:, 0], upper[:, -1]])
    unsure = ((mask > 0.2) & (mask < 0.8)).sum() / max(1, (mask >= 0.8).sum())
    return bool(mask[face].mean() >= _MIN_FACE_SHARE and border.mean() <= max_border_share and unsure <= _MAX_UNSURE_SHARE)


def _face_mask(points: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.round(points[list(FACE_OVAL)]).astype(np.int32)], 1)
    return mask.astype(bool)


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


def _decided(picture: NDArray[Any], mask: Mask, face: NDArray[Any]) -> Mask:
    """Where the mask is unsure over more than an outline's width, colours decide."""
    unsure = ((mask > 0.08) & (mask < 0.92)).astype(np.uint8)
    brush = max(2, max(mask.shape) // 60)
    wide = cv2.dilate(cv2.erode(unsure, disc(brush // 2)), disc(brush)) > 0
    if not wide.any():
        return mask
    labels: NDArray[Any] = np.where(mask > 0.5, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[mask >= 0.97] = cv2.GC_FGD
    labels[mask <= 0.03] = cv2.GC_BGD
    labels[face] = cv2.GC_FGD
    share = cv2.GaussianBlur(wide.astype(np.float32), (0, 0), brush / 2)
    return (mask + share * (_by_colour(picture, labels) - mask)).astype(np.float32)


def _guess(prior: Mask, face: NDArray[Any]) -> NDArray[Any]:
    """GrabCut's starting labels from nothing but where bodies usually are."""
    labels: NDArray[Any] = np.where(prior > 0.5, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[prior < 0.01] = cv2.GC_BGD
    labels[face] = cv2.GC_FGD
    return labels


def _by_colour(picture: NDArray[Any], labels: NDArray[Any]) -> Mask:
    """Foreground and background by their colours (GrabCut: Rother et al. 2004) from cv2's labels [h, w]."""
    height, width = labels.shape
    scale = min(1.0, _COLOUR_SIDE / max(height, width))
    size = (round(width * scale), round(height * scale))
    labels = np.asarray(cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST))
    front = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD))
    if front.all() or not front.any():
        return np.full((height, width), front.mean(), np.float32)
    bgr = cv2.cvtColor(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2BGR)
    cv2.setRNGSeed(0)
    cv2.grabCut(bgr, labels, (0, 0, 0, 0), np.zeros((1, 65)), np.zeros((1, 65)), 4, cv2.GC_INIT_WITH_MASK)
    cut: NDArray[Any] = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.float32)
    return np.asarray(cv2.resize(cv2.GaussianBlur(cut, (0, 0), 0.7), (width, height), interpolation=cv2.INTER_LINEAR))


def _before_backdrop(picture: NDArray[Any], prior: Mask) -> Mask:
    """All that cannot be reached from the upper border by small steps of colour: what stands before a plain backdrop."""
    height, width = prior.shape
    calm = cv2.GaussianBlur(picture, (0, 0), 0.8)
    reached = np.zeros((height + 2, width + 2), np.uint8)
    flags = 4 | (1 << 8) | cv2.FLOODFILL_MASK_ONLY
    step = (_BACKDROP_STEP,) * 3
    seeds = [(x, 0) for x in range(0, width, 4)] + [(x, y) for x in (0, width - 1) for y in range(0, 2 * height // 3, 4)]
    for x, y in seeds:
        if prior[y, x] < 0.05 and not reached[y + 1, x + 1]:
            cv2.floodFill(calm, reached, (x, y), (0, 0, 0), step, step, flags)
    front = (1 - reached[1:-1, 1:-1]).astype(np.uint8)
    return np.asarray(cv2.GaussianBlur(cv2.erode(front, disc(1)).astype(np.float32), (0, 0), 0.7))


def _whole(mask: Mask, face: NDArray[Any]) -> Mask:
    """One person: what hangs together with the face, without holes; the lower edge of the picture closes the body."""
    solid = ((mask > 0.5) | face).astype(np.uint8)
    _, parts = cv2.connectedComponents(solid)
    own = np.bincount(np.asarray(parts)[face], minlength=1)
    own[0] = 0
    body = (parts == own.argmax()).astype(np.uint8)
    outside = np.pad(1 - body, ((1, 0), (1, 1)), constant_values=1)  # open to every side but the lower
    cv2.floodFill(outside, None, (0, 0), 2)
    enclosed = (outside[1:, 1:-1] == 1).astype(np.uint8)
    margin = max(2, max(mask.shape) // 60)
    padded = np.pad(body | enclosed, ((0, margin), (0, 0)), mode="edge")
    inside = np.maximum(cv2.erode(padded, disc(margin), borderValue=1)[: len(body)], cv2.dilate(enclosed, disc(2)))
    near = cv2.dilate(body, disc(margin))
    return np.where(inside > 0, 1, mask * near).astype(np.float32)


def _body_prior(points: NDArray[Any], shape: tuple[int, ...]) -> Mask:
    """Where a person's head, hair and shoulders usually are around such a face: soft, float32 [h, w]."""
    low, high = points.min(0), points.max(0)
    size = float((high - low).max())
    middle = (low + high) / 2
    canvas = np.zeros(shape, np.uint8)
    centre = (round(float(middle[0])), round(float(middle[1] - 0.12 * size)))
    cv2.ellipse(canvas, centre, (round(0.68 * size), round(0.85 * size)), 0, 0, 360, (255,), -1)
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
    cv2.fillPoly(canvas, [np.round(np.array(torso)).astype(np.int32)], (255,))
    return cv2.GaussianBlur(canvas.astype(np.float32) / 255, (0, 0), 0.09 * size).astype(np.float32)


def _outline_contrast(picture: NDArray[Any], mask: Mask) -> float:
    """Mean colour gradient along the mask's outline over that of the whole picture: above 1 the outline follows edges."""
    grey = cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32), (0, 0), 1.0)
    slope = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    outline = cv2.morphologyEx((mask > 0.5).astype(np.uint8), cv2.MORPH_GRADIENT, disc(1)) > 0
    return float(slope[outline].mean() / max(float(slope.mean()), 1e-3)) if outline.any() else 0.0


def disc(radius: int) -> NDArray[Any]:
    """A round brush for cv2's morphology: uint8 [2r + 1, 2r + 1]."""
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)))
