"""Ways to spoil a clip, each known: what discriminators are trained against and what filters are calibrated on.

Lengths are in shares of the distance between the eyes, so that a face is spoilt alike whatever its size.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from export.curate.faces import Picture

Grey = NDArray[np.uint8]


def blurred(picture: Picture, unit: float, amount: float) -> Picture:
    """Out of focus: a Gaussian of standard deviation `amount` × `unit` pixels."""
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), max(0.3, amount * unit)), np.uint8)


def motion_blurred(picture: Picture, unit: float, amount: float, angle: float) -> Picture:
    """The camera or the head moved by `amount` × `unit` pixels at `angle` (radians) while the shutter was open."""
    length = max(2.0, amount * unit)
    side = int(np.ceil(length)) | 1
    kernel = np.zeros((side, side), np.float32)
    middle, half = side / 2 - 0.5, length / 2
    ends = [(middle + sign * half * np.cos(angle), middle + sign * half * np.sin(angle)) for sign in (-1, 1)]
    (x0, y0), (x1, y1) = ((round(x * 16), round(y * 16)) for x, y in ends)
    cv2.line(kernel, (x0, y0), (x1, y1), 1.0, 1, cv2.LINE_AA, 4)
    return np.asarray(cv2.filter2D(picture, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE), np.uint8)


def covered(picture: Picture, centre: tuple[float, float], unit: float, amount: float, rng: np.random.Generator) -> Picture:
    """Something in front of `centre`: a hand, a cup, a microphone, lettering, `amount` × `unit` pixels across."""
    x, y = centre[0] + rng.normal(0, 0.12) * unit, centre[1] + rng.normal(0, 0.12) * unit
    size = amount * unit
    mask = np.zeros(picture.shape[:2], np.uint8)
    kind = rng.integers(4)
    turn = float(rng.uniform(0, 180))
    if kind == 0:  # a ball: microphone, cup, fist
        cv2.ellipse(mask, ((x, y), (size, size * rng.uniform(0.6, 1.0)), turn), 255, -1)
    elif kind == 1:  # a card or phone
        corners = cv2.boxPoints(((x, y), (size, size * rng.uniform(0.5, 1.0)), turn))
        cv2.fillConvexPoly(mask, corners.round().astype(np.int32), 255)
    elif kind == 2:  # fingers
        for finger in range(4):
            at = x + (finger - 1.5) * size * 0.26, y + rng.normal(0, 0.05) * size
            cv2.ellipse(mask, (at, (size * 0.24, size * rng.uniform(0.9, 1.3)), float(rng.normal(0, 8)) + turn / 6), 255, -1)
    else:  # any other thing
        angles = np.sort(rng.uniform(0, 2 * np.pi, 7))
        reach = size / 2 * rng.uniform(0.6, 1.2, 7)
        points = np.stack([x + reach * np.cos(angles), y + reach * np.sin(angles)], 1)
        cv2.fillPoly(mask, [points.round().astype(np.int32)], 255)
    thing = _surface(picture, rng)
    soft = cv2.GaussianBlur(mask, (0, 0), max(0.5, 0.012 * unit)).astype(np.float32)[..., None] / 255
    shape = soft if picture.ndim == 3 else soft[..., 0]
    return (thing * shape + picture * (1 - shape)).astype(np.uint8)


def _surface(picture: Picture, rng: np.random.Generator) -> NDArray[np.float32]:
    """Skin taken from the picture itself, or one colour, with light and grain on it."""
    height, width = picture.shape[:2]
    colour = picture[rng.integers(height), rng.integers(width)] if rng.random() < 0.5 else rng.integers(0, 256, 3)
    colour = np.asarray(colour if picture.ndim == 3 else np.mean(colour), np.float32)
    coarse = rng.normal(0, 1, (6, 6)).astype(np.float32)
    light = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC) * rng.uniform(0, 25)
    grain = rng.normal(0, rng.uniform(0, 8), (height, width)).astype(np.float32)
    shade = light + grain
    return np.asarray(np.clip(colour + (shade[..., None] if picture.ndim == 3 else shade), 0, 255), np.float32)


def compressed(picture: Picture, quality: int, shrink: float = 1.0) -> Picture:
    """Through JPEG at this quality, `shrink` times smaller."""
    height, width = picture.shape[:2]
    size = max(8, round(width / shrink)), max(8, round(height / shrink))
    less = cv2.resize(picture, size, interpolation=cv2.INTER_AREA) if shrink > 1 else picture
    _, data = cv2.imencode(".jpg", less, [cv2.IMWRITE_JPEG_QUALITY, quality])
    back = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    return np.asarray(cv2.resize(back, (width, height), interpolation=cv2.INTER_LINEAR) if shrink > 1 else back, np.uint8)


#: What spoils a mouth for each fault of `lip_clarity.STATES`, at random strength: (mouth, pixels between the eyes, rng).
MOUTH_FAULTS: dict[str, Callable[[Grey, float, np.random.Generator], Grey]] = {
    "blurred": lambda mouth, unit, rng: blurred(mouth, unit, float(np.exp(rng.uniform(np.log(0.02), np.log(0.12))))),
    "motion-blurred": lambda mouth, unit, rng: motion_blurred(
        mouth, unit, float(np.exp(rng.uniform(np.log(0.09), np.log(0.5)))), rng.uniform(0, np.pi)
    ),
    "covered": lambda mouth, unit, rng: covered(
        mouth, (mouth.shape[1] / 2, mouth.shape[0] / 2), unit, float(rng.uniform(0.35, 1.0)), rng
    ),
    "compressed": lambda mouth, unit, rng: compressed(
        mouth, int(rng.integers(2, 20)), float(rng.uniform(1, 1.8)) if rng.random() < 0.4 else 1.0
    ),
}
