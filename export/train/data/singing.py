"""Speech turned into song: vowels held for the length of a note, the pitch a melody with vibrato. Phone times go with it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from export.train.data import SAMPLE_RATE_HZ
from export.train.data.phones import is_vowel
from export.train.data.speech import SILENCE, Utterance

_WINDOW, _HOP = 512, 128
_STEPS = 2.0 ** (np.array([-3, -1, 0, 0, 2, 4]) / 12)  # of the melody, about the pitch that was spoken


def sung(utterance: Utterance, rng: np.random.Generator) -> Utterance:
    """Each vowel lasts 1–3 beats of 0.18–0.35 s; consonants keep their length. Formants move with the pitch."""
    beat_s = rng.uniform(0.18, 0.35)
    lengths, ratios = [], []
    ratio = 1.0
    for phone in utterance.phones:
        length_s = phone.end_s - phone.start_s
        if phone.symbol != SILENCE and is_vowel(phone.symbol):
            ratio = float(rng.choice(_STEPS))
            length_s = max(length_s, beat_s * float(rng.choice([1, 1, 1, 2, 3])))
        lengths.append(length_s)
        ratios.append(ratio)
    starts = np.concatenate([[0.0], np.cumsum(lengths)])
    num = round(starts[-1] * SAMPLE_RATE_HZ)
    time = np.arange(num) / SAMPLE_RATE_HZ
    pitch = np.repeat(ratios, np.diff(np.round(starts * SAMPLE_RATE_HZ).astype(int)))
    glide = np.hanning(round(0.06 * SAMPLE_RATE_HZ))
    pitch = np.convolve(np.pad(pitch, len(glide) // 2, mode="edge"), glide / glide.sum(), mode="same")[len(glide) // 2 :][:num]
    pitch = pitch * (1 + 0.012 * np.sin(2 * np.pi * rng.uniform(4.8, 6.2) * time))
    read_s = np.concatenate([[0.0], np.cumsum(pitch)[:-1]]) / SAMPLE_RATE_HZ  # in the stretched sound, played at the pitch
    edges = np.array([p.start_s for p in utterance.phones] + [utterance.duration_s])
    stretched_edges = np.interp(starts, time, read_s)
    positions = np.interp(np.arange(0, read_s[-1] if num else 0.0, _HOP / SAMPLE_RATE_HZ), stretched_edges, edges)
    stretched = _read_at(utterance.audio, positions * SAMPLE_RATE_HZ / _HOP)
    audio = np.interp(read_s * SAMPLE_RATE_HZ, np.arange(len(stretched)), stretched).astype(np.float32)
    phones = tuple(
        replace(phone, start_s=float(a), end_s=float(b))
        for phone, a, b in zip(utterance.phones, starts[:-1], starts[1:], strict=True)
    )
    return replace(utterance, audio=audio, phones=phones, voice=f"{utterance.voice}*sung")


def _read_at(audio: NDArray[np.float32], positions: NDArray[np.float64]) -> NDArray[np.float64]:
    """The sound read at these places, in hops, one hop after another: a phase vocoder (Flanagan & Golden 1966)."""
    window = np.hanning(_WINDOW + 1)[:-1]
    padded = np.pad(audio.astype(np.float64), (_WINDOW // 2, _WINDOW))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP] * window
    spectrum = np.fft.rfft(frames, axis=1)  # [hops, bins]
    size, phase = np.abs(spectrum), np.angle(spectrum)
    turn = np.diff(phase, axis=0, append=phase[-1:])
    low = np.clip(positions.astype(int), 0, len(spectrum) - 2)
    part = (positions - low)[:, None]
    sizes = size[low] * (1 - part) + size[low + 1] * part
    phases = phase[:1] + np.concatenate([np.zeros((1, size.shape[1])), np.cumsum(turn[low[:-1]], axis=0)])
    pieces = np.fft.irfft(sizes * np.exp(1j * phases), _WINDOW, axis=1) * window
    out, weight = np.zeros((2, len(pieces) * _HOP + _WINDOW))
    for i, piece in enumerate(pieces):
        out[i * _HOP : i * _HOP + _WINDOW] += piece
        weight[i * _HOP : i * _HOP + _WINDOW] += window**2
    return (out / np.maximum(weight, 1e-3))[_WINDOW // 2 : len(pieces) * _HOP + _WINDOW // 2]
