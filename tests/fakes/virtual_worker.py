"""A worker in the test's own event loop, whose work takes virtual time and no more. What it draws says where it comes from."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engines.motion import INDEX, Motion, rest
from streamer.media import Picture
from streamer.plan import FULL_STEPS, Blueprint, BlueprintJob, Look, PictureJob, SubClipJob
from streamer.render_process import Done
from streamer.worker_process import Job, OnPicture, WorkerLost

EPOCH, FRAME, REPAIRED = (INDEX[name] for name in ("jawLeft", "tongueOut", "jawRight"))


@dataclass
class Pace:
    """How long a worker takes, in seconds: over any motion and each frame of it, over each picture, over a blueprint."""

    motion_s: float = 0.02
    frame_s: float = 0.002
    picture_s: float = 0.01
    blueprint_s: float = 0.06


@dataclass
class Workers:
    """Makes `VirtualWorker`s, and keeps what they were asked."""

    pace: Callable[[int], Pace] = lambda i: Pace()
    made: list["VirtualWorker"] = field(default_factory=list)
    jobs: list[SubClipJob] = field(default_factory=list)

    def start(self, loop: asyncio.AbstractEventLoop, gently: bool = False) -> Any:
        """As `RenderPool` wants it."""
        self.made.append(VirtualWorker(self, len(self.made), self.pace(len(self.made))))
        return self.made[-1]


class VirtualWorker:
    """A `streamer.worker_process.WorkerProcess`. Its motion says which frame it is, of which epoch, and whether of a repair."""

    def __init__(self, workers: Workers, number: int, pace: Pace) -> None:
        self._workers = workers
        self._pace = pace
        self.pid = number
        self.ready, self.lost = asyncio.Event(), asyncio.Event()
        self.ready.set()

    async def open(self, look: Look, *, gently: bool) -> Picture:
        await asyncio.sleep(0.5)
        return _picture(rest())

    def forget(self, look: Look) -> None:
        pass

    async def ask(self, job: Job, timeout_s: float, on_picture: OnPicture | None = None) -> Done:
        working = asyncio.ensure_future(self._work(job, on_picture))
        dying = asyncio.ensure_future(self.lost.wait())
        await asyncio.wait((working, dying), return_when=asyncio.FIRST_COMPLETED)
        if dying.done():
            working.cancel()
            raise WorkerLost("killed")
        dying.cancel()
        return working.result()

    async def _work(self, job: Job, on_picture: OnPicture | None) -> Done:
        began_s, result = asyncio.get_running_loop().time(), None
        match job:
            case SubClipJob():
                self._workers.jobs.append(job)
                full_s = self._pace.motion_s + self._pace.frame_s * job.num_frames
                await asyncio.sleep(full_s * job.num_steps / FULL_STEPS)
                result = _motion(job)
            case BlueprintJob():
                await asyncio.sleep(self._pace.blueprint_s)
                result = Blueprint(job.storyline_version, job.first.pts, job.interval, rest(job.num_frames))
            case PictureJob():
                for i, pose in enumerate(job.motion):
                    await asyncio.sleep(self._pace.picture_s)
                    assert on_picture
                    on_picture(i, _picture(pose))
            case _:
                result = b""
        took_s = asyncio.get_running_loop().time() - began_s
        return Done(result, f"virtual@{self.pid}", took_s, took_s)

    def kill(self) -> None:
        self.lost.set()

    async def close(self) -> None:
        self.lost.set()


def _motion(job: SubClipJob) -> Motion:
    motion = rest(job.num_frames + job.approach)
    motion[:, FRAME] = job.start * job.fps // 48_000 + np.arange(len(motion))
    motion[:, EPOCH] = job.epoch
    motion[:, REPAIRED] = bool(len(job.future))
    return motion


def _picture(pose: Motion) -> Picture:
    """The pose itself, as bytes: 24 x 12 pixels hold it."""
    return np.frombuffer(pose.astype(np.float32).tobytes() + bytes(176), np.uint8).reshape(36, 12).copy()


def pose_in(picture: Picture) -> Motion:
    """What `_picture` put in."""
    pose: Motion = np.frombuffer(picture.tobytes()[:256], np.float32)
    return pose
