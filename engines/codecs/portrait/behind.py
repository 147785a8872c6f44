"""What is behind the person: the empty background, which only the camera moves."""

from __future__ import annotations

from functools import cached_property

import cv2
import numpy as np

from engines.codecs.portrait.layers import Layers
from engines.codecs.portrait.person import MOST_STRETCH
from engines.codecs.portrait.planes import Array, Picture, apart, blocks, warped
from engines.codecs.portrait.view import View

Planes = tuple[Picture, Picture, Picture]


class Behind:
    """Shows the background to a camera. What a camera that stands still sees is kept."""

    def __init__(self, layers: Layers, view: View) -> None:
        self.layers, self.view = layers, view
        rows, cols = view.frame
        self._at_rest = np.array([[1, 0, cols.start], [0, 1, rows.start]], np.float32)
        self._camera: Array | None = None  # that `_seen` shows
        self._seen = layers.behind

    def seen(self, camera: Array) -> Planes:
        """Y [h, w], U and V [h/2, w/2] of the frame. camera: frame pixels to canvas pixels, [2, 3]."""
        if self._camera is None or not np.array_equal(camera, self._camera):
            self._seen, self._camera = self._moved(camera), camera
        return self._seen

    def _moved(self, camera: Array) -> Planes:
        y, u, v = self.layers.behind
        if np.array_equal(camera, self._at_rest):
            rows, cols = self.view.frame
            chroma = slice(rows.start // 2, rows.stop // 2), slice(cols.start // 2, cols.stop // 2)
            return y[rows, cols], u[chroma], v[chroma]
        half_camera = camera.copy()
        half_camera[:, 2] = (camera @ np.array([0.5, 0.5, 1.0], np.float32) - 0.5) / 2
        width, height = self.view.size
        half_size = width // 2, height // 2
        colour = warped(self._colour, half_camera, half_size)
        if np.abs(camera[:, :2] - np.eye(2)).max() > MOST_STRETCH:
            light = warped(y, camera, self.view.size)
        else:  # two by two pixels at once, as the person is drawn
            light = apart(warped(self._blocks, 2 * half_camera, half_size))
        return light, colour[..., 0], colour[..., 1]

    @cached_property
    def _blocks(self) -> Picture:
        return blocks(self.layers.behind[0], 1)

    @cached_property
    def _colour(self) -> Picture:
        """U, V and nothing twice [h/2, w/2, 4]: four channels are looked up as fast as one."""
        _, u, v = self.layers.behind
        return np.asarray(cv2.merge((u, v, u, v)), np.uint8)
