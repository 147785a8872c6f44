"""What crosses the border between the cascade and the transformer: frozen configs and requests, plain numpy, no model code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engines.motion import NUM_CHANNELS, Motion

# Speech features (engines.features): the second block of Whisper tiny.en's encoder.
SAMPLE_RATE_HZ = 16_000
FEATURE_RATE_HZ = 50
FEATURE_DIM = 384
#: Feature steps (20 ms) that one frame attends to, around its own time: offsets -6..+5, the last 80 ms in the future.
AUDIO_OFFSETS: tuple[int, ...] = tuple(range(-6, 6))
LEFT_CONTEXT_S = 1.0
RIGHT_CONTEXT_S = 0.08

# Prompt features (engines.text): one static word-piece embedding a token.
TEXT_DIM = 256
NUM_TEXT_TOKENS = 24


@dataclass(frozen=True, slots=True)
class BeatCondition:
    """A beat as the transformer sees it: its line of prose, and its span in seconds from the request's frame 0."""

    start_s: float
    end_s: float
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class MotionRequest:
    """One call for `num_frames` frames of motion, `interval_s` apart, seed included.

    condition: float32 [f, 64]; the known motion, anything where `mask` is False.
    mask: bool [f, 64]; True where `condition` holds. History, anchors and free mouths are all said by it.
    audio: float32 [n, 384]; speech features at 50 Hz, audio[0] being at `audio_start_s` from frame 0. Frames that want
        features beyond either end see silence-free "unknown" there (a learned token), which is how the blueprint runs ahead.
    beats: in order; a frame attends to the words of its own beat only.
    """

    num_frames: int
    interval_s: float
    condition: Motion
    mask: NDArray[np.bool_]
    audio: NDArray[np.float32]
    audio_start_s: float
    beats: tuple[BeatCondition, ...]
    seed: int
    num_steps: int = 4

    def __post_init__(self) -> None:
        shape = (self.num_frames, NUM_CHANNELS)
        if self.condition.shape != shape or self.mask.shape != shape:
            raise ValueError(f"condition and mask must be {shape}, not {self.condition.shape} and {self.mask.shape}")
        if self.audio.ndim != 2 or self.audio.shape[1] != FEATURE_DIM:
            raise ValueError(f"audio must be [n, {FEATURE_DIM}], not {self.audio.shape}")


@dataclass(frozen=True, slots=True, eq=False)
class ClipRequest:
    """One call for pixels: 1 + 4k frames that begin with `first` and, where it is given, end with `last`.

    voice: float32 [n], 16 kHz, the sound from `lead_frames` before the first frame to some frames after the last. before: RGB
    [`num_before`, h, w, 3], the frames up to `first` and it, for models that go on from several; they are shown the
    `reference`, the person as they were when all began, in place of `first`.
    """

    first: NDArray[np.uint8]  # RGB [h, w, 3]
    last: NDArray[np.uint8] | None
    num_frames: int
    text: str
    voice: NDArray[np.float32]
    lead_frames: int
    fps: int
    seed: int
    num_steps: int = 1000  # at most; the model's own sampling may have fewer
    before: NDArray[np.uint8] | None = None
    reference: NDArray[np.uint8] | None = None


class MotionModel(Protocol):
    """A transformer with its sampler. Same requests and seeds, same motion."""

    def generate(self, requests: list[MotionRequest]) -> list[Motion]:
        """Motion [f, 64] for each request, in one batch where their frame counts agree. Known channels come back as given."""
        ...


class ClipModel(Protocol):
    """A video transformer with all it needs. Same request, same pictures."""

    @property
    def frames_a_latent(self) -> int:
        """A clip has 1 + k of these."""
        ...

    @property
    def num_before(self) -> int:
        """Frames that a clip goes on from: 1, or 1 + k times `frames_a_latent` of a model that was trained so."""
        ...

    @property
    def pixels_a_token(self) -> int:
        """Sides of pictures are multiples of it."""
        ...

    @property
    def area(self) -> int | None:
        """Pixels of the pictures that it was trained on; None where any will do."""
        ...

    def clip(self, request: ClipRequest) -> Iterator[NDArray[np.uint8]]:
        """The request's frames, RGB [h, w, 3], each decoded when it is asked for. Raises ValueError for what it cannot draw."""
        ...
