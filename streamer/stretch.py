"""Sound a little shorter or longer with its pitch kept: one period of the voice is left out, or said twice.

Waveform-similarity overlap-add (Verhelst and Roelands 1993), one splice at a time, as the jitter buffers of telephony do it.
"""

from __future__ import annotations

import numpy as np

from streamer.media import Sound

LEAST_PERIOD, MOST_PERIOD = 120, 600  # samples at 48 kHz: voices from 400 down to 80 Hz
_FADE = 240  # samples over which one period turns into the next
_LEAST_LIKENESS = 0.7  # correlation; below it a splice can be heard
_LONGER_IS_BETTER = 0.05  # in correlation, of the longest period over the shortest: fewer splices


def shorter(sound: Sound, length: int) -> tuple[Sound, int] | None:
    """`length` samples made of `sound` [length + MOST_PERIOD] by leaving one period out, and that period in samples.

    What comes next is to be taken from `length + period` on. None where the sound has no period.
    """
    at = length - _FADE
    period = _period(sound, at)
    if period is None:
        return None
    fade = _fade(sound[at:length], sound[at + period : length + period])
    return np.concatenate([sound[:at], fade]), period


def longer(sound: Sound, length: int) -> tuple[Sound, int] | None:
    """`length` samples made of `sound` [length] by saying one period twice, and that period in samples.

    What comes next is to be taken from `length - period` on. None where the sound has no period.
    """
    period = _period(sound[::-1], length - MOST_PERIOD - _FADE)  # seen from the end, the period is that before
    if period is None:
        return None
    at = MOST_PERIOD
    fade = _fade(sound[at : at + _FADE], sound[at - period : at - period + _FADE])
    return np.concatenate([sound[:at], fade, sound[at - period + _FADE : length - period]]), period


def _period(sound: Sound, at: int) -> int | None:
    """How far after `at` the sound is most like itself at `at`; None where it is nowhere."""
    piece = sound[at : at + _FADE].astype(np.float64)
    span = sound[at + LEAST_PERIOD : at + MOST_PERIOD + _FADE].astype(np.float64)
    product = np.correlate(span, piece, "valid")
    total = np.concatenate([[0.0], np.cumsum(span**2)])
    energy = (total[_FADE:] - total[:-_FADE])[: len(product)] * (piece**2).sum()
    likeness = product / np.sqrt(np.maximum(energy, 1.0))
    score = likeness + _LONGER_IS_BETTER * np.arange(len(likeness)) / len(likeness)
    best = int(score.argmax())
    return LEAST_PERIOD + best if likeness[best] >= _LEAST_LIKENESS else None


def _fade(out: Sound, into: Sound) -> Sound:
    rise = np.linspace(0.0, 1.0, len(out), dtype=np.float32)
    return np.rint(out * (1 - rise) + into * rise).astype(np.int16)
