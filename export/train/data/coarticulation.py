"""From timed phones to lip and jaw tracks.

Dominance in the manner of Cohen & Massaro (1993), written as smoothing: each phone's aim, weighted by its dominance, is
spread over time by a kernel as wide as the articulator is slow, and divided by the spread dominances. On top lie the
constrictions, which must be reached however short they are: contact of the lips in p, b, m is complete for at least two
frames at 25 a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engines.lips import APERTURE_GAIN
from engines.motion import INDEX, Motion, rest
from export.train.data import MOTION_FPS, SAMPLE_RATE_HZ
from export.train.data.phones import Target, target
from export.train.data.speech import SILENCE, Phone

Track = NDArray[np.float64]
_RATE_HZ = 200
_STEP = _RATE_HZ // MOTION_FPS


@dataclass(frozen=True, slots=True)
class Articulation:
    """How a speaker moves: the kernels' widths, how early the lips are, and how large the movements."""

    jaw_s: float = 0.17
    lip_s: float = 0.14
    round_s: float = 0.22
    gate_s: float = 0.11
    lead_s: float = 0.0
    amplitude: float = 1.12
    #: How much of the opening follows loudness.
    loudness: float = 0.2


_GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("jaw_dominance", ("jaw",)),
    ("lip_dominance", ("upper", "lower", "roll_lower", "roll_upper", "press", "shrug", "puff", "tongue")),
    ("round_dominance", ("funnel", "pucker", "stretch", "smile")),
)


def lip_motion(phones: Sequence[Phone], audio: NDArray[np.float32], articulation: Articulation) -> Motion:
    """Motion [T, 64] with only speech channels (and the smile of spread vowels) set, T = samples // 320.

    ``phones`` cover the sound; ``audio`` is mono at 16 kHz and sets how far the mouth opens by its loudness.
    """
    num_frames = len(audio) * MOTION_FPS // SAMPLE_RATE_HZ
    n = num_frames * _STEP
    owner = _owner(phones, n, articulation.lead_s)
    targets = [_at_rest_in_breaks(phone) for phone in phones]
    aims = {
        name: _spread(targets, owner, name, group, _width_s(group, articulation)) for group, names in _GROUPS for name in names
    }
    size = articulation.amplitude * (1 - articulation.loudness + articulation.loudness * _loudness(audio, n))
    for name in ("jaw", "upper", "lower", "funnel", "stretch", "smile"):
        aims[name] = aims[name] * size
    motion = rest(num_frames)
    for channels, track in _channels(aims, _gate(phones, targets, n, articulation)):
        for channel in channels:
            motion[:, INDEX[channel]] = _sampled(np.clip(track, 0.0, 1.0))
    return motion


def _channels(aims: dict[str, Track], gate: Track) -> list[tuple[tuple[str, ...], Track]]:
    """Blendshape tracks; the gate narrows the opening: first the lips' own parting, then contact over an open jaw."""
    parted = 1 - 0.85 * gate
    jaw = aims["jaw"] * (1 - 0.25 * gate)
    lower, upper, funnel = aims["lower"] * parted, aims["upper"] * (1 - 0.6 * gate), aims["funnel"] * (1 - 0.5 * gate)
    opening = (
        APERTURE_GAIN["jawOpen"] * jaw + APERTURE_GAIN["mouthFunnel"] * funnel + APERTURE_GAIN["mouthPucker"] * aims["pucker"]
    )
    opening += 2 * APERTURE_GAIN["mouthLowerDownLeft"] * lower + 2 * APERTURE_GAIN["mouthUpperUpLeft"] * upper
    close = np.minimum(gate**1.3 * np.maximum(opening, 0.0) / -APERTURE_GAIN["mouthClose"], jaw + 0.1)
    return [
        (("jawOpen",), jaw),
        (("mouthClose",), close),
        (("mouthFunnel",), funnel),
        (("mouthPucker",), aims["pucker"]),
        (("mouthStretchLeft", "mouthStretchRight"), aims["stretch"]),
        (("mouthSmileLeft", "mouthSmileRight"), aims["smile"]),
        (("mouthUpperUpLeft", "mouthUpperUpRight"), upper),
        (("mouthLowerDownLeft", "mouthLowerDownRight"), lower),
        (("mouthPressLeft", "mouthPressRight"), aims["press"]),
        (("mouthRollLower",), aims["roll_lower"]),
        (("mouthRollUpper",), aims["roll_upper"]),
        (("mouthShrugLower",), aims["shrug"]),
        (("cheekPuff",), aims["puff"]),
        (("tongueOut",), aims["tongue"]),
    ]


