"""Where an eye is: corners, lids, brow and iris, from the landmarks and, where these do not fit a drawn eye, the picture."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import cv2
import numpy as np

from engines.codecs.portrait.face import Face
from engines.codecs.portrait.planes import Array, mesh, take

#: Upper and lower lid from the picture's left corner to the right one, brow's lower edge, iris; by the speaker's side.
LIDS = {
    "Right": ((33, 246, 161, 160, 159, 158, 157, 173, 133), (33, 7, 163, 144, 145, 153, 154, 155, 133)),
    "Left": ((362, 398, 384, 385, 386, 387, 388, 466, 263), (362, 382, 381, 380, 374, 373, 390, 249, 263)),
}
BROW_EDGE = {"Right": (53, 52, 65), "Left": (283, 282, 295)}
HALF_STROKE = 0.06  # of a drawn upper lid, half eye widths
IRIS = {"Right": (468, 469, 470, 471, 472), "Left": (473, 474, 475, 476, 477)}


@dataclass(frozen=True, slots=True, eq=False)
class EyeShape:
    """One eye on the canvas. Lengths are half eye widths, along the eye (s) and down it (t), unless in pixels.

    side: the speaker's; centre: [2], pixels; half: pixels; along, down: unit vectors;
    upper_fit, lower_fit: polynomials p of the lids, t = (1 - s^2) p(s); opening: height; brow_gap: upper lid to brow.
    """

    side: str
    centre: Array
    half: float
    along: Array
    down: Array
    upper_fit: Array
    lower_fit: Array
    opening: float
    brow_gap: float
    iris: tuple[float, float]
    iris_radius: float
    #: Less for lids rounder than a parabola: t = (1 - s^2)^bow p(s).
    upper_bow: float = 1.0
    lower_bow: float = 1.0
    iris_height: float = 1.0  # over its width

    @classmethod
    def of(cls, face: Face, side: str) -> EyeShape:
        """By the landmarks."""
        marks = face.landmarks[:, :2]
        upper, lower = (marks[list(lid)] for lid in LIDS[side])
        a, b = upper[0], upper[-1]
        half = float(np.linalg.norm(b - a) / 2)
        along = ((b - a) / (2 * half)).astype(np.float32)
        down = np.array((-along[1], along[0]), np.float32)
        shape = cls(side, (a + b) / 2, half, along, down, along, along, 0.5, 0.5, (0.0, 0.0), 0.4)
        upper_s, upper_t = shape.local(upper)
        lower_s, lower_t = shape.local(lower)
        brow = float(np.median(shape.local(marks[list(BROW_EDGE[side])])[1]))
        iris_s, iris_t = shape.local(marks[[IRIS[side][0]]])
        ring = marks[list(IRIS[side][1:])] - marks[IRIS[side][0]]
        return replace(
            shape,
            upper_fit=_lid_curve(upper_s, upper_t),
            lower_fit=_lid_curve(lower_s, lower_t),
            opening=max(0.05, float(np.max(lower_t) - np.min(upper_t))),
            brow_gap=float(np.clip(np.min(upper_t) - brow, 0.35, 1.2)),
            iris=(float(iris_s[0]), float(iris_t[0])),
            iris_radius=float(np.clip(np.linalg.norm(ring, axis=1).mean() / half, 0.25, 0.75)),
        )

    def local(self, points: Array) -> tuple[Array, Array]:
        """(s, t) of pixels [..., 2]."""
        p = (points - self.centre) / np.float32(self.half)
        return (p @ self.along).astype(np.float32), (p @ self.down).astype(np.float32)

    def lids(self, s: Array) -> tuple[Array, Array]:
        """t of the (upper, lower) lid at s; beyond the corners they run on level."""
        bow = np.clip(1 - s * s, 0, None)
        upper = (bow**self.upper_bow * np.polyval(self.upper_fit, s)).astype(np.float32)
        return upper, np.maximum((bow**self.lower_bow * np.polyval(self.lower_fit, s)).astype(np.float32), upper)

    def from_iris(self, s: Array, t: Array) -> Array:
        """Distance from the iris's centre, in its radii."""
        return np.hypot(s - self.iris[0], (t - self.iris[1]) / self.iris_height) / self.iris_radius

    def widened(self, up: float, down: float) -> EyeShape:
        """The eye with its lids further up and down in the middle, and with corners further out in keeping."""
        outer, inner = 0.5 * (up + down), 0.15 * (up + down)
        right_is_outer = self.side == "Left"
        right, left = (outer, inner) if right_is_outer else (inner, outer)
        grown = 1 + (left + right) / 2
        shift = (right - left) / 2
        upper, lower = float(np.polyval(self.upper_fit, 0.0)) - up, float(np.polyval(self.lower_fit, 0.0)) + down
        return replace(
            self,
            centre=self.centre + self.along * np.float32(shift * self.half),
            half=self.half * grown,
            upper_fit=np.array([upper / grown], np.float32),
            lower_fit=np.array([lower / grown], np.float32),
            opening=(lower - upper) / grown,
            brow_gap=float(np.clip((self.brow_gap - up) / grown, 0.3, 1.2)),
            iris=((self.iris[0] - shift) / grown, self.iris[1] / grown),
            iris_radius=self.iris_radius / grown,
            upper_bow=0.6,
            lower_bow=0.6,
        )

    def with_iris_found(self, light: Array) -> EyeShape:
        """Moves and sizes the landmarks' iris to the strongest dark disc nearby. light: the canvas's Y."""
        reach = int(np.ceil(self.half * 1.1))
        cx, cy = (round(float(c)) for c in self.centre)
        top, left = max(0, cy - reach), max(0, cx - reach)
        part = light[top : cy + reach + 1, left : cx + reach + 1]
        s, t = self.local(mesh(part.shape[1], part.shape[0]) + np.array((left, top), np.float32))
        upper, lower = self.lids(s)
        seen = (t > upper + 0.08) & (t < lower - 0.04) & (np.abs(s) < 0.92)
        s, t, part = s[seen], t[seen], part[seen]
        if len(s) < 40:
            return self
        best, score = self, -1e9
        heights = (1.0, 1.15, 1.3) if self.upper_bow < 1 else (1.0,)  # drawn eyes may have an upright oval
        for radius, height in product(self.iris_radius * np.array((0.85, 0.93, 1.0, 1.08, 1.16, 1.25)), heights):
            for ds, dt in product((-0.12, -0.06, 0.0, 0.06, 0.12), (-0.08, 0.0, 0.08, 0.16)[: 4 if height > 1 else 3]):
                iris = (self.iris[0] + ds, self.iris[1] + dt)
                tried = replace(self, iris=iris, iris_radius=float(radius), iris_height=height)
                far = tried.from_iris(s, t)
                rim, white = part[(far > 0.72) & (far < 0.96)], part[(far > 1.06) & (far < 1.4)]
                if len(rim) < 8 or len(white) < 8:
                    continue
                contrast = float(white.mean() - rim.mean()) - 500 * (ds * ds + dt * dt)
                contrast -= 30 * abs(radius / self.iris_radius - 1) + 60 * (height - 1)
                if contrast > score:
                    best, score = tried, contrast
        return best


