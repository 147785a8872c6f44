"""One worker process, from the server's side. A thread reads its pipe and copies pictures; nothing blocks the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import multiprocessing
import os
import threading
from collections.abc import Callable, Mapping
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from streamer.media import Picture
from streamer.plan import BlueprintJob, Look, PictureJob, SubClipJob
from streamer.render_process import (
    Done,
    Draw,
    Drawn,
    Failed,
    Forget,
    Open,
    Ready,
    ThumbnailJob,
    one_thread_for_numpy,
    pictures_in,
    serve,
)
from streamer.starvation import Waits, starved_s, waits

_JOIN_S = 5.0
_UNTOLD = 4.0  # times as patient where the system does not tell who waits for a processor
_OPEN_S = 60.0  # more than any avatar takes

Job = SubClipJob | BlueprintJob | PictureJob | ThumbnailJob
OnPicture = Callable[[int, Picture], None]  # called with the number of a frame of the job, and its picture


class WorkerLost(RuntimeError):
    """The worker process died or hung with this job; it is being replaced."""


class RenderFailed(RuntimeError):
    """The worker raised over this job, and goes on."""


class PoolWorker(Protocol):
    """What the render pool asks of a worker; `WorkerProcess` says what each is."""

    ready: asyncio.Event
    lost: asyncio.Event

    @property
    def pid(self) -> int | None: ...
    async def open(self, look: Look, *, gently: bool) -> Picture: ...
    def forget(self, look: Look) -> None: ...
    async def ask(self, job: Job, timeout_s: float, on_picture: OnPicture | None = None) -> Done: ...
    def kill(self) -> None: ...
    async def close(self) -> None: ...


class WorkerProcess:
    """Carries out one job at a time; avatars are opened beside it. An answer with another's number ends the process."""

    def __init__(
        self,
        worker_class: str,
        threads: int,
        loop: asyncio.AbstractEventLoop,
        options: Mapping[str, Any] | None = None,
        *,
        shelf: Path | None = None,
        gently: bool = False,
    ) -> None:
        """options: what the class takes besides threads. shelf: where workers leave opened looks for each other. gently: get
        ready in time that nobody else wants."""
        self._loop = loop
        self._numbers = itertools.count(1)
        self._answers: dict[int, tuple[asyncio.Future[Done], OnPicture | None]] = {}
        self._memory: SharedMemory | None = None
        self._guard = threading.Lock()  # of pipe and memory, which the reader lets go of when the process has ended
        self._is_over = False
        self._pictures: NDArray[np.uint8] = np.zeros((0, 0, 0), np.uint8)  # the memory's, as the present job fills it
        self.ready = asyncio.Event()
        self.lost = asyncio.Event()
        one_thread_for_numpy()
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=serve, args=(theirs, worker_class, threads, options, shelf, gently), name="rostrum-worker", daemon=True
        )
        self._process.start()
        theirs.close()
        self._reader = threading.Thread(target=self._read, name=f"worker-{self._process.pid}", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int | None:
        return self._process.pid

    async def open(self, look: Look, *, gently: bool) -> Picture:
        """Have a look ready; the avatar at rest. gently: in time that nobody else wants. Raises RenderFailed or WorkerLost."""
        still: Picture = (await self._ask(Open(look, gently), _OPEN_S)).result
        return still

    def forget(self, look: Look) -> None:
        """It will not be asked for any more."""
        self._send(0, Forget(look))

    async def ask(self, job: Job, timeout_s: float, on_picture: OnPicture | None = None) -> Done:
        """One job and what came of it; `on_picture` gets each picture as it is drawn.

        A worker that takes longer than `timeout_s` is killed; while it waits for a processor, that time does not run. Raises
        as `open`.
        """
        if isinstance(job, PictureJob):
            draw = Draw(job.look, job.motion, self._room_for(job), job.stretch, job.frames)
            return await self._ask(draw, timeout_s, on_picture)
        return await self._ask(job, timeout_s)

    async def _ask(self, request: Any, timeout_s: float, on_picture: OnPicture | None = None) -> Done:
        if self.lost.is_set():
            raise WorkerLost("the worker process is gone")
        number = next(self._numbers)
        answer: asyncio.Future[Done] = self._loop.create_future()
        self._answers[number] = answer, on_picture
        self._send(number, request)
        if not await self._settles(answer, timeout_s):
            self.kill()
            raise WorkerLost(f"no answer within {timeout_s:g} s in which it could have worked")
        return answer.result()

    async def _settles(self, answer: asyncio.Future[Done], timeout_s: float) -> bool:
        """Whether it does within `timeout_s`. What a thread of the worker or of this process is starved does not count, nor by
        how much this loop is late itself.
        """
        left_s, look_s = timeout_s, timeout_s / 4
        before: Waits = {}
        while left_s > 0:
            began_s = self._loop.time()
            await asyncio.wait({answer}, timeout=look_s)
            if answer.done():
                return True
            after = waits(self.pid, os.getpid())
            took_s = min(look_s, self._loop.time() - began_s)
            left_s -= max(0.0, took_s - starved_s(before, after)) if before else took_s if after else took_s / _UNTOLD
            before = after
        return False

    def _send(self, number: int, request: Any) -> None:
        with self._guard:
            if not self._is_over:
                try:
                    self._pipe.send((number, request))
                except OSError:
                    self.kill()

    def kill(self) -> None:
        """At once; whoever waits gets WorkerLost."""
        self._process.kill()

    async def close(self) -> None:
        """Let it go; returns when the process has ended."""
        self._process.terminate()
        try:
            async with asyncio.timeout(2.0):
                await self.lost.wait()
        except TimeoutError:
            self.kill()
            await self.lost.wait()

    def _room_for(self, job: PictureJob) -> str:
        """The name of a memory that the job's pictures fit into."""
        num_bytes = len(job.motion) * int(np.prod(job.look.picture_shape))
        with self._guard:
            if self._is_over:
                raise WorkerLost("the worker process is gone")
            if self._memory is None or self._memory.size < num_bytes:
                self._let_go()
                self._memory = SharedMemory(create=True, size=num_bytes)
            self._pictures = pictures_in(self._memory, len(job.motion), job.look.picture_shape)
            return self._memory.name

    def _let_go(self) -> None:
        self._pictures = np.zeros((0, 0, 0), np.uint8)
        if self._memory:
            self._memory.close()
            self._memory.unlink()
            self._memory = None

    # -- in the reader thread --

    def _read(self) -> None:
        with contextlib.suppress(EOFError, OSError):
            while True:
                number, answer = self._pipe.recv()
                if isinstance(answer, Drawn):
                    self._tell(self._hand_on, number, answer.index, self._pictures[answer.index].copy())
                else:
                    self._tell(self._settle, number, answer)
        self._process.join(_JOIN_S)
        with self._guard:
            self._is_over = True
            self._pipe.close()
            self._let_go()
        self._tell(self._give_up)

    def _tell(self, callback: Any, *args: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has closed before the worker did
            self._loop.call_soon_threadsafe(callback, *args)

    # -- back in the loop --

    def _hand_on(self, number: int, index: int, picture: Picture) -> None:
        if (known := self._answers.get(number)) and known[1]:
            known[1](index, picture)

    def _settle(self, number: int, answer: Any) -> None:
        if isinstance(answer, Ready):
            return self.ready.set()
        if number not in self._answers:
            return self.kill()
        waiting, _ = self._answers.pop(number)
        if waiting.done():
            return
        if isinstance(answer, Failed):
            waiting.set_exception(RenderFailed(answer.message))
            waiting.exception()  # whoever waited may have left
        else:
            waiting.set_result(answer)

    def _give_up(self) -> None:
        self.lost.set()
        answers, self._answers = self._answers, {}
        for waiting, _ in answers.values():
            if not waiting.done():
                waiting.set_exception(WorkerLost(f"the worker process {self.pid} ended"))
                waiting.exception()  # whoever waited may have left
