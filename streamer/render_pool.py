"""The render pool: worker processes of one broadcast, replaced when they die, and a spare one for the next broadcast.

Nothing here blocks the event loop: each process has a thread that waits on its pipe and copies its pictures.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import multiprocessing
import threading
from collections import deque
from collections.abc import Callable
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.motion import Motion
from streamer.media import Picture
from streamer.plan import Blueprint, BlueprintJob, SubClip, SubClipJob
from streamer.render_process import (
    NUM_SLOTS,
    Drawn,
    Failed,
    Moved,
    Open,
    Opened,
    Ready,
    ThumbnailJob,
    one_thread_for_numpy,
    serve,
)
from streamer.threads import in_thread

log = logging.getLogger(__name__)

REAL_WORKER = "streamer.render_worker:RenderWorker"
_MAX_OUTSTANDING = NUM_SLOTS  # a slot is written again only when the job before last has been copied out
_JOIN_S = 5.0
_REFILL_S = 6.0  # a new spare takes a core for a second or two, which the broadcast that took the last one needs at first

OnMotion = Callable[[Motion], None]  # called with all of a sub-clip's motion [n, 64]
OnPicture = Callable[[int, Picture], None]  # called with the number of a sub-clip's frame, and its picture
_OnPart = Callable[[Any], None]


class WorkerLost(RuntimeError):
    """The worker process died or hung with this job; it is being replaced."""


class RenderFailed(RuntimeError):
    """The worker raised over this job, and goes on."""


class Superseded(RuntimeError):
    """The job belongs to an old epoch and was dropped."""


class WorkerProcess:
    """One worker process, from this side. Answers come back in the order of the requests; at most two are out at a time."""

    def __init__(self, worker_class: str, threads: int, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._memory: SharedMemory | None = None
        self._pictures: NDArray[np.uint8] = np.zeros((0, 0, 0), np.uint8)  # the memory's
        self._is_killed = False
        self._answers: deque[tuple[asyncio.Future[Any], _OnPart | None]] = deque()
        self._room = asyncio.Semaphore(_MAX_OUTSTANDING)
        self.is_ready = False
        self.lost = asyncio.Event()
        one_thread_for_numpy()
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, worker_class, threads), name="rostrum-worker", daemon=True)
        self._process.start()
        theirs.close()
        self._reader = threading.Thread(target=self._read, name=f"worker-{self._process.pid}", daemon=True)
        self._reader.start()

    @property
    def is_usable(self) -> bool:
        """Whether it is worth asking."""
        return not (self._is_killed or self.lost.is_set())

    @property
    def pid(self) -> int | None:
        return self._process.pid

    @property
    def outstanding(self) -> int:
        """Requests it has not answered yet."""
        return len(self._answers)

    async def open(self, avatar: Path, size: tuple[int, int], max_frames: int, timeout_s: float = 60.0) -> Picture:
        """Load an avatar; the picture of it at rest. Raises RenderFailed or WorkerLost."""
        width, height = size
        self._memory = SharedMemory(create=True, size=NUM_SLOTS * max_frames * width * height * 3 // 2)
        request = Open(avatar, width, height, self._memory.name, max_frames)
        self._pictures = request.pictures_in(self._memory)
        opened = await self.ask(request, timeout_s)
        assert isinstance(opened, Opened)
        return opened.still

    async def ask(
        self, request: Open | SubClipJob | BlueprintJob | ThumbnailJob, timeout_s: float, on_part: _OnPart | None = None
    ) -> Any:
        """One request and its answer; before it, `on_part` gets a sub-clip's `Moved`, then (index, picture) of each it draws.

        A worker that takes longer than `timeout_s` is killed. Raises as `open`.
        """
        async with self._room:
            if not self.is_usable:
                raise WorkerLost("the worker process is gone")
            answer: asyncio.Future[Any] = self._loop.create_future()
            self._answers.append((answer, on_part))
            try:
                self._pipe.send(request)
            except OSError:
                self.kill()
            try:
                async with asyncio.timeout(timeout_s):
                    return await asyncio.shield(answer)
            except TimeoutError:
                self.kill()
                raise WorkerLost(f"no answer within {timeout_s} s") from None

    def kill(self) -> None:
        """At once; whoever waits gets WorkerLost."""
        self._is_killed = True
        self._process.kill()

    async def leave(self) -> None:
        """Let it go once it has answered what it was asked; cancelled, at once."""
        try:
            for _ in range(_MAX_OUTSTANDING):
                await self._room.acquire()
        finally:
            await self.close()

    async def close(self) -> None:
        """Let it go; returns when the process has ended."""
        self._process.terminate()
        try:
            async with asyncio.timeout(2.0):
                await self.lost.wait()
        except TimeoutError:
            self.kill()
            await self.lost.wait()

    # -- in the reader thread --

    def _read(self) -> None:
        with contextlib.suppress(EOFError, OSError):
            while True:
                answer = self._pipe.recv()
                if isinstance(answer, Drawn):
                    self._tell(self._hand_on, (answer.index, self._pictures[answer.place].copy()))
                elif isinstance(answer, Moved):
                    self._tell(self._hand_on, answer)
                else:
                    self._tell(self._settle, answer)
        self._process.join(_JOIN_S)
        self._pipe.close()
        del self._pictures
        if self._memory:
            self._memory.close()
            self._memory.unlink()
        self._tell(self._give_up)

    def _tell(self, callback: Any, *args: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has closed before the worker did
            self._loop.call_soon_threadsafe(callback, *args)

    # -- back in the loop --

    def _hand_on(self, part: Any) -> None:
        if self._answers and (on_part := self._answers[0][1]):
            on_part(part)

    def _settle(self, answer: Any) -> None:
        if isinstance(answer, Ready):
            self.is_ready = True
            return
        waiting, _ = self._answers.popleft()
        if waiting.done():
            return
        if isinstance(answer, Failed):
            waiting.set_exception(RenderFailed(answer.message))
        else:
            waiting.set_result(answer)

    def _give_up(self) -> None:
        self.lost.set()
        while self._answers:
            waiting, _ = self._answers.popleft()
            if not waiting.done():
                waiting.set_exception(WorkerLost(f"the worker process {self.pid} ended"))
                waiting.exception()  # whoever waited may have left


class WorkerSource:
    """Starts worker processes, and keeps one spare whose models are loaded and warm. threads: of each."""

    def __init__(self, worker_class: str = REAL_WORKER, threads: int = 1) -> None:
        self._worker_class = worker_class
        self._threads = threads
        self._spare: WorkerProcess | None = None
        self._was_ready = False
        self._refills: set[asyncio.Task[None]] = set()
        self._closed = False

    def prepare(self) -> None:
        """Have a spare. Starting a process takes tens of milliseconds here, and seconds over there."""
        if self._spare is None or self._spare.lost.is_set():
            self._spare = WorkerProcess(self._worker_class, self._threads, asyncio.get_running_loop())

    @property
    def is_ready(self) -> bool:
        """Whether the first spare is warm, or has been when it was taken."""
        return self._was_ready or (self._spare is not None and self._spare.is_ready)

    def take(self) -> WorkerProcess:
        """A worker process; a new spare follows soon."""
        self.prepare()
        assert self._spare is not None
        self._was_ready = self.is_ready
        taken, self._spare = self._spare, None
        refill = asyncio.create_task(self._refill(), name="spare-worker")
        self._refills.add(refill)
        refill.add_done_callback(self._refills.discard)
        return taken

    async def _refill(self) -> None:
        await asyncio.sleep(_REFILL_S)
        if self._spare is None:
            spare = await in_thread(WorkerProcess, self._worker_class, self._threads, asyncio.get_running_loop())
            if self._spare or self._closed:
                await spare.close()
            else:
                self._spare = spare

    async def close(self) -> None:
        self._closed = True
        if self._spare:
            await self._spare.close()
        for refill in self._refills:
            refill.cancel()


class RenderPool:
    """The workers of one broadcast. Jobs of an old epoch are dropped, before and after they are rendered.

    Bounded: each worker takes two jobs at most, and whoever asks for one more waits.
    """

    def __init__(
        self,
        source: WorkerSource,
        avatar: Path,
        size: tuple[int, int],
        *,
        num_workers: int = 1,
        max_frames: int = 64,
        timeout_s: float = 10.0,
    ) -> None:
        self._source = source
        self._open_with = (avatar, size, max_frames)
        self._timeout_s = timeout_s
        self._num_workers = num_workers
        self._workers: list[WorkerProcess] = []
        self._changed = asyncio.Condition()
        self._standing_by: WorkerProcess | None = None
        self._closed = False
        self._watchers: list[asyncio.Task[None]] = []
        self.restarts = 0
        self.epoch = 0

    async def open(self) -> Picture:
        """Start the workers; the avatar at rest. Raises RenderFailed or WorkerLost."""
        first = self._source.take()
        self._workers.append(first)
        still = await first.open(*self._open_with)
        self._watch(first)
        for _ in range(self._num_workers - 1):
            self._watchers.append(asyncio.create_task(self._replace(), name="pool-start"))
        return still

    async def stand_by(self, avatar: Path) -> Picture:
        """Open another avatar in a spare worker, beside the work; the avatar at rest. It takes the place of one that stands by.

        Raises RenderFailed or WorkerLost.
        """
        worker = self._source.take()
        try:
            still = await worker.open(avatar, *self._open_with[1:])
        except BaseException:
            self._retire(worker)
            raise
        previous, self._standing_by, self._next_avatar = self._standing_by, worker, avatar
        if previous:
            self._retire(previous)
        return still

    def switch(self) -> None:
        """From the next job on, the avatar that stands by is drawn. What is being drawn comes back still."""
        assert self._standing_by, "no avatar stands by"
        retiring, self._workers = self._workers, [self._standing_by]
        self._open_with = (self._next_avatar, *self._open_with[1:])
        self._standing_by = None
        for worker in retiring:
            self._retire(worker)
        self._watch(self._workers[0])
        for _ in range(self._num_workers - 1):
            self._watchers.append(asyncio.create_task(self._replace(), name="pool-start"))

    def _retire(self, worker: WorkerProcess) -> None:
        self._watchers.append(asyncio.create_task(worker.leave(), name="pool-retire"))

    async def render(self, job: SubClipJob, on_motion: OnMotion, on_picture: OnPicture) -> SubClip:
        """Motion and pictures are handed on as they are drawn. Raises Superseded, RenderFailed or WorkerLost."""

        def hand_on(part: Any) -> None:
            if job.epoch < self.epoch:
                return
            if isinstance(part, Moved):
                on_motion(part.motion)
            else:
                on_picture(*part)

        clip = await self._ask(job, hand_on)
        assert isinstance(clip, SubClip)
        return clip

    async def blueprint(self, job: BlueprintJob) -> Blueprint:
        """Raises Superseded, RenderFailed or WorkerLost."""
        blueprint = await self._ask(job)
        assert isinstance(blueprint, Blueprint)
        return blueprint

    async def thumbnail(self, pose: Motion) -> bytes | None:
        """A small JPEG of a pose [64] by a worker that has nothing else to do; None where there is none. Raises as `render`."""
        idle = next((worker for worker in self._usable() if not worker.outstanding), None)
        return (await idle.ask(ThumbnailJob(pose), self._timeout_s) or None) if idle else None

    def supersede(self, epoch: int) -> None:
        """Jobs of older epochs are of no use any more."""
        self.epoch = max(self.epoch, epoch)

    async def close(self) -> None:
        """End the workers; returns when their processes have ended."""
        self._closed = True
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        standing_by = [self._standing_by] if self._standing_by else []
        await asyncio.gather(*(worker.close() for worker in self._workers + standing_by))
        self._workers.clear()

    async def _ask(self, job: SubClipJob | BlueprintJob, on_part: _OnPart | None = None) -> Any:
        async with self._changed:
            async with asyncio.timeout(self._timeout_s):
                await self._changed.wait_for(lambda: bool(self._usable()))
        if job.epoch < self.epoch:
            raise Superseded(f"epoch {job.epoch} is over, it is {self.epoch}")
        worker = min(self._usable(), key=lambda each: each.outstanding)
        answer = await worker.ask(job, self._timeout_s, on_part)
        if job.epoch < self.epoch:
            raise Superseded(f"epoch {job.epoch} is over, it is {self.epoch}")
        return answer

    def _usable(self) -> list[WorkerProcess]:
        return [worker for worker in self._workers if worker.is_usable]

    def _watch(self, worker: WorkerProcess) -> None:
        self._watchers = [task for task in self._watchers if not task.done()]
        self._watchers.append(asyncio.create_task(self._replace_when_lost(worker), name="pool-watch"))

    async def _replace_when_lost(self, worker: WorkerProcess) -> None:
        await worker.lost.wait()
        if worker not in self._workers:
            return  # another avatar is on air
        log.error("render worker %s was lost; starting another", worker.pid)
        self._workers.remove(worker)
        self.restarts += 1
        await self._replace()

    async def _replace(self) -> None:
        while not self._closed:
            worker, open_with = self._source.take(), self._open_with
            try:
                await worker.open(*open_with)
            except (WorkerLost, RenderFailed) as error:
                log.error("a render worker could not start: %s", error)
                await worker.close()
                await asyncio.sleep(1.0)
                continue
            except asyncio.CancelledError:
                await worker.close()
                raise
            if open_with != self._open_with:
                await worker.close()
                continue  # another avatar is on air meanwhile
            async with self._changed:
                self._workers.append(worker)
                self._changed.notify_all()
            return self._watch(worker)
