"""Eyes: lids that close over the eyeball, and an iris that looks about between them.

An eye is redrawn in the picture's own place, before the face is warped, from layers (`eye_layers`): the lids' skin, which
slides along the eye's height, the upper lid's drawn down from the brow; the lashes, which turn over with it; the white; the
iris, which moves over it; and the stain that the lids leave on the eyeball (lash shadow, waterline), which goes where they
go. At rest their sum is the picture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from engines.codecs.portrait.eye_layers import LOWER_SHADE, UPPER_SHADE, EyeLayers, separate
from engines.codecs.portrait.eye_shape import EyeShape
from engines.codecs.portrait.planes import Array, Picture, enlarged, half, mesh, rounded, take
from engines.motion import INDEX, Motion

LASH = 0.10  # half eye widths above the lid's edge that move with it unstretched
CHEEK_REACH = 0.75  # half eye widths below the lower lid that its movement reaches
LOOK_SIDE, LOOK_UP, LOOK_DOWN = 0.36, 0.22, 0.26  # travel of the iris, half eye widths


@dataclass(frozen=True, slots=True, eq=False)
class _Grid:
    """Where the pixels of a window lie in an eye."""

    x: Array  # window pixels
    y: Array
    s: Array  # -1 to 1 between the corners
    t: Array  # below the line between the corners, half eye widths
    upper: Array  # the lids' places at s
    lower: Array
    scale: float  # pixels in half an eye width

    def crop(self, rows: slice, cols: slice) -> _Grid:
        """A part of the window as a window of its own."""
        x, y, s, t, upper, lower = (a[rows, cols] for a in (self.x, self.y, self.s, self.t, self.upper, self.lower))
        return _Grid(x - x[0, 0], y - y[0, 0], s, t, upper, lower, self.scale)


@dataclass(frozen=True, slots=True, eq=False)
class _Plane:
    """One plane (Y, or UV at half size) of an eye: its window, in it the opening's part, and the layers."""

    rows: slice
    cols: slice
    grid: _Grid
    inner: tuple[slice, slice]
    ball: _Grid
    picture: Array
    layers: EyeLayers  # of the lids the whole window, of the eyeball the opening's part


@dataclass(frozen=True, slots=True)
class _Pose:
    """What an eye does now: all in shares of its opening, and half eye widths for the gaze."""

    close: float  # of the upper lid; negative is wider
    lift: float  # of the lower lid
    gaze_s: float
    gaze_t: float
    shut: float  # 0-1, how much of a closed eye is to be seen

    @property
    def still(self) -> bool:
        return not (self.close or self.lift or self.gaze_s or self.gaze_t)


