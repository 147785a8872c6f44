"""Workers as actors of a Ray cluster. Placement and restarts are Ray's, and what workers give comes through its object store.

An actor that is killed, or whose node is, is started anew wherever there is room, and the call it had is made again: it costs
that call's time. The avatar travels with the actor, so nothing need be shared between the nodes but Rostrum itself.
"""

from __future__ import annotations

import importlib
import os
import tempfile
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from streamer.ray_cluster import connect
from streamer.worker_pool import PoolError, Start

_T = TypeVar("_T")

_ROOM_S = 120.0  # for all actors to be placed, their models loaded
_TRIES = 3  # of a call, whose workers die
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
            max_task_retries=_TRIES,
            scheduling_strategy="SPREAD",
            runtime_env={"env_vars": _ENVIRONMENT},
        )
        self._packed = [ray.put(files)]  # kept for as long as an actor may start anew
        self._actors = [actor.remote(avatar.name, self._packed, start, *arguments) for _ in range(num_workers)]
        self._out: Counter[int] = Counter()  # calls an actor has not answered, by its place
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
        place = min(range(len(self._actors)), key=lambda each: self._out[each])
        self._out[place] += 1
        answer: Future[_T] = self._actors[place].call.remote(work, arguments).future()
        answer.add_done_callback(lambda _: self._out.subtract([place]))
        return answer

    def shutdown(self) -> None:
        for actor in self._actors:
            self._ray.kill(actor)
        self._ray.shutdown()
