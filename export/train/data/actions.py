"""The actions that the transformer draws, as motion over time, each beginning at its beat and lasting 0.8–2.5 s."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from engines.motion import INDEX, Motion
from export.train.data.curves import Track, bump, frame_times
from export.train.data.expression import both_sides

#: What an action draws: (channel or pair of channels, track).
_Drawn = list[tuple[str, Track]]
_Drawer = Callable[[Track, float, np.random.Generator], _Drawn]


def action_track(num_frames: int, action: str, start_s: float, available_s: float, rng: np.random.Generator) -> Motion:
    """The action alone, [T, 64], to be added to everything else. ``gazeLeft`` and ``gazeUp`` become eye channels.

    Raises KeyError for an action that the transformer does not draw (``engines.prompts.DRAWN_ACTIONS``).
    """
    drawer = _DRAWERS[action]
    length_s = float(np.clip(rng.uniform(1.0, 2.4), 0.8, max(0.8, available_s)))
    motion = np.zeros((num_frames, len(INDEX)), np.float32)
    late_s = rng.uniform(0.0, 0.03 if action in _RHYTHMIC else 0.15)
    for name, track in drawer(frame_times(num_frames) - start_s - late_s, length_s, rng):
        if name in ("gazeLeft", "gazeUp"):
            draw_gaze(motion, **{"left" if name == "gazeLeft" else "up": track})
        else:
            for channel in both_sides(name):
                motion[:, INDEX[channel]] += track
    return motion


def draw_gaze(motion: NDArray[np.floating], left: Track | None = None, up: Track | None = None) -> None:
    """Add gaze, weights −1…1 towards the speaker's left and up, to the eye channels of motion [T, 64]."""
    if left is not None:
        for name, part in (
            ("eyeLookOutLeft", left),
            ("eyeLookInRight", left),
            ("eyeLookInLeft", -left),
            ("eyeLookOutRight", -left),
        ):
            motion[:, INDEX[name]] += np.maximum(part, 0.0)
    if up is not None:
        for name, part in (("eyeLookUp", up), ("eyeLookDown", -up)):
            for channel in both_sides(name):
                motion[:, INDEX[channel]] += np.maximum(part, 0.0)


def _cycles(t: Track, length_s: float, rate_hz: float) -> Track:
    """A swing that starts and ends gently, first half-cycle positive, dying away a little."""
    envelope = bump(t, 0.0, 0.25, max(0.05, length_s - 0.55), 0.3) * (1 - 0.25 * np.clip(t / length_s, 0, 1))
    return envelope * np.sin(2 * np.pi * rate_hz * np.clip(t, 0.0, length_s))


def _nod(t: Track, length_s: float, rng: np.random.Generator) -> _Drawn:
    """Its rhythm hardly varies: a swing whose phase nobody can know is learned as no swing at all."""
    rate_hz = rng.uniform(1.75, 1.85)
    count = 2 if length_s < 1.7 else 3
    swing = _cycles(t, count / rate_hz, rate_hz) * rng.uniform(0.12, 0.18)
    return [("headPitch", -swing - 0.2 * np.abs(swing)), ("headY", 0.25 * swing), ("gazeUp", 0.8 * swing)]


def _tilt(t: Track, length_s: float, rng: np.random.Generator) -> _Drawn:
    lean = bump(t, 0, 0.45, length_s - 0.6, 0.6) * rng.uniform(0.13, 0.21) * rng.choice([-1, 1])
    return [("headRoll", lean), ("headX", -0.35 * lean), ("browInnerUp", 0.6 * np.abs(lean))]


def _turn(sign: float) -> _Drawer:
    def draw(t: Track, length_s: float, rng: np.random.Generator) -> _Drawn:
        size = rng.uniform(0.22, 0.32)
        head, eyes = bump(t, 0.05, 0.5, length_s - 0.5, 0.55), bump(t, 0.0, 0.12, length_s - 0.4, 0.3)
        return [
            ("headYaw", sign * size * head),
            ("headX", -0.12 * sign * size * head),
            ("gazeLeft", sign * (0.55 * eyes - 0.2 * head)),
        ]

    return draw


