"""The picture as layers on the canvas: the person, premultiplied, over the background, as planes of I420."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from engines.codecs.portrait.planes import Array, Picture, enlarged, half, rounded, to_planes
from engines.codecs.portrait.view import View

Background = Literal["keep", "blur", "green", "clear"]
CHROMA_GREEN_RGB = (0, 177, 64)
BLUR = 0.03  # of the frame's shorter side


#: Pictures magnified more than this are smooth between their pixels already.
MOST_DETAILED_SCALE = 1.1
#: Pictures shrunk less than this have nothing more to show to a near camera.
LEAST_SHARPER_SCALE = 0.9


@dataclass(frozen=True, slots=True, eq=False)
class Layers:
    """`person` + `through` / 255 * `behind` is the picture, in 8 bits: Y at full size, UV at half size.

    The person is premultiplied; `through` is how much of the background shows, 0 to 255. The person's Y is kept `detail` times
    as large as the canvas, so that a linear look-up between its pixels is as good as a cubic one.
    sharp_y is person_y with what the picture knows beyond the canvas's pixels, None where that is nothing: for a near camera.
    person_y, sharp_y: [h * detail, w * detail]; through: [h, w]; person_uv: [h/2, w/2, 4], the third `through`, the fourth
    nothing; behind: Y [h, w], U and V [h/2, w/2].
    """

    detail: int
    person_y: Picture
    sharp_y: Picture | None
    through: Picture
    person_uv: Picture
    behind: tuple[Picture, Picture, Picture]

    @classmethod
    def of(cls, view: View, picture: Picture, matte: Picture, background: Picture, kind: Background | Picture) -> Layers:
        """RGB picture and background, 8-bit matte, all of the picture's size. kind: or another background, of any size."""
        matte = np.where(matte < 4, 0, np.where(matte > 251, 255, matte)).astype(np.uint8)
        background = np.where(matte[..., None] == 0, picture, background)
        # A little softness: colour and coverage are resampled by different filters, and must agree at the outline.
        alpha = cv2.GaussianBlur(view.canvas(matte, cv2.BORDER_REPLICATE).astype(np.float32) / 255, (0, 0), 0.8)
        alpha = np.clip(alpha * 1.02 - 0.01, 0, 1)
        shown, back = view.canvas(picture), view.canvas(background)
        # Beyond the picture's edges the background's mirror image goes on, more and more out of focus; the person fades.
        beyond = view.beyond()
        back = _out_of_focus(back, beyond, min(view.size) * 0.06)
        y, uv = (plane.astype(np.float32) for plane in to_planes(shown))
        back_y, back_uv = (plane.astype(np.float32) for plane in to_planes(back))
        inside, inside_uv = beyond == 0, half(beyond) == 0
        alpha = np.where(inside, np.maximum(alpha, _least_coverage(y, back_y)), alpha) * (1 - beyond)
        alpha_uv = half(alpha)
        alpha_uv = np.where(inside_uv, np.maximum(alpha_uv, _least_coverage(uv, back_uv).max(-1)), alpha_uv)[..., None]
        person_y = np.where(inside, y - (1 - alpha) * back_y, alpha * y)
        person_uv = np.where(inside_uv[..., None], uv - (1 - alpha_uv) * back_uv, alpha_uv * uv)
        if not isinstance(kind, str):
            back = _covering(kind, view.canvas_size)
        elif kind == "blur":
            back = _out_of_focus(back, np.ones_like(beyond), min(view.size) * BLUR)
        elif kind == "green":
            back = np.full((*back_y.shape, 3), CHROMA_GREEN_RGB, np.uint8)
        behind_y, behind_uv = to_planes(back)
        if isinstance(kind, str) and kind == "clear":
            behind_y[:], behind_uv[:] = 0, 0
        detail = 2 if view.scale < MOST_DETAILED_SCALE else 1
        soft_y, through = enlarged(rounded(person_y), detail), rounded(255 * (1 - alpha))
        sharp_y = None
        if detail > 1 and view.scale < LEAST_SHARPER_SCALE:
            # `enlarged` keeps a pixel's upper left quarter in its place.
            quarter, flags = np.array(((1, 0, 0.5), (0, 1, 0.5)), np.float32), cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
            larger = to_planes(view.times(detail).canvas(picture))[0]
            larger = cv2.warpAffine(larger, quarter, larger.shape[::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE)
            finer = cv2.subtract(larger, enlarged(rounded(y), detail), dtype=cv2.CV_32F)
            inside = enlarged(((through < 2) & (beyond == 0)).astype(np.uint8), detail) > 0
            finer = np.where(inside, finer, 0)
            sharp_y = rounded(np.add(soft_y, finer, dtype=np.float32))
        return cls(
            detail,
            soft_y,
            sharp_y,
            through,
            rounded(np.dstack((person_uv, 255 * (1 - alpha_uv), np.zeros_like(alpha_uv)))),
            (behind_y, np.ascontiguousarray(behind_uv[..., 0]), np.ascontiguousarray(behind_uv[..., 1])),
        )

    def person(self) -> tuple[Array, Array]:
        """The person at rest, premultiplied, at the canvas's size: Y [h, w] and UV [h/2, w/2, 2]."""
        y = self.person_y[:: self.detail, :: self.detail]
        return y.astype(np.float32), self.person_uv[..., :2].astype(np.float32)


def _least_coverage(picture: Array, behind: Array) -> Array:
    """The least coverage at which some colour of the person, laid over what is behind, gives the picture."""
    darker, lighter = 1 - picture / np.maximum(behind, 1), (picture - behind) / np.maximum(255 - behind, 1)
    return np.asarray(np.clip(np.maximum(darker, lighter), 0, 1), np.float32)


def _covering(picture: Picture, size: tuple[int, int]) -> Picture:
    """A picture made as large as it must be to cover size (width, height), and its middle."""
    (width, height), (own_height, own_width) = size, picture.shape[:2]
    scale = max(width / own_width, height / own_height)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    large = max(width, round(own_width * scale)), max(height, round(own_height * scale))
    left, top = (large[0] - width) // 2, (large[1] - height) // 2
    return np.asarray(cv2.resize(picture, large, interpolation=method)[top : top + height, left : left + width], np.uint8)


def _out_of_focus(picture: Picture, share: Array, blur: float) -> Picture:
    """A picture, blurred where `share` [h, w] says so."""
    if not share.any():
        return picture
    small = cv2.resize(picture, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small, (0, 0), blur / 4, borderType=cv2.BORDER_REFLECT)
    soft = cv2.resize(soft, (picture.shape[1], picture.shape[0]), interpolation=cv2.INTER_CUBIC)
    share = share[..., None]
    return np.clip(picture * (1 - share) + soft * (0.97 * share) + 0.5, 0, 255).astype(np.uint8)
