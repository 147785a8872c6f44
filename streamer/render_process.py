"""What runs inside a worker process: it holds avatars open, and carries out one job after the other.

Requests and answers carry a number, so that no answer can be taken for another's. Pictures go back through shared memory, each
as it is drawn, everything else through the pipe. When the pipe closes, the process leaves at once, whatever it is doing.
"""

from __future__ import annotations

import importlib
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from engines.backends.error import BackendError
from engines.motion import Motion
from streamer.media import Picture
from streamer.plan import Blueprint, BlueprintJob, Look, Stretch, SubClipJob

_T = TypeVar("_T")

_NICE = 2  # the server's own turns come first
_SWITCH_S = 0.0005  # an avatar that is opened beside the work would hold each picture up by dozens of Python's usual 5 ms
_GENTLY_NICE = 8  # and what is on air before what is to come


class Worker(Protocol):
    """What a worker class offers; `streamer.render_worker.RenderWorker` is the one that is used on air."""

    name: str

    def warm(self) -> None: ...
    def open(self, look: Look, shelf: Path | None = None) -> Picture: ...
    def forget(self, look: Look) -> None: ...
    def blueprint(self, job: BlueprintJob) -> Blueprint: ...
    def motion(self, jobs: list[SubClipJob]) -> list[Motion]: ...
    def pictures(self, look: Look, motion: Motion) -> Iterator[Picture]: ...
    def film(self, look: Look, stretch: Stretch, frames: Sequence[int]) -> Iterator[Picture]: ...
    def thumbnail(self, look: Look, pose: Motion) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Open:
    """Have this look ready, beside the other work; answered with the avatar at rest, I420."""

    look: Look
    gently: bool = False  # in time that nobody else wants


@dataclass(frozen=True, slots=True)
class Forget:
    """Nobody needs this look any more. Not answered."""

    look: Look


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """Draw motion [n, 64] into this shared memory, one picture after the other."""

    look: Look
    motion: Motion
    memory: str
    stretch: Stretch | None = None
    frames: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class ThumbnailJob:
    """A small JPEG of one pose [64]; answered with b"" while the worker cannot draw any yet."""

    look: Look
    pose: Motion


class Ready:
    """The models are loaded and warm."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """Picture `index` of the job lies in its place in the shared memory."""

    index: int


@dataclass(frozen=True, slots=True, eq=False)
class Done:
    """The end of a job: what it gives (nothing, where pictures were drawn), by whom; the time and processor time it took."""

    result: Any
    worker: str
    seconds: float
    cpu_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Failed:
    """The job raised; the worker goes on."""

    message: str


def pictures_in(memory: SharedMemory, num: int, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """The memory as pictures [num, height * 3 // 2, width]."""
    return np.ndarray((num, *shape), np.uint8, memory.buf)


def one_thread_for_numpy() -> None:
    """In processes started from now on. Between many small products OpenBLAS' second thread only spins: 60 % of a core."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def serve(
    pipe: Connection,
    worker_class: str,
    threads: int,
    options: Mapping[str, Any] | None = None,
    shelf: Path | None = None,
    gently: bool = False,
) -> None:
    """The process's main function. `worker_class` is ``module:Class``; its models are loaded before anything is asked.

    options: what it takes besides threads. shelf: a folder where workers leave opened looks for each other. gently: load in
    time that nobody else wants.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's to handle
    os.nice(_NICE)
    sys.setswitchinterval(_SWITCH_S)
    requests: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(pipe, requests), name="pipe-reader", daemon=True).start()
    try:
        worker = (
            _gently(_warm_worker, worker_class, threads, options) if gently else _warm_worker(worker_class, threads, options)
        )
    except (ValueError, ImportError, BackendError) as error:  # weights that do not fit, or run here: so would another try end
        traceback.print_exc()
        pipe.send((0, Ready()))  # to say so to whoever asks
        while True:
            number, _ = requests.get()
            pipe.send((number, Failed(str(error))))
    _Desk(worker, pipe, shelf).serve(requests)


def _warm_worker(worker_class: str, threads: int, options: Mapping[str, Any] | None) -> Worker:
    module, _, name = worker_class.partition(":")
    worker: Worker = getattr(importlib.import_module(module), name)(threads=threads, **(options or {}))
    worker.warm()
    return worker


def _gently(work: Callable[..., _T], *args: Any) -> _T:
    """What `work` returns or raises, done in a thread to which others come first: a thread cannot go back to its old place."""
    with ThreadPoolExecutor(1, initializer=come_last) as thread:
        return thread.submit(work, *args).result()


def come_last() -> None:
    """From now on this thread is run when nobody else wants to be; where the system has no such thing, it is run as ever."""
    if hasattr(os, "setpriority"):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _GENTLY_NICE)


class _Desk:
    """Takes requests and sends answers; two threads send, the one that works and one that opens."""

    def __init__(self, worker: Worker, pipe: Connection, shelf: Path | None) -> None:
        self._worker = worker
        self._pipe = pipe
        self._shelf = shelf
        self._sending = threading.Lock()
        self._memory: SharedMemory | None = None

    def serve(self, requests: queue.SimpleQueue[Any]) -> None:
        self._send(0, Ready())
        while True:
            number, request = requests.get()
            if isinstance(request, Open):
                threading.Thread(target=self._open, args=(number, request), name="opening", daemon=True).start()
            elif isinstance(request, Forget):
                self._worker.forget(request.look)
            else:
                self._answer(number, lambda: self._carry_out(number, request))  # noqa: B023, called at once

    def _open(self, number: int, request: Open) -> None:
        if request.gently:
            come_last()
        self._answer(number, lambda: self._worker.open(request.look, self._shelf))

    def _answer(self, number: int, work: Callable[[], Any]) -> None:
        began_s, began_cpu_s = time.perf_counter(), time.thread_time()
        try:
            result = work()
        except Exception as error:
            traceback.print_exc()
            self._send(number, Failed(f"{type(error).__name__}: {error}"))
        else:
            took_s = time.perf_counter() - began_s
            self._send(number, Done(result, self._worker.name, took_s, time.thread_time() - began_cpu_s))

    def _carry_out(self, number: int, request: SubClipJob | BlueprintJob | Draw | ThumbnailJob) -> Any:
        match request:
            case SubClipJob():
                return self._worker.motion([request])[0]
            case BlueprintJob():
                return self._worker.blueprint(request)
            case ThumbnailJob():
                return self._worker.thumbnail(request.look, request.pose)
            case Draw():
                pictures = pictures_in(self._attached(request.memory), len(request.motion), request.look.picture_shape)
                if request.stretch:
                    drawn = self._worker.film(request.look, request.stretch, request.frames)
                else:
                    drawn = self._worker.pictures(request.look, request.motion)
                for index, picture in enumerate(drawn):
                    pictures[index] = picture
                    self._send(number, Drawn(index))

    def _attached(self, name: str) -> SharedMemory:
        if self._memory is None or self._memory.name != name:
            if self._memory:
                self._memory.close()
            self._memory = SharedMemory(name)
        return self._memory

    def _send(self, number: int, answer: Any) -> None:
        with self._sending:
            self._pipe.send((number, answer))


def _read(pipe: Connection, requests: queue.SimpleQueue[Any]) -> None:
    try:
        while True:
            requests.put(pipe.recv())
    except (EOFError, OSError):
        os._exit(0)
