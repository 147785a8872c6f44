"""Degrade by deadline: how much work a sub-clip is given while the machine cannot keep up, and its way back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from streamer.plan import FULL_STEPS

EffortName = Literal["full", "fewer_steps", "half_rate"]

_MEMORY = 0.2  # of the newest sub-clip in the load
_TOO_MUCH = 0.85  # of the workers' time
_EASY = 0.4  # a step up about doubles the load
_SETTLE_CLIPS = 6  # after a change, before another
_CALM_CLIPS = 24  # in a row, before a step up


@dataclass(frozen=True, slots=True)
class Level:
    """num_steps: of the transformer. draw_every: of the pictures."""

    name: EffortName
    num_steps: int
    draw_every: int


LEVELS = (Level("full", FULL_STEPS, 1), Level("fewer_steps", 2, 1), Level("half_rate", 2, 2))


class Effort:
    """Steps down while drawing takes most of what the workers can give, and up again after some seconds of ease."""

    def __init__(self) -> None:
        self._index = 0
        self._load = 0.0
        self._settled_clips = 0
        self._calm_clips = 0

    @property
    def level(self) -> Level:
        return LEVELS[self._index]

    def note(self, load: float) -> bool:
        """A sub-clip was drawn while this share of all workers was taken. True where the level is another from now on."""
        self._load += _MEMORY * (load - self._load)
        self._settled_clips += 1
        self._calm_clips = self._calm_clips + 1 if self._load < _EASY else 0
        if self._settled_clips < _SETTLE_CLIPS:
            return False
        if self._load > _TOO_MUCH and self._index < len(LEVELS) - 1:
            return self._change(1)
        if self._calm_clips >= _CALM_CLIPS and self._index:
            return self._change(-1)
        return False

    def _change(self, by: int) -> bool:
        self._index += by
        self._settled_clips = self._calm_clips = 0
        return True
