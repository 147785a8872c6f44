"""The portrait codec: motion latents and one still picture to frames of a speaking person.

A frame is drawn in this order: the eyes are redrawn in the picture's own place (`eyes`); a coarse grid says which place
of the picture each cell of the frame shows (`flow`); strips of the frame are filled from the person's layer and laid over
the background (`layers`), which only the camera moves; last, the mouth's window is put together from both lips and the
inside of the mouth (`lips`, `mouth`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise

import cv2
import numpy as np

from engines.avatar_library import Avatar
from engines.codecs.portrait.eye_shape import EyeShape, fitted
from engines.codecs.portrait.eyes import Eye
from engines.codecs.portrait.face import Face
from engines.codecs.portrait.flow import Flow, Sources, camera_matrix
from engines.codecs.portrait.layers import Background, Layers
from engines.codecs.portrait.lips import Lips, add_interior, compose, coverage
from engines.codecs.portrait.mouth import OPEN_AT_REST
from engines.codecs.portrait.planes import Array, Picture, enlarge, half, store, take
from engines.codecs.portrait.view import View
from engines.lips import APERTURE_GAIN
from engines.motion import INDEX, NUM_CHANNELS, Motion

STRIP_ROWS = 192  # tall enough for few calls, short enough for the core's cache
SHORTEST_RUN = 12  # cells
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
        self.coverage = _coverage(layers.alpha, self.flow.grid, self.flow.step)
        planes = layers.person_y, np.ascontiguousarray(layers.person_uva[..., :2])
        shapes = EyeShape.of(face, "Right"), EyeShape.of(face, "Left")
        if avatar.points == "detected":
            shapes = fitted(shapes, *planes)
        self.eyes = tuple(Eye(shape.with_iris_found(planes[0]), *planes) for shape in shapes)
        canonical = self.flow.head.canonical.reshape(*self.flow.grid, 3)
        self.lips = Lips(face, self.flow.fields.mouth, canonical, self.flow.step, *planes)

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
        for eye in self.eyes:
            eye.draw(motion, self.layers.person_y, self.layers.person_uva[..., :2])
        camera = camera_matrix(motion, self.view)
        sources = self.flow.cells(motion, camera)
        width, height = self.size
        i420 = np.empty((height * 3 // 2, width), np.uint8)
        y, uv = i420[:height], np.empty((height // 2, width // 2, 2), np.uint8)
        self._draw_person(sources, camera, y, uv)
        self._draw_mouth(sources, motion, y, uv)
        cv2.split(uv, list(i420[height:].reshape(2, height // 2, width // 2)))
        return i420

    @property
    def shut(self) -> float:
        """The weight of mouthClose that shuts the lips of a picture whose mouth is open at rest; 0 where it is shut."""
        gap = self.flow.fields.mouth.rest_gap
        return float(gap / -APERTURE_GAIN["mouthClose"]) if gap > OPEN_AT_REST else 0.0

    def _closed_no_further(self, motion: Motion) -> Motion:
        """Lips in contact stay in contact: mouthClose takes away the opening that there is, no more."""
        close = INDEX["mouthClose"]
        others = motion.copy()
        others[close] = 0
        opening = max(0.0, float(sum(gain * others[INDEX[name]] for name, gain in APERTURE_GAIN.items())))
        others[close] = min(float(motion[close]), self.shut + opening / -APERTURE_GAIN["mouthClose"])
        return others

    def _draw_behind(self, camera: Array, y: Picture, uv: Picture, cells: Cells) -> None:
        """Fill some cells of the frame with the background."""
        step, (width, height) = self.flow.step, self.size
        left, top = cells.left * step, cells.top * step
        right, bottom = min(cells.right * step, width), min(cells.bottom * step, height)
        at_y, at_uv = y[top:bottom, left:right], uv[top // 2 : bottom // 2, left // 2 : right // 2]
        rows, cols = self.view.frame
        if np.array_equal(camera, np.array([[1, 0, cols.start], [0, 1, rows.start]], np.float32)):
            left, top, right, bottom = left + cols.start, top + rows.start, right + cols.start, bottom + rows.start
            np.copyto(at_y, self.layers.behind_y[top:bottom, left:right])
            np.copyto(at_uv, self.layers.behind_uv[top // 2 : bottom // 2, left // 2 : right // 2])
            return
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        here, half_here = camera.copy(), camera.copy()
        here[:, 2] = camera @ np.array([left, top, 1.0], np.float32)
        half_here[:, 2] = (camera @ np.array([left + 0.5, top + 0.5, 1.0], np.float32) - 0.5) / 2
        for plane, matrix, into in ((self.layers.behind_y, here, at_y), (self.layers.behind_uv, half_here, at_uv)):
            size = into.shape[1], into.shape[0]
            cv2.warpAffine(plane, matrix, size, dst=into, flags=flags, borderMode=cv2.BORDER_REFLECT)

    def _draw_person(self, sources: Sources, camera: Array, y: Picture, uv: Picture) -> None:
        """Fill the frame: strips, in runs that are wholly person, wholly background, or may be both."""
        at, step = sources.chosen[1:-1, 1:-1], self.flow.step
        nodes = at * np.float32(1 / step)
        seen = cv2.remap(self.coverage, nodes, None, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
        num_rows = max(2, STRIP_ROWS // step // 2 * 2)
        for top in range(0, at.shape[0], num_rows):
            bottom = min(top + num_rows, at.shape[0])
            strip = seen[top:bottom]
            kinds = np.full(strip.shape[1], Coverage.PART, np.uint8)
            kinds[strip.max(0) == Coverage.NONE] = Coverage.NONE
            kinds[strip.min(0) == Coverage.ALL] = Coverage.ALL
            all_runs = _runs(kinds)
            solid = [(left, right) for left, right, kind in all_runs if kind == Coverage.ALL]
            edges = [0, *(edge for run in solid for edge in run), strip.shape[1]]
            for left, right in zip(edges[::2], edges[1::2], strict=True):
                if left < right:
                    self._draw_behind(camera, y, uv, Cells(left, top, right, bottom))
            for runs in _spans(all_runs):
                start = runs[0][0]
                span = Cells(start, top, runs[-1][1], bottom)
                map_y = self._map(sources.chosen, span)
                new_y, new_uva = self._person(map_y, self._map(sources.chosen, span, 2))
                for left, right, kind in runs:
                    cols = slice((left - start) * step, (right - start) * step)
                    half_cols = slice(cols.start // 2, cols.stop // 2)
                    alpha = take(self.layers.alpha, map_y[:, cols]) if kind == Coverage.PART else None
                    self._lay(y, uv, Cells(left, top, right, bottom), new_y[:, cols], new_uva[:, half_cols], alpha)

    def _map(self, source: Array, cells: Cells, divide: int = 1) -> Array:
        """The places [h, w, 2] that the pixels of some cells show: of the Y plane, or (divide 2) of the half-size planes."""
        step, size = self.flow.step // divide, (self.size[0] // divide, self.size[1] // divide)
        part = np.ascontiguousarray(source[cells.top : cells.bottom + 2, cells.left : cells.right + 2])
        if divide == 2:
            part = part * np.float32(0.5) - np.float32(0.25)
        full = enlarge(part, step)
        height = min(size[1] - cells.top * step, (cells.bottom - cells.top) * step)
        width = min(size[0] - cells.left * step, (cells.right - cells.left) * step)
        return full[step : step + height, step : step + width]

    def _person(self, map_y: Array, map_uv: Array) -> tuple[Array, Array]:
        return take(self.layers.person_y, map_y, cubic=True), take(self.layers.person_uva, map_uv)

    def _lay(self, y: Picture, uv: Picture, cells: Cells, new_y: Array, new_uva: Array, alpha: Array | None) -> None:
        """Lay a premultiplied patch over the frame: Y, UV with coverage [h/2, w/2, 3]. alpha: Y's coverage, None if opaque."""
        top, left = cells.top * self.flow.step, cells.left * self.flow.step
        height, width = new_y.shape
        at_y = y[top : top + height, left : left + width]
        at_uv = uv[top // 2 : (top + height) // 2, left // 2 : (left + width) // 2]
        if alpha is None:
            store(new_y, at_y)
            store(new_uva[..., :2], at_uv)
            return
        store(cv2.add(new_y, cv2.multiply(1 - alpha, at_y, dtype=cv2.CV_32F)), at_y)
        through = 1 - new_uva[..., 2]
        store(new_uva[..., :2] + cv2.multiply(cv2.merge((through, through)), at_uv, dtype=cv2.CV_32F), at_uv)

    def _draw_mouth(self, sources: Sources, motion: Motion, y: Picture, uv: Picture) -> None:
        cells = self._mouth_cells(sources)
        if cells is None:
            return
        lips, sides = self.lips, (sources.above, sources.below)
        maps = [self._map(at, cells) for at in sides]
        on_upper, on_lower, edges = coverage(*(lips.edge(at - lips.offset, lip) for lip, at in enumerate(maps)))
        skin = [self._person(map_y, self._map(at, cells, 2)) for map_y, at in zip(maps, sides, strict=True)]
        new_y, new_uva = compose(skin[0], skin[1], on_upper, on_lower)
        opening = cv2.boundingRect((on_upper + on_lower < 0.996).astype(np.uint8))
        if opening[2]:
            left, top = opening[0] // 2 * 2, opening[1] // 2 * 2
            part = slice(top, opening[1] + opening[3] + 1 & ~1), slice(left, opening[0] + opening[2] + 1 & ~1)
            head = np.ascontiguousarray(self._map(sources.head - lips.offset, cells)[part])
            through = 1 - on_upper[part] - on_lower[part]
            inside = lips.interior(head, self._jaw_shift(motion), edges[0][part], edges[1][part])
            half_part = tuple(slice(axis.start // 2, axis.stop // 2) for axis in part)
            add_interior(new_y[part], new_uva[half_part], inside, through)
        # The face's outline is drawn already, and stays.
        full = (take(self.layers.alpha, maps[1]) > 0.995).astype(np.float32)
        solid = np.asarray(cv2.erode(full, np.ones((7, 7), np.uint8)), np.float32)
        half_solid = half(solid)[..., None]
        new_uva[..., 2] = 1
        self._lay(y, uv, cells, new_y * solid, new_uva * half_solid, solid)

    def _mouth_cells(self, sources: Sources) -> Cells | None:
        """The cells of the frame where the lips meet or part; None where they are out of the frame."""
        left, top = (float(c) for c in self.lips.offset)
        height, width = self.lips.cavity.shape[:2]
        inset = 0.06 * self.face.unit
        low = left + inset, top + 0.3 * self.face.unit
        high = left + width - inset, top + height - 0.3 * self.face.unit
        seen = [cv2.inRange(at, low, high)[1:-1, 1:-1] for at in (sources.above, sources.below, sources.head)]
        x, v, num_cols, num_rows = cv2.boundingRect(seen[0] | seen[1] | seen[2])
        if not num_cols:
            return None
        # Further away the face is drawn already: by the field that holds, from its own lip.
        part = slice(v, v + num_rows + 2), slice(x, x + num_cols + 2)
        upper, lower = (
            self.lips.edge(np.ascontiguousarray(at[part]) - self.lips.offset, lip)[0]
            for lip, at in enumerate((sources.above, sources.below))
        )
        is_lower, clear = sources.is_lower[part], np.float32(self.flow.step / 2 + 2)
        near = ~np.where(is_lower, (upper > clear) & (lower < -clear), upper < -clear)
        around = np.ones((3, 3), np.uint8)
        mixed = cv2.dilate(near.astype(np.uint8), around) | cv2.morphologyEx(is_lower, cv2.MORPH_GRADIENT, around)
        dx, dv, num_cols, num_rows = cv2.boundingRect(mixed[1:-1, 1:-1])
        return Cells(x + dx, v + dv, x + dx + num_cols, v + dv + num_rows) if num_cols else None

    def _jaw_shift(self, motion: Motion) -> Array:
        """How far the lower teeth have moved, pixels [2]."""
        down = 0.92 * APERTURE_GAIN["jawOpen"] * motion[INDEX["jawOpen"]]
        side = 0.11 * (motion[INDEX["jawLeft"]] - motion[INDEX["jawRight"]])
        return (self.face.unit * (side * self.face.axes[0, :2] + down * self.face.axes[1, :2])).astype(np.float32)


def _coverage(alpha: Array, grid: tuple[int, int], step: int) -> Picture:
    """What surrounds each node of the canvas's grid (two steps each way): a `Coverage`."""
    around = np.ones((4 * step + 1, 4 * step + 1), np.uint8)
    rows, cols = (np.minimum(np.arange(n) * step, size - 1) for n, size in zip(grid, alpha.shape, strict=True))
    least, most = (reduce(alpha, around)[np.ix_(rows, cols)] for reduce in (cv2.erode, cv2.dilate))
    return np.where(least > 0.999, Coverage.ALL, np.where(most > 0, Coverage.PART, Coverage.NONE)).astype(np.uint8)


def _runs(kinds: Picture) -> list[tuple[int, int, int]]:
    """(start, end, kind) of equal neighbours, without those of kind NONE; short opaque runs join their neighbours."""
    edges = [0, *(np.flatnonzero(np.diff(kinds)) + 1).tolist(), len(kinds)]
    runs: list[tuple[int, int, int]] = []
    for start, end in pairwise(edges):
        kind = int(kinds[start])
        if kind == Coverage.NONE:
            continue
        if runs and runs[-1][1] == start and (end - start < SHORTEST_RUN or runs[-1][1] - runs[-1][0] < SHORTEST_RUN):
            runs[-1] = (runs[-1][0], end, Coverage.PART)
        else:
            runs.append((start, end, kind))
    return runs


def _spans(runs: list[tuple[int, int, int]]) -> list[list[tuple[int, int, int]]]:
    """Runs in groups without a gap between them."""
    spans: list[list[tuple[int, int, int]]] = []
    for run in runs:
        if spans and spans[-1][-1][1] == run[0]:
            spans[-1].append(run)
        else:
            spans.append([run])
    return spans


def within_range(motion: Motion) -> Motion:
    """The motion with each channel kept where the drawing holds; not-a-number is rest."""
    high = np.ones(NUM_CHANNELS, np.float32)
    low = np.zeros(NUM_CHANNELS, np.float32)
    for name, limit in LIMITS.items():
        low[INDEX[name]], high[INDEX[name]] = -limit, limit
    return np.clip(np.nan_to_num(motion.astype(np.float32), nan=0.0), low, high)
