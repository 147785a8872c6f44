"""How late a voice comes back: what was spoken set against what was heard, by cross-correlation."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from clients.python.sound import RATE_HZ, peak_db

_STEP = 6  # work at 8 kHz: 0.125 ms is exact enough
_WINDOW_S = 2.0
_LEAST_PEAK = 0.3


def voice_delays_ms(
    spoken: NDArray[np.int16],
    spoken_at: float,
    heard: Iterable[tuple[float, NDArray[np.int16]]],
    longest_s: float = 4.0,
) -> list[float]:
    """One delay for each two-second window of what was heard in which the voice is recognised.

    spoken: mono at 48 kHz, its first sample spoken at `spoken_at`. heard: (arrival, mono at 48 kHz), arrival being that of
    the last sample. Both times on one clock. Normalised correlation; windows of silence or another sound give nothing.
    """
    chunks = list(heard)
    if not chunks:
        return []
    source = _coarse(spoken)
    rate = RATE_HZ / _STEP
    window, delays = [], []
    length = 0
    for arrived_at, samples in chunks:
        window.append(samples)
        length += len(samples)
        if length < _WINDOW_S * RATE_HZ:
            continue
        piece = _coarse(np.concatenate(window))
        ended_s = arrived_at - spoken_at
        began_s = ended_s - length / RATE_HZ
        window, length = [], 0
        first = max(0, round((began_s - longest_s) * rate))
        span = source[first : max(first, round(ended_s * rate))]
        lag = _best_lag(span, piece)
        if lag is not None:
            delays.append(1000 * (began_s - (first + lag) / rate))
    return delays


def _coarse(sound: NDArray[np.int16]) -> NDArray[np.float64]:
    usable = sound[: len(sound) // _STEP * _STEP].astype(float)
    return usable.reshape(-1, _STEP).mean(1)


def _best_lag(span: NDArray[np.float64], piece: NDArray[np.float64]) -> int | None:
    """Where in `span` `piece` fits best; None where nothing fits."""
    if len(span) < len(piece) or peak_db(piece.astype(np.int16)) < -50:
        return None
    size = 1 << (len(span) + len(piece)).bit_length()
    product = np.fft.irfft(np.fft.rfft(span, size) * np.conj(np.fft.rfft(piece, size)), size)[: len(span) - len(piece) + 1]
    energy = _running_energy(span, len(piece))
    score = product / np.sqrt(np.maximum(energy, 1e-9) * (piece**2).sum())
    best = int(score.argmax())
    return best if score[best] > _LEAST_PEAK else None


def _running_energy(span: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    total = np.concatenate([[0.0], np.cumsum(span**2)])
    return total[length:] - total[:-length]
