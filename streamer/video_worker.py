"""A render worker that draws with a pixel video transformer: the same jobs, the same anchors, other pictures.

Motion is planned by the portrait transformer as ever: blueprints, anchors, the way of each sub-clip. What goes on air is drawn
by the video transformer between two pictures: the frame really drawn last, and the anchor that the clip lands on as the
portrait codec draws it. So a broadcast, its director and its timeline know nothing of which model draws.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.motion import Motion
from streamer.features import VOICE_RATE_HZ
from streamer.plan import Beat, Pts, SubClipJob, s_from_pts, ticks_per_frame
from streamer.render_worker import Background, RenderWorker

_FRAMES_A_LATENT = 4
_SIDE_OF = 16  # pixels: sides of what the transformer draws are multiples of it
_SCENE = "a person talks to the camera"


class VideoWorker(RenderWorker):
    """model: `wan-1.3b`, `wan-14b` or `wan`; weights: its folder. Raises CheckpointError (a ValueError) as `engines.video` does."""

    def __init__(self, *, model: str, weights: Path, threads: int = 1, device: str | None = None) -> None:
        super().__init__(threads=threads)
        from engines.video import load_video_model

        self._video, self._weights = load_video_model(model, weights, device)
        self._drawn: tuple[Pts, NDArray[np.uint8]] | None = None  # the frame drawn last, and the PTS of the one after it
        self._size = (0, 0)

    def warm(self) -> None:
        """Motion's shapes only: a clip of the broadcast's own size is drawn when an avatar is opened."""
        super().warm()

    def open(self, avatar: Path, size: tuple[int, int], background: Background = "keep") -> NDArray[np.uint8]:
        """As `RenderWorker.open`; the picture at rest is the first that clips begin from."""
        still = super().open(avatar, size, background)
        self._size = size
        self._drawn = None
        return still

    def pictures(self, job: SubClipJob, motion: Motion) -> Iterator[NDArray[np.uint8]]:
        """The frames of a job that are to be drawn. A chained clip goes on from the picture before it, where this worker drew it."""
        first = self._drawn[1] if self._drawn and self._drawn[0] == job.start and len(job.history) else None
        if first is None:
            before = job.history[-1] if len(job.history) else job.first.motion if job.first else motion[0]
            first = next(self.frames(before[None]))
        wanted = set(job.drawn)
        clip = self._clip(first, motion, job.beats, job.audio, job.audio_start, job.start, job.fps, job.seed, job.num_steps)
        for i, picture in enumerate(clip):
            if i == job.num_frames - 1:
                self._drawn = (job.end, picture)
            if i in wanted:
                yield picture

    def film(
        self, motion: Motion, beats: tuple[Beat, ...], audio: NDArray[np.int16], audio_start: Pts, start: Pts, fps: int, seed: int
    ) -> Iterator[NDArray[np.uint8]]:
        """Frames of a stretch of a show whose motion [n, 64] is known, from `start`: between its first and last pose, filled in."""
        first = next(self.frames(motion[:1]))
        yield first
        if len(motion) > 1:
            second = Pts(start + ticks_per_frame(fps))
            yield from self._clip(first, motion[1:], beats, audio, audio_start, second, fps, seed, None)

    def _clip(
        self, first: NDArray[np.uint8], motion: Motion, beats: tuple[Beat, ...], audio: NDArray[np.int16], audio_start: Pts,
        start: Pts, fps: int, seed: int, num_steps: int | None,
    ) -> Iterator[NDArray[np.uint8]]:  # fmt: skip
        """n I420 pictures after `first` that land on the last pose of `motion` [n, 64], at most three frames after its end."""
        from engines.video import ClipRequest

        n = len(motion)
        last = next(self.frames(motion[-1:]))
        zero = start - ticks_per_frame(fps)  # of `first`
        request = ClipRequest(
            first=self._rgb(first),
            last=self._rgb(last),
            num_frames=1 + _FRAMES_A_LATENT * -(-n // _FRAMES_A_LATENT),
            text="; ".join(dict.fromkeys([_SCENE, *(beat.text for beat in beats)])),
            voice=audio.astype(np.float32) / 32768,
            lead_frames=round(s_from_pts(zero - audio_start) * fps),
            fps=fps,
            seed=seed,
            **({} if num_steps is None else {"num_steps": num_steps}),
        )
        assert len(audio) / VOICE_RATE_HZ > 0, "a clip needs some voice, if only silence"
        frames = self._video.clip(request)
        next(frames)  # the one it began from
        for _, frame in zip(range(n), frames, strict=False):
            yield self._i420(frame)

    def _rgb(self, i420: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """As the transformer takes it: RGB, sides to the nearest multiple of 16."""
        rgb = cv2.cvtColor(i420, cv2.COLOR_YUV2RGB_I420)
        width, height = (max(_SIDE_OF, round(side / _SIDE_OF) * _SIDE_OF) for side in self._size)
        return rgb if rgb.shape[:2] == (height, width) else cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)

    def _i420(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        if rgb.shape[1::-1] != self._size:
            rgb = cv2.resize(rgb, self._size, interpolation=cv2.INTER_CUBIC)
        return cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2YUV_I420)
