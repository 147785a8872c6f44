"""A voice cut into utterances where it pauses, while it goes on."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engines.voice_activity import CHUNK
from streamer.features import TICKS_PER_SAMPLE
from streamer.plan import Pts

CHUNK_TICKS = CHUNK * TICKS_PER_SAMPLE  # 32 ms
_SPEECH = 0.5
_LEAD = 8  # chunks kept before speech begins, and after it ends
_PAUSE = 16  # chunks of silence that end an utterance
_LONGEST = 280  # chunks: 9 s
_LOOK_BACK = 60  # chunks within which one that is too long is cut, where speech is least likely
_NEWS = 16  # chunks of speech worth another look at an utterance that goes on
_WAITING = 3


@dataclass(frozen=True, slots=True)
class Utterance:
    """The voice [start, end). `is_over`: nothing more will come to it."""

    start: Pts
    end: Pts
    is_over: bool


class Utterances:
    """Speech probabilities in, utterances to write down out. Of those that wait, only the newest three are kept."""

    def __init__(self) -> None:
        self._probabilities: deque[float] = deque(maxlen=_LOOK_BACK)
        self._now = 0  # chunks heard
        self._first: int | None = None
        self._last = 0  # chunk with speech
        self._looked = 0
        self._over: deque[Utterance] = deque(maxlen=_WAITING)
        self.dropped = 0  # utterances that nobody came to write down

    def push(self, probabilities: NDArray[np.float32]) -> None:
        """[n], one for every 32 ms, right behind those before."""
        for probability in probabilities.tolist():
            self._probabilities.append(probability)
            self._now += 1
            if probability >= _SPEECH:
                if self._first is None:
                    self._first = self._looked = max(self._last, self._now - 1 - _LEAD)
                self._last = self._now
            elif self._first is not None and self._now - self._last >= _PAUSE:
                self._finish(self._last + _LEAD)
                self._first = None
            if self._first is not None and self._now - self._first >= _LONGEST:
                quietest = int(np.argmin(self._probabilities))
                cut = self._now - len(self._probabilities) + quietest + 1
                self._finish(cut)
                self._first = self._looked = cut

    def next(self) -> Utterance | None:
        """What is to be written down now; each that is over once, the one that goes on whenever enough has come to it."""
        if self._over:
            return self._over.popleft()
        if self._first is None or self._last - self._looked < _NEWS:
            return None
        self._looked = self._last
        return self._utterance(self._now, is_over=False)

    def _finish(self, end: int) -> None:
        self.dropped += len(self._over) == self._over.maxlen
        self._over.append(self._utterance(end, is_over=True))
        self._last = max(self._last, end)

    def _utterance(self, end: int, *, is_over: bool) -> Utterance:
        assert self._first is not None
        return Utterance(Pts(self._first * CHUNK_TICKS), Pts(end * CHUNK_TICKS), is_over)
