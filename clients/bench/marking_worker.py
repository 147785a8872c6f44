"""The real render worker, with a mark in its pictures that is as light as a tone in their voice is loud.

For `rostrum bench recording`: what the mark shows of a picture's own 1/fps of voice can be timed against the sound beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.motion import INDEX, Motion
from streamer.features import TICKS_PER_SAMPLE, VOICE_RATE_HZ
from streamer.plan import Look, SubClipJob, ticks_per_frame
from streamer.render_worker import RenderWorker

TONE_HZ = 3000.0  # speech has little there, the made-up one nothing
LOUD = 0.3  # of full scale: the mark is white
_CARRIER = INDEX["tongueOut"]  # no portrait shows it


def tone_levels(sound: NDArray[np.floating[Any]], rate_hz: int, block: int) -> NDArray[np.float32]:
    """How loud the tone is in each whole block of a sound (full scale is 1), of `LOUD`, 0 to 1."""
    blocks = sound[: len(sound) // block * block].reshape(-1, block)
    wave = np.exp(-2j * np.pi * TONE_HZ / rate_hz * np.arange(block)).astype(np.complex64)
    return np.clip(2 * np.abs(blocks @ wave) / block / LOUD, 0, 1).astype(np.float32)


def mark(shape: tuple[int, int]) -> tuple[slice, slice]:
    """Where the mark lies in the luma plane of an I420 picture of this shape."""
    side = shape[1] // 8
    return slice(0, side), slice(0, side)


class MarkingWorker(RenderWorker):
    """The level goes with the motion, in a channel that nothing draws."""

    def motion(self, jobs: list[SubClipJob]) -> list[Motion]:
        plain = [
            replace(job, history=_unmarked(job.history), overlap=_unmarked(job.overlap), future=_unmarked(job.future))
            for job in jobs
        ]
        return [_marked(job, motion) for job, motion in zip(jobs, super().motion(plain), strict=True)]

    def pictures(self, look: Look, motion: Motion) -> Iterator[NDArray[np.uint8]]:
        for picture, level in zip(super().pictures(look, _unmarked(motion)), motion[:, _CARRIER], strict=True):
            picture[mark(look.picture_shape)] = 16 + round(219 * float(level))
            yield picture


def _marked(job: SubClipJob, motion: Motion) -> Motion:
    block = ticks_per_frame(job.fps) // TICKS_PER_SAMPLE
    first = (job.start - job.audio_start) // TICKS_PER_SAMPLE
    voice = np.pad(job.audio[first:], (0, len(motion) * block))[: len(motion) * block]
    marked = motion.copy()
    marked[:, _CARRIER] = tone_levels(voice / np.float32(32768), VOICE_RATE_HZ, block)
    return marked


def _unmarked(motion: Motion) -> Motion:
    plain = motion.copy()
    plain[..., _CARRIER] = 0
    return plain
