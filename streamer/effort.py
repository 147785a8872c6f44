"""Degrade by deadline: how much work a sub-clip is given while the machine cannot keep up, and its way back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from streamer.plan import FULL_STEPS

EffortName = Literal["full", "fewer_steps", "half_rate", "third_rate"]

_MEMORY = 0.2  # of the newest sub-clip in what is measured
_TOO_MUCH = 0.85  # of the workers' time
_SLOW_S = 0.4  # from a sub-clip's voice being there to its first picture: the queue grows
_TAKEN = 0.5  # of the workers' time, from which slowness comes of too much work
_ROOM = 0.8  # of the workers' time, which a step up may come to
_SETTLE_S, _URGENT_S = 2.4, 1.2  # of sub-clips after a change, before another; the latter where they come slowly
_CALM_S = 5.0  # of sub-clips at ease, before a step up
_LONGEST_CALM_S = 60.0
_TRIED_S = 15.0  # a step up that has held for so long was right


@dataclass(frozen=True, slots=True)
class Level:
    """num_steps: of the transformer. draw_every: of the
    pictures. num_segments: in one sub-clip; fewer sub-clips cost less.

    dearer: how many times as much work the level above is.
    """

    name: EffortName
    num_steps: int
    draw_every: int
    num_segments: int
    dearer: float


LEVELS = (
    Level("full", FULL_STEPS, 1, 1, 1.0),
    Level("fewer_steps", 2, 1, 1, 1.15),
    Level("half_rate", 2, 2, 2, 2.0),
    Level("third_rate", 2, 3, 2, 1.4),
)


class Turns:
    """Of broadcasts that share workers one at a time steps up, and the next one sees what came of it. Times in seconds."""

    def __init__(self) -> None:
        self._changed_s = -_CALM_S

    def note_change(self, now_s: float) -> None:
        self._changed_s = now_s

    def may_rise(self, now_s: float) -> bool:
        return now_s - self._changed_s >= _CALM_S


class Effort:
    """Steps down while drawing takes most of what the workers can give, or waits for them; up again after some seconds of ease.

    A step up that has to be taken back is tried again after twice the time.
    """

    def __init__(self) -> None:
        self._index = 0
        self._load = self._own = 0.0
        self._wait_s = 0.0
        self._settled_s = 0.0  # lengths of the sub-clips since the last change
        self._calm_s = 0.0
        self._wanted_calm_s = _CALM_S
        self._is_trying = False

    @property
    def level(self) -> Level:
        return LEVELS[self._index]

    def note(self, load: float, own: float, wait_s: float, length_s: float, may_rise: bool = True) -> bool:
        """A sub-clip was drawn while this share of all workers was taken. True where the level is another from now on.

        own: the broadcast's part of that. wait_s: from all of its voice being there to its first picture. length_s: of the
        sub-clip. may_rise: whether it is its turn (`Turns`).
        """
        self._load += _MEMORY * (load - self._load)
        self._own += _MEMORY * (own - self._own)
        self._wait_s += _MEMORY * (wait_s - self._wait_s)
        self._settled_s += length_s
        is_calm = self._load + self._own * (self.level.dearer - 1) < _ROOM and self._wait_s < _SLOW_S
        self._calm_s = self._calm_s + length_s if is_calm else 0.0
        if self._is_trying and self._settled_s > _TRIED_S:
            self._is_trying, self._wanted_calm_s = False, _CALM_S
        is_slow = self._load > _TAKEN and self._wait_s > _SLOW_S
        if self._settled_s < (_URGENT_S if is_slow else _SETTLE_S):
            return False
        is_too_much = is_slow or self._load > _TOO_MUCH
        if is_too_much and self._index < len(LEVELS) - 1:
            if self._is_trying:
                self._wanted_calm_s = min(_LONGEST_CALM_S, 2 * self._wanted_calm_s)
            return self._change(1)
        if self._calm_s >= self._wanted_calm_s and self._index and may_rise:
            return self._change(-1)
        return False

    def _change(self, by: int) -> bool:
        self._index += by
        self._settled_s = self._calm_s = 0.0
        self._is_trying = by < 0
        return True
