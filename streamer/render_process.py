"""What runs inside a worker process: it opens an avatar, then answers render and blueprint jobs one after the other.

Pictures go back through shared memory, each as it is drawn, everything else through the pipe. When the pipe closes, the
process leaves at once, whatever it is doing.
"""

from __future__ import annotations

import importlib
import os
import queue
import signal
import threading
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from engines.motion import Motion
from streamer.media import Picture
from streamer.plan import Blueprint, BlueprintJob, SubClip, SubClipJob

NUM_SLOTS = 2


class Worker(Protocol):
    """What a worker class offers; `streamer.render_worker.RenderWorker` is the one that is used on air."""

    name: str

    def warm(self) -> None: ...
    def open(self, avatar: Path, size: tuple[int, int]) -> Picture: ...
    def blueprint(self, job: BlueprintJob) -> Blueprint: ...
    def motion(self, jobs: list[SubClipJob]) -> list[Motion]: ...
    def pictures(self, job: SubClipJob, motion: Motion) -> Iterator[Picture]: ...
    def thumbnail(self, pose: Motion) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Open:
    """Draw this avatar (its folder) from now on, into a shared memory of `NUM_SLOTS` slots for `max_frames` pictures each."""

    avatar: Path
    width: int
    height: int
    memory: str
    max_frames: int

    def pictures_in(self, memory: SharedMemory) -> NDArray[np.uint8]:
        """The memory as pictures [n, height * 3 // 2, width]."""
        return np.ndarray((NUM_SLOTS * self.max_frames, self.height * 3 // 2, self.width), np.uint8, memory.buf)


class Ready:
    """The models are loaded and warm; an avatar may be opened."""


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """Ready; the avatar at rest, I420."""

    still: Picture


@dataclass(frozen=True, slots=True, eq=False)
class Moved:
    """The motion [n, 64] of the sub-clip whose pictures come next."""

    motion: Motion


@dataclass(frozen=True, slots=True)
class Drawn:
    """Frame `index` of the sub-clip that is being drawn lies at `place` in the shared memory, counted in pictures."""

    index: int
    place: int


@dataclass(frozen=True, slots=True, eq=False)
class ThumbnailJob:
    """A small JPEG of one pose [64]; answered with b"" while the worker cannot draw any yet."""

    pose: Motion


@dataclass(frozen=True, slots=True)
class Failed:
    """The job raised; the worker goes on."""

    message: str


def one_thread_for_numpy() -> None:
    """In processes started from now on. Between many small products OpenBLAS' second thread only spins: 60 % of a core."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def serve(pipe: Connection, worker_class: str, threads: int) -> None:
    """The process's main function. `worker_class` is ``module:Class``; its models are loaded before anything is asked."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's to handle
    os.nice(2)  # the server's own turns come first
    requests: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(pipe, requests), name="pipe-reader", daemon=True).start()
    module, _, name = worker_class.partition(":")
    worker: Worker = getattr(importlib.import_module(module), name)(threads=threads)
    worker.warm()
    pipe.send(Ready())
    opened: Open | None = None
    memory: SharedMemory | None = None
    slot = 0
    while True:
        request = requests.get()
        try:
            if isinstance(request, Open):
                memory, opened = SharedMemory(request.memory), request
                pipe.send(Opened(worker.open(request.avatar, (request.width, request.height))))
            elif opened is None or memory is None:
                pipe.send(Failed("no avatar has been opened yet"))
            elif isinstance(request, BlueprintJob):
                pipe.send(worker.blueprint(request))
            elif isinstance(request, ThumbnailJob):
                pipe.send(worker.thumbnail(request.pose))
            else:
                places = range(slot * opened.max_frames, (slot + 1) * opened.max_frames)
                pipe.send(_render(worker, request, pipe, opened.pictures_in(memory), places))
                slot = (slot + 1) % NUM_SLOTS
        except Exception as error:
            traceback.print_exc()
            pipe.send(Failed(f"{type(error).__name__}: {error}"))


def _render(worker: Worker, job: SubClipJob, pipe: Connection, memory: NDArray[np.uint8], places: range) -> SubClip:
    """Tell of each picture as soon as it lies in its place."""
    if job.num_frames > len(places):
        raise ValueError(f"a clip of {job.num_frames} frames does not fit into memory for {len(places)}")
    began_s = time.perf_counter()
    (motion,) = worker.motion([job])
    moved_s = time.perf_counter()
    pipe.send(Moved(motion))
    for index, picture in zip(job.drawn, worker.pictures(job, motion), strict=True):
        memory[places[index]] = picture
        pipe.send(Drawn(index, places[index]))
    drawn_s = time.perf_counter()
    return SubClip(job, motion, worker.name, motion_ms=(moved_s - began_s) * 1e3, decode_ms=(drawn_s - moved_s) * 1e3)


def _read(pipe: Connection, requests: queue.SimpleQueue[Any]) -> None:
    try:
        while True:
            requests.put(pipe.recv())
    except (EOFError, OSError):
        os._exit(0)
