"""The portrait codec: motion latents and one still picture to frames of a speaking person.

A frame is drawn in this order: the eyes are redrawn in the picture's own place (`eyes`); a coarse grid says which place
of the picture each cell of the frame shows (`flow`); the frame is filled with the background, which only the camera moves,
and the person's layer is laid over it, warped (`layers`); last, the mouth's window is put together from both lips and the
inside of the mouth (`lips`, `mouth`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.avatar_library import Avatar
from engines.codecs.portrait.eye_shape import EyeShape, drawn, fitted
from engines.codecs.portrait.eyes import Eye
from engines.codecs.portrait.face import Face
from engines.codecs.portrait.flow import Flow, Sources, camera_matrix, within
from engines.codecs.portrait.layers import Background, Layers
from engines.codecs.portrait.lips import Lips, add_interior, compose, coverage
from engines.codecs.portrait.planes import Array, Picture, half, look_up, store, warped
from engines.codecs.portrait.view import View
from engines.lips import APERTURE_GAIN
from engines.motion import INDEX, NUM_CHANNELS, Motion

STRIP_ROWS = 128  # tall enough for few calls, short enough for the core's cache
FULL_DETAIL_ZOOM = 0.5
#: Channels that have a range of their own; all others go from 0 to 1.
LIMITS = {
    "headYaw": 0.45, "headPitch": 0.35, "headRoll": 0.35, "headX": 0.6, "headY": 0.4, "headZ": 1.2,
    "cameraX": 0.25, "cameraY": 0.25, "cameraZoom": 0.8, "cameraRoll": 0.3,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cells:
    """A rectangle of grid cells of the frame: columns [left, right), rows [top, bottom)."""

    left: int
    top: int
    right: int
    bottom: int


class Coverage(IntEnum):
    """How much of the surroundings of a place belongs to the person."""

    NONE = 0
    PART = 1
    ALL = 2


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A picture in the making: `i420` [h * 3 // 2, w], and views of its planes Y [h, w], U and V [h/2, w/2]."""

    i420: Picture
    planes: tuple[Picture, Picture, Picture]

    @classmethod
    def empty(cls, width: int, height: int) -> Frame:
        i420 = np.empty((height * 3 // 2, width), np.uint8)
        u, v = i420[height:].reshape(2, height // 2, width // 2)
        return cls(i420, (i420[:height], u, v))

    def box(self, left: int, top: int, right: int, bottom: int) -> tuple[Picture, Picture, Picture]:
        """A rectangle of it, of even pixels."""
        y, u, v = self.planes
        chroma = slice(top // 2, bottom // 2), slice(left // 2, right // 2)
        return y[top:bottom, left:right], u[chroma], v[chroma]


class PortraitCodec:
    """Draws one avatar at one size. Building it takes about half a second, a frame a few milliseconds. Not for two threads."""

    def __init__(self, avatar: Avatar, size: tuple[int, int], background: Background = "keep") -> None:
        """size: (width, height) in pixels, both even. Raises ValueError for sizes that cannot be drawn."""
        face = Face.of(avatar.landmarks)
        picture, matte, behind = avatar.picture(), avatar.matte(), avatar.background()
        self.view = View.framing((avatar.width, avatar.height), size, face, matte)
        self.face = face = self.view.place(face)
        self.flow = Flow(self.view, face, crown_cut=bool(matte[0].max() >= 128))
        self.layers = layers = Layers.of(self.view, picture, matte, behind, background)
        self.coverage = _coverage(layers, self.flow.grid, self.flow.step)
        planes = layers.person()
        shapes = EyeShape.of(face, "Right"), EyeShape.of(face, "Left")
        if avatar.points == "detected":
            shapes = fitted(shapes, *planes)
        else:
            shapes = drawn(shapes[0], *planes), drawn(shapes[1], *planes)
        self.eyes = tuple(Eye(shape.with_iris_found(planes[0]), *planes) for shape in shapes)
        canonical = self.flow.head.canonical.reshape(*self.flow.grid, 3)
        self.lips = Lips(face, self.flow.fields.mouth, canonical, self.flow.step, *planes)
        self._camera: Array | None = None  # that `_behind` shows
        self._behind = layers.behind
        self._sharpness = 0.0
        self._person_y = layers.person_y.copy()

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.view.size

    def decode_rgb(self, motion: Motion) -> Picture:
        """One frame as RGB uint8 [height, width, 3]."""
        return np.asarray(cv2.cvtColor(self.decode(motion), cv2.COLOR_YUV2RGB_I420), np.uint8)

    def frames(self, motion: Motion) -> Iterator[Picture]:
        """Motion [n, 64] to n pictures as `decode` draws them, each when it is asked for."""
        return map(self.decode, motion)

    def decode(self, motion: Motion) -> Picture:
        """One frame, motion [64], as I420 uint8 [height * 3 // 2, width]. Raises ValueError for another shape."""
        if motion.shape != (NUM_CHANNELS,):
            raise ValueError(f"motion must be [{NUM_CHANNELS}], not {list(motion.shape)}")
        motion = self._closed_no_further(within_range(motion))
        self._focus(float(motion[INDEX["cameraZoom"]]))
        for eye in self.eyes:
            eye.draw(motion, self._person_y, self.layers.detail, self.layers.person_uv, self._sharpness)
        camera = camera_matrix(motion, self.view)
        sources = self.flow.cells(motion, camera)
        frame = Frame.empty(*self.size)
        self._draw_behind(camera, frame)
        self._draw_person(sources, frame)
        self._draw_mouth(sources, motion, frame)
        return frame.i420

    @property
    def shut(self) -> float:
        """The weight of mouthClose that shuts the lips of a picture whose mouth is open at rest; 0 where it is shut."""
        return float(self.lips.rest_gap / (-APERTURE_GAIN["mouthClose"] * self.flow.fields.mouth.smallness))

    def _closed_no_further(self, motion: Motion) -> Motion:
        """Lips in contact stay in contact: mouthClose takes away the opening that there is, no more."""
        close = INDEX["mouthClose"]
        others = motion.copy()
        others[close] = 0
        opening = max(0.0, float(sum(gain * others[INDEX[name]] for name, gain in APERTURE_GAIN.items())))
        others[close] = min(float(motion[close]), self.shut + opening / -APERTURE_GAIN["mouthClose"])
        return others

    def _focus(self, zoom: float) -> None:
        """The nearer the camera, the more is shown of what the picture knows beyond the frame's pixels."""
        if self.layers.sharp_y is None:
            return
        sharpness = round(float(np.clip(zoom / FULL_DETAIL_ZOOM, 0, 1)) * 8) / 8
        if sharpness != self._sharpness:
            self._sharpness = sharpness
            cv2.addWeighted(self.layers.person_y, 1 - sharpness, self.layers.sharp_y, sharpness, 0, dst=self._person_y)

    def _draw_behind(self, camera: Array, frame: Frame) -> None:
        """Fill the frame with the background. What a camera that stands still sees is kept."""
        if self._camera is None or not np.array_equal(camera, self._camera):
            self._behind = self._seen_behind(camera)
            self._camera = camera
        for plane, into in zip(self._behind, frame.planes, strict=True):
            np.copyto(into, plane)

    def _seen_behind(self, camera: Array) -> tuple[Picture, Picture, Picture]:
        rows, cols = self.view.frame
        y, u, v = self.layers.behind
        if np.array_equal(camera, np.array([[1, 0, cols.start], [0, 1, rows.start]], np.float32)):
            chroma = slice(rows.start // 2, rows.stop // 2), slice(cols.start // 2, cols.stop // 2)
            return y[rows, cols], u[chroma], v[chroma]
        half_camera = camera.copy()
        half_camera[:, 2] = (camera @ np.array([0.5, 0.5, 1.0], np.float32) - 0.5) / 2
        half_size = self.size[0] // 2, self.size[1] // 2
        return warped(y, camera, self.size), warped(u, half_camera, half_size), warped(v, half_camera, half_size)

    def _draw_person(self, sources: Sources, frame: Frame) -> None:
        """Lay the person over the frame, in strips."""
        at, step, (width, height) = sources.chosen, self.flow.step, self.size
        nodes = at[:, 1:-1, 1:-1] * np.float32(1 / step)
        coverage = cv2.remap(self.coverage, nodes[0], nodes[1], cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
        on_y, on_uv = at * np.float32(self.layers.detail), at * np.float32(0.5) - np.float32(0.25)
        per_detail, num_rows = np.float32(1 / self.layers.detail), max(1, STRIP_ROWS // step)
        for top in range(0, len(coverage), num_rows):
            strip = coverage[top : top + num_rows]
            cols = np.flatnonzero(strip.any(0))
            if not len(cols):
                continue
            left, right = int(cols[0]), int(cols[-1]) + 1
            map_y, map_uv = (self._map(on, Cells(left, top, right, top + len(strip)), n) for on, n in ((on_y, 1), (on_uv, 2)))
            u, v, through_uv, _ = cv2.split(look_up(self.layers.person_uv, map_uv))
            y, u_box, v_box = frame.box(
                left * step, top * step, min(right * step, width), min((top + len(strip)) * step, height)
            )
            _lay(u, through_uv, u_box)
            _lay(v, through_uv, v_box)
            person_y = look_up(self._person_y, map_y)
            solid = _longest_run(strip[:, left:right].min(0) == Coverage.ALL)
            for part in (slice(0, solid.start * step), slice(solid.stop * step, y.shape[1])):
                if part.start < part.stop:
                    places = map_y[0][:, part] * per_detail, map_y[1][:, part] * per_detail
                    _lay(person_y[:, part], look_up(self.layers.through, places), y[:, part])
            part = slice(solid.start * step, solid.stop * step)
            y[:, part] = person_y[:, part]

    def _map(self, source: Array, cells: Cells, divide: int = 1) -> tuple[Array, Array]:
        """The places that the pixels of some cells show, in Y or (divide 2) in U and V, from those of the cells."""
        step, size = self.flow.step // divide, (self.size[0] // divide, self.size[1] // divide)
        height = min(size[1] - cells.top * step, (cells.bottom - cells.top) * step)
        width = min(size[0] - cells.left * step, (cells.right - cells.left) * step)
        part = source[:, cells.top : cells.bottom + 2, cells.left : cells.right + 2]
        full = (part.shape[2] * step, part.shape[1] * step)
        x, y = (cv2.resize(axis, full, interpolation=cv2.INTER_LINEAR) for axis in part)
        inner = slice(step, step + height), slice(step, step + width)
        return np.asarray(x, np.float32)[inner], np.asarray(y, np.float32)[inner]

    def _draw_mouth(self, sources: Sources, motion: Motion, frame: Frame) -> None:
        cells = self._mouth_cells(sources)
        if cells is None:
            return
        lips, sides = self.lips, (sources.above, sources.below)
        maps = [np.stack(self._map(at, cells)) for at in sides]
        on_upper, on_lower, edges = coverage(*(lips.edge(at - lips.offset, lip) for lip, at in enumerate(maps)))
        detail = np.float32(self.layers.detail)
        new_y = compose([look_up(self._person_y, at * detail) for at in maps], on_upper, on_lower)
        half_maps = [self._map(at * np.float32(0.5) - np.float32(0.25), cells, 2) for at in sides]
        skin = [look_up(self.layers.person_uv, at)[..., :2] for at in half_maps]
        new_uv = compose(skin, half(on_upper), half(on_lower))
        opening = cv2.boundingRect((on_upper + on_lower < 0.996).astype(np.uint8))
        if opening[2]:
            left, top = opening[0] // 2 * 2, opening[1] // 2 * 2
            part = slice(top, opening[1] + opening[3] + 1 & ~1), slice(left, opening[0] + opening[2] + 1 & ~1)
            head = np.stack([axis[part] for axis in self._map(sources.head - lips.offset, cells)])
            through = 1 - on_upper[part] - on_lower[part]
            rounded_lips = float(motion[INDEX["mouthFunnel"]] + motion[INDEX["mouthPucker"]])
            depth = 0.95 * min(1.0, max(0.0, (rounded_lips - 0.15) / 0.5))
            inside = lips.interior(head, self._jaw_shift(motion), edges[0][part], edges[1][part], depth)
            half_part = tuple(slice(axis.start // 2, axis.stop // 2) for axis in part)
            add_interior(new_y[part], new_uv[half_part], inside, through)
        # The face's outline is drawn already, and stays.
        full = (look_up(self.layers.through, maps[1]) < 2).astype(np.float32)
        solid = np.asarray(cv2.erode(full, np.ones((7, 7), np.uint8)), np.float32)
        half_solid, step = half(solid), self.flow.step
        left, top = cells.left * step, cells.top * step
        box = frame.box(left, top, left + solid.shape[1], top + solid.shape[0])
        new = (new_y, new_uv[..., 0], new_uv[..., 1])
        for into, plane, share in zip(box, new, (solid, half_solid, half_solid), strict=True):
            store(plane * share + into * (1 - share), into)

    def _mouth_cells(self, sources: Sources) -> Cells | None:
        """The cells of the frame where the lips meet or part; None where they are out of the frame."""
        height, width = self.lips.cavity.shape[:2]
        inset = np.array((0.06, 0.3), np.float32) * np.float32(self.face.unit)
        low = self.lips.offset.ravel() + inset
        high = self.lips.offset.ravel() + np.array((width, height), np.float32) - inset
        seen = [within(at[:, 1:-1, 1:-1], low, high) for at in (sources.above, sources.below, sources.head)]
        x, v, num_cols, num_rows = cv2.boundingRect(seen[0] | seen[1] | seen[2])
        if not num_cols:
            return None
        # Further away the face is drawn already: by the field that holds, from its own lip.
        part = slice(v, v + num_rows + 2), slice(x, x + num_cols + 2)
        upper, lower = (
            self.lips.edge(at[:, *part] - self.lips.offset, lip)[0] for lip, at in enumerate((sources.above, sources.below))
        )
        is_lower, clear = sources.is_lower[part], np.float32(self.flow.step / 2 + 2)
        near = ~np.where(is_lower, (upper > clear) & (lower < -clear), upper < -clear)
        around = np.ones((3, 3), np.uint8)
        mixed = cv2.dilate(near.astype(np.uint8), around) | cv2.morphologyEx(is_lower, cv2.MORPH_GRADIENT, around)
        dx, dv, num_cols, num_rows = cv2.boundingRect(mixed[1:-1, 1:-1])
        return Cells(x + dx, v + dv, x + dx + num_cols, v + dv + num_rows) if num_cols else None

    def _jaw_shift(self, motion: Motion) -> Array:
        """How far the lower teeth have moved, pixels [2]."""
        down = 0.92 * self.flow.fields.mouth.smallness * APERTURE_GAIN["jawOpen"] * motion[INDEX["jawOpen"]]
        side = 0.11 * (motion[INDEX["jawLeft"]] - motion[INDEX["jawRight"]])
        return (self.face.unit * (side * self.face.axes[0, :2] + down * self.face.axes[1, :2])).astype(np.float32)


def _coverage(layers: Layers, grid: tuple[int, int], step: int) -> Picture:
    """What surrounds each node of the canvas's grid (two steps each way): a `Coverage`."""
    around = np.ones((4 * step + 1, 4 * step + 1), np.uint8)
    rows, cols = (np.minimum(np.arange(n) * step, size - 1) for n, size in zip(grid, layers.through.shape, strict=True))
    least, most = (reduce(layers.through, around)[np.ix_(rows, cols)] for reduce in (cv2.erode, cv2.dilate))
    return np.where(most == 0, Coverage.ALL, np.where(least < 255, Coverage.PART, Coverage.NONE)).astype(np.uint8)


def _longest_run(of: NDArray[np.bool_]) -> slice:
    """Where the most neighbours are true; empty at the start where none is."""
    bounded = np.zeros(len(of) + 2, np.bool_)
    bounded[1:-1] = of
    edges = np.flatnonzero(bounded[1:] != bounded[:-1]).reshape(-1, 2)
    if not len(edges):
        return slice(0, 0)
    start, stop = edges[np.argmax(edges[:, 1] - edges[:, 0])]
    return slice(int(start), int(stop))


def _lay(person: Picture, through: Picture, over: Picture) -> None:
    """Lay a premultiplied plane over another in place; through: how much of that shows, 0-255."""
    cv2.multiply(through, over, dst=over, scale=1 / 255)
    cv2.add(person, over, dst=over)


def within_range(motion: Motion) -> Motion:
    """The motion with each channel kept where the drawing holds; not-a-number is rest."""
    high = np.ones(NUM_CHANNELS, np.float32)
    low = np.zeros(NUM_CHANNELS, np.float32)
    for name, limit in LIMITS.items():
        low[INDEX[name]], high[INDEX[name]] = -limit, limit
    return np.clip(np.nan_to_num(motion.astype(np.float32), nan=0.0), low, high)
