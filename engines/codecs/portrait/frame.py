"""A frame in the making, and rectangles of the coarse grid of cells that lies over it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from engines.codecs.portrait.planes import Array, Picture


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """`pixels`: I420 [h * 3 // 2, w], below it the alpha plane [h, w] where there is one; the others are views of it."""

    pixels: Picture
    planes: tuple[Picture, Picture, Picture]  # Y [h, w], U and V [h/2, w/2]
    alpha: Picture | None

    @classmethod
    def empty(cls, width: int, height: int, *, with_alpha: bool = False) -> Frame:
        """Of no colour yet; its alpha is 0."""
        end = height * 3 // 2
        pixels = np.empty((end + height * with_alpha, width), np.uint8)
        pixels[end:] = 0
        u, v = pixels[height:end].reshape(2, height // 2, width // 2)
        return cls(pixels, (pixels[:height], u, v), pixels[end:] if with_alpha else None)

    def unmultiply(self) -> None:
        """Colours that were laid over nothing (0) become what they are, in place of their share of it."""
        assert self.alpha is not None
        quarter = cv2.resize(self.alpha, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        for plane, alpha, nothing in zip(self.planes, (self.alpha, quarter, quarter), (16, 128, 128), strict=True):
            whole = cv2.divide(plane, alpha, scale=255)
            np.copyto(plane, np.where(alpha, whole, nothing).astype(np.uint8))

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
