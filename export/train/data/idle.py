"""What nobody asks for and everybody does: glances, breath, sway, and the nods and brows that go with the voice.

No blinks: they are planned on air (`streamer.gestures`), and lids that never shut of themselves leave it one source of them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engines.motion import INDEX, Motion
from export.train.data import MOTION_FPS, SAMPLE_RATE_HZ
from export.train.data.actions import draw_gaze
from export.train.data.curves import Track, bump, frame_times, smooth, steps, wander
from export.train.data.expression import both_sides
from export.train.data.phones import is_vowel
from export.train.data.speech import SILENCE, Phone


def living(phones: tuple[Phone, ...], audio: NDArray[np.float32], asks: dict[str, Track], rng: np.random.Generator) -> Motion:
    """Eyes, head, brows, shoulders of a person who speaks ``phones`` (all SILENCE: who waits), [T, 64].

    ``asks``: the tracks that ``expression_track`` gives. ``audio``: mono at 16 kHz, for accents.
    """
    num_frames = len(audio) * MOTION_FPS // SAMPLE_RATE_HZ
    motion = np.zeros((num_frames, len(INDEX)), np.float32)
    speaking = speech_mask(phones, num_frames)
    _sway(motion, speaking, asks["pace"], rng)
    _accents(motion, phones, audio, asks["pace"], rng)
    _gaze(motion, asks, rng)
    _breath(motion, speaking, rng)
    return motion


def speech_mask(phones: tuple[Phone, ...], num_frames: int) -> Track:
    """1 in frames within phones other than SILENCE, [T]."""
    t, mask = frame_times(num_frames), np.zeros(num_frames)
    for phone in phones:
        if phone.symbol != SILENCE:
            mask[(t >= phone.start_s) & (t < phone.end_s)] = 1.0
    return mask


def _sway(motion: Motion, speaking: Track, pace: Track, rng: np.random.Generator) -> None:
    """Posture that drifts, livelier in speech."""
    n = len(motion)
    lively = (0.55 + 0.55 * smooth(speaking, 0.8)) * np.sqrt(pace)
    calm = rng.uniform(0.7, 1.3)
    for name, size in (
        ("headYaw", 0.04),
        ("headPitch", 0.024),
        ("headRoll", 0.022),
        ("headX", 0.022),
        ("headY", 0.012),
        ("headZ", 0.025),
    ):
        slow, quick = wander(n, rng.uniform(3.0, 5.0), rng), wander(n, rng.uniform(0.9, 1.4), rng)
        motion[:, INDEX[name]] += calm * size * (0.75 * np.clip(slow, -2, 2) + 0.4 * lively * np.clip(quick, -2, 2))
    motion[:, INDEX["headX"]] -= 0.15 * motion[:, INDEX["headRoll"]]


def _accents(
    motion: Motion, phones: tuple[Phone, ...], audio: NDArray[np.float32], pace: Track, rng: np.random.Generator
) -> None:
    """Nods and raised brows on the most prominent syllables (Graf et al. 2002: heads move with pitch accents)."""
    t = frame_times(len(motion))
    vowels = [p for p in phones if p.symbol != SILENCE and is_vowel(p.symbol)]
    if not vowels:
        return
    weight = np.array([_prominence(p, audio) for p in vowels])
    bar = np.quantile(weight, 0.72)
    habit_nod, habit_brow = rng.uniform(0.5, 1.3), rng.uniform(0.3, 1.3)
    last_s = -1.0
    for vowel, prominence in zip(vowels, weight, strict=True):
        if prominence < bar or vowel.start_s - last_s < 0.45:
            continue
        last_s = vowel.start_s
        lively = float(pace[min(len(pace) - 1, int(vowel.start_s * MOTION_FPS))])
        at_s = vowel.start_s - rng.uniform(0.08, 0.18)
        nod = bump(t, at_s, 0.16, 0.03, rng.uniform(0.22, 0.4)) * rng.uniform(0.02, 0.055) * habit_nod * lively
        motion[:, INDEX["headPitch"]] -= nod
        motion[:, INDEX["headY"]] += 0.25 * nod
        motion[:, INDEX["headYaw"]] += nod * rng.uniform(-0.5, 0.5)
        if rng.random() < 0.4:
            raised = bump(t, at_s, 0.14, rng.uniform(0.05, 0.25), 0.3) * rng.uniform(0.12, 0.38) * habit_brow * min(lively, 1.3)
            for name, share in (("browInnerUp", 0.8), ("browOuterUp", 1.0)):
                for channel in both_sides(name):
                    motion[:, INDEX[channel]] += share * raised


def _prominence(vowel: Phone, audio: NDArray[np.float32]) -> float:
    part = audio[int(vowel.start_s * SAMPLE_RATE_HZ) : int(vowel.end_s * SAMPLE_RATE_HZ)]
    level = float(np.sqrt(np.mean(part**2))) if len(part) else 0.0
    return level * min(vowel.end_s - vowel.start_s, 0.2) ** 0.5 * (1.0 + 0.25 * vowel.stress)


def _gaze(motion: Motion, asks: dict[str, Track], rng: np.random.Generator) -> None:
    """Fixations, mostly on the camera, 50 ms saccades between them; eyes counter slow head turns."""
    duration_s = len(motion) / MOTION_FPS
    at_s: list[float] = []
    left, up = [0.0], [0.0]
    time = float(rng.uniform(0.3, 2.5))
    away = False
    while time < duration_s:
        away = not away and rng.random() < 0.45
        spread = (0.3, 0.2) if away else (0.035, 0.025)
        at_s.append(time)
        left.append(float(np.clip(rng.normal(0, spread[0]), -0.55, 0.55)))
        up.append(float(np.clip(rng.normal(0, spread[1]), -0.4, 0.35)))
        time += float(rng.gamma(3, 0.25) + 0.25 if away else rng.gamma(2, 1.0) + 0.4)
    n = len(motion)
    draw_gaze(
        motion,
        steps(n, at_s, left, 0.06) + asks["gazeLeft"] - 1.1 * motion[:, INDEX["headYaw"]],
        steps(n, at_s, up, 0.06) + asks["gazeUp"] - 1.1 * motion[:, INDEX["headPitch"]],
    )
    down = motion[:, INDEX["eyeLookDownLeft"]]
    for channel in both_sides("eyeBlink"):  # the lid follows the eye
        motion[:, INDEX[channel]] += 0.25 * down


def _breath(motion: Motion, speaking: Track, rng: np.random.Generator) -> None:
    """Lungs fill in pauses and empty in speech; in long silences they come and go four seconds long."""
    level, value, rising = np.zeros(len(motion)), float(rng.uniform(0.1, 0.6)), rng.random() < 0.5
    period_s = rng.uniform(3.4, 5.0)
    for i, spoken in enumerate(speaking):
        if spoken:
            value += (0.08 - value) / (2.8 * MOTION_FPS)
            rising = True
        elif rising:
            value += 1.0 / (0.4 * period_s * MOTION_FPS)
            rising = value < 0.85
        else:
            value -= 0.8 / (0.6 * period_s * MOTION_FPS)
            rising = value <= 0.1
        level[i] = value
    level = smooth(level, 0.7)
    motion[:, INDEX["breath"]] += level
    motion[:, INDEX["shoulderRaise"]] += 0.12 * level
    motion[:, INDEX["headY"]] -= 0.008 * level
