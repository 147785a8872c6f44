"""Framing: which part of the picture a frame of some size shows, and what lies beyond the picture's edges."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from engines.codecs.portrait.face import Face
from engines.codecs.portrait.planes import Array, Picture

#: The canvas goes beyond the frame by this share of its longer side, so that the camera can pan.
MARGIN = 0.10
#: A head from crown to chin and from side to side, eye distances; how much of the frame it may fill.
HEAD_HEIGHT, HEAD_WIDTH = 2.5, 2.0
MAX_HEAD_HEIGHT, MAX_HEAD_WIDTH = 0.68, 0.80
#: Where the picture cuts the head's top off, no space can be added above it.
MAX_CUT_HEAD_WIDTH = 1.30


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
    def framing(cls, picture_size: tuple[int, int], size: tuple[int, int], face: Face, matte: Picture) -> View:
        """Covers the frame where the head leaves room; a tight portrait is shown whole, with space beside it."""
        width, height = size
        if width % 2 or height % 2 or min(size) < 64:
            raise ValueError(f"the frame size must be even and at least 64 pixels a side, not {width}x{height}")
        pw, ph = picture_size
        cover, contain = max(width / pw, height / ph), min(width / pw, height / ph)
        head = face.unit * HEAD_HEIGHT / height, face.unit * HEAD_WIDTH / width  # shares of the frame at scale 1
        widest = MAX_HEAD_WIDTH if matte[0].max() < 128 else MAX_CUT_HEAD_WIDTH
        scale = max(contain, min(cover, MAX_HEAD_HEIGHT / head[0], widest / head[1]))
        if scale > 0.93 * cover:
            scale = cover
        nose = (face.origin[:2] + face.axes[1, :2] * face.unit * 0.45 + 0.5) * scale
        scaled = round(pw * scale), round(ph * scale)
        if abs(scaled[0] - width) <= 1:
            scaled = width, scaled[1]
        if abs(scaled[1] - height) <= 1:
            scaled = scaled[0], height
        margin = round(MARGIN * max(size) / 2) * 2
        left = _placed(width * 0.5 - float(nose[0]), scaled[0], width)
        # Space goes above the head, never below the chest.
        top = _placed(height * 0.46 - float(nose[1]), scaled[1], height) if scaled[1] >= height else height - scaled[1]
        return cls(size, margin, picture_size, scaled, (margin + left, margin + top))

    @property
    def scale(self) -> float:
        """Canvas pixels in a pixel of the picture."""
        return self.scaled[0] / self.picture_size[0]

    def times(self, factor: int) -> View:
        """The same view with all pixels `factor` times as many."""
        size, scaled, corner = ((pair[0] * factor, pair[1] * factor) for pair in (self.size, self.scaled, self.corner))
        return View(size, self.margin * factor, self.picture_size, scaled, corner)

    def place(self, face: Face) -> Face:
        """A face found in the picture, on the canvas."""
        scale = self.scale
        # pixel centres at whole numbers: x_canvas + 0.5 = (x_picture + 0.5) * scale + corner
        return face.scaled(scale, (0.5 * scale - 0.5 + self.corner[0], 0.5 * scale - 0.5 + self.corner[1]))

    def canvas(self, picture: Picture, border: int = cv2.BORDER_REFLECT) -> Picture:
        """A picture, or its matte, on the canvas; mirrored beyond its edges, or as another of OpenCV's borders says."""
        method = cv2.INTER_AREA if self.scaled[0] < self.picture_size[0] else cv2.INTER_CUBIC
        if self.scaled != self.picture_size:
            picture = np.asarray(cv2.resize(picture, self.scaled, interpolation=method), np.uint8)
        width, height = self.canvas_size
        x, y = self.corner
        right, bottom = width - x - self.scaled[0], height - y - self.scaled[1]
        picture = picture[max(0, -y) :, max(0, -x) :]
        picture = picture[: height - max(0, y), : width - max(0, x)]
        bordered = cv2.copyMakeBorder(picture, max(0, y), max(0, bottom), max(0, x), max(0, right), border)
        return np.asarray(bordered, np.uint8)

    def beyond(self) -> Array:
        """0 on the picture, rising to 1 away from its edges: float32 [h, w] of the canvas."""
        width, height = self.canvas_size
        x, y = np.arange(width), np.arange(height)
        dx = np.maximum(np.maximum(self.corner[0] - x, x - self.corner[0] - self.scaled[0] + 1), 0)
        dy = np.maximum(np.maximum(self.corner[1] - y, y - self.corner[1] - self.scaled[1] + 1), 0)
        t = np.clip(np.hypot(dx, dy[:, None]) / (0.10 * min(self.size)), 0, 1)
        return (t * t * (3 - 2 * t)).astype(np.float32)


def _placed(wanted: float, length: int, window: int) -> int:
    """Where a strip begins in a window: as wanted, but covering the window if it can, lying inside it if it cannot."""
    return int(np.clip(round(wanted), min(0, window - length), max(0, window - length)))
