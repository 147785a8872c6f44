"""The picture as layers on the canvas: the person, premultiplied, over the background, as planes of I420."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from engines.codecs.portrait.planes import Array, Picture, half, to_planes
from engines.codecs.portrait.view import View

Background = Literal["keep", "green"]
CHROMA_GREEN_RGB = (0, 177, 64)


@dataclass(frozen=True, slots=True, eq=False)
class Layers:
    """`person` + (1 - alpha) * `behind` is the picture: Y at full size, UV at half size. Values 0-255, alpha 0-1.

    person_y, alpha: float32 [h, w]; person_uva: float32 [h/2, w/2, 3], the third being alpha at that size;
    behind_y: uint8 [h, w]; behind_uv: uint8 [h/2, w/2, 2].
    """

    person_y: Array
    person_uva: Array
    alpha: Array
    behind_y: Picture
    behind_uv: Picture

    @classmethod
    def of(cls, view: View, picture: Picture, matte: Picture, background: Picture, kind: Background) -> Layers:
        """RGB picture and background, 8-bit matte, all of the picture's size."""
        matte = np.where(matte < 4, 0, np.where(matte > 251, 255, matte)).astype(np.uint8)
        background = np.where(matte[..., None] == 0, picture, background)
        # A little softness: colour and coverage are resampled by different filters, and must agree at the outline.
        alpha = cv2.GaussianBlur(view.canvas(matte, cv2.BORDER_REPLICATE).astype(np.float32) / 255, (0, 0), 0.8)
        alpha = np.clip(alpha * 1.02 - 0.01, 0, 1)
        shown, back = view.canvas(picture), view.canvas(background)
        # Beyond the picture's edges the background's mirror image goes on, more and more out of focus; the person fades.
        beyond = view.beyond()
        alpha = alpha * (1 - beyond)
        back = _out_of_focus(back, beyond, min(view.size) * 0.06)
        (y, uv), (back_y, back_uv) = to_planes(shown), to_planes(back)
        person_y = np.where(beyond > 0, alpha * y, y - (1 - alpha) * back_y)
        alpha_uv = half(alpha)[..., None]
        person_uv = np.where(half(beyond)[..., None] > 0, alpha_uv * uv, uv - (1 - alpha_uv) * back_uv)
        if kind == "green":
            back_y, back_uv = to_planes(np.full((*back_y.shape, 3), CHROMA_GREEN_RGB, np.uint8))
            person_y, person_uv = np.maximum(person_y, 0), np.maximum(person_uv, 0)
        return cls(person_y, np.dstack((person_uv, alpha_uv)).astype(np.float32), alpha, back_y, back_uv)


def _out_of_focus(picture: Picture, share: Array, blur: float) -> Picture:
    """A picture, blurred where `share` [h, w] says so."""
    if not share.any():
        return picture
    small = cv2.resize(picture, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small, (0, 0), blur / 4, borderType=cv2.BORDER_REFLECT)
    soft = cv2.resize(soft, (picture.shape[1], picture.shape[0]), interpolation=cv2.INTER_CUBIC)
    share = share[..., None]
    return np.clip(picture * (1 - share) + soft * (0.97 * share) + 0.5, 0, 255).astype(np.uint8)
