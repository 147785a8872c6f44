"""The person's layer, warped over a frame.

Most of it moves nearly as one: where a pixel of the frame shows some place of the picture, its neighbour shows the place one
pixel further on. There a single look-up answers for two by two pixels (`planes.blocks`). Where the picture is stretched or
turned too much for that, and under a near camera, each pixel is looked up by itself.
"""

from __future__ import annotations

from enum import IntEnum
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.codecs.portrait.frame import Cells, Frame
from engines.codecs.portrait.layers import Layers
from engines.codecs.portrait.planes import Array, Picture, apart, blocks, look_up

STRIP_ROWS = 192  # tall enough for few calls, short enough for the core's cache
FULL_DETAIL_ZOOM = 0.5
#: How much further or less far than a pixel a pixel's neighbour may be: its place is then right to half of this.
MOST_STRETCH = 0.3


class Coverage(IntEnum):
    """How much of the surroundings of a place belongs to the person."""

    NONE = 0
    PART = 1
    ALL = 2


class Person:
    """Draws the person of `layers` wherever a frame shows them."""

    def __init__(self, layers: Layers, grid: tuple[int, int], step: int) -> None:
        """grid: (rows, columns) of the canvas's nodes, `step` pixels apart, as the frame's cells are."""
        self.layers, self.step = layers, step
        self.y = layers.person_y.copy()  # as sharp as `sharpness` says, and with the eyes as they are now
        self.uv = layers.person_uv
        self.sharpness = 0.0
        self._y_blocks, self._through_blocks = blocks(self.y, layers.detail), blocks(layers.through, 1)
        self._coverage = _coverage(layers.through, grid, step)

    def focus(self, zoom: float) -> None:
        """The nearer the camera, the more is shown of what the picture knows beyond the frame's pixels."""
        if self.layers.sharp_y is None:
            return
        sharpness = round(float(np.clip(zoom / FULL_DETAIL_ZOOM, 0, 1)) * 8) / 8
        if sharpness != self.sharpness:
            self.sharpness = sharpness
            cv2.addWeighted(self.layers.person_y, 1 - sharpness, self.layers.sharp_y, sharpness, 0, dst=self.y)
            self._y_blocks = blocks(self.y, self.layers.detail)

    def write(self, y: Picture, at: tuple[int, int]) -> None:
        """Put these pixels into `y`, the upper left one at (row, column)."""
        top, left = at
        bottom, right, step = top + y.shape[0], left + y.shape[1], self.layers.detail
        self.y[top:bottom, left:right] = y
        top, left = max(0, top - step), max(0, left - step)
        around = blocks(self.y[top : bottom + step, left : right + step], step)
        self._y_blocks[top:bottom, left:right] = around[: bottom - top, : right - left]

    def draw(self, at: Array, frame: Frame, redrawn: Cells | None) -> None:
        """Lay the person over the frame, in strips.

        at: the places that the frame's cells show, canvas pixels [2, rows + 2, columns + 2], one cell more on each side.
        redrawn: cells that are drawn over afterwards, and need not be right.
        """
        on_nodes = at[:, 1:-1, 1:-1] * np.float32(1 / self.step)
        coverage = cv2.remap(self._coverage, on_nodes[0], on_nodes[1], cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
        stretched = _stretched(at, self.step) & (coverage != Coverage.NONE)
        if redrawn:
            stretched[redrawn.top : redrawn.bottom, redrawn.left : redrawn.right] = False
        on_uv, num_rows = at * np.float32(0.5) - np.float32(0.25), max(1, STRIP_ROWS // self.step)
        for top in range(0, len(coverage), num_rows):
            rows = slice(top, min(top + num_rows, len(coverage)))
            shown, single = _span(coverage[rows].any(0)), _span(stretched[rows].any(0))
            if shown.start == shown.stop:
                continue
            x, y = self._draw_colour(on_uv, Cells(shown.start, rows.start, shown.stop, rows.stop), frame)
            solid = _longest_run(coverage[rows].min(0) == Coverage.ALL)
            edges = {edge for part in (shown, solid, single) for edge in (part.start, part.stop)}
            for left, right in pairwise(sorted(edges)):
                if not _holds(shown, left, right):
                    continue
                cells, half_step = Cells(left, rows.start, right, rows.stop), self.step // 2
                columns = slice((left - shown.start) * half_step, (right - shown.start) * half_step)
                middles, hides = (x[:, columns], y[:, columns]), _holds(solid, left, right)
                self._draw_light(at, None if _holds(single, left, right) else middles, cells, frame, hides)

    def _draw_colour(self, on_uv: Array, cells: Cells, frame: Frame) -> tuple[Array, Array]:
        """Draws U and V, and returns the places that they are from: the middles of two by two pixels."""
        _, into_u, into_v = frame.box(cells, self.step)
        places = cells.places(on_uv, self.step // 2, into_u.shape)
        u, v, through, _ = cv2.split(look_up(self.uv, places))
        _lay(u, through, into_u)
        _lay(v, through, into_v)
        return places

    def _draw_light(self, at: Array, middles: tuple[Array, Array] | None, cells: Cells, frame: Frame, hides: bool) -> None:
        """middles: of two by two pixels; None: each is looked up by itself. hides: the person hides all behind these cells."""
        into, _, _ = frame.box(cells, self.step)
        if middles is None:
            x, y = cells.places(at, self.step, into.shape)
            detail = np.float32(self.layers.detail)
            light = look_up(self.y, (x * detail, y * detail))
            through = None if hides else look_up(self.layers.through, (x, y))
        else:
            x, y = middles
            times = np.float32(2 * self.layers.detail)
            light = apart(look_up(self._y_blocks, (x * times, y * times)))
            through = None if hides else apart(look_up(self._through_blocks, (x * 2, y * 2)))
        if through is None:
            into[:] = light
        else:
            _lay(light, through, into)
        if frame.alpha is not None:
            frame.alpha[cells.pixels(self.step)] = 255 if through is None else 255 - through


def _coverage(through: Picture, grid: tuple[int, int], step: int) -> Picture:
    """What surrounds each node of the canvas's grid (two steps each way): a `Coverage`."""
    around = np.ones((4 * step + 1, 4 * step + 1), np.uint8)
    rows, cols = (np.minimum(np.arange(n) * step, size - 1) for n, size in zip(grid, through.shape, strict=True))
    least, most = (reduce(through, around)[np.ix_(rows, cols)] for reduce in (cv2.erode, cv2.dilate))
    return np.where(most == 0, Coverage.ALL, np.where(least < 255, Coverage.PART, Coverage.NONE)).astype(np.uint8)


def _stretched(at: Array, step: int) -> NDArray[np.bool_]:
    """Where the frame's cells show the picture stretched or turned by more than MOST_STRETCH, [rows, columns]."""
    across, down = at[:, 1:-1, 2:] - at[:, 1:-1, :-2], at[:, 2:, 1:-1] - at[:, :-2, 1:-1]
    even, most = np.float32(2 * step), 2 * step * MOST_STRETCH
    differs = np.maximum(np.abs(across[0] - even), np.abs(down[1] - even))
    turns = np.maximum(np.abs(across[1]), np.abs(down[0]))
    return np.asarray(np.maximum(differs, turns) > most)


def _span(of: NDArray[np.bool_]) -> slice:
    """From the first that is true to the last."""
    places = np.flatnonzero(of)
    return slice(int(places[0]), int(places[-1]) + 1) if len(places) else slice(0, 0)


def _longest_run(of: NDArray[np.bool_]) -> slice:
    """Where the most neighbours are true; empty at the start where none is."""
    bounded = np.zeros(len(of) + 2, np.bool_)
    bounded[1:-1] = of
    edges = np.flatnonzero(bounded[1:] != bounded[:-1]).reshape(-1, 2)
    if not len(edges):
        return slice(0, 0)
    start, stop = edges[np.argmax(edges[:, 1] - edges[:, 0])]
    return slice(int(start), int(stop))


def _holds(part: slice, start: int, stop: int) -> bool:
    return bool(part.start <= start and stop <= part.stop)


def _lay(person: Picture, through: Picture, over: Picture) -> None:
    """Lay a premultiplied plane over another in place; through: how much of that shows, 0-255."""
    cv2.multiply(through, over, dst=over, scale=1 / 255)
    cv2.add(person, over, dst=over)
