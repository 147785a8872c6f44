"""What one broadcast has of the render pool."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from engines.motion import Motion
from streamer.effort import Turns
from streamer.media import Picture
from streamer.plan import Blueprint, BlueprintJob, Look, PictureJob, SubClipJob
from streamer.render_pool import RenderPool
from streamer.render_process import Done, ThumbnailJob
from streamer.worker_process import OnPicture


class RenderShare:
    """Its look, its epoch, its place in the queue. Jobs of an old epoch are dropped, before and after they are done.

    Times in seconds of the pool's clock; `due_s` of a job says how urgent it is.
    """

    def __init__(self, pool: RenderPool, look: Look) -> None:
        self._pool = pool
        self._standing_by: Look | None = None
        self._is_open = False
        self.number = pool.join()
        self.look = look
        self.epoch = 0

    async def open(self) -> Picture:
        """The avatar at rest. Raises RenderFailed or WorkerLost."""
        still = await self._pool.open(self.look)
        self._is_open = True
        return still

    async def stand_by(self, avatar: Path) -> Picture:
        """Open another avatar beside the work, in place of one that stands by; the avatar at rest. Raises as `open`."""
        look = replace(self.look, avatar=avatar)
        still = await self._pool.open(look)
        if self._standing_by:
            self._pool.forget(self._standing_by)
        self._standing_by = look
        return still

    def switch(self) -> None:
        """From the next job on, the avatar that stands by is drawn. What is being drawn comes back still."""
        assert self._standing_by, "no avatar stands by"
        self._pool.forget_soon(self.look)
        self.look, self._standing_by = self._standing_by, None

    async def motion(self, job: SubClipJob, due_s: float) -> Done:
        """A sub-clip's motion [n, 64]. Raises Superseded, RenderFailed or WorkerLost."""
        return await self._pool.ask(self, job, due_s)

    async def pictures(self, job: PictureJob, due_s: float, on_picture: OnPicture, every_s: float = 0.0) -> Done:
        """Each picture is handed on as it is drawn. Raises as `motion`.

        every_s: after the first, the others are due so far apart, and what is too late when a worker is free is left out,
        but for the last, which tells how late it came; 0: nothing is left out.
        """
        return await self._pool.ask(self, job, due_s, on_picture, every_s)

    async def blueprint(self, job: BlueprintJob, due_s: float) -> Blueprint:
        """Raises as `motion`."""
        blueprint: Blueprint = (await self._pool.ask(self, job, due_s)).result
        return blueprint

    async def thumbnail(self, pose: Motion) -> bytes | None:
        """A small JPEG of a pose [64] by a worker that has nothing else to do; None where there is none. Raises as `motion`."""
        if not self._pool.has_room:
            return None
        jpeg: bytes = (await self._pool.ask(self, ThumbnailJob(self.look, pose), float("inf"))).result
        return jpeg or None

    def supersede(self, epoch: int) -> None:
        """Jobs of older epochs are of no use any more."""
        self.epoch = max(self.epoch, epoch)
        self._pool.supersede(self)

    @property
    def has_room(self) -> bool:
        """Whether a job asked for now would be begun at once."""
        return self._pool.has_room

    @property
    def films(self) -> bool:
        """Whether a video model draws: whole sub-clips in one job."""
        return self._pool.films

    @property
    def num_workers(self) -> int:
        """Of the whole pool."""
        return self._pool.num_workers

    @property
    def restarts(self) -> int:
        """Workers that were lost, of the whole pool."""
        return self._pool.restarts

    def load(self) -> float:
        """Of the whole pool; 1 is all of it."""
        return self._pool.load()

    def own_load(self) -> float:
        """This broadcast's part of it."""
        return self._pool.load_of(self.number)

    @property
    def turns(self) -> Turns:
        """Whose turn it is to take more."""
        return self._pool.turns

    def close(self) -> None:
        """The broadcast is over: what it has open is let go."""
        self.epoch += 1
        self._pool.supersede(self)
        self._pool.leave(self)
        if self._is_open:
            self._pool.forget(self.look)
        if self._standing_by:
            self._pool.forget(self._standing_by)
