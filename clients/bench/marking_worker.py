"""The real render worker, with marks in its pictures: one as light as a tone in their voice is loud, one new in each picture.

For `rostrum bench recording`: what the first shows of a picture's own 1/fps of voice can be timed against the sound beside it,
and by the second a picture that was held is told from a drawn one.
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
TURNS = 5  # then the second mark is the same again; fewer pictures than that are drawn in no rate
_CARRIER = INDEX["tongueOut"]  # no portrait shows it
_SHARE = 0.98  # of the level, so that it never reaches the next turn


def tone_levels(sound: NDArray[np.floating[Any]], rate_hz: int, block: int) -> NDArray[np.float32]:
    """How loud the tone is in each whole block of a sound (full scale is 1), of `LOUD`, 0 to 1."""
    blocks = sound[: len(sound) // block * block].reshape(-1, block)
    wave = np.exp(-2j * np.pi * TONE_HZ / rate_hz * np.arange(block)).astype(np.complex64)
    return np.clip(2 * np.abs(blocks @ wave) / block / LOUD, 0, 1).astype(np.float32)


def marks(picture: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Where the level's and the turn's mark lie in an I420 picture."""
    side = picture.shape[1] // 8
    return picture[:side, :side], picture[:side, -side:]


class MarkingWorker(RenderWorker):
    """Turn and level go with the motion, in a channel that nothing draws."""

    def motion(self, jobs: list[SubClipJob]) -> list[Motion]:
        plain = [
            replace(job, history=_unmarked(job.history), overlap=_unmarked(job.overlap), future=_unmarked(job.future))
            for job in jobs
        ]
        return [_marked(job, motion) for job, motion in zip(jobs, super().motion(plain), strict=True)]

    def pictures(self, look: Look, motion: Motion) -> Iterator[NDArray[np.uint8]]:
        for picture, carried in zip(super().pictures(look, _unmarked(motion)), motion[:, _CARRIER], strict=True):
            turn, level = divmod(float(carried), 1.0)
            for mark, light in zip(marks(picture), (level / _SHARE, turn / (TURNS - 1)), strict=True):
                mark[:] = 16 + round(219 * min(light, 1.0))
            yield picture


def _marked(job: SubClipJob, motion: Motion) -> Motion:
    block = ticks_per_frame(job.fps) // TICKS_PER_SAMPLE
    first = (job.start - job.audio_start) // TICKS_PER_SAMPLE
    voice = np.pad(job.audio[first:], (0, len(motion) * block))[: len(motion) * block]
    marked, turns = motion.copy(), (job.start // ticks_per_frame(job.fps) + np.arange(len(motion))) % TURNS
    marked[:, _CARRIER] = turns + _SHARE * tone_levels(voice / np.float32(32768), VOICE_RATE_HZ, block)
    return marked


def _unmarked(motion: Motion) -> Motion:
    plain = motion.copy()
    plain[..., _CARRIER] = 0
    return plain