def _width_s(group: str, articulation: Articulation) -> float:
    return {"jaw_dominance": articulation.jaw_s, "lip_dominance": articulation.lip_s}.get(group, articulation.round_s)


def _at_rest_in_breaks(phone: Phone) -> Target:
    """In a break under 0.2 s the lips do not quite come to rest."""
    aim = target(phone.symbol)
    if phone.symbol == SILENCE and phone.end_s - phone.start_s < 0.2:
        return Target(jaw=0.06, upper=0.02, lower=0.05, jaw_dominance=0.4, lip_dominance=0.4, round_dominance=0.2)
    return aim


def _owner(phones: Sequence[Phone], n: int, lead_s: float) -> NDArray[np.int64]:
    """Which phone each step belongs to, the lips ``lead_s`` ahead of the sound, [n]."""
    times = (np.arange(n) + 0.5) / _RATE_HZ + lead_s
    return np.clip(np.searchsorted([p.start_s for p in phones], times, side="right") - 1, 0, len(phones) - 1)


def _spread(targets: Sequence[Target], owner: NDArray[np.int64], name: str, group: str, width_s: float) -> Track:
    weight = np.array([getattr(t, group) for t in targets])[owner]
    aim = np.array([getattr(t, name) for t in targets])[owner]
    return _smooth(weight * aim, width_s) / np.maximum(_smooth(weight, width_s), 1e-3)


def _gate(phones: Sequence[Phone], targets: Sequence[Target], n: int, articulation: Articulation) -> Track:
    """How far the lips are narrowed, 0–1, [n]."""
    gate = np.zeros(n)
    times = (np.arange(n) + 0.5) / _RATE_HZ + articulation.lead_s
    for strength in sorted({t.constriction for t in targets if t.constriction > 0}):
        box = np.zeros(n)
        for phone, aim in zip(phones, targets, strict=True):
            if aim.constriction == strength:
                end_s = max(phone.start_s + (phone.end_s - phone.start_s) * aim.hold, phone.start_s + 0.055)
                start_s = min(phone.start_s, end_s - 0.055) - 0.005
                box[(times >= start_s) & (times <= end_s)] = 1.0
        gate = np.maximum(gate, strength * np.clip(1.5 * _smooth(box, articulation.gate_s), 0.0, 1.0))
    return _smooth(gate, 0.024)


def _loudness(audio: NDArray[np.float32], n: int) -> Track:
    """Loudness over that of the loud parts, 0–1.2, smoothed over syllables, [n]."""
    hop = SAMPLE_RATE_HZ // _RATE_HZ
    power = np.mean(audio[: n * hop].reshape(n, hop).astype(np.float64) ** 2, axis=1)
    level = 10 * np.log10(_smooth(power, 0.12) + 1e-8)
    loud = np.percentile(level, 92)
    return _smooth(np.clip(1 + (level - loud) / 28, 0.0, 1.25), 0.16)


def _smooth(track: Track, width_s: float) -> Track:
    """Convolution with a raised cosine of the given width, the ends held."""
    half = max(1, round(width_s * _RATE_HZ / 2))
    kernel = 0.5 + 0.5 * np.cos(np.pi * np.arange(-half + 1, half) / half)
    padded = np.pad(track, half - 1, mode="edge")
    return np.convolve(padded, kernel / kernel.sum(), mode="valid")


def _sampled(track: Track) -> Track:
    """The mean of each motion frame's steps, [T]."""
    return track.reshape(-1, _STEP).mean(axis=1)
