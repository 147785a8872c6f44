"""A picture painted over in oil: coarse to fine curved strokes that follow form, with bristles and the relief of the paint.

After Hertzmann, "Painterly Rendering with Curved Brush Strokes of Multiple Sizes", SIGGRAPH 1998; the strokes' direction comes
from the smoothed structure tensor instead of the bare gradient, so that they run along cheeks and hair.

    python -m export.portraits.paint portrait.png painted.png --face 512 430 180 220
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

#: Brush radii in pixels of a picture 1024 wide, coarse to fine.
RADII = (22.0, 11.0, 6.0, 3.0, 1.8)
#: Below this share of detail wanted, a brush of that radius stays away; radii not named go everywhere.
MIN_DETAIL = {3.0: 0.12, 1.8: 0.4}
#: Summed colour difference (of 3) from which a place is painted over by a finer brush.
TOLERANCE = 0.08
_SUB_PIXEL_BITS = 3


@dataclass(frozen=True, slots=True, eq=False)
class Flow:
    """Where strokes run: unit directions [h, w, 2], and where the picture gives none (bool [h, w])."""

    direction: Array
    vague: NDArray[np.bool_]


def flow_of(picture: Array, radius: float) -> Flow:
    """Directions along the form at a brush's scale: the lesser axis of the structure tensor."""
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    gx, gy = cv2.Scharr(grey, cv2.CV_32F, 1, 0), cv2.Scharr(grey, cv2.CV_32F, 0, 1)
    xx, yy, xy = (cv2.GaussianBlur(product, (0, 0), max(2.0, 1.1 * radius)) for product in (gx * gx, gy * gy, gx * gy))
    angle = 0.5 * np.arctan2(2 * xy, xx - yy) + np.pi / 2
    clear = np.sqrt((xx - yy) ** 2 + 4 * xy**2) / (xx + yy + 1e-7)
    return Flow(np.stack([np.cos(angle), np.sin(angle)], axis=2).astype(np.float32), clear < 0.25)


def trace(start: Array, flow: Flow, wander: Array, reference: Array, canvas: Array, length: float, step: float) -> Array:
    """A stroke's path [n, 2] from `start`; it ends where the canvas is already better than its own colour."""
    height, width = reference.shape[:2]
    point, heading, path = start.copy(), np.zeros(2, np.float32), [start.copy()]
    column, row = _pixel(point, width, height)
    colour = reference[row, column]
    for _ in range(int(length / step)):
        column, row = _pixel(point, width, height)
        here = reference[row, column]
        if len(path) > 3 and np.abs(here - colour).sum() > np.abs(here - canvas[row, column]).sum():
            break
        wanted = wander[row, column] if flow.vague[row, column] else flow.direction[row, column]
        wanted = -wanted if float(wanted @ heading) < 0 else wanted
        heading = wanted if len(path) == 1 else 0.6 * wanted + 0.4 * heading
        heading = heading / (np.linalg.norm(heading) + 1e-9)
        point = point + heading * step
        path.append(point)
    return np.array(path, np.float32)


def lay(canvas: Array, height: Array, path: Array, radius: float, colour: Array, rng: np.random.Generator) -> None:
    """Draw one stroke as a bundle of bristles, into the colour and the thickness of the paint."""
    along = np.gradient(path, axis=0)
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)
    across /= np.linalg.norm(across, axis=1, keepdims=True) + 1e-9
    num_bristles = 1 if radius < 2.5 else 3 if radius < 8 else 5
    width = max(1, round(2.5 * radius / num_bristles))
    body = rng.uniform(0.4, 1.0) * min(1.0, radius / 8 + 0.35)
    for bristle in range(num_bristles):
        offset = (bristle - (num_bristles - 1) / 2) / num_bristles * 1.6 * radius
        tone = 1 + rng.normal(0, 0.018) if num_bristles > 1 else 1.0
        points = ((path + across * offset) * 2**_SUB_PIXEL_BITS).astype(np.int32).reshape(-1, 1, 2)
        ink = tuple(float(channel) for channel in np.clip(colour * tone, 0, 1))
        cv2.polylines(canvas, [points], False, ink, width, cv2.LINE_AA, _SUB_PIXEL_BITS)
        cv2.polylines(height, [points], False, float(body * rng.uniform(0.6, 1.0)), width, cv2.LINE_AA, _SUB_PIXEL_BITS)