class Eye:
    """One eye on the canvas."""

    def __init__(self, shape: EyeShape, person_y: Array, person_uv: Array) -> None:
        self.shape = shape
        # Drawn lashes end in the corners; beyond them a drawing may show hair.
        side = 1.05 if shape.upper_bow < 1 else 1.25
        self.lash_reach = float(np.clip(0.6 * shape.brow_gap, 0.2, 0.55)), side
        self.planes = (self._plane(person_y, person_y, 1), self._plane(person_uv, half(person_y), 2))
        self._find_lash_contrast()
        self._drawn: tuple[_Pose, float] | None = None

    def _plane(self, whole: Array, light: Array, divide: int) -> _Plane:
        shape = self.shape
        reach = np.array([1.5, shape.brow_gap + 0.35 + shape.opening]) * shape.half
        box = np.abs(shape.along) * reach[0] + np.abs(shape.down) * reach[1]
        low = np.floor((shape.centre - box) / divide).astype(int)
        high = np.ceil((shape.centre + box) / divide).astype(int)
        height, width = whole.shape[:2]
        rows = slice(int(np.clip(low[1], 0, height - 2)), int(np.clip(high[1], 2, height)))
        cols = slice(int(np.clip(low[0], 0, width - 2)), int(np.clip(high[0], 2, width)))
        picture = np.ascontiguousarray(whole[rows, cols])
        grid = mesh(picture.shape[1], picture.shape[0])
        points = (grid + np.array((cols.start, rows.start), np.float32)) * divide + np.float32((divide - 1) / 2)
        s, t = shape.local(points)
        upper, lower = shape.lids(s)
        scale = shape.half / divide
        far = shape.from_iris(s, t)
        layers = separate(picture, light[rows, cols], s, t, upper, lower, scale, far, self.lash_reach)
        x, y = (np.ascontiguousarray(axis) for axis in (grid[..., 0], grid[..., 1]))
        window = _Grid(x, y, s, t, upper, lower, scale)
        opened = (np.abs(s) < 1.04) & (t > upper - 0.4 * shape.opening) & (t < lower + 0.25 * shape.opening)
        inner_rows, inner_cols = np.flatnonzero(opened.any(1)), np.flatnonzero(opened.any(0))
        inner = slice(int(inner_rows[0]), int(inner_rows[-1]) + 1), slice(int(inner_cols[0]), int(inner_cols[-1]) + 1)
        return _Plane(rows, cols, window, inner, window.crop(*inner), picture, layers.cropped(inner))

    def _find_lash_contrast(self) -> None:
        """How much darker than the lid the picture draws the lash line, 0-1."""
        plane = self.planes[0]
        p = plane.grid
        near = (np.abs(p.t - p.upper) < 0.12) & (np.abs(p.s) < 0.75)
        skin = (p.upper - p.t > 0.25) & (p.upper - p.t < 0.5) & (np.abs(p.s) < 0.75)
        self.lash = 0.4
        if near.any() and skin.any():
            light = max(20.0, float(np.median(plane.picture[skin])))
            self.lash = float(np.clip(1 - np.percentile(plane.picture[near], 12) / light, 0.12, 0.75))

    def pose(self, motion: Motion) -> _Pose:
        """What the channels ask of this eye."""
        get = lambda name: float(motion[INDEX[name + self.shape.side]])  # noqa: E731
        blink, squint, wide = get("eyeBlink"), get("eyeSquint"), get("eyeWide")
        down, up = get("eyeLookDown"), get("eyeLookUp")
        outward = get("eyeLookOut") - get("eyeLookIn")
        gaze_s = LOOK_SIDE * outward * (1 if self.shape.side == "Left" else -1)
        gaze_t = LOOK_DOWN * down - LOOK_UP * up
        follow = 0.42 * down + 0.26 * squint - 0.17 * wide - 0.10 * up
        close = min(1.0, follow * (1 - max(blink, 0.0)) + blink)
        lift = 0.30 * squint * (1 - blink) - 0.12 * down * (1 - blink)
        return _Pose(close, lift, gaze_s, gaze_t, float(np.clip((close - 0.15) / 0.85, 0, 1)))

    def draw(self, motion: Motion, person_y: Picture, detail: int, person_uv: Picture, sharpness: float) -> None:
        """Write the eye into the person's planes, in place. person_y is `detail` times as large as the canvas.

        sharpness: 0-1, as sharp as what is around it.
        """
        pose = self.pose(motion)
        if (pose, sharpness) == self._drawn:
            return
        self._drawn = pose, sharpness
        y, uv = (rounded(plane.picture if pose.still else self._render(plane, pose)) for plane in self.planes)
        plane, edge = self.planes[0], 2  # what the cubic filter sees beyond the window is not known
        rows, cols = (slice((axis.start + edge) * detail, (axis.stop - edge) * detail) for axis in (plane.rows, plane.cols))
        inner = slice(edge * detail, -edge * detail)
        y = enlarged(y, detail)
        if sharpness:
            more = 0.5 * sharpness
            y = np.asarray(cv2.addWeighted(y, 1 + more, cv2.GaussianBlur(y, (0, 0), 1.5), -more, 0), np.uint8)
        person_y[rows, cols] = y[inner, inner]
        plane = self.planes[1]
        person_uv[plane.rows, plane.cols, :2] = uv

    def _render(self, plane: _Plane, pose: _Pose) -> Array:
        p, layers = plane.grid, plane.layers
        light = plane.picture.ndim == 2
        upper, lower = self._lids(p, pose)
        # Skin: each lid slides along t; the lash band moves unstretched, the rest stretches as far as the brow.
        above, moved = upper - p.t, upper - p.upper
        span = self.shape.brow_gap + (p.upper - p.upper.min())
        stretched = LASH + (above - LASH) * ((span - LASH) / np.maximum(span + moved - LASH, 0.05))
        source = np.where(above < LASH, above, np.where(above > span + moved, above - moved, stretched))
        below, moved = p.t - lower, lower - p.lower
        left = CHEEK_REACH - moved
        source_below = np.where(below < left, below * (CHEEK_REACH / np.maximum(left, 0.05)), below + moved)
        shift = np.where(2 * p.t < upper + lower, p.upper - source, p.lower + source_below) - p.t
        skin = _take(layers.lid, p, *self._along_t(shift, p), cubic=True)
        skin += self._lashes(plane, pose, upper)
        if light and pose.shut:
            skin *= self._lid_shade(p, pose, upper)
        p, (upper, lower) = plane.ball, (lid[plane.inner] for lid in (upper, lower))
        shown = np.clip((p.t - upper) * p.scale + 0.5, 0, 1) * np.clip((lower - p.t) * p.scale + 0.5, 0, 1)
        shown *= np.clip((1 - np.abs(p.s)) * p.scale, 0, 1)
        ball = self._ball(plane, pose, upper, lower, light)
        part = skin[plane.inner]
        part += (ball - part) * (shown if light else shown[..., None])
        return skin

    def _lids(self, p: _Grid, pose: _Pose) -> tuple[Array, Array]:
        """Where the lids are now: t at each pixel's s."""
        opening = p.lower - p.upper
        meet = p.lower - 0.10 * opening  # where closed lids meet
        upper = p.upper + pose.close * (meet - p.upper)
        lower = p.lower + max(0.0, pose.close) ** 2 * (meet - p.lower) - pose.lift * opening
        return upper, np.maximum(lower, upper)

    def _along_t(self, shift: Array, p: _Grid) -> tuple[Array, Array]:
        """A shift along the eye's height in pixels: (x, y)."""
        pixels = shift * np.float32(p.scale)
        return pixels * self.shape.down[0], pixels * self.shape.down[1]

    def _lashes(self, plane: _Plane, pose: _Pose, upper: Array) -> Array:
        """Lashes and liner above the lid's edge: they tip forward as it closes, and point down in the end."""
        p = plane.grid
        stand = 1.0 - 1.55 * max(0.0, pose.close)
        stand = math.copysign(max(abs(stand), 0.08), stand)
        above = (upper - p.t) / np.float32(stand)
        shift = np.where(above >= 0, p.upper - above - p.t, np.float32(9))  # beyond the edge: nothing
        lashes = _take(plane.layers.lashes, p, *self._along_t(shift, p), border=cv2.BORDER_CONSTANT)
        return lashes * np.float32(0.55 + 0.45 * max(stand, 0.0))

    def _ball(self, plane: _Plane, pose: _Pose, upper: Array, lower: Array, light: bool) -> Array:
        p, layers = plane.ball, plane.layers
        x = np.float32(-p.scale * (pose.gaze_s * self.shape.along[0] + pose.gaze_t * self.shape.down[0]))
        y = np.float32(-p.scale * (pose.gaze_s * self.shape.along[1] + pose.gaze_t * self.shape.down[1]))
        disc, iris = _take(layers.disc, p, x, y, cubic=True), _take(layers.iris, p, x, y, cubic=True)
        ball = iris + layers.white * ((1 - disc) if light else (1 - disc)[..., None])
        # The stain of each lid goes where the lid goes.
        near_upper = (p.t - upper) * LOWER_SHADE < (lower - p.t) * UPPER_SHADE
        shift = np.where(near_upper, p.upper - upper, p.lower - lower)
        ball += _take(layers.stain, p, *self._along_t(shift, p))
        if light and pose.close > 0:
            ball *= 1 - 0.40 * min(1.0, pose.close * 1.5) * np.exp(np.minimum(upper - p.t, 0) * np.float32(1 / 0.16))
        return ball

    def _lid_shade(self, p: _Grid, pose: _Pose, upper: Array) -> Array:
        """The lash line and the roundness of a closing lid, a factor."""
        width = np.clip(1.06 - p.s * p.s, 0, 1)
        d = (p.t - upper) * np.float32(1 / 0.055)
        lash = self.lash * np.exp(-np.square(np.where(d > 0, 0.6 * d, d))) * np.sqrt(width)
        rounded = 0.07 * np.exp(-np.square((upper - p.t) * np.float32(1 / 0.16))) * width
        return np.asarray(1 - pose.shut * np.maximum(lash * 0.75, rounded), np.float32)


def _take(
    layer: Array,
    p: _Grid,
    dx: Array | np.float32,
    dy: Array | np.float32,
    cubic: bool = False,
    border: int = cv2.BORDER_REPLICATE,
) -> Array:
    """A layer's values (dx, dy) pixels away from each pixel of the window."""
    return take(layer, (p.x + dx, p.y + dy), cubic, border)
