"""The picture as layers on the canvas: the person, premultiplied, over the background, as planes of I420."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.codecs.portrait.view import Picture, View, to_planes

Background = Literal["keep", "green"]
CHROMA_GREEN_RGB = (0, 177, 64)


@dataclass(frozen=True, slots=True, eq=False)
class Layers:
    """Y at full size, UV at half size with 128 taken off; `person` + (1 - alpha) * `behind` is the picture, exactly.

    person_y: int16 [h, w]; person_uv: int16 [h/2, w/2, 2]; alpha_y, alpha_uv: uint8; behind_y: uint8; behind_uv: int16;
    box: (left, top, right, bottom) of the person on the canvas, pixels.
    """

    person_y: NDArray[np.int16]
    person_uv: NDArray[np.int16]
    alpha_y: Picture
    alpha_uv: Picture
    behind_y: Picture
    behind_uv: NDArray[np.int16]
    box: tuple[int, int, int, int]

    @classmethod
    def of(cls, view: View, picture: Picture, matte: Picture, background: Picture, kind: Background) -> Layers:
        """RGB picture and background, 8-bit matte, all of the picture's size."""
        matte = np.where(matte < 4, 0, np.where(matte > 251, 255, matte)).astype(np.uint8)
        background = np.where(matte[..., None] == 0, picture, background)
        alpha = view.canvas(matte)
        alpha_uv = cv2.resize(alpha, (alpha.shape[1] // 2, alpha.shape[0] // 2), interpolation=cv2.INTER_AREA)
        y, uv = to_planes(view.canvas(picture))
        back_y, back_uv = to_planes(view.canvas(background))
        uv, back_uv = (plane.astype(np.int16) - 128 for plane in (uv, back_uv))
        person_y = y.astype(np.int16) - cover(back_y, 255 - alpha)
        person_uv = uv - cover(back_uv, 255 - np.dstack((alpha_uv, alpha_uv)))
        if kind == "green":
            green_y, green_uv = to_planes(np.full((*back_y.shape, 3), CHROMA_GREEN_RGB, np.uint8))
            back_y, back_uv = green_y, green_uv.astype(np.int16) - 128
        rows, cols = np.flatnonzero(alpha.any(1)), np.flatnonzero(alpha.any(0))
        box = (int(cols[0]), int(rows[0]), int(cols[-1]) + 1, int(rows[-1]) + 1) if len(rows) else (0, 0, 2, 2)
        return cls(person_y, person_uv, alpha, alpha_uv, back_y, back_uv, box)


def cover(plane: NDArray, share: Picture) -> NDArray[np.int16]:
    """plane * share / 255, rounded."""
    return cv2.multiply(plane, share, scale=1 / 255, dtype=cv2.CV_16S)