def _look(left: float, up: float) -> _Drawer:
    def draw(t: Track, length_s: float, rng: np.random.Generator) -> _Drawn:
        size = rng.uniform(0.6, 0.9)
        eyes, head = bump(t, 0.0, 0.1, length_s - 0.25, 0.12), bump(t, 0.06, 0.35, length_s - 0.5, 0.4)
        drawn: _Drawn = [("headYaw", 0.07 * left * head), ("headPitch", 0.06 * up * head)]
        drawn += [("gazeLeft", left * size * eyes)] if left else [("gazeUp", up * size * eyes)]
        return [*drawn, ("browOuterUp", 0.2 * eyes), ("browInnerUp", 0.15 * eyes)] if up > 0 else drawn

    return draw


def _lean(sign: float) -> _Drawer:
    def draw(t: Track, length_s: float, rng: np.random.Generator) -> _Drawn:
        size = bump(t, 0, 0.6, max(0.4, length_s - 0.7), 0.8) * rng.uniform(0.2, 0.32) * sign
        return [("headZ", size), ("headPitch", -0.12 * size), ("headY", 0.15 * size)]

    return draw


def _raise_brows(t: Track, length_s: float, rng: np.random.Generator) -> _Drawn:
    up = bump(t, 0, 0.18, max(0.3, 0.6 * length_s), 0.35)
    return [("browInnerUp", 0.65 * up), ("browOuterUp", 0.85 * up), ("eyeWide", 0.25 * up), ("headPitch", 0.03 * up)]


def _frown(t: Track, length_s: float, rng: np.random.Generator) -> _Drawn:
    down = bump(t, 0, 0.3, max(0.5, length_s - 0.6), 0.4)
    return [("browDown", 0.8 * down), ("eyeSquint", 0.2 * down), ("mouthFrown", 0.3 * down), ("headPitch", -0.03 * down)]


def _close_eyes(t: Track, length_s: float, rng: np.random.Generator) -> _Drawn:
    return [
        ("eyeBlink", bump(t, 0, 0.2, max(0.6, length_s - 0.5), 0.28)),
        ("headPitch", -0.03 * bump(t, 0, 0.4, length_s - 0.6, 0.5)),
    ]


def _laugh(t: Track, length_s: float, rng: np.random.Generator) -> _Drawn:
    length_s = max(1.2, length_s)
    face = bump(t, 0, 0.25, length_s - 0.3, 0.6)
    beat = face * (0.5 - 0.5 * np.cos(2 * np.pi * rng.uniform(3.6, 4.8) * np.maximum(t, 0.0)))
    back = rng.uniform(0.05, 0.12) * bump(t, 0.05, 0.4, length_s - 0.6, 0.5)
    return [
        ("mouthSmile", 0.75 * face), ("cheekSquint", 0.65 * face), ("eyeSquint", 0.5 * face), ("jawOpen",
        0.16 * face + 0.14 * beat),
        ("mouthUpperUp", 0.2 * face), ("mouthLowerDown", 0.15 * face), ("headPitch", back + 0.02 * beat), ("headY",
        -0.03 * beat),
        ("shoulderRaise", 0.3 * beat), ("eyeBlink", 0.15 * face),
    ]  # fmt: skip


#: Actions whose phase is fixed by the beat's beginning.
_RHYTHMIC = ("nod",)
_DRAWERS: dict[str, _Drawer] = {
    "nod": _nod, "tilt": _tilt, "turn_left": _turn(1), "turn_right": _turn(-1), "look_left": _look(1, 0),
    "look_right": _look(-1, 0), "look_up": _look(0, 1), "look_down": _look(0, -1), "lean_in": _lean(1), "lean_back": _lean(-1),
    "raise_brows": _raise_brows, "frown": _frown, "close_eyes": _close_eyes, "laugh": _laugh,
}  # fmt: skip