def paint(picture: Array, detail: Array, radii: tuple[float, ...] = RADII, jitter: float = 0.02, seed: int = 0) -> Array:
    """The picture (float BGR [h, w, 3], 0–1) as a painting of the same shape.

    detail: [h, w], 0–1: where fine brushes work (a face's eyes and mouth) and the relief stays low.
    """
    rng = np.random.default_rng(seed)
    height, width = picture.shape[:2]
    canvas = cv2.GaussianBlur(picture, (0, 0), 30) * np.float32(0.9)
    thickness = np.zeros((height, width), np.float32)
    for layer, radius in enumerate(radii):
        reference = cv2.GaussianBlur(picture, (0, 0), max(0.6, 0.45 * radius))
        flow, wander = flow_of(reference, radius), _wander(height, width, rng)
        error = cv2.GaussianBlur(np.abs(canvas - reference).sum(axis=2), (0, 0), max(1.0, 0.5 * radius))
        for start in _starts(height, width, max(1.6, 0.8 * radius), rng):
            column, row = _pixel(start, width, height)
            wanted = float(detail[row, column])
            too_plain = wanted < MIN_DETAIL.get(radius, 0.0)
            if layer and (too_plain or error[row, column] < TOLERANCE * (1.35 - 0.75 * wanted)):
                continue
            length, step = radius * rng.uniform(3.0, 6.0), max(1.5, 0.8 * radius)
            path = trace(start, flow, wander, reference, canvas, length, step)
            if len(path) > 1:
                mixed = reference[row, column] * (1 + rng.normal(0, jitter))
                lay(canvas, thickness, path, radius, mixed + rng.normal(0, 0.45 * jitter, 3) * mixed.mean(), rng)
    return _lit(canvas, thickness, detail, rng)


def _pixel(point: Array, width: int, height: int) -> tuple[int, int]:
    return int(np.clip(point[0], 0, width - 1)), int(np.clip(point[1], 0, height - 1))


def _starts(height: int, width: int, step: float, rng: np.random.Generator) -> Array:
    """Points of a shaken grid [n, 2], in random order."""
    x, y = np.meshgrid(np.arange(step / 2, width, step), np.arange(step / 2, height, step))
    points = np.stack([x.ravel(), y.ravel()], axis=1) + rng.uniform(-step / 2, step / 2, (x.size, 2))
    rng.shuffle(points)
    return points.astype(np.float32)


def _wander(height: int, width: int, rng: np.random.Generator) -> Array:
    """Slowly turning directions [h, w, 2] for places without form of their own."""
    coarse = rng.uniform(-1.5, 1.5, (height // 64 + 2, width // 64 + 2)).astype(np.float32)
    angle = 0.9 + cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.stack([np.cos(angle), np.sin(angle)], axis=2)


def _lit(canvas: Array, thickness: Array, detail: Array, rng: np.random.Generator) -> Array:
    """The paint's relief and the canvas' weave, lit from the upper left."""
    height, width = thickness.shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    weave = 0.05 * (np.sin(x * 2 * np.pi / 3.6) + np.sin(y * 2 * np.pi / 3.6))
    weave += 0.12 * cv2.GaussianBlur(rng.standard_normal((height, width)).astype(np.float32), (0, 0), 1.0)
    surface = cv2.GaussianBlur(thickness + 0.35 * weave, (0, 0), 0.8)
    slope = (cv2.Scharr(surface, cv2.CV_32F, 1, 0) + cv2.Scharr(surface, cv2.CV_32F, 0, 1)) / 32
    shade = 0.16 * np.clip(slope, -0.6, 0.6) * (1 - 0.55 * detail)
    return np.clip(canvas * (1 - shade[..., None]), 0, 1).astype(np.float32)


def around(face: tuple[float, float, float, float], height: int, width: int) -> Array:
    """Detail [h, w] that fades from 1 at an ellipse's middle: centre x, y and radii x, y in pixels."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return np.exp(-1.1 * (((x - face[0]) / face[2]) ** 2 + ((y - face[1]) / face[3]) ** 2)).astype(np.float32)


def main() -> None:
    """Paint a picture file."""
    parser = argparse.ArgumentParser(description="Paint a picture in oil strokes.")
    parser.add_argument("picture", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--face", type=float, nargs=4, metavar=("X", "Y", "RX", "RY"), help="where to paint finely")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    picture = cv2.imread(str(options.picture), cv2.IMREAD_COLOR)
    if picture is None:
        parser.error(f"{options.picture} cannot be read as a picture.")
    height, width = picture.shape[:2]
    face = tuple(options.face) if options.face else (width / 2, height * 0.42, width * 0.18, height * 0.22)
    painted = paint(picture.astype(np.float32) / 255, around(face, height, width), seed=options.seed)
    if not cv2.imwrite(str(options.out), (painted * 255 + 0.5).astype(np.uint8)):
        parser.error(f"{options.out} cannot be written.")


if __name__ == "__main__":
    main()
