"""Where pictures come from: one transformer and one codec, in a process of their own. The only file here that loads models."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.avatar_library import Avatar
from engines.catalog import load_motion_model
from engines.codecs.portrait.codec import PortraitCodec
from engines.features import LEAD_S, SpeechEncoder, first_time
from engines.motion import INDEX, Motion, rest
from engines.specs import MotionRequest
from streamer import blueprint, subclips
from streamer.features import VOICE_RATE_HZ
from streamer.plan import Blueprint, BlueprintJob, Pts, SubClip, SubClipJob, pts_from_s, s_from_pts

Background = Literal["keep", "green"]

THUMBNAIL_SIDE = 96  # pixels; square whatever the shape of the broadcast
_JPEG = [cv2.IMWRITE_JPEG_QUALITY, 78]


class RenderWorker:
    """Draws blueprints and sub-clips of one avatar at one size. Plain and synchronous; make one in each worker process.

    avatar: the folder of one. size: (width, height) in pixels, both even. threads: for the transformer and for the codec.
    """

    def __init__(
        self, avatar: Path, size: tuple[int, int], *, threads: int = 1, background: Background = "keep", model: str = "portrait"
    ) -> None:
        cv2.setNumThreads(threads)
        self.avatar = Avatar.load(avatar)
        self.codec = PortraitCodec(self.avatar, size, background=background)
        self._model = load_motion_model(model, threads=threads)
        self._speech = SpeechEncoder(threads=threads)
        self._small: PortraitCodec | None = None
        self._opening_small: threading.Thread | None = None
        self.name = f"{self.avatar.name}@{os.getpid()}"

    def warm(self) -> None:
        """One throw-away blueprint and picture, so that the first real one is not the slow one."""
        silence = np.zeros(VOICE_RATE_HZ, np.int16)
        self._speech.encode(silence, 0.0, 0.5)
        self.codec.decode(rest())

    def blueprint(self, job: BlueprintJob) -> Blueprint:
        """The coarse pass of one window."""
        features, features_start = self._features(job.audio, job.audio_start)
        motion = self._model.generate([blueprint.motion_request(job, features, features_start)])[0]
        return Blueprint(job.storyline_version, job.first.pts, job.interval, blueprint.on_camera(job, motion))

    def motion(self, jobs: list[SubClipJob]) -> list[Motion]:
        """The motion [n, 64] of each job's own frames, in one batch where their lengths agree."""
        requests: list[MotionRequest] = []
        own: list[slice] = []
        for job in jobs:
            request, frames = subclips.motion_request(job, *self._features(job.audio, job.audio_start))
            requests.append(request)
            own.append(frames)
        drawn = zip(jobs, self._model.generate(requests), own, strict=True)
        return [subclips.on_camera(job, motion[frames]) for job, motion, frames in drawn]

    def decode(self, motion: Motion) -> NDArray[np.uint8]:
        """Motion [n, 64] to I420 pictures [n, h * 3 // 2, w]."""
        return np.stack(list(self.frames(motion)))

    def frames(self, motion: Motion) -> Iterator[NDArray[np.uint8]]:
        """Motion [n, 64] to n I420 pictures [h * 3 // 2, w], each drawn when it is asked for.

        A mouth that the portrait shows open shuts in silence.
        """
        on_air = motion.copy()
        on_air[:, INDEX["mouthClose"]] += self.codec.shut
        return self.codec.frames(on_air)

    def thumbnail(self, pose: Motion) -> bytes:
        """A JPEG of one pose [64], 96 pixels square. The first call opens a small codec beside the work and answers b""."""
        if self._small is None:
            if self._opening_small is None:
                self._opening_small = threading.Thread(target=self._open_small, name="small-codec", daemon=True)
                self._opening_small.start()
            return b""
        shut = pose.copy()
        shut[INDEX["mouthClose"]] += self._small.shut
        _, jpeg = cv2.imencode(".jpg", cv2.cvtColor(self._small.decode(shut), cv2.COLOR_YUV2BGR_I420), _JPEG)
        return jpeg.tobytes()

    def _open_small(self) -> None:
        self._small = PortraitCodec(self.avatar, (THUMBNAIL_SIDE, THUMBNAIL_SIDE))

    def render(self, job: SubClipJob) -> SubClip:
        """One sub-clip, motion and pictures."""
        began = time.perf_counter()
        motion = self.motion([job])[0]
        drawn = time.perf_counter()
        frames = self.decode(motion)
        return SubClip(
            job=job,
            motion=motion,
            frames=frames,
            worker=self.name,
            motion_ms=(drawn - began) * 1e3,
            decode_ms=(time.perf_counter() - drawn) * 1e3,
        )

    def _features(self, audio: NDArray[np.int16], audio_start: Pts) -> tuple[NDArray[np.float32], Pts]:
        """Speech features [n, 384] at 50 Hz of a job's voice, and the PTS of the first; a second of context goes before it."""
        origin_s = s_from_pts(audio_start)
        start_s, end_s = origin_s + LEAD_S, origin_s + len(audio) / VOICE_RATE_HZ
        features = self._speech.encode(audio, start_s, end_s, origin_s=origin_s)
        return features, pts_from_s(first_time(start_s))
