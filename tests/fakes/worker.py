"""A render worker without models: the voice lights a lamp, a bar moves. What it draws can be read back from a video."""

import os
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.motion import Motion, rest
from streamer.plan import Blueprint, BlueprintJob, SubClipJob, ticks_per_frame

#: `module:Class`, as the pool takes it.
FAKE_WORKER = "tests.fakes.worker:FakeWorker"
REST_LUMA, DARK_LUMA, LIT_LUMA, BAR_LUMA = 90, 40, 220, 160
LOUD = 2000


class FakeWorker:
    """The avatar's folder name says how it behaves: `slow-120` takes 120 ms a job. Once in the avatar's life, at a second
    sub-clip, `dies` exits, `raises` raises, `hangs` does not come back."""

    def __init__(self, *, threads: int = 1) -> None:
        self.name = f"fake@{os.getpid()}"
        self._clips = 0

    def warm(self) -> None:
        pass

    def open(self, avatar: Path, size: tuple[int, int]) -> NDArray[np.uint8]:
        self._name = avatar.name
        self._manner, _, amount = avatar.name.partition("-")
        self._pause_s = float(amount) / 1000 if self._manner == "slow" else 0.0
        self._width, self._height = size
        self._done_it = avatar / "misbehaved"
        return self._picture(False, None)

    def blueprint(self, job: BlueprintJob) -> Blueprint:
        time.sleep(self._pause_s)
        return Blueprint(job.storyline_version, job.first.pts, job.interval, rest(job.num_frames))

    def thumbnail(self, pose: Motion) -> bytes:
        shade = zlib.crc32(self._name.encode()) % 200
        return cv2.imencode(".jpg", np.full((96, 96, 3), shade, np.uint8))[1].tobytes()

    def motion(self, jobs: list[SubClipJob]) -> list[Motion]:
        self._clips += 1
        if self._clips == 2 and not self._done_it.exists():
            self._misbehave()
        time.sleep(self._pause_s)
        return [rest(job.num_frames) for job in jobs]

    def pictures(self, job: SubClipJob, motion: Motion) -> Iterator[NDArray[np.uint8]]:
        frame = ticks_per_frame(job.fps)
        for i in job.drawn:
            pts = job.start + i * frame
            first = (pts - job.audio_start) // 3
            heard = job.audio[first : first + frame // 3]
            yield self._picture(bool(len(heard)) and int(np.abs(heard).max()) > LOUD, pts // frame)

    def _misbehave(self) -> None:
        if self._done_it.parent.is_dir():
            self._done_it.touch()
        match self._manner:
            case "dies":
                os._exit(9)
            case "raises":
                raise RuntimeError("a fault on purpose")
            case "hangs":
                time.sleep(3600)

    def _picture(self, lit: bool, frame_number: int | None) -> NDArray[np.uint8]:
        """Lamp in the upper half; below it a bar, 1/25 of the width, that moves one place a frame."""
        picture = np.full((self._height * 3 // 2, self._width), 128, np.uint8)
        luma = picture[: self._height]
        luma[:] = REST_LUMA if frame_number is None else LIT_LUMA if lit else DARK_LUMA
        if frame_number is not None:
            luma[self._height // 2 :] = DARK_LUMA
            step = self._width // 25
            left = (frame_number % 25) * step
            luma[self._height // 2 :, left : left + step] = BAR_LUMA
        return picture
