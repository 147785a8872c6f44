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
from numpy.typing import NDArray

from engines.codecs.portrait.eye_layers import LOWER_SHADE, UPPER_SHADE, EyeLayers, separate
from engines.codecs.portrait.eye_shape import EyeShape
from engines.codecs.portrait.person import Person
from engines.codecs.portrait.planes import Array, enlarged, half, mesh, rounded, take
from engines.motion import INDEX, Motion

LASH = 0.10  # half eye widths above the lid's edge that move with it unstretched
CHEEK_REACH = 0.75  # half eye widths below the lower lid that its movement reaches
LOOK_SIDE, LOOK_UP, LOOK_DOWN = 0.36, 0.22, 0.26  # travel of the iris, half eye widths
LEAST_MOVE = 0.125  # pixels; eyes move in steps of this, and are drawn anew only when they have moved


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
class _Change:
    """What a pose does to the window's pixels: where the layers come from (x, y), in what light, and how much shows.

    skin, lashes: places [2, h, w]; lash_light, shade: factors [h, w]; of the opening's part: stain: places, shadow: a factor,
    shown: how much of the eyeball is seen; gaze: how far its iris is from its place, pixels.
    """

    skin: Array
    lashes: Array
    lash_light: float
    shade: Array | None
    stain: Array
    shadow: Array | None
    shown: Array
    gaze: tuple[float, float]

    def halved(self) -> _Change:
        """The same for the planes of colour, at half size, which light and shade leave alone."""
        skin, lashes, stain = (_half_places(at) for at in (self.skin, self.lashes, self.stain))
        gaze = self.gaze[0] / 2, self.gaze[1] / 2
        return _Change(skin, lashes, self.lash_light, None, stain, None, half(self.shown), gaze)


def _half_places(at: Array) -> Array:
    return np.stack([half(axis) for axis in at]) * np.float32(0.5) - np.float32(0.25)


