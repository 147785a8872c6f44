"""What is heard in a clip: how much of it is speech, whether music runs under it, how far the voice stands above the rest.

speech: share of the time that Silero's detector hears a voice. music: continuous frequency activation (Seyerlehner et al.
2007): tones of music stay where they are while a voice's glide, so a spectrum's peaks that last mark music, under
speech as well. snr_db: loudness of what is speech over what is not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engines.voice_activity import CHUNK, VoiceActivity

_WINDOW, _HOP = 1024, 256  # samples: 15.6 Hz apart, 16 ms apart
_NEIGHBOURHOOD = 21  # bins that a peak stands out from
_STANDS_OUT_DB = 6.0
_BLOCK = 100  # spectra: 1.6 s
_BINS = slice(6, 320)  # 100 Hz to 5 kHz
_PEAKS = 5
_FLOOR_DB = -75.0


@dataclass(frozen=True, slots=True)
class Sound:
    """speech: 0–1. music: 0 (none) to about 3. snr_db: up to 60. level_db: of the loud part, full scale is 0."""

    speech: float
    music: float
    snr_db: float
    level_db: float


SILENCE = Sound(0.0, 0.0, 0.0, -100.0)


def measure(audio: NDArray[np.int16]) -> Sound:
    """int16 [n] at 16 kHz."""
    if len(audio) < 4 * CHUNK:
        return SILENCE
    speaking = VoiceActivity().push(np.concatenate([audio, np.zeros(CHUNK, np.int16)]))
    chunks = audio[: len(audio) // CHUNK * CHUNK].astype(np.float64).reshape(-1, CHUNK) / 32768
    power = 10 * np.log10((chunks**2).mean(axis=1) + 1e-10)
    voice = speaking[: len(power)] > 0.5
    level = float(np.percentile(power, 95))
    loud = float(np.percentile(power[voice], 75)) if voice.any() else level
    quiet = power[~voice] if (~voice).sum() >= 5 else np.sort(power)[: max(1, len(power) // 20)]
    floor = max(_FLOOR_DB, float(np.percentile(quiet, 25)))
    return Sound(float(voice.mean()), music(audio), max(0.0, min(60.0, loud - floor)), level)


def music(audio: NDArray[np.int16]) -> float:
    """How sharply lasting tones stand out, the median over blocks of 1.6 s: speech about 0.5–1.3, music above."""
    if len(audio) < _WINDOW + _HOP * _BLOCK:
        audio = np.pad(audio, (0, _WINDOW + _HOP * _BLOCK - len(audio)))
    at = np.arange(_WINDOW) + np.arange((len(audio) - _WINDOW) // _HOP + 1)[:, None] * _HOP
    spectra = np.abs(np.fft.rfft(audio[at].astype(np.float32) / 32768 * np.hanning(_WINDOW).astype(np.float32), axis=1))
    db = 20 * np.log10(spectra + 1e-5)
    total = np.cumsum(np.pad(db, ((0, 0), (_NEIGHBOURHOOD // 2 + 1, _NEIGHBOURHOOD // 2)), mode="edge"), axis=1)
    around = (total[:, _NEIGHBOURHOOD:] - total[:, :-_NEIGHBOURHOOD]) / _NEIGHBOURHOOD
    active = (db - around > _STANDS_OUT_DB)[:, _BINS]
    values = []
    for start in range(0, len(active) - _BLOCK + 1, _BLOCK // 2):
        lasts = active[start : start + _BLOCK].mean(axis=0)  # share of the block that each tone is there
        stands = lasts - np.minimum(np.roll(lasts, 3), np.roll(lasts, -3))
        values.append(float(np.sort(stands)[-_PEAKS:].sum()))
    return float(np.median(values)) if values else 0.0
