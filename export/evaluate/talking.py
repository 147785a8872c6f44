"""Recordings of real people talking, as landmark motion and sound: what the lip predictor is fitted on and measured against.

A clip is an `.npz` file with ``landmarks`` [T, 478, 3] (MediaPipe face mesh, x over the picture's width, y over its
height), ``mask`` [T] (False where no face was found), ``fps`` 25, ``aspect`` (width over height) and ``audio`` [T * 640]
int16 at 16 kHz.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engines.specs import SAMPLE_RATE_HZ

FPS = 25
SAMPLES_PER_FRAME = SAMPLE_RATE_HZ // FPS


class ClipError(ValueError):
    """A folder or file that holds no talking clip. The message says what is wanted."""


@dataclass(frozen=True, slots=True, eq=False)
class TalkingClip:
    """One stretch of a person talking.

    audio: int16 [T * 640], 16 kHz mono. landmarks: float32 [T, 478, 3], isotropic (y in units of x). found: bool [T].
    """

    name: str
    audio: NDArray[np.int16]
    landmarks: NDArray[np.float32]
    found: NDArray[np.bool_]

    @property
    def num_frames(self) -> int:
        return len(self.landmarks)


def read_clip(path: Path) -> TalkingClip:
    """One clip. Raises ClipError for a file of another kind."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            landmarks = arrays["landmarks"].astype(np.float32)
            found, audio = arrays["mask"].astype(bool), arrays["audio"]
            fps, aspect = float(arrays["fps"]), float(arrays["aspect"])
    except (OSError, KeyError, ValueError) as error:
        raise ClipError(f"{path} is not a talking clip ({error}): landmarks, mask, audio, fps and aspect are needed") from None
    if fps != FPS or audio.dtype != np.int16 or landmarks.ndim != 3 or landmarks.shape[1:] != (478, 3):
        raise ClipError(f"{path}: landmarks [T, 478, 3] at {FPS} fps and int16 audio at {SAMPLE_RATE_HZ} Hz are needed")
    landmarks[..., 1] /= aspect
    num_frames = min(len(landmarks), len(audio) // SAMPLES_PER_FRAME)
    if num_frames < FPS:
        raise ClipError(f"{path} is shorter than a second")
    return TalkingClip(path.stem, audio[: num_frames * SAMPLES_PER_FRAME], landmarks[:num_frames], found[:num_frames])


def read_folder(folder: Path) -> list[TalkingClip]:
    """Every clip of a folder, by name. Raises ClipError when there are fewer than three: nothing could be left out."""
    paths = sorted(folder.glob("*.npz")) if folder.is_dir() else []
    if len(paths) < 3:
        raise ClipError(f"{folder} has {len(paths)} .npz clips; at least 3 are needed. {__doc__.partition(chr(10) * 2)[2]}")
    return [read_clip(path) for path in paths]
