"""Does a clip run through, or was something cut out of it? A discriminator trained on spliced clips against whole ones.

It sees six frames in a row about the head and says whether the middle two follow each other in time. A jump from one place to
another of the same shot, which a shot detector passes over, is what it is for.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from export.curate.faces import FaceTrack, Picture
from export.curate.graph import load

SMALL_SIDE = 192  # of the longer side of frames kept for this
HEAD_SIDE = 48  # of what the network sees
NUM_FRAMES = 6
_REACH = 0.75  # of the view to each side of the face's middle, in the longer side of its box
_BATCH = 64


@dataclass(frozen=True, slots=True)
class Coherence:
    """coherence: 1 less the chance that something is cut out at the likeliest place, `at_frame` (the first one after it)."""

    coherence: float
    at_frame: int


def small(picture: Picture) -> NDArray[np.uint8]:
    """A frame in grey, uint8 [h, w], its longer side 192 pixels: all that this looks at."""
    scale = SMALL_SIDE / max(picture.shape[:2])
    size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
    return np.asarray(cv2.cvtColor(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY), np.uint8)


def heads(smalls: NDArray[np.uint8], box: tuple[float, float, float, float] | None) -> NDArray[np.uint8]:
    """The same square of every frame, [T, 48, 48], about the face's box (in pixels of the small frames), or all of it."""
    _, height, width = smalls.shape
    left, top, right, bottom = box or (0.0, 0.0, float(width), float(height))
    reach = _REACH * max(right - left, bottom - top)
    scale = HEAD_SIDE / (2 * reach)
    move = np.array([[scale, 0, -scale * ((left + right) / 2 - reach)], [0, scale, -scale * ((top + bottom) / 2 - reach)]])
    size = (HEAD_SIDE, HEAD_SIDE)
    views = [cv2.warpAffine(each, move, size, borderMode=cv2.BORDER_REPLICATE) for each in smalls]
    return np.array(views, np.uint8)


def coherence_of(smalls: NDArray[np.uint8], track: FaceTrack, size: tuple[int, int]) -> Coherence:
    """smalls: [T, h, w] of `small`. track: of the same frames, whose (width, height) was `size`. ValueError below 6 frames."""
    if len(smalls) < NUM_FRAMES:
        raise ValueError(f"{len(smalls)} frames are too few to tell whether they follow each other")
    box = None
    if track.found.any():
        scale = SMALL_SIDE / max(size)
        left, top, right, bottom = track.box
        box = (left * scale, top * scale, right * scale, bottom * scale)
    chances = splices(heads(smalls, box))
    worst = int(chances.argmax())
    return Coherence(1.0 - float(chances[worst]), worst + NUM_FRAMES // 2)


def splices(views: NDArray[np.uint8]) -> NDArray[np.float32]:
    """[T, 48, 48] → the chance of a splice in the middle of each six frames in a row, [T − 5]."""
    graph = load("coherence")
    windows = np.lib.stride_tricks.sliding_window_view(views, NUM_FRAMES, axis=0).transpose(0, 3, 1, 2)
    logits = [
        graph.run(None, {"frames": windows[i : i + _BATCH].astype(np.float32)})[0][:, 0] for i in range(0, len(windows), _BATCH)
    ]
    return np.asarray(1 / (1 + np.exp(-np.concatenate(logits))), np.float32)
