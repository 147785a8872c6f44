"""A live worker that is an actor of a Ray cluster, as the render pool knows workers. Where it runs is Ray's to say.

One that dies is noticed at once and replaced by the pool, which asks Ray for another; it costs the job it had. Pictures come
through Ray's object store, a few a call, so that the first are on air before the last are drawn.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import os
import tempfile
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np

from engines.motion import Motion
from streamer.media import Picture
from streamer.plan import BlueprintJob, Look, PictureJob, SubClipJob
from streamer.ray_cluster import connect
from streamer.render_process import Done
from streamer.worker_process import Job, OnPicture, RenderFailed, WorkerLost

_OPEN_S = 60.0  # more than any avatar takes
_PICTURES_A_CALL = 3
_GROUPS = {"work": 1, "open": 1, "watch": 1}  # avatars are opened beside the work


class LiveActor:
    """What runs in the actor's process. `worker_class` is ``module:Class``; its models are loaded before anything is asked."""

    def __init__(self, worker_class: str, threads: int) -> None:
        module, _, name = worker_class.partition(":")
        self._worker = getattr(importlib.import_module(module), name)(threads=threads)
        self._worker.warm()
        self._folder = tempfile.TemporaryDirectory(prefix="rostrum-")
        self._looks: dict[Look, Look] = {}  # as the server names them, as they lie here

    def pid(self) -> int:
        return os.getpid()

    def live(self) -> None:
        """Never comes back: whoever waits for it hears of the actor's death."""
        threading.Event().wait()

    def open(self, look: Look, files: dict[str, bytes]) -> Picture:
        avatar = Path(self._folder.name) / f"{len(self._looks)}" / look.avatar.name
        avatar.mkdir(parents=True, exist_ok=True)
        for file, content in files.items():
            (avatar / file).write_bytes(content)
        here = Look(avatar, look.width, look.height)
        still: Picture = self._worker.open(here)
        self._looks[look] = here
        return still

    def forget(self, look: Look) -> None:
        if here := self._looks.pop(look, None):
            self._worker.forget(here)

    def motion(self, job: SubClipJob) -> tuple[Motion, str]:
        return self._worker.motion([job])[0], self._worker.name

    def blueprint(self, job: BlueprintJob) -> tuple[Any, str]:
        return self._worker.blueprint(job), self._worker.name

    def thumbnail(self, look: Look, pose: Motion) -> tuple[bytes, str]:
        return self._worker.thumbnail(self._looks[look], pose), self._worker.name

    def pictures(self, look: Look, motion: Motion) -> list[Picture]:
        """motion [n, 64]."""
        return [np.array(picture) for picture in self._worker.pictures(self._looks[look], motion)]


class RayWorker:
    """One actor, from the server's side. It offers what `WorkerProcess` does."""

    def __init__(self, worker_class: str, threads: int, loop: asyncio.AbstractEventLoop) -> None:
        self._ray = importlib.import_module("ray")
        self.pid: int | None = None
        self.ready = asyncio.Event()
        self.lost = asyncio.Event()
        actor = self._ray.remote(concurrency_groups=_GROUPS)(LiveActor).options(
            num_cpus=1, max_restarts=0, scheduling_strategy="SPREAD", runtime_env={"env_vars": {"OPENBLAS_NUM_THREADS": "1"}}
        )
        self._actor = actor.remote(worker_class, threads)
        self._watching: asyncio.Task[None] | None = None
        loop.call_soon_threadsafe(self._watch, loop)

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        self._watching = loop.create_task(self._live(), name="ray-worker")

    async def _live(self) -> None:
        with contextlib.suppress(self._ray.exceptions.RayError):
            self.pid = await self._in("work", "pid")
            self.ready.set()
            await self._in("watch", "live")
        self.lost.set()

    async def open(self, look: Look) -> Picture:
        """Have a look ready; the avatar at rest. Raises RenderFailed or WorkerLost."""
        files = {path.name: path.read_bytes() for path in look.avatar.iterdir() if path.is_file()}
        still: Picture = await self._answer(self._in("open", "open", look, files), _OPEN_S)
        return still

    def forget(self, look: Look) -> None:
        """It will not be asked for any more."""
        self._in("open", "forget", look)

    async def ask(self, job: Job, timeout_s: float, on_picture: OnPicture | None = None) -> Done:
        """One job and what came of it; `on_picture` gets each picture as it is drawn. Raises as `open`."""
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        if isinstance(job, PictureJob):
            firsts = range(0, len(job.motion), _PICTURES_A_CALL)
            coming = [self._in("work", "pictures", job.look, job.motion[i : i + _PICTURES_A_CALL]) for i in firsts]
            for first, drawn in zip(firsts, coming, strict=True):
                for i, picture in enumerate(await self._answer(drawn, timeout_s), first):
                    if on_picture:
                        on_picture(i, picture)
            return Done(None, f"ray@{self.pid}", loop.time() - began_s)
        if isinstance(job, SubClipJob | BlueprintJob):
            call = self._in("work", "motion" if isinstance(job, SubClipJob) else "blueprint", job)
        else:
            call = self._in("work", "thumbnail", job.look, job.pose)
        result, worker = await self._answer(call, timeout_s)
        return Done(result, worker, loop.time() - began_s)

    def _in(self, group: str, method: str, *arguments: Any) -> Any:
        """A call of the actor's; a reference to its answer."""
        return getattr(self._actor, method).options(concurrency_group=group).remote(*arguments)

    async def _answer(self, reference: Awaitable[Any], timeout_s: float) -> Any:
        if self.lost.is_set():
            raise WorkerLost("the Ray actor is gone")
        try:
            async with asyncio.timeout(timeout_s):
                return await reference
        except TimeoutError:
            self.kill()
            raise WorkerLost(f"no answer within {timeout_s} s") from None
        except self._ray.exceptions.RayTaskError as error:
            cause = error.cause or error
            raise RenderFailed(f"{type(cause).__name__}: {cause}") from None
        except self._ray.exceptions.RayError as error:
            self.lost.set()
            raise WorkerLost(f"the Ray actor {self.pid} is lost: {type(error).__name__}") from None

    def kill(self) -> None:
        """At once; whoever waits gets WorkerLost."""
        self._ray.kill(self._actor)
        self.lost.set()

    async def close(self) -> None:
        """Let it go."""
        self.kill()
        if self._watching:
            await asyncio.gather(self._watching, return_exceptions=True)


def starter(where: str, worker_class: str, threads: int, num_workers: int) -> Callable[[asyncio.AbstractEventLoop], RayWorker]:
    """What makes a worker, on the cluster that `where` names (`ray_cluster.connect`). Raises PoolError."""
    connect(where, num_workers + 1)  # a spare stands by
    return lambda loop: RayWorker(worker_class, threads, loop)
