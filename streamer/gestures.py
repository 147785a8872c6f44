"""The gestures stage: what is planned as curves and laid over the drawn motion, as the camera is.

Blinks, and four actions (`engines.prompts.PLANNED_ACTIONS`). In four steps a sampler draws an event that nothing announces, or
whose side or phase is anybody's guess, as half of one; a curve is drawn whole, and is smooth in position, speed and
acceleration. The transformer is not asked for these, and what it is given as history is without them, so that each has one
source. Which side a gesture takes, and when a blink comes, follows from the time alone: clips drawn apart agree.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from engines.motion import INDEX, LIDS, Motion
from streamer.plan import TIME_BASE_HZ, Beat, Pts, s_from_pts, ticks_per_frame

Track = NDArray[np.float64]  # [n]
#: What a gesture adds to which channels; a name without Left or Right means both sides.
Drawn = dict[str, Track]

#: 17 a minute: people in talk blink 15–20 times (Bentivoglio et al. 1997: 17 at rest, 26 in conversation).
BLINK_EVERY_S = 3.6
_CLOSING_S, _SHUT_S, _OPENING_S = 0.1, 0.04, 0.22

SHAKE_HZ = 1.6
_SHAKE_RAD = 0.24
_SHAKE_ENDS_S = 0.35  # it dies away so long after its beat, wherever that is cut off


def performed(beats: Sequence[Beat], start: Pts, fps: int, motion: Motion) -> Motion:
    """Motion [n, 64] from `start` on, with the blinks and the planned actions of `beats` that fall into it."""
    times = (start + np.arange(len(motion)) * ticks_per_frame(fps)) / TIME_BASE_HZ
    out = motion.copy()
    blink = blinks(times)
    for beat in beats:
        if beat.action is None or beat.action not in _GESTURES:
            continue
        since = times - s_from_pts(beat.start)
        lasts_s = s_from_pts(beat.end - beat.start) if beat.end is not None else 1.6
        drawn = _GESTURES[beat.action](since, lasts_s, _side(beat))
        blink = blink * (1 - np.clip(drawn.pop("attention", 0.0), 0, 1))
        for name, track in drawn.items():
            for channel in (name,) if name in INDEX else (f"{name}Left", f"{name}Right"):
                with_it = out[:, INDEX[channel]] + track.astype(np.float32)
                out[:, INDEX[channel]] = np.clip(with_it, 0.0, 1.0) if INDEX[channel] in _UNIT else with_it
    out[:, LIDS] = np.maximum(out[:, LIDS], blink[:, None].astype(np.float32))
    return out


def blinks(times: Track) -> Track:
    """How far the lids are shut by blinks, 0–1, at `times` [n] in seconds: one in each `BLINK_EVERY_S`, irregularly."""
    shut = np.zeros(len(times))
    if not len(times):
        return shut
    for cell in range(int(times[0] / BLINK_EVERY_S) - 1, int(times[-1] / BLINK_EVERY_S) + 1):
        onset_s = (cell + np.random.default_rng([0xB11, cell + 1]).uniform(0.05, 0.85)) * BLINK_EVERY_S
        shut = np.maximum(shut, _bump(times - onset_s, 0.0, _CLOSING_S, _SHUT_S, _OPENING_S))
    return shut


def _wink(t: Track, lasts_s: float, side: int) -> Drawn:
    """One lid shut for a third of a second, with the cheek and the corner of the mouth of its side; no blink meanwhile."""
    name, other = ("Left", "Right") if side > 0 else ("Right", "Left")
    shut, face = _bump(t, 0.12, 0.11, 0.28, 0.2), _bump(t, 0.0, 0.25, 0.4, 0.45)
    return {
        f"eyeBlink{name}": 1.1 * shut, f"cheekSquint{name}": 0.55 * shut, f"mouthSmile{name}": 0.5 * face,
        f"browDown{name}": 0.2 * shut, f"eyeBlink{other}": -0.3 * shut, f"browOuterUp{other}": 0.25 * face,
        "headRoll": 0.05 * side * face, "attention": face,
    }  # fmt: skip


def _shrug(t: Track, lasts_s: float, side: int) -> Drawn:
    up = _bump(t, 0.0, 0.32, 0.45, 0.5)
    return {
        "shoulderRaise": 1.0 * up, "browInnerUp": 0.55 * up, "browOuterUp": 0.6 * up, "mouthShrugLower": 0.35 * up,
        "mouthFrown": 0.4 * up, "headRoll": 0.07 * side * up, "headY": 0.05 * up, "attention": up,
    }  # fmt: skip


def _sigh(t: Track, lasts_s: float, side: int) -> Drawn:
    """Shoulders and chest rise with the breath, then fall; the lips part, lids and head sink, the inner brows rise."""
    breath_in, out = _bump(t, 0.0, 0.6, 0.1, 0.55), _bump(t, 0.68, 0.4, 0.45, 0.65)
    return {
        "shoulderRaise": 0.7 * breath_in, "breath": 0.8 * breath_in, "headPitch": 0.05 * breath_in - 0.13 * out,
        "headY": 0.07 * out - 0.02 * breath_in, "browInnerUp": 0.55 * out, "eyeBlink": 0.42 * out, "mouthFrown": 0.25 * out,
        "jawOpen": 0.16 * out, "mouthFunnel": 0.22 * out, "attention": out,
    }  # fmt: skip


def _shake(t: Track, lasts_s: float, side: int) -> Drawn:
    """Left and right for as long as the beat lasts, the eyes kept on the camera."""
    size = _ease(t / 0.3) * (1 - _ease((t - lasts_s) / _SHAKE_ENDS_S))
    swing = _SHAKE_RAD * side * size * np.sin(2 * np.pi * SHAKE_HZ * t)
    left, right = 0.9 * np.maximum(-swing, 0.0), 0.9 * np.maximum(swing, 0.0)  # gaze to the speaker's left, and right
    return {
        "headYaw": swing, "eyeLookOutLeft": left, "eyeLookInRight": left, "eyeLookInLeft": right, "eyeLookOutRight": right,
    }  # fmt: skip


_GESTURES: dict[str, Callable[[Track, float, int], Drawn]] = {"wink": _wink, "shrug": _shrug, "sigh": _sigh, "shake": _shake}
_UNIT = frozenset((*range(52), 58, 59))  # channels within 0–1


def _side(beat: Beat) -> int:
    """1, the speaker's left, or -1: anybody's guess, but always the same one for the same beat."""
    return 1 if np.random.default_rng([0x51DE, max(0, beat.start)]).random() < 0.5 else -1


def _bump(t: Track, start_s: float, attack_s: float, hold_s: float, release_s: float) -> Track:
    """Up to 1 within `attack_s`, there for `hold_s`, and back to 0."""
    return _ease((t - start_s) / attack_s) - _ease((t - start_s - attack_s - hold_s) / release_s)


def _ease(x: Track) -> Track:
    """Minimum-jerk step (Flash & Hogan 1985): 0 below 0, 1 above 1, without speed or acceleration at either end."""
    x = np.clip(x, 0.0, 1.0)
    return x**3 * (10 - 15 * x + 6 * x**2)
