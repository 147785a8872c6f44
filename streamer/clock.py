"""The only place that reads wall time. Everything else is handed a `Clock` or a PTS."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Seconds on a steady clock of unknown origin; only differences mean anything."""

    def now_s(self) -> float: ...


class SystemClock:
    """The machine's monotonic clock."""

    def now_s(self) -> float:
        return time.monotonic()


class ManualClock:
    """A clock that a test or an accelerated run moves by hand."""

    def __init__(self, start_s: float = 0.0) -> None:
        self._now_s = start_s

    def now_s(self) -> float:
        return self._now_s

    def advance(self, seconds: float) -> None:
        if seconds < 0:
            raise ValueError("a clock does not run backwards")
        self._now_s += seconds
