"""The face's own frame of reference: canonical coordinates in eye distances, rotated with the head of the picture.

Canonical axes: x to the picture's right (the speaker's left), y down the face, z away from the camera; the origin lies midway
between the outer eye corners, the unit is their distance. Landmark numbers are those of MediaPipe's 478-point face mesh.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engines.codecs.portrait.planes import Array

EYE_OUTER = (33, 263)
FOREHEAD, CHIN = 10, 152
MOUTH_CORNERS = (61, 291)
#: Inner lip contours from the speaker's right corner to the left one.
UPPER_INNER = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
LOWER_INNER = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
UPPER_OUTER = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291)
LOWER_OUTER = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291)
OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """A face at rest in some pixel grid.

    landmarks: float32 [478, 3], pixels; axes: float32 [3, 3], rows are the canonical axes; origin: float32 [3], pixels;
    unit: pixels in an eye distance.
    """

    landmarks: Array
    axes: Array
    origin: Array
    unit: float

    @classmethod
    def of(cls, landmarks: Array) -> Face:
        """The frame of a face given by its landmarks in pixels, float32 [478, 3]."""
        right, left = landmarks[EYE_OUTER[0]], landmarks[EYE_OUTER[1]]
        across = (left - right) + 0.5 * (landmarks[454] - landmarks[234])
        x = across / np.linalg.norm(across)
        down = landmarks[CHIN] - landmarks[FOREHEAD]
        y = down - x * (down @ x)
        y /= np.linalg.norm(y)
        axes = np.stack((x, y, np.cross(x, y))).astype(np.float32)
        return cls(
            landmarks.astype(np.float32), axes, ((left + right) / 2).astype(np.float32), float(np.linalg.norm(left - right))
        )

    def scaled(self, scale: float, shift: tuple[float, float]) -> Face:
        """The same face in another pixel grid: pixels * scale + shift, where pixel centres lie at whole numbers."""
        offset = np.array((shift[0], shift[1], 0.0), np.float32)
        return Face(
            self.landmarks * np.float32(scale) + offset, self.axes, self.origin * np.float32(scale) + offset, self.unit * scale
        )

    def canonical(self, points: Array) -> Array:
        """Pixels [..., 3] to canonical coordinates [..., 3]."""
        return ((points - self.origin) @ self.axes.T / np.float32(self.unit)).astype(np.float32)

    def at(self, index: int) -> Array:
        """One landmark in canonical coordinates, [3]."""
        return self.canonical(self.landmarks[index])

    def mean_at(self, indices: tuple[int, ...]) -> Array:
        """The mean of some landmarks in canonical coordinates, [3]."""
        return self.canonical(self.landmarks[list(indices)]).mean(0).astype(np.float32)
