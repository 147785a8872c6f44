"""Do lips and sound belong together, and by how much is one late? A scorer trained contrastively, after SyncNet's idea.

Two small networks write what a mouth does and what is heard around a frame as vectors of 32; frames and sounds that belong
together were pulled together in training and all others pushed apart (Chung & Zisserman, "Out of time", 2016, with InfoNCE
in place of the pairwise loss). The mouth is read off its landmarks and the sound by Whisper's first blocks, not off pixels and
MFCCs as in SyncNet: so a handful of portraits is enough to train on, and what is learnt is no renderer's mouth. Its scores are
its own and not to be compared with SyncNet's; `export.curate.syncnet` computes those from weights that the user has.

Weights, data and figures: export/curate/weights/README.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from engines.features import SpeechEncoder
from engines.specs import FEATURE_DIM, FEATURE_RATE_HZ, SAMPLE_RATE_HZ
from export.curate.faces import NUM_LANDMARKS, NoFaceFound, Picture, read_faces
from export.curate.graph import load
from export.curate.lip_shape import lip_shape

FPS = 25  # of the scorer; other rates are brought to it
SEARCHED_FRAMES = 15
LEAST_FRAMES = 25

Rows = NDArray[np.float32]
_Kind = TypeVar("_Kind", bound=np.generic)


@dataclass(frozen=True, slots=True)
class SyncScore:
    """confidence: how much better lips and sound go together at the best offset than at the median one, in cosine similarity:
    0 where nothing fits, about 0.2–0.6 for people who talk. offset_frames: at 25 a second, within ±15; above 0 the lips come
    after the sound, below 0 before it. in_step: as confidence, but at offsets −1 to +1 only: what a clip is judged by."""

    confidence: float
    offset_frames: int
    in_step: float


class SyncScorer:
    """Scores clips. Holds an encoder of speech; one for each thread."""

    def __init__(self, encoder: SpeechEncoder | None = None) -> None:
        """Raises FileNotFoundError where weights are missing."""
        self._encoder = encoder or SpeechEncoder()
        self._graph = load("sync")

    def score(
        self,
        mouth_or_frames: NDArray[np.float32] | NDArray[np.uint8] | Iterable[Picture],
        audio_16k: NDArray[np.int16] | NDArray[np.float32],
        fps: float,
        found: NDArray[np.bool_] | None = None,
    ) -> SyncScore:
        """One clip whose first frame and first sample belong to the same moment.

        mouth_or_frames: either the RGB pictures of the clip (uint8 [T, h, w, 3], or any iterable of [h, w, 3]), in which the
        largest face is looked for, 20 ms a frame; or, where they are known, that face's landmarks [T, 478, 3] of MediaPipe's
        mesh, in pixels or any unit that is the same for x and y, with `found` [T] saying where they were (default: all).
        audio_16k: mono, int16, or float32 in −1..1. fps: of the frames, any rate.

        Raises NoFaceFound (a ValueError) where fewer than half of the frames show a face, ValueError for clips under one
        second or arrays of another shape.
        """
        landmarks, found = self._landmarks(mouth_or_frames, found)
        if found.mean() < 0.5:
            raise NoFaceFound(f"only {int(found.sum())} of {len(found)} frames show a face")
        landmarks, found = at_rate(landmarks, fps), at_rate(found, fps)
        num_frames = min(len(landmarks), len(audio_16k) * FPS // SAMPLE_RATE_HZ)
        if num_frames < LEAST_FRAMES:
            raise ValueError(f"{num_frames / FPS:.2f} s of picture with sound; lip sync needs {LEAST_FRAMES / FPS:.0f} s")
        speech = speech_rows(self._encoder, audio_16k, num_frames)
        return self.compare(lip_shape(landmarks[:num_frames], found[:num_frames]), speech)

    def compare(self, lips: Rows, speech: Rows) -> SyncScore:
        """lips: [T, 10] of `lip_shape`. speech: [T, 384] of `speech_rows`."""
        return best_offset(*self._graph.run(None, {"lips": lips[None], "speech": speech[None]}))

    @staticmethod
    def _landmarks(
        given: NDArray[np.float32] | NDArray[np.uint8] | Iterable[Picture], found: NDArray[np.bool_] | None
    ) -> tuple[Rows, NDArray[np.bool_]]:
        if isinstance(given, np.ndarray) and given.ndim == 3 and given.shape[1:] == (NUM_LANDMARKS, 3):
            return given.astype(np.float32), np.ones(len(given), bool) if found is None else found
        if isinstance(given, np.ndarray) and (given.ndim != 4 or given.shape[3] != 3 or given.dtype != np.uint8):
            raise ValueError(
                f"{given.dtype} {list(given.shape)} is neither RGB pictures, uint8 [T, h, w, 3], nor landmarks [T, 478, 3]"
            )
        track = read_faces(given)
        if not len(track.found):
            raise NoFaceFound("there are no frames")
        return track.landmarks, track.found


def at_rate(rows: NDArray[_Kind], fps: float) -> NDArray[_Kind]:
    """[T, …] at `fps` to the nearest ones at 25 a second."""
    num = round(len(rows) * FPS / fps)
    return rows[np.clip(np.round((np.arange(num) + 0.5) * fps / FPS - 0.5).astype(int), 0, len(rows) - 1)]


def speech_rows(encoder: SpeechEncoder, audio: NDArray[np.int16] | NDArray[np.float32], num_frames: int) -> Rows:
    """Speech features of each frame of 25 a second, [T, 384]."""
    steps = encoder.encode(audio, 0.0, num_frames / FPS, final=True)
    per_frame = FEATURE_RATE_HZ // FPS
    return steps[: num_frames * per_frame].reshape(num_frames, per_frame, FEATURE_DIM).mean(axis=1)


def best_offset(lips: Rows, speech: Rows) -> SyncScore:
    """Unit vectors [1, T, d] of both."""
    num = lips.shape[1]
    reach = min(SEARCHED_FRAMES, num // 2)
    offsets = np.arange(-reach, reach + 1)
    similarity = np.array(
        [(lips[0, max(0, o) : num + min(0, o)] * speech[0, max(0, -o) : num - max(0, o)]).sum(axis=1).mean() for o in offsets]
    )
    better = similarity - np.median(similarity)
    best = int(better.argmax())
    return SyncScore(float(better[best]), int(offsets[best]), float(better[abs(offsets) <= 1].max()))