def fitted(shapes: tuple[EyeShape, EyeShape], light: Array, chroma: Array) -> tuple[EyeShape, EyeShape]:
    """Eyes whose lids the landmarks miss by far, as in cartoons with huge eyes, moved to the lids of the picture.

    The lash line is a dark valley between skin and white. Photographs have it where the landmarks say; only where both
    eyes together have it much further up are the lids moved. light, chroma: the canvas's Y and UV.
    """
    steps = np.arange(-2, 16) * 0.04
    s = np.linspace(-0.85, 0.85, 35).astype(np.float32)
    valley, edge = np.zeros(len(steps)), np.zeros(len(steps))
    for shape in shapes:
        smooth = np.asarray(cv2.GaussianBlur(light, (0, 0), max(0.6, 0.03 * shape.half)), np.float32)
        upper, lower = shape.lids(s)
        bow = 1 - s * s
        whites = np.abs(s) > 0.3
        for i, step in enumerate(steps):
            y = [_along(shape, smooth, s, upper - step * bow + side) for side in (-0.10, 0.0, 0.10)]
            valley[i] += float((0.5 * (y[0] + y[2]) - y[1])[whites].mean())
            inside, outside = lower + step * bow - 0.07, lower + step * bow + 0.07
            edge[i] += float(np.abs(_along(shape, smooth, s, inside) - _along(shape, smooth, s, outside)).mean())
            colours = _along(shape, chroma, s, inside, 2) - _along(shape, chroma, s, outside, 2)
            edge[i] += 2 * float(np.abs(colours).sum(-1).mean())
    near = steps < 0.21
    if valley[~near].max() < 8 or valley[~near].max() < 1.5 * valley[near].max():
        return shapes
    up = float(steps[~near][valley[~near].argmax()])
    strong = np.flatnonzero(edge > 0.85 * edge.max())
    down = max(0.0, float(steps[strong[-1]])) + 0.10  # the rim below the white belongs to the eye
    return shapes[0].widened(up, down), shapes[1].widened(up, down)


