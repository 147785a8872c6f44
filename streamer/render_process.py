"""What runs inside a worker process: it opens one avatar, then answers render and blueprint jobs one after the other.

Frames go back through shared memory, everything else through the pipe. When the pipe closes, the process leaves at once,
whatever it is doing.
"""

from __future__ import annotations

import importlib
import os
import queue
import signal
import threading
import traceback
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from engines.motion import Motion, rest
from streamer.plan import Blueprint, BlueprintJob, SubClip, SubClipJob

NUM_SLOTS = 2


class Worker(Protocol):
    """What a worker class offers; `streamer.render_worker.RenderWorker` is the one that is used on air."""

    def warm(self) -> None: ...
    def render(self, job: SubClipJob) -> SubClip: ...
    def blueprint(self, job: BlueprintJob) -> Blueprint: ...
    def decode(self, motion: Motion) -> NDArray[np.uint8]: ...
    def thumbnail(self, pose: Motion) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Open:
    """Draw this avatar (its folder) from now on, into a shared memory of `NUM_SLOTS` slots of `slot_bytes`."""

    avatar: Path
    width: int
    height: int
    threads: int
    memory: str
    slot_bytes: int


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """Ready; the avatar at rest, I420."""

    still: NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Rendered:
    """`clip` with its frames left out: they lie in a slot, uint8 of this shape."""

    clip: SubClip
    slot: int
    shape: tuple[int, ...]


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


def serve(pipe: Connection, worker_class: str) -> None:
    """The process's main function. `worker_class` is ``module:Class``; its module is imported before anything is asked."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's to handle
    os.nice(2)  # the server's own turns come first
    module, _, name = worker_class.partition(":")
    make = getattr(importlib.import_module(module), name)
    requests: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(pipe, requests), name="pipe-reader", daemon=True).start()
    worker: Worker | None = None
    memory: SharedMemory | None = None
    slot, slot_bytes = 0, 0
    while True:
        request = requests.get()
        try:
            if isinstance(request, Open):
                memory, slot_bytes = SharedMemory(request.memory), request.slot_bytes
                worker = make(request.avatar, (request.width, request.height), threads=request.threads)
                worker.warm()
                pipe.send(Opened(worker.decode(rest(1))[0]))
            elif worker is None or memory is None:
                pipe.send(Failed("no avatar has been opened yet"))
            elif isinstance(request, BlueprintJob):
                pipe.send(worker.blueprint(request))
            elif isinstance(request, ThumbnailJob):
                pipe.send(worker.thumbnail(request.pose))
            else:
                clip = worker.render(request)
                pipe.send(_put(clip, memory, slot, slot_bytes))
                slot = (slot + 1) % NUM_SLOTS
        except Exception as error:
            traceback.print_exc()
            pipe.send(Failed(f"{type(error).__name__}: {error}"))


def _put(clip: SubClip, memory: SharedMemory, slot: int, slot_bytes: int) -> Rendered:
    frames = np.ascontiguousarray(clip.frames)
    if frames.nbytes > slot_bytes:
        raise ValueError(f"a clip of {len(frames)} frames does not fit into {slot_bytes} bytes of shared memory")
    np.ndarray(frames.shape, np.uint8, memory.buf, slot * slot_bytes)[...] = frames
    return Rendered(replace(clip, frames=np.zeros((0, *frames.shape[1:]), np.uint8)), slot, frames.shape)


def _read(pipe: Connection, requests: queue.SimpleQueue[Any]) -> None:
    try:
        while True:
            requests.put(pipe.recv())
    except (EOFError, OSError):
        os._exit(0)
