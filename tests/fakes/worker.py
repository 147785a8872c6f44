"""A render worker without models: the voice lights a lamp, a bar moves. What it draws can be read back from a video."""

import os
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.motion import INDEX, Motion, rest
from streamer.plan import Blueprint, BlueprintJob, Look, SubClipJob, ticks_per_frame

#: `module:Class`, as the pool takes it.
FAKE_WORKER = "tests.fakes.worker:FakeWorker"
REST_LUMA, DARK_LUMA, LIT_LUMA, BAR_LUMA = 90, 40, 220, 160
LOUD = 2000
LOUDNESS, NUMBER = INDEX["jawOpen"], INDEX["tongueOut"]  # what the voice lights, and which frame it is


class FakeWorker:
    """The avatar's folder name says how it behaves: `slow-120` takes 120 ms to draw pictures. Once in the avatar's life, at a
    second sub-clip's pictures, `dies` exits, `raises` raises, `hangs` does not come back; `kills` exits each time."""

    def __init__(self, *, threads: int = 1) -> None:
        self.name = f"fake@{os.getpid()}"
        self._clips = 0

    def warm(self) -> None:
        pass

    def open(self, look: Look, shelf: Path | None = None) -> NDArray[np.uint8]:
        return _picture(look, False, None)

    def forget(self, look: Look) -> None:
        pass

    def blueprint(self, job: BlueprintJob) -> Blueprint:
        return Blueprint(job.storyline_version, job.first.pts, job.interval, rest(job.num_frames))

    def thumbnail(self, look: Look, pose: Motion) -> bytes:
        shade = zlib.crc32(look.avatar.name.encode()) % 200
        return cv2.imencode(".jpg", np.full((96, 96, 3), shade, np.uint8))[1].tobytes()

    def motion(self, jobs: list[SubClipJob]) -> list[Motion]:
        """What is heard in each frame, and its number, are written into two channels."""
        drawn = []
        for job in jobs:
            frame, motion = ticks_per_frame(job.fps), rest(job.num_frames + job.approach)
            for i in range(len(motion)):
                pts = job.start + i * frame
                first = (pts - job.audio_start) // 3
                heard = job.audio[first : first + frame // 3]
                motion[i, LOUDNESS] = float(np.abs(heard).max(initial=0))
                motion[i, NUMBER] = pts // frame
            drawn.append(motion)
        return drawn

    def pictures(self, look: Look, motion: Motion) -> Iterator[NDArray[np.uint8]]:
        manner, _, amount = look.avatar.name.partition("-")
        done_it = look.avatar / "misbehaved"
        self._clips += 1
        if manner == "kills":
            os._exit(9)
        if self._clips >= 2 and manner in ("dies", "raises", "hangs") and _is_first(done_it):
            self._misbehave(manner)
        time.sleep(float(amount) / 1000 if manner == "slow" else 0.0)
        for pose in motion:
            yield _picture(look, pose[LOUDNESS] > LOUD, int(pose[NUMBER]))

    def _misbehave(self, manner: str) -> None:
        match manner:
            case "dies":
                os._exit(9)
            case "raises":
                raise RuntimeError("a fault on purpose")
            case "hangs":
                time.sleep(3600)


def _is_first(done_it: Path) -> bool:
    """Whether no worker has done it yet, in the avatar's life; always, where the avatar has no folder."""
    try:
        done_it.touch(exist_ok=False)
    except FileExistsError:
        return False
    except FileNotFoundError:
        pass
    return True


def _picture(look: Look, lit: bool, frame_number: int | None) -> NDArray[np.uint8]:
    """Lamp in the upper half; below it a bar, 1/25 of the width, that moves one place a frame. Colour: the avatar's own."""
    picture = np.full(look.picture_shape, zlib.crc32(look.avatar.name.encode()) % 256, np.uint8)
    luma = picture[: look.height]
    luma[:] = REST_LUMA if frame_number is None else LIT_LUMA if lit else DARK_LUMA
    if frame_number is not None:
        luma[look.height // 2 :] = DARK_LUMA
        step = look.width // 25
        left = (frame_number % 25) * step
        luma[look.height // 2 :, left : left + step] = BAR_LUMA
    return picture