@dataclass(frozen=True, slots=True, eq=False)
class _Plane:
    """One plane (Y, or UV at half size) of an eye: its window, in it the opening's part, and the layers."""

    rows: slice
    cols: slice
    inner: tuple[slice, slice]
    picture: Array
    layers: EyeLayers  # of the lids the whole window, of the eyeball the opening's part
    opening: Array  # places of the pixels of the opening's part, within it [2, h, w]


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
        rows, cols = self._window(person_y.shape)
        self.grid = self._grid(rows, cols, 1)
        p = self.grid
        opened = (np.abs(p.s) < 1.04) & (p.t > p.upper - 0.4 * shape.opening) & (p.t < p.lower + 0.25 * shape.opening)
        inner = _even(np.flatnonzero(opened.any(1)), len(opened)), _even(np.flatnonzero(opened.any(0)), opened.shape[1])
        self.ball = self.grid.crop(*inner)
        uv_rows, uv_cols, *uv_inner = (slice(axis.start // 2, axis.stop // 2) for axis in (rows, cols, *inner))
        self.planes = (
            self._plane(person_y, person_y, self.grid, rows, cols, inner),
            self._plane(
                person_uv, half(person_y), self._grid(uv_rows, uv_cols, 2), uv_rows, uv_cols, (uv_inner[0], uv_inner[1])
            ),
        )
        self._find_lash_contrast()
        self._drawn: tuple[_Pose, float] | None = None

    def _window(self, shape: tuple[int, ...]) -> tuple[slice, slice]:
        """Rows and columns of the canvas (height, width) that the eye's movements reach, even."""
        eye = self.shape
        upper, lower = eye.lids(np.linspace(-1, 1, 21, dtype=np.float32))
        side, top, bottom = 1.5, float(upper.min()) - eye.brow_gap - 0.1, float(lower.max()) + CHEEK_REACH + 0.1
        corners = np.array([(s, t) for s in (-side, side) for t in (top, bottom)], np.float32)
        reach = eye.centre + eye.half * (corners[:, :1] * eye.along + corners[:, 1:] * eye.down)
        low, high = np.floor(reach.min(0)).astype(int) - 2, np.ceil(reach.max(0)).astype(int) + 3
        rows, cols = (np.clip((low[i], high[i]), (0, 4), (shape[1 - i] - 4, shape[1 - i])) for i in (1, 0))
        return slice(rows[0] // 2 * 2, rows[1] // 2 * 2), slice(cols[0] // 2 * 2, cols[1] // 2 * 2)

    def _grid(self, rows: slice, cols: slice, divide: int) -> _Grid:
        shape = self.shape
        grid = mesh(cols.stop - cols.start, rows.stop - rows.start)
        points = (grid + np.array((cols.start, rows.start), np.float32)) * divide + np.float32((divide - 1) / 2)
        s, t = shape.local(points)
        x, y = (np.ascontiguousarray(axis) for axis in (grid[..., 0], grid[..., 1]))
        return _Grid(x, y, s, t, *shape.lids(s), shape.half / divide)

    def _plane(self, whole: Array, light: Array, p: _Grid, rows: slice, cols: slice, inner: tuple[slice, slice]) -> _Plane:
        picture = np.ascontiguousarray(whole[rows, cols])
        far = self.shape.from_iris(p.s, p.t)
        layers = separate(picture, light[rows, cols], p.s, p.t, p.upper, p.lower, p.scale, far, self.lash_reach)
        ball = p.crop(*inner)
        return _Plane(rows, cols, inner, picture, layers.cropped(inner), np.stack((ball.x, ball.y)))

    def _find_lash_contrast(self) -> None:
        """How much darker than the lid the picture draws the lash line, 0-1."""
        plane, p = self.planes[0], self.grid
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
        step = LEAST_MOVE / self.shape.half
        lid_step = step / self.shape.opening
        close = min(1.0, _in_steps(follow * (1 - blink) + blink, lid_step))
        lift = _in_steps(0.30 * squint * (1 - blink) - 0.12 * down * (1 - blink), lid_step)
        shut = float(np.clip((close - 0.15) / 0.85, 0, 1))
        return _Pose(close, lift, _in_steps(gaze_s, step), _in_steps(gaze_t, step), shut)

    def draw(self, motion: Motion, person: Person) -> None:
        """Write the eye into the person's planes, as sharp as what is around it."""
        pose, sharpness, detail = self.pose(motion), person.sharpness, person.layers.detail
        if (pose, sharpness) == self._drawn:
            return
        self._drawn = pose, sharpness
        if pose.still:
            y, uv = (rounded(plane.picture) for plane in self.planes)
        else:
            change = self._change(pose)
            y, uv = (rounded(_changed(plane, by)) for plane, by in zip(self.planes, (change, change.halved()), strict=True))
        y = enlarged(y, detail)
        if sharpness:
            more = 0.5 * sharpness
            y = np.asarray(cv2.addWeighted(y, 1 + more, cv2.GaussianBlur(y, (0, 0), 1.5), -more, 0), np.uint8)
        plane, edge = self.planes[0], 2  # what the cubic filter sees beyond the window is not known
        inner = slice(edge * detail, -edge * detail)
        person.write(y[inner, inner], ((plane.rows.start + edge) * detail, (plane.cols.start + edge) * detail))
        plane = self.planes[1]
        person.uv[plane.rows, plane.cols, :2] = uv

    def _change(self, pose: _Pose) -> _Change:
        p = self.grid
        upper, lower = self._lids(p, pose)
        # Skin: each lid slides along t; the lash band moves unstretched, the rest less and less as far as the brow.
        above, rest_above, moved = upper - p.t, p.upper - p.t, upper - p.upper
        span = self.shape.brow_gap + (p.upper - p.upper.min())
        shift = -moved * np.clip((span - rest_above) / np.maximum(span + moved - LASH, 0.05), 0, 1)
        # The lower lid draws the skin above it, seen by nobody, more and more; below, as far as the cheek.
        moved = lower - p.lower
        left = np.maximum(CHEEK_REACH - moved, 0.05)
        shift_below = -moved * np.maximum((CHEEK_REACH + p.lower - p.t) / left, 0)
        skin = self._along_t(np.where(2 * p.t < upper + lower, shift, shift_below), p)
        # Lashes and liner above the lid's edge: they tip forward as it closes, and point down in the end.
        stand = 1.0 - 1.55 * max(0.0, pose.close)
        stand = math.copysign(max(abs(stand), 0.08), stand)
        lifted = above / np.float32(stand)
        lashes = self._along_t(np.where(lifted >= 0, rest_above - lifted, np.float32(9)), p)  # beyond the edge: nothing
        shade = self._lid_shade(p, pose, upper) if pose.shut else None
        # The stain of each lid goes where the lid goes.
        inner = self.planes[0].inner
        p, upper, lower = self.ball, upper[inner], lower[inner]
        near_upper = (p.t - upper) * LOWER_SHADE < (lower - p.t) * UPPER_SHADE
        stain = self._along_t(np.where(near_upper, p.upper - upper, p.lower - lower), p)
        shadow = None
        if pose.close > 0:
            shadow = 1 - 0.40 * min(1.0, pose.close * 1.5) * np.exp(np.minimum(upper - p.t, 0) * np.float32(1 / 0.16))
        shown = np.clip((p.t - upper) * p.scale + 0.5, 0, 1) * np.clip((lower - p.t) * p.scale + 0.5, 0, 1)
        shown *= np.clip((1 - np.abs(p.s)) * p.scale, 0, 1) * np.clip((lower - upper) * p.scale, 0, 1)
        gaze = p.scale * (pose.gaze_s * self.shape.along + pose.gaze_t * self.shape.down)
        lash_light = 0.55 + 0.45 * max(stand, 0.0)
        return _Change(skin, lashes, lash_light, shade, stain, shadow, shown, (float(gaze[0]), float(gaze[1])))

    def _lids(self, p: _Grid, pose: _Pose) -> tuple[Array, Array]:
        """Where the lids are now: t at each pixel's s."""
        opening = p.lower - p.upper
        meet = p.lower - 0.10 * opening  # where closed lids meet
        upper = p.upper + pose.close * (meet - p.upper)
        lower = p.lower + max(0.0, pose.close) ** 2 * (meet - p.lower) - pose.lift * opening
        return upper, np.maximum(lower, upper)

    def _along_t(self, shift: Array, p: _Grid) -> Array:
        """The window's pixels shifted along the eye's height: places [2, h, w]."""
        pixels = shift * np.float32(p.scale)
        places = np.empty((2, *pixels.shape), np.float32)
        for axis, along, into in zip((p.x, p.y), self.shape.down, places, strict=True):
            np.multiply(pixels, along, out=into)
            into += axis
        return places

    def _lid_shade(self, p: _Grid, pose: _Pose, upper: Array) -> Array:
        """The lash line and the roundness of a closing lid, a factor."""
        width = np.clip(1.06 - p.s * p.s, 0, 1)
        d = (p.t - upper) * np.float32(1 / 0.055)
        lash = self.lash * np.exp(-np.square(np.where(d > 0, 0.6 * d, d))) * np.sqrt(width)
        rounded = 0.07 * np.exp(-np.square((upper - p.t) * np.float32(1 / 0.16))) * width
        return np.asarray(1 - pose.shut * np.maximum(lash * 0.75, rounded), np.float32)


def _changed(plane: _Plane, by: _Change) -> Array:
    """The window as it looks now."""
    layers = plane.layers
    skin = take(layers.lid, by.skin, cubic=True)
    skin += take(layers.lashes, by.lashes, border=cv2.BORDER_CONSTANT) * np.float32(by.lash_light)
    if by.shade is not None:
        skin *= by.shade
    iris_at = plane.opening - np.array(by.gaze, np.float32)[:, None, None]
    disc, iris = take(layers.disc, iris_at, cubic=True), take(layers.iris, iris_at, cubic=True)
    ball = iris + layers.white * _for_each(1 - disc, layers.white)
    ball += take(layers.stain, by.stain)
    if by.shadow is not None:
        ball *= by.shadow
    part = skin[plane.inner]
    part += (ball - part) * _for_each(by.shown, part)
    return skin


def _for_each(weight: Array, plane: Array) -> Array:
    """A weight [h, w] for a plane [h, w] or [h, w, c]."""
    return weight if plane.ndim == 2 else weight[..., None]


def _in_steps(value: float, step: float) -> float:
    return round(value / step) * step


def _even(places: NDArray[np.intp], size: int) -> slice:
    """From the first to the last, widened to even bounds within an even size."""
    return slice(int(places[0]) // 2 * 2, min(size, (int(places[-1]) + 2) // 2 * 2))
