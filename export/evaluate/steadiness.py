"""What of a video changes though nothing moved: flicker; and how much of its picture's detail a video keeps: sharpness."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]  # [h, w]

_HEIGHT = 192  # that flicker is seen at
_TIE = 1.0  # pixels by which there and back may miss each other


class Flicker:
    """The mean difference, in grey levels of 255, between a frame and the next one brought back along the optical flow, where
    flow there and back agree (Lai et al., "Learning blind video temporal consistency", ECCV 2018; the mean absolute error in
    place of the squared one). Of every `every`-th pair of frames that follow each other."""

    def __init__(self, every: int = 4) -> None:
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        self._every = every
        self._before: Grey | None = None
        self._at = 0
        self._errors: list[float] = []

    def see(self, grey: Grey) -> None:
        """The next frame."""
        if self._at % self._every <= 1:
            small = np.asarray(
                cv2.resize(grey, (round(grey.shape[1] * _HEIGHT / len(grey)), _HEIGHT), interpolation=cv2.INTER_AREA)
            )
            if self._at % self._every == 1 and self._before is not None and self._before.shape == small.shape:
                self._errors.append(warped_difference(self._before, small, self._flow))
            self._before = small
        self._at += 1

    @property
    def level(self) -> float:
        """The median over pairs; 0 before there are any."""
        return float(np.median(self._errors)) if self._errors else 0.0


def warped_difference(one: Grey, other: Grey, flow: cv2.DISOpticalFlow) -> float:
    """Mean absolute difference of `one` and `other` brought back to it, where both flows agree; 0 where they nowhere do."""
    there, back = flow.calc(one, other, None), flow.calc(other, one, None)
    y, x = np.mgrid[: len(one), : one.shape[1]].astype(np.float32)
    to_x, to_y = x + there[..., 0], y + there[..., 1]
    returned = there + cv2.remap(back, to_x, to_y, cv2.INTER_LINEAR)
    agreed = np.hypot(returned[..., 0], returned[..., 1]) < _TIE
    brought = cv2.remap(other, to_x, to_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    difference = np.abs(one.astype(np.float32) - brought.astype(np.float32))
    return float(difference[agreed].mean()) if agreed.any() else 0.0


def detail(grey: Grey, box: tuple[float, float, float, float], side: int = 160) -> float:
    """The variance of the Laplacian (Pech-Pacheco et al., ICPR 2000) in a box (left, top, right, bottom), brought to `side`:
    so a face that comes nearer has no less of it. Between pictures of different sizes it says little. 0 for a box outside."""
    height, width = grey.shape
    left, top, right, bottom = (round(value) for value in box)
    part = grey[max(0, top) : min(height, bottom), max(0, left) : min(width, right)]
    if min(part.shape, default=0) < 8:
        return 0.0
    sized = cv2.resize(part, (side, side), interpolation=cv2.INTER_AREA if part.shape[0] > side else cv2.INTER_LINEAR)
    return float(cv2.Laplacian(sized, cv2.CV_32F).var())
