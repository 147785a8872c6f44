"""Workers as actors of a Ray cluster. Placement and restarts are Ray's, and what workers give comes through its object store.

An actor that is killed, or whose node is, is started anew where there is room, or when there is; the calls that it had are made
again by those that are left: it costs their time. The avatar travels with the actor, so nothing need be shared between the
nodes but Rostrum itself.
"""

from __future__ import annotations

import importlib
import logging
import os
import tempfile
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from streamer.ray_cluster import connect
from streamer.worker_pool import PoolError, Start

_T = TypeVar("_T")

log = logging.getLogger(__name__)

_ROOM_S = 120.0  # for all actors to be placed, their models loaded
_TRIES = 4  # of a call, whose workers die
_KNOCKS_EVERY_S = 2.0  # whether an actor that was lost is there again
_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


class WorkerActor:
    """What runs in an actor's process: it unpacks the avatar, makes its worker ready, then answers one call after the other."""

    def __init__(self, name: str, packed: list[Any], start: Start, *arguments: Any) -> None:
        """packed: a reference to the avatar's files, in a list, so that it is looked up again when the actor starts anew."""
        self._folder = tempfile.TemporaryDirectory(prefix="rostrum-")
        avatar = Path(self._folder.name) / name
        avatar.mkdir()
        for file, content in importlib.import_module("ray").get(packed[0]).items():
            (avatar / file).write_bytes(content)
        start(avatar, *arguments)

    def pid(self) -> int:
        """Of its process; answered once it is ready."""
        return os.getpid()

    def call(self, work: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        return work(*arguments)


class RayPool:
    """`where`: as `pool_of` takes it. One core for each worker. Raises PoolError."""

    def __init__(self, where: str, num_workers: int, avatar: Path, start: Start, *arguments: Any) -> None:
        self._ray = ray = connect(where, num_workers)
        files = {path.name: path.read_bytes() for path in avatar.iterdir() if path.is_file()}
        actor = ray.remote(WorkerActor).options(
            num_cpus=1,
            max_restarts=-1,
            scheduling_strategy="SPREAD",
            runtime_env={"env_vars": _ENVIRONMENT},
        )
        self._packed = [ray.put(files)]  # kept for as long as an actor may start anew
        self._actors = [actor.remote(avatar.name, self._packed, start, *arguments) for _ in range(num_workers)]
        self._losses = (ray.exceptions.RayActorError, ray.exceptions.ObjectLostError)
        self._out: Counter[int] = Counter()  # calls an actor has not answered, by its place
        self._lost: set[int] = set()  # places of actors that are to answer again before they are asked
        self._lock = threading.Lock()  # of both
        self._is_over = threading.Event()
        self._again = ThreadPoolExecutor(1, thread_name_prefix="ray-again")  # asks, as Ray's own threads must not
        try:
            self.pids = ray.get([each.pid.remote() for each in self._actors], timeout=_ROOM_S)
        except ray.exceptions.GetTimeoutError:
            self.shutdown()
            has = ray.cluster_resources().get("CPU", 0) if ray.is_initialized() else 0
            text = f"{num_workers} workers found no room within {_ROOM_S:.0f} s; the cluster has {has:.0f} cores in all"
            raise PoolError(f"--pool {where}: {text}; take fewer --workers, or add nodes") from None
        except ray.exceptions.RayError as error:
            self.shutdown()
            raise PoolError(f"--pool {where}: a worker could not start, is Rostrum installed on every node? {error}") from None

    def submit(self, work: Callable[..., _T], *arguments: Any) -> Future[_T]:
        """By the actor that has the least to do."""
        answer: Future[_T] = Future()
        answer.set_running_or_notify_cancel()
        self._ask(answer, work, arguments, _TRIES)
        return answer

    def _ask(self, answer: Future[_T], work: Callable[..., _T], arguments: tuple[Any, ...], tries: int) -> None:
        everywhere = range(len(self._actors))
        with self._lock:
            here = [each for each in everywhere if each not in self._lost]
            place = min(here or everywhere, key=lambda each: self._out[each])
            self._out[place] += 1
        retries = 0 if here else _TRIES  # with nobody left, by Ray: it waits until one is there
        call = self._actors[place].call.options(max_task_retries=retries)

        def answered(done: Future[_T]) -> None:
            with self._lock:
                self._out[place] -= 1
            error = done.exception()
            if isinstance(error, self._losses) and tries > 1 and not self._is_over.is_set():
                self._again.submit(self._lose, place)
                self._again.submit(self._ask, answer, work, arguments, tries - 1)
            elif error:
                answer.set_exception(error)
            else:
                answer.set_result(done.result())

        call.remote(work, arguments).future().add_done_callback(answered)

    def _lose(self, place: int) -> None:
        """Nothing more for this actor until it answers again."""
        with self._lock:
            if place in self._lost:
                return
            self._lost.add(place)
            left = len(self._actors) - len(self._lost)
        log.warning(
            "a worker on Ray is lost, %d of %d are left; Ray starts another where there is room", left, len(self._actors)
        )
        threading.Thread(target=self._wait_for, args=(place,), name="ray-lost", daemon=True).start()

    def _wait_for(self, place: int) -> None:
        while not self._is_over.wait(_KNOCKS_EVERY_S):
            try:
                self._ray.get(self._actors[place].pid.remote(), timeout=_ROOM_S)
            except self._ray.exceptions.RayError:  # GetTimeoutError is one too
                continue
            with self._lock:
                self._lost.discard(place)
            log.warning("a worker on Ray is there again")
            return

    def shutdown(self) -> None:
        self._is_over.set()
        self._again.shutdown(wait=False, cancel_futures=True)
        for actor in self._actors:
            self._ray.kill(actor)
        self._ray.shutdown()
