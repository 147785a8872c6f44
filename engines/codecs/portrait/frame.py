"""A frame in the making, and rectangles of the coarse grid of cells that lies over it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from engines.codecs.portrait.planes import Array, Picture


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """`i420` [h * 3 // 2, w], and views of its planes Y [h, w], U and V [h/2, w/2]."""

    i420: Picture
    planes: tuple[Picture, Picture, Picture]

    @classmethod
    def empty(cls, width: int, height: int) -> Frame:
        i420 = np.empty((height * 3 // 2, width), np.uint8)
        u, v = i420[height:].reshape(2, height // 2, width // 2)
        return cls(i420, (i420[:height], u, v))

    def box(self, cells: Cells, step: int) -> tuple[Picture, Picture, Picture]:
        """What lies under some cells, `step` pixels wide (even) and high."""
        y, u, v = self.planes
        (rows, cols), (half_rows, half_cols) = cells.pixels(step), cells.pixels(step // 2)
        return y[rows, cols], u[half_rows, half_cols], v[half_rows, half_cols]


@dataclass(frozen=True, slots=True)
class Cells:
    """A rectangle of cells of the frame: columns [left, right), rows [top, bottom)."""

    left: int
    top: int
    right: int
    bottom: int

    def pixels(self, step: int) -> tuple[slice, slice]:
        """Rows and columns of pixels under cells of `step` pixels; the last ones may reach beyond the frame."""
        return slice(self.top * step, self.bottom * step), slice(self.left * step, self.right * step)

    def places(self, at: Array, step: int, shape: tuple[int, ...]) -> tuple[Array, Array]:
        """What the pixels [h, w] under these cells show, x and y, from what the frame's cells show.

        at: [2, rows + 2, columns + 2], one cell more on each side; step: pixels in a cell.
        """
        part = at[:, self.top : self.bottom + 2, self.left : self.right + 2]
        full = (part.shape[2] * step, part.shape[1] * step)
        x, y = (cv2.resize(axis, full, interpolation=cv2.INTER_LINEAR) for axis in part)
        inner = slice(step, step + shape[0]), slice(step, step + shape[1])
        return np.asarray(x, np.float32)[inner], np.asarray(y, np.float32)[inner]