def drawn(shape: EyeShape, light: Array, chroma: Array) -> EyeShape:
    """A drawn eye whose corners were placed by hand, its lids moved to the strokes of the picture.

    The upper lid is the strongest dark stroke near its landmarks, less half its width; the lower one the strongest edge
    between the eye and the skin. light, chroma: the canvas's Y and UV.
    """
    s = np.linspace(-0.88, 0.88, 45).astype(np.float32)
    smooth = np.asarray(cv2.GaussianBlur(light, (0, 0), max(0.5, 0.02 * shape.half)), np.float32)
    upper, lower = (float(np.polyval(fit, 0.0)) for fit in (shape.upper_fit, shape.lower_fit))

    def stroke(t: Array) -> float:
        skin, line, inside = (_along(shape, smooth, s, t + side) for side in (-0.16, 0.0, 0.16))
        return float(np.minimum(skin - line, 1.5 * (inside - line) + 40).mean())

    def rim(t: Array) -> float:
        lights = [_along(shape, smooth, s, t + side) for side in (-0.07, 0.07)]
        colours = [_along(shape, chroma, s, t + side, 2) for side in (-0.07, 0.07)]
        return float(np.abs(lights[0] - lights[1]).mean() + 2 * np.abs(colours[0] - colours[1]).sum(-1).mean())

    def curve(height: float, skew: float, bow: float) -> Array:
        return ((1 - s * s) ** bow * (height + skew * s)).astype(np.float32)

    bows, skews = (1.0, 0.8, 0.65, 0.5), (-0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3)
    heights = upper - np.arange(-3, 10) * 0.04
    _, height, skew, bow = max((stroke(curve(h, k, b)), h, k, b) for h in heights for k in skews for b in bows)
    depths = lower + np.arange(-2, 10) * 0.03
    _, depth, lower_skew, lower_bow = max((rim(curve(d, k, b)), d, k, b) for d in depths for k in skews for b in bows)
    height += HALF_STROKE
    return replace(
        shape,
        upper_fit=np.array([skew, height], np.float32),
        lower_fit=np.array([lower_skew, depth], np.float32),
        opening=float(depth - height),
        brow_gap=float(np.clip(shape.brow_gap + height - upper, 0.3, 1.2)),
        upper_bow=bow,
        lower_bow=lower_bow,
    )


def _along(shape: EyeShape, plane: Array, s: Array, t: Array, divide: int = 1) -> Array:
    """A canvas plane's values at eye coordinates, [n] or [n, c]."""
    at = shape.centre + shape.half * (s[:, None] * shape.along + t[:, None] * shape.down)
    x, y = ((at + 0.5) / divide - 0.5).astype(np.float32).T
    return take(plane, (np.ascontiguousarray(x)[None], np.ascontiguousarray(y)[None]))[0]


def _lid_curve(s: Array, t: Array) -> Array:
    """Polynomial p of a lid: t = (1 - s^2) p(s), least squares through its inner points."""
    bow = 1 - s[1:-1] ** 2
    terms = np.vander(s[1:-1], 4) * bow[:, None]
    ridge = np.diag([0.08, 0.04, 0.01, 0.0])
    return np.linalg.solve(terms.T @ terms + ridge, terms.T @ t[1:-1]).astype(np.float32)
