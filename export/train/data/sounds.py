"""Sounds that are no speech, for clips in which the mouth stays shut: rooms, hums, knocks, chords."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from export.train.data import SAMPLE_RATE_HZ

KINDS = ("silence", "room", "hum", "knocks", "music", "wind")


def background(kind: str, num_samples: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """float32 [num_samples] at 16 kHz. Raises KeyError for a kind outside KINDS."""
    t = np.arange(num_samples) / SAMPLE_RATE_HZ
    level = float(10 ** (rng.uniform(-55, -30) / 20))
    if kind == "silence":
        sound = np.zeros(num_samples)
    elif kind in ("room", "wind"):
        sound = _coloured(num_samples, 1.0 if kind == "room" else 1.8, rng)
        if kind == "wind":
            sound *= 0.3 + np.abs(np.sin(2 * np.pi * rng.uniform(0.1, 0.4) * t + rng.uniform(0, 6)))
    elif kind == "hum":
        base = rng.choice([50.0, 60.0, 100.0, 120.0])
        sound = sum((np.sin(2 * np.pi * base * k * t) / k for k in range(1, 6)), np.zeros(num_samples)) + 0.2 * _coloured(
            num_samples, 1.0, rng
        )
    elif kind == "knocks":
        sound = 0.02 * _coloured(num_samples, 1.0, rng)
        for start in rng.uniform(0, t[-1], int(rng.integers(3, 14))):
            after = np.maximum(t - start, 0.0)
            ring = np.sin(2 * np.pi * rng.uniform(150, 2500) * after) + 0.7 * rng.standard_normal(num_samples)
            sound += (t >= start) * np.exp(-after / rng.uniform(0.01, 0.06)) * ring
        level *= 3
    elif kind == "music":
        sound = _tune(t, rng)
        level *= 3
    else:
        raise KeyError(kind)
    return (level * sound / (np.sqrt(np.mean(sound**2)) + 1e-9)).clip(-0.97, 0.97).astype(np.float32)


def _coloured(num_samples: int, slope: float, rng: np.random.Generator) -> NDArray[np.float64]:
    spectrum = np.fft.rfft(rng.standard_normal(num_samples))
    frequency = np.maximum(np.fft.rfftfreq(num_samples, 1 / SAMPLE_RATE_HZ), 20.0)
    return np.fft.irfft(spectrum * frequency ** (-slope / 2), num_samples)


def _tune(t: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Plucked and held notes of a scale, in one or two voices."""
    sound = np.zeros(len(t))
    scale = 220.0 * 2 ** (np.array([0, 2, 4, 7, 9, 12, 14, 16]) / 12) * 2 ** rng.uniform(-0.5, 1.0)
    for _ in range(int(rng.integers(1, 3))):
        time, decay, brightness = 0.0, rng.uniform(0.2, 2.0), rng.uniform(0.8, 2.0)
        while time < t[-1]:
            after = np.maximum(t - time, 0.0)
            pitch = rng.choice(scale)
            tone = sum((np.sin(2 * np.pi * pitch * k * after) / k**brightness for k in range(1, 9)), np.zeros(len(t)))
            sound += (t >= time) * np.minimum(after / 0.01, 1.0) * np.exp(-after / decay) * tone
            time += float(rng.choice([0.25, 0.5, 0.75, 1.0]))
    return sound
