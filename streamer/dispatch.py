"""Which job is carried out next: the one that is due soonest, of the broadcasts that have not had more than their share."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Generic, Literal, TypeVar

_MEMORY_S = 2.0  # of what counts as had
_PER_BROADCAST = 64
_JOBS = 120  # of each kind, by which costs are known
_AND_PLANS = 1.15  # blueprints and thumbnails

Kind = Literal["motion", "picture"]

T = TypeVar("T")


class QueueFull(RuntimeError):
    """A broadcast has as many jobs waiting as may wait."""


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting(Generic[T]):
    broadcast: int
    due_s: float
    what: T


class Work:
    """How many workers each broadcast keeps busy, over the last seconds. Times in seconds, passed in."""

    def __init__(self) -> None:
        self._had: dict[int, tuple[float, float]] = {}  # worker seconds, faded; and when that was

    def note(self, broadcast: int, worked_s: float, now_s: float) -> None:
        self._had[broadcast] = self._faded(broadcast, now_s) + worked_s, now_s

    def forget(self, broadcast: int) -> None:
        self._had.pop(broadcast, None)

    def rate(self, broadcast: int, now_s: float) -> float:
        """In workers: 0.5 keeps one busy half of the time."""
        return self._faded(broadcast, now_s) / _MEMORY_S

    def total(self, now_s: float) -> float:
        """Of all broadcasts, in workers."""
        return sum(self.rate(broadcast, now_s) for broadcast in self._had)

    def _faded(self, broadcast: int, now_s: float) -> float:
        had_s, at_s = self._had.get(broadcast, (0.0, now_s))
        return had_s * math.exp((at_s - now_s) / _MEMORY_S)


class Costs:
    """What work has lately cost: processor seconds for a frame of motion, and for a million pixels drawn. Medians of jobs."""

    def __init__(self) -> None:
        self._of: dict[Kind, deque[float]] = {"motion": deque(maxlen=_JOBS), "picture": deque(maxlen=_JOBS)}

    def note(self, kind: Kind, cpu_s: float, amount: float) -> None:
        self._of[kind].append(cpu_s / amount)

    def of_broadcast(self, pixels: int, fps: int) -> float | None:
        """How many workers one keeps busy; None before enough jobs of both kinds have been done."""
        if any(len(costs) < _JOBS // 4 for costs in self._of.values()):
            return None
        motion, picture = (median(self._of[kind]) for kind in ("motion", "picture"))
        return _AND_PLANS * fps * (motion + picture * pixels / 1e6)


class DispatchQueue(Generic[T]):
    """Jobs that wait for a worker.

    A broadcast that has had more than its equal share of the workers comes after those that have not; among equals the soonest
    due comes first. While there is room for all, nobody waits, whatever share they take.

    Bounded: with 64 jobs of a broadcast waiting, another is refused.
    """

    def __init__(self, num_workers: int) -> None:
        self._num_workers = num_workers
        self._waiting: list[_Waiting[T]] = []
        self.work = Work()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, broadcast: int, due_s: float, what: T) -> None:
        """Raises QueueFull."""
        if sum(each.broadcast == broadcast for each in self._waiting) >= _PER_BROADCAST:
            raise QueueFull(f"{_PER_BROADCAST} jobs of this broadcast wait already")
        self._waiting.append(_Waiting(broadcast, due_s, what))

    def take(self, can_be_done: Callable[[T], bool], now_s: float) -> T | None:
        """The next job that can be done now."""
        able = [each for each in self._waiting if can_be_done(each.what)]
        if not able:
            return None
        fair = self._num_workers / len({each.broadcast for each in self._waiting})
        first = min(able, key=lambda each: (self.work.rate(each.broadcast, now_s) > fair, each.due_s))
        self._waiting.remove(first)
        return first.what

    def drop(self, unwanted: Callable[[T], bool]) -> list[T]:
        """Take out what nobody wants any more."""
        dropped = [each.what for each in self._waiting if unwanted(each.what)]
        self._waiting = [each for each in self._waiting if not unwanted(each.what)]
        return dropped
