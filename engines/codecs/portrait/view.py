"""Framing: which part of the picture a frame of some size shows, and what lies beyond the picture's edges."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.codecs.portrait.face import Array, Face

Picture = NDArray[np.uint8]

#: The canvas goes beyond the frame by this share of its longer side, so that the camera can pan.
MARGIN = 0.10


@dataclass(frozen=True, slots=True)
class View:
    """The picture, resized to `scaled` pixels, lies at `corner` on the canvas; the frame is the canvas less `margin` a side."""

    size: tuple[int, int]
    margin: int
    picture_size: tuple[int, int]
    scaled: tuple[int, int]
    corner: tuple[int, int]

    @property
    def canvas_size(self) -> tuple[int, int]:
        """(width, height) of the canvas, pixels, both even."""
        return self.size[0] + 2 * self.margin, self.size[1] + 2 * self.margin

    @property
    def frame(self) -> tuple[slice, slice]:
        """Where the frame lies on the canvas when the camera is at rest: (rows, columns)."""
        width, height = self.size
        return slice(self.margin, self.margin + height), slice(self.margin, self.margin + width)

    @classmethod
    def framing(cls, picture_size: tuple[int, int], size: tuple[int, int], face: Face) -> View:
        """Covers the frame with the picture, face in the upper middle."""
        width, height = size
        if width % 2 or height % 2 or min(size) < 64:
            raise ValueError(f"the frame size must be even and at least 64 pixels a side, not {width}x{height}")
        pw, ph = picture_size
        cover = max(width / pw, height / ph)
        centre = face.origin[:2] + face.axes[1, :2] * face.unit * 0.45  # about the nose
        left = _placed(float(centre[0]) + 0.5, pw, width / cover, 0.5)
        top = _placed(float(centre[1]) + 0.5, ph, height / cover, 0.46)
        margin = int(round(MARGIN * max(size) / 2)) * 2
        scaled = max(width, round(pw * cover)), max(height, round(ph * cover))
        return cls(size, margin, picture_size, scaled, (margin - round(left * cover), margin - round(top * cover)))

    def place(self, face: Face) -> Face:
        """A face found in the picture, on the canvas."""
        scale = self.scaled[0] / self.picture_size[0]
        # pixel centres at whole numbers: x_canvas + 0.5 = (x_picture + 0.5) * scale + corner
        return face.scaled(scale, (0.5 * scale - 0.5 + self.corner[0], 0.5 * scale - 0.5 + self.corner[1]))

    def canvas(self, picture: NDArray) -> NDArray:
        """A picture, or its matte, on the canvas; mirrored beyond its edges."""
        method = cv2.INTER_AREA if self.scaled[0] < self.picture_size[0] else cv2.INTER_CUBIC
        if self.scaled != self.picture_size:
            picture = cv2.resize(picture, self.scaled, interpolation=method)
        width, height = self.canvas_size
        x, y = self.corner
        right, bottom = width - x - self.scaled[0], height - y - self.scaled[1]
        picture = picture[max(0, -y) :, max(0, -x) :]
        picture = picture[: height - max(0, y), : width - max(0, x)]
        edges = [max(0, edge) for edge in (y, bottom, x, right)]
        return cv2.copyMakeBorder(picture, *edges, cv2.BORDER_REFLECT)


def _placed(centre: float, length: int, window: float, at: float) -> float:
    """Where a window begins so that `centre` lies at the share `at` of it, kept inside the picture."""
    return float(np.clip(centre - at * window, 0.0, max(0.0, length - window)))


def to_planes(rgb: Picture) -> tuple[Picture, Picture]:
    """RGB to (Y [h, w], UV [h/2, w/2, 2]), the planes of I420."""
    height, width = rgb.shape[:2]
    i420 = cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420)
    u, v = i420[height:].reshape(2, height // 2, width // 2)
    return np.ascontiguousarray(i420[:height]), np.ascontiguousarray(np.dstack((u, v)))


def mesh(width: int, height: int) -> Array:
    """Pixel coordinates [height, width, 2]."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return np.dstack((x, y))
