"""Where the workers of an offline render run: processes of this machine, or actors of a Ray cluster. Both take the same calls.

A call is a module-level function and its arguments; it runs in one worker, which `start(folder, *arguments)` has made ready.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import Any, Protocol, TypeVar

from streamer.render_process import one_thread_for_numpy

_T = TypeVar("_T")

Start = Callable[..., None]


class PoolError(RuntimeError):
    """There are no workers where they were asked for; the message says why, and the way out."""


class WorkerPool(Protocol):
    """What a pool offers. A worker that dies is replaced, and costs the call it had at most."""

    def submit(self, work: Callable[..., _T], *arguments: Any) -> Future[_T]: ...
    def shutdown(self) -> None: ...


class LocalPool:
    """Processes of this machine. Without restarts: one that dies ends the render (BrokenProcessPool)."""

    def __init__(self, num_workers: int, avatar: Path, start: Start, *arguments: Any) -> None:
        one_thread_for_numpy()
        self._processes = ProcessPoolExecutor(
            num_workers,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=start,
            initargs=(avatar, *arguments),
        )
        for _ in range(num_workers):  # a process starts when there is work: so that none is waited for later
            self._processes.submit(_nothing)

    def submit(self, work: Callable[..., _T], *arguments: Any) -> Future[_T]:
        return self._processes.submit(work, *arguments)

    def shutdown(self) -> None:
        self._processes.shutdown(cancel_futures=True)


def _nothing() -> None:
    """What a process that has just started does."""


def is_ray(where: str) -> bool:
    """Whether workers are asked for on Ray. Raises PoolError for what is no place."""
    if where not in ("local", "ray", "ray:auto") and not where.startswith("ray://"):
        raise PoolError(f"--pool {where}: take local, ray, ray:auto, or ray://HOST:10001")
    return where != "local"


def pool_of(where: str, num_workers: int, avatar: Path, start: Start, *arguments: Any) -> WorkerPool:
    """where: `local`, or what `streamer.ray_cluster.connect` takes. Raises PoolError."""
    if is_ray(where):
        from streamer.ray_pool import RayPool

        return RayPool(where, num_workers, avatar, start, *arguments)
    return LocalPool(num_workers, avatar, start, *arguments)
