"""One pass over a clip: everything that the filters judge it by, small enough to keep while the frames go by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from export.curate.coherence import small
from export.curate.faces import FaceReader, FaceTrack, Picture, mouth_picture
from export.curate.lip_clarity import SIDE
from export.curate.quality import Quality
from export.curate.quality import measure as measure_quality
from export.curate.video import FPS

MOUTH_EVERY = 4  # frames
LOOK_EVERY = 12  # frames: at picture quality
NUM_STILLS = 3
STILL_HEIGHT = 180


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A clip as the filters see it, 25 frames a second.

    track: of the largest face. smalls: uint8 [T, h, w], grey. mouths: uint8 [k, 96, 96], grey, every fourth frame that shows a
    face. qualities: of every twelfth. stills: a few small RGB pictures. audio: int16 at 16 kHz, possibly empty.
    size: (width, height) of the frames.
    """

    track: FaceTrack
    smalls: NDArray[np.uint8]
    mouths: NDArray[np.uint8]
    qualities: tuple[Quality, ...]
    stills: tuple[Picture, ...]
    audio: NDArray[np.int16]
    size: tuple[int, int]

    @property
    def num_frames(self) -> int:
        return len(self.track.found)

    @property
    def duration_s(self) -> float:
        return self.num_frames / FPS


def read(frames: Iterable[Picture], audio: NDArray[np.int16]) -> Reading:
    """frames: RGB at 25 a second. audio: from the first frame on. Raises ValueError without frames."""
    smalls, mouths, qualities, stills = [], [], [], []
    size = (0, 0)
    with FaceReader() as reader:
        for number, frame in enumerate(frames):
            face = reader.read(frame)
            smalls.append(small(frame))
            if face is not None and number % MOUTH_EVERY == 0:
                mouths.append(mouth_picture(frame, face.landmarks, SIDE))
            if face is not None and number % LOOK_EVERY == LOOK_EVERY // 2:
                qualities.append(measure_quality(frame, face.box))
            if number % LOOK_EVERY == LOOK_EVERY // 2:
                stills.append(_still(frame))
            size = frame.shape[1], frame.shape[0]
        if not smalls:
            raise ValueError("there is no frame in it")
        track = reader.track()
    chosen = {round(at) for at in np.linspace(0, max(0, len(stills) - 1), NUM_STILLS)}
    return Reading(
        track, np.stack(smalls), np.array(mouths, np.uint8).reshape(-1, SIDE, SIDE), tuple(qualities),
        tuple(still for i, still in enumerate(stills) if i in chosen), audio, size,
    )  # fmt: skip


def _still(frame: Picture) -> Picture:
    scale = STILL_HEIGHT / frame.shape[0]
    return np.asarray(cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
