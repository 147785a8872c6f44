"""The host's voice as the cascade hears it: the last seconds of it, and whether anybody is speaking."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streamer.media import SampleRing
from streamer.plan import TIME_BASE_HZ, Pts

VOICE_RATE_HZ = 16_000
TICKS_PER_SAMPLE = TIME_BASE_HZ // VOICE_RATE_HZ

_BLOCK = VOICE_RATE_HZ // 50  # 20 ms
_SPEECH_ABOVE_FLOOR_DB = 12.0
_QUIETEST_FLOOR_DB = -70.0


class VoiceWindow:
    """A ring of the newest `capacity_s` seconds of 16 kHz mono voice, addressed by PTS.

    It never grows: what is older is forgotten, and reading it gives silence.
    """

    def __init__(self, capacity_s: float = 16.0) -> None:
        self._ring = SampleRing(int(capacity_s * VOICE_RATE_HZ))
        self._floor_db = -55.0

    @property
    def capacity_s(self) -> float:
        """How much of it is kept."""
        return self._ring.size / VOICE_RATE_HZ

    @property
    def end(self) -> Pts:
        """The PTS up to which the voice has arrived."""
        return Pts(self._ring.end * TICKS_PER_SAMPLE)

    def push(self, samples: NDArray[np.int16]) -> None:
        """Append int16 [n] right behind what came before."""
        if samples.dtype != np.int16 or samples.ndim != 1:
            raise ValueError(f"voice samples must be int16 [n], not {samples.dtype} {list(samples.shape)}")
        self._ring.push(samples)

    def silence(self, start: Pts) -> None:
        """What was pushed from `start` on becomes silence."""
        self._ring.silence(start // TICKS_PER_SAMPLE)

    def read(self, start: Pts, end: Pts) -> NDArray[np.int16]:
        """A copy of [start, end); silence where the voice has not arrived, is forgotten, or lies before PTS 0."""
        return self._ring.read(start // TICKS_PER_SAMPLE, end // TICKS_PER_SAMPLE)

    def level_db(self, span_s: float = 0.1) -> float:
        """RMS of the last `span_s`, in dB below full scale; -100 for digital silence."""
        return _rms_db(self.read(Pts(self.end - round(span_s * TIME_BASE_HZ)), self.end))

    def speaking(self) -> bool:
        """Whether the last 0.3 s stands clearly above the noise floor, which follows the quietest of the last 2 s."""
        recent = self.read(Pts(self.end - 2 * TIME_BASE_HZ), self.end)
        blocks = recent[: len(recent) // _BLOCK * _BLOCK].reshape(-1, _BLOCK)
        quiet_db = float(np.percentile([_rms_db(block) for block in blocks], 10))
        self._floor_db += 0.2 * (max(quiet_db, _QUIETEST_FLOOR_DB) - self._floor_db)
        return self.level_db(0.3) > min(self._floor_db, -35.0) + _SPEECH_ABOVE_FLOOR_DB


def _rms_db(samples: NDArray[np.int16]) -> float:
    if not len(samples):
        return -100.0
    mean_square = float(np.mean(np.square(samples.astype(np.float32) / 32768)))
    return max(-100.0, 10 * np.log10(mean_square + 1e-12))
